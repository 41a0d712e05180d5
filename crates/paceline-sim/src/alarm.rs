//! An alarm of CloudWatch in the settings of a simulated AWS.

use jiff::Timestamp;

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

    /// Whether it exists in this account and region.
    pub(crate) fn is_in(&self, account: &str, region: &str) -> bool {
        let is = |own: &Option<String>, other: &str| own.as_deref().is_none_or(|own| own == other);
        is(&self.account, account) && is(&self.region, region)
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
