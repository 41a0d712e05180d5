//! The timeline as a picture: one SVG file without scripts, fonts or pictures from elsewhere, light and dark.

use std::fmt::Write;

use paceline_text::{columns, cut};

use crate::ending::headline;
use crate::markup::escape;
use crate::record::Record;
use crate::timeline::{Entry, Layout, PALETTE, STYLE, draw, legend};

/// The space around the drawing.
const MARGIN: f64 = 14.0;
/// The height of a line of the legend.
const LINE: f64 = 18.0;
/// The height of the headline.
const HEAD: f64 = 26.0;
/// What only the picture has: its own letters, and samples in its legend.
const OWN: &str = "\
svg { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; }
svg .page { fill: var(--page); }
svg .headline { font-size: 15px; font-weight: 600; }
svg .sample.decided { fill: none; stroke: var(--critical); stroke-width: 2; }
svg .sample.backoff { fill: var(--deployed); fill-opacity: .45; }
";

/// The timeline of a run as an SVG document. A run without any started step gives the headline only.
pub fn svg(record: &Record) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, record);
    out
}

fn write(out: &mut String, record: &Record) -> std::fmt::Result {
    let layout = Layout::PICTURE;
    let title = headline(record);
    let drawing = draw(record, layout);
    let entries = if drawing.is_some() { legend(record) } else { Vec::new() };
    let lines = lines(&entries, layout);
    let top = MARGIN + HEAD + LINE * f64::from(u32::try_from(lines.len()).unwrap_or(u32::MAX));
    let width = layout.width() + 2.0 * MARGIN;
    let height = top + drawing.as_ref().map_or(0.0, |drawing| drawing.height) + MARGIN;
    let title = escape(&cut(&title, 110));
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">\n<style>\n{PALETTE}{STYLE}{OWN}</style>"
    )?;
    writeln!(out, "<rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"6\"/>")?;
    writeln!(out, "<g transform=\"translate({MARGIN} {MARGIN})\">")?;
    writeln!(out, "<text class=\"headline\" x=\"0\" y=\"14\">{title}</text>")?;
    for (number, line) in (0_u32..).zip(&lines) {
        let y = HEAD + LINE * f64::from(number);
        for &(x, (class, words)) in line {
            sample(out, x, y, class)?;
            writeln!(out, "<text class=\"dim\" x=\"{:.0}\" y=\"{:.0}\">{words}</text>", x + 24.0, y + 10.0)?;
        }
    }
    writeln!(out, "</g>")?;
    if let Some(drawing) = drawing {
        writeln!(out, "<g transform=\"translate({MARGIN} {top:.0})\">\n{}</g>", drawing.elements)?;
    }
    writeln!(out, "</svg>")
}

/// The entries of the legend in lines, each with its position.
fn lines(entries: &[Entry], layout: Layout) -> Vec<Vec<(f64, Entry)>> {
    let mut lines: Vec<Vec<(f64, Entry)>> = Vec::new();
    let mut x = f64::INFINITY;
    for &entry in entries {
        let wide = 24.0 + 6.2 * f64::from(u32::try_from(columns(entry.1)).unwrap_or(u32::MAX)) + 14.0;
        if x + wide > layout.width() {
            lines.push(Vec::new());
            x = 0.0;
        }
        if let Some(line) = lines.last_mut() {
            line.push((x, entry));
        }
        x += wide;
    }
    lines
}

fn sample(out: &mut String, x: f64, y: f64, class: &str) -> std::fmt::Result {
    if matches!(class, "needs" | "room") {
        let (end, middle) = (x + 18.0, y + 6.0);
        return write!(
            out,
            "<line class=\"{class}\" x1=\"{x:.0}\" x2=\"{end:.0}\" y1=\"{middle:.0}\" y2=\"{middle:.0}\"/>"
        );
    }
    write!(
        out,
        "<rect class=\"sample {class}\" x=\"{:.0}\" y=\"{y:.0}\" width=\"16\" height=\"11\" rx=\"2\"/>",
        x + 1.0
    )
}
