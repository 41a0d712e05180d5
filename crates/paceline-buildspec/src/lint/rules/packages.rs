//! Package managers and other tools that are called as if somebody could answer their questions.

use crate::grammar::Document;
use crate::lint::finding::Edit;
use crate::lint::rule::{Checker, rule};
use crate::shell::Call;
use crate::shell::programs::cdk;

rule!(UNPINNED, "PL503", Warning, "a tool that is installed in its newest version", unpinned);
rule!(NPM_INSTALL, "PL504", Warning, "`npm install` with a lock file", npm_install);
rule!(QUESTION, "PL505", Warning, "a command that asks a question", question);
rule!(GET_LOGIN, "PL506", Error, "a command that the AWS CLI no longer has", get_login);

fn unpinned(document: &Document<'_>, checker: &mut Checker<'_>) {
    fetched(document, checker);
    for (item, call) in document.calls() {
        let installs = (call.is(&["npm", "install"]) || call.is(&["npm", "i"]) || call.is(&["pnpm", "add"]))
            && call.has(&["-g", "--global"])
            || call.is(&["yarn", "global", "add"]);
        if !installs {
            continue;
        }
        let skipped = if call.program() == "yarn" { 2 } else { 1 };
        let packages = call.words[1..].iter().filter(|word| !word.shown().starts_with('-')).skip(skipped);
        for word in packages {
            let package = word.shown();
            // A scope starts with `@`, which is not followed by a version. A file or an address needs no
            // version.
            let version = package
                .get(1..)
                .and_then(|rest| rest.rsplit_once('@'))
                .map(|(_, version)| version.to_owned());
            let is_package =
                !package.is_empty() && !package.starts_with(['.', '/', '$']) && !package.contains(':');
            // npm itself and similar tools are updated on purpose.
            let is_manager = matches!(package.as_str(), "npm" | "yarn" | "pnpm" | "corepack" | "n");
            let is_open = version.as_deref().is_none_or(|version| matches!(version, "latest" | "next" | "*"));
            if is_package && is_open && !is_manager {
                let finding = checker.report(item.source(&word.span));
                finding.message(format!("every build installs the newest {package}"));
                finding.hint(format!(
                    "give a version, as in {}@2, or make it a dependency and use npx",
                    package.split_once("@latest").map_or(package.as_str(), |(name, _)| name)
                ));
            }
        }
    }
}

/// Finds `npx --yes cdk`, which fetches the newest version if the project has none.
fn fetched(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (item, call) in document.calls() {
        let fetches = match call.program() {
            "npx" => call.has(&["-y", "--yes"]),
            "bunx" | "pnpx" => true,
            _ => false,
        };
        let word = call.words[1..].iter().find(|word| !word.shown().starts_with('-'));
        let Some(word) = word.filter(|_| fetches) else { continue };
        let package = word.shown();
        let version = package.get(1..).and_then(|rest| rest.rsplit_once('@')).map(|(_, version)| version);
        let name = package.split_once('@').map_or(package.as_str(), |(name, _)| name);
        let is_open = version.is_none_or(|version| matches!(version, "latest" | "next"));
        if matches!(name, "cdk" | "aws-cdk") && is_open {
            let finding = checker.report(item.source(&word.span));
            finding.message("without a version in package.json every build runs the newest CDK CLI");
            finding
                .hint("make aws-cdk a dependency and call `npx cdk`, or give a version: npx --yes aws-cdk@2");
        }
    }
}

fn npm_install(document: &Document<'_>, checker: &mut Checker<'_>) {
    let names_lock = document.text().contains("package-lock.json");
    if !checker.context.has_npm_lock && !names_lock {
        return;
    }
    for (item, call) in
        document.calls().filter(|(_, call)| call.is(&["npm", "install"]) || call.is(&["npm", "i"]))
    {
        let arguments = call.arguments();
        let has_packages = arguments.iter().filter(|word| !word.starts_with('-')).count() > 1;
        // The values of `--prefix DIR` and similar options look like packages.
        if has_packages || call.has(&["-g", "--global", "--package-lock-only"]) {
            continue;
        }
        let finding = checker.report(document.first_line(item.source(&call.span)));
        finding.message("this may install other versions than those of the lock file, and change the file");
        finding.hint("use `npm ci`");
        let word = call.words[1..].iter().find(|word| word.is("install") || word.is("i"));
        if let Some(word) = word {
            let span = item.source(&word.span);
            if document.text().get(span.clone()).is_some_and(|text| matches!(text, "install" | "i")) {
                finding.fix([Edit::replace(span, "ci")]);
            }
        }
    }
}

fn question(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (item, call) in document.calls().filter(|(_, call)| !call.context.fed) {
        // The answer may come from a file.
        if call.redirects.iter().any(|redirect| matches!(redirect.operator, "<" | "<<" | "<<-" | "<<<")) {
            continue;
        }
        let Some((what, option, mendable)) = asks(&call) else { continue };
        let finding = checker.report(document.first_line(item.source(&call.span)));
        finding.message(format!("{what} asks a question, and a build cannot answer"));
        finding.hint(format!("add {option}"));
        let word = call.words[1..]
            .iter()
            .find(|word| mendable && (word.is("install") || word.is("upgrade") || word.is("remove")));
        if let Some(word) = word {
            let span = item.source(&word.span);
            if document
                .text()
                .get(span.clone())
                .is_some_and(|text| matches!(text, "install" | "upgrade" | "remove"))
            {
                finding.fix([Edit::insert(span.end, format!(" {option}"))]);
            }
        }
    }
}

/// The program that asks, the option that answers, and whether adding the option is all that is needed.
fn asks(call: &Call<'_>) -> Option<(&'static str, &'static str, bool)> {
    let packages = [
        ("apt-get", "install"),
        ("apt", "install"),
        ("yum", "install"),
        ("dnf", "install"),
        ("apt-get", "upgrade"),
        ("apt-get", "remove"),
        ("yum", "remove"),
    ];
    if packages.iter().any(|(program, command)| call.is(&[program, command]) && call.program() == *program) {
        let answered = call.has(&[
            "-y",
            "--yes",
            "--assume-yes",
            "--assumeyes",
            "-qq",
            "--download-only",
            "-s",
            "--simulate",
        ]);
        let program = packages
            .iter()
            .find(|(program, _)| call.program() == *program)
            .map_or("it", |(program, _)| program);
        return (!answered).then_some((program, "-y", true));
    }
    if cdk::read(call.texts()).is_some_and(|cdk| cdk.command == "destroy") {
        return (!call.has(&["-f", "--force"])).then_some(("`cdk destroy`", "--force", false));
    }
    if call.is(&["terraform", "apply"]) || call.is(&["terraform", "destroy"]) {
        let arguments = call.arguments();
        let has_plan = arguments.iter().filter(|word| !word.starts_with('-')).count() > 1;
        let answered = call.has(&["-auto-approve", "--auto-approve", "-input"]);
        return (!answered && !has_plan).then_some(("terraform", "-auto-approve", false));
    }
    None
}

fn get_login(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (item, call) in document.calls().filter(|(_, call)| call.program() == "aws") {
        let words: Vec<&String> = call.arguments().iter().filter(|word| !word.starts_with('-')).collect();
        let is_it = words.windows(2).any(|pair| pair == ["ecr", "get-login"]);
        if is_it {
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message("version 2 of the AWS CLI has no `aws ecr get-login`");
            finding
                .hint("aws ecr get-login-password | docker login --username AWS --password-stdin REGISTRY");
        }
    }
}
