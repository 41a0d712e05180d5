//! What disturbs a deployment: the weather of AWS, resources that fail, and mishaps of single calls.

use std::time::Duration;

use paceline_sim::{
    Calls, Durations, Failure, Faults, Mishap as Disturbance, Operation as ResourceOperation, Proxy,
    SimOptions, StaleReads,
};

use crate::app::{self, SLOW};
use crate::story::{Mishap, MishapKind, Story};

/// The age of an answer from the past.
const AGE: Duration = Duration::from_secs(20);

/// Arranges the mishaps of calls to a service, counted from now on.
pub(crate) fn arrange(proxy: &Proxy, service: &str, mishaps: &[Mishap]) {
    for mishap in mishaps {
        let calls = Calls::to(service).from(mishap.call).times(mishap.times);
        proxy.on(calls, disturbance(mishap.kind));
    }
}

pub(crate) fn options(story: &Story) -> SimOptions {
    let mut durations = Durations::typical();
    for (place, stack) in story.stacks.iter().enumerate() {
        for operation in [ResourceOperation::Create, ResourceOperation::Update, ResourceOperation::Delete] {
            let kind = format!("{SLOW}{place}");
            durations = durations.with(&kind, operation, Duration::from_secs(stack.seconds));
        }
    }
    SimOptions { seed: story.seed, durations, ..SimOptions::default() }
}

pub(crate) fn faults(story: &Story) -> Faults {
    let chance = |percent: u8| f64::from(percent) / 100.0;
    let weather = &story.weather;
    let failing = story.stacks.iter().enumerate().filter(|(_, stack)| stack.fails > 0);
    let failures = failing.map(|(place, stack)| failure(place, stack.fails));
    Faults {
        failures: failures.collect(),
        throttle: chance(weather.throttled),
        lost_replies: chance(weather.lost_replies),
        server_errors: chance(weather.server_errors),
        stale_reads: (weather.stale > 0)
            .then(|| StaleReads { probability: 0.3, up_to: Duration::from_secs(weather.stale) }),
        unpropagated_roles_fail: weather.roles_fail,
        ..Faults::default()
    }
}

/// A resource that fails so many times.
pub(crate) fn failure(place: usize, times: u32) -> Failure {
    Failure {
        stack: app::name(place),
        logical_id: "Slow".to_owned(),
        operation: None,
        reason: "it is broken".to_owned(),
        times,
    }
}

pub(crate) fn disturbance(kind: MishapKind) -> Disturbance {
    match kind {
        MishapKind::NeverAnswered => Disturbance::never_answered(),
        MishapKind::NeverArrived => Disturbance::never_answered().request_lost(),
        MishapKind::Reset => Disturbance::reset(),
        MishapKind::WebPage => Disturbance::html(),
        MishapKind::HalfAnAnswer => Disturbance::truncated(),
        MishapKind::BadGateway => Disturbance::bad_gateway(),
        MishapKind::Throttled => Disturbance::throttled(),
        MishapKind::Expired => Disturbance::request_expired(),
        MishapKind::FromThePast => Disturbance::from_the_past(AGE),
    }
}
