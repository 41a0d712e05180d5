//! Comments that silence findings: `# paceline: allow PL203, PL204 because …`. They are on the line of a
//! finding or on a separate line before it. Inside a script, they are comments of the shell. A comment on the
//! line where a block starts, or before that line, covers the whole block.

use std::ops::{Range, RangeInclusive};

use super::finding::Finding;
use crate::yaml::Lines;

#[derive(Debug)]
pub(super) struct Allowance {
    /// The code as written, which may not be the code of a rule.
    pub(super) code: String,
    pub(super) span: Range<usize>,
    /// The lines that the allowance covers, counted from 0.
    lines: RangeInclusive<usize>,
    pub(super) used: bool,
}

/// Reads every allowed code of a file. A comment that names no code becomes an allowance without a code.
pub(super) fn read(lines: &Lines<'_>) -> Vec<Allowance> {
    let mut allowances = Vec::new();
    for index in 0..lines.count() {
        let text = lines.line(index);
        let Some((comment, words)) = comment(text) else { continue };
        let line = if text[..comment].trim().is_empty() { next_line(lines, index) } else { index };
        let covered = line..=block_end(lines, line);
        let start = lines.span(index).start;
        let mut any = false;
        for (offset, word) in words_of(text, words) {
            let looks_like_code = word.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("PL"))
                && word[2..].bytes().all(|byte| byte.is_ascii_digit());
            if !looks_like_code {
                break;
            }
            any = true;
            let span = start + offset..start + offset + word.len();
            allowances.push(Allowance {
                code: word.to_ascii_uppercase(),
                span,
                lines: covered.clone(),
                used: false,
            });
        }
        if !any {
            let span = start + comment..start + text.len();
            allowances.push(Allowance { code: String::new(), span, lines: covered, used: false });
        }
    }
    allowances
}

/// The start of the comment, and the start of its codes.
fn comment(line: &str) -> Option<(usize, usize)> {
    for (at, _) in line.match_indices('#') {
        if !line[..at].is_empty() && !line[..at].ends_with([' ', '\t']) {
            continue;
        }
        let Some(rest) = line[at + 1..].trim_start().strip_prefix("paceline:") else { continue };
        let Some(rest) = rest.trim_start().strip_prefix("allow") else { continue };
        if rest.is_empty() || rest.starts_with([' ', '\t']) {
            return Some((at, line.len() - rest.len()));
        }
    }
    None
}

/// The words from a position on, each with its start.
fn words_of(line: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let is_between = |c: char| c == ',' || c.is_whitespace();
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at + line[at..].find(|c| !is_between(c))?;
        at = line[start..].find(is_between).map_or(line.len(), |length| start + length);
        Some((start, &line[start..at]))
    })
}

/// The last line of the block that starts on this one, or this one.
fn block_end(lines: &Lines<'_>, index: usize) -> usize {
    let line = lines.line(index);
    let code = line.split(" #").next().unwrap_or(line).trim_end();
    let code = code.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    let is_block = code.strip_suffix(['|', '>']).is_some_and(|before| before.ends_with([' ', '\t']));
    if !is_block || code.trim_start().starts_with('#') {
        return index;
    }
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let is_inside = |next: &usize| {
        let text = lines.line(*next);
        text.trim().is_empty() || indentation(text) > indentation(line)
    };
    (index + 1..lines.count()).take_while(is_inside).last().unwrap_or(index)
}

/// The next line that is more than a comment.
fn next_line(lines: &Lines<'_>, index: usize) -> usize {
    let is_more = |text: &str| !text.is_empty() && !text.starts_with('#');
    (index + 1..lines.count()).find(|next| is_more(lines.line(*next).trim())).unwrap_or(index)
}

/// Removes the findings that a comment allows, and marks these comments as used. A finding with the code
/// `always` is never removed.
pub(super) fn apply(findings: &mut Vec<Finding>, allowances: &mut [Allowance], always: &str) {
    findings.retain(|finding| {
        if finding.code == always {
            return true;
        }
        let line = finding.start.line - 1;
        let mut allowed = false;
        for allowance in allowances.iter_mut() {
            if allowance.lines.contains(&line) && allowance.code == finding.code {
                allowance.used = true;
                allowed = true;
            }
        }
        !allowed
    });
}
