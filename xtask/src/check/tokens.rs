//! Splits Rust source into the few tokens that paths are made of.
//!
//! This is not a parser. It skips comments, strings and numbers. It reads the bodies of macros like other code, whereas a
//! parser of the language would return them unread.

/// A token and its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) line: usize,
}

/// The kinds of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or a keyword.
    Word(String),
    /// `::`
    PathSeparator,
    /// Any other sign.
    Sign(char),
}

impl Token {
    /// The name or keyword, if it is one.
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Whether the token is this sign.
    pub(super) fn is(&self, sign: char) -> bool {
        self.kind == TokenKind::Sign(sign)
    }

    /// Whether the token is `::`.
    pub(super) fn is_separator(&self) -> bool {
        self.kind == TokenKind::PathSeparator
    }
}

/// The tokens of a source file.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader { rest: source, line: 1 };
    let mut tokens = Vec::new();
    while let Some(c) = reader.rest.chars().next() {
        let line = reader.line;
        let kind = if reader.skip_comment() || reader.skip_text() {
            None
        } else if c.is_alphabetic() || c == '_' {
            Some(TokenKind::Word(reader.word().to_owned()))
        } else if c.is_ascii_digit() {
            reader.word();
            None
        } else if reader.rest.starts_with("::") {
            reader.advance(2);
            Some(TokenKind::PathSeparator)
        } else {
            reader.advance(c.len_utf8());
            (!c.is_whitespace()).then_some(TokenKind::Sign(c))
        };
        tokens.extend(kind.map(|kind| Token { kind, line }));
    }
    tokens
}

struct Reader<'s> {
    rest: &'s str,
    line: usize,
}

impl<'s> Reader<'s> {
    fn advance(&mut self, bytes: usize) {
        let (gone, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }

    fn word(&mut self) -> &'s str {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.advance(end);
        word
    }

    fn skip_comment(&mut self) -> bool {
        if self.rest.starts_with("//") {
            self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
            return true;
        }
        if !self.rest.starts_with("/*") {
            return false;
        }
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.advance(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.advance(2);
            } else {
                self.advance(self.rest.chars().next().map_or(1, char::len_utf8));
            }
            if depth == 0 || self.rest.is_empty() {
                return true;
            }
        }
    }

    /// Skips a string, a byte string, a raw string, a character or the `'` of a lifetime.
    fn skip_text(&mut self) -> bool {
        let prefix = ["br", "cr", "b", "c", "r"].into_iter().find(|prefix| {
            let after = self.rest.strip_prefix(prefix);
            after.is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
        });
        let prefix = prefix.unwrap_or_default();
        let after = &self.rest[prefix.len()..];
        let hashes = after.len() - after.trim_start_matches('#').len();
        let is_raw = prefix.ends_with('r');
        if after[hashes..].starts_with('"') && (hashes == 0 || is_raw) {
            let start = prefix.len() + hashes + 1;
            let end = if is_raw {
                let close = format!("\"{}", "#".repeat(hashes));
                self.rest[start..].find(&close).map(|at| at + close.len())
            } else {
                end_of_text(&self.rest[start..], '"')
            };
            self.advance(end.map_or(self.rest.len(), |end| start + end));
            return true;
        }
        let Some(after) = self.rest.strip_prefix('\'') else { return false };
        let mut chars = after.chars();
        match (chars.next(), chars.next()) {
            (Some('\\'), _) => {
                let end = end_of_text(after, '\'');
                self.advance(end.map_or(self.rest.len(), |end| 1 + end));
            }
            (Some(c), Some('\'')) => self.advance(c.len_utf8() + 2),
            // A lifetime or a label: its name is not a module.
            _ => {
                self.advance(1);
                self.word();
            }
        }
        true
    }
}

/// The number of bytes of a string, with its closing sign.
fn end_of_text(text: &str, sign: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == sign => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, words: &str) {
        let tokens = tokens(source);
        let found: Vec<&str> = tokens.iter().filter_map(Token::word).collect();
        assert_eq!(found.join(" "), words, "{source}");
    }

    #[test]
    fn comments_and_texts_are_left_out() {
        check("a // b\nc /* d /* e */ f */ g", "a c g");
        check(r##"a "b \" c" d r#"e " f"# g b"h" c"i""##, "a d g");
        check("a 'b' '\\'' '\\u{1f}' c", "a c");
        check("fn f<'a>(x: &'a str) -> &'static str", "fn f x str str");
        check("1_000 0xff 2.5e3 r b", "r b");
    }

    #[test]
    fn lines_are_counted_through_texts_and_comments() {
        let lines: Vec<usize> = tokens("a\n\"\n\"\n/*\n*/ b\n").iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 5]);
    }

    #[test]
    fn paths_keep_their_separators() {
        let tokens = tokens("crate::a::B");
        assert_eq!(tokens.len(), 5);
        assert!(tokens[1].is_separator() && tokens[3].is_separator());
    }
}
