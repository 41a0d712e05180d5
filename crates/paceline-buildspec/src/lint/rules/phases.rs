//! What happens between phases and after them.

use super::{Found, rule};
use crate::grammar::{OnFailure, PhaseName};
use crate::lint::context::ProjectFacts;
use crate::lint::document::{Document, scalar};
use crate::shell::Call;
use crate::yaml::Kind;

rule!(UNGUARDED, "PL421", Warning, "a release that happens after a failed build too", unguarded);
rule!(RETRY, "PL422", Warning, "a retry of what cannot be done twice", retry);
rule!(UNSUPPORTED, "PL423", Error, "`on-failure` where it is not supported", unsupported);
rule!(REPORTS, "PL441", Error, "more report groups than a build can have", reports);

/// Commands that hand something out which a failed build must not.
fn releases(call: &Call<'_>) -> bool {
    let is = |words: &[&str]| call.is(words);
    is(&["docker", "push"])
        || is(&["docker", "buildx", "build"]) && call.has(&["--push"])
        || is(&["npm", "publish"])
        || is(&["yarn", "publish"])
        || is(&["twine", "upload"])
        || is(&["aws", "s3", "sync"])
        || is(&["aws", "s3", "cp"])
        || is(&["aws", "ecs", "update-service"])
        || is(&["aws", "lambda", "update-function-code"])
        || is(&["aws", "lambda", "publish-version"])
        || is(&["aws", "deploy", "create-deployment"])
        || is(&["aws", "cloudformation", "deploy"])
        || is(&["aws", "cloudfront", "create-invalidation"])
        || is(&["sam", "deploy"])
        || is(&["cdk", "deploy"])
        || is(&["npx", "cdk", "deploy"])
        || is(&["serverless", "deploy"])
        || is(&["sls", "deploy"])
        || is(&["kubectl", "apply"])
        || is(&["kubectl", "set"])
        || is(&["helm", "upgrade"])
        || is(&["terraform", "apply"])
        || is(&["git", "push"])
        || is(&["paceline", "deploy"])
}

fn unguarded(document: &Document<'_>, found: &mut Found<'_>) {
    // Without a build phase there is nothing that could have failed before.
    if !document.has_phase(PhaseName::Build) {
        return;
    }
    // An aborted build has no post_build.
    if on_failure(document, PhaseName::Build) == Some(OnFailure::Abort) {
        return;
    }
    let mut is_known = false;
    for step in document.steps.iter().filter(|step| step.phase == PhaseName::PostBuild) {
        is_known |= step.text.contains("CODEBUILD_BUILD_SUCCEEDING");
        if is_known {
            return;
        }
        for call in step.calls() {
            // What is read from a bucket is not handed out.
            let downloads = call.is(&["aws", "s3"])
                && call
                    .arguments()
                    .iter()
                    .skip(2)
                    .find(|word| !word.starts_with('-'))
                    .is_some_and(|from| from.starts_with("s3://"));
            if releases(&call) && !downloads {
                let finding = found.at(document.first_line(step.source(&call.span)));
                finding.says(
                    "post_build runs after a failed build phase too, and nothing here asks how it went",
                );
                finding.hint("first: [ \"$CODEBUILD_BUILD_SUCCEEDING\" = 1 ] || exit 1; or `on-failure: ABORT` in the build phase");
                return;
            }
        }
    }
}

fn on_failure(document: &Document<'_>, phase: PhaseName) -> Option<OnFailure> {
    document.text_of(&format!("phases.{phase}.on-failure"))?.parse().ok()
}

/// Commands that fail, or do more, when they are run again after they have succeeded.
fn is_done_once(call: &Call<'_>) -> bool {
    let is = |words: &[&str]| call.is(words);
    let creates = call.program() == "aws"
        && call.arguments().iter().filter(|word| !word.starts_with('-')).nth(1).is_some_and(|operation| {
            operation.starts_with("create-")
                && !matches!(operation.as_str(), "create-tags" | "create-invalidation" | "create-deployment")
        });
    creates
        || is(&["npm", "publish"])
        || is(&["yarn", "publish"])
        || is(&["twine", "upload"])
        || is(&["npm", "version"])
        || is(&["cargo", "publish"])
        || is(&["git", "tag"])
        || is(&["gh", "release", "create"])
}

fn retry(document: &Document<'_>, found: &mut Found<'_>) {
    for phase in PhaseName::ALL {
        if !matches!(on_failure(document, phase), Some(OnFailure::Retry { count: None | Some(1..), .. })) {
            continue;
        }
        let Some(node) = document.node(&format!("phases.{phase}.on-failure")) else { continue };
        // The build is retried, so every phase up to this one is run again.
        let once = document.calls().find(|(step, call)| {
            step.phase <= phase && is_done_once(call) && !call.context.tested && !call.context.guarded
        });
        if let Some((step, call)) = once {
            let line = document.lines.at(step.source(&call.span).start).line;
            let command: Vec<_> = std::iter::once(call.program())
                .chain(call.arguments().iter().take(2).map(String::as_str))
                .collect();
            let finding = found.at(node.span.clone());
            finding.says(format!(
                "a retry runs the build again, and `{}` on line {line} may not work twice",
                command.join(" ")
            ));
            finding.hint("ask first whether it is done already");
        }
    }
}

fn unsupported(document: &Document<'_>, found: &mut Found<'_>) {
    let project = document.context.project.as_ref();
    let why = if project.is_some_and(ProjectFacts::is_lambda) {
        "the project's builds run on Lambda"
    } else if project.is_some_and(|project| project.has_fleet) {
        "the project's builds run on reserved capacity"
    } else {
        return;
    };
    for phase in PhaseName::ALL {
        if let Some(node) = document.node(&format!("phases.{phase}.on-failure")) {
            let finding = found.at(node.span.clone());
            finding.says(format!("`on-failure` is not supported here: {why}")).hint("remove it");
        }
    }
}

fn reports(document: &Document<'_>, found: &mut Found<'_>) {
    let groups = document.map("reports");
    if let Some((key, _)) = groups.get(5) {
        let finding = found.at(key.span.clone());
        finding.says(format!("there are {} report groups, and five are allowed", groups.len()));
    }
    for (_, report) in groups {
        let Kind::Map(entries) = &report.kind else { continue };
        for (key, node) in entries.iter().filter(|(key, _)| key.text == "files") {
            if scalar(node).is_none() && matches!(&node.kind, Kind::List(files) if files.is_empty()) {
                found.at(key.span.clone()).says("a report without files reports nothing");
            }
        }
    }
}
