//! Changes of a plan that rules propose: a stack is split in two, or phases order nothing any more.

use std::time::Duration;

use crate::model::{Basis, Plan, Reason, Step, Work};

/// How a stack falls into two.
#[derive(Debug)]
pub(in crate::outlook) struct Split<'a> {
    /// The stack.
    pub(in crate::outlook) stack: usize,
    /// How long the part takes that keeps its place.
    pub(in crate::outlook) kept: Duration,
    /// How long the part takes that is split off.
    pub(in crate::outlook) off: Duration,
    /// Whether the part that is split off waits for the one that stays.
    pub(in crate::outlook) off_waits: bool,
    /// The stacks that wait for both, of those that waited for the stack.
    pub(in crate::outlook) wait_for_both: &'a [usize],
}

impl Plan {
    /// Splits something off a stack that others need not wait for.
    pub(in crate::outlook) fn split_off(&mut self, split: &Split<'_>) {
        let (Some(deploys), Some(&last)) = (self.deploy_step(split.stack), self.steps_of(split.stack).last())
        else {
            return;
        };
        self.set_expected(split.stack, split.kept);
        let mut needs = self.steps[deploys].needs.clone();
        needs.extend(split.off_waits.then_some(deploys));
        let off = self.insert_part(last + 1, split.stack, split.off, needs);
        for &waiting in split.wait_for_both {
            self.let_wait(waiting, off);
        }
    }

    /// Lets a part of a stack come first, which does not wait for the other stacks that the rest waits for.
    pub(in crate::outlook) fn start_part_early(
        &mut self,
        stack: usize,
        on: &[usize],
        early: Duration,
        rest: Duration,
    ) {
        let Some(deploys) = self.deploy_step(stack) else { return };
        let waited_for: Vec<usize> = on.iter().flat_map(|&on| self.steps_of(on)).collect();
        let needs = self.steps[deploys].needs.iter().copied().filter(|need| !waited_for.contains(need));
        let needs: Vec<usize> = needs.collect();
        self.set_expected(stack, rest);
        let part = self.insert_part(deploys, stack, early, needs);
        self.let_wait(stack, part);
    }

    /// Lets phases put nothing in order any more; only the one of this name, if one is given.
    pub(in crate::outlook) fn drop_phase_edges(&mut self, phase: Option<&str>) {
        for from in 0..self.stacks.len() {
            if phase.is_some() && self.stacks[from].phase.as_deref() != phase {
                continue;
            }
            let before = std::mem::take(&mut self.stacks[from].depends_on);
            let (gone, kept): (Vec<_>, Vec<_>) =
                before.into_iter().partition(|edge| edge.reason == Reason::Phase);
            let no_longer = |to: &String| !kept.iter().any(|edge| edge.to == *to);
            let gone: Vec<String> = gone.into_iter().map(|edge| edge.to).filter(no_longer).collect();
            self.stacks[from].depends_on = kept;
            let Some(step) = self.deploy_step(from) else { continue };
            for to in gone {
                if let Some(to) = self.stacks.iter().position(|stack| stack.id == to) {
                    let waited_for = self.steps_of(to);
                    self.steps[step].needs.retain(|need| !waited_for.contains(need));
                    self.steps[step].early_needs.retain(|early| !waited_for.contains(&early.need));
                }
            }
        }
    }

    fn let_wait(&mut self, stack: usize, step: usize) {
        if let Some(deploys) = self.deploy_step(stack).filter(|&deploys| step < deploys) {
            self.steps[deploys].needs.push(step);
        }
    }

    /// Makes a part of a stack a stack of its own. Gives its step.
    fn insert_part(&mut self, at: usize, of: usize, expected: Duration, needs: Vec<usize>) -> usize {
        let mut part = self.stacks[of].clone();
        part.id = format!("{} (a part)", part.id);
        part.expected = expected;
        self.stacks.push(part);
        let work = Work::Deploy { stack: self.stacks.len() - 1 };
        let step = Step {
            id: format!("deploy:{} (part {})", self.stacks[of].id, self.stacks.len()),
            work,
            needs,
            early_needs: Vec::new(),
            expected,
            expected_from: Basis::Table,
        };
        for step in &mut self.steps {
            let early = step.early_needs.iter_mut().map(|early| &mut early.need);
            for need in step.needs.iter_mut().chain(early) {
                *need += usize::from(*need >= at);
            }
        }
        self.steps.insert(at, step);
        at
    }
}
