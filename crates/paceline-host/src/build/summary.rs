//! The result of a build, as text for people.

use std::fmt::Write as _;

use super::{Build, CollectedKind, State};

/// A line for each phase with its time, then the collected files, and the exported variables.
pub fn summary(build: &Build) -> String {
    let mut text = String::new();
    let width = build.phases.iter().map(|phase| phase.name.len()).max().unwrap_or_default();
    for phase in &build.phases {
        let state = match phase.state {
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Stopped => "stopped",
            State::Skipped => "skipped",
        };
        let time = format!("{:.1}s", phase.took.as_secs_f64());
        let time = if phase.state == State::Skipped { "" } else { &time };
        let line = format!("{:width$}  {state:9}  {time:>8}", phase.name);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if build.attempts > 1 {
        let _ = writeln!(text, "attempts: {}", build.attempts);
    }
    for one in &build.collected {
        let what = match one.kind {
            CollectedKind::Report => format!("report {}", one.name),
            CollectedKind::Artifacts => "artifacts".to_owned(),
            CollectedKind::SecondaryArtifacts => format!("secondary artifacts {}", one.name),
        };
        let _ = match (one.files.len(), &one.kept) {
            (0, _) => writeln!(text, "{what}: no file matches {}", one.patterns.join(", ")),
            (count, Some(kept)) => writeln!(text, "{what}: {} in {kept}", files(count)),
            (count, None) => {
                let _ = writeln!(text, "{what}: {}", files(count));
                one.files.iter().take(SHOWN).for_each(|file| {
                    let _ = writeln!(text, "  {file}");
                });
                if count > SHOWN { writeln!(text, "  and {} more", count - SHOWN) } else { Ok(()) }
            }
        };
    }
    for (name, value) in &build.exported {
        let _ = match value {
            Some(value) => writeln!(text, "exported: {name}={value}"),
            None => writeln!(text, "exported: {name} is not set"),
        };
    }
    let state = match (build.stopped, build.succeeded) {
        (true, _) => "stopped",
        (false, true) => "succeeded",
        (false, false) => "failed",
    };
    let _ = writeln!(text, "the build {state}");
    text
}

/// The greatest number of files that are listed. More files are only counted.
const SHOWN: usize = 20;

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}
