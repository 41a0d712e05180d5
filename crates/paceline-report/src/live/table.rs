//! The rows of the running steps.

use paceline_text::{Tone, columns, cut};

use super::Screen;

/// A running step.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) elapsed: String,
    /// How much longer it will probably take. Empty if that is unknown.
    pub(super) left: String,
    /// What it waits for, and the colour of that.
    pub(super) waits: String,
    pub(super) tone: Tone,
    pub(super) is_selected: bool,
}

const NAME: &str = "stack";
const PLACE: &str = "region";
const ELAPSED: &str = "elapsed";
const LEFT: &str = "left";
const WAITS: &str = "waits for";
/// The spaces between two columns.
const GAP: usize = 2;
/// The column of what a step waits for is left out if it would be narrower than this.
const LEAST_WAITS: usize = 14;
/// A name may be cut to this many columns to make room for the other columns.
const LEAST_NAME: usize = 16;

/// The widths of the columns. A column of width zero is left out.
struct Widths {
    name: usize,
    place: usize,
    elapsed: usize,
    left: usize,
    waits: usize,
}

impl Widths {
    fn of(rows: &[Row], room: usize) -> Self {
        let widest = |heading: &str, text: fn(&Row) -> &String| {
            let widest = rows.iter().map(|row| columns(text(row))).max().unwrap_or_default();
            if widest == 0 { 0 } else { widest.max(columns(heading)) }
        };
        let name = widest(NAME, |row| &row.name);
        let mut widths = Self {
            name,
            place: widest(PLACE, |row| &row.place),
            elapsed: widest(ELAPSED, |row| &row.elapsed),
            left: widest(LEFT, |row| &row.left),
            waits: widest(WAITS, |row| &row.waits),
        };
        let gap = |width: usize| if width == 0 { 0 } else { width + GAP };
        let others = |it: &Self| gap(it.place) + gap(it.elapsed) + gap(it.left);
        let least_name = name.min(LEAST_NAME);
        if widths.waits > 0 && others(&widths) + least_name + GAP + LEAST_WAITS.min(widths.waits) > room {
            widths.waits = 0;
        }
        if widths.waits == 0 && others(&widths) + least_name > room {
            widths.place = 0;
        }
        if others(&widths) + least_name > room {
            widths.left = 0;
        }
        // The name gets what the others leave, and what a step waits for gets at least half of both.
        let both = room.saturating_sub(others(&widths));
        if widths.waits > 0 {
            let wanted = widths.waits.min(both / 2);
            widths.name = widths.name.min(both.saturating_sub(GAP + wanted));
            widths.waits = widths.waits.min(both.saturating_sub(GAP + widths.name));
        } else {
            widths.name = widths.name.min(both);
        }
        widths
    }

    /// The line of a row up to what it waits for, and that.
    fn line(&self, cells: [&str; 5]) -> (String, String) {
        let [name, place, elapsed, left, waits] = cells;
        let mut line = format!("{:<1$}", cut(name, self.name), self.name);
        for (text, width, is_number) in
            [(place, self.place, false), (elapsed, self.elapsed, true), (left, self.left, true)]
        {
            if width > 0 {
                let text = cut(text, width);
                line += &" ".repeat(GAP);
                let room = " ".repeat(width - columns(&text));
                line += &if is_number { room + &text } else { text + &room };
            }
        }
        if waits.is_empty() || self.waits == 0 {
            return (line.trim_end().to_owned(), String::new());
        }
        (line + &" ".repeat(GAP), cut(waits, self.waits))
    }
}

/// The rows below a heading, in at most so many lines. A line says how many rows are left out.
pub(super) fn table(rows: &[Row], screen: Screen, most: usize) -> Vec<String> {
    if rows.is_empty() || most == 0 {
        return Vec::new();
    }
    let style = screen.style();
    // The heading is the first thing to go.
    let with_heading = most > 3;
    let room = most - usize::from(with_heading);
    let shown = if rows.len() > room { room - 1 } else { rows.len() };
    // Without a selection, no column is left for its mark.
    let is_selecting = rows.iter().any(|row| row.is_selected);
    let mark = |is_selected| match (is_selecting, is_selected) {
        (true, true) => "> ",
        (true, false) => "  ",
        (false, _) => "",
    };
    let widths = Widths::of(&rows[..shown], screen.columns() - mark(false).len());
    let mut lines = Vec::new();
    if with_heading {
        let (start, waits) = widths.line([NAME, PLACE, ELAPSED, LEFT, WAITS]);
        lines.push(style.paint(Tone::Dim, &format!("{}{start}{waits}", mark(false))));
    }
    for row in &rows[..shown] {
        let (start, waits) = widths.line([&row.name, &row.place, &row.elapsed, &row.left, &row.waits]);
        let mark = mark(row.is_selected);
        lines.push(format!("{mark}{start}{}", style.paint(row.tone, &waits)));
    }
    if shown < rows.len() {
        let more = cut(&format!("and {} more", rows.len() - shown), screen.columns());
        lines.push(style.paint(Tone::Dim, &more));
    }
    lines
}
