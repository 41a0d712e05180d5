//! Runs the binary in a folder of its own, in an environment of its own, within a time limit.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::schemas::assert_is;

/// No single call takes so long, even unoptimized and beside others.
const LIMIT: Duration = Duration::from_mins(2);

/// A folder to work in, gone at the end of the test. `.paceline/` lands here and not in the repository.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A path in this folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The variable for the folder of a build's own files. Builds that run at the same time must not share one.
    pub(crate) fn build_home(&self) -> String {
        format!("PACELINE_HOME={}", self.path("home").display())
    }

    /// A build of a generated buildspec, on this machine. Its image has this program and those of the folder `image`.
    pub(crate) fn build(&self, file: &str) -> Call<'_> {
        let runner = Path::new(env!("CARGO_BIN_EXE_paceline")).parent().unwrap();
        let (image, path) = (self.path("image"), std::env::var("PATH").unwrap());
        self.paceline(["run-buildspec", &format!("buildspecs/{file}"), "--artifacts", "kept"])
            .args(["--env", &self.build_home()])
            .env("PATH", &format!("{}:{}:{path}", image.display(), runner.display()))
    }

    /// Writes a program.
    pub(crate) fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.write(name, script);
        let status = Command::new("chmod").arg("+x").arg(&path).status().unwrap();
        assert!(status.success(), "chmod: {status}");
        path
    }

    pub(crate) fn write(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, contents).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// The names of what is in a folder of this one, sorted; none if it is not there.
    pub(crate) fn list(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = self.path(folder).read_dir() else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The runs that are kept in this folder.
    pub(crate) fn runs(&self) -> Vec<String> {
        let mut runs = self.list(".paceline/runs");
        runs.retain(|name| std::path::Path::new(name).extension().is_none());
        runs
    }

    /// A call of the binary in this folder, with nothing of the caller's environment but its `PATH`.
    pub(crate) fn paceline<I>(&self, arguments: I) -> Call<'_>
    where
        I: IntoIterator,
        I::Item: AsRef<std::ffi::OsStr>,
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paceline"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.0.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        Call { command, place: self, stdin: None }
    }
}

/// A call that is being put together.
pub(crate) struct Call<'a> {
    command: Command,
    place: &'a Place,
    stdin: Option<String>,
}

impl Call<'_> {
    pub(crate) fn args<I>(mut self, arguments: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<std::ffi::OsStr>,
    {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With this on its standard input.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// In another folder than the place: only for what writes nothing there.
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// With the second region, which the example leaves out otherwise.
    pub(crate) fn multi_region(self) -> Self {
        self.env("ENABLE_MULTI_REGION", "true")
    }

    /// With credentials, for AWS at this address.
    pub(crate) fn aws_at(self, address: &str) -> Self {
        self.env("AWS_ENDPOINT_URL", address)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "us-east-1")
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Ran {
        let shown = format!("{:?}", self.command);
        if self.stdin.is_some() {
            self.command.stdin(Stdio::piped());
        }
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let (Some(text), Some(mut stdin)) = (self.stdin, child.stdin.take()) {
            stdin.write_all(text.as_bytes()).unwrap();
        }
        let id = child.id();
        let (sender, ended) = mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = ended.recv_timeout(LIMIT) else {
            signal(id, "KILL");
            panic!("{shown} did not end within {LIMIT:?}");
        };
        let output = output.unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is text");
        Ran {
            code: output.status.code().unwrap_or_else(|| panic!("{shown} ended with {}", output.status)),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs it with nobody who reads what it prints.
    pub(crate) fn run_unread(mut self) -> Ran {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output =
            self.command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Ran { code: output.status.code().expect("no signal ended it"), stdout: String::new(), stderr }
    }

    /// Runs it with what it prints going somewhere.
    pub(crate) fn run_printing_to(mut self, out: impl Into<Stdio>) -> Ran {
        let child = self.command.stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Ran { code: output.status.code().expect("no signal ended it"), stdout: String::new(), stderr }
    }

    /// Runs it with what it says going somewhere, and gives its exit code.
    pub(crate) fn status_saying_to(mut self, to: Stdio) -> i32 {
        let status = self.command.stdout(Stdio::null()).stderr(to).status().unwrap();
        status.code().expect("no signal ended it")
    }

    /// Runs it in a terminal of 80 columns and 24 lines. Everything that it writes there is in `stdout`.
    pub(crate) fn in_terminal(self) -> Ran {
        self.in_terminal_with("")
    }

    /// Runs it in a terminal of 80 columns into which these keys are typed. Afterwards, the terminal shows its settings.
    pub(crate) fn in_terminal_with(self, keys: &str) -> Ran {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let shell = format!("stty cols 80 rows 24; {}; code=$?; stty -a; exit $code", words.join(" "));
        let typed = self.place.path("keys");
        std::fs::write(&typed, keys).unwrap();
        let mut script = self.place.paceline([""; 0]);
        let mut command = Command::new("script");
        command.args(["-qec", &shell, "/dev/null"]).stdin(File::open(typed).unwrap()).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.place.0.path());
        script.command = command;
        script.run()
    }

    /// Starts it; what it says goes to a file of the folder.
    pub(crate) fn start(self, log: &str) -> Running {
        self.start_printing_to(Stdio::null(), log)
    }

    /// Starts it with what it prints going somewhere; what it says goes to a file of the folder.
    pub(crate) fn start_printing_to(mut self, out: impl Into<Stdio>, log: &str) -> Running {
        let log = self.place.path(log);
        let child = self.command.stdout(out).stderr(File::create(&log).unwrap()).spawn().unwrap();
        Running { child, log }
    }
}

/// What a call left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    pub(crate) fn stdout_json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A process that is not waited for, killed at the end of the test if it is still there.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for its end; `None` as exit code is an end by a signal.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut status: Option<ExitStatus> = None;
        until("the process has ended", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        (status.unwrap().code(), fs_err::read_to_string(&self.log).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A simulated AWS in another process.
pub(crate) struct Sim {
    pub(crate) address: String,
    log: PathBuf,
    child: Child,
    _place: Place,
}

impl Sim {
    pub(crate) fn start(time_scale: u32) -> Self {
        Self::start_with(time_scale, &[])
    }

    pub(crate) fn start_with(time_scale: u32, more: &[&str]) -> Self {
        let place = Place::new();
        let log = place.path("sim.log");
        let scale = time_scale.to_string();
        let call =
            place.paceline(["sim", "serve", "--port", "0", "--verbose", "--time-scale", &scale]).args(more);
        let mut command = call.command;
        let command = command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("http://127.0.0.1:"), "not an address: {address:?}");
        Self { address: address.trim_end().to_owned(), log, child, _place: place }
    }

    /// The calls that were answered, as `(service, operation, status, stack)`.
    pub(crate) fn calls(&self) -> Vec<(String, String, u16, Option<String>)> {
        let log = fs_err::read_to_string(&self.log).unwrap();
        let call = |line: &str| {
            let mut words = line.split(' ').map(ToOwned::to_owned);
            let (_at, service, operation) = (words.next()?, words.next()?, words.next()?);
            let (_region, status) = (words.next()?, words.next()?);
            // A call that was refused has its error before the stack.
            Some((service, operation, status.parse().ok()?, words.next_back()))
        };
        log.lines().filter_map(call).collect()
    }

    /// The stacks for which a call of CloudFormation was accepted, once for each time, sorted.
    pub(crate) fn accepted(&self, operation: &str) -> Vec<String> {
        let is_it = |call: &(String, String, u16, Option<String>)| {
            (call.0.as_str(), call.1.as_str(), call.2) == ("cloudformation", operation, 200)
        };
        let mut stacks: Vec<String> = self
            .calls()
            .into_iter()
            .filter(is_it)
            .filter_map(|(_, _, _, stack)| stack)
            // What a deployment looked at before is named by its ARN.
            .map(|stack| stack.split('/').nth(1).unwrap_or(&stack).to_owned())
            .collect();
        stacks.sort();
        stacks
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status().unwrap();
    assert!(status.success(), "kill -{name} {process}: {status}");
}

/// Looks again and again until something holds of another process.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Says, past the capturing of the test runner, that something was not tested.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr().lock(), "\nSKIPPED: {why}");
}

/// The events of a run, as an events file tells them.
pub(crate) struct Events(pub(crate) Vec<Value>);

impl Events {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs_err::read_to_string(path).unwrap();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        for event in &events {
            assert_is("events", event);
        }
        Self(events)
    }

    /// How many of a kind there are in a file that may not be there yet, and whose last line may not be whole.
    pub(crate) fn count(path: &Path, kind: &str) -> usize {
        let text = fs_err::read_to_string(path).unwrap_or_default();
        let is_it = |line: &&str| {
            serde_json::from_str::<Value>(line).is_ok_and(|event| event["event"].as_str() == Some(kind))
        };
        text.lines().filter(is_it).count()
    }

    /// Those of the last part of a run that was interrupted.
    pub(crate) fn last_part(mut self) -> Self {
        let start = self.0.iter().rposition(|event| event["event"] == "run.started").unwrap();
        Self(self.0.split_off(start))
    }

    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |event| event["event"].as_str() == Some(kind))
    }

    pub(crate) fn of_stacks(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.of(kind).filter(|event| event["kind"] == "deploy")
    }

    /// The number of the event of this kind for the deployment of a stack.
    #[track_caller]
    pub(crate) fn position(&self, kind: &str, stack: &str) -> usize {
        let is_it =
            |event: &Value| event["event"] == kind && event["kind"] == "deploy" && event["stack"] == stack;
        self.0.iter().position(is_it).unwrap_or_else(|| panic!("no {kind} of {stack}"))
    }

    /// How each stack ended, as `stack outcome`, sorted.
    pub(crate) fn outcomes(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut outcomes: Vec<_> = self
            .of_stacks("step.finished")
            .map(|event| (text(&event["stack"]), text(&event["outcome"])))
            .collect();
        outcomes.sort();
        outcomes
    }

    /// Every stack has started after all it waits for was done.
    #[track_caller]
    pub(crate) fn assert_order(&self, edges: &[(String, String, String)]) {
        for (stack, on, reason) in edges {
            let (done, started) = (self.position("step.finished", on), self.position("step.started", stack));
            assert!(done < started, "{stack} started before {on} was done ({reason})");
        }
    }
}
