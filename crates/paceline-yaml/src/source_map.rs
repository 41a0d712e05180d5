//! From a place in the text of a scalar to the place in the file it was read from.

use std::ops::Range;

use super::{Node, Style};

/// For every byte of a scalar's text, and its end, the byte of the file.
#[derive(Debug)]
pub struct SourceMap(Vec<usize>);

impl SourceMap {
    pub fn of(file: &str, node: &Node, style: Style, text: &str) -> Self {
        let end = node.span.end.min(file.len());
        let mut from = node.span.start;
        if matches!(style, Style::Literal | Style::Folded) {
            from = block_start(file, from);
        }
        let mut cursor = Cursor { file, at: from, end, style };
        if matches!(style, Style::SingleQuoted | Style::DoubleQuoted) {
            cursor.at += 1;
        }
        let mut map = Vec::with_capacity(text.len() + 1);
        let mut previous = '\n';
        for c in text.chars() {
            let at = cursor.find(c, previous);
            map.extend(std::iter::repeat_n(at, c.len_utf8()));
            previous = c;
        }
        map.push(cursor.at.min(cursor.end));
        Self(map)
    }

    /// The span in the file of a span in the text.
    pub fn source(&self, span: &Range<usize>) -> Range<usize> {
        let at = |byte: usize| self.0.get(byte).or(self.0.last()).copied().unwrap_or_default();
        let start = at(span.start);
        // Behind the last byte, not at what follows: that may be on another line.
        let end = if span.end > span.start { at(span.end - 1) + 1 } else { start };
        start..end.max(start)
    }
}

/// Where the text of a block starts: below the line of its `|` or `>`. The parser's span starts at its first
/// character that is no blank.
fn block_start(file: &str, content: usize) -> usize {
    let before = file.get(..content).unwrap_or_default();
    let header = before.trim_end().len();
    before[header..].find('\n').map_or(content, |line| header + line + 1)
}

/// Where the `|` or `>` of a block stands.
pub fn indicator(file: &str, content: usize) -> Option<usize> {
    let header = file.get(..content)?.trim_end();
    let start = header.rfind('\n').map_or(0, |end| end + 1);
    let line = &header[start..];
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    let line = line.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    line.ends_with(['|', '>']).then(|| start + line.len() - 1)
}

struct Cursor<'a> {
    file: &'a str,
    at: usize,
    end: usize,
    style: Style,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.file.get(self.at..self.end)?.chars().next()
    }

    /// Where a character of the text stands in the file. What is not found there is where the search is.
    fn find(&mut self, c: char, previous: char) -> usize {
        // The indentation of a block's lines is not in its text.
        if matches!(self.style, Style::Literal | Style::Folded) && previous == '\n' && c != ' ' && c != '\n' {
            self.skip(|c| matches!(c, ' ' | '\t'));
        }
        let Some(here) = self.peek() else { return self.at };
        if self.style == Style::DoubleQuoted && here == '\\' {
            return self.escape();
        }
        let at = self.at;
        if here == c {
            self.at += c.len_utf8();
            if self.style == Style::SingleQuoted && c == '\'' {
                self.at += 1;
            }
            return at;
        }
        if here.is_ascii_whitespace() {
            // Lines that are folded into a blank, blanks before the end of a line, indentation, and `\r\n`.
            self.skip(|c| c.is_ascii_whitespace());
            if c.is_ascii_whitespace() {
                return at;
            }
            let at = self.at;
            if self.peek() == Some(c) {
                self.at += c.len_utf8();
            }
            return at;
        }
        at
    }

    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        while let Some(c) = self.peek().filter(|c| is_skipped(*c)) {
            self.at += c.len_utf8();
        }
    }

    fn escape(&mut self) -> usize {
        let at = self.at;
        self.at += 1;
        let length = match self.peek() {
            Some('x') => 3,
            Some('u') => 5,
            Some('U') => 9,
            // A continued line.
            Some('\n' | '\r') => {
                self.skip(|c| c.is_ascii_whitespace());
                let at = self.at;
                self.at += self.peek().map_or(0, char::len_utf8);
                return at;
            }
            other => other.map_or(0, char::len_utf8),
        };
        self.at = (self.at + length).min(self.end);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, parse};

    /// Finds a word in the text of a scalar, and says what stands at its place in the file.
    #[track_caller]
    fn check(file: &str, word: &str, expected: &str, line: usize) {
        let Kind::List(items) = parse(file).unwrap().kind else { panic!("{file}") };
        let Kind::Scalar { text, style } = &items[0].kind else { panic!("{file}") };
        let map = SourceMap::of(file, &items[0], *style, text);
        let start = text.find(word).unwrap_or_else(|| panic!("{word} is not in {text:?}"));
        let span = map.source(&(start..start + word.len()));
        assert_eq!(&file[span.clone()], expected, "{file}");
        assert_eq!(file[..span.start].matches('\n').count() + 1, line, "{file}");
    }

    #[test]
    fn a_word_is_found_where_it_was_written() {
        check("- echo a word\n", "word", "word", 1);
        check("- echo 'it''s' word\n", "word", "word", 1);
        check("- 'echo ''a'' word'\n", "word", "word", 1);
        check("- \"echo \\\"a\\\" \\u00e9 word\"\n", "word", "word", 1);
        check("- |\n  a\n\n    b word\n  c\n", "word", "word", 4);
        check("- |-  # why\n    a\n    word", "word", "word", 3);
        check("- >\n  a\n  word b\n", "word", "word", 3);
        check("- a\n  word b\n", "word", "word", 2);
        check("- \"a\n   word\"\n", "word", "word", 2);
        check("- \"a\\\n   word\"\n", "word", "word", 2);
        check("- |\r\n  a\r\n  word\r\n", "word", "word", 3);
        check("- |\n  é word\n", "word", "word", 2);
        check("- \"a\\nword\"\n", "word", "word", 1);
    }
}
