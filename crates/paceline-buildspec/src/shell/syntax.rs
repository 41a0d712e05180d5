//! The syntax tree of a shell script. Every part that a message can point at has its span.

use std::ops::Range;

use super::bashism::Bashism;

/// The bytes of a script from which a part of the tree was read.
pub(crate) type Span = Range<usize>;

/// A whole script, or as much of it as could be parsed.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) body: List,
    pub(crate) error: Option<SyntaxError>,
    /// The constructs that only bash understands, in the order of the text.
    pub(crate) bashisms: Vec<(Bashism, Span)>,
    pub(crate) here_documents: Vec<HereDocument>,
}

/// A here-document: the lines after `<<`.
#[derive(Debug)]
pub(crate) struct HereDocument {
    /// `<<` and its delimiter.
    pub(crate) redirect: Span,
    pub(crate) body: Span,
}

/// The reason why the parser stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SyntaxError {
    /// A quote, a parenthesis or a block starts here and never ends.
    Unclosed { what: &'static str, at: Span },
    /// An end, or a word such as `fi`, without its start.
    Unexpected { what: String, at: Span },
    /// The script is nested too deeply for the parser. The shell may accept it, so lint reports nothing.
    TooDeep,
}

/// Statements that run one after the other.
#[derive(Debug, Default)]
pub(crate) struct List(pub(crate) Vec<Statement>);

/// Pipelines that are joined by `&&` and `||`.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(AndOr, Pipeline)>,
    /// Whether the statement ends in `&`.
    pub(crate) background: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AndOr {
    And,
    Or,
}

#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Whether the pipeline starts with `!`.
    pub(crate) negated: bool,
    /// The commands, of which there is at least one.
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
        /// Each condition, with the commands that run if it succeeds.
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
    /// The condition of `while` and `until`.
    pub(crate) condition: Option<List>,
    /// The variable of `for`.
    pub(crate) variable: Option<String>,
    /// The values of `for`.
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
    /// Whether the parser reached the end of the script.
    pub(crate) fn is_whole(&self) -> bool {
        self.error.is_none()
    }
}

impl List {
    /// The commands of the list itself, without those inside other commands.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.0.iter().flat_map(Statement::commands)
    }

    /// From the first statement to the last.
    pub(crate) fn span(&self) -> Span {
        let start = self.0.first().map_or(0, |first| first.span().start);
        start..self.0.last().map_or(start, |last| last.span().end)
    }
}

impl Statement {
    pub(crate) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.pipelines().flat_map(|pipeline| &pipeline.commands)
    }

    pub(crate) fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        std::iter::once(&self.first).chain(self.rest.iter().map(|(_, pipeline)| pipeline))
    }

    /// From the first command to the last.
    pub(crate) fn span(&self) -> Span {
        let last = self.pipelines().last().and_then(|pipeline| pipeline.commands.last());
        let start = self.first.commands.first().map_or(0, |command| command.span.start);
        start..last.map_or(start, |command| command.span.end)
    }

    /// The command of the statement, if it is the only one.
    pub(crate) fn single(&self) -> Option<&Command> {
        match (&self.first.commands[..], &self.rest[..]) {
            ([command], []) => Some(command),
            _ => None,
        }
    }
}

impl Pipeline {
    /// From the first command to the last.
    pub(crate) fn span(&self) -> Span {
        let start = self.commands.first().map_or(0, |command| command.span.start);
        start..self.commands.last().map_or(start, |command| command.span.end)
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
    /// The text of a word without expansions.
    pub(crate) fn literal(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                WordPart::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The text, with `$NAME` in place of a variable and `$()` in place of the output of a command.
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

/// Whether a text can be the name of a variable.
pub(crate) fn is_variable_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
