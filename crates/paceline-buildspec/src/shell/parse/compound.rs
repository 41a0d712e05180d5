//! Commands that contain commands, and tests.

use super::cursor::{Parsed, Parser};
use crate::shell::bashism::Bashism;
use crate::shell::syntax::{CommandKind, List, Loop, SyntaxError};

impl Parser<'_> {
    /// A command that starts with a reserved word or sign of the shell.
    pub(super) fn compound(&mut self) -> Parsed<Option<CommandKind>> {
        let start = self.at;
        if self.starts_with("((")
            && let Some(end) = self.arithmetic_end(self.at + 2)
        {
            self.at = end;
            self.bashism(Bashism::DoubleParenthesis, start);
            return Ok(Some(CommandKind::Test));
        }
        if self.eat("(") {
            let body = self.list(&[])?;
            return self.close(")", "(", start).map(|()| Some(CommandKind::Subshell(body)));
        }
        let word = self.first_word();
        match word {
            "{" | "if" | "while" | "until" | "for" | "select" | "case" | "function" | "[[" => {
                self.at += word.len();
            }
            _ => return Ok(None),
        }
        let kind = match word {
            "{" => {
                let body = self.list(&["}"])?;
                self.close("}", "{", start)?;
                CommandKind::Group(body)
            }
            "if" => self.if_(start)?,
            "while" | "until" => {
                let condition = self.list(&["do"])?;
                let body = self.do_done(word_static(word), start)?;
                CommandKind::Loop(Loop {
                    condition: Some(condition),
                    variable: None,
                    values: Vec::new(),
                    body,
                })
            }
            "for" | "select" => self.for_(word_static(word), start)?,
            "case" => self.case(start)?,
            "function" => {
                self.bashism(Bashism::FunctionKeyword, start);
                self.blanks();
                let name = self.first_word().to_owned();
                self.at += name.len();
                self.blanks();
                if self.eat("(") {
                    self.blanks();
                    self.close(")", "(", start)?;
                }
                self.lines()?;
                CommandKind::Function { name, body: Box::new(self.command()?) }
            }
            _ => {
                self.double_bracket(start)?;
                self.bashism(Bashism::DoubleBracket, start);
                CommandKind::Test
            }
        };
        Ok(Some(kind))
    }

    pub(super) fn close(&mut self, word: &str, what: &'static str, start: usize) -> Parsed<()> {
        self.lines()?;
        if self.eat(word) {
            Ok(())
        } else if self.at >= self.end {
            Err(self.unclosed(what, start))
        } else {
            Err(self.unexpected(self.first_word()))
        }
    }

    /// Expects a reserved word.
    fn word(&mut self, word: &str, what: &'static str, start: usize) -> Parsed<()> {
        self.lines()?;
        if self.reserved(word) {
            self.at += word.len();
            Ok(())
        } else if self.at >= self.end {
            Err(SyntaxError::Unclosed { what, at: start..start + what.len() })
        } else {
            Err(self.unexpected(self.first_word()))
        }
    }

    fn if_(&mut self, start: usize) -> Parsed<CommandKind> {
        let mut arms = Vec::new();
        loop {
            let condition = self.list(&["then"])?;
            self.word("then", "if", start)?;
            let body = self.list(&["elif", "else", "fi"])?;
            arms.push((condition, body));
            if self.reserved("elif") {
                self.at += "elif".len();
            } else {
                break;
            }
        }
        let otherwise = if self.reserved("else") {
            self.at += "else".len();
            Some(self.list(&["fi"])?)
        } else {
            None
        };
        self.word("fi", "if", start)?;
        Ok(CommandKind::If { arms, otherwise })
    }

    fn do_done(&mut self, what: &'static str, start: usize) -> Parsed<List> {
        self.word("do", what, start)?;
        let body = self.list(&["done"])?;
        self.word("done", what, start)?;
        Ok(body)
    }

    fn for_(&mut self, what: &'static str, start: usize) -> Parsed<CommandKind> {
        self.blanks();
        let (mut variable, mut values) = (None, Vec::new());
        if what == "select" {
            self.bashism(Bashism::Select, start);
        }
        if self.starts_with("((") {
            let header = self.at;
            self.at = self.arithmetic_end(self.at + 2).ok_or_else(|| self.unclosed("((", header))?;
            self.bashism(Bashism::DoubleParenthesis, header);
        } else {
            let name = self.first_word();
            self.at += name.len();
            variable = Some(name.to_owned());
            self.lines()?;
            if self.reserved("in") {
                self.at += "in".len();
                loop {
                    self.blanks();
                    match self.peek() {
                        None | Some('\n' | ';') => break,
                        Some('&' | '|' | '(' | ')') => return Err(self.unexpected(self.first_word())),
                        Some('<' | '>') if !self.rest()[1..].starts_with('(') => {
                            return Err(self.unexpected(self.first_word()));
                        }
                        Some(_) => values.push(self.word_here()?),
                    }
                }
            }
        }
        self.blanks();
        self.eat(";");
        self.lines()?;
        if self.eat("{") {
            let body = self.list(&["}"])?;
            self.close("}", "{", start)?;
            return Ok(CommandKind::Loop(Loop { condition: None, variable, values, body }));
        }
        let body = self.do_done(what, start)?;
        Ok(CommandKind::Loop(Loop { condition: None, variable, values, body }))
    }

    fn case(&mut self, start: usize) -> Parsed<CommandKind> {
        self.blanks();
        self.word_here()?;
        self.word("in", "case", start)?;
        let mut arms = Vec::new();
        loop {
            self.lines()?;
            if self.reserved("esac") {
                self.at += "esac".len();
                return Ok(CommandKind::Case(arms));
            }
            self.eat("(");
            loop {
                self.blanks();
                match self.peek() {
                    None => return Err(SyntaxError::Unclosed { what: "case", at: start..start + 4 }),
                    Some(')') => break self.at += 1,
                    Some('|') => self.at += 1,
                    Some('\n' | ';' | '&' | '<' | '>' | '(') => {
                        return Err(self.unexpected(self.first_word()));
                    }
                    Some(_) => drop(self.word_here()?),
                }
            }
            arms.push(self.list(&["esac"])?);
            let separator = self.at;
            if self.eat(";;&") || self.eat(";&") {
                self.bashism(Bashism::CaseFallthrough, separator);
            } else if !self.eat(";;") && self.starts_with(")") {
                return Err(self.unexpected(")"));
            }
        }
    }

    fn double_bracket(&mut self, start: usize) -> Parsed<()> {
        loop {
            while let Some(' ' | '\t' | '\n' | '\r') = self.peek() {
                self.at += 1;
            }
            if self.eat("\\\n") {
                continue;
            }
            if self.first_word() == "]]" {
                self.at += 2;
                return Ok(());
            }
            match self.peek() {
                None => return Err(SyntaxError::Unclosed { what: "[[", at: start..start + 2 }),
                // These are operators, or the parentheses of a pattern.
                Some('(' | ')' | '&' | '|' | '<' | '>' | ';') => self.at += 1,
                Some(_) => drop(self.word_here()?),
            }
        }
    }

    pub(super) fn function(&mut self, name: String) -> Parsed<CommandKind> {
        let start = self.at;
        self.at += 1;
        self.blanks();
        self.close(")", "(", start)?;
        self.lines()?;
        self.deeper(|p| Ok(CommandKind::Function { name, body: Box::new(p.command()?) }))
    }

    /// The end of `((…))`. `None` if it is one subshell inside another.
    pub(super) fn arithmetic_end(&self, from: usize) -> Option<usize> {
        let mut open = 0usize;
        let rest = self.text.get(from..self.end)?;
        for (offset, byte) in rest.bytes().enumerate() {
            match byte {
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' => return rest[offset + 1..].starts_with(')').then_some(from + offset + 2),
                _ => {}
            }
        }
        None
    }
}

fn word_static(word: &str) -> &'static str {
    match word {
        "while" => "while",
        "until" => "until",
        "select" => "select",
        _ => "for",
    }
}
