//! What a stack reads from elsewhere, and whether that has changed: see [`paceline_assembly::Inputs`].
//!
//! A template may be the same although a parameter in Parameter Store or an output of another stack has another value. So a
//! stack is unchanged only if these values are the same, too. Their digest is a part of the stack's record
//! ([`records`](crate::records)). No value of a secret parameter is read: its version stands for it.
//!
//! The decision about a stack is made when everything that it waits for is complete. As long as the run has changed nothing,
//! values that were read a moment ago count. So a run over unchanged stacks reads all parameters of an environment at once.

mod parameters;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use paceline_assembly::{Environment as Place, Inputs, Stack, StackOutput};
use paceline_text::hex;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

pub(crate) use self::parameters::NAMES;
use self::parameters::Parameters;
use crate::environment::{Environment, StackView, find};
use crate::error::AwsError;
use crate::session::Sessions;
use crate::target::Target;

/// Values that were read in this time count as current, while the run has changed nothing.
const FRESH: Duration = Duration::from_secs(10);

/// The account and region, and the ARN of the role that reads.
type ReaderKey = (Target, Option<String>);

/// The readers of a run.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    parameters: Mutex<BTreeMap<ReaderKey, Arc<Parameters>>>,
    has_acted: AtomicBool,
}

impl Readers {
    /// Notes that the run may change something from now on. Values that were read earlier do not count any more.
    pub(crate) fn has_acted(&self) {
        self.has_acted.store(true, Ordering::Relaxed);
    }

    fn how(&self) -> How {
        if self.has_acted.load(Ordering::Relaxed) { How::WithOthers } else { How::Recent }
    }

    /// The reader of the parameters in an environment. `names` are the parameters that its stacks will probably read.
    async fn parameters(
        &self,
        sessions: &Sessions,
        stack: &Stack,
        target: &Target,
        names: impl FnOnce() -> BTreeSet<String>,
    ) -> Result<Arc<Parameters>, AwsError> {
        let key = (target.clone(), stack.lookup_role.as_ref().map(|role| role.arn.clone()));
        let known = || self.parameters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parameters) = known().get(&key) {
            return Ok(Arc::clone(parameters));
        }
        let config = sessions.reading(stack.lookup_role.as_ref(), target).await?;
        let caller = sessions.caller(target);
        let make = || Arc::new(Parameters::new(&config, &caller, names()));
        Ok(Arc::clone(known().entry(key).or_insert_with(make)))
    }
}

/// The environments of a run, by account, region and the ARN of the deploy role.
pub(crate) type Environments = BTreeMap<(Target, Option<String>), Arc<Environment>>;

/// Finds out what one stack reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StackInputs<'a> {
    pub(crate) readers: &'a Arc<Readers>,
    pub(crate) sessions: &'a Sessions,
    pub(crate) environments: &'a Environments,
    pub(crate) target: &'a Target,
    pub(crate) stack: &'a Stack,
    /// All stacks of the run.
    pub(crate) stacks: &'a [Stack],
}

impl StackInputs<'_> {
    /// What the stack reads with these parameters. A parameter that is not among them keeps the value that the stack has.
    pub(crate) fn names(&self, given: &BTreeMap<String, String>, view: Option<&StackView>) -> Inputs {
        let mut values: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (name, value) in view.iter().flat_map(|view| &view.values) {
            // CloudFormation shows no values of secret parameters.
            values.insert(name.clone(), Some(value.clone()).filter(|_| !self.stack.template.is_secret(name)));
        }
        values.extend(given.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
        self.stack.inputs(&place(self.target), values)
    }

    /// Where these inputs of the stack are read.
    pub(crate) async fn open(&self, inputs: Inputs) -> Result<Sources, AwsError> {
        let parameters = if inputs.parameters.is_empty() {
            None
        } else {
            let names = || self.probable_names();
            Some(self.readers.parameters(self.sessions, self.stack, self.target, names).await?)
        };
        let environments = inputs.outputs.iter().filter_map(|output| self.environment_of(output)).collect();
        Ok(Sources { inputs, parameters, environments, readers: Arc::clone(self.readers) })
    }

    /// The parameters that the stacks read which use the same reader.
    fn probable_names(&self) -> BTreeSet<String> {
        let stack = self.stack;
        let role = |stack: &Stack| stack.lookup_role.as_ref().map(|role| role.arn.clone());
        let same = |it: &&Stack| it.environment == stack.environment && role(it) == role(stack);
        let read = |it: &Stack| {
            let given = it.parameters.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
            it.inputs(&place(self.target), given.collect()).parameters
        };
        self.stacks.iter().filter(same).flat_map(read).collect()
    }

    /// The environment in which an output is read.
    fn environment_of(&self, output: &StackOutput) -> Option<(StackOutput, Arc<Environment>)> {
        let region = output.region.as_ref().unwrap_or(&self.target.region);
        let there = self
            .environments
            .iter()
            .filter(|((target, _), _)| target.account == self.target.account && target.region == *region);
        // If several roles deploy there, the one whose plan has the stack sees it in its polls.
        let found = there.max_by_key(|(_, environment)| environment.poller.has(&output.stack));
        found.map(|(_, environment)| (output.clone(), Arc::clone(environment)))
    }
}

fn place(target: &Target) -> Place {
    Place { account: Some(target.account.clone()), region: Some(target.region.clone()) }
}

/// Where the inputs of a stack are read.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    inputs: Inputs,
    /// `None` if the stack reads no parameters.
    parameters: Option<Arc<Parameters>>,
    environments: Vec<(StackOutput, Arc<Environment>)>,
    readers: Arc<Readers>,
}

/// The values of a stack's inputs at one time, as digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Values {
    /// The digest of the values. It is empty for a stack that reads nothing.
    pub(crate) digest: String,
    /// The first thing that the stack reads and that is not there, such as `the parameter /a`.
    pub(crate) missing: Option<String>,
    /// Changes also if a value is written again, or is being written.
    state: String,
}

/// Why the values of a stack's inputs are not known.
#[derive(Debug)]
pub(crate) enum Unknown {
    /// A name is only known at deployment, or the other stack is in an environment that is not of this run.
    Name,
    /// They cannot be read.
    Error(AwsError),
}

impl Sources {
    /// The present values.
    pub(crate) async fn read(&self) -> Result<Values, Unknown> {
        self.read_as(self.readers.how()).await
    }

    /// Whether the values are what they were, and have been so in between.
    pub(crate) async fn are_still(&self, values: &Values) -> bool {
        self.read_as(How::AtOnce).await.is_ok_and(|now| now == *values)
    }

    /// Returns true for the first error of its kind in the run.
    pub(crate) fn is_news(&self) -> bool {
        self.parameters.as_ref().is_none_or(|parameters| parameters.report_once())
    }

    async fn read_as(&self, how: How) -> Result<Values, Unknown> {
        if self.inputs.has_unknown || self.environments.len() < self.inputs.outputs.len() {
            return Err(Unknown::Name);
        }
        let now = Instant::now();
        let since = if how == How::Recent { now.checked_sub(FRESH) } else { Some(now) };
        let mut facts = Facts::default();
        if let Some(parameters) = &self.parameters {
            let found = parameters.read(&self.inputs.parameters, since).await.map_err(Unknown::Error)?;
            for (name, stored) in found {
                if let Some(stored) = stored {
                    facts.add(&["parameter", &name, &stored.value], &stored.version);
                } else {
                    facts.add(&["no parameter", &name], "");
                    facts.lack(|| format!("the parameter {name}"));
                }
            }
        }
        for (output, environment) in &self.environments {
            let view = look(environment, &output.stack, how).await.map_err(Unknown::Error)?;
            let StackOutput { stack, output, region } = output;
            let region = region.as_deref().unwrap_or_default();
            if let Some(view) = view {
                let value = view.outputs.get(output).map_or("", String::as_str);
                let is_there = if view.outputs.contains_key(output) { "output" } else { "no output" };
                // While the other stack changes, its outputs are never what they were.
                let is_stable = view.status.has_succeeded() || view.status.is_cleaning_up();
                let now = if is_stable { None } else { Some(Instant::now()) };
                let state = format!("{} {} {now:?}", view.id, view.stamp);
                facts.add(&[is_there, region, stack, output, value], &state);
                if !view.outputs.contains_key(output) {
                    facts.lack(|| format!("the output {output} of {stack}"));
                }
            } else {
                facts.add(&["no stack", region, stack], "");
                facts.lack(|| format!("the output {output} of {stack}"));
            }
        }
        Ok(facts.into_values())
    }
}

/// How values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Those that were read a moment ago count.
    Recent,
    /// From now on, together with what others read.
    WithOthers,
    /// Now, without a wait for the next poll.
    AtOnce,
}

/// The state of another stack.
async fn look(environment: &Environment, name: &str, how: How) -> Result<Option<StackView>, AwsError> {
    match how {
        How::Recent if environment.poller.has(name) => environment.poller.glance(name).await,
        How::WithOthers if environment.poller.has(name) => environment.poller.look(name).await,
        _ => find(environment, name).await,
    }
}

/// Collects values and their states in digests.
#[derive(Default)]
struct Facts {
    values: Sha256,
    states: Sha256,
    is_any: bool,
    missing: Option<String>,
}

impl Facts {
    /// Notes what is not there.
    fn lack(&mut self, what: impl FnOnce() -> String) {
        self.missing.get_or_insert_with(what);
    }

    fn add(&mut self, value: &[&str], state: &str) {
        self.is_any = true;
        self.values.update(value.len().to_le_bytes());
        for part in value {
            self.values.update(part.len().to_le_bytes());
            self.values.update(part);
        }
        self.states.update(state.len().to_le_bytes());
        self.states.update(state);
    }

    fn into_values(self) -> Values {
        let digest = if self.is_any { hex(&self.values.finalize()) } else { String::new() };
        Values { digest, missing: self.missing, state: hex(&self.states.finalize()) }
    }
}
