//! The settings of a simulated AWS: its accounts, its habits and its faults.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use paceline_plan::durations::{Durations, ResourceOperation as Operation};
use paceline_plan::stack_time::STACK_OVERHEAD;

use crate::alarm::SimAlarm;

/// The settings of a [`Simulator`](crate::Simulator).
#[derive(Debug, Clone)]
pub struct SimOptions {
    /// The seed of all randomness. The same seed and the same requests give the same answers.
    pub seed: u64,
    /// The account of credentials that no `AssumeRole` handed out.
    pub account: String,
    /// The bootstrap state of every environment that `environments` does not name.
    pub bootstrap: Bootstrap,
    /// The bootstrap state of single environments, by account and region. It takes precedence over
    /// `bootstrap`.
    pub environments: BTreeMap<(String, String), Bootstrap>,
    /// The container images that the bootstrap repositories hold.
    pub images: Images,
    /// Whether a repository that no stack created exists anyway, with every image, as if somebody else had
    /// created it. If false, a resource that runs an image of such a repository fails.
    pub foreign_repositories: bool,
    /// Parameters that somebody else has stored, by name. They exist in every region. A parameter without a
    /// value gets a made-up one.
    pub foreign_parameters: BTreeMap<String, Option<String>>,
    /// Names of secrets that are missing until a stack creates them. Every other secret exists, as if
    /// somebody else had created it.
    pub missing_secrets: BTreeSet<String>,
    /// The alarms that somebody else has created, and when alarms go off. An alarm that a stack creates has no data at
    /// first.
    pub alarms: Vec<SimAlarm>,
    /// The ids that accounts can have.
    pub accounts: Accounts,
    /// Whether the files and images that a resource names must exist: a function fails without its code.
    pub check_assets: bool,
    /// How long the credentials of an assumed role count.
    pub sessions: Sessions,
    /// Whether the documented API rates are enforced.
    pub throttling: bool,
    /// The most calls of CloudFormation that are answered in a second in each account and region, whatever they
    /// are. `None` if only the rates of single operations limit them.
    pub calls_per_second: Option<f64>,
    /// How many times the documented API rates are admitted. More than 1 is an account whose rates AWS has raised.
    pub rate_factor: f64,
    /// The number of entries on a page of a list.
    pub page_size: usize,
    /// The time for which a new or changed role stays invisible to readers.
    pub iam_lag: RangeInclusive<Duration>,
    /// The largest deviation of a resource's duration from the typical one: 0.2 means up to a fifth more or
    /// less.
    pub jitter: f64,
    /// The time that a stack operation takes before its first resource, and again after its last.
    pub stack_overhead: Duration,
    /// The time that the creation of a change set takes. Large change sets take a little longer.
    pub change_set: Duration,
    /// The number of resources that may be in concurrent stack operations, as `DescribeAccountLimits` reports
    /// it.
    pub concurrent_resources: u32,
    /// The number of stacks that an account may have in a region, as `DescribeAccountLimits` reports it.
    pub stacks: u32,
    /// The largest object, in bytes, whose content is kept. Of larger objects, only the size is kept.
    pub keep_objects_up_to: usize,
    /// The times that resource operations take.
    pub durations: Durations,
    /// The time that the commands of a build take, which is the length of its `BUILD` phase.
    pub build: Duration,
    /// The faults that occur.
    pub faults: Faults,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            account: "111111111111".to_owned(),
            bootstrap: Bootstrap::Version(30),
            environments: BTreeMap::new(),
            images: Images::Present,
            foreign_repositories: true,
            foreign_parameters: BTreeMap::new(),
            missing_secrets: BTreeSet::new(),
            alarms: Vec::new(),
            accounts: Accounts::OfTwelveDigits,
            check_assets: true,
            sessions: Sessions::Endless,
            throttling: true,
            calls_per_second: None,
            rate_factor: 1.0,
            page_size: 100,
            iam_lag: Duration::from_secs(1)..=Duration::from_secs(8),
            jitter: 0.0,
            stack_overhead: STACK_OVERHEAD / 2,
            change_set: Duration::from_secs(3),
            concurrent_resources: 2_500,
            stacks: 2_000,
            keep_objects_up_to: 2 << 20,
            durations: Durations::typical(),
            build: Duration::from_mins(8),
            faults: Faults::default(),
        }
    }
}

impl SimOptions {
    pub(crate) fn bootstrap_of(&self, account: &str, region: &str) -> Bootstrap {
        self.environments
            .iter()
            .find(|((a, r), _)| a == account && r == region)
            .map_or(self.bootstrap, |(_, bootstrap)| *bootstrap)
    }
}

/// Whether an environment has been bootstrapped for the CDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrap {
    /// Bootstrapped, with this version of the bootstrap template.
    Version(u32),
    /// Not bootstrapped: no version parameter, no bucket, no repository, and none of the bootstrap's roles.
    Missing,
}

impl Bootstrap {
    pub(crate) fn is_there(self) -> bool {
        matches!(self, Self::Version(_))
    }
}

/// The ids that accounts can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accounts {
    /// Ids of twelve digits, as AWS assigns them.
    OfTwelveDigits,
    /// Ids of any number of digits: example apps use shorter ones.
    OfAnyLength,
}

/// How long the credentials of an assumed role count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// Always: the clients have clocks of their own.
    Endless,
    /// For the time for which they were handed out.
    Ending,
}

/// The images that the bootstrap repositories hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images {
    /// Every image exists already, whatever its tag.
    Present,
    /// Only images that were pushed exist.
    Absent,
}

/// The faults that occur. By default there are none.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Resources that fail.
    pub failures: Vec<Failure>,
    /// The probability that a request is throttled, whatever its rate.
    pub throttle: f64,
    /// The probability that a request is executed but its answer gets lost.
    pub lost_replies: f64,
    /// The probability of an internal error, before anything is done.
    pub server_errors: f64,
    /// Resources that hang.
    pub hanging: Vec<Hanging>,
    /// Reads of stacks that answer from the past.
    pub stale_reads: Option<StaleReads>,
    /// The probability that a role which is already visible is not found once more.
    pub iam_flaps: f64,
    /// Whether a resource fails when it uses a role of another stack that is not visible yet.
    pub unpropagated_roles_fail: bool,
    /// Operations that the caller is not allowed to use, such as `("cloudformation", "ListStacks")`.
    pub denied: Vec<(String, String)>,
    /// Whether every credential has expired.
    pub expired_tokens: bool,
    /// Whether the commands of builds fail.
    pub builds_fail: bool,
    /// What the validation of change sets finds.
    pub findings: Vec<ValidationFinding>,
}

/// A finding of the validation of a change set.
#[derive(Debug, Clone)]
pub struct ValidationFinding {
    /// The name of the stack.
    pub stack: String,
    /// The name of the check, such as `PROPERTY_VALIDATION`.
    pub check: String,
    /// Whether the change set fails because of it.
    pub fails: bool,
    /// The reason that CloudFormation reports.
    pub reason: String,
    /// The place in the template, such as `/Resources/Table/Properties/KeySchema`.
    pub path: String,
}

/// A resource that fails.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The name of the resource's stack.
    pub stack: String,
    /// The logical id of the resource.
    pub logical_id: String,
    /// The operation that fails. `None` means creation and update.
    pub operation: Option<Operation>,
    /// The reason that CloudFormation reports.
    pub reason: String,
    /// The number of times that the resource fails before it succeeds.
    pub times: u32,
}

/// A resource that never becomes ready, so that CloudFormation waits for long and then gives up. Its creations and updates
/// hang; the return to its previous state does not.
#[derive(Debug, Clone)]
pub struct Hanging {
    /// The name of the resource's stack.
    pub stack: String,
    /// The logical id of the resource.
    pub logical_id: String,
    /// The reasons why its service cannot make it ready, in turn: why the tasks of an ECS service stop, why the instances
    /// of an Auto Scaling group cannot be launched, the events of a database, or the errors in the log of the function
    /// behind a custom resource, which never answers.
    pub reasons: Vec<String>,
    /// How long CloudFormation waits. For an ECS service, public reports say three hours.
    pub patience: Duration,
}

/// Reads that answer from the past.
#[derive(Debug, Clone, Copy)]
pub struct StaleReads {
    /// The probability that a read is stale.
    pub probability: f64,
    /// The greatest age of a stale answer.
    pub up_to: Duration,
}
