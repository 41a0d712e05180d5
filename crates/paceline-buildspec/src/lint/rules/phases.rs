//! The transitions between phases, and the commands after a failure.

use crate::grammar::{Document, scalar};
use crate::grammar::{OnFailure, PhaseName};
use crate::lint::context::ProjectFacts;
use crate::lint::rule::{Checker, rule};
use crate::shell::Call;
use crate::shell::programs::{Fact, cdk, has};
use crate::yaml::Kind;

rule!(UNGUARDED, "PL421", Warning, "a release after a failed build", unguarded);
rule!(RETRY, "PL422", Warning, "a retry of a command that works only once", retry);
rule!(UNSUPPORTED, "PL423", Error, "`on-failure` where it is not supported", unsupported);
rule!(REPORTS, "PL441", Error, "more report groups than a build can have", reports);

/// Whether a call publishes or deploys something, which must not happen after a failed build.
fn releases(call: &Call<'_>) -> bool {
    let is_push = call.is(&["docker", "buildx", "build"]) && call.has(&["--push"]);
    let deploys = cdk::read(call.texts()).is_some_and(|cdk| cdk.command == "deploy");
    is_push || deploys || has(call.texts(), Fact::Releases)
}

fn unguarded(document: &Document<'_>, checker: &mut Checker<'_>) {
    // Without a build phase, nothing could have failed before.
    if !document.has_phase(PhaseName::Build) {
        return;
    }
    // An aborted build has no post_build.
    if on_failure(document, PhaseName::Build) == Some(OnFailure::Abort) {
        return;
    }
    let mut is_known = false;
    for item in document.items.iter().filter(|item| item.phase == PhaseName::PostBuild) {
        is_known |= item.text.contains("CODEBUILD_BUILD_SUCCEEDING");
        if is_known {
            return;
        }
        for call in item.calls() {
            // A download from a bucket releases nothing.
            let downloads = call.is(&["aws", "s3"])
                && call
                    .arguments()
                    .iter()
                    .skip(2)
                    .find(|word| !word.starts_with('-'))
                    .is_some_and(|from| from.starts_with("s3://"));
            if releases(&call) && !downloads {
                let finding = checker.report(document.first_line(item.source(&call.span)));
                finding.message(
                    "post_build also runs after a failed build phase, and nothing here tests the result",
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

/// Whether a command fails or does more when it runs again after a success.
fn is_done_once(call: &Call<'_>) -> bool {
    let creates = call.program() == "aws"
        && call.arguments().iter().filter(|word| !word.starts_with('-')).nth(1).is_some_and(|operation| {
            operation.starts_with("create-")
                && !matches!(operation.as_str(), "create-tags" | "create-invalidation" | "create-deployment")
        });
    creates || has(call.texts(), Fact::WorksOnce)
}

fn retry(document: &Document<'_>, checker: &mut Checker<'_>) {
    for phase in PhaseName::ALL {
        if !matches!(on_failure(document, phase), Some(OnFailure::Retry { count: None | Some(1..), .. })) {
            continue;
        }
        let Some(node) = document.node(&format!("phases.{phase}.on-failure")) else { continue };
        // A retry repeats the whole build, so every phase up to this one runs again.
        let once = document.calls().find(|(item, call)| {
            item.phase <= phase && is_done_once(call) && !call.context.tested && !call.context.guarded
        });
        if let Some((item, call)) = once {
            let line = document.lines.at(item.source(&call.span).start).line;
            let command: Vec<_> = std::iter::once(call.program())
                .chain(call.arguments().iter().take(2).map(String::as_str))
                .collect();
            let finding = checker.report(node.span.clone());
            finding.message(format!(
                "a retry runs the build again, and `{}` on line {line} may work only once",
                command.join(" ")
            ));
            finding.hint("test first whether its result exists already");
        }
    }
}

fn unsupported(document: &Document<'_>, checker: &mut Checker<'_>) {
    let project = checker.project();
    let why = if project.is_some_and(ProjectFacts::is_lambda) {
        "the builds of the project run on Lambda"
    } else if project.is_some_and(|project| project.has_fleet) {
        "the builds of the project run on reserved capacity"
    } else {
        return;
    };
    for phase in PhaseName::ALL {
        if let Some(node) = document.node(&format!("phases.{phase}.on-failure")) {
            let finding = checker.report(node.span.clone());
            finding.message(format!("`on-failure` is not supported here: {why}")).hint("remove it");
        }
    }
}

fn reports(document: &Document<'_>, checker: &mut Checker<'_>) {
    let groups = document.map("reports");
    if let Some((key, _)) = groups.get(5) {
        let finding = checker.report(key.span.clone());
        finding.message(format!("there are {} report groups, and CodeBuild allows five", groups.len()));
    }
    for (_, report) in groups {
        let Kind::Map(entries) = &report.kind else { continue };
        for (key, node) in entries.iter().filter(|(key, _)| key.text == "files") {
            if scalar(node).is_none() && matches!(&node.kind, Kind::List(files) if files.is_empty()) {
                checker.report(key.span.clone()).message("a report without files reports nothing");
            }
        }
    }
}
