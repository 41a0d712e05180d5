//! The bake: the alarms of the first region are watched until the time is over or one is found that went off.
//!
//! An alarm that goes off and returns between two polls is not seen.
//! A poll that fails says nothing about an alarm. So the bake ends well only with a poll of every account that was sent
//! after its time. An answer can also be older than one before it. It counts as it is dated: by the time of the alarm's
//! last change of state.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use paceline_config::OnAlarm;
use paceline_engine::event::Cause;
use paceline_engine::{Ended, Outcome, StepContext};
use paceline_plan::{AlarmPattern, Bake};
use paceline_text::{count, first_few};
use tokio::time::Instant;

use crate::alarms::{Alarm, AlarmReader};
use crate::error::AwsError;
use crate::target::Target;

/// The pause between two polls.
const EVERY: Duration = Duration::from_secs(15);
/// For so long the alarms may be unreadable. After that, nobody knows what they say, and the run is interrupted.
const PATIENCE: Duration = Duration::from_mins(10);
/// A new alarm may not be visible at once. After this time, a name without an alarm is wrong.
const VISIBLE_AFTER: Duration = Duration::from_mins(1);
/// So many alarms are named.
const NAMED: usize = 5;

/// An alarm that is in ALARM, with the time when it went off. If it goes off again, that is another one.
pub(crate) type Triggered = (Target, String, Option<Timestamp>);

/// Watches the alarms of a region.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    pub(crate) bake: &'a Bake,
    /// One for each account.
    pub(crate) readers: Vec<AlarmReader>,
    /// How long they are watched.
    pub(crate) time: Duration,
    pub(crate) old: OldAlarms<'a>,
}

/// Which alarms have gone off without the run, so that they do not count.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OldAlarms<'a> {
    /// Those that were in ALARM before the run.
    Before(&'a BTreeSet<Triggered>),
    /// Those that went off before this time.
    Until(Timestamp),
}

impl OldAlarms<'_> {
    fn has(&self, triggered: &Triggered) -> bool {
        match self {
            Self::Before(known) => known.contains(triggered),
            Self::Until(time) => triggered.2.is_some_and(|since| since < *time),
        }
    }
}

/// What one poll of all accounts has found.
#[derive(Debug, Default)]
struct Poll {
    alarms: Vec<(Target, Alarm)>,
    error: Option<AwsError>,
}

impl Watch<'_> {
    pub(crate) async fn run(&self, context: &StepContext) -> Result<Ended, AwsError> {
        let started = Instant::now();
        let mut states: BTreeMap<(Target, String), Option<Timestamp>> = BTreeMap::new();
        let mut named = false;
        let mut unread: Option<Instant> = None;
        loop {
            let asked = Instant::now();
            let poll = self.poll().await;
            let alarms = latest(&poll.alarms, &mut states);
            let (old, triggered): (Vec<_>, Vec<_>) = alarms
                .into_iter()
                .filter(|(_, alarm)| alarm.is_triggered)
                .partition(|(target, alarm)| self.old.has(&triggered(target, alarm)));
            if !triggered.is_empty() {
                return Ok(self.failed(triggered, context.run()));
            }
            if let Some(error) = poll.error {
                if unread.is_none() {
                    context.warn(format!("the alarms cannot be read, and are asked for again: {error}"));
                }
                if unread.get_or_insert(asked).elapsed() >= PATIENCE {
                    return Err(error);
                }
            } else {
                unread = None;
                if !named && !old.is_empty() {
                    named = true;
                    let names = first_few(old.iter().map(|(_, alarm)| alarm.name.clone()), NAMED);
                    context.warn(format!(
                        "in ALARM since before the run, so that it counts only if it goes off again: {names}"
                    ));
                }
                let is_over = asked.duration_since(started) >= self.time;
                match unknown(self.bake, &poll.alarms).next() {
                    None if is_over => return Ok(self.passed(&poll.alarms)),
                    Some(pattern) if started.elapsed() >= VISIBLE_AFTER => {
                        return Err(no_alarm(pattern, self.bake));
                    }
                    _ => {}
                }
            }
            let left = self.time.saturating_sub(started.elapsed());
            tokio::time::sleep(if left.is_zero() { EVERY } else { EVERY.min(left) }).await;
        }
    }

    async fn poll(&self) -> Poll {
        let reads =
            self.readers.iter().map(|reader| async { (&reader.target, reader.read(self.bake).await) });
        let mut poll = Poll::default();
        for (target, read) in join_all(reads).await {
            match read {
                Ok(reading) => {
                    poll.alarms.extend(reading.alarms.into_values().map(|alarm| (target.clone(), alarm)));
                }
                Err(error) => poll.error = poll.error.or(Some(error)),
            }
        }
        poll
    }

    fn passed(&self, alarms: &[(Target, Alarm)]) -> Ended {
        let watched = count(alarms.len(), "alarm");
        let detail = match self.old {
            OldAlarms::Until(_) if self.time < self.bake.time => {
                format!(
                    "{watched} watched, none went off; the time since the last change of {} counts as bake time",
                    self.bake.region
                )
            }
            _ => format!("{watched} watched, none went off"),
        };
        Ended::new(Outcome::Deployed).with_detail(detail)
    }

    /// The alarm that went off first is the cause.
    fn failed(&self, mut triggered: Vec<(&Target, &Alarm)>, run: &str) -> Ended {
        triggered.sort_by_key(|(target, alarm)| (alarm.since.is_none(), alarm.since, &alarm.name, *target));
        let (target, alarm) = triggered[0];
        let since = alarm.since.map(|since| format!(" since {since:.0}")).unwrap_or_default();
        let others = first_few(triggered[1..].iter().map(|(_, alarm)| alarm.name.clone()), NAMED);
        let more = if others.is_empty() { others } else { format!("; also in ALARM: {others}") };
        let region = &self.bake.region;
        let hint = match self.bake.on_alarm {
            OnAlarm::Stop => format!(
                "{region} stays as the run has deployed it, and no other region is deployed: repair it and deploy \
                 again, or restore it with `paceline rollback {run}`"
            ),
            OnAlarm::Rollback => {
                "no other region is deployed, and the run is rolled back: repair it and deploy again"
                    .to_owned()
            }
        };
        Ended::failed(Cause {
            at: Some(Cause::of_alarm(&alarm.name)),
            message: format!("in ALARM{since} in {target}: {}{more}", alarm.reason),
            hint: Some(hint),
            ..Cause::default()
        })
    }
}

/// The alarms of a poll without those whose state is older than a state that was read before.
fn latest<'p>(
    alarms: &'p [(Target, Alarm)],
    states: &mut BTreeMap<(Target, String), Option<Timestamp>>,
) -> Vec<(&'p Target, &'p Alarm)> {
    let mut latest = Vec::new();
    for (target, alarm) in alarms {
        let known = states.entry((target.clone(), alarm.name.clone())).or_default();
        if alarm.since >= *known {
            *known = alarm.since;
            latest.push((target, alarm));
        }
    }
    latest
}

pub(crate) fn triggered(target: &Target, alarm: &Alarm) -> Triggered {
    (target.clone(), alarm.name.clone(), alarm.since)
}

/// The names that mean none of the alarms.
pub(crate) fn unknown<'b>(
    bake: &'b Bake,
    alarms: &[(Target, Alarm)],
) -> impl Iterator<Item = &'b AlarmPattern> {
    bake.alarms.iter().filter(|pattern| !alarms.iter().any(|(_, alarm)| pattern.is_match(&alarm.name)))
}

/// The error of a name that means no alarm.
pub(crate) fn no_alarm(pattern: &AlarmPattern, bake: &Bake) -> AwsError {
    let message =
        format!("no alarm in {} is called `{}`, so that nothing would be watched", bake.region, pattern.0);
    AwsError::setup(message).hint("correct `rollout.alarms` in paceline.yaml, or create the alarm")
}
