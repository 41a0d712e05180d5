//! The phases of a CodeBuild build, as a table and as a sentence of a report.

use std::fmt::Write as _;

use paceline_engine::event::BuildPhase;

use crate::figures::seconds;
use crate::record::Record;
use paceline_text::clean_but_for_colors;
use paceline_text::{Style, Tone, clean, columns, duration, one_line};

/// A table of the phases of a build with the status and the duration of each, and the total duration.
pub fn build_phases(phases: &[BuildPhase], style: Style) -> String {
    let rows: Vec<(String, String, String)> = phases.iter().map(row).collect();
    let total = duration(seconds(phases.iter().map(|phase| phase.duration_s).sum()));
    let width = |of: fn(&(String, String, String)) -> &String| rows.iter().map(|row| columns(of(row))).max();
    let name = width(|row| &row.0).unwrap_or_default().max("total".len());
    let status = width(|row| &row.1).unwrap_or_default();
    let took = width(|row| &row.2).unwrap_or_default().max(columns(&total));
    let mut out = String::new();
    // Writing to a string does not fail.
    for (phase, (title, word, time)) in phases.iter().zip(&rows) {
        let tone = match phase.status.as_deref() {
            Some("SUCCEEDED") => Tone::Good,
            None => Tone::Plain,
            Some("STOPPED") => Tone::Warn,
            Some(_) => Tone::Bad,
        };
        let word = style.paint(tone, &format!("{word:<status$}"));
        let _ = writeln!(out, "  {title:<name$}  {word}  {time:>took$}");
    }
    let _ = writeln!(out, "  {:<name$}  {:<status$}  {total:>took$}", "total", "");
    out
}

/// A line of the log of a build, without control characters for the terminal.
pub fn log_line(line: &str, style: Style) -> String {
    let line = line.trim_end_matches(['\r', '\n']);
    if style.color { clean_but_for_colors(line) } else { clean(line) }
}

/// The name of a phase for people.
pub fn phase_title(name: &str) -> String {
    one_line(name).to_lowercase().replace('_', " ")
}

fn row(phase: &BuildPhase) -> (String, String, String) {
    let word = phase.status.as_deref().map_or_else(|| "so far".to_owned(), phase_title);
    (phase_title(&phase.name), word, duration(seconds(phase.duration_s)))
}

/// A sentence about the phases of the build before the run started.
pub(crate) fn before_the_run(record: &Record) -> Option<String> {
    let build = record.build.as_ref()?;
    let phases: Vec<String> = build
        .phases
        .iter()
        .filter(|phase| phase.duration_s >= 1.0)
        .map(|phase| format!("{} {}", phase_title(&phase.name), duration(seconds(phase.duration_s))))
        .collect();
    let total = duration(seconds(build.phases.iter().map(|phase| phase.duration_s).sum()));
    let phases = if phases.is_empty() { String::new() } else { format!(": {}", phases.join(", ")) };
    Some(format!("Before the run, the build {} took {total}{phases}", one_line(&build.build)))
}
