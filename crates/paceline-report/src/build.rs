//! The phases of a CodeBuild build: as a table when a build is followed, and in the reports of a run that is a
//! part of one.

use std::fmt::Write as _;

use paceline_engine::event::BuildPhase;

use crate::figures::seconds;
use crate::record::Record;
use paceline_text::clean_but_for_colors;
use paceline_text::{Style, Tone, clean, columns, duration, one_line};

/// The phases of a build with how each ended and how long it took, and the time of the whole.
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

/// A line that a build wrote to its log, without what could change a terminal that it is shown on.
pub fn log_line(line: &str, style: Style) -> String {
    let line = line.trim_end_matches(['\r', '\n']);
    if style.color { clean_but_for_colors(line) } else { clean(line) }
}

/// What a phase is called for people.
pub fn phase_title(name: &str) -> String {
    one_line(name).to_lowercase().replace('_', " ")
}

fn row(phase: &BuildPhase) -> (String, String, String) {
    let word = phase.status.as_deref().map_or_else(|| "so far".to_owned(), phase_title);
    (phase_title(&phase.name), word, duration(seconds(phase.duration_s)))
}

/// A sentence on what the build did before the run started in it.
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
