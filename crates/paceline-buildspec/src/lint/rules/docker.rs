//! Docker: who may run it, and who starts it.

use super::{Found, rule};
use crate::lint::document::{Document, scalar};
use crate::lint::finding::Severity;
use crate::shell::Call;
use crate::yaml::Kind;

rule!(PRIVILEGED, "PL311", Warning, "privileged mode that nothing needs", privileged);
rule!(UNPRIVILEGED, "PL312", Warning, "Docker without privileged mode", unprivileged);
rule!(DAEMON, "PL313", Note, "a Docker daemon of one's own", daemon);

/// What needs a daemon: builds, runs and pulls, also where a tool does them.
fn needs_daemon(call: &Call<'_>) -> bool {
    let arguments = call.arguments();
    let first = arguments.iter().find(|word| !word.starts_with('-')).map(String::as_str);
    match call.program() {
        // `docker login` only writes a file.
        "docker" => {
            !matches!(first, None | Some("login" | "logout" | "--version" | "version" | "help" | "context"))
        }
        "sam" => call.has(&["--use-container", "-u"]),
        "docker-compose" | "dockerd" | "earthly" | "act" | "kind" | "k3d" | "minikube" => true,
        _ => false,
    }
}

/// Something may run Docker that cannot be looked into: a script, make, the CDK with its image assets.
fn may_need_daemon(call: &Call<'_>) -> bool {
    let program = call.program();
    program.is_empty()
        || call.words[0].shown().contains('/')
        || std::path::Path::new(&program)
            .extension()
            .is_some_and(|extension| extension == "sh" || extension == "py" || extension == "js")
        || matches!(
            program,
            "make"
                | "just"
                | "task"
                | "cdk"
                | "npx"
                | "npm"
                | "yarn"
                | "pnpm"
                | "bash"
                | "sh"
                | "source"
                | "."
                | "python"
                | "python3"
                | "node"
                | "mvn"
                | "./mvnw"
                | "gradle"
                | "pytest"
                | "go"
                | "cargo"
                | "dotnet"
                | "paceline"
                | "eval"
                | "sam"
                | "copilot"
                | "serverless"
                | "sls"
                | "pulumi"
                | "terraform"
                | "ansible-playbook"
                | "tox"
                | "nx"
                | "turbo"
                | "lerna"
                | "bazel"
                | "pack"
                | "skaffold"
                | "amplify"
                | "sbt"
                | "php"
                | "ruby"
                | "bundle"
                | "rake"
        )
}

fn privileged(document: &Document<'_>, found: &mut Found<'_>) {
    let says_so = document.calls().any(|(_, call)| needs_daemon(&call) || may_need_daemon(&call));
    // Windows scripts are not read, and a file without commands says nothing.
    if says_so || document.steps.is_empty() {
        return;
    }
    let project = document.context.project.as_ref();
    if let Some((key, _)) =
        document.entry("phases").filter(|_| project.is_some_and(|project| project.privileged))
    {
        let finding = found.at(key.span.clone());
        finding.says("nothing in this buildspec runs Docker, and the builds of its project are privileged");
        finding.hint("turn off the project's privileged mode");
    }
    for list in ["batch.build-graph", "batch.build-list"] {
        for task in document.list(list) {
            let Kind::Map(entries) = &task.kind else { continue };
            let get =
                |key: &str| entries.iter().find(|(candidate, _)| candidate.text == key).map(|(_, node)| node);
            // A buildspec of its own has commands of its own.
            if get("buildspec").is_some() {
                continue;
            }
            let Some(Kind::Map(env)) = get("env").map(|node| &node.kind) else { continue };
            let flag = env.iter().find(|(key, _)| key.text == "privileged-mode");
            if let Some((key, node)) = flag
                && matches!(scalar(node), Some("true" | "yes" | "True"))
            {
                let finding = found.at(key.span.start..node.span.end);
                finding.says("nothing in this buildspec runs Docker, and privileged mode gives a build the machine it runs on");
                finding.hint("remove it");
            }
        }
    }
}

fn unprivileged(document: &Document<'_>, found: &mut Found<'_>) {
    let Some(project) = &document.context.project else { return };
    let sets_privileged = document.text().contains("privileged-mode");
    if project.privileged || project.has_docker_server || project.is_lambda() || sets_privileged {
        return;
    }
    if let Some((step, call)) = document.calls().find(|(_, call)| needs_daemon(call)) {
        let finding = found.at(document.first_line(step.source(&call.span)));
        if project.in_vpc {
            finding.says("this needs Docker, and builds in a VPC have a daemon only in privileged mode");
            finding.as_severity(Severity::Error);
        } else {
            finding.says(
                "this needs Docker, and the project's builds are not privileged: there may be no daemon",
            );
        }
        finding.hint("turn on privileged mode, or give the project a Docker server");
    }
}

fn daemon(document: &Document<'_>, found: &mut Found<'_>) {
    let project = document.context.project.as_ref();
    if project.is_some_and(|project| project.image.is_some() && !project.is_managed()) {
        return;
    }
    for (step, call) in document.calls() {
        let arguments = call.arguments();
        let starts = match call.program() {
            "dockerd" | "dockerd-entrypoint.sh" => true,
            "service" => {
                arguments.first().is_some_and(|word| word == "docker")
                    && arguments.get(1).is_some_and(|word| word == "start")
            }
            "systemctl" => {
                arguments.first().is_some_and(|word| word == "start")
                    && arguments.get(1).is_some_and(|word| word.starts_with("docker"))
            }
            _ => false,
        };
        if starts {
            let finding = found.at(document.first_line(step.source(&call.span)));
            finding.says("AWS's own images start Docker themselves when the build is privileged");
            finding.hint("remove it, unless the build image is one of your own");
            if project.is_some() {
                finding.as_severity(Severity::Warning);
            }
        }
    }
}
