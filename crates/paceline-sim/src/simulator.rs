//! The public face of the simulator: requests go in, answers come out, and tests can look inside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::alarm::SimAlarm;
use crate::options::{Faults, SimOptions};
use crate::past::Past;
use crate::wire::{self, Protocol};
use crate::world::{
    AccountRegion, Call, Known, Message, StackSummary, StoredMetric, World, parameters, repositories,
};
use crate::{services, stack};

/// A simulated AWS. Clones are handles to the same simulator.
#[derive(Debug, Clone)]
pub struct Simulator {
    world: Arc<Mutex<World>>,
    past: Arc<Mutex<Past>>,
}

/// Marks a response whose request was executed, but which must not reach the client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lost;

impl Simulator {
    /// An AWS in which nothing has been deployed yet.
    pub fn new(options: SimOptions) -> Self {
        Self { world: Arc::new(Mutex::new(World::new(options))), past: Arc::default() }
    }

    /// Answers a request that arrives at `now`. Everything that is due by `now` happens first.
    pub fn handle(&self, request: Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        self.handle_logged(request, now).0
    }

    /// Answers like [`handle`](Self::handle), and returns a record of the call.
    pub fn handle_logged(&self, request: Request<Bytes>, now: Timestamp) -> (Response<Bytes>, Call) {
        let mut world = self.lock();
        stack::advance(&mut world, now);
        let id = world.random.uuid();
        let (call, mut response) = answer_to(&mut world, request, &id);
        let lost = world.options.faults.lost_replies;
        if response.status().is_success() && world.random.chance(lost) {
            response.extensions_mut().insert(Lost);
        }
        world.log(call.clone());
        self.past().keep(&mut world);
        (wire::dated(response, world.now), call)
    }

    /// Answers as if the request had come so long ago. A request that changes something is refused if it
    /// would have been refused then, and is carried out now otherwise: AWS too decides by what one of its
    /// servers knows.
    pub(crate) fn handle_as_of(
        &self,
        request: Request<Bytes>,
        now: Timestamp,
        age: Duration,
    ) -> (Response<Bytes>, Call) {
        let mut world = self.lock();
        stack::advance(&mut world, now);
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
        // Only what it says is old.
        (wire::dated(response, world.now), call)
    }

    /// Keeps the states of the world from now on, so that answers can reach this far into the past.
    pub(crate) fn remember(&self, reach: Duration) {
        let mut world = self.lock();
        self.past().remember(reach, &mut world);
    }

    /// Reads what a request asks for, without answering it. The status of the call is 0.
    pub(crate) fn read(&self, request: &Request<Bytes>, now: Timestamp) -> Call {
        let mut call = Call::unknown(now);
        let account = self.lock().options.account.clone();
        if let Ok(request) = services::read(request.clone(), &account) {
            describe(&mut call, &request);
        }
        call.status = 0;
        call
    }

    /// Every request so far, in order. If there were very many, only the latest.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Every stack, including deleted and nested ones, by account, region and name.
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

    /// What was put into CloudWatch, of every account and region.
    pub fn metrics(&self) -> Vec<StoredMetric> {
        let world = self.lock();
        world.regions.values().flat_map(|region| region.metrics.iter().cloned()).collect()
    }

    /// What was published to topics and put onto event buses, of every account and region.
    pub fn messages(&self) -> Vec<Message> {
        let world = self.lock();
        world.regions.values().flat_map(|region| region.messages.iter().cloned()).collect()
    }

    /// Advances the world to a time without a request.
    pub fn advance(&self, to: Timestamp) {
        stack::advance(&mut self.lock(), to);
    }

    /// The time at which the next thing is due. `None` if nothing is.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.lock().next_due()
    }

    /// Stores an SSM parameter, as if somebody had written it before the run.
    pub fn put_parameter(&self, account: &str, region: &str, name: &str, value: &str) {
        let mut world = self.lock();
        parameters::write(
            &mut world,
            &AccountRegion::new(account, region),
            name,
            &Known::said(value),
            "String",
        );
    }

    /// Gives a stack an alias, as if somebody had called `SetAlias`, which the SDK for Rust does not know
    /// yet. The error is CloudFormation's message.
    pub fn set_alias(&self, account: &str, region: &str, stack: &str, alias: &str) -> Result<(), String> {
        let mut world = self.lock();
        let given = services::give_alias(&mut world, &AccountRegion::new(account, region), stack, alias);
        given.map_err(|fault| fault.message)
    }

    /// Puts an image into a repository, as if it had been pushed.
    pub fn put_image(&self, account: &str, region: &str, repository: &str, tag: &str) {
        let mut world = self.lock();
        repositories::push(&mut world, &AccountRegion::new(account, region), repository, tag);
    }

    /// Creates a rule of EventBridge that starts builds of a project, as a template does: disabled, for all changes of the
    /// status of stacks.
    pub fn put_rule(&self, account: &str, region: &str, name: &str, project: &str) {
        let place = AccountRegion::new(account, region);
        services::put_rule(&mut self.lock(), &place, name, project);
    }

    /// Creates an alarm, as if somebody else had done that, or lets the state of one change.
    pub fn set_alarm(&self, alarm: SimAlarm) {
        let alarms = &mut self.lock().options.alarms;
        let key = |it: &SimAlarm| (it.name.clone(), it.account.clone(), it.region.clone());
        alarms.retain(|other| key(other) != key(&alarm));
        alarms.push(alarm);
    }

    /// Sets the faults that occur from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().options.faults = faults;
    }

    // If another thread panicked, its message is the one to see. A second panic here would hide it.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Code that locks both the world and the past locks the world first.
    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer_to(world: &mut World, request: Request<Bytes>, id: &str) -> (Call, Response<Bytes>) {
    let mut call = Call::unknown(world.now);
    let account = world.options.account.clone();
    let (response, fault) = match services::read(request, &account) {
        Err(fault) => (wire::identified(wire::write_fault(Protocol::Json, &fault, id), id), Some(fault)),
        Ok(request) => {
            describe(&mut call, &request);
            services::perform(world, &request, id)
        }
    };
    call.status = response.status().as_u16();
    call.error = fault.map(|fault| fault.code);
    (call, response)
}

/// Copies what a request asks for into the record of the call.
fn describe(call: &mut Call, request: &wire::Request) {
    call.service.clone_from(&request.service);
    call.operation.clone_from(&request.operation);
    call.account = request.place.account.to_string();
    call.as_role = request.as_role;
    call.region = request.place.region.to_string();
    call.host.clone_from(&request.host);
    call.stack = request.form.text("StackName").map(str::to_owned);
}
