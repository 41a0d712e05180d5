//! Statements, pipelines and commands, in the order in which a shell runs them.

use super::classify::Relevance;
use super::compound::is_conditional;
use super::state::{ActionKind, Interpreter, Source};
use crate::grammar::Document;
use crate::shell::{Command, CommandKind, List, Pipeline, Statement, SyntaxError};

impl Interpreter<'_> {
    /// Follows every command of a buildspec.
    pub(in crate::understand) fn run(&mut self, document: &Document<'_>) {
        for item in &document.items {
            self.always = item.runs_always();
            self.line = document.line_of(item, &(0..0));
            let source = Source { text: &item.text, item: Some((document, item)), line: self.line };
            self.list(&item.script.body, source);
            if let Some(error) = &item.script.error {
                let (at, why) = match error {
                    SyntaxError::Unclosed { what, at } => (at.clone(), format!("`{what}` has no end")),
                    SyntaxError::Unexpected { what, at } => {
                        (at.clone(), format!("`{what}` is not expected here"))
                    }
                    SyntaxError::TooDeep => (0..0, "it is nested too deeply".to_owned()),
                };
                let why = format!("the script cannot be read from here on: {why}");
                self.leave_out(source.line(&at), &item.text, &why);
            }
        }
    }

    pub(super) fn list(&mut self, list: &List, source: Source<'_>) {
        for statement in &list.0 {
            self.statement(statement, source);
        }
    }

    fn statement(&mut self, statement: &Statement, source: Source<'_>) {
        let span = statement.span();
        if self.is_over_limit(&span, source) {
            return;
        }
        let before = (self.background, self.may_fail, self.when.clone());
        self.background |= statement.background;
        // A command in the background runs in its own shell.
        let shell = statement.background.then(|| self.shell_state());
        match self.relevance(statement) {
            Relevance::Ignored => self.calls += 1,
            Relevance::Kept => {
                self.calls += 1;
                self.record(source.line(&span), source.text(&span), ActionKind::Script);
            }
            Relevance::Followed if is_conditional(statement) && !self.must_follow(statement) => {
                self.keep_whole(statement, source);
            }
            Relevance::Followed => self.and_or_list(statement, source),
        }
        if let Some(shell) = shell {
            self.restore(shell);
        }
        (self.background, self.may_fail, self.when) = before;
    }

    pub(super) fn pipeline(&mut self, pipeline: &Pipeline, source: Source<'_>) {
        if let [command] = &pipeline.commands[..] {
            return self.command(command, source);
        }
        // Only the relevant commands are followed, without the filters around them.
        let mut any = false;
        let shell = self.shell_state();
        for command in &pipeline.commands {
            if self.relevance_of_command(command) == Relevance::Followed {
                any = true;
                self.command(command, source);
            }
        }
        self.restore(shell);
        if !any && !self.only_shows(pipeline) {
            let span = pipeline.span();
            self.record(source.line(&span), source.text(&span), ActionKind::Script);
        }
    }

    fn command(&mut self, command: &Command, source: Source<'_>) {
        match &command.kind {
            CommandKind::Simple(simple) => self.simple(simple, &command.span, source),
            CommandKind::Group(list) => self.list(list, source),
            CommandKind::Subshell(list) => {
                let shell = self.shell_state();
                self.list(list, source);
                self.restore(shell);
            }
            CommandKind::If { arms, otherwise } => {
                self.if_(arms, otherwise.as_ref(), &command.span, source);
            }
            CommandKind::Loop(of) => self.loop_(of, &command.span, source),
            CommandKind::Case(arms) => self.case(arms, &command.span, source),
            CommandKind::Function { name, body } => {
                self.functions.insert(name.clone(), source.text(&body.span).to_owned());
            }
            CommandKind::Test => {}
        }
    }
}
