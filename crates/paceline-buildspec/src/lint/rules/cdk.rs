//! `cdk deploy` in a build.

use super::{Found, rule};
use crate::lint::document::{Document, Step};
use crate::shell::Call;

rule!(APPROVAL, "PL501", Warning, "a deployment that asks before it changes permissions", approval);
rule!(ONE_BY_ONE, "PL502", Note, "stacks that are deployed one after another", one_by_one);

/// The arguments after `cdk COMMAND`, however the CLI is called.
pub(super) fn cdk(call: &Call<'_>, command: &str) -> Option<Vec<String>> {
    let arguments = call.arguments().iter().map(String::as_str);
    let words: Vec<&str> = std::iter::once(call.program()).chain(arguments).collect();
    let is_runner = matches!(words[0], "npx" | "yarn" | "pnpm" | "bunx" | "npm");
    // Before the CLI's name there are only the runner's own words.
    let before = if is_runner { 4 } else { 1 };
    let at = words.iter().take(before).position(|word| {
        let name = word.split('@').next().unwrap_or_default();
        matches!(name, "cdk" | "aws-cdk")
    })?;
    let rest = &words[at + 1..];
    let at = rest.iter().position(|word| !word.starts_with('-'))?;
    (rest[at] == command).then(|| rest[at + 1..].iter().map(|word| (*word).to_owned()).collect())
}

fn deployments<'a>(document: &'a Document<'_>) -> impl Iterator<Item = (&'a Step, Call<'a>, Vec<String>)> {
    document.calls().filter_map(|(step, call)| cdk(&call, "deploy").map(|arguments| (step, call, arguments)))
}

fn approval(document: &Document<'_>, found: &mut Found<'_>) {
    for (step, call, arguments) in deployments(document) {
        let is_given = |option: &str| arguments.iter().any(|word| word.starts_with(option));
        let value_of = |option: &str| {
            let joined = |word: &String| word.strip_prefix(option)?.strip_prefix('=').map(str::to_owned);
            let after = || arguments.windows(2).find(|pair| pair[0] == option).map(|pair| pair[1].clone());
            arguments.iter().find_map(joined).or_else(after)
        };
        // What is in a variable may be right.
        let never =
            value_of("--require-approval").is_some_and(|value| value == "never" || value.starts_with('$'));
        let prepares = value_of("--method").is_some_and(|method| method == "prepare-change-set");
        let answered = ["--yes", "-y", "--no-execute", "--execute=false"].into_iter().any(is_given);
        let decides = never || answered;
        // `--help` deploys nothing, and arguments in a variable are not known.
        let unknown = arguments.iter().any(|word| {
            word == "--help"
                || word.starts_with('$') && word.len() > 1 && word.to_ascii_uppercase().contains("ARG")
        });
        if !decides && !prepares && !unknown && !call.place.fed {
            let finding = found.at(document.first_line(step.source(&call.span)));
            finding.says("this asks before it changes permissions, and in a build nobody answers: it fails");
            finding.hint("add --require-approval never, after reviewing the changes where someone can");
        }
    }
}

fn one_by_one(document: &Document<'_>, found: &mut Found<'_>) {
    let all: Vec<_> = deployments(document).collect();
    let stacks = |arguments: &[String]| arguments.iter().any(|word| !word.starts_with('-'));
    let looped = all.iter().find(|(_, call, _)| call.place.looped);
    let several = (all.len() > 1)
        .then(|| all.iter().find(|(_, call, arguments)| !call.place.background && stacks(arguments)))
        .flatten();
    let Some((step, call, _)) = looped.or(several) else { return };
    let finding = found.at(document.first_line(step.source(&call.span)));
    finding.says("stacks that do not depend on each other wait for each other here");
    finding.hint("`paceline deploy` deploys all of an app, each stack as soon as what it needs is there");
}
