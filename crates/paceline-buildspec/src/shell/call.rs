//! The calls of programs in a script, each with its context.

use super::syntax::{Command, CommandKind, List, Redirect, Span, Word, is_variable_name};
use super::visit::{Context, Visitor, visit_script, walk_command};

/// A simple command that runs a program.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) span: Span,
    pub(crate) redirects: &'a [Redirect],
    /// The words from the program on, without `sudo`, `env`, `time` and similar words before it.
    pub(crate) words: &'a [Word],
    /// The text of each word. The text of a program whose name is expanded is empty.
    texts: Vec<String>,
    pub(crate) context: Context,
}

/// Every call in the order of the text, including those in command substitutions and functions.
pub(crate) fn calls(list: &List) -> Vec<Call<'_>> {
    let mut found = Calls(Vec::new());
    visit_script(&mut found, list);
    found.0.sort_by_key(|call| call.span.start);
    found.0
}

struct Calls<'a>(Vec<Call<'a>>);

impl<'a> Visitor<'a> for Calls<'a> {
    fn visit_command(&mut self, command: &'a Command, context: Context) {
        walk_command(self, command, context);
        let CommandKind::Simple(simple) = &command.kind else { return };
        let [program, arguments @ ..] = program(&simple.words) else { return };
        let texts = std::iter::once(program.literal().unwrap_or_default());
        self.0.push(Call {
            span: command.span.clone(),
            redirects: &command.redirects,
            words: self::program(&simple.words),
            texts: texts.chain(arguments.iter().map(Word::shown)).collect(),
            context,
        });
    }
}

/// The words from the program on, without programs that only run another one, such as `sudo` and `env`.
pub(crate) fn program(words: &[Word]) -> &[Word] {
    let mut words = words;
    while let Some((first, rest)) = words.split_first() {
        let Some(name) = first.literal() else { break };
        let options_with_value: &[&str] = match name.as_str() {
            "sudo" => &["-u", "-g"],
            "nohup" | "command" | "exec" | "time" | "nice" | "builtin" => &[],
            // `env` without a program prints the environment.
            "env" if rest.iter().any(|word| !is_setting(word)) => &[],
            _ => break,
        };
        let mut rest = rest;
        while let Some((option, after)) = rest.split_first() {
            let text = option.literal().unwrap_or_default();
            if options_with_value.contains(&text.as_str()) {
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
    word.shown().split_once('=').is_some_and(|(name, _)| is_variable_name(name))
}

impl Call<'_> {
    /// The program without its folder. It is empty if its name is expanded.
    pub(crate) fn program(&self) -> &str {
        self.texts[0].rsplit('/').next().unwrap_or_default()
    }

    /// The program as written, and its arguments.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The words after the program, with `$NAME` in place of a variable.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.texts[1..]
    }

    /// Whether the call starts with these words. Options between them are skipped.
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

    /// Whether one of these options is given: alone, as `--option=value`, or among short ones such as `-yq`.
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
