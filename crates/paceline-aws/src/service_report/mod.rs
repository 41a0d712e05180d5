//! What a service says about a resource that hangs or has failed.
//!
//! CloudFormation only says that the resource is not ready. The service behind it knows why. To add a service, implement
//! [`TellsWhy`] in a file of its own, and add it to [`ALL`].
//!
//! An answer is never needed: a call that is refused or that fails is a sentence in the message, and nothing more.

mod auto_scaling;
mod calls;
mod ecs;
mod lambda;
mod rds;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use paceline_assembly::{Stack, Template};
use paceline_engine::event::{ServiceReason, ServiceReport};
use paceline_text::secrets::redacted;
use paceline_text::{cut, one_line};

use self::calls::Calls;
use crate::environment::Environment;
use crate::error::{AwsError, ErrorKind};
use crate::session::Sessions;
use crate::target::Target;

/// The services that can be asked.
const ALL: [&dyn TellsWhy; 5] =
    [&ecs::Ecs, &auto_scaling::AutoScaling, &rds::Rds::Instance, &rds::Rds::Cluster, &lambda::Lambda];
/// The time for all calls about a resource.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most reasons of a report.
const MOST_REASONS: usize = 3;
/// The most columns of a reason.
const LONGEST_REASON: usize = 300;

/// A service that knows why its resources are not ready.
trait TellsWhy: Sync {
    /// Whether it knows resources of this type.
    fn is_about(&self, resource_type: &str) -> bool;

    /// The name of the service, for people.
    fn name(&self) -> &'static str;

    /// Whether enough is known of a resource to ask about it.
    fn can_tell(&self, subject: Subject<'_>) -> bool {
        !subject.physical_id.is_empty()
    }

    /// Asks about a resource.
    fn ask<'a>(&'a self, calls: Calls, subject: Subject<'a>) -> BoxFuture<'a, Result<Said, AwsError>>;
}

/// A resource of a stack.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject<'a> {
    /// The id of the stack, which may be a nested one.
    pub(crate) stack: &'a str,
    /// The template of that stack, if the app has it.
    pub(crate) template: Option<&'a Template>,
    pub(crate) logical_id: &'a str,
    pub(crate) resource_type: &'a str,
    pub(crate) physical_id: &'a str,
    /// When its operation began, if that is known. What was before says nothing about it.
    pub(crate) since: Option<Timestamp>,
    /// Whether CloudFormation still waits for it.
    pub(crate) is_waited_for: bool,
}

/// What a service says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    state: Option<String>,
    reasons: Vec<ServiceReason>,
    /// Why a part of the answer is missing.
    unread: Option<AwsError>,
}

/// The services of which it is known that the run may not ask them, with their environments.
#[derive(Debug, Default)]
pub(crate) struct Refused(Mutex<BTreeSet<(Target, &'static str)>>);

impl Refused {
    fn has(&self, target: &Target, name: &'static str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(target.clone(), name))
    }

    /// Returns whether this is news.
    fn add(&self, target: &Target, name: &'static str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((target.clone(), name))
    }
}

/// Asks services about the resources of a stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Questions<'a> {
    pub(crate) refused: &'a Refused,
    pub(crate) sessions: &'a Sessions,
    pub(crate) environment: &'a Environment,
    pub(crate) stack: &'a Stack,
}

impl Questions<'_> {
    /// Asks the service of a resource. `None` if it has nothing to say, or if no service of [`ALL`] has such resources. If
    /// the service may not be asked, only the first report of the run says so.
    pub(crate) async fn ask(&self, subject: Subject<'_>) -> Option<ServiceReport> {
        let asked = ALL.iter().find(|asked| asked.is_about(subject.resource_type))?;
        let (name, target) = (asked.name(), &self.environment.target);
        if !asked.can_tell(subject) || self.refused.has(target, name) {
            return None;
        }
        let empty = || ServiceReport { name: name.to_owned(), ..ServiceReport::default() };
        let not_asked = |why| Some(ServiceReport { not_asked: Some(why), ..empty() });
        match tokio::time::timeout(PATIENCE, Box::pin(self.by_each(*asked, subject))).await {
            Ok(Ok(Said { state, reasons, unread })) => {
                let is_news = state.is_some() || !reasons.is_empty();
                let not_asked = unread.as_ref().map(told);
                is_news.then(|| ServiceReport { state, reasons, not_asked, ..empty() })
            }
            Ok(Err(error)) if error.kind == ErrorKind::Denied && !self.refused.add(target, name) => None,
            Ok(Err(error)) => not_asked(told(&error)),
            Err(_) => not_asked("there was no answer in time".to_owned()),
        }
    }

    /// Asks with the lookup role, which may read everything. If it may not be used, asks with the credentials of the run,
    /// and then with the deploy role. Each of them may be the only one that is allowed to ask.
    async fn by_each(&self, asked: &dyn TellsWhy, subject: Subject<'_>) -> Result<Said, AwsError> {
        let target = &self.environment.target;
        let (mut refusal, mut part) = (None, None);
        for who in [Asker::LookupRole, Asker::Run, Asker::DeployRole] {
            let answer = match self.config(who).await {
                None => continue,
                Some(Err(error)) => Err(error),
                Some(Ok(config)) => {
                    let caller = self.sessions.caller(target);
                    asked.ask(Calls::new(config, target, &caller), subject).await
                }
            };
            match answer {
                Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::Refused) => {
                    refusal.get_or_insert(error);
                }
                // Others may be allowed to ask for all.
                Ok(said) if said.unread.is_some() => {
                    part.get_or_insert(said);
                }
                answer => return answer,
            }
        }
        part.ok_or_else(|| {
            refusal.unwrap_or_else(|| AwsError::setup("there are no credentials for this account"))
        })
    }

    /// The configuration with these credentials. `None` if the stack names no such role, or if the credentials are those of
    /// another account.
    async fn config(&self, who: Asker) -> Option<Result<SdkConfig, AwsError>> {
        let target = &self.environment.target;
        match who {
            Asker::LookupRole => {
                let role = self.stack.lookup_role.as_ref()?;
                Some(self.sessions.assume(Some(role), target).await)
            }
            Asker::Run => match self.sessions.account().await {
                Ok(account) if account == target.account => Some(self.sessions.assume(None, target).await),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            },
            Asker::DeployRole => {
                self.stack.deploy_role.as_ref()?;
                Some(Ok(self.environment.config.clone()))
            }
        }
    }
}

/// Whose credentials ask.
#[derive(Debug, Clone, Copy)]
enum Asker {
    LookupRole,
    Run,
    DeployRole,
}

/// An error with the call that it is about.
fn told(error: &AwsError) -> String {
    match &error.place {
        Some(place) => format!("{place}: {error}"),
        None => error.to_string(),
    }
}

/// What a report says, as a part of a message.
pub(crate) fn sentence(report: &ServiceReport) -> Option<String> {
    let ServiceReport { name, state, reasons, not_asked } = report;
    let reason = |it: &ServiceReason| match it.count {
        0 | 1 => it.reason.clone(),
        count => format!("{} ({count} times)", it.reason),
    };
    let said: Vec<String> = state.iter().cloned().chain(reasons.iter().map(reason)).collect();
    let said = said.join("; ");
    match (said.is_empty(), not_asked) {
        (true, None) => None,
        (true, Some(why)) => Some(format!("{name} could not be asked why: {why}")),
        (false, None) => Some(format!("{name} says: {said}")),
        (false, Some(why)) => Some(format!("{name} says: {said} (it could not be asked for more: {why})")),
    }
}

/// The first distinct reasons, each with its count. The newest come first.
fn distinct_reasons(newest_first: impl IntoIterator<Item = String>) -> Vec<ServiceReason> {
    let mut all: Vec<ServiceReason> = Vec::new();
    for reason in newest_first {
        // A secret that is cut in two would not be recognised later.
        let reason = cut(redacted(&one_line(&reason)).trim(), LONGEST_REASON);
        match all.iter_mut().find(|known| known.reason == reason) {
            Some(known) => known.count += 1,
            None => all.push(ServiceReason { reason, count: 1 }),
        }
    }
    all.truncate(MOST_REASONS);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_newest_distinct_reasons_are_counted() {
        let reasons = ["a", "b", "a", "c\nd", "e", "b", "a"].map(str::to_owned);
        let reasons = distinct_reasons(reasons);
        let report = ServiceReport { name: "Amazon ECS".to_owned(), reasons, ..ServiceReport::default() };
        assert_eq!(sentence(&report).unwrap(), "Amazon ECS says: a (3 times); b (2 times); c d");
        let long = distinct_reasons(["x".repeat(5000)]).remove(0).reason;
        assert!(long.chars().count() <= LONGEST_REASON, "{}", long.len());
    }

    #[test]
    fn a_secret_is_hidden_before_a_reason_is_cut() {
        for length in 250..LONGEST_REASON {
            let reason = format!("{} https://me:hunter2hunter2@example.com", "x".repeat(length));
            let [ServiceReason { reason, .. }] = &distinct_reasons([reason])[..] else {
                panic!("one reason")
            };
            assert!(!reason.contains("hunt"), "{reason}");
        }
    }
}
