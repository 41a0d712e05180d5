//! The rollout of a plan, for people and for programs.

use std::collections::BTreeSet;

use paceline_config::OnAlarm;
use serde::Serialize;

use super::wording::show_duration;
use crate::model::{AlarmPattern, Bake, Plan};

/// The rollout of a plan, in the plan for programs.
#[derive(Serialize)]
pub(super) struct RolloutOf<'a> {
    first: &'a str,
    bake_s: u64,
    alarms: &'a [AlarmPattern],
    then: BTreeSet<&'a str>,
    on_alarm: OnAlarm,
}

impl<'a> RolloutOf<'a> {
    pub(super) fn of(plan: &'a Plan) -> Option<Self> {
        let Bake { region, time, alarms, on_alarm } = plan.bake()?;
        let (then, on_alarm) = (others(plan, region), *on_alarm);
        Some(Self { first: region, bake_s: time.as_secs(), alarms, then, on_alarm })
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
