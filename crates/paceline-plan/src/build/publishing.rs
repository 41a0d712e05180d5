//! The part of a plan that publishes assets.

use super::resume_key;
use crate::model::{Plan, Step, Work};

impl Plan {
    /// The plan that publishes this plan's assets and does nothing else. Nothing is waited for: an asset for a bucket or a
    /// repository that a stack of the plan creates can only be published if that exists.
    #[must_use]
    pub fn publishing(self) -> Self {
        let is_asset = |step: &Step| matches!(step.work, Work::Publish(_));
        let steps = self.steps.into_iter().filter(is_asset);
        let steps = steps.map(|step| Step { needs: Vec::new(), early_needs: Vec::new(), ..step }).collect();
        let mut plan = Self { steps, phases: Vec::new(), critical_path: Vec::new(), ..self };
        plan.resume_key = resume_key::of_publishing(&plan, &plan.resume_key);
        plan
    }
}
