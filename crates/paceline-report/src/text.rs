//! How times, counts and other people's words look in every report.
//!
//! Messages come from AWS, from scripts and from templates, so nothing of them may reach a terminal
//! before [`clean`] took out what could control it.

use std::time::Duration;

pub(crate) use paceline_text::{clean, one_line};

/// Colours and width of a report that is read in a terminal or a build log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// At which column to break lines. `None` leaves long lines to the reader's own window.
    pub width: Option<u16>,
}

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Good,
    Bad,
    Warn,
    Dim,
}

impl Style {
    /// The text in the colour of its tone, if colours are asked for.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Warn => "33",
            Tone::Dim => "2",
        };
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// The lines of a text, cleaned, and broken between words so that each fits behind an indent.
    pub(crate) fn lines(self, text: &str, indent: usize) -> Vec<String> {
        let room = self.width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(indent).max(24));
        clean(text)
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .flat_map(|line| wrap(line, room))
            .collect()
    }
}

fn wrap(line: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in line.split(' ') {
        if !current.is_empty() && chars(&current) + 1 + chars(word) > room {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    lines
}

/// How wide a text is. Ids and AWS messages are almost always ASCII, so characters are good enough.
pub(crate) fn chars(text: &str) -> usize {
    text.chars().count()
}

/// At most so many characters, the last of them an ellipsis when something was cut off.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if chars(text) <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// `1 stack`, `2 stacks`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// The time on the run's own clock: `mm:ss`, or `h:mm:ss` from an hour on.
pub(crate) fn clock(at: Duration) -> String {
    let s = at.as_secs();
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h == 0 { format!("{m:02}:{s:02}") } else { format!("{h}:{m:02}:{s:02}") }
}

/// A duration in words: `3.2 s`, `14 s`, `2 min 5 s`, `1 h 2 min`.
pub(crate) fn words(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    if tenths < 100 && !tenths.is_multiple_of(10) {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let s = (duration.as_millis() + 500) / 1000;
    match (s / 3600, s / 60 % 60, s % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// The unit of a table's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Minutes,
}

impl Unit {
    /// Minutes, unless the run was so short that they would say nothing.
    pub(crate) fn of(run: Duration) -> Self {
        if run < Duration::from_mins(2) { Self::Seconds } else { Self::Minutes }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
        }
    }

    /// With one decimal.
    pub(crate) fn figure(self, duration: Duration) -> String {
        let seconds = duration.as_secs_f64();
        match self {
            Self::Seconds => format!("{seconds:.1}"),
            Self::Minutes => format!("{:.1}", seconds / 60.0),
        }
    }
}

/// The duration of a figure of an event, which may be anything: what is no duration is zero, and none is so
/// long that sums of them overflow.
pub(crate) fn seconds(s: f64) -> Duration {
    const MOST: f64 = 1e9;
    Duration::try_from_secs_f64(s.min(MOST)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words() {
        for (ms, expected) in [
            (0, "0 s"),
            (49, "0 s"),
            (400, "0.4 s"),
            (3_000, "3 s"),
            (3_240, "3.2 s"),
            (9_960, "10 s"),
            (59_600, "1 min"),
            (125_000, "2 min 5 s"),
            (3_599_600, "1 h"),
            (3_725_000, "1 h 2 min"),
        ] {
            assert_eq!(words(Duration::from_millis(ms)), expected, "{ms} ms");
        }
    }

    #[test]
    fn clocks() {
        assert_eq!(clock(Duration::from_secs(65)), "01:05");
        assert_eq!(clock(Duration::from_secs(3_725)), "1:02:05");
    }

    #[test]
    fn lines_break_between_words() {
        let style = Style { color: false, width: Some(34) };
        assert_eq!(
            style.lines("the quick brown fox jumps over the lazy dog\n\nagain", 4),
            ["the quick brown fox jumps over", "the lazy dog", "again"]
        );
    }

    #[test]
    fn cut_counts_characters() {
        assert_eq!(cut("größer", 6), "größer");
        assert_eq!(cut("größere", 6), "größe…");
    }
}
