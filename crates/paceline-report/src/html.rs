//! The run as one HTML page without scripts, fonts or pictures from elsewhere. A small script of its own folds and searches
//! the timeline; without it, the page says the same.

use std::fmt::Write;

use paceline_text::{count, duration, one_line};

use crate::build_phases::before_the_run;
use crate::comparison::{Comparison, table};
use crate::critical_path::{critical_path, what_to_shorten};
use crate::ending::{FailureLines, headline, how_to_resume};
use crate::figures::clock;
use crate::gate_times;
use crate::markup::escape;
use crate::record::{LeftRunning, Record, Status};
use crate::summary::{not_run, retries, shorten};
use crate::timeline::{PALETTE, STYLE};

mod policy;
mod timeline;

/// How the page looks, apart from the drawing.
const PAGE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/timeline.js");

/// The page: the timeline of the run, where its time went, and which stack to shorten first.
pub fn html(record: &Record, comparison: Option<&Comparison>) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, record, comparison);
    out
}

fn write(out: &mut String, record: &Record, comparison: Option<&Comparison>) -> std::fmt::Result {
    let title = escape(&headline(record));
    let style = format!("\n{PALETTE}{STYLE}{PAGE}");
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>",
        policy::policy(&style, SCRIPT)
    )?;
    let class = match record.status() {
        Status::Done => "good",
        Status::Failed | Status::Refused => "bad",
        Status::Empty | Status::Unfinished | Status::Interrupted => "warn",
    };
    writeln!(out, "<h1 class=\"{class}\">{title}</h1>")?;
    facts(out, record)?;
    if let Some(before) = before_the_run(record) {
        writeln!(out, "<p class=\"facts\">{}.</p>", escape(&before))?;
    }
    for LeftRunning { sentence, waits, commands } in record.left_running() {
        writeln!(out, "<p><b>{}</b></p>", escape(&sentence))?;
        for wait in waits {
            writeln!(out, "<p>{}</p>", escape(&wait))?;
        }
        let commands: Vec<String> = commands.iter().map(|command| escape(command)).collect();
        writeln!(out, "<pre>{}</pre>", commands.join("\n"))?;
    }
    if let Some(how) = how_to_resume(record) {
        writeln!(out, "<p>{}.</p>", escape(how))?;
    }
    failures(out, record)?;
    let data = timeline::write(out, record)?;
    to_shorten(out, record)?;
    comparison_table(out, record, comparison)?;
    path(out, record)?;
    list(out, "Not run", &not_run(record))?;
    list(out, "Gates", &gate_times::gates(record))?;
    let retried: Vec<String> = record
        .steps
        .iter()
        .filter(|step| !step.retries.is_empty())
        .map(|step| retries(record, step))
        .collect();
    list(out, "Tried again", &retried)?;
    let warned: Vec<String> = record
        .steps
        .iter()
        .flat_map(|step| {
            step.warnings.iter().map(|warning| format!("{}: {warning}", record.label(&step.step)))
        })
        .collect();
    list(out, "Warnings", &warned)?;
    writeln!(out, "</main>")?;
    if let Some(data) = data {
        writeln!(
            out,
            "<script type=\"application/json\" id=\"data\">{data}</script>\n<script>{SCRIPT}</script>"
        )?;
    }
    writeln!(out, "</body>\n</html>")
}

fn facts(out: &mut String, record: &Record) -> std::fmt::Result {
    if record.run.is_empty() {
        return Ok(());
    }
    let mut facts = vec![
        format!("Run <code>{}</code> of <code>{}</code>", escape(&record.run), escape(&record.app)),
        format!("Paceline {}", escape(&record.paceline)),
        format!("strategy {}", escape(&record.strategy)),
    ];
    if let Some(part) = record.parts.first() {
        facts.push(format!("started {:.0}", part.started_at));
    }
    if record.parts.len() > 1 {
        facts.push(format!("interrupted {}", count(record.parts.len() - 1, "time")));
    }
    writeln!(out, "<p class=\"facts\">{}</p>", facts.join(" · "))
}

fn failures(out: &mut String, record: &Record) -> std::fmt::Result {
    let troubles = record.troubles();
    if troubles.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>What went wrong</h2>")?;
    for trouble in troubles {
        let who = escape(&trouble.who(record));
        writeln!(out, "<div class=\"failure\"><h3>{who}: {}</h3>", trouble.what())?;
        if let Some(cause) = &trouble.first.cause {
            let at = cause.at.as_deref().map(|at| format!("<b>{}</b>: ", escape(at))).unwrap_or_default();
            writeln!(out, "<p class=\"message\">{at}{}</p>", escape(cause.message.trim()))?;
            if let Some(hint) = &cause.hint {
                writeln!(out, "<p class=\"message\">Hint: {}</p>", escape(hint))?;
            }
        }
        if let Some(link) = FailureLines::of(record, trouble.first).link {
            writeln!(out, "<p><a href=\"{}\">The stack in the console</a></p>", escape(&link))?;
        }
        writeln!(out, "</div>")?;
    }
    Ok(())
}

fn to_shorten(out: &mut String, record: &Record) -> std::fmt::Result {
    let stacks = what_to_shorten(record);
    let Some(first) = stacks.first() else { return Ok(()) };
    writeln!(out, "<h2>What to shorten first</h2>\n<p>{}.</p>", escape(&shorten(record, first)))?;
    writeln!(
        out,
        "<div class=\"scroll\"><table><thead><tr><th>step that decided the finish</th><th>took</th>\
         <th>at most to gain</th><th>its slowest resources</th></tr></thead><tbody>"
    )?;
    for stack in &stacks {
        let slowest: Vec<String> = stack
            .slowest
            .iter()
            .map(|resource| {
                let kind = escape(&resource.resource_type);
                format!("{} <small>{kind}</small> {}", escape(&resource.logical_id), duration(resource.took))
            })
            .collect();
        writeln!(
            out,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            escape(&record.named(&stack.step.step)),
            duration(stack.took),
            duration(stack.gain),
            slowest.join("<br>")
        )?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn comparison_table(out: &mut String, record: &Record, comparison: Option<&Comparison>) -> std::fmt::Result {
    let Some(table) = table(record, comparison) else { return Ok(()) };
    writeln!(out, "<h2>Where the time went, in {}</h2>", table.unit.name())?;
    writeln!(out, "<div class=\"scroll\"><table><thead><tr>")?;
    for head in &table.header {
        write!(out, "<th>{}</th>", escape(head))?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for (i, row) in table.rows.iter().enumerate() {
        let class = if i < table.parts { "" } else { " class=\"total\"" };
        write!(out, "<tr{class}>")?;
        for (i, lines) in row.iter().enumerate() {
            let class = if i < 2 { "" } else { " class=\"n\"" };
            write!(out, "<td{class}>")?;
            for (line, text) in lines.iter().enumerate() {
                let text = escape(text);
                match (line, i) {
                    (0, _) => write!(out, "{text}")?,
                    (_, 0..2) => write!(out, ", {text}")?,
                    _ => write!(out, "<br><small>{text}</small>")?,
                }
            }
            write!(out, "</td>")?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn path(out: &mut String, record: &Record) -> std::fmt::Result {
    let links = critical_path(record);
    if links.len() < 2 {
        return Ok(());
    }
    writeln!(out, "<h2>What decided when it finished</h2>\n<ol>")?;
    for link in &links {
        let idle = if link.idle.as_secs() >= 10 {
            format!(", after waiting {}", duration(link.idle))
        } else {
            String::new()
        };
        writeln!(
            out,
            "<li>{}: from {}, {}{idle}</li>",
            escape(&record.named(&link.step.step)),
            clock(link.started),
            duration(link.duration())
        )?;
    }
    writeln!(out, "</ol>")
}

fn list(out: &mut String, heading: &str, items: &[String]) -> std::fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>{heading}</h2>\n<ul>")?;
    for item in items {
        writeln!(out, "<li>{}</li>", escape(&one_line(item)))?;
    }
    writeln!(out, "</ul>")
}
