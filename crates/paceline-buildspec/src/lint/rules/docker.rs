//! Docker: the rights to use it, and the start of its daemon.

use crate::grammar::{Document, entry, scalar, value};
use crate::lint::finding::Severity;
use crate::lint::rule::{Checker, rule};
use crate::shell::Call;
use crate::shell::programs::{Fact, has};

rule!(PRIVILEGED, "PL311", Warning, "privileged mode that nothing needs", privileged);
rule!(UNPRIVILEGED, "PL312", Warning, "Docker without privileged mode", unprivileged);
rule!(DAEMON, "PL313", Note, "a Docker daemon that the build starts itself", daemon);

/// Whether a call certainly needs a Docker daemon, because it builds, runs or pulls images.
fn needs_daemon(call: &Call<'_>) -> bool {
    let words = call.texts();
    match call.program() {
        // `docker login` only writes a file.
        "docker" => {
            let has_subcommand = call.arguments().iter().any(|word| !word.starts_with('-'));
            has_subcommand && !has(words, Fact::WorksWithoutDocker)
        }
        "sam" => call.has(&["--use-container", "-u"]),
        _ => has(words, Fact::NeedsDocker),
    }
}

/// Whether a call may need a Docker daemon, because it runs a script or a tool that is not read here.
fn may_need_daemon(call: &Call<'_>) -> bool {
    let program = call.program();
    let is_script = [".sh", ".py", ".js"].iter().any(|ending| program.ends_with(ending));
    program.is_empty()
        || is_script
        || call.words[0].shown().contains('/')
        || has(call.texts(), Fact::MayNeedDocker)
}

fn privileged(document: &Document<'_>, checker: &mut Checker<'_>) {
    let says_so = document.calls().any(|(_, call)| needs_daemon(&call) || may_need_daemon(&call));
    // Windows scripts are not read, and a file without commands proves nothing.
    if says_so || document.items.is_empty() {
        return;
    }
    let project = checker.project();
    if let Some((key, _)) =
        document.entry("phases").filter(|_| project.is_some_and(|project| project.privileged))
    {
        let finding = checker.report(key.span.clone());
        finding.message("nothing in this buildspec runs Docker, but its project runs privileged builds");
        finding.hint("switch off the privileged mode of the project");
    }
    for list in ["batch.build-graph", "batch.build-list"] {
        for task in document.list(list) {
            // A task with its own buildspec has its own commands.
            if value(task, "buildspec").is_some() {
                continue;
            }
            if let Some((key, node)) = value(task, "env").and_then(|env| entry(env, "privileged-mode"))
                && matches!(scalar(node), Some("true" | "yes" | "True"))
            {
                let finding = checker.report(key.span.start..node.span.end);
                finding.message("nothing in this buildspec runs Docker, and privileged mode gives a build access to its machine");
                finding.hint("remove it");
            }
        }
    }
}

fn unprivileged(document: &Document<'_>, checker: &mut Checker<'_>) {
    let Some(project) = checker.project() else { return };
    let sets_privileged = document.text().contains("privileged-mode");
    if project.privileged || project.has_docker_server || project.is_lambda() || sets_privileged {
        return;
    }
    if let Some((item, call)) = document.calls().find(|(_, call)| needs_daemon(call)) {
        let finding = checker.report(document.first_line(item.source(&call.span)));
        if project.in_vpc {
            finding.message("this needs Docker, and in a VPC only privileged builds have a daemon");
            finding.as_severity(Severity::Error);
        } else {
            finding.message(
                "this needs Docker, but the builds of the project are not privileged: there may be no daemon",
            );
        }
        finding.hint("switch on privileged mode, or give the project a Docker server");
    }
}

fn daemon(document: &Document<'_>, checker: &mut Checker<'_>) {
    let project = checker.project();
    if project.is_some_and(|project| project.image.is_some() && !project.is_managed()) {
        return;
    }
    for (item, call) in document.calls() {
        if has(call.texts(), Fact::StartsDocker) {
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message("the images of AWS start Docker themselves in a privileged build");
            finding.hint("remove it, unless you use your own build image");
            if project.is_some() {
                finding.as_severity(Severity::Warning);
            }
        }
    }
}
