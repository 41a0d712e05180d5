//! A shell script as a tree: commands, how they are joined, and what each word is made of.
//!
//! Enough of the POSIX shell's and of bash's grammar to tell a command from an argument, a quoted text from
//! an expansion, and a test from a statement. Nothing is expanded or run. A script that cannot be parsed to its
//! end keeps what stands before the error.

mod bashism;
mod call;
mod parse;

use std::ops::Range;

pub(crate) use bashism::Bashism;
pub(crate) use call::{Call, calls, program};

/// The bytes of a script that something was read from.
pub(crate) type Span = Range<usize>;

#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) body: List,
    pub(crate) error: Option<SyntaxError>,
    /// What only bash understands, in the order of the text.
    pub(crate) bashisms: Vec<(Bashism, Span)>,
}

/// Why parsing stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SyntaxError {
    /// Something is opened here and never closed.
    Unclosed { what: &'static str, at: Span },
    /// Something is closed, or goes on, that was never opened.
    Unexpected { what: String, at: Span },
    /// Nested more deeply than anyone writes: no error, but nothing is said about it.
    TooDeep,
}

#[derive(Debug, Default)]
pub(crate) struct List(pub(crate) Vec<Statement>);

/// Pipelines that `&&` and `||` join.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(AndOr, Pipeline)>,
    /// Ends in `&`.
    pub(crate) background: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AndOr {
    And,
    Or,
}

#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Starts with `!`.
    pub(crate) negated: bool,
    /// At least one.
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) span: Span,
    pub(crate) kind: CommandKind,
    pub(crate) redirects: Vec<Redirect>,
}

#[derive(Debug)]
pub(crate) enum CommandKind {
    Simple(SimpleCommand),
    /// `{ …; }`
    Group(List),
    /// `( … )`
    Subshell(List),
    If {
        /// Conditions and what follows from each.
        arms: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    Loop(Loop),
    Case(Vec<List>),
    Function {
        name: String,
        body: Box<Command>,
    },
    /// `[[ … ]]` or `(( … ))`
    Test,
}

#[derive(Debug)]
pub(crate) struct Loop {
    /// Of `while` and `until`.
    pub(crate) condition: Option<List>,
    /// Of `for`: what each of the values is called.
    pub(crate) variable: Option<String>,
    /// Of `for`: what is gone through.
    pub(crate) values: Vec<Word>,
    pub(crate) body: List,
}

#[derive(Debug, Default)]
pub(crate) struct SimpleCommand {
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) words: Vec<Word>,
}

#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: Word,
}

#[derive(Debug)]
pub(crate) struct Redirect {
    pub(crate) operator: &'static str,
    pub(crate) target: Word,
}

#[derive(Debug, Default)]
pub(crate) struct Word {
    pub(crate) span: Span,
    pub(crate) parts: Vec<WordPart>,
}

#[derive(Debug)]
pub(crate) enum WordPart {
    Text {
        text: String,
        quoted: bool,
    },
    /// `$NAME` or `${NAME…}`
    Variable {
        name: String,
    },
    /// `$(…)`, backquotes, `<(…)` or `>(…)`
    Commands(List),
    /// `$((…))`
    Arithmetic,
}

impl Script {
    pub(crate) fn parse(text: &str) -> Self {
        parse::script(text)
    }

    /// Whether all of it was understood.
    pub(crate) fn is_whole(&self) -> bool {
        self.error.is_none()
    }
}

impl Statement {
    pub(crate) fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        std::iter::once(&self.first).chain(self.rest.iter().map(|(_, pipeline)| pipeline))
    }

    /// From its first command to its last.
    pub(crate) fn span(&self) -> Span {
        let last = self.pipelines().last().and_then(|pipeline| pipeline.commands.last());
        let start = self.first.commands.first().map_or(0, |command| command.span.start);
        start..last.map_or(start, |command| command.span.end)
    }

    /// The only command, if that is all there is.
    pub(crate) fn single(&self) -> Option<&Command> {
        match (&self.first.commands[..], &self.rest[..]) {
            ([command], []) => Some(command),
            _ => None,
        }
    }
}

impl Command {
    pub(crate) fn simple(&self) -> Option<&SimpleCommand> {
        match &self.kind {
            CommandKind::Simple(simple) => Some(simple),
            _ => None,
        }
    }
}

impl Word {
    /// The text, if nothing in it is expanded.
    pub(crate) fn literal(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                WordPart::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The text, with `$NAME` for a variable and `$()` for what a command prints.
    pub(crate) fn shown(&self) -> String {
        let text = |part: &WordPart| match part {
            WordPart::Text { text, .. } => text.clone(),
            WordPart::Variable { name } => format!("${name}"),
            WordPart::Commands(_) | WordPart::Arithmetic => "$()".to_owned(),
        };
        self.parts.iter().map(text).collect()
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.literal().is_some_and(|literal| literal == text)
    }
}

#[cfg(test)]
mod tests;
