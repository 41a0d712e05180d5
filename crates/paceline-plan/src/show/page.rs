//! A page of text for people: titles, lines, paragraphs that are broken to fit, and colours.

use super::wording::clean;
use crate::model::Plan;

/// A space at which no line is broken.
pub(super) const TIED: char = '\u{a0}';

/// How a plan is shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// At which column to break lines.
    pub width: usize,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { color: false, width: 80 }
    }
}

#[derive(Clone, Copy)]
pub(super) enum Tone {
    Strong,
    Dim,
    Warn,
}

pub(super) struct Page<'a> {
    pub(super) out: String,
    pub(super) options: TextOptions,
    pub(super) plan: &'a Plan,
}

impl Page<'_> {
    pub(super) fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.options.color {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Strong => "1",
            Tone::Dim => "2",
            Tone::Warn => "33",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    pub(super) fn title(&mut self, text: &str) {
        let title = self.paint(Tone::Strong, &clean(text));
        self.line(&title);
    }

    /// A text that is broken between words; `first` stands before its first line, and every other line starts
    /// below where the text does.
    pub(super) fn paragraph(&mut self, first: &str, text: &str, tone: Option<Tone>) {
        let indent = first.chars().count();
        let room = self.options.width.saturating_sub(indent).max(24);
        let mut line = String::new();
        let mut lines = Vec::new();
        for word in clean(text).split(' ').filter(|word| !word.is_empty()) {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word.replace(TIED, " "));
        }
        lines.push(line);
        for (number, line) in lines.iter().enumerate() {
            let shown = tone.map_or_else(|| line.clone(), |tone| self.paint(tone, line));
            let lead = if number == 0 { first.to_owned() } else { " ".repeat(indent) };
            self.line(&format!("{lead}{shown}"));
        }
    }
}
