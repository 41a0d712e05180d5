//! Simple commands: assignments, words and redirections.

use super::bashisms;
use super::cursor::{Parsed, Parser};
use crate::shell::bashism::Bashism;
use crate::shell::syntax::{
    Assignment, CommandKind, Redirect, SimpleCommand, Word, WordPart, is_variable_name,
};

const OPERATORS: &[&str] = &["&>>", "&>", "<<<", "<<-", "<<", "<>", "<&", ">>", ">&", ">|", "<", ">"];

impl Parser<'_> {
    pub(super) fn simple(&mut self) -> Parsed<(CommandKind, Vec<Redirect>)> {
        let mut simple = SimpleCommand::default();
        let mut redirects = Vec::new();
        let start = self.at;
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            match self.peek() {
                None | Some('\n' | ';' | '&' | '|' | ')') => break,
                Some('(') => {
                    if let [name] = &simple.words[..]
                        && let Some(name) = name.literal()
                        && simple.assignments.is_empty()
                    {
                        return self.function(name).map(|kind| (kind, redirects));
                    }
                    return Err(self.unexpected("("));
                }
                Some(_) => {}
            }
            if simple.words.is_empty()
                && let Some(assignment) = self.assignment()?
            {
                simple.assignments.push(assignment);
                continue;
            }
            let before = self.at;
            let mut word = self.word_here()?;
            // Only arguments such as those of `declare -A x=(…)` may contain parentheses.
            if self.starts_with("(")
                && self.text[before..self.at].ends_with('=')
                && bashisms::declares(&simple)
            {
                self.at = before;
                if self.assignment()?.is_some() {
                    word = Word { span: before..self.at, parts: vec![WordPart::Arithmetic] };
                }
            }
            simple.words.push(word);
        }
        if let Some((bashism, word)) = bashisms::of_command(&simple) {
            self.bashisms.push((bashism, word.span.clone()));
        }
        debug_assert!(self.at >= start);
        Ok((CommandKind::Simple(simple), redirects))
    }

    fn assignment(&mut self) -> Parsed<Option<Assignment>> {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = &rest[..length];
        if !is_variable_name(name) {
            return Ok(None);
        }
        let start = self.at;
        let mut sign = length;
        if rest[length..].starts_with('[') {
            let word = &rest[length..];
            let word =
                &word[..word.find(|c: char| c.is_whitespace() || ";&|<>".contains(c)).unwrap_or(word.len())];
            let Some(close) = word.find("]=").or_else(|| word.find("]+=")) else { return Ok(None) };
            sign = length + close + 1;
        }
        let appends = rest[sign..].starts_with("+=");
        if !appends && !rest[sign..].starts_with('=') {
            return Ok(None);
        }
        self.at += sign + if appends { 2 } else { 1 };
        if sign > length {
            self.bashism(Bashism::ArrayElement, start);
        }
        if appends {
            self.bashism(Bashism::Append, start);
        }
        let name = name.to_owned();
        if self.eat("(") {
            loop {
                self.lines()?;
                match self.peek() {
                    None => return Err(self.unclosed("(", start)),
                    Some(')') => break self.at += 1,
                    Some(';' | '&' | '|' | '<' | '>' | '(') => return Err(self.unexpected(self.first_word())),
                    Some(_) => drop(self.word_here()?),
                }
            }
            self.bashism(Bashism::Array, start);
            return Ok(Some(Assignment {
                name,
                value: Word { span: start..self.at, parts: vec![WordPart::Arithmetic] },
            }));
        }
        let value = match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | ')' | '<' | '>') => {
                Word { span: self.at..self.at, parts: Vec::new() }
            }
            Some(_) => self.word_here()?,
        };
        Ok(Some(Assignment { name, value }))
    }

    pub(super) fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let rest = self.rest();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let Some(operator) = OPERATORS.iter().find(|operator| rest[digits..].starts_with(**operator)) else {
            return Ok(None);
        };
        // `<(…)` and `>(…)` are words.
        if matches!(*operator, "<" | ">") && rest[digits + 1..].starts_with('(') {
            return Ok(None);
        }
        let start = self.at;
        self.at += digits + operator.len();
        match *operator {
            "&>" | "&>>" => self.bashism(Bashism::BothStreams, start),
            "<<<" => self.bashism(Bashism::HereString, start),
            _ => {}
        }
        self.blanks();
        if matches!(self.peek(), None | Some('\n' | ';' | '&' | '|' | ')')) {
            return Err(self.unexpected(self.first_word()));
        }
        let target = self.word_here()?;
        if matches!(*operator, "<<" | "<<-") {
            let delimiter = self.text[target.span.clone()].replace(['\'', '"', '\\'], "");
            self.expect_heredoc(delimiter, *operator == "<<-", start..self.at);
        }
        Ok(Some(Redirect { operator, target }))
    }
}
