//! What a rule proposes: advice, and the plan with the change made.

use std::time::Duration;

use super::input::AdviceInput;
use super::remedy::Remedy;
use crate::model::Plan;

/// A change that would shorten the run, and by how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What to do.
    pub remedy: Remedy,
    /// By how much the run would be shorter.
    pub saves: Duration,
    /// Whether that is the most that can be saved, and how much will be depends on what is done.
    pub at_most: bool,
    /// The stack to change; none for what is about all of them.
    pub stack: Option<String>,
    /// The resource in its template, where it is about one.
    pub logical_id: Option<String>,
    /// The ids of other stacks that are nearly the same, and need the same change.
    pub also_in: Vec<String>,
}

impl Advice {
    /// What kind of advice it is, such as `unused-edge`.
    pub fn code(&self) -> &'static str {
        self.remedy.code()
    }
}

/// A change that a rule proposes.
pub(super) struct Proposal<'s> {
    pub(super) advice: Advice,
    /// The stack it is about.
    pub(super) stack: Option<usize>,
    pub(super) change: PlanChange<'s>,
    pub(super) bar: Bar,
}

/// Changes a plan.
pub(super) type PlanChange<'s> = Box<dyn Fn(&mut Plan) + 's>;

/// What a proposal has to be worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bar {
    /// Something.
    Low,
    /// More than what its rule proposed before.
    BeyondItsRule,
    /// A lot, being work; and more than what was proposed for the stack before.
    High,
}

impl<'s> Proposal<'s> {
    /// A proposal about a stack.
    pub(super) fn about(
        input: &AdviceInput<'_>,
        stack: usize,
        remedy: Remedy,
        change: impl Fn(&mut Plan) + 's,
    ) -> Self {
        let mut proposal = Self::about_all(remedy, change);
        proposal.advice.stack = Some(input.id(stack).to_owned());
        Self { stack: Some(stack), ..proposal }
    }

    /// A proposal about the plan as a whole.
    pub(super) fn about_all(remedy: Remedy, change: impl Fn(&mut Plan) + 's) -> Self {
        let (saves, also_in) = (Duration::ZERO, Vec::new());
        let advice = Advice { remedy, saves, at_most: false, stack: None, logical_id: None, also_in };
        Self { advice, stack: None, change: Box::new(change), bar: Bar::Low }
    }

    /// It is about one resource of the stack.
    pub(super) fn of_resource(mut self, logical_id: &str) -> Self {
        self.advice.logical_id = Some(logical_id.to_owned());
        self
    }

    /// The saving is the most that can be had.
    pub(super) fn at_most(mut self) -> Self {
        self.advice.at_most = true;
        self
    }

    /// What it has to be worth.
    pub(super) fn with_bar(self, bar: Bar) -> Self {
        Self { bar, ..self }
    }
}
