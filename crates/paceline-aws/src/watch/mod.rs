//! Watches stacks that somebody else deploys: it changes nothing.
//!
//! In each environment, the poller sees the statuses, and the events of the stacks in progress are read one after
//! another, those first whose status has changed.

mod follow;
mod progress;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_config::SdkConfig;
use futures_util::future::{join_all, select_all};
use jiff::Timestamp;
use paceline_assembly::{ResourceStatus, Stack, StackStatus};
use paceline_engine::event::Cause;
use paceline_text::distinct;
use tokio::sync::mpsc;

use self::follow::follow;
use crate::environment::{Environment, Interest};
use crate::error::{AwsError, PreflightError};
use crate::sdk::Wire;
use crate::session::Sessions;
use crate::target::Target;

/// A stack that is watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchedStack {
    /// Its CloudFormation name.
    pub name: String,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
}

/// A change of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedResource {
    /// Its logical id.
    pub logical_id: String,
    /// Such as `AWS::IAM::Role`.
    pub resource_type: String,
    /// Its new status.
    pub status: ResourceStatus,
    /// The reason that CloudFormation gives, if any.
    pub reason: Option<String>,
    /// When it happened, by CloudFormation's clock.
    pub at: Timestamp,
}

/// Something that happened to a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackNews {
    /// The stack is not there, or nothing of it is: only a change set has been made.
    Absent(WatchedStack),
    /// An operation on it has begun, or was in progress at the first look.
    Began {
        /// The stack.
        stack: WatchedStack,
        /// Its id.
        id: String,
        /// Its status.
        status: StackStatus,
        /// When the operation began, if its events tell.
        since: Option<Timestamp>,
    },
    /// A resource has changed.
    Resource(WatchedStack, WatchedResource),
    /// The operation goes on in another status: it is being rolled back, or cleaned up.
    Turned(WatchedStack, StackStatus),
    /// No operation is in progress any more, or none was at the first look.
    Settled {
        /// The stack.
        stack: WatchedStack,
        /// Its status.
        status: StackStatus,
        /// Whether it was settled at the first look.
        at_first: bool,
        /// Why the last operation failed, if it did.
        cause: Option<Cause>,
    },
    /// The events of the stack cannot be read, so that only its status is known.
    Unreadable(WatchedStack, String),
}

/// Tells whether a stack of this name is watched.
type Matches = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The stacks of an environment that are watched.
enum Wanted {
    /// Stacks with these names, whether or not they are there.
    Names(Vec<String>),
    /// All stacks that are there and match.
    Matching(Matches),
}

/// Stacks to watch, in any environments.
pub struct Watching {
    places: Vec<(Arc<Environment>, Wanted)>,
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watching").field("places", &self.places.len()).finish_non_exhaustive()
    }
}

impl Watching {
    /// The stacks with these names in each of these regions, with the base credentials. Without a region, in that of the
    /// environment or the profile.
    pub async fn named(wire: &Wire, regions: &[String], names: &[String]) -> Result<Self, PreflightError> {
        Box::pin(Self::in_regions(wire, regions, || Wanted::Names(names.to_vec()))).await
    }

    /// The stacks that match, as they come and go. Needs the right to list stacks.
    pub async fn matching(
        wire: &Wire,
        regions: &[String],
        matches: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Self, PreflightError> {
        let matches: Matches = Arc::new(matches);
        Box::pin(Self::in_regions(wire, regions, || Wanted::Matching(Arc::clone(&matches)))).await
    }

    async fn in_regions(
        wire: &Wire,
        regions: &[String],
        wanted: impl Fn() -> Wanted,
    ) -> Result<Self, PreflightError> {
        let sessions = Sessions::among(wire, regions.iter().map(|region| Some(region.as_str()))).await?;
        let account = sessions.account().await?.to_owned();
        let here = [sessions.region()];
        let regions = if regions.is_empty() { &here[..] } else { regions };
        let mut places = Vec::new();
        for region in distinct(regions) {
            let target = Target { account: account.clone(), region: region.clone() };
            let config = sessions.assume(None, &target).await?;
            places.push(place(&sessions, target, &config, wanted()));
        }
        Ok(Self { places })
    }

    /// Stacks of an assembly, each in its environment. They are read with their lookup roles, which may read everything;
    /// where such a role cannot be assumed, with the base credentials.
    pub async fn stacks(wire: &Wire, stacks: &[&Stack]) -> Result<Self, PreflightError> {
        let sessions = Sessions::for_stacks(wire, stacks.iter().copied()).await?;
        let mut by_target: BTreeMap<Target, Vec<&Stack>> = BTreeMap::new();
        for stack in stacks {
            by_target.entry(sessions.target(stack).await?).or_default().push(stack);
        }
        let mut places = Vec::new();
        for (target, stacks) in by_target {
            let role = stacks.iter().find_map(|stack| stack.lookup_role.as_ref());
            let config = match sessions.assume(role, &target).await {
                Err(_) if role.is_some() => sessions.assume(None, &target).await?,
                config => config?,
            };
            let names = stacks.iter().map(|stack| stack.name.clone()).collect();
            places.push(place(&sessions, target, &config, Wanted::Names(names)));
        }
        Ok(Self { places })
    }

    /// The stacks that are watched by name, whether or not they are there.
    pub fn named_stacks(&self) -> Vec<WatchedStack> {
        let of_place = |(environment, wanted): &(Arc<Environment>, Wanted)| match wanted {
            Wanted::Names(names) => names.iter().map(|name| watched(&environment.target, name)).collect(),
            Wanted::Matching(_) => Vec::new(),
        };
        self.places.iter().flat_map(of_place).collect()
    }

    /// The regions, each once.
    pub fn regions(&self) -> Vec<String> {
        let regions = self.places.iter().map(|(environment, _)| environment.target.region.as_str());
        distinct(regions).into_iter().map(str::to_owned).collect()
    }

    /// Watches until this is dropped, and gives all news to `hear`. `None` is given once: when every stack has been looked
    /// at. Returns only what stands in the way.
    pub async fn follow(self, mut hear: impl FnMut(Option<StackNews>)) -> AwsError {
        let (sender, mut news) = mpsc::unbounded_channel();
        let (mut firsts, mut all) = (Vec::new(), Vec::new());
        for (environment, wanted) in &self.places {
            let (first, looked) = tokio::sync::oneshot::channel();
            firsts.push(looked);
            all.push(Box::pin(follow(environment, wanted, sender.clone(), first)));
        }
        if all.is_empty() {
            return AwsError::setup("there is no stack to watch");
        }
        let mut first = Box::pin(join_all(firsts));
        let mut all = select_all(all);
        let mut is_first = true;
        loop {
            tokio::select! {
                biased;
                Some(news) = news.recv() => hear(Some(news)),
                _ = &mut first, if is_first => {
                    is_first = false;
                    hear(None);
                }
                (error, _, _) = &mut all => return error,
            }
        }
    }
}

fn place(
    sessions: &Sessions,
    target: Target,
    config: &SdkConfig,
    wanted: Wanted,
) -> (Arc<Environment>, Wanted) {
    let interest = match &wanted {
        Wanted::Names(names) => Interest::Names(names.iter().cloned().collect()),
        Wanted::Matching(_) => Interest::All,
    };
    let caller = sessions.caller(&target);
    (Environment::interested_in(interest, target, config, caller), wanted)
}

fn watched(target: &Target, name: &str) -> WatchedStack {
    WatchedStack { name: name.to_owned(), account: target.account.clone(), region: target.region.clone() }
}
