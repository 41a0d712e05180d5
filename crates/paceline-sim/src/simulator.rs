//! The simulator as its users see it: requests go in, answers come out, and tests can look inside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::answer::{self, Fault, Outcome, Protocol};
use crate::options::SimOptions;
use crate::past::Past;
use crate::template::Known;
use crate::world::{Place, World};
use crate::{cloudformation, codebuild, ecr, iam, logs, request, s3, ssm, sts};

/// A simulated AWS. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Simulator {
    world: Arc<Mutex<World>>,
    past: Arc<Mutex<Past>>,
}

/// Marks a response whose request was executed, but which must not reach the client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lost;

/// One request, as the simulator saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it arrived, in virtual time.
    pub at: Timestamp,
    /// The service, as the credential scope names it.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The account of the caller's credentials.
    pub account: String,
    /// Whether the credentials are those of a role that was assumed.
    pub as_role: bool,
    /// The region of the credential scope.
    pub region: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The error code, if it failed.
    pub error: Option<String>,
    /// The stack it named, if it named one.
    pub stack: Option<String>,
}

impl Call {
    fn unknown(at: Timestamp) -> Self {
        Self {
            at,
            service: "unknown".to_owned(),
            operation: "unknown".to_owned(),
            account: String::new(),
            as_role: false,
            region: String::new(),
            status: 200,
            error: None,
            stack: None,
        }
    }

    fn asks(&mut self, request: &request::Request) {
        self.service.clone_from(&request.service);
        self.operation.clone_from(&request.operation);
        self.account = request.place.account.to_string();
        self.as_role = request.as_role;
        self.region = request.place.region.to_string();
        self.stack = request.form.text("StackName").map(str::to_owned);
    }

    /// Whether it names a stack, by its name or its ARN.
    pub fn names(&self, stack: &str) -> bool {
        let is_it = |text: &str| text == stack || text.split('/').nth(1) == Some(stack);
        self.stack.as_deref().is_some_and(is_it)
    }

    /// Whether it changes nothing.
    pub fn is_read(&self) -> bool {
        const READS: [&str; 7] = ["Get", "List", "Describe", "Batch", "Head", "Simulate", "Validate"];
        READS.iter().any(|prefix| self.operation.starts_with(prefix))
    }

    /// Whether another asks for the same operation on the same thing.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let what = |call: &Self| {
            let Self { service, operation, account, region, stack, .. } = call.clone();
            (service, operation, account, region, stack)
        };
        what(self) == what(other)
    }
}

/// What became of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSummary {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub id: String,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its status, as CloudFormation spells it.
    pub status: String,
    /// Why it has that status, where there is something to say.
    pub reason: Option<String>,
    /// The stack it is nested in.
    pub parent: Option<String>,
    /// How many resources it has.
    pub resources: usize,
    /// How many of them are complete.
    pub complete: usize,
    /// When its last operation started.
    pub started: Option<Timestamp>,
    /// When its last operation ended; none while it goes on.
    pub ended: Option<Timestamp>,
}

impl Simulator {
    /// An AWS in which nothing has been deployed yet.
    pub fn new(options: SimOptions) -> Self {
        Self { world: Arc::new(Mutex::new(World::new(options))), past: Arc::default() }
    }

    /// Answers a request that arrives at this time. Everything that is due by then happens first.
    pub fn handle(&self, request: Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        self.handle_logged(request, now).0
    }

    /// As [`handle`](Self::handle), and says what the request was.
    pub fn handle_logged(&self, request: Request<Bytes>, now: Timestamp) -> (Response<Bytes>, Call) {
        let mut world = self.lock();
        world.advance(now);
        let id = world.random.uuid();
        let (call, mut response) = answer_to(&mut world, request, &id);
        let lost = world.options.faults.lost_replies;
        if response.status().is_success() && world.random.chance(lost) {
            response.extensions_mut().insert(Lost);
        }
        world.log(call.clone());
        self.past().keep(&mut world);
        (response, call)
    }

    /// Answers as it would have done so long ago. What changes something is refused if it would have been
    /// refused then, and carried out otherwise: AWS too decides on what one of its servers knows.
    pub(crate) fn handle_as_of(
        &self,
        request: Request<Bytes>,
        now: Timestamp,
        age: Duration,
    ) -> (Response<Bytes>, Call) {
        let mut world = self.lock();
        world.advance(now);
        let id = world.random.uuid();
        let then = world.now.checked_sub(age).unwrap_or(Timestamp::MIN);
        let past = self.past().at(then);
        let (mut call, response) = match past {
            Some(mut past) => answer_to(&mut past, request.clone(), &id),
            None => answer_to(&mut world, request.clone(), &id),
        };
        if response.status().is_success() && !call.is_read() {
            drop(world);
            return self.handle_logged(request, now);
        }
        call.at = world.now;
        world.log(call.clone());
        (response, call)
    }

    /// Remembers what the world was like so long ago.
    pub(crate) fn remember(&self, reach: Duration) {
        let mut world = self.lock();
        self.past().remember(reach, &mut world);
    }

    /// What a request asks for. Its status is 0: nobody has answered it.
    pub(crate) fn read(&self, request: &Request<Bytes>, now: Timestamp) -> Call {
        let mut call = Call::unknown(now);
        let account = self.lock().options.account.clone();
        if let Ok(request) = read(request.clone(), &account) {
            call.asks(&request);
        }
        call.status = 0;
        call
    }

    /// Every request so far, in order; of very many, the latest.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Every stack, deleted ones and nested ones too, by account, region and name.
    pub fn stacks(&self) -> Vec<StackSummary> {
        let world = self.lock();
        let mut all: Vec<StackSummary> = world
            .regions
            .values()
            .flat_map(|region| region.stacks.values())
            .map(|stack| stack.summary())
            .collect();
        all.sort_by(|a, b| (&a.account, &a.region, &a.name).cmp(&(&b.account, &b.region, &b.name)));
        all
    }

    /// Brings the world up to a time without a request.
    pub fn advance(&self, to: Timestamp) {
        self.lock().advance(to);
    }

    /// When the next thing is due to happen; none if everything is at rest.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.lock().next_due()
    }

    /// Puts an SSM parameter there, as if someone had written it before the run.
    pub fn put_parameter(&self, account: &str, region: &str, name: &str, value: &str) {
        let mut world = self.lock();
        ssm::write(&mut world, &Place::new(account, region), name, &Known::said(value), "String");
    }

    /// Gives a stack an alias, as if someone had called `SetAlias`, which the SDK for Rust does not know yet. The
    /// error is what CloudFormation would say.
    pub fn set_alias(&self, account: &str, region: &str, stack: &str, alias: &str) -> Result<(), String> {
        let mut world = self.lock();
        let given = cloudformation::give_alias(&mut world, &Place::new(account, region), stack, alias);
        given.map_err(|fault| fault.message)
    }

    /// Puts an image into a repository, as if it had been pushed.
    pub fn put_image(&self, account: &str, region: &str, repository: &str, tag: &str) {
        let mut world = self.lock();
        ecr::push(&mut world, &Place::new(account, region), repository, tag);
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: crate::Faults) {
        self.lock().options.faults = faults;
    }

    // A panic in another thread must not hide that thread's message behind a second one here.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locked after the world, where both are.
    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer_to(world: &mut World, request: Request<Bytes>, id: &str) -> (Call, Response<Bytes>) {
    let mut call = Call::unknown(world.now);
    let account = world.options.account.clone();
    let (response, fault) = match read(request, &account) {
        Err(fault) => (answer::write_fault(Protocol::Json, &fault, id), Some(fault)),
        Ok(request) => {
            call.asks(&request);
            perform(world, &request, id)
        }
    };
    call.status = response.status().as_u16();
    call.error = fault.map(|fault| fault.code);
    (call, response)
}

fn read(request: Request<Bytes>, account: &str) -> Result<request::Request, Fault> {
    let mut request = request::Request::read(request, account)?;
    if request.service == "s3" {
        s3::name_operation(&mut request);
    }
    Ok(request)
}

fn perform(world: &mut World, request: &request::Request, id: &str) -> (Response<Bytes>, Option<Fault>) {
    let refused =
        |fault: Fault| (answer::write_fault(Protocol::of(&request.service), &fault, id), Some(fault));
    if let Err(fault) = admit(world, request) {
        return refused(fault);
    }
    if request.service == "s3" {
        return match s3::perform(world, request, id) {
            Ok(response) => (response, None),
            Err(fault) => refused(fault),
        };
    }
    let outcome: Outcome = match request.service.as_str() {
        "sts" => sts::perform(world, request),
        "iam" => iam::perform(world, request),
        "ssm" => ssm::perform(world, request),
        "ecr" => ecr::perform(world, request),
        "cloudformation" => cloudformation::perform(world, request),
        "codebuild" => codebuild::perform(world, request),
        "logs" => logs::perform(world, request),
        _ => Err(unknown_operation(request)),
    };
    let response = answer::write(request, &outcome, id);
    (response, outcome.err())
}

/// What stands between a request and its service: credentials, permissions, rates and mishaps.
fn admit(world: &mut World, request: &request::Request) -> Result<(), Fault> {
    let faults = &world.options.faults;
    let protocol = Protocol::of(&request.service);
    if faults.expired_tokens {
        let (status, code) = match protocol {
            Protocol::Json => (400, "ExpiredTokenException"),
            Protocol::Rest => (400, "ExpiredToken"),
            Protocol::Query { .. } => (403, "ExpiredToken"),
        };
        return Err(Fault::new(status, code, "The security token included in the request is expired"));
    }
    if is_denied(world, &request.service, &request.operation) {
        return Err(denied(request));
    }
    let faults = &world.options.faults;
    let (throttle, errors) = (faults.throttle, faults.server_errors);
    let over = world.options.throttling
        && !world.throttle.admits(&request.place, &request.service, &request.operation, world.now);
    if world.random.chance(throttle) || over {
        return Err(Fault::throttled(protocol));
    }
    if world.random.chance(errors) {
        let code = match protocol {
            Protocol::Rest => "InternalError",
            Protocol::Json => "InternalServerError",
            Protocol::Query { .. } => "InternalFailure",
        };
        return Err(Fault::new(500, code, "An internal error occurred"));
    }
    Ok(())
}

/// Whether callers may not use an operation.
pub(crate) fn is_denied(world: &World, service: &str, operation: &str) -> bool {
    world.options.faults.denied.iter().any(|(s, o)| s == service && o == operation)
}

pub(crate) fn denied(request: &request::Request) -> Fault {
    let (account, partition) = (&request.place.account, request.place.partition());
    let message = format!(
        "User: arn:{partition}:sts::{account}:assumed-role/simulated/session is not authorized to perform: {}:{}",
        request.service, request.operation
    );
    match Protocol::of(&request.service) {
        Protocol::Json => Fault::bad("AccessDeniedException", message),
        Protocol::Rest => Fault::new(403, "AccessDenied", "Access Denied"),
        Protocol::Query { .. } => Fault::new(403, "AccessDenied", message),
    }
}

/// The error for an operation that a service does not have, or that is not simulated.
pub(crate) fn unknown_operation(request: &request::Request) -> Fault {
    let (service, operation) = (&request.service, &request.operation);
    match Protocol::of(service) {
        Protocol::Query { .. } => Fault::bad(
            "InvalidAction",
            format!("Could not find operation {operation} of {service}: it is not simulated"),
        ),
        Protocol::Json => Fault::bad(
            "UnknownOperationException",
            format!("operation {operation} of {service} is not simulated"),
        ),
        Protocol::Rest => Fault::new(
            501,
            "NotImplemented",
            format!(
                "A header or operation you provided implies functionality that is not simulated: {operation}"
            ),
        ),
    }
}
