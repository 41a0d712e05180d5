//! Words: quotes and expansions.

use super::bashisms;
use super::cursor::{Parsed, Parser};
use crate::shell::bashism::Bashism;
use crate::shell::syntax::{List, SyntaxError, Word, WordPart};

/// Collects the parts of a word, and merges neighbouring texts.
#[derive(Default)]
struct Parts(Vec<WordPart>);

impl Parts {
    fn text(&mut self, more: &str, is_quoted: bool) {
        if let Some(WordPart::Text { text, quoted }) = self.0.last_mut()
            && *quoted == is_quoted
        {
            text.push_str(more);
        } else {
            self.0.push(WordPart::Text { text: more.to_owned(), quoted: is_quoted });
        }
    }
}

impl Parser<'_> {
    /// The word that starts here.
    pub(super) fn word_here(&mut self) -> Parsed<Word> {
        let start = self.at;
        let mut parts = Parts::default();
        while let Some(next) = self.peek() {
            match next {
                '<' | '>' if self.rest()[1..].starts_with('(') => {
                    let from = self.at;
                    self.at += 2;
                    let list = self.commands_until_parenthesis("(", from)?;
                    self.bashism(Bashism::ProcessSubstitution, from);
                    parts.0.push(WordPart::Commands(list));
                }
                // `?(…)`, `*(…)`, `+(…)`, `@(…)` and `!(…)` are patterns.
                '(' if self.text[start..self.at].ends_with(['?', '*', '+', '@', '!']) => {
                    let from = self.at;
                    self.at += 1;
                    self.pattern_end(from)?;
                    parts.text(&self.text[from..self.at], false);
                }
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '{' => {
                    if self.is_brace_expansion() {
                        self.bashisms.push((Bashism::BraceExpansion, self.at..self.at + 1));
                    }
                    self.at += 1;
                    parts.text("{", false);
                }
                _ => self.part(&mut parts, false)?,
            }
        }
        Ok(Word { span: start..self.at, parts: parts.0 })
    }

    /// The next character, or the quote or expansion that starts with it.
    fn part(&mut self, parts: &mut Parts, quoted: bool) -> Parsed<()> {
        let start = self.at;
        let Some(next) = self.take() else { return Ok(()) };
        match next {
            '\\' => match self.take() {
                Some('\n') => {}
                // In double quotes, a backslash is literal before most characters.
                Some(c) if quoted && !matches!(c, '$' | '`' | '"' | '\\') => {
                    parts.text(&self.text[start..self.at], true);
                }
                Some(c) => parts.text(c.encode_utf8(&mut [0; 4]), true),
                None => parts.text("\\", quoted),
            },
            '\'' if !quoted => {
                let text = self.until_quote('\'', start)?;
                parts.text(text, true);
            }
            '"' if !quoted => self.double_quoted(parts, start)?,
            '`' => {
                let list = self.backquoted(start)?;
                parts.0.push(WordPart::Commands(list));
            }
            '$' => self.dollar(parts, start, quoted)?,
            c => parts.text(c.encode_utf8(&mut [0; 4]), quoted),
        }
        Ok(())
    }

    fn until_quote(&mut self, quote: char, start: usize) -> Parsed<&str> {
        let from = self.at;
        let Some(length) = self.rest().find(quote) else {
            return Err(self.unclosed("quote", start));
        };
        self.at += length + quote.len_utf8();
        Ok(&self.text[from..from + length])
    }

    fn double_quoted(&mut self, parts: &mut Parts, start: usize) -> Parsed<()> {
        parts.text("", true);
        self.deeper(|p| {
            loop {
                match p.peek() {
                    None => return Err(p.unclosed("quote", start)),
                    Some('"') => {
                        p.at += 1;
                        return Ok(());
                    }
                    Some(_) => p.part(parts, true)?,
                }
            }
        })
    }

    fn backquoted(&mut self, start: usize) -> Parsed<List> {
        let from = self.at;
        let mut escaped = false;
        loop {
            match self.take() {
                None => return Err(self.unclosed("backquote", start)),
                Some('`') => break,
                Some('\\') => {
                    escaped = true;
                    self.take();
                }
                Some(_) => {}
            }
        }
        // With escapes, the inner text is not the script that runs, so nothing is reported about it.
        if escaped {
            return Ok(List::default());
        }
        let mut inner = Parser::new(self.text, from, self.at - 1);
        inner.depth = self.depth;
        let mut list = List::default();
        inner.deeper(|p| p.statements(&mut list, &[]))?;
        self.bashisms.append(&mut inner.bashisms);
        Ok(list)
    }

    fn dollar(&mut self, parts: &mut Parts, start: usize, quoted: bool) -> Parsed<()> {
        if self.starts_with("((")
            && let Some(end) = self.arithmetic_end(self.at + 2)
        {
            self.at = end;
            parts.0.push(WordPart::Arithmetic);
            return Ok(());
        }
        if self.eat("(") {
            let list = self.commands_until_parenthesis("$(", start)?;
            parts.0.push(WordPart::Commands(list));
        } else if self.eat("{") {
            self.parameter(parts, start, quoted)?;
        } else if !quoted && self.eat("'") {
            loop {
                match self.take() {
                    None => return Err(self.unclosed("quote", start)),
                    Some('\'') => break,
                    Some('\\') => drop(self.take()),
                    Some(_) => {}
                }
            }
            self.bashism(Bashism::DollarQuote, start);
            parts.text(&self.text[start + 2..self.at - 1], true);
        } else {
            let rest = self.rest();
            let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let name = match rest.chars().next() {
                Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => &rest[..1],
                _ => &rest[..length],
            };
            if name.is_empty() {
                parts.text("$", quoted);
                return Ok(());
            }
            self.at += name.len();
            self.variable(name, start);
            parts.0.push(WordPart::Variable { name: name.to_owned() });
        }
        Ok(())
    }

    fn variable(&mut self, name: &str, start: usize) {
        if let Some(bashism) = bashisms::of_variable(name) {
            self.bashism(bashism, start);
        }
    }

    fn commands_until_parenthesis(&mut self, what: &'static str, start: usize) -> Parsed<List> {
        let mut list = List::default();
        self.deeper(|p| p.statements(&mut list, &[]))?;
        if self.eat(")") {
            return Ok(list);
        }
        Err(if self.at >= self.end {
            SyntaxError::Unclosed { what, at: start..start + what.len().min(self.end - start) }
        } else {
            SyntaxError::Unexpected { what: ";;".to_owned(), at: self.at..self.at + 2 }
        })
    }

    /// Parses `${…}`, after its brace.
    fn parameter(&mut self, parts: &mut Parts, start: usize, quoted: bool) -> Parsed<()> {
        let indirect = self.starts_with("!") && !self.starts_with("!}");
        if indirect || (self.starts_with("#") && !self.starts_with("#}")) {
            self.at += 1;
        }
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let length = if length == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { length };
        let name = rest[..length].to_owned();
        self.at += length;
        let bashism = self.parameter_bashism(indirect);
        parts.0.push(WordPart::Variable { name: name.clone() });
        let mut inner = Parts::default();
        self.deeper(|p| {
            loop {
                match p.peek() {
                    None => return Err(p.unclosed("${", start)),
                    Some('}') => {
                        p.at += 1;
                        return Ok(());
                    }
                    Some('"') => {
                        let from = p.at;
                        p.at += 1;
                        p.double_quoted(&mut inner, from)?;
                    }
                    Some(_) => p.part(&mut inner, quoted)?,
                }
            }
        })?;
        self.variable(&name, start);
        if let Some(bashism) = bashism {
            self.bashism(bashism, start);
        }
        // Commands and expansions in a default or a pattern count as parts of the word itself.
        parts.0.extend(inner.0.into_iter().filter(|part| !matches!(part, WordPart::Text { .. })));
        Ok(())
    }

    fn parameter_bashism(&self, indirect: bool) -> Option<Bashism> {
        let rest = self.rest();
        if indirect {
            return Some(Bashism::Indirection);
        }
        let mut next = rest.chars();
        match (next.next()?, next.next()) {
            ('[', _) => Some(Bashism::ArrayElement),
            ('^' | ',' | '/' | '@', _) => Some(Bashism::ParameterOperator),
            (':', Some(c)) if !matches!(c, '-' | '=' | '?' | '+') => Some(Bashism::ParameterOperator),
            _ => None,
        }
    }

    fn pattern_end(&mut self, start: usize) -> Parsed<()> {
        let mut inner = Parts::default();
        self.deeper(|p| {
            loop {
                match p.peek() {
                    None | Some('\n') => return Err(p.unclosed("(", start)),
                    Some(')') => {
                        p.at += 1;
                        return Ok(());
                    }
                    Some('(') => {
                        let from = p.at;
                        p.at += 1;
                        p.pattern_end(from)?;
                    }
                    Some(_) => p.part(&mut inner, false)?,
                }
            }
        })
    }

    /// Whether the text is `{a,b}` or `{1..3}`, which a POSIX shell does not expand.
    fn is_brace_expansion(&self) -> bool {
        let rest = &self.rest()[1..];
        let stop = |c: char| c == '}' || c == '{' || c.is_whitespace() || ";&|<>()'\"$`\\".contains(c);
        let Some(end) = rest.find(stop) else { return false };
        let inner = &rest[..end];
        rest[end..].starts_with('}') && (inner.contains(',') || inner.contains("..")) && inner.len() > 1
    }
}
