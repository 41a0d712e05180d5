//! The timeline of the page: the drawing, its legend, and the controls that the script brings to life.

use std::fmt::Write;

use paceline_text::count;

use crate::markup::escape;
use crate::record::Record;
use crate::timeline::{Drawing, Layout, draw, legend};

/// Writes the timeline, unless no step was ever started. Gives the data for the script.
pub(super) fn write(out: &mut String, record: &Record) -> Result<Option<String>, std::fmt::Error> {
    let Some(drawing) = draw(record, Layout::PAGE) else { return Ok(None) };
    writeln!(out, "<h2>Timeline</h2>")?;
    write!(out, "<p class=\"legend\">")?;
    for (class, words) in legend(record) {
        write!(out, "<span><i class=\"{class}\"></i>{words}</span>")?;
    }
    writeln!(out, "</p>")?;
    controls(out, &drawing)?;
    let (width, height) = (Layout::PAGE.width(), drawing.height);
    let label = format!("Timeline of {}", count(record.stacks().count(), "stack"));
    writeln!(
        out,
        "<div class=\"scroll\"><svg id=\"timeline\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"group\" \
         aria-label=\"{}\">",
        escape(&label)
    )?;
    out.push_str(&drawing.elements);
    writeln!(out, "</svg></div>\n<div id=\"card\" hidden></div>")?;
    // In a script element, only `<` could end it early.
    Ok(Some(drawing.data.replace('<', "\\u003c")))
}

/// Writes the controls. They are hidden until the script runs, because they do nothing without it.
fn controls(out: &mut String, drawing: &Drawing) -> std::fmt::Result {
    writeln!(
        out,
        "<div id=\"controls\" hidden>\n\
         <input type=\"search\" id=\"find\" placeholder=\"Find a stack, step or resource\" \
         aria-label=\"Find a stack, step or resource\">"
    )?;
    if drawing.has_regions {
        let phases = if drawing.has_phases { "phases" } else { "no groups" };
        writeln!(
            out,
            "<label>Group by <select id=\"group\"><option value=\"p\">{phases}</option>\
             <option value=\"r\">regions</option></select></label>"
        )?;
    }
    writeln!(
        out,
        "<label><input type=\"checkbox\" id=\"decided\"> Only what decided the finish</label>\n\
         <button type=\"button\" id=\"fold\">Fold all</button>\n\
         <span id=\"found\" role=\"status\"></span>\n\
         <p><kbd>/</kbd> finds, <kbd>↑</kbd> <kbd>↓</kbd> go from row to row, <kbd>Enter</kbd> shows the \
         resources of a stack or folds a group, <kbd>Esc</kbd> closes.</p>\n</div>"
    )
}
