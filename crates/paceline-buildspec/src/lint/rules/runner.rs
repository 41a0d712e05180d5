//! Checks that the runner is installed before it is called.

use crate::grammar::Document;
use crate::lint::context::ProjectFacts;
use crate::lint::rule::{Checker, rule};
use crate::shell::programs::{Fact, has};

rule!(MISSING, "PL509", Warning, "a runner that the build does not have", missing);

fn missing(document: &Document<'_>, checker: &mut Checker<'_>) {
    let project = checker.project();
    // The team's own image may contain the runner.
    if project.is_some_and(|project| project.image.is_some() && !ProjectFacts::is_managed(project)) {
        return;
    }
    for (item, call) in document.calls() {
        let is_called = call.program() == "paceline" && !call.context.in_function;
        // This is a check such as `command -v paceline`: the author has thought of a missing runner.
        if is_called && call.arguments().is_empty() {
            return;
        }
        if is_called {
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message("no command before this fetches paceline, and the images of AWS do not have it");
            finding.hint(
                "set `runner` in paceline.yaml and generate again, or download it in the install phase",
            );
            return;
        }
        // The call may fetch, build or install the runner.
        if has(call.texts(), Fact::PlacesFiles)
            && call.arguments().iter().any(|word| word.to_ascii_lowercase().contains("paceline"))
        {
            return;
        }
    }
}
