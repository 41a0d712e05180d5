//! The runtimes that a build selects.

use crate::grammar::{Document, scalar};
use crate::lint::context::ProjectFacts;
use crate::lint::finding::Severity;
use crate::lint::rule::{Checker, rule};
use crate::shell::programs::{Fact, has};

rule!(LATEST, "PL431", Warning, "a runtime that changes without notice", latest);
rule!(MISSING, "PL432", Note, "a runtime that the image chooses", missing);
rule!(NAME, "PL433", Warning, "a runtime that no image has", name);

/// The runtimes of the images. The last two are in images that are no longer maintained.
const RUNTIMES: [&str; 10] =
    ["nodejs", "python", "golang", "java", "ruby", "php", "dotnet", "rust", "android", "docker"];

fn latest(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (key, node) in document.map("phases.install.runtime-versions") {
        let Some(version) = scalar(node) else { continue };
        let runtime = &key.text;
        if version.eq_ignore_ascii_case("latest") {
            let finding = checker.report(node.span.clone());
            finding.message(format!("the version of {runtime} changes with the image"));
            finding.hint("give the version that the build needs");
        } else if version.trim().is_empty() {
            checker.report(key.span.clone()).message(format!("{runtime} has no version"));
        }
    }
}

fn missing(document: &Document<'_>, checker: &mut Checker<'_>) {
    // The team's own image has its own runtimes, and a script can install others.
    let is_managed = checker.project().is_some_and(ProjectFacts::is_managed);
    if !is_managed || document.entry("phases.install.runtime-versions").is_some() {
        return;
    }
    if document.calls().any(|(_, call)| has(call.texts(), Fact::ManagesRuntimes)) {
        return;
    }
    for runtime in RUNTIMES {
        let used = document.calls().find(|(_, call)| has(call.texts(), Fact::Runtime(runtime)));
        if let Some((item, call)) = used {
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message(format!("the image chooses the version of {runtime} here"));
            finding.hint("set it in `phases.install.runtime-versions`");
            return;
        }
    }
}

fn name(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (key, _) in document.map("phases.install.runtime-versions") {
        let runtime = key.text.as_str();
        if RUNTIMES.contains(&runtime) {
            if matches!(runtime, "docker" | "android") {
                let finding = checker.report(key.span.clone());
                finding
                    .message(format!("only images that are no longer maintained have the runtime {runtime}"));
                finding.hint("remove it").as_severity(Severity::Note);
            }
            continue;
        }
        let meant = match runtime.to_ascii_lowercase().as_str() {
            "node" | "node.js" | "nodejs" | "npm" => Some("nodejs"),
            "go" | "golang" => Some("golang"),
            "python3" | "python" => Some("python"),
            "jdk" | "corretto" | "openjdk" | "java" => Some("java"),
            "net" | ".net" | "dotnetcore" | "dotnet" => Some("dotnet"),
            _ => None,
        };
        let finding = checker.report(key.span.clone());
        finding.message(format!("no image has a runtime {runtime}"));
        match meant {
            Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
            None => finding.hint("the runtimes are nodejs, python, golang, java, ruby, php, dotnet and rust"),
        };
    }
}
