//! The few tokens of Rust source that paths are made of.
//!
//! These are tokens and not a syntax tree: a tree would hold the bodies of macros unread.

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

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

/// The tokens of a source file, without comments, literals and lifetimes.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>> {
    let stream = source.parse::<TokenStream>();
    let stream = stream.map_err(|error| anyhow!("line {}: not Rust: {error}", error.span().start().line))?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        let mut push = |kind, line| tokens.push(Token { kind, line });
        match tree {
            TokenTree::Ident(word) => push(TokenKind::Word(word.to_string()), line),
            TokenTree::Literal(_) => {}
            // The name of a lifetime or a label is not a module.
            TokenTree::Punct(sign) if sign.as_char() == '\'' => drop(trees.next()),
            TokenTree::Punct(sign) => {
                let second = |tree: &TokenTree| matches!(tree, TokenTree::Punct(it) if it.as_char() == ':');
                if sign.as_char() == ':' && trees.next_if(second).is_some() {
                    push(TokenKind::PathSeparator, line);
                } else {
                    push(TokenKind::Sign(sign.as_char()), line);
                }
            }
            TokenTree::Group(group) => {
                let signs = match group.delimiter() {
                    Delimiter::Parenthesis => Some(('(', ')')),
                    Delimiter::Brace => Some(('{', '}')),
                    Delimiter::Bracket => Some(('[', ']')),
                    Delimiter::None => None,
                };
                if let Some((open, _)) = signs {
                    push(TokenKind::Sign(open), line);
                }
                flatten(group.stream(), tokens);
                if let Some((_, close)) = signs {
                    let line = group.span_close().start().line;
                    tokens.push(Token { kind: TokenKind::Sign(close), line });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, words: &str) {
        let tokens = tokens(source).unwrap_or_else(|error| panic!("{error}"));
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
        let tokens = tokens("a\n\"\n\"\n/*\n*/ b\n").unwrap_or_else(|error| panic!("{error}"));
        let lines: Vec<usize> = tokens.iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 5]);
    }

    #[test]
    fn paths_keep_their_separators() {
        let tokens = tokens("crate::a::B").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(tokens.len(), 5);
        assert!(tokens[1].is_separator() && tokens[3].is_separator());
    }

    #[test]
    fn a_file_that_is_not_rust_is_an_error_with_its_line() {
        let error = tokens("fn f() {\n )").unwrap_err().to_string();
        assert!(error.starts_with("line 2: "), "{error}");
    }
}
