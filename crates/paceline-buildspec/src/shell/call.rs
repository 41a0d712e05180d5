//! Every simple command of a script, with where it stands.

use super::{AndOr, Command, CommandKind, List, Pipeline, Redirect, Span, Word, WordPart};

/// A simple command that names a program.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) span: Span,
    pub(crate) redirects: &'a [Redirect],
    /// The words from the program on, without `sudo`, `env`, `time` and such before it.
    pub(crate) words: &'a [Word],
    program: String,
    arguments: Vec<String>,
    pub(crate) context: CallContext,
}

/// Where a command stands.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct CallContext {
    /// What it prints goes to the next command of a pipeline.
    pub(crate) piped: bool,
    /// It reads what the command before it in a pipeline prints.
    pub(crate) fed: bool,
    /// Its status decides what happens next: in a condition, or before `&&` and `||`.
    pub(crate) tested: bool,
    /// Whether it is run depends on something: after `&&` and `||`, and in what follows a condition.
    pub(crate) guarded: bool,
    /// What it prints becomes part of a word.
    pub(crate) captured: bool,
    pub(crate) looped: bool,
    pub(crate) in_function: bool,
    pub(crate) background: bool,
}

/// Every simple command, in the order of the text, those in substitutions and functions too.
pub(crate) fn calls(list: &List) -> Vec<Call<'_>> {
    let mut calls = Vec::new();
    in_list(list, CallContext::default(), &mut calls);
    calls.sort_by_key(|call| call.span.start);
    calls
}

fn in_list<'a>(list: &'a List, context: CallContext, calls: &mut Vec<Call<'a>>) {
    for statement in &list.0 {
        let context = CallContext { background: context.background || statement.background, ..context };
        let joints = statement.rest.iter().map(|(joint, _)| Some(*joint)).chain([None]);
        for (index, (pipeline, next)) in statement.pipelines().zip(joints).enumerate() {
            let tested = context.tested || matches!(next, Some(AndOr::And | AndOr::Or)) || pipeline.negated;
            let guarded = context.guarded || index > 0;
            in_pipeline(pipeline, CallContext { tested, guarded, ..context }, calls);
        }
    }
}

fn in_pipeline<'a>(pipeline: &'a Pipeline, context: CallContext, calls: &mut Vec<Call<'a>>) {
    let last = pipeline.commands.len() - 1;
    for (index, command) in pipeline.commands.iter().enumerate() {
        let (piped, fed) = (context.piped || index < last, context.fed || index > 0);
        in_command(command, CallContext { piped, fed, ..context }, calls);
    }
}

fn in_command<'a>(command: &'a Command, context: CallContext, calls: &mut Vec<Call<'a>>) {
    for redirect in &command.redirects {
        in_word(&redirect.target, context, calls);
    }
    match &command.kind {
        CommandKind::Simple(simple) => {
            for assignment in &simple.assignments {
                in_word(&assignment.value, context, calls);
            }
            for word in &simple.words {
                in_word(word, context, calls);
            }
            let words = program(&simple.words);
            if !words.is_empty() {
                calls.push(Call {
                    span: command.span.clone(),
                    redirects: &command.redirects,
                    words,
                    program: words[0].literal().unwrap_or_default(),
                    arguments: words[1..].iter().map(Word::shown).collect(),
                    context,
                });
            }
        }
        CommandKind::Group(list) | CommandKind::Subshell(list) => in_list(list, context, calls),
        CommandKind::If { arms, otherwise } => {
            for (condition, body) in arms {
                in_list(condition, CallContext { tested: true, ..context }, calls);
                in_list(body, CallContext { guarded: true, ..context }, calls);
            }
            if let Some(list) = otherwise {
                in_list(list, CallContext { guarded: true, ..context }, calls);
            }
        }
        CommandKind::Loop(of) => {
            let context = CallContext { looped: true, ..context };
            of.values.iter().for_each(|word| in_word(word, context, calls));
            of.condition
                .iter()
                .for_each(|list| in_list(list, CallContext { tested: true, ..context }, calls));
            in_list(&of.body, context, calls);
        }
        CommandKind::Case(arms) => {
            for list in arms {
                in_list(list, CallContext { guarded: true, ..context }, calls);
            }
        }
        CommandKind::Function { body, .. } => {
            in_command(body, CallContext { in_function: true, ..context }, calls)
        }
        CommandKind::Test => {}
    }
}

fn in_word<'a>(word: &'a Word, context: CallContext, calls: &mut Vec<Call<'a>>) {
    for part in &word.parts {
        if let WordPart::Commands(list) = part {
            in_list(list, CallContext { captured: true, piped: false, fed: false, ..context }, calls);
        }
    }
}

/// The words without those that only change how the program is run.
pub(crate) fn program(words: &[Word]) -> &[Word] {
    let mut words = words;
    while let Some((first, rest)) = words.split_first() {
        let Some(name) = first.literal() else { break };
        let options_with_value: &[&str] = match name.as_str() {
            "sudo" => &["-u", "-g", "-H", "-E"],
            "nohup" | "command" | "exec" | "time" | "nice" | "builtin" => &[],
            // On its own, `env` prints the environment.
            "env" if rest.iter().any(|word| !is_setting(word)) => &[],
            _ => break,
        };
        let mut rest = rest;
        while let Some((option, after)) = rest.split_first() {
            let text = option.literal().unwrap_or_default();
            if name == "sudo"
                && matches!(text.as_str(), "-u" | "-g")
                && options_with_value.contains(&text.as_str())
            {
                rest = after.get(1..).unwrap_or_default();
            } else if text.starts_with('-') || (matches!(name.as_str(), "env" | "sudo") && is_setting(option))
            {
                rest = after;
            } else {
                break;
            }
        }
        if rest.is_empty() {
            break;
        }
        words = rest;
    }
    words
}

fn is_setting(word: &Word) -> bool {
    word.shown().split_once('=').is_some_and(|(name, _)| super::parse::is_name(name))
}

impl Call<'_> {
    /// The program, without its folder. Empty if it is not known before it runs.
    pub(crate) fn program(&self) -> &str {
        self.program.rsplit('/').next().unwrap_or_default()
    }

    /// What follows the program, with `$NAME` where a variable is.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Whether these words stand one after the other at the start, options between them left out.
    pub(crate) fn is(&self, words: &[&str]) -> bool {
        let (Some((first, more)), program) = (words.split_first(), self.program()) else { return false };
        let mut more = more.iter();
        if program != *first {
            return false;
        }
        let mut expected = more.next();
        for argument in self.arguments() {
            let Some(word) = expected else { return true };
            if *argument == **word {
                expected = more.next();
            } else if !argument.starts_with('-') {
                return false;
            }
        }
        expected.is_none()
    }

    /// Whether one of these options is given, also as `--option=value` or among short ones such as `-yq`.
    pub(crate) fn has(&self, options: &[&str]) -> bool {
        let given = |argument: &String| {
            options.iter().any(|option| {
                let short = option.strip_prefix('-').filter(|letter| letter.chars().count() == 1);
                argument == option
                    || argument.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))
                    || short.is_some_and(|letter| is_short(argument) && argument.contains(letter))
            })
        };
        self.arguments().iter().any(given)
    }
}

fn is_short(argument: &str) -> bool {
    argument
        .strip_prefix('-')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphabetic()))
}
