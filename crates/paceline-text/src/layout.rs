//! Colours and the breaking of lines, for texts that are read in a terminal or a build log.

use crate::clean::clean;

/// A space at which no line is broken. It is shown as an ordinary space.
pub const TIED: char = '\u{a0}';

/// The narrowest column that text is broken to: a terminal may be narrower than the indent alone.
const NARROWEST: usize = 24;

/// Colours and width of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// At which column to break lines. `None` leaves long lines to the reader's own window.
    pub width: Option<u16>,
}

/// The meaning of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text, in no colour.
    Plain,
    /// A heading, or a name that matters.
    Strong,
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// A person should look at it.
    Warn,
    /// Less important than the text around it.
    Dim,
}

impl Style {
    /// The text in the colour of its tone, if colours are asked for.
    pub fn paint(self, tone: Tone, text: &str) -> String {
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

    /// The lines of a text, cleaned, and broken between words so that each fits behind an indent. Empty lines are left
    /// out.
    pub fn lines(self, text: &str, indent: usize) -> Vec<String> {
        let room = self.room(indent);
        let text = clean(text);
        let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        lines.flat_map(|line| wrap(line, room)).collect()
    }

    /// How many characters fit on a line behind an indent.
    pub fn room(self, indent: usize) -> usize {
        self.width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(indent).max(NARROWEST))
    }
}

/// A line broken between words so that each part has at most `room` characters. A word that is longer has its own line.
pub fn wrap(line: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in line.split(' ') {
        if !current.is_empty() && columns(&current) + 1 + columns(word) > room {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.extend(word.chars().map(|c| if c == TIED { ' ' } else { c }));
    }
    lines.push(current);
    lines
}

/// How wide a text is. Ids and AWS messages are almost always ASCII, so counting characters is good enough.
pub fn columns(text: &str) -> usize {
    text.chars().count()
}

/// At most so many characters, the last of them an ellipsis when something was cut off.
pub fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        let style = Style { color: false, width: Some(34) };
        assert_eq!(
            style.lines("the quick brown fox jumps over the lazy dog\n\nagain", 4),
            ["the quick brown fox jumps over", "the lazy dog", "again"]
        );
    }

    #[test]
    fn no_line_breaks_at_a_tied_space() {
        assert_eq!(wrap("waits for\u{a0}A and B", 10), ["waits", "for A and", "B"]);
    }

    #[test]
    fn cut_counts_characters() {
        assert_eq!(cut("größer", 6), "größer");
        assert_eq!(cut("größere", 6), "größe…");
    }
}
