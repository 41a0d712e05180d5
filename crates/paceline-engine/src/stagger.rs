//! Decides when a stack operation is sent that would be throttled by others.
//!
//! Some services take few requests a second ([`paceline_plan::ThrottledService`]). Operations that create or delete
//! resources of such a service at the same time throttle each other. So an operation is held back while the
//! operations that were sent before it occupy the service, if that does not make the run longer. An operation without
//! slack is never held back.

use std::collections::HashMap;
use std::time::Duration;

use paceline_plan::{Plan, ThrottledService};
use tokio::time::Instant;

/// A service in an account, and in a region unless its rate counts in all of them.
type Place = (ThrottledService, Option<String>, Option<String>);

/// The services whose rates are low, and how long they are occupied.
#[derive(Debug)]
pub(crate) struct Stagger {
    /// By step, the services that its operation uses, and how long it occupies each.
    loads: Vec<Vec<(Place, Duration)>>,
    /// The time until which each service is occupied.
    occupied: HashMap<Place, Instant>,
}

impl Stagger {
    pub(crate) fn new(plan: &Plan) -> Self {
        let of_step = |step: &paceline_plan::Step| {
            let Some(stack) = step.work.changes().filter(|_| !plan.prepares) else { return Vec::new() };
            let stack = &plan.stacks[stack];
            let place = |service: ThrottledService| {
                let region = stack.region.clone().filter(|_| !service.is_global());
                (service, stack.account.clone(), region)
            };
            stack.api_loads.iter().map(|(&service, &load)| (place(service), load)).collect()
        };
        Self { loads: plan.steps.iter().map(of_step).collect(), occupied: HashMap::new() }
    }

    /// The time until which the services that a step uses are occupied. `None` if all of them are free.
    pub(crate) fn occupied(&self, step: usize) -> Option<Instant> {
        let until = self.loads[step].iter().filter_map(|(place, _)| self.occupied.get(place).copied());
        until.max().filter(|until| *until > Instant::now())
    }

    /// Notes that the operation of a step is sent now.
    pub(crate) fn sends(&mut self, step: usize) {
        let now = Instant::now();
        for (place, load) in &self.loads[step] {
            let until = self.occupied.entry(place.clone()).or_insert(now);
            *until = (*until).max(now) + *load;
        }
    }
}
