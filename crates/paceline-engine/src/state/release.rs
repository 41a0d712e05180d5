//! Applies a report of a step to the steps that wait for it: they become ready, must wait again, are skipped,
//! or are warned that they started too early.

use std::collections::BTreeSet;
use std::io;

use paceline_plan::Work;

use super::{State, StepState};
use crate::early_needs::News;
use crate::event::{Fact, Outcome, StepFinished, StepHeld, StepRef, StepWarned};

impl State<'_> {
    /// Records facts of a step that arrived together, then applies them to other steps.
    pub(super) fn hear(&mut self, step: usize, facts: Vec<Fact>) -> io::Result<()> {
        let mut complete = Vec::new();
        for fact in facts {
            let news = self.early.hears(step, &fact);
            self.emit(fact)?;
            match news {
                Some(News::Complete(steps)) => complete.extend(steps),
                Some(News::Trouble(why)) => self.hold(step, &why, &std::mem::take(&mut complete))?,
                Some(News::StartsOver) => self.starts_over(step, &std::mem::take(&mut complete))?,
                None => {}
            }
        }
        complete.into_iter().try_for_each(|next| self.met(next))
    }

    /// Releases the steps that only waited for a step that has succeeded.
    pub(super) fn release(&mut self, index: usize) -> io::Result<()> {
        self.let_go(index)?;
        let graph = std::sync::Arc::clone(&self.graph);
        for &next in graph.needed_by(index) {
            if !self.early.is_met(index, next) {
                self.met(next)?;
            }
        }
        Ok(())
    }

    /// Holds the steps that were ready because of a step whose end is unknown. Steps that have started are
    /// only warned.
    pub(super) fn lost(&mut self, index: usize) -> io::Result<()> {
        match self.early.fails(index, "is not watched any more".to_owned()) {
            Some(News::Trouble(why)) => self.hold(index, &why, &[]),
            _ => Ok(()),
        }
    }

    /// Skips the steps that depend on a failed step, directly or indirectly. Those that have started are
    /// warned instead.
    pub(super) fn skip_dependents(&mut self, failed: usize) -> io::Result<()> {
        let why = self.failure(failed);
        let mut skipped = Vec::new();
        for index in self.dependents(failed) {
            match self.steps[index] {
                StepState::Waiting { .. } => skipped.push((index, Vec::new())),
                StepState::Ready { .. } => {
                    let waited = self.ready.remove(&self.plan.steps[index], index);
                    skipped.push((index, waited));
                }
                StepState::Running { .. } | StepState::Ended(_) => self.tell(index, failed, &why)?,
            }
        }
        for (index, waited) in skipped {
            let skipped = StepFinished { waited, ..self.skipped(index, failed) };
            self.finished(index, skipped)?;
        }
        Ok(())
    }

    pub(super) fn skipped(&self, index: usize, failed: usize) -> StepFinished {
        let because = Some(self.references[failed].step.clone());
        StepFinished { because, ..self.without_work(index, Outcome::Skipped) }
    }

    /// The hint for a failed step that started before a step that it needs failed. Its own error is probably
    /// a symptom of that failure.
    pub(super) fn hint_of_producer(&self, index: usize) -> Option<String> {
        let &(producer, ref why) = self.warned.get(&index)?.first()?;
        let name = &self.references[producer].title;
        let (why, what) = match self.steps[producer] {
            StepState::Ended(outcome) if outcome.is_success() => {
                ("was deployed again".to_owned(), "run the same command again".to_owned())
            }
            StepState::Ended(Outcome::Failed | Outcome::RolledBack) => {
                (self.failure(producer), format!("repair {name} first, then run the same command again"))
            }
            _ => (why.clone(), "run the same command again when that has ended".to_owned()),
        };
        Some(format!("{name} {why} after this was started: {what}"))
    }

    /// Holds the steps that rely on the resources of a failing step. Those that have not started wait until
    /// the failing step has ended. `unreleased` are steps whose needs were just met and that are not ready
    /// yet.
    fn hold(&mut self, index: usize, why: &str, unreleased: &[usize]) -> io::Result<()> {
        self.take_back(index, why, unreleased)?;
        for dependent in self.dependents(index) {
            self.unmet(dependent, index, why)?;
        }
        Ok(())
    }

    /// Takes back the resources of the previous operation, because another operation on the stack begins.
    fn starts_over(&mut self, index: usize, unreleased: &[usize]) -> io::Result<()> {
        self.take_back(index, "is deployed again", unreleased)?;
        self.let_go(index)
    }

    /// Marks the complete resources of a step as missing again.
    fn take_back(&mut self, index: usize, why: &str, unreleased: &[usize]) -> io::Result<()> {
        for reader in self.early.take_back(index) {
            if !unreleased.contains(&reader) {
                self.unmet(reader, index, why)?;
            }
        }
        Ok(())
    }

    /// Undoes [`hold`](Self::hold).
    fn let_go(&mut self, index: usize) -> io::Result<()> {
        if self.early.recovers(index) {
            for dependent in self.dependents(index) {
                self.met(dependent)?;
            }
        }
        Ok(())
    }

    /// Counts one need of a step as met.
    fn met(&mut self, index: usize) -> io::Result<()> {
        if let StepState::Waiting { missing } = &mut self.steps[index] {
            *missing -= 1;
            if *missing == 0 {
                return self.becomes_ready(index);
            }
        }
        Ok(())
    }

    /// Counts one need of a step as missing again.
    fn unmet(&mut self, index: usize, need: usize, why: &str) -> io::Result<()> {
        match &mut self.steps[index] {
            StepState::Waiting { missing } => *missing += 1,
            StepState::Ready { .. } => {
                self.ready.remove(&self.plan.steps[index], index);
                self.steps[index] = StepState::Waiting { missing: 1 };
                let because = self.references[need].step.clone();
                let step = StepRef::clone(&self.references[index]);
                self.emit(Fact::StepHeld(StepHeld { step, because, reason: why.to_owned() }))?;
            }
            StepState::Running { .. } | StepState::Ended(_) => self.tell(index, need, why)?,
        }
        Ok(())
    }

    /// Warns a step that has started that a step which it needs fails. Each pair of steps is warned about
    /// once.
    fn tell(&mut self, index: usize, need: usize, why: &str) -> io::Result<()> {
        let holds_something = match self.steps[index] {
            StepState::Ended(outcome) => outcome.is_success(),
            _ => true,
        };
        // A published asset or a usable role does not depend on how the stack ends.
        let is_harmless =
            matches!(self.plan.steps[index].work, Work::Publish(_) | Work::Prewarm(_) | Work::Gate { .. });
        let warned = self.warned.entry(index).or_default();
        if !holds_something || is_harmless || warned.iter().any(|&(producer, _)| producer == need) {
            return Ok(());
        }
        warned.push((need, why.to_owned()));
        let name = &self.references[need].title;
        let message = format!(
            "{name} {why}; this step started before {name} was complete, and may use resources that {name} removes"
        );
        let step = StepRef::clone(&self.references[index]);
        self.emit(Fact::StepWarned(StepWarned { step, message, stuck: None }))
    }

    fn failure(&self, failed: usize) -> String {
        match self.steps[failed] {
            StepState::Ended(Outcome::RolledBack) => "was rolled back".to_owned(),
            _ => "has failed".to_owned(),
        }
    }

    /// The steps that wait for a step, directly or indirectly, in the plan's order.
    ///
    /// The search stops at steps that have failed or were skipped, because their dependents have been skipped too. So
    /// all failures of a run together cost one walk over the graph. The dependents of an interrupted step still wait.
    fn dependents(&self, index: usize) -> BTreeSet<usize> {
        let (mut open, mut found) = (vec![index], BTreeSet::new());
        while let Some(index) = open.pop() {
            for &next in self.graph.needed_by(index) {
                let is_over = matches!(
                    self.steps[next],
                    StepState::Ended(Outcome::Failed | Outcome::RolledBack | Outcome::Skipped)
                );
                if !is_over && found.insert(next) {
                    open.push(next);
                }
            }
        }
        found
    }
}
