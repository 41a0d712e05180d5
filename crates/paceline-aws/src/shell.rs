//! Runs scripts of the team's: commands between stacks, and what synthesizes apps.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use camino::Utf8PathBuf;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process;
use tokio::sync::mpsc;

/// A script and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// What is given to the shell.
    pub(crate) run: String,
    /// The shell, which takes `-c` and the script.
    pub(crate) shell: String,
    /// The folder it runs in; empty is the one that Paceline runs in.
    pub(crate) dir: Utf8PathBuf,
    /// Environment variables on top of Paceline's own.
    pub(crate) env: BTreeMap<String, String>,
    /// After so long it is ended, and has failed.
    pub(crate) timeout: Option<Duration>,
}

/// Why a script has failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScriptError {
    /// It could not be started.
    #[error("cannot run it in {dir}")]
    Start {
        /// The folder it was to run in.
        dir: Utf8PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It ended with something else than 0.
    #[error("it ended with {status}{}", said(.last.as_deref()))]
    Status {
        /// How it ended.
        status: ExitStatus,
        /// The last line that it printed.
        last: Option<String>,
    },
    /// It took too long.
    #[error("it was ended because it took longer than {} s", .after.as_secs())]
    Timeout {
        /// The time it had.
        after: Duration,
    },
}

impl ScriptError {
    /// Whether the shell has not found what it was to run.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status, .. } if status.code() == Some(127))
    }

    /// What went wrong, with what the system said.
    pub(crate) fn with_source(&self) -> String {
        let source = self.source().map(|source| format!(": {source}")).unwrap_or_default();
        format!("{self}{source}")
    }
}

fn said(last: Option<&str>) -> String {
    last.map(|line| format!(": {line}")).unwrap_or_default()
}

impl Script {
    /// Runs it to its end. `line` is given each line that it prints. Dropped, it ends the script.
    pub(crate) async fn perform(&self, mut line: impl FnMut(String)) -> Result<(), ScriptError> {
        let Some(after) = self.timeout else { return self.to_its_end(&mut line).await };
        let ended = tokio::time::timeout(after, self.to_its_end(&mut line)).await;
        ended.unwrap_or(Err(ScriptError::Timeout { after }))
    }

    async fn to_its_end(&self, line: &mut impl FnMut(String)) -> Result<(), ScriptError> {
        let failed = |source| {
            let dir = if self.dir.as_str().is_empty() { ".".into() } else { self.dir.clone() };
            ScriptError::Start { dir, source }
        };
        let mut shell = process::Command::new(&self.shell);
        shell.args(["-c", &self.run]).envs(&self.env);
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if !self.dir.as_str().is_empty() {
            shell.current_dir(&self.dir);
        }
        lead_a_group(&mut shell);
        let mut child = shell.spawn().map_err(failed)?;
        // Dropped together, it ends what the shell has started as well.
        let mut group = Group(child.id());
        let (sender, mut lines) = mpsc::channel(64);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let read = async move {
            tokio::join!(pass_on(out, sender.clone()), pass_on(err, sender));
        };
        let mut last = None;
        let listen = async {
            while let Some(text) = lines.recv().await {
                if !text.is_empty() {
                    last = Some(text.clone());
                }
                line(text);
            }
        };
        tokio::join!(read, listen);
        let status = child.wait().await.map_err(failed)?;
        group.0 = None;
        if status.success() { Ok(()) } else { Err(ScriptError::Status { status, last }) }
    }
}

/// The processes that a script has started; none when it has ended by itself, with what it leaves in the background.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let id = self.0.and_then(|id| i32::try_from(id).ok());
        end_group(id);
    }
}

#[cfg(unix)]
fn lead_a_group(shell: &mut process::Command) {
    shell.process_group(0);
}

/// Asks for the end: what a script was in the middle of may have something to put in order.
#[cfg(unix)]
fn end_group(id: Option<i32>) {
    if let Some(group) = id.and_then(rustix::process::Pid::from_raw) {
        // One that has just ended needs no signal.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
fn lead_a_group(_: &mut process::Command) {}

#[cfg(not(unix))]
fn end_group(_: Option<i32>) {}

/// Sends each line on. A stream that breaks off has ended.
async fn pass_on(stream: Option<impl AsyncRead + Unpin>, lines: mpsc::Sender<String>) {
    let Some(stream) = stream else { return };
    let mut segments = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = segments.next_segment().await {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

/// The text as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_a_script_has_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        // Nobody reads what it prints when it ends.
        let child = "exec 2>/dev/null; trap 'touch heard; exit' TERM; touch up; while :; do sleep 0.01; done";
        let script = Script {
            run: format!("sh -c \"{child}\"; true"),
            shell: "sh".to_owned(),
            dir: dir.clone(),
            env: BTreeMap::new(),
            timeout: None,
        };
        let seen = async |name: &str| {
            while !dir.join(name).exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            ended = script.perform(|_| {}) => panic!("{ended:?}"),
            () = seen("up") => {}
        }
        seen("heard").await;
    }
}
