//! `cdk deploy` in a build.

use crate::grammar::{CommandItem, Document};
use crate::lint::rule::{Checker, rule};
use crate::shell::programs::cdk;
use crate::shell::{AndOr, Call, Command, Pipeline};

rule!(APPROVAL, "PL501", Warning, "a deployment that asks before it changes permissions", approval);
rule!(ONE_BY_ONE, "PL502", Note, "stacks that are deployed one after another", one_by_one);

rule!(FORGIVEN, "PL507", Warning, "a deployment that may fail without notice", forgiven);
rule!(OVERWRITTEN, "PL508", Warning, "a variable that the CDK overwrites", overwritten);

/// The calls of `cdk deploy`, with their arguments.
fn deployments<'a>(
    document: &'a Document<'_>,
) -> impl Iterator<Item = (&'a CommandItem, Call<'a>, Vec<String>)> {
    document.calls().filter_map(|(item, call)| {
        let cdk = cdk::read(call.texts()).filter(|cdk| cdk.command == "deploy")?;
        Some((item, call, cdk.arguments))
    })
}

fn approval(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (item, call, arguments) in deployments(document) {
        let is_given = |option: &str| arguments.iter().any(|word| word.starts_with(option));
        let value_of = |option: &str| {
            let joined = |word: &String| word.strip_prefix(option)?.strip_prefix('=').map(str::to_owned);
            let after = || arguments.windows(2).find(|pair| pair[0] == option).map(|pair| pair[1].clone());
            arguments.iter().find_map(joined).or_else(after)
        };
        // The value of a variable may be right.
        let never =
            value_of("--require-approval").is_some_and(|value| value == "never" || value.starts_with('$'));
        let prepares = value_of("--method").is_some_and(|method| method == "prepare-change-set");
        let answered = ["--yes", "-y", "--no-execute", "--execute=false"].into_iter().any(is_given);
        let decides = never || answered;
        // `--help` deploys nothing, and the arguments in a variable are unknown.
        let unknown = arguments.iter().any(|word| {
            word == "--help"
                || word.starts_with('$') && word.len() > 1 && word.to_ascii_uppercase().contains("ARG")
        });
        if !decides && !prepares && !unknown && !call.context.fed {
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding
                .message("this asks before it changes permissions, and fails because a build cannot answer");
            finding.hint("review the changes before the build, and add --require-approval never");
        }
    }
}

fn one_by_one(document: &Document<'_>, checker: &mut Checker<'_>) {
    let all: Vec<_> = deployments(document).collect();
    let stacks = |arguments: &[String]| arguments.iter().any(|word| !word.starts_with('-'));
    let looped = all.iter().find(|(_, call, _)| call.context.looped);
    let several = (all.len() > 1)
        .then(|| all.iter().find(|(_, call, arguments)| !call.context.background && stacks(arguments)))
        .flatten();
    let Some((item, call, _)) = looped.or(several) else { return };
    let finding = checker.report(document.first_line(item.source(&call.span)));
    finding.message("independent stacks wait for each other here");
    finding.hint("`paceline deploy` deploys each stack as soon as its dependencies are there");
}

/// Finds `cdk deploy … || true`: the build continues as if the stacks had been deployed.
fn forgiven(document: &Document<'_>, checker: &mut Checker<'_>) {
    for item in document.items.iter().filter(|item| item.script.is_whole()) {
        let calls = item.calls();
        for statement in &item.script.body.0 {
            let pairs = statement.pipelines().zip(&statement.rest);
            let forgiven = pairs.filter(|(_, (joint, after))| *joint == AndOr::Or && forgives(after));
            for (pipeline, _) in forgiven {
                let Some(last) = pipeline.commands.last() else { continue };
                // The calls are in the order of the text.
                let from = calls.partition_point(|call| call.span.start < last.span.start);
                let call = calls.get(from).filter(|call| call.span == last.span);
                if let Some(call) = call.filter(|call| is_command(call, &["deploy"])) {
                    let finding = checker.report(document.first_line(item.source(&call.span)));
                    finding.message("if this deployment fails, the build continues and succeeds");
                    finding.hint(
                        "let it fail: `paceline deploy` continues with the stacks that do not depend on the failed one",
                    );
                }
            }
        }
    }
}

/// Whether a call runs one of these commands of the CDK CLI.
fn is_command(call: &Call<'_>, commands: &[&str]) -> bool {
    cdk::read(call.texts()).is_some_and(|cdk| commands.contains(&cdk.command.as_str()))
}

/// Whether a pipeline succeeds even after a failure.
fn forgives(pipeline: &Pipeline) -> bool {
    let Some(simple) = pipeline.commands.last().and_then(Command::simple) else { return false };
    let word = |at: usize| simple.words.get(at).and_then(crate::shell::Word::literal).unwrap_or_default();
    match word(0).as_str() {
        "true" | ":" | "echo" | "printf" => !pipeline.negated,
        "exit" | "return" => word(1) == "0",
        _ => false,
    }
}

/// The variables that the CDK CLI sets for the app, from the credentials and the region that it finds itself
/// (aws-cdk-cli, toolkit-lib, `lib/api/cloud-assembly/environment.ts`).
const SET_BY_THE_CDK: [(&str, &str); 2] = [
    ("CDK_DEFAULT_REGION", "set AWS_REGION instead"),
    ("CDK_DEFAULT_ACCOUNT", "use the credentials of that account instead"),
];

fn overwritten(document: &Document<'_>, checker: &mut Checker<'_>) {
    let runs_app = |call: &Call<'_>| is_command(call, &["deploy", "synth", "diff", "destroy"]);
    let calls: Vec<(&CommandItem, Call<'_>)> = document.calls().filter(|(_, call)| runs_app(call)).collect();
    if calls.is_empty() {
        return;
    }
    for (name, instead) in SET_BY_THE_CDK {
        if let Some((key, value)) = document.map("env.variables").iter().find(|(key, _)| key.text == name) {
            let finding = checker.report(document.first_line(key.span.start..value.span.end));
            finding.message(format!("this has no effect: the CDK CLI sets {name} itself")).hint(instead);
        }
        for item in &document.items {
            for (at, text) in item.text.match_indices(&format!("{name}=")) {
                let value =
                    item.text[at + text.len()..].split(|c: char| c.is_whitespace() || c == ';').next();
                // The CDK finds the same value by itself, so this setting is harmless.
                let is_same = value.is_some_and(|value| {
                    value.contains("AWS_REGION")
                        || value.contains("AWS_DEFAULT_REGION")
                        || value.contains("$(aws")
                });
                let before = item.text[..at].chars().next_back();
                let starts =
                    before.is_none_or(|c| !(c.is_ascii_alphanumeric() || c == '_' || c == '$' || c == '{'));
                if starts && !is_same {
                    let finding =
                        checker.report(document.first_line(item.source(&(at..at + text.len() - 1))));
                    finding
                        .message(format!("this has no effect: the CDK CLI sets {name} itself"))
                        .hint(instead);
                }
            }
        }
    }
}
