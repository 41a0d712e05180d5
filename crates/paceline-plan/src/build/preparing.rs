//! The plan that prepares a deployment. It publishes assets and makes change sets, and changes no stack.

use std::time::Duration;

use super::resume_key;
use crate::model::{Basis, EarlyNeed, Plan, Step, Work};

/// How long it takes to make a change set, for the forecast.
const CHANGE_SET: Duration = Duration::from_secs(10);

impl Plan {
    /// The plan without the steps that publish images.
    #[must_use]
    pub fn without_images(&self) -> Self {
        let mut numbers: Vec<Option<usize>> = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        for step in &self.steps {
            if matches!(&step.work, Work::Publish(publish) if publish.image) {
                numbers.push(None);
                continue;
            }
            numbers.push(Some(steps.len()));
            let needs = step.needs.iter().filter_map(|&need| numbers[need]).collect();
            let early = step
                .early_needs
                .iter()
                .filter_map(|early| Some(EarlyNeed { need: numbers[early.need]?, ..early.clone() }));
            steps.push(Step { needs, early_needs: early.collect(), ..step.clone() });
        }
        Self { steps, ..self.clone() }
    }

    /// The plan that prepares this one: every stack starts at once, after the files that its change set needs. Images are
    /// published beside that. Gates, commands and syntheses belong to the deployment, and so do assets that wait for a
    /// stack.
    #[must_use]
    pub fn preparing(&self) -> Self {
        let mut numbers: Vec<Option<usize>> = vec![None; self.steps.len()];
        let mut steps: Vec<Step> = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let is_image = |need: usize| matches!(&self.steps[need].work, Work::Publish(it) if it.image);
            let kept = match step.work {
                Work::Publish(_) if step.needs.iter().all(|&need| numbers[need].is_some()) => Step {
                    needs: step.needs.iter().filter_map(|&need| numbers[need]).collect(),
                    ..step.clone()
                },
                Work::Deploy { .. } => {
                    let files = step.needs.iter().filter(|&&need| {
                        matches!(self.steps[need].work, Work::Publish(_)) && !is_image(need)
                    });
                    Step {
                        needs: files.filter_map(|&need| numbers[need]).collect(),
                        early_needs: Vec::new(),
                        expected: CHANGE_SET,
                        expected_from: Basis::Default,
                        ..step.clone()
                    }
                }
                _ => continue,
            };
            // No publish step may wait for a stack here.
            let waits = kept.needs.iter().any(|&need| matches!(steps[need].work, Work::Deploy { .. }));
            if !waits {
                numbers[number] = Some(steps.len());
                steps.push(kept);
            }
        }
        let mut plan = Self { steps, prepares: true, ..self.clone() };
        plan.find_critical_path();
        plan.resume_key = resume_key::of_derived(&plan, resume_key::Derived::Preparation, &self.resume_key);
        plan
    }
}
