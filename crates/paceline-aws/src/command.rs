//! Runs the scripts that the team supplies.

use std::process::Stdio;

use paceline_engine::event::Cause;
use paceline_engine::{Ended, Outcome, StepContext};
use paceline_plan::Command;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process;

use crate::trouble::Trouble;

/// Whether the team's commands are run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Commands {
    /// By the shell.
    #[default]
    Run,
    /// They take their time and nothing is run: for a simulation.
    Pretend,
}

/// Runs a command with the shell. What it prints becomes events; if it fails, its last line is the cause.
pub(crate) async fn run(
    context: &StepContext,
    command: &Command,
    commands: Commands,
) -> Result<Ended, Trouble> {
    if context.was_done_earlier() {
        return Ok(Ended::new(Outcome::Unchanged).with_detail("ran before the interruption"));
    }
    if commands == Commands::Pretend {
        tokio::time::sleep(context.step().expected).await;
        return Ok(Ended::new(Outcome::Deployed).with_detail("pretended: nothing was run"));
    }
    let mut shell = process::Command::new("sh");
    shell.args(["-c", &command.run]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell.kill_on_drop(true);
    if !command.dir.as_str().is_empty() {
        shell.current_dir(&command.dir);
    }
    let failed = |error: std::io::Error| {
        Trouble::setup(format!("cannot run it in {}: {error}", command.dir)).during(&command.name)
    };
    let mut child = shell.spawn().map_err(failed)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (last_out, last_err) = tokio::join!(pass_on(context, out), pass_on(context, err));
    let status = child.wait().await.map_err(failed)?;
    if status.success() {
        return Ok(Ended::new(Outcome::Deployed));
    }
    let said = last_err.or(last_out).map(|line| format!(": {line}")).unwrap_or_default();
    Ok(Ended::failed(Cause {
        at: Some(command.name.clone()),
        message: format!("it ended with {status}{said}"),
        hint: Some("its whole output is above; when it is mended, run the same command again".to_owned()),
        preflight: false,
    }))
}

/// Reports each line, and gives back the last one that says anything.
async fn pass_on(context: &StepContext, stream: Option<impl AsyncRead + Unpin>) -> Option<String> {
    let mut lines = BufReader::new(stream?).split(b'\n');
    let mut last = None;
    // A stream that breaks off has ended.
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        context.output(line.clone());
        if !line.is_empty() {
            last = Some(line);
        }
    }
    last
}
