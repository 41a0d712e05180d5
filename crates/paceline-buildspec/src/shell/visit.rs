//! The one traversal of the syntax tree.
//!
//! A [`Visitor`] overrides the methods for the parts that it needs. The default of each method calls the
//! `walk_…` function of the same name, which visits the children in the order in which the shell runs them. A
//! method that does not call its `walk_…` function skips the children: a visitor that ignores command
//! substitutions has an empty `visit_word`.
//!
//! Every method gets a [`Context`], which says for example whether a command's status is tested, or whether
//! its output is captured. The walk maintains it, so that a visitor needs no state for that.

use super::syntax::{Command, CommandKind, List, Pipeline, SimpleCommand, Statement, Word, WordPart};

/// The surroundings of a command.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Context {
    /// The command is inside another command: a group, a subshell, a branch, a loop or a function.
    pub(crate) nested: bool,
    /// The output goes to the next command of a pipeline.
    pub(crate) piped: bool,
    /// The command reads the output of the previous command of a pipeline.
    pub(crate) fed: bool,
    /// The status decides which command runs next: the command is in a condition, or before `&&` or `||`.
    pub(crate) tested: bool,
    /// The command may not run: it is after `&&` or `||`, or in a branch.
    pub(crate) guarded: bool,
    /// The output becomes part of a word.
    pub(crate) captured: bool,
    pub(crate) looped: bool,
    pub(crate) in_function: bool,
    pub(crate) background: bool,
}

/// The role of a list in the command that contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListRole {
    /// The script itself.
    Script,
    /// `{ …; }`
    Group,
    /// `( … )`
    Subshell,
    /// The condition of `if`, `elif`, `while` or `until`.
    Condition,
    /// The commands after `then` or `else`, or in an arm of `case`.
    Branch,
    LoopBody,
    /// `$( … )`, backquotes, `<( … )` or `>( … )`.
    Substitution,
}

pub(crate) trait Visitor<'a>: Sized {
    fn visit_list(&mut self, list: &'a List, _role: ListRole, context: Context) {
        walk_list(self, list, context);
    }

    fn visit_statement(&mut self, statement: &'a Statement, context: Context) {
        walk_statement(self, statement, context);
    }

    fn visit_pipeline(&mut self, pipeline: &'a Pipeline, context: Context) {
        walk_pipeline(self, pipeline, context);
    }

    fn visit_command(&mut self, command: &'a Command, context: Context) {
        walk_command(self, command, context);
    }

    fn visit_word(&mut self, word: &'a Word, context: Context) {
        walk_word(self, word, context);
    }
}

pub(crate) fn visit_script<'a>(visitor: &mut impl Visitor<'a>, list: &'a List) {
    visitor.visit_list(list, ListRole::Script, Context::default());
}

pub(crate) fn walk_list<'a>(visitor: &mut impl Visitor<'a>, list: &'a List, context: Context) {
    for statement in &list.0 {
        visitor.visit_statement(statement, context);
    }
}

pub(crate) fn walk_statement<'a>(visitor: &mut impl Visitor<'a>, statement: &'a Statement, context: Context) {
    let context = Context { background: context.background || statement.background, ..context };
    for (index, pipeline) in statement.pipelines().enumerate() {
        let tested = context.tested || index < statement.rest.len() || pipeline.negated;
        let guarded = context.guarded || index > 0;
        visitor.visit_pipeline(pipeline, Context { tested, guarded, ..context });
    }
}

pub(crate) fn walk_pipeline<'a>(visitor: &mut impl Visitor<'a>, pipeline: &'a Pipeline, context: Context) {
    let last = pipeline.commands.len() - 1;
    for (index, command) in pipeline.commands.iter().enumerate() {
        let (piped, fed) = (context.piped || index < last, context.fed || index > 0);
        visitor.visit_command(command, Context { piped, fed, ..context });
    }
}

pub(crate) fn walk_command<'a>(visitor: &mut impl Visitor<'a>, command: &'a Command, context: Context) {
    for redirect in &command.redirects {
        visitor.visit_word(&redirect.target, context);
    }
    let inner = Context { nested: true, ..context };
    match &command.kind {
        CommandKind::Simple(simple) => {
            let values = simple.assignments.iter().map(|assignment| &assignment.value);
            values.chain(&simple.words).for_each(|word| visitor.visit_word(word, context));
        }
        CommandKind::Group(list) => visitor.visit_list(list, ListRole::Group, inner),
        CommandKind::Subshell(list) => visitor.visit_list(list, ListRole::Subshell, inner),
        CommandKind::If { arms, otherwise } => {
            for (condition, body) in arms {
                visitor.visit_list(condition, ListRole::Condition, Context { tested: true, ..inner });
                visitor.visit_list(body, ListRole::Branch, Context { guarded: true, ..inner });
            }
            if let Some(list) = otherwise {
                visitor.visit_list(list, ListRole::Branch, Context { guarded: true, ..inner });
            }
        }
        CommandKind::Loop(of) => {
            let inner = Context { looped: true, ..inner };
            of.values.iter().for_each(|word| visitor.visit_word(word, inner));
            if let Some(condition) = &of.condition {
                visitor.visit_list(condition, ListRole::Condition, Context { tested: true, ..inner });
            }
            visitor.visit_list(&of.body, ListRole::LoopBody, inner);
        }
        CommandKind::Case(arms) => {
            for list in arms {
                visitor.visit_list(list, ListRole::Branch, Context { guarded: true, ..inner });
            }
        }
        CommandKind::Function { body, .. } => {
            visitor.visit_command(body, Context { in_function: true, ..inner });
        }
        CommandKind::Test => {}
    }
}

pub(crate) fn walk_word<'a>(visitor: &mut impl Visitor<'a>, word: &'a Word, context: Context) {
    for part in &word.parts {
        if let WordPart::Commands(list) = part {
            let context = Context { nested: true, captured: true, piped: false, fed: false, ..context };
            visitor.visit_list(list, ListRole::Substitution, context);
        }
    }
}

/// Every simple command in a command, without those of its command substitutions.
pub(crate) fn each_simple<'a>(command: &'a Command, found: impl FnMut(&'a SimpleCommand)) {
    struct Simples<F>(F);

    impl<'a, F: FnMut(&'a SimpleCommand)> Visitor<'a> for Simples<F> {
        fn visit_command(&mut self, command: &'a Command, context: Context) {
            if let CommandKind::Simple(simple) = &command.kind {
                (self.0)(simple);
            }
            walk_command(self, command, context);
        }

        fn visit_word(&mut self, _: &'a Word, _: Context) {}
    }

    Simples(found).visit_command(command, Context::default());
}
