//! Whether the runner is there when it is called.

use super::{Found, rule};
use crate::lint::context::ProjectFacts;
use crate::lint::document::Document;

rule!(MISSING, "PL509", Warning, "a runner that nothing has put into the build", missing);

fn missing(document: &Document<'_>, found: &mut Found<'_>) {
    let project = document.context.project.as_ref();
    // An image of the team's own may have it.
    if project.is_some_and(|project| project.image.is_some() && !ProjectFacts::is_managed(project)) {
        return;
    }
    for (step, call) in document.calls() {
        let is_called = call.program() == "paceline" && !call.context.in_function;
        // `command -v paceline`: somebody has thought of it.
        if is_called && call.arguments().is_empty() {
            return;
        }
        if is_called {
            let finding = found.at(document.first_line(step.source(&call.span)));
            finding.says(
                "nothing before this puts paceline into the build, and the images of AWS do not have it",
            );
            finding.hint(
                "set `runner` in paceline.yaml and generate again, or download it in the install phase",
            );
            return;
        }
        // What fetches, builds or installs it, however that is done.
        let words = std::iter::once(call.program()).chain(call.arguments().iter().map(String::as_str));
        let fetches = matches!(
            call.program(),
            "aws"
                | "curl"
                | "wget"
                | "cargo"
                | "install"
                | "cp"
                | "mv"
                | "tar"
                | "unzip"
                | "ln"
                | "chmod"
                | "docker"
        );
        if fetches && words.skip(1).any(|word| word.to_ascii_lowercase().contains("paceline")) {
            return;
        }
    }
}
