//! The part of a plan that publishes assets.

use std::collections::{BTreeMap, BTreeSet};

use super::resume_key;
use crate::model::{Plan, Step, Work};

impl Plan {
    /// The plan that publishes this plan's assets, creates the repositories that `prewarm` asks for and that they go to, and
    /// does nothing else. An asset waits for nothing but such a repository: an asset for a bucket or a repository that a
    /// stack of the plan creates can only be published if that exists.
    #[must_use]
    pub fn publishing(self) -> Self {
        let is_asset = |step: &Step| matches!(step.work, Work::Publish(_));
        let needed: BTreeSet<usize> =
            self.steps.iter().filter(|step| is_asset(step)).flat_map(|step| step.needs.clone()).collect();
        let (mut steps, mut numbers) = (Vec::new(), BTreeMap::new());
        for (number, step) in self.steps.into_iter().enumerate() {
            let creates = matches!(step.work, Work::Prewarm(_)) && needed.contains(&number);
            if creates || is_asset(&step) {
                let needs = step.needs.iter().filter_map(|need| numbers.get(need).copied()).collect();
                // Assets do not wait for each other.
                if creates {
                    numbers.insert(number, steps.len());
                }
                steps.push(Step { needs, early_needs: Vec::new(), ..step });
            }
        }
        let mut plan = Self { steps, phases: Vec::new(), critical_path: Vec::new(), ..self };
        plan.resume_key = resume_key::of_derived(&plan, resume_key::Derived::Publishing, &plan.resume_key);
        plan
    }
}
