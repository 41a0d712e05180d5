//! The alarms of CloudWatch: those that stacks create, and those that somebody else has created.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{AccountRegion, World};

/// An alarm that no stack creates, or what happens to one that a stack creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimAlarm {
    /// The name.
    pub name: String,
    /// The account. `None` means every account.
    pub account: Option<String>,
    /// The region. `None` means every region.
    pub region: Option<String>,
    /// Whether it is a composite alarm.
    pub composite: bool,
    /// Whether it exists only while a stack has it.
    pub of_stack: bool,
    /// When its state changes. Before the first change it is `OK`.
    pub changes: Vec<(Timestamp, AlarmState)>,
}

impl SimAlarm {
    /// An alarm that exists in every account and region, and stays `OK`.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            account: None,
            region: None,
            composite: false,
            of_stack: false,
            changes: Vec::new(),
        }
    }

    /// The same alarm, whose state changes at this time.
    #[must_use]
    pub fn at(mut self, time: Timestamp, state: AlarmState) -> Self {
        self.changes.push((time, state));
        self
    }

    fn is_in(&self, place: &AccountRegion) -> bool {
        let is = |own: &Option<String>, other: &str| own.as_deref().is_none_or(|own| own == other);
        is(&self.account, &place.account) && is(&self.region, &place.region)
    }
}

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// Within its threshold.
    Ok,
    /// Outside of its threshold.
    Alarm,
    /// It has just begun, or has no data.
    InsufficientData,
}

impl AlarmState {
    pub(crate) const ALL: [Self; 3] = [Self::Ok, Self::Alarm, Self::InsufficientData];

    /// The word of CloudWatch.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

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
    for alarm in world.options.alarms.iter().filter(|alarm| alarm.is_in(place)) {
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
