//! The alarms of a rollout's first region: which there are before the run, and who may read them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use paceline_assembly::{Role, Stack, Template};
use paceline_engine::{Ended, Outcome, StepContext};
use paceline_plan::{AlarmPattern, Bake, Plan};

use super::Aws;
use crate::alarms::{Alarm, AlarmReader};
use crate::error::AwsError;
use crate::gates::{OldAlarms, Triggered, Watch, no_alarm, triggered, unknown};
use crate::stack::EventLog;
use crate::target::Target;

/// The types of resources that are alarms.
const ALARMS: [&str; 2] = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"];
/// No operation takes longer. A stack whose last one began before that has not changed since.
const LONGEST_OPERATION: SignedDuration = SignedDuration::from_hours(24);

/// Operations with a longer pause between them are of different deployments.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// The time from the start of operations to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    began: Timestamp,
    ended: Timestamp,
}

/// What stands in the way of watching the alarms, and what a person should know about them.
#[derive(Debug, Default)]
pub(super) struct AlarmCheck {
    pub(super) errors: Vec<AwsError>,
    pub(super) notes: Vec<String>,
}

impl Aws {
    /// Reads the alarms of the first region before the run. A name that means none of them is an error, unless a stack of
    /// that region may create the alarm.
    pub(super) async fn check_alarms(&self, plan: &Plan) -> AlarmCheck {
        let Some(bake) = plan.bake() else { return AlarmCheck::default() };
        let alarms = match Box::pin(self.read_alarms(plan, bake)).await {
            Ok(alarms) => alarms,
            Err(error) => return AlarmCheck { errors: vec![error], ..AlarmCheck::default() },
        };
        let missing = unknown(bake, &alarms)
            .filter(|pattern| !self.first_stacks(plan, bake).any(|it| may_create(it, pattern)));
        let errors = missing.map(|pattern| no_alarm(pattern, bake)).collect();
        let old: BTreeSet<Triggered> = alarms
            .iter()
            .filter(|(_, it)| it.is_triggered)
            .map(|(target, it)| triggered(target, it))
            .collect();
        let note = |(target, name, since): &Triggered| {
            let since = since.map(|since| format!(" since {since:.0}")).unwrap_or_default();
            format!(
                "the alarm {name} in {target} is in ALARM{since} already, before this process has changed anything"
            )
        };
        let notes = old.iter().map(note).collect();
        let _ = self.triggered_before.set(old);
        AlarmCheck { errors, notes }
    }

    async fn read_alarms(&self, plan: &Plan, bake: &Bake) -> Result<Vec<(Target, Alarm)>, AwsError> {
        let mut alarms = Vec::new();
        for reader in Box::pin(self.alarm_readers(plan, bake)).await? {
            let read = reader.read(bake).await?.alarms;
            alarms.extend(read.into_values().map(|alarm| (reader.target.clone(), alarm)));
        }
        Ok(alarms)
    }

    /// Watches the alarms after the stacks of the first region.
    pub(super) async fn bake(&self, context: &StepContext, bake: &Bake) -> Result<Ended, AwsError> {
        if context.was_done_earlier() {
            return Ok(Ended::new(Outcome::Unchanged).with_detail("watched before the interruption"));
        }
        let plan = context.plan();
        let readers = Box::pin(self.alarm_readers(plan, bake)).await?;
        let mut before = self.triggered_before.get().cloned().unwrap_or_default();
        let now = time_of_aws(&readers, bake).await;
        if let Some(began) = context.began_earlier() {
            // What went off since the run began counts, even if this process has found it in ALARM. The clock here may
            // have been wrong all the time, or since.
            let ahead = now.map_or(SignedDuration::ZERO, |now| now.duration_since(context.now()));
            let began = began.min(began.saturating_add(ahead).unwrap_or(began));
            before.retain(|(_, _, since)| since.is_some_and(|since| since < began));
        }
        let mut watch = Watch { bake, readers, time: bake.time, old: OldAlarms::Before(&before) };
        if context.is_after_nothing_new()
            && let Some(now) = now
            && let Some(last) = Box::pin(self.last_deployment(plan, bake, now)).await
        {
            let age = Duration::try_from(now.duration_since(last.ended)).unwrap_or_default();
            watch.time = bake.time.saturating_sub(age);
            watch.old = OldAlarms::Until(last.began);
        }
        watch.run(context).await
    }

    /// The last deployment of the first region. `None` if that is not known of each stack. `now` is the time by the
    /// clock of AWS.
    async fn last_deployment(&self, plan: &Plan, bake: &Bake, now: Timestamp) -> Option<Span> {
        let operations = self.first_stacks(plan, bake).map(|stack| async move {
            let environment = self.environment(stack).await.ok()?;
            let view = environment.poller.glance(&stack.name).await.ok()??;
            let times = view.stamp.split('/').filter_map(|time| time.parse::<Timestamp>().ok());
            let began = times.max()?;
            if now.duration_since(began) > LONGEST_OPERATION {
                return Some(Span { began, ended: began });
            }
            let changes = EventLog::default().read(environment, &view.id).await.ok()?;
            let ended = changes.iter().filter(|change| change.of_stack).map(|change| change.at).max()?;
            Some(Span { began, ended })
        });
        last_of(join_all(operations).await.into_iter().collect::<Option<Vec<Span>>>()?)
    }

    /// The stacks of the first region.
    fn first_stacks<'a>(&'a self, plan: &'a Plan, bake: &'a Bake) -> impl Iterator<Item = &'a Stack> {
        let stacks = plan.stacks.iter().filter(|stack| stack.region.as_ref() == Some(&bake.region));
        stacks.filter_map(|planned| self.assembly.stack(&planned.id))
    }

    /// A reader of the alarms in each account that has stacks in the first region.
    async fn alarm_readers(&self, plan: &Plan, bake: &Bake) -> Result<Vec<AlarmReader>, AwsError> {
        let mut accounts: BTreeMap<Target, Vec<&Stack>> = BTreeMap::new();
        for stack in self.first_stacks(plan, bake) {
            accounts.entry(self.target(stack).await?).or_default().push(stack);
        }
        let mut readers = Vec::with_capacity(accounts.len());
        for (target, stacks) in accounts {
            let lookup = stacks.iter().find_map(|stack| stack.lookup_role.as_ref());
            let deploy = stacks.iter().find_map(|stack| stack.deploy_role.as_ref());
            let config = self.reading_alarms(&target, lookup, deploy).await?;
            let caller = self.sessions.caller(&target);
            readers.push(AlarmReader::new(target, config, &caller));
        }
        Ok(readers)
    }

    /// The lookup role may read everything. Where there is none, or it cannot be assumed, the credentials of the run are
    /// used in their own account, and the deploy role in another one.
    async fn reading_alarms(
        &self,
        target: &Target,
        lookup: Option<&Role>,
        deploy: Option<&Role>,
    ) -> Result<aws_config::SdkConfig, AwsError> {
        if let Some(role) = lookup
            && let Ok(config) = self.sessions.assume(Some(role), target).await
        {
            return Ok(config);
        }
        let is_ours = target.account == self.sessions.account().await?;
        self.sessions.assume(deploy.filter(|_| !is_ours), target).await
    }
}

/// The time, by the clock of AWS, as the alarms and the events of stacks have it. `None` if it cannot be read.
async fn time_of_aws(readers: &[AlarmReader], bake: &Bake) -> Option<Timestamp> {
    readers.first()?.read(bake).await.ok()?.at
}

/// The operations that belong to the last deployment: those that follow each other without a long pause.
fn last_of(mut operations: Vec<Span>) -> Option<Span> {
    operations.sort_by_key(|operation| std::cmp::Reverse(operation.ended));
    let (first, earlier) = operations.split_first()?;
    let follows = |began: Timestamp, before: &Span| began.duration_since(before.ended) <= LONGEST_PAUSE;
    let mut last = *first;
    for operation in earlier {
        if !follows(last.began, operation) {
            break;
        }
        last.began = last.began.min(operation.began);
    }
    Some(last)
}

/// Whether a stack may create an alarm with such a name.
fn may_create(stack: &Stack, pattern: &AlarmPattern) -> bool {
    let templates =
        std::iter::once(&stack.template).chain(stack.nested.iter().map(|nested| &nested.template));
    templates.into_iter().any(|template: &Template| {
        let resolver = template.resolver();
        let alarms = template.resources().filter(|(_, it)| ALARMS.contains(&it.resource_type));
        alarms.into_iter().any(|(_, alarm)| {
            let name = alarm.properties.and_then(|properties| properties.get("AlarmName"));
            let name = name.and_then(|name| resolver.resolve(name).known());
            // CloudFormation makes up a name that is not given.
            name.is_none_or(|name| pattern.is_match(&name))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(began: i64, ended: i64) -> Span {
        let minute = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        Span { began: minute(began), ended: minute(ended) }
    }

    #[test]
    fn operations_without_a_long_pause_are_one_deployment() {
        assert_eq!(last_of(vec![]), None);
        assert_eq!(last_of(vec![span(100, 110), span(90, 95), span(10, 20)]), Some(span(90, 110)));
        // The second one runs while both others run.
        assert_eq!(last_of(vec![span(100, 110), span(80, 105), span(70, 81)]), Some(span(70, 110)));
        assert_eq!(last_of(vec![span(0, 0), span(100, 110)]), Some(span(100, 110)));
    }
}
