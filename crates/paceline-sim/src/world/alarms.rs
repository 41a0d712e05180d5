//! The alarms of CloudWatch: those that stacks create, and those that somebody else has created.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{AccountRegion, World};
use crate::alarm::AlarmState;

/// An alarm at the present time.
#[derive(Debug)]
pub(crate) struct SeenAlarm {
    pub(crate) composite: bool,
    pub(crate) state: AlarmState,
    pub(crate) since: Timestamp,
}

/// The alarms of a place, by name.
pub(crate) fn alarms(world: &World, place: &AccountRegion) -> BTreeMap<String, SeenAlarm> {
    let mut seen = BTreeMap::new();
    let stacks = world.regions.get(place).into_iter().flat_map(|region| region.stacks.values());
    for resource in stacks.flat_map(|stack| stack.resources.values()) {
        let composite = match resource.kind.as_str() {
            "AWS::CloudWatch::Alarm" => false,
            "AWS::CloudWatch::CompositeAlarm" => true,
            _ => continue,
        };
        if resource.applied && !resource.is_gone() {
            let state = AlarmState::InsufficientData;
            seen.insert(resource.physical.clone(), SeenAlarm { composite, state, since: resource.updated });
        }
    }
    for alarm in world.options.alarms.iter().filter(|alarm| alarm.is_in(&place.account, &place.region)) {
        if alarm.of_stack && !seen.contains_key(&alarm.name) {
            continue;
        }
        let before = seen.remove(&alarm.name);
        let (state, since) = (AlarmState::Ok, Timestamp::UNIX_EPOCH);
        let before = before.unwrap_or(SeenAlarm { composite: alarm.composite, state, since });
        let began = before.since;
        let changes = alarm.changes.iter().filter(|(at, _)| (began..=world.now).contains(at));
        let now =
            changes.fold(
                before,
                |seen, &(since, state)| {
                    if state == seen.state { seen } else { SeenAlarm { state, since, ..seen } }
                },
            );
        seen.insert(alarm.name.clone(), now);
    }
    seen
}
