//! The runtimes that a build selects.

use super::{Found, rule};
use crate::lint::context::ProjectFacts;
use crate::lint::document::{Document, scalar};
use crate::lint::finding::Severity;

rule!(LATEST, "PL431", Warning, "a runtime that changes without notice", latest);
rule!(MISSING, "PL432", Note, "a runtime that the image chooses", missing);
rule!(NAME, "PL433", Warning, "a runtime that no image has", name);

/// The runtimes of the images, and what calls each of them.
const RUNTIMES: &[(&str, &[&str])] = &[
    ("nodejs", &["npm", "npx", "node", "yarn", "pnpm", "cdk"]),
    ("python", &["python", "python3", "pip", "pip3", "pytest", "poetry"]),
    ("golang", &["go"]),
    ("java", &["java", "mvn", "gradle", "javac"]),
    ("ruby", &["ruby", "bundle", "gem", "rake"]),
    ("php", &["php", "composer"]),
    ("dotnet", &["dotnet"]),
    ("rust", &[]),
    // Of images that are no longer maintained.
    ("android", &[]),
    ("docker", &[]),
];

fn latest(document: &Document<'_>, found: &mut Found<'_>) {
    for (key, node) in document.map("phases.install.runtime-versions") {
        let Some(version) = scalar(node) else { continue };
        let runtime = &key.text;
        if version.eq_ignore_ascii_case("latest") {
            let finding = found.at(node.span.clone());
            finding.says(format!("the version of {runtime} changes whenever the image does"));
            finding.hint("name the version that the build is meant for");
        } else if version.trim().is_empty() {
            found.at(key.span.clone()).says(format!("{runtime} has no version"));
        }
    }
}

fn missing(document: &Document<'_>, found: &mut Found<'_>) {
    // Who selects no runtime may have an image of his own; who installs one has a way of his own.
    let is_managed = document.context.project.as_ref().is_some_and(ProjectFacts::is_managed);
    if !is_managed || document.entry("phases.install.runtime-versions").is_some() {
        return;
    }
    for (runtime, programs) in RUNTIMES {
        let mut calls = document.calls();
        let used = calls.find(|(_, call)| programs.contains(&call.program()));
        let installs_it = document.calls().any(|(_, call)| {
            matches!(
                call.program(),
                "nvm" | "n" | "pyenv" | "goenv" | "rbenv" | "phpenv" | "asdf" | "mise" | "fnm" | "volta"
            )
        });
        if let Some((step, call)) = used.filter(|_| !installs_it) {
            let finding = found.at(document.first_line(step.source(&call.span)));
            finding.says(format!("the image chooses the version of {runtime} here"));
            finding.hint("name it in `phases.install.runtime-versions`");
            return;
        }
    }
}

fn name(document: &Document<'_>, found: &mut Found<'_>) {
    for (key, _) in document.map("phases.install.runtime-versions") {
        let runtime = key.text.as_str();
        if RUNTIMES.iter().any(|(known, _)| *known == runtime) {
            if matches!(runtime, "docker" | "android") {
                let finding = found.at(key.span.clone());
                finding.says(format!("only images that are no longer maintained have the runtime {runtime}"));
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
        let finding = found.at(key.span.clone());
        finding.says(format!("no image has a runtime {runtime}"));
        match meant {
            Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
            None => finding.hint("there are nodejs, python, golang, java, ruby, php, dotnet and rust"),
        };
    }
}
