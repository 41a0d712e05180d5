//! Lists and pipelines, and the choice between simple and compound commands.

use super::cursor::{Parsed, Parser};
use crate::shell::bashism::Bashism;
use crate::shell::syntax::{AndOr, Command, CommandKind, List, Pipeline, Statement, SyntaxError};

impl Parser<'_> {
    /// Parses statements up to one of the words, a closing parenthesis, the end of a case's arm, or the end.
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
        // The parser may already have skipped the blanks at the end of the line.
        let end = start + self.text[start..self.at].trim_end().len();
        Ok(Command { span: start..end, kind, redirects })
    }
}
