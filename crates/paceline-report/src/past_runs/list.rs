//! The list of earlier runs as text.

use comfy_table::{CellAlignment, ContentArrangement, presets};
use paceline_text::{Style, duration, one_line};

use super::PastRun;
use crate::record::Status;

/// The width of the table if no width is given.
const WIDTH: u16 = 100;

/// The runs as a table, in the order given.
pub fn list_text(runs: &[PastRun], style: Style) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(style.width.unwrap_or(WIDTH))
        .set_header(["RUN", "STARTED (UTC)", "RESULT", "TOOK", "STACKS"]);
    for run in runs {
        let started = run.at.map_or_else(|| "unknown".to_owned(), |at| at.strftime("%F %H:%M").to_string());
        let took = run.took.map_or_else(|| "unknown".to_owned(), duration);
        table.add_row([one_line(&run.run), started, result(run), took, stacks(run)]);
    }
    if let Some(column) = table.column_mut(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    // Each cell has a space before it. A cell that goes on in the next line must stay below itself.
    table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned() + "\n").collect()
}

/// How the run ended, in a few words.
fn result(run: &PastRun) -> String {
    let word = match run.status {
        Some(Status::Done) if run.undoes.is_some() => "rolled back",
        Some(Status::Done) if run.deletes => "deleted",
        Some(Status::Done) => "done",
        Some(Status::Failed) => "FAILED",
        Some(Status::Refused) => "refused",
        Some(Status::Interrupted) => "interrupted",
        Some(Status::Unfinished) => "not ended",
        Some(Status::Empty) | None => "unknown",
    };
    if run.simulated { format!("{word} (simulated)") } else { word.to_owned() }
}

fn stacks(run: &PastRun) -> String {
    let counts: Vec<String> = run.stacks.iter().map(|(outcome, n)| format!("{n} {outcome}")).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}
