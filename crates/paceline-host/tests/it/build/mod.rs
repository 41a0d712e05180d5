//! Running a build on this machine: the carried state, the phases after a failure, and the files that it
//! leaves.

mod carried;
mod ends;
mod phases;
mod variables;

use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_buildspec::Buildspec;
use paceline_host::build::{Build, Output, RunError, RunOptions, run, summary};
use paceline_host::{GRACE, Processes};
use tokio_util::sync::CancellationToken;

/// A folder with a source and with the log of the build.
struct Place {
    _temp: tempfile::TempDir,
    dir: Utf8PathBuf,
    options: RunOptions,
}

struct Ran {
    build: Build,
    log: String,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap().canonicalize_utf8().unwrap();
        let source = dir.join("src");
        fs_err::create_dir_all(&source).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let options = RunOptions {
            name: "test".into(),
            source,
            environment: vec![(OsString::from("PATH"), path), ("FROM_MACHINE".into(), "machine".into())],
            overrides: Vec::new(),
            keep: None,
            output: Output::File(dir.join("log")),
            processes: Processes::default(),
            stop: CancellationToken::new(),
            grace: GRACE,
        };
        Self { _temp: temp, dir, options }
    }

    fn given(mut self, name: &str, value: &str) -> Self {
        self.options.overrides.push((name.to_owned(), value.to_owned()));
        self
    }

    fn keeping(mut self) -> Self {
        self.options.keep = Some(self.dir.join("kept"));
        self
    }

    fn try_run(&self, text: &str) -> Result<Build, RunError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let buildspec = Buildspec::read(text).unwrap().buildspec;
        runtime.block_on(run(&buildspec, &self.options, &mut |_| {}))
    }

    #[track_caller]
    fn run(&self, text: &str) -> Ran {
        let build = self.try_run(text).unwrap();
        // The log is missing if nothing was printed.
        let log = fs_err::read_to_string(self.dir.join("log")).unwrap_or_default();
        Ran { build, log }
    }
}

impl Ran {
    /// The phases as `name state`.
    fn phases(&self) -> Vec<String> {
        let line = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        summary(&self.build).lines().take(self.build.phases.len()).map(line).collect()
    }
}

/// A buildspec with these commands in its build phase, for a shell.
fn commands(shell: &str, commands: &[&str]) -> String {
    let items: Vec<String> =
        commands.iter().map(|command| format!("      - {}\n", serde_json::Value::from(*command))).collect();
    format!("version: 0.2\nenv:\n  shell: {shell}\nphases:\n  build:\n    commands:\n{}", items.concat())
}
