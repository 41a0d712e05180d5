//! Recognizes constructs that only bash understands.

use crate::shell::bashism::Bashism;
use crate::shell::syntax::{SimpleCommand, Word, WordPart};

/// Builtins of bash that are neither builtins of dash nor programs.
const BUILTINS: &[&str] = &[
    "source",
    "declare",
    "typeset",
    "shopt",
    "let",
    "pushd",
    "popd",
    "dirs",
    "mapfile",
    "readarray",
    "disown",
    "caller",
    "enable",
    "compgen",
    "complete",
    "coproc",
];

/// Variables that bash sets.
const VARIABLES: &[&str] = &[
    "RANDOM",
    "SECONDS",
    "EPOCHSECONDS",
    "EPOCHREALTIME",
    "PIPESTATUS",
    "BASH_SOURCE",
    "BASH_VERSION",
    "BASH_REMATCH",
    "BASHPID",
    "BASH_COMMAND",
    "FUNCNAME",
    "BASH_LINENO",
    "SRANDOM",
];

/// A variable that only bash sets.
pub(super) fn of_variable(name: &str) -> Option<Bashism> {
    VARIABLES.iter().find(|variable| **variable == name).map(|name| Bashism::Variable(name))
}

/// The bashism of a simple command, and its word.
pub(super) fn of_command(simple: &SimpleCommand) -> Option<(Bashism, &Word)> {
    let (first, arguments) = simple.words.split_first()?;
    let name = first.literal()?;
    let has = |option: &str| arguments.iter().find(|word| word.is(option));
    let flag = |letters: &str| {
        let is_it = |word: &&Word| {
            word.literal().is_some_and(|text| {
                text.strip_prefix('-')
                    .is_some_and(|flags| !flags.is_empty() && flags.contains(|c| letters.contains(c)))
            })
        };
        arguments
            .iter()
            .take_while(|word| word.literal().is_some_and(|text| text.starts_with('-')))
            .find(is_it)
    };
    if let Some(name) = BUILTINS.iter().find(|builtin| **builtin == name) {
        return Some((Bashism::Builtin(name), first));
    }
    match name.as_str() {
        "[" | "test" => has("==").filter(|word| is_unquoted(word)).map(|word| (Bashism::DoubleEquals, word)),
        "set" => has("pipefail").map(|word| (Bashism::Pipefail, word)),
        "trap" => ["ERR", "DEBUG", "RETURN"].into_iter().find_map(has).map(|word| (Bashism::TrapErr, word)),
        // dash knows `read -r` and `-p`.
        "read" => flag("adnNstu").map(|word| (Bashism::ReadOption, word)),
        "printf" => arguments.first().filter(|word| word.is("-v")).map(|word| (Bashism::PrintfV, word)),
        "export" => arguments.first().filter(|word| word.is("-f")).map(|word| (Bashism::ExportF, word)),
        _ => None,
    }
}

/// Whether the arguments of a command are assignments.
pub(super) fn declares(simple: &SimpleCommand) -> bool {
    let name = simple.words.first().and_then(Word::literal);
    name.is_some_and(|name| matches!(name.as_str(), "declare" | "typeset" | "local" | "export" | "readonly"))
}

fn is_unquoted(word: &Word) -> bool {
    word.parts.iter().all(|part| matches!(part, WordPart::Text { quoted: false, .. }))
}
