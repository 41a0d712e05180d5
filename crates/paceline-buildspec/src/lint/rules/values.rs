//! Values that a YAML reader takes for something else than the author.

use crate::grammar::{Document, scalar};
use crate::lint::finding::Edit;
use crate::lint::rule::{Checker, rule};
use crate::yaml::indicator;
use crate::yaml::{Kind, Node, Style};

rule!(RUNTIME_NUMBER, "PL120", Warning, "a version that YAML reads as another number", runtime_number);
rule!(CHANGED_VALUE, "PL121", Warning, "a value that YAML does not read as text", changed_value);
rule!(FOLDED, "PL122", Warning, "a script in a folded block", folded);
rule!(NOT_EXPANDED, "PL123", Warning, "a variable in a value that nothing expands", not_expanded);
rule!(LINE_ENDS, "PL124", Note, "Windows line endings", line_ends);

fn runtime_number(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (key, node) in document.map("phases.install.runtime-versions") {
        let Some(read) = plain(node).and_then(read_as_number) else { continue };
        let name = &key.text;
        quote(checker, node, format!("YAML reads the version of {name} as the number {read}"));
    }
}

/// The text of a number after it is read and written again, if it differs.
fn read_as_number(text: &str) -> Option<String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !is_number || !text.contains('.') {
        return None;
    }
    let read = text.parse::<f64>().ok()?.to_string();
    (read != text).then_some(read)
}

fn changed_value(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (key, node) in document.map("env.variables") {
        let Some(becomes) = plain(node).and_then(misread) else { continue };
        let name = &key.text;
        quote(checker, node, format!("YAML may read the value of {name} as {becomes}"));
    }
}

/// The value that a reader of YAML 1.1 or 1.2 sees in a plain scalar, if it differs when written again.
fn misread(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" => return Some("true".to_owned()),
        "no" | "off" | "n" => return Some("false".to_owned()),
        "true" if text != "true" => return Some("true".to_owned()),
        "false" if text != "false" => return Some("false".to_owned()),
        "null" | "~" => return Some("nothing".to_owned()),
        ".inf" | "-.inf" | "+.inf" | ".nan" => return Some("a number".to_owned()),
        _ => {}
    }
    if let Some(read) = read_as_number(unsigned) {
        return Some(format!("the number {read}"));
    }
    if digits(unsigned) && unsigned.len() > 1 && unsigned.starts_with('0') {
        let octal = i128::from_str_radix(unsigned, 8).ok();
        let read = octal.map_or_else(|| unsigned.trim_start_matches('0').to_owned(), |read| read.to_string());
        return Some(format!("the number {read}"));
    }
    let prefixed = |prefix: &str, radix| {
        unsigned.strip_prefix(prefix).and_then(|rest| i128::from_str_radix(rest, radix).ok())
    };
    if let Some(read) = prefixed("0x", 16).or_else(|| prefixed("0o", 8)).or_else(|| prefixed("0b", 2)) {
        return Some(format!("the number {read}"));
    }
    if unsigned.contains('_') && digits(&unsigned.replace('_', "")) && !unsigned.starts_with('_') {
        return Some(format!("the number {}", unsigned.replace('_', "")));
    }
    if let Some((mantissa, exponent)) = unsigned.split_once(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits(&mantissa.replacen('.', "", 1)) && digits(exponent) {
            return Some("a number".to_owned());
        }
    }
    let parts: Vec<&str> = unsigned.split(':').collect();
    let is_sixtieth = |part: &&str| digits(part) && part.parse::<u8>().is_ok_and(|part| part < 60);
    if parts.len() > 1 && digits(parts[0]) && parts[1..].iter().all(is_sixtieth) {
        return Some("a number to the base of 60".to_owned());
    }
    let is_date = |text: &str| {
        matches!(text.split('-').collect::<Vec<_>>()[..], [year, month, day]
        if year.len() == 4 && digits(year) && digits(month) && digits(day) && month.len() <= 2 && day.len() <= 2)
    };
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    is_date(date).then(|| "a date".to_owned())
}

fn plain(node: &Node) -> Option<&str> {
    match &node.kind {
        // A missing value is read as null, and has no position.
        Kind::Scalar { text, style: Style::Plain } if !node.span.is_empty() => Some(text),
        _ => None,
    }
}

fn quote(checker: &mut Checker<'_>, node: &Node, message: String) {
    let text = scalar(node).unwrap_or_default();
    let finding = checker.report(node.span.clone());
    finding.message(message).hint(format!("quote it: \"{text}\""));
    // The text of an alias is at another place.
    if node.span.len() == text.len() {
        finding.fix([Edit::replace(node.span.clone(), format!("\"{text}\""))]);
    }
}

fn folded(document: &Document<'_>, checker: &mut Checker<'_>) {
    for item in document.items.iter().filter(|item| item.style == Style::Folded) {
        let block = document.text().get(item.span.clone()).unwrap_or_default();
        let lines = lines_of(block, item.span.start);
        let Some(((start, _), what)) = lines.iter().enumerate().find_map(|(index, line)| {
            let next = lines.get(index + 1).map(|(_, next)| *next);
            trouble(line.1, next).map(|what| (*line, what))
        }) else {
            continue;
        };
        // The finding is at the sign and not at the line, because a comment inside the block could not
        // silence it.
        let sign = indicator(document.text(), item.span.start).unwrap_or(item.span.start);
        let line = document.lines.at(start).line;
        let finding = checker.report(sign..sign + 1);
        finding.message(format!("`>` joins the lines of this script into one, and {what} (line {line})"));
        finding.hint("start the block with `|`, which keeps the lines");
        // If the block is a single command with backslashes, a `|` block has the intended meaning.
        let body = lines.split_last().map_or(&[][..], |(_, body)| body);
        if document.text()[sign..].starts_with('>') && body.iter().all(|(_, line)| line.ends_with('\\')) {
            finding.fix([Edit::replace(sign..sign + 1, "|")]);
        }
    }
}

/// The lines of a block that are not empty, trimmed, each with its start.
fn lines_of(block: &str, start: usize) -> Vec<(usize, &str)> {
    let mut at = start;
    let mut lines = Vec::new();
    for line in block.split_inclusive('\n') {
        let indentation = line.len() - line.trim_start().len();
        if !line.trim().is_empty() {
            lines.push((at + indentation, line.trim()));
        }
        at += line.len();
    }
    lines
}

/// The damage when a line is joined with the next one.
fn trouble(line: &str, next: Option<&str>) -> Option<&'static str> {
    let next = next?;
    let first = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    if line.starts_with('#') || line.contains(" #") {
        return Some("this comment swallows the next line");
    }
    if line.ends_with('\\') {
        return Some("the backslash escapes the space after it");
    }
    if line.contains("<<") && !line.contains("<<<") {
        return Some("a here-document needs separate lines");
    }
    let goes_on = line.ends_with([';', '|', '&', '{', '('])
        || matches!(first(line).as_str(), "then" | "else" | "do")
        || line.ends_with("then")
        || line.ends_with("do")
        || line.ends_with("else");
    let starts = matches!(
        first(next).as_str(),
        "if" | "then"
            | "else"
            | "elif"
            | "fi"
            | "for"
            | "while"
            | "do"
            | "done"
            | "case"
            | "esac"
            | "set"
            | "export"
    );
    (starts && !goes_on).then_some("the next line starts another command")
}

fn not_expanded(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (key, node) in document.map("env.variables") {
        let Some(text) = scalar(node) else { continue };
        let Some(at) = text.find('$') else { continue };
        let rest = &text[at + 1..];
        let is_variable =
            rest.starts_with(['{', '(']) || rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !is_variable {
            continue;
        }
        // If a script uses `eval` or `envsubst`, it probably expands the value itself.
        let name = &key.text;
        let is_used = document
            .items
            .iter()
            .any(|item| item.calls().iter().any(|call| matches!(call.program(), "eval" | "envsubst")));
        if !is_used {
            let finding = checker.report(document.first_line(node.span.clone()));
            finding.message(format!("CodeBuild does not expand the `$` in the value of {name}"));
            finding.hint(format!("set it in a command: export {name}=\"{text}\""));
        }
    }
}

fn line_ends(document: &Document<'_>, checker: &mut Checker<'_>) {
    let text = document.text();
    let Some(at) = text.find("\r\n") else { return };
    let count = text.matches("\r\n").count();
    let finding = checker.report(at..at);
    finding.message(format!("{count} lines end in CR and LF"));
    finding.hint("YAML reads both line endings, but a shell script that is copied from here fails");
    finding.fix(text.match_indices("\r\n").map(|(at, _)| Edit::replace(at..at + 1, "")));
}
