//! Lines and columns of a text.

use std::ops::Range;

use super::At;

#[derive(Debug)]
pub struct Lines<'a> {
    pub text: &'a str,
    /// Where each line starts.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn of(text: &'a str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after).collect() }
    }

    /// The number of the line that a byte is in, from 0.
    pub fn index(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).saturating_sub(1)
    }

    pub fn at(&self, byte: usize) -> At {
        let line = self.index(byte);
        let before = self.text.get(self.starts[line]..byte).unwrap_or_default();
        At { line: line + 1, column: before.chars().count() + 1 }
    }

    /// A line with its number from 0, without its end.
    pub fn line(&self, index: usize) -> &'a str {
        let span = self.span(index);
        self.text[span].trim_end_matches(['\n', '\r'])
    }

    /// The bytes of a line, with its end.
    pub fn span(&self, index: usize) -> Range<usize> {
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        start..self.starts.get(index + 1).copied().unwrap_or(self.text.len())
    }

    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The byte at a place, or the end of its line.
    pub fn byte(&self, at: At) -> usize {
        let index = at.line.saturating_sub(1);
        let line = self.line(index.min(self.count() - 1));
        let start = self.span(index).start;
        start + line.char_indices().nth(at.column.saturating_sub(1)).map_or(line.len(), |(offset, _)| offset)
    }

    /// The span within the text and between whole characters.
    pub fn valid(&self, span: Range<usize>) -> Range<usize> {
        let whole = |mut byte: usize| {
            byte = byte.min(self.text.len());
            while !self.text.is_char_boundary(byte) {
                byte -= 1;
            }
            byte
        };
        let start = whole(span.start);
        start..whole(span.end).max(start)
    }
}
