//! The position of the parser, and the parts that it skips: blanks, comments and here-documents.

use crate::shell::bashism::Bashism;
use crate::shell::syntax::{HereDocument, Span, SyntaxError};

/// The deepest nesting that is parsed. The parser is recursive, and no real script is nested this deep.
const MAX_DEPTH: usize = 40;

pub(super) type Parsed<T> = Result<T, SyntaxError>;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// The end of the part of the text that is parsed.
    pub(super) end: usize,
    pub(super) depth: usize,
    pub(super) bashisms: Vec<(Bashism, Span)>,
    /// Here-documents whose lines follow the current line.
    heredocs: Vec<Heredoc>,
    pub(super) here_documents: Vec<HereDocument>,
}

#[derive(Debug)]
struct Heredoc {
    delimiter: String,
    /// Whether the operator is `<<-`, which ignores tabs before the delimiter.
    strip: bool,
    at: Span,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, at: usize, end: usize) -> Self {
        Self {
            text,
            at,
            end,
            depth: 0,
            bashisms: Vec::new(),
            heredocs: Vec::new(),
            here_documents: Vec::new(),
        }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn bashism(&mut self, bashism: Bashism, start: usize) {
        self.bashisms.push((bashism, start..self.at.max(start)));
    }

    pub(super) fn unclosed(&self, what: &'static str, start: usize) -> SyntaxError {
        let width = self.text[start..].chars().next().map_or(0, char::len_utf8);
        SyntaxError::Unclosed { what, at: start..start + width }
    }

    pub(super) fn unexpected(&self, what: &str) -> SyntaxError {
        SyntaxError::Unexpected { what: what.to_owned(), at: self.at..self.at + what.len() }
    }

    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(SyntaxError::TooDeep);
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Skips blanks, continued lines and a comment, up to the end of the line.
    pub(super) fn blanks(&mut self) {
        loop {
            if self.eat("\\\n") {
                continue;
            }
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('#') => {
                    let line = self.rest().find('\n').unwrap_or(self.rest().len());
                    self.at += line;
                    return;
                }
                _ => return,
            }
        }
    }

    /// Skips blanks and ends of lines, with the here-documents that follow them.
    pub(super) fn lines(&mut self) -> Parsed<()> {
        loop {
            self.blanks();
            if !self.eat("\n") {
                return Ok(());
            }
            self.heredoc_bodies()?;
        }
    }

    fn heredoc_bodies(&mut self) -> Parsed<()> {
        for heredoc in std::mem::take(&mut self.heredocs) {
            let body = self.at;
            loop {
                if self.at >= self.end {
                    return Err(SyntaxError::Unclosed { what: "here-document", at: heredoc.at });
                }
                let rest = self.rest();
                let start = self.at;
                let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
                self.at = (self.at + line.len() + 1).min(self.end);
                let line = line.strip_suffix('\r').unwrap_or(line);
                let line = if heredoc.strip { line.trim_start_matches('\t') } else { line };
                if line == heredoc.delimiter {
                    self.here_documents.push(HereDocument { redirect: heredoc.at, body: body..start });
                    break;
                }
            }
        }
        Ok(())
    }

    pub(super) fn nothing_left(&mut self) -> Parsed<()> {
        if let Some(heredoc) = self.heredocs.first() {
            return Err(SyntaxError::Unclosed { what: "here-document", at: heredoc.at.clone() });
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected(self.first_word())),
        }
    }

    /// The text up to the next blank or operator, for errors and for reserved words.
    pub(super) fn first_word(&self) -> &'a str {
        let rest = self.rest();
        let stop = rest.find(|c: char| c.is_whitespace() || "();&|<>".contains(c)).unwrap_or(rest.len());
        if stop > 0 {
            return &rest[..stop];
        }
        if rest.starts_with(";;") { ";;" } else { &rest[..rest.chars().next().map_or(0, char::len_utf8)] }
    }

    pub(super) fn reserved(&self, word: &str) -> bool {
        self.first_word() == word
    }

    /// Records a here-document whose lines follow the current line.
    pub(super) fn expect_heredoc(&mut self, delimiter: String, strip: bool, at: Span) {
        self.heredocs.push(Heredoc { delimiter, strip, at });
    }
}
