//! Descriptions of the keys of a buildspec, written by hand, for the schema.

/// The description of a key.
pub(super) fn description(path: &str) -> Option<&'static str> {
    let found = DESCRIPTIONS.iter().find(|(pattern, _)| is_at(path, pattern));
    found.map(|(_, description)| *description)
}

/// Whether a pattern of a description matches the path of a key.
pub(super) fn is_at(path: &str, pattern: &str) -> bool {
    let (path, pattern) = (path.split('.'), pattern.split('.'));
    path.clone().count() == pattern.clone().count()
        && path.zip(pattern).all(|(part, expected)| {
            part == expected || expected.split('|').any(|alternative| alternative == part)
        })
}

/// The descriptions by pattern of a path: `a|b` matches either name.
pub(super) const DESCRIPTIONS: &[(&str, &str)] = &[
    ("version", "The version of the format. In 0.1 every command has a shell of its own; use 0.2."),
    ("run-as", "The Linux user that runs every phase which does not name its own. Default: root."),
    ("env", "The shell, and the variables of every command."),
    (
        "env.shell",
        "The shell that runs the commands. Default on Linux: sh, which is dash on the Ubuntu images.",
    ),
    ("env.variables", "Variables in plain text. Values are literal: `$PATH` in one is not expanded."),
    (
        "env.parameter-store",
        "Variables from the Systems Manager Parameter Store: variable to parameter name.",
    ),
    (
        "env.secrets-manager",
        "Variables from Secrets Manager: variable to `secret-id:json-key:version-stage:version-id`.",
    ),
    ("env.exported-variables", "Variables that later actions of a pipeline can read."),
    ("env.git-credential-helper", "Whether git commands may use CodeBuild's credentials. Default: no."),
    ("proxy", "For builds behind an explicit proxy server."),
    ("proxy.upload-artifacts", "Whether artifacts are uploaded through the proxy. Default: no."),
    ("proxy.logs", "Whether logs are sent through the proxy. Default: no."),
    ("phases", "The commands of the build. Phases run in the order install, pre_build, build, post_build."),
    ("phases.install", "Runtimes and packages of the build environment."),
    ("phases.pre_build", "Commands before the build, such as signing in to a registry."),
    ("phases.build", "The build."),
    ("phases.post_build", "Commands after the build. They run after a failed build phase too."),
    ("phases.install|pre_build|build|post_build.run-as", "The Linux user that runs this phase."),
    (
        "phases.install|pre_build|build|post_build.on-failure",
        "The action when the phase fails: ABORT, CONTINUE, RETRY, RETRY-count, RETRY-pattern or RETRY-count-pattern. RETRY runs the build again, up to 100 times.",
    ),
    ("phases.install.runtime-versions", "Runtimes to select: name to version, such as `nodejs: 22`."),
    (
        "phases.install|pre_build|build|post_build.commands",
        "Each item is a script. If it has several lines, only the status of the last command counts, unless the script says `set -e`.",
    ),
    (
        "phases.install|pre_build|build|post_build.finally",
        "Commands that run after the others, even if those failed.",
    ),
    ("reports", "Test and coverage reports, by report group name or ARN."),
    ("reports.*.files", "The files with the raw results, `**/*` for all."),
    ("reports.*.base-directory", "The folder of the files."),
    ("reports.*.discard-paths", "Whether the folders of the files are dropped. Default: no."),
    ("reports.*.file-format", "The format of the files. Default: JUNITXML."),
    ("artifacts", "The files that the build uploads."),
    ("artifacts.files", "The files to upload, `**/*` for all."),
    ("artifacts.name", "The name of the artifact, with shell commands such as `$(date +%F)`."),
    ("artifacts.discard-paths", "Whether the folders of the files are dropped. Default: no."),
    ("artifacts.base-directory", "The folder of the files."),
    ("artifacts.exclude-paths", "The files to leave out."),
    ("artifacts.enable-symlinks", "Whether a ZIP keeps symbolic links. Default: no."),
    ("artifacts.s3-prefix", "A folder for the artifact in its bucket."),
    ("artifacts.secondary-artifacts", "More artifacts, by an identifier that the project declares too."),
    ("artifacts.secondary-artifacts.*.files", "The files to upload, `**/*` for all."),
    ("artifacts.secondary-artifacts.*.name", "The name of the artifact."),
    (
        "artifacts.secondary-artifacts.*.discard-paths",
        "Whether the folders of the files are dropped. Default: no.",
    ),
    ("artifacts.secondary-artifacts.*.base-directory", "The folder of the files."),
    ("artifacts.secondary-artifacts.*.exclude-paths", "The files to leave out."),
    ("artifacts.secondary-artifacts.*.enable-symlinks", "Whether a ZIP keeps symbolic links. Default: no."),
    ("artifacts.secondary-artifacts.*.s3-prefix", "A folder for the artifact in its bucket."),
    ("cache", "The files that are kept for the next build, if the project has a cache."),
    ("cache.paths", "The files to keep."),
    (
        "cache.key",
        "The name of this state of the cache, such as `npm-$(codebuild-hash-files package-lock.json)`. An existing cache is never updated.",
    ),
    (
        "cache.fallback-keys",
        "Beginnings of keys. If there is no cache for the key, a cache whose key begins so is used. At most five.",
    ),
    ("cache.action", "Whether the cache is only restored or only saved. Default: both."),
    ("batch", "Several builds from one buildspec, for builds that are started as a batch."),
    ("batch.fast-fail", "Whether the first failure stops the others. Default: false."),
    ("batch.build-graph", "Builds that wait for each other."),
    ("batch.build-list", "Builds that do not wait for each other."),
    ("batch.build-matrix", "One build for every combination of settings."),
    ("batch.build-fanout", "One build for every part of the tests."),
    ("batch.build-graph[]|build-list[].identifier", "The name of the build in the batch."),
    ("batch.build-graph[]|build-list[].buildspec", "The buildspec of this build, if it is not this one."),
    (
        "batch.build-graph[]|build-list[].debug-session",
        "Whether people may connect to the running build. Default: false.",
    ),
    (
        "batch.build-graph[]|build-list[].ignore-failure",
        "Whether the batch continues and succeeds when this build fails. Default: false.",
    ),
    ("batch.build-graph[]|build-list[].depend-on", "The builds of the graph that have to succeed before."),
    (
        "batch.build-graph[]|build-list[].env",
        "Settings of the environment that differ from those of the project.",
    ),
    (
        "batch.build-graph[]|build-list[].env.compute-type",
        "The size of the build's machine, such as BUILD_GENERAL1_LARGE. Not together with `fleet`.",
    ),
    ("batch.build-graph[]|build-list[].env.fleet", "The reserved capacity that runs the build."),
    ("batch.build-graph[]|build-list[].env.image", "The build image."),
    (
        "batch.build-graph[]|build-list[].env.privileged-mode",
        "Whether the build may run Docker. Default: false.",
    ),
    ("batch.build-graph[]|build-list[].env.type", "The kind of environment, such as LINUX_CONTAINER."),
    ("batch.build-graph[]|build-list[].env.variables", "Variables in plain text."),
    ("batch.build-matrix.static", "Settings that every combination has."),
    (
        "batch.build-matrix.static.ignore-failure",
        "Whether the batch continues and succeeds when a build fails. Default: false.",
    ),
    ("batch.build-matrix.static.env", "Settings of the environment that differ from those of the project."),
    ("batch.build-matrix.static.env.privileged-mode", "Whether builds may run Docker. Default: false."),
    ("batch.build-matrix.static.env.type", "The kind of environment, such as LINUX_CONTAINER."),
    ("batch.build-matrix.dynamic", "The settings that are combined: a list for each."),
    ("batch.build-matrix.dynamic.buildspec", "Buildspecs."),
    ("batch.build-matrix.dynamic.env", "Settings of the environment."),
    ("batch.build-matrix.dynamic.env.compute-type", "Sizes of machines."),
    ("batch.build-matrix.dynamic.env.image", "Build images."),
    ("batch.build-matrix.dynamic.env.variables", "Values of variables: variable to list."),
    ("batch.build-fanout.parallelism", "The number of builds that share the tests."),
    (
        "batch.build-fanout.ignore-failure",
        "Whether the batch continues and succeeds when a build fails. Default: false.",
    ),
];
