//! Steps through the tokens of a file, item by item.

use super::tokens::Token;

pub(super) struct Parser<'t> {
    pub(super) tokens: &'t [Token],
    pub(super) at: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn next(&mut self) -> Option<&'t Token> {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub(super) fn eat(&mut self, sign: char) -> bool {
        let is_there = self.peek().is_some_and(|token| token.is(sign));
        self.at += usize::from(is_there);
        is_there
    }

    pub(super) fn separator_follows(&self) -> bool {
        self.peek().is_some_and(Token::is_separator)
    }

    /// The next name of a path: `::` and a word.
    pub(super) fn next_of_path(&mut self) -> Option<String> {
        let name = self.tokens.get(self.at + 1)?.word().filter(|_| self.separator_follows())?;
        self.at += 2;
        Some(name.to_owned())
    }

    /// Reads an attribute after its `#`. Says whether its item is compiled only for tests.
    pub(super) fn attribute_is_for_tests(&mut self) -> bool {
        self.eat('!');
        let start = self.at;
        self.skip_group('[', ']');
        let words: Vec<&str> =
            self.tokens[start..self.at.min(self.tokens.len())].iter().filter_map(Token::word).collect();
        words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not")
    }

    /// Skips the rest of an item: up to its `;`, or its block.
    pub(super) fn skip_item(&mut self) {
        // The caller may have read the beginning of the item, such as `pub`.
        while let Some(token) = self.peek() {
            if token.is('{') {
                return self.skip_group('{', '}');
            }
            if token.is('(') {
                self.skip_group('(', ')');
                continue;
            }
            self.at += 1;
            if token.is(';') {
                return;
            }
        }
    }

    pub(super) fn skip_group(&mut self, open: char, close: char) {
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            if token.is(open) {
                depth += 1;
            } else if token.is(close) {
                depth = depth.saturating_sub(1);
            }
            if depth == 0 {
                return;
            }
        }
    }
}
