//! The rollout of a plan, for people and for programs.

use std::collections::BTreeSet;

use paceline_config::OnAlarm;
use paceline_text::documented;

use super::wording::show_duration;
use crate::model::{Bake, Plan};

documented! {
    /// The rollout: one region first, then the others.
    struct RolloutOf<'a> {
        /// The region that is deployed first.
        first: &'a str,
        /// How long its alarms are watched before the others follow, in seconds.
        bake_s: u64,
        /// The names of the alarms, or patterns with * and ?.
        alarms: Vec<&'a str>,
        /// The other regions.
        then: Vec<&'a str>,
        /// What an alarm does: stop or rollback.
        on_alarm: &'static str,
    }
}

impl<'a> RolloutOf<'a> {
    pub(super) fn of(plan: &'a Plan) -> Option<Self> {
        let Bake { region, time, alarms, on_alarm } = plan.bake()?;
        Some(Self {
            first: region,
            bake_s: time.as_secs(),
            alarms: alarms.iter().map(|alarm| alarm.0.as_str()).collect(),
            then: others(plan, region).into_iter().collect(),
            on_alarm: on_alarm.as_str(),
        })
    }
}

/// Which region comes first, what is watched then, and what follows.
pub(super) fn rollout(plan: &Plan) -> Option<String> {
    let bake = plan.bake()?;
    let alarm = match bake.on_alarm {
        OnAlarm::Stop => "stops the run",
        OnAlarm::Rollback => "stops the run and rolls it back",
    };
    Some(format!(
        "{} first; then its alarms {} are watched for {}; then {}. An alarm {alarm}",
        bake.region,
        bake.alarms_shown(),
        show_duration(bake.time),
        others(plan, &bake.region).into_iter().collect::<Vec<_>>().join(", ")
    ))
}

/// The regions that follow the first one.
fn others<'a>(plan: &'a Plan, first: &str) -> BTreeSet<&'a str> {
    let regions = plan.stacks.iter().filter_map(|stack| stack.region.as_deref());
    regions.filter(|region| *region != first).collect()
}
