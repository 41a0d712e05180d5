//! Reads YAML into a [`Buildspec`], and reports every problem of the file instead of only the first one.

use std::fmt;

use paceline_text::Explained;

use super::batch::{Batch, Builds, Fanout, Matrix, Task, TaskEnvironment};
use super::on_failure::OnFailureError;
use super::{
    ArtifactSet, Artifacts, Buildspec, Cache, CacheAction, Environment, OnFailure, Phase, PhaseName, Phases,
    Proxy, Report, ReportFormat, Shell, Version,
};
use crate::yaml::{self, At, Kind, Node, Style};

mod fields;
mod recorder;

use fields::{Fields, Reader};
pub(super) use recorder::Recorder;

/// A buildspec, and its unknown keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub buildspec: Buildspec,
    /// Keys that are not in the grammar. AWS does not document what CodeBuild does with them.
    pub unknown: Vec<Problem>,
}

/// A problem at one place of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub at: At,
    /// The keys that lead to the place, such as `phases.build.on-failure`.
    pub path: String,
    pub message: String,
    pub hint: Option<String>,
    pub kind: ProblemKind,
}

/// The kind of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// The text is not YAML, or it is larger than any buildspec.
    Unreadable,
    /// A key is set twice.
    Duplicate,
    /// A required key is missing.
    Missing,
    /// A value has the wrong form.
    Value,
    /// Keys that exclude each other.
    Conflict,
    /// A key is in a wrong place.
    Misplaced,
    /// A command that YAML reads as a map, because of a colon.
    Colon,
    /// A key that is not in the grammar, and the key that its author probably meant.
    Unknown { meant: Option<String> },
}

/// The result of reading a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The buildspec, as far as it could be read.
    pub buildspec: Option<Buildspec>,
    pub invalid: Vec<Problem>,
    pub unknown: Vec<Problem>,
}

/// All reasons why a file is not a buildspec, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.at)?;
        if !self.path.is_empty() {
            write!(f, "`{}` ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ReadError {}

impl Explained for ReadError {
    fn problems(&self) -> Vec<paceline_text::Problem> {
        let explained = |problem: &Problem| paceline_text::Problem {
            place: None,
            message: problem.to_string(),
            hint: problem.hint.clone(),
        };
        self.problems.iter().map(explained).collect()
    }
}

impl Buildspec {
    /// Reads a buildspec. Unknown keys are no error.
    pub fn read(text: &str) -> Result<Read, ReadError> {
        let root = yaml::parse(text).map_err(|error| ReadError {
            problems: vec![Problem {
                at: error.at,
                path: String::new(),
                message: error.message,
                hint: None,
                kind: ProblemKind::Unreadable,
            }],
        })?;
        let Examined { buildspec, invalid, unknown } = Self::examine(&root);
        match buildspec {
            Some(buildspec) if invalid.is_empty() => Ok(Read { buildspec, unknown }),
            _ => Err(ReadError { problems: invalid }),
        }
    }

    /// Reads as much of a tree as possible, and reports all its problems in the order of the text.
    pub fn examine(root: &Node) -> Examined {
        let mut reader = Reader::default();
        let buildspec = buildspec(&mut reader, root);
        let Reader { mut invalid, mut unknown, .. } = reader;
        invalid.sort_by_key(|problem| problem.at);
        unknown.sort_by_key(|problem| problem.at);
        Examined { buildspec, invalid, unknown }
    }
}

/// Makes the reader record the keys that it asks for, instead of reading values.
pub(super) fn record() -> Recorder {
    let mut reader = Reader::recording();
    buildspec(&mut reader, &nothing());
    reader.recorder.unwrap_or_default()
}

fn nothing() -> Node {
    let nothing = Kind::Scalar { text: String::new(), style: Style::Plain };
    Node { at: At { line: 1, column: 1 }, span: 0..0, kind: nothing, tag: None }
}

fn buildspec(r: &mut Reader, root: &Node) -> Option<Buildspec> {
    let mut f = r.map(root, "")?;
    // Both numbers and strings are accepted: `0.2` and `"0.2"`.
    let version =
        f.required(r, "version", |r, node, path| r.one_of(node, path, &Version::ALL, Version::as_str));
    let spec = Buildspec {
        version: version.unwrap_or_default(),
        run_as: f.text(r, "run-as"),
        env: f.with(r, "env", environment).unwrap_or_default(),
        proxy: f.with(r, "proxy", proxy).unwrap_or_default(),
        batch: f.with(r, "batch", batch),
        phases: f.required(r, "phases", phases).unwrap_or_default(),
        reports: f.map_of(r, "reports", report),
        artifacts: f.with(r, "artifacts", artifacts),
        cache: f.with(r, "cache", cache),
    };
    f.finish(r);
    Some(spec)
}

fn environment(r: &mut Reader, node: &Node, path: &str) -> Option<Environment> {
    let mut f = r.map(node, path)?;
    let env = Environment {
        shell: f.with(r, "shell", |r, node, path| r.one_of(node, path, &Shell::ALL, Shell::as_str)),
        variables: f.texts_by_name(r, "variables"),
        parameter_store: f.texts_by_name(r, "parameter-store"),
        secrets_manager: f.texts_by_name(r, "secrets-manager"),
        exported_variables: f.texts(r, "exported-variables"),
        git_credential_helper: f.flag(r, "git-credential-helper"),
    };
    f.finish(r);
    Some(env)
}

fn proxy(r: &mut Reader, node: &Node, path: &str) -> Option<Proxy> {
    let mut f = r.map(node, path)?;
    let proxy = Proxy { upload_artifacts: f.flag(r, "upload-artifacts"), logs: f.flag(r, "logs") };
    f.finish(r);
    Some(proxy)
}

fn phases(r: &mut Reader, node: &Node, path: &str) -> Option<Phases> {
    let mut f = r.map(node, path)?;
    let mut read = |r: &mut Reader, name: PhaseName| {
        f.with(r, name.as_str(), |r, node, path| phase(r, node, path, name))
    };
    let phases = Phases {
        install: read(r, PhaseName::Install),
        pre_build: read(r, PhaseName::PreBuild),
        build: read(r, PhaseName::Build),
        post_build: read(r, PhaseName::PostBuild),
    };
    f.finish(r);
    Some(phases)
}

fn phase(r: &mut Reader, node: &Node, path: &str, name: PhaseName) -> Option<Phase> {
    let mut f = r.map(node, path)?;
    let install = name == PhaseName::Install;
    let phase = Phase {
        run_as: f.text(r, "run-as"),
        on_failure: f.with(r, "on-failure", |r, node, path| {
            let text = r.text_like(node, path, OnFailure::PATTERN)?;
            let wrong = |error: OnFailureError| r.invalid(node.at, path, &error.to_string(), None);
            text.parse().map_err(wrong).ok()
        }),
        runtime_versions: if install {
            f.texts_by_name(r, "runtime-versions")
        } else {
            f.misplaced(
                r,
                "runtime-versions",
                "stands in a phase other than install",
                "move it to `phases.install`",
            )
        },
        commands: if install {
            f.with(r, "commands", Reader::commands).unwrap_or_default()
        } else {
            f.required(r, "commands", Reader::commands).unwrap_or_default()
        },
        finally: f.with(r, "finally", Reader::commands).unwrap_or_default(),
    };
    f.finish(r);
    Some(phase)
}

fn report(r: &mut Reader, node: &Node, path: &str) -> Option<Report> {
    let mut f = r.map(node, path)?;
    let report = Report {
        files: f.required_texts(r, "files"),
        base_directory: f.text(r, "base-directory"),
        discard_paths: f.flag(r, "discard-paths"),
        file_format: f
            .with(r, "file-format", |r, node, path| {
                r.one_of(node, path, &ReportFormat::ALL, ReportFormat::as_str)
            })
            .unwrap_or_default(),
    };
    f.finish(r);
    Some(report)
}

fn artifacts(r: &mut Reader, node: &Node, path: &str) -> Option<Artifacts> {
    let mut f = r.map(node, path)?;
    let secondary = f.map_of(r, "secondary-artifacts", |r, node, path| {
        let mut f = r.map(node, path)?;
        Some(artifact_set(r, &mut f))
    });
    Some(Artifacts { set: artifact_set(r, &mut f), secondary })
}

fn artifact_set(r: &mut Reader, f: &mut Fields<'_>) -> ArtifactSet {
    let set = ArtifactSet {
        files: f.required_texts(r, "files"),
        name: f.text(r, "name"),
        discard_paths: f.flag(r, "discard-paths"),
        base_directory: f.text(r, "base-directory"),
        exclude_paths: f.texts(r, "exclude-paths"),
        enable_symlinks: f.flag(r, "enable-symlinks"),
        s3_prefix: f.text(r, "s3-prefix"),
    };
    f.finish(r);
    set
}

fn cache(r: &mut Reader, node: &Node, path: &str) -> Option<Cache> {
    let mut f = r.map(node, path)?;
    let cache = Cache {
        paths: f.required_texts(r, "paths"),
        key: f.text(r, "key"),
        fallback_keys: f.texts(r, "fallback-keys"),
        action: f
            .with(r, "action", |r, node, path| r.one_of(node, path, &CacheAction::ALL, CacheAction::as_str)),
    };
    f.finish(r);
    Some(cache)
}

fn batch(r: &mut Reader, node: &Node, path: &str) -> Option<Batch> {
    let mut f = r.map(node, path)?;
    let fast_fail = f.flag(r, "fast-fail");
    let kinds: [Option<Builds>; 4] = [
        f.with(r, "build-graph", |r, node, path| Some(Builds::Graph(r.list(node, path, task)))),
        f.with(r, "build-list", |r, node, path| Some(Builds::List(r.list(node, path, task)))),
        f.with(r, "build-matrix", |r, node, path| matrix(r, node, path).map(Builds::Matrix)),
        f.with(r, "build-fanout", |r, node, path| fanout(r, node, path).map(Builds::Fanout)),
    ];
    f.exactly_one(r, &["build-graph", "build-list", "build-matrix", "build-fanout"]);
    f.finish(r);
    Some(Batch { fast_fail, builds: kinds.into_iter().flatten().next()? })
}

fn task(r: &mut Reader, node: &Node, path: &str) -> Option<Task> {
    let mut f = r.map(node, path)?;
    let identifier = f.required(r, "identifier", Reader::text);
    let task = Task {
        identifier: identifier.unwrap_or_default(),
        buildspec: f.text(r, "buildspec"),
        debug_session: f.flag(r, "debug-session"),
        ignore_failure: f.flag(r, "ignore-failure"),
        depend_on: f.texts(r, "depend-on"),
        env: f.with(r, "env", task_environment).unwrap_or_default(),
    };
    f.finish(r);
    Some(task)
}

fn task_environment(r: &mut Reader, node: &Node, path: &str) -> Option<TaskEnvironment> {
    let mut f = r.map(node, path)?;
    let env = TaskEnvironment {
        compute_type: f.text(r, "compute-type"),
        fleet: f.text(r, "fleet"),
        image: f.text(r, "image"),
        privileged_mode: f.flag(r, "privileged-mode"),
        kind: f.text(r, "type"),
        variables: f.texts_by_name(r, "variables"),
    };
    f.not_both(r, ["compute-type", "fleet"], "the fleet decides the compute: remove `compute-type`");
    f.finish(r);
    Some(env)
}

fn matrix(r: &mut Reader, node: &Node, path: &str) -> Option<Matrix> {
    let mut f = r.map(node, path)?;
    let mut matrix = Matrix::default();
    f.with(r, "static", |r, node, path| {
        let mut f = r.map(node, path)?;
        matrix.ignore_failure = f.flag(r, "ignore-failure");
        f.with(r, "env", |r, node, path| {
            let mut f = r.map(node, path)?;
            matrix.privileged_mode = f.flag(r, "privileged-mode");
            matrix.kind = f.text(r, "type");
            f.finish(r);
            Some(())
        });
        f.finish(r);
        Some(())
    });
    f.with(r, "dynamic", |r, node, path| {
        let mut f = r.map(node, path)?;
        matrix.buildspecs = f.texts(r, "buildspec");
        f.with(r, "env", |r, node, path| {
            let mut f = r.map(node, path)?;
            matrix.compute_types = f.texts(r, "compute-type");
            matrix.images = f.texts(r, "image");
            matrix.variables = f.map_of(r, "variables", |r, node, path| Some(r.texts(node, path)));
            f.finish(r);
            Some(())
        });
        f.finish(r);
        Some(())
    });
    f.finish(r);
    Some(matrix)
}

fn fanout(r: &mut Reader, node: &Node, path: &str) -> Option<Fanout> {
    let mut f = r.map(node, path)?;
    let parallelism = f.required(r, "parallelism", |r, node, path| r.count(node, path, "a number of builds"));
    let ignore_failure = f.flag(r, "ignore-failure");
    f.finish(r);
    Some(Fanout { parallelism: parallelism.unwrap_or(1), ignore_failure })
}
