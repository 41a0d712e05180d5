//! AND-OR lists: pipelines that are joined by `&&` and `||`.

use super::classify::{ends_on_failure, is_test, must_succeed};
use super::condition::{self, ConditionResult};
use super::state::{Interpreter, Source};
use crate::shell::{AndOr, Pipeline, Statement};
use crate::understand::When;

/// The known status of the commands so far.
#[derive(Debug, Clone)]
enum Status {
    /// The commands always succeed, or always fail.
    Known(bool),
    /// The commands succeed if this condition holds.
    If(When),
    /// The commands are expected to succeed. After a failure, the build ends or the command after `||` runs.
    Assumed,
}

impl Interpreter<'_> {
    pub(super) fn and_or_list(&mut self, statement: &Statement, source: Source<'_>) {
        let outer = self.when.clone();
        let mut next = statement.rest.iter().map(|(and_or, _)| Some(*and_or)).chain([None]);
        let mut status = self.member(&statement.first, next.next().flatten(), statement, source);
        for (and_or, pipeline) in &statement.rest {
            let after = next.next().flatten();
            let wants = *and_or == AndOr::And;
            match status.clone() {
                Status::Known(is) if is != wants => {}
                Status::Known(_) => status = self.member(pipeline, after, statement, source),
                Status::If(when) => {
                    let under = if wants { when } else { when.otherwise() };
                    let then =
                        self.conditional_member(pipeline, Some(under.clone()), after, statement, source);
                    status = match (then, wants) {
                        // `[ a ] && [ b ]`
                        (Status::If(inner), true) => Status::If(inner.within(Some(&under))),
                        (Status::Known(false), true) => Status::Known(false),
                        (_, true) => Status::If(under),
                        // In `[ a ] || [ b ] && …`, one of the two conditions must hold.
                        (Status::If(inner), false) => Status::If(inner.or(&under.otherwise())),
                        (_, false) => Status::Assumed,
                    };
                }
                Status::Assumed if wants => {
                    // The pipeline runs if everything before it succeeded, and only then are its variables
                    // set.
                    let then = if Self::is_certain(statement, pipeline) {
                        self.member(pipeline, after, statement, source)
                    } else {
                        self.conditional_member(pipeline, None, after, statement, source)
                    };
                    status = then;
                }
                Status::Assumed => self.after_failure(pipeline, source),
            }
        }
        self.when = outer;
    }

    /// Follows a pipeline of the list.
    fn member(
        &mut self,
        pipeline: &Pipeline,
        next: Option<AndOr>,
        statement: &Statement,
        source: Source<'_>,
    ) -> Status {
        if is_test(pipeline) && !(next.is_none() && statement.rest.is_empty()) {
            self.calls += 1;
            let text = source.text(&pipeline.span());
            let asked = condition::read(text, &self.variables);
            return match asked {
                ConditionResult::Known(is) => Status::Known(is != pipeline.negated),
                ConditionResult::Open(when) => {
                    Status::If(if pipeline.negated { when.otherwise() } else { when })
                }
            };
        }
        self.may_fail = next == Some(AndOr::Or) && !ends_on_failure(statement);
        self.pipeline(pipeline, source);
        Status::Assumed
    }

    /// Follows a pipeline that may not run. The values that it changes are unknown after it.
    fn conditional_member(
        &mut self,
        pipeline: &Pipeline,
        under: Option<When>,
        next: Option<AndOr>,
        statement: &Statement,
        source: Source<'_>,
    ) -> Status {
        let effects = self.effects_of_pipeline(pipeline, source.text);
        let before = self.when.clone();
        self.enter_conditional(&effects);
        if let Some(under) = under {
            self.when = Some(under.within(self.when.as_ref()));
        }
        let dir = self.dir.clone();
        let status = self.member(pipeline, next, statement, source);
        self.leave_conditional(&effects, dir, source.line(&pipeline.span()), source.text(&pipeline.span()));
        self.when = before;
        status
    }

    /// Follows a pipeline that runs after a failure. A retry repeats a deployment, which is counted once.
    fn after_failure(&mut self, pipeline: &Pipeline, source: Source<'_>) {
        let span = pipeline.span();
        let effects = self.effects_of_pipeline(pipeline, source.text);
        if self.must_follow_any(pipeline) {
            let dir = self.dir.clone();
            self.enter_conditional(&effects);
            self.pipeline(pipeline, source);
            self.leave_conditional(&effects, dir, source.line(&span), source.text(&span));
        } else if effects.sets() {
            self.forget(&effects, false);
        } else if !self.only_shows(pipeline) {
            let why = "it handles a failure, and `paceline deploy` reports failures itself";
            self.leave_out(source.line(&span), source.text(&span), why);
        }
    }

    /// Whether the build depends on the success of everything before a pipeline of the list.
    fn is_certain(statement: &Statement, part: &Pipeline) -> bool {
        let before = statement.pipelines().take_while(|pipeline| !std::ptr::eq(*pipeline, part));
        before.flat_map(|pipeline| &pipeline.commands).all(must_succeed)
    }
}
