//! Lines of secrets that have several lines, such as private keys and JSON documents.
//!
//! A long line of a secret is a known value by itself. A short line may be a common word like `{`, so it is hidden only
//! among its neighbours: two or more lines of a secret in a row that have at least [`SHORTEST`] characters together.
//! Blank lines do not count. Something may stand before the first line of a secret and after the last one.

use std::ops::Range;
use std::sync::PoisonError;

use super::{KNOWN, SHORTEST, redacted, replaced};

/// The fewest characters of a line that is a known value by itself. Base64 and hexadecimal lines of keys are longer.
pub(super) const LONG: usize = 2 * SHORTEST;

/// The lines of a secret, without blank ones. `None` for a value of one line.
pub(super) fn of(value: &str) -> Option<Vec<String>> {
    let lines: Vec<String> =
        value.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    (lines.len() > 1).then_some(lines)
}

/// Consecutive lines of a text that are consecutive lines of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    secret: usize,
    /// The number of the line of the secret that would continue it.
    next: usize,
    lines: usize,
    characters: usize,
}

impl Run {
    fn is_secret(self) -> bool {
        self.characters >= LONG || self.lines > 1 && self.characters >= SHORTEST
    }
}

/// The runs that end with the latest line.
#[derive(Debug, Default)]
struct Runs(Vec<Run>);

impl Runs {
    /// Goes on with a line that is not blank.
    fn step(&mut self, line: &str, secrets: &[Vec<String>]) {
        let mut runs: Vec<Run> = Vec::new();
        let mut add = |before: Option<Run>, secret: usize, place: usize| {
            let length = secrets[secret][place].chars().count();
            let (lines, characters) = before.map_or((0, 0), |run| (run.lines, run.characters));
            let run = Run { secret, next: place + 1, lines: lines + 1, characters: characters + length };
            match runs.iter_mut().find(|it| (it.secret, it.next) == (run.secret, run.next)) {
                Some(known) if known.lines >= run.lines => {}
                Some(known) => *known = run,
                None => runs.push(run),
            }
        };
        for run in &self.0 {
            if part(line, &secrets[run.secret], run.next).is_some() {
                add(Some(*run), run.secret, run.next);
            }
        }
        for (secret, lines) in secrets.iter().enumerate() {
            // A run does not begin with the last line, after which other text may stand.
            let begins = |place: &usize| part(line, lines, *place).is_some();
            (0..lines.len() - 1).filter(begins).for_each(|place| add(None, secret, place));
        }
        self.0 = runs;
    }

    /// The number of lines before the end that may turn out to be secret.
    fn open(&self, secrets: &[Vec<String>]) -> usize {
        let goes_on = |run: &&Run| !run.is_secret() && run.next < secrets[run.secret].len();
        self.0.iter().filter(goes_on).map(|run| run.lines).max().unwrap_or(0)
    }
}

/// The part of a line that is the line of the secret at this place.
fn part(line: &str, secret: &[String], place: usize) -> Option<Range<usize>> {
    let wanted = secret.get(place)?;
    let (start, end) = (line.len() - line.trim_start().len(), line.trim_end().len());
    let inside = line.get(start..end)?;
    let is_it = inside == wanted
        || place == 0 && inside.ends_with(wanted)
        || place + 1 == secret.len() && inside.starts_with(wanted);
    // The first line stands at the end of the line of the text, and each other one at the start.
    let start = if place == 0 { end.checked_sub(wanted.len())? } else { start };
    is_it.then_some(start..start + wanted.len())
}

/// The parts of a text that are lines of secrets in a row.
pub(super) fn found(text: &str, secrets: &[Vec<String>]) -> Vec<Range<usize>> {
    let (mut runs, mut lines, mut found) = (Runs::default(), Vec::new(), Vec::new());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            lines.push((start, line));
            runs.step(line, secrets);
            for run in runs.0.iter().filter(|run| run.is_secret()) {
                found.extend(parts(*run, &lines, secrets));
            }
        }
        start += line.len();
    }
    found
}

/// The parts of the last of these lines that a run covers.
fn parts(run: Run, lines: &[(usize, &str)], secrets: &[Vec<String>]) -> Vec<Range<usize>> {
    let own = &lines[lines.len() - run.lines..];
    let part = |(index, (start, line)): (usize, &(usize, &str))| {
        let part = part(line, &secrets[run.secret], run.next - run.lines + index)?;
        Some(start + part.start..start + part.end)
    };
    own.iter().enumerate().filter_map(part).collect()
}

/// Takes secrets out of a text that comes line by line. A line that may turn out to be a part of a secret is kept back
/// until the next line decides it.
#[derive(Debug, Default)]
pub struct Lines {
    runs: Runs,
    /// The lines that are kept back.
    kept: Vec<String>,
}

impl Lines {
    /// Takes the next line, with or without its end. Returns the lines that can be shown, without secrets.
    pub fn next(&mut self, line: String) -> Vec<String> {
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        if known.of_lines.is_empty() {
            drop(known);
            return vec![redacted(&line).into_owned()];
        }
        let is_blank = line.trim().is_empty();
        self.kept.push(line);
        if is_blank {
            drop(known);
            return if self.kept.len() == 1 { self.release(0) } else { Vec::new() };
        }
        self.runs.step(&self.kept[self.kept.len() - 1], &known.of_lines);
        let open = self.runs.open(&known.of_lines);
        let secret = self.runs.0.iter().filter(|run| run.is_secret()).max_by_key(|run| run.lines).copied();
        if let Some(run) = secret {
            self.hide(run, &known.of_lines);
        }
        drop(known);
        self.release(open)
    }

    /// Returns the lines that were kept back.
    pub fn end(&mut self) -> Vec<String> {
        self.runs = Runs::default();
        self.release(0)
    }

    /// Takes the lines of a run out of those that are kept back. Earlier ones have been hidden already.
    fn hide(&mut self, run: Run, secrets: &[Vec<String>]) {
        let own = self.kept.iter_mut().rev().filter(|line| !line.trim().is_empty()).take(run.lines);
        for (back, line) in own.enumerate() {
            if let Some(part) = part(line, &secrets[run.secret], run.next - 1 - back) {
                *line = replaced(line, vec![part]).into_owned();
            }
        }
    }

    /// Returns the lines before the last ones, without secrets. Blank lines do not count.
    fn release(&mut self, open: usize) -> Vec<String> {
        let mut from = self.kept.len();
        let mut left = open;
        while left > 0 && from > 0 {
            from -= 1;
            left -= usize::from(!self.kept[from].trim().is_empty());
        }
        self.kept.drain(..from).map(|line| redacted(&line).into_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::hide;
    use super::*;

    /// What is shown after each line, and in the end.
    fn shown(lines: &[&str]) -> Vec<Vec<String>> {
        let mut stream = Lines::default();
        let mut shown: Vec<_> = lines.iter().map(|line| stream.next((*line).to_owned())).collect();
        shown.push(stream.end());
        shown
    }

    #[test]
    fn a_blank_line_within_a_secret_does_not_end_it() {
        hide("sit-amet\nconsec-t\n\nx1");
        let expected = [&[][..], &["***", "***"], &[""], &["***"], &[]];
        assert_eq!(shown(&["sit-amet", "consec-t", "", "x1"]), expected);
    }

    #[test]
    fn short_lines_of_a_secret_are_hidden_if_they_come_in_sequence() {
        hide("horse\n\n  battery\nstaple\n");
        assert_eq!(redacted("a\nhorse\nbattery\nb\n"), "a\n***\n***\nb\n");
        assert_eq!(redacted("  battery\n\tstaple"), "  ***\n\t***");
        assert_eq!(redacted("KEY=horse\nbattery\nstaple; x"), "KEY=***\n***\n***; x");
        // Alone, in another order, or with something between them, they are words like all others.
        for text in ["a horse", "horse\n", "battery\nhorse\n", "horse\nx\nbattery", "my battery\nstaple"] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn lines_of_few_characters_stay_readable() {
        hide("{\n\"k\": [\n{\n}\n]\n}");
        assert_eq!(redacted("}\n]\n}"), "}\n]\n}");
        assert_eq!(redacted("{\n  \"k\": [\n  {\n  }"), "***\n  ***\n  ***\n  ***");
    }

    #[test]
    fn a_line_of_a_stream_waits_for_the_next_one_only_if_it_may_be_secret() {
        hide("lorem\nipsum\ndolor");
        assert_eq!(
            shown(&["one", "lorem", "ipsum", "dolor", "two"]),
            [&["one"][..], &[], &["***", "***"], &["***"], &["two"], &[]]
        );
        assert_eq!(shown(&["lorem", "two"]), [&[][..], &["lorem", "two"], &[]]);
        assert_eq!(shown(&["lorem", "", "ipsum\n"]), [&[][..], &[], &["***", "", "***\n"], &[]]);
        assert_eq!(shown(&["X=lorem"]), [&[][..], &["X=lorem"]]);
        assert_eq!(shown(&["", "dolor"]), [&[""][..], &["dolor"], &[]]);
    }
}
