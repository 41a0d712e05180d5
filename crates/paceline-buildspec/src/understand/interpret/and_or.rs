//! Commands that `&&` and `||` join, and what is run depending on what.

use super::classify::{ends_there, is_test, span_of};
use super::{Interpreter, Source};
use crate::shell::{AndOr, Pipeline, Statement};
use crate::understand::When;
use crate::understand::condition::{self, Asked};

/// What is known of how the commands so far end.
#[derive(Debug, Clone)]
enum Status {
    /// Always like this.
    Known(bool),
    /// With success if this holds.
    If(When),
    /// With success: else the build is at its end, or what comes after a failure is run.
    Assumed,
}

impl Interpreter<'_> {
    pub(super) fn joined(&mut self, statement: &Statement, source: Source<'_>) {
        let outer = self.when.clone();
        let mut next = statement.rest.iter().map(|(joint, _)| Some(*joint)).chain([None]);
        let mut status = self.member(&statement.first, next.next().flatten(), statement, source);
        for (joint, pipeline) in &statement.rest {
            let after = next.next().flatten();
            let wants = *joint == AndOr::And;
            match status.clone() {
                Status::Known(is) if is != wants => {}
                Status::Known(_) => status = self.member(pipeline, after, statement, source),
                Status::If(when) => {
                    let under = if wants { when } else { when.otherwise() };
                    let then = self.maybe(pipeline, Some(under.clone()), after, statement, source);
                    status = match (then, wants) {
                        // `[ a ] && [ b ]`
                        (Status::If(inner), true) => Status::If(inner.within(Some(&under))),
                        (Status::Known(false), true) => Status::Known(false),
                        (_, true) => Status::If(under),
                        // `[ a ] || [ b ] && …`: one of the two.
                        (Status::If(inner), false) => Status::If(inner.or(&under.otherwise())),
                        (_, false) => Status::Assumed,
                    };
                }
                Status::Assumed if wants => {
                    // It runs if everything before it has worked, and what it sets is set only then.
                    let then = if Self::is_certain(statement, pipeline) {
                        self.member(pipeline, after, statement, source)
                    } else {
                        self.maybe(pipeline, None, after, statement, source)
                    };
                    status = then;
                }
                Status::Assumed => self.after_failure(pipeline, source),
            }
        }
        self.when = outer;
    }

    /// Follows a part of a chain that is run.
    fn member(
        &mut self,
        pipeline: &Pipeline,
        next: Option<AndOr>,
        statement: &Statement,
        source: Source<'_>,
    ) -> Status {
        if is_test(Some(pipeline)) && !(next.is_none() && statement.rest.is_empty()) {
            self.calls += 1;
            let text = source.text(&span_of(pipeline));
            let asked = condition::read(text, &self.variables);
            return match asked {
                Asked::Known(is) => Status::Known(is != pipeline.negated),
                Asked::Open(when) => Status::If(if pipeline.negated { when.otherwise() } else { when }),
            };
        }
        self.may_fail = next == Some(AndOr::Or) && !ends_there(statement);
        self.pipeline(pipeline, source);
        Status::Assumed
    }

    /// Follows what is run only if something holds. What it changes is not known after it.
    fn maybe(
        &mut self,
        pipeline: &Pipeline,
        under: Option<When>,
        next: Option<AndOr>,
        statement: &Statement,
        source: Source<'_>,
    ) -> Status {
        let effects = self.effects_of_pipeline(pipeline, source.text);
        let before = self.when.clone();
        self.begin_maybe(&effects);
        if let Some(under) = under {
            self.when = Some(under.within(self.when.as_ref()));
        }
        let dir = self.dir.clone();
        let status = self.member(pipeline, next, statement, source);
        self.end_maybe(&effects, dir, source.line(&span_of(pipeline)), source.text(&span_of(pipeline)));
        self.when = before;
        status
    }

    /// What happens after a failure. A retry does the same again, which is found to be the same.
    fn after_failure(&mut self, pipeline: &Pipeline, source: Source<'_>) {
        let span = span_of(pipeline);
        let effects = self.effects_of_pipeline(pipeline, source.text);
        if self.any_deep(pipeline) {
            let dir = self.dir.clone();
            self.begin_maybe(&effects);
            self.pipeline(pipeline, source);
            self.end_maybe(&effects, dir, source.line(&span), source.text(&span));
        } else if effects.sets() {
            self.lose(&effects, false);
        } else if !self.only_says(pipeline) {
            let why = "it is for a failure, which a run reports itself";
            self.leave_out(source.line(&span), source.text(&span), why);
        }
    }

    /// Whether everything before a part of a chain works, or the build is at its end: what installs, builds and
    /// deploys, and what only prepares for that.
    fn is_certain(statement: &Statement, part: &Pipeline) -> bool {
        let before = statement.pipelines().take_while(|pipeline| !std::ptr::eq(*pipeline, part));
        before.flat_map(|pipeline| &pipeline.commands).all(Self::is_expected)
    }
}
