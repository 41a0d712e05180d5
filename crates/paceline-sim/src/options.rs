//! What a simulated AWS is like: its accounts, its habits and its faults.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use paceline_plan::durations::{Durations, ResourceOperation as Operation};
use paceline_plan::stack_time::STACK_OVERHEAD;

/// The settings of a [`Simulator`](crate::Simulator).
#[derive(Debug, Clone)]
pub struct SimOptions {
    /// Repeats a run: the same seed and the same requests give the same answers.
    pub seed: u64,
    /// The account of credentials that no `AssumeRole` handed out.
    pub account: String,
    /// Whether environments have been bootstrapped for the CDK.
    pub bootstrap: Bootstrap,
    /// Exceptions from `bootstrap`, by account and region.
    pub environments: BTreeMap<(String, String), Bootstrap>,
    /// Which container images the bootstrap repositories hold.
    pub images: Images,
    /// Whether a repository that no stack has created is there all the same, with every image, because
    /// somebody else made it. Without, what runs an image of one fails.
    pub foreign_repositories: bool,
    /// Parameters that somebody else has stored, in every region, by name; without a value, one is made up.
    pub foreign_parameters: BTreeMap<String, Option<String>>,
    /// Secrets that are not there until a stack makes them, by name. Every other one is there, because somebody else
    /// made it.
    pub missing_secrets: BTreeSet<String>,
    /// Which ids can be those of accounts.
    pub accounts: Accounts,
    /// Whether resources need the files and images they name: a function fails without its code.
    pub check_assets: bool,
    /// Whether the documented API rates are enforced.
    pub throttling: bool,
    /// How many entries a page of a list has.
    pub page_size: usize,
    /// How long a new or changed role stays invisible to readers.
    pub iam_lag: RangeInclusive<Duration>,
    /// How far a resource's duration strays from the typical one: 0.2 means up to a fifth either way.
    pub jitter: f64,
    /// What a stack operation takes before its first and after its last resource.
    pub stack_overhead: Duration,
    /// What the creation of a change set takes; large ones take a little longer.
    pub change_set: Duration,
    /// How many resources may be in concurrent stack operations, as `DescribeAccountLimits` tells.
    pub concurrent_resources: u32,
    /// How many stacks an account may have in a region, as `DescribeAccountLimits` tells.
    pub stacks: u32,
    /// Objects up to this size keep their bytes; of larger ones only the size is known.
    pub keep_objects_up_to: usize,
    /// How long resource operations take.
    pub durations: Durations,
    /// How long the phase of a build takes in which its commands run.
    pub build: Duration,
    /// What goes wrong.
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
            accounts: Accounts::OfTwelveDigits,
            check_assets: true,
            throttling: true,
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

/// Whether `cdk bootstrap` was run in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrap {
    /// It was, with this version of the bootstrap template.
    Version(u32),
    /// It was not: no version parameter, no bucket, no repository, and none of its roles.
    Missing,
}

impl Bootstrap {
    pub(crate) fn is_there(self) -> bool {
        matches!(self, Self::Version(_))
    }
}

/// Which ids can be those of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accounts {
    /// Those of twelve digits, as AWS gives them.
    OfTwelveDigits,
    /// Any number: example apps have shorter ones.
    OfAnyLength,
}

/// Which images the bootstrap repositories hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images {
    /// Every image is already there, whatever its tag.
    Present,
    /// Only what was put there.
    Absent,
}

/// What goes wrong. By default, nothing.
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
    /// Reads of stacks that answer from the past.
    pub stale_reads: Option<StaleReads>,
    /// The probability that a role which is already visible is not found once more.
    pub iam_flaps: f64,
    /// Resources of one stack fail when they use a role of another before it is visible.
    pub unpropagated_roles_fail: bool,
    /// Operations that the caller may not use, as `("cloudformation", "ListStacks")`.
    pub denied: Vec<(String, String)>,
    /// Every credential has expired.
    pub expired_tokens: bool,
    /// The commands of builds fail.
    pub builds_fail: bool,
}

/// A resource that fails.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The name of its stack.
    pub stack: String,
    /// Its logical id.
    pub logical_id: String,
    /// The operation that fails; none means creation and update.
    pub operation: Option<Operation>,
    /// What CloudFormation gives as the reason.
    pub reason: String,
    /// How often it fails before it works.
    pub times: u32,
}

/// Reads that answer from the past.
#[derive(Debug, Clone, Copy)]
pub struct StaleReads {
    /// How likely a read is stale.
    pub probability: f64,
    /// How old its answer may be.
    pub up_to: Duration,
}
