//! Commands and how they are joined.

mod compound;
mod word;

use super::{
    AndOr, Assignment, Bashism, Command, CommandKind, List, Pipeline, Redirect, Script, SimpleCommand, Span,
    Statement, SyntaxError, Word, WordPart, bashism,
};
pub(super) use word::is_name;

/// More is no script that anyone wrote, and the tree is built recursively.
const MAX_DEPTH: usize = 40;

pub(super) type Parsed<T> = Result<T, SyntaxError>;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// Where the part of the text ends that is parsed.
    pub(super) end: usize,
    pub(super) depth: usize,
    pub(super) bashisms: Vec<(Bashism, Span)>,
    /// Here-documents whose lines follow the line that is being read.
    heredocs: Vec<Heredoc>,
}

#[derive(Debug)]
struct Heredoc {
    delimiter: String,
    /// `<<-`: tabs before the delimiter do not count.
    strip: bool,
    at: Span,
}

const OPERATORS: &[&str] = &["&>>", "&>", "<<<", "<<-", "<<", "<>", "<&", ">>", ">&", ">|", "<", ">"];

pub(super) fn script(text: &str) -> Script {
    let mut parser = Parser::new(text, 0, text.len());
    let mut body = List::default();
    let error = parser.statements(&mut body, &[]).and_then(|()| parser.nothing_left()).err();
    let mut bashisms = parser.bashisms;
    bashisms.sort_by_key(|(_, span)| span.start);
    Script { body, error, bashisms }
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, at: usize, end: usize) -> Self {
        Self { text, at, end, depth: 0, bashisms: Vec::new(), heredocs: Vec::new() }
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

    /// Blanks, continued lines and a comment, up to the end of the line.
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

    /// Blanks and ends of lines, with the here-documents that follow them.
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
            loop {
                if self.at >= self.end {
                    return Err(SyntaxError::Unclosed { what: "here-document", at: heredoc.at });
                }
                let rest = self.rest();
                let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
                self.at = (self.at + line.len() + 1).min(self.end);
                let line = line.strip_suffix('\r').unwrap_or(line);
                let line = if heredoc.strip { line.trim_start_matches('\t') } else { line };
                if line == heredoc.delimiter {
                    break;
                }
            }
        }
        Ok(())
    }

    fn nothing_left(&mut self) -> Parsed<()> {
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

    /// Statements up to one of the words, a closing parenthesis, the end of a case's arm, or the end.
    pub(super) fn statements(&mut self, list: &mut List, until: &[&str]) -> Parsed<()> {
        loop {
            self.lines()?;
            if self.at >= self.end
                || self.starts_with(")")
                || self.starts_with(";;")
                || self.starts_with(";&")
            {
                return Ok(());
            }
            let word = self.first_word();
            if until.contains(&word) {
                return Ok(());
            }
            if matches!(
                word,
                "then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "}" | ";" | "&" | "|"
            ) {
                return Err(self.unexpected(word));
            }
            let statement = self.statement()?;
            list.0.push(statement);
        }
    }

    pub(super) fn list(&mut self, until: &[&str]) -> Parsed<List> {
        let mut list = List::default();
        self.deeper(|p| p.statements(&mut list, until))?;
        Ok(list)
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let mut statement = Statement { first: self.pipeline()?, rest: Vec::new(), background: false };
        loop {
            self.blanks();
            let joint = if self.eat("&&") {
                AndOr::And
            } else if self.eat("||") {
                AndOr::Or
            } else {
                break;
            };
            self.lines()?;
            let pipeline = self.pipeline()?;
            statement.rest.push((joint, pipeline));
        }
        if self.starts_with("&") && !self.starts_with("&>") {
            self.at += 1;
            statement.background = true;
        } else if self.starts_with(";") && !self.starts_with(";;") && !self.starts_with(";&") {
            self.at += 1;
        }
        Ok(statement)
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut negated = false;
        loop {
            self.blanks();
            if self.reserved("!") {
                self.at += 1;
                negated = !negated;
            } else if self.reserved("time") {
                self.at += "time".len();
                self.blanks();
                if self.reserved("-p") {
                    self.at += "-p".len();
                }
            } else {
                break;
            }
        }
        let mut commands = vec![self.command()?];
        loop {
            self.blanks();
            if self.starts_with("||") {
                break;
            }
            let start = self.at;
            if self.eat("|&") {
                self.bashism(Bashism::PipeBoth, start);
            } else if !self.eat("|") {
                break;
            }
            self.lines()?;
            commands.push(self.command()?);
        }
        Ok(Pipeline { negated, commands })
    }

    pub(super) fn command(&mut self) -> Parsed<Command> {
        self.blanks();
        let start = self.at;
        let kind = self.deeper(Self::compound)?;
        let (kind, mut redirects) = match kind {
            Some(kind) => (kind, Vec::new()),
            None => self.simple()?,
        };
        if !matches!(kind, CommandKind::Simple(_)) {
            loop {
                self.blanks();
                match self.redirect()? {
                    Some(redirect) => redirects.push(redirect),
                    None => break,
                }
            }
        }
        if self.at == start {
            let word = self.first_word();
            return Err(if word.is_empty() {
                SyntaxError::Unexpected { what: "the end".to_owned(), at: start..start }
            } else {
                self.unexpected(word)
            });
        }
        // What was read last may be a blank of the line's end.
        let end = start + self.text[start..self.at].trim_end().len();
        Ok(Command { span: start..end, kind, redirects })
    }

    fn simple(&mut self) -> Parsed<(CommandKind, Vec<Redirect>)> {
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
            // `declare -A x=(…)`: the only arguments that may hold parentheses.
            if self.starts_with("(")
                && self.text[before..self.at].ends_with('=')
                && bashism::declares(&simple)
            {
                self.at = before;
                if self.assignment()?.is_some() {
                    word = Word { span: before..self.at, parts: vec![WordPart::Arithmetic] };
                }
            }
            simple.words.push(word);
        }
        if let Some((bashism, word)) = bashism::command(&simple) {
            self.bashisms.push((bashism, word.span.clone()));
        }
        debug_assert!(self.at >= start);
        Ok((CommandKind::Simple(simple), redirects))
    }

    fn assignment(&mut self) -> Parsed<Option<Assignment>> {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = &rest[..length];
        if !is_name(name) {
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

    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
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
            self.heredocs.push(Heredoc { delimiter, strip: *operator == "<<-", at: start..self.at });
        }
        Ok(Some(Redirect { operator, target }))
    }
}
