//! Makes texts that come from elsewhere fit to be shown: in a terminal, in the log of a build, on a page.
//!
//! Names, messages and outputs come from assemblies, from AWS and from scripts. None of them may move the cursor, hide or
//! reorder the text around it, or begin a line that looks like one of ours.

use std::iter::Peekable;
use std::str::Chars;

/// The text without escape sequences, control characters and what turns the direction of writing. Line ends stay, and
/// a tab is a space.
pub fn clean(text: &str) -> String {
    cleaned(text, false)
}

/// The text cleaned, and on one line, with single spaces.
pub fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text cleaned, but for its colours: for a text that is ours, or a build's own log.
pub fn clean_but_for_colors(text: &str) -> String {
    cleaned(text, true)
}

/// Whether a character changes how others are shown, and shows nothing itself: it turns the direction of writing, or
/// has no width.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether a character begins a line to some readers though it is no line feed.
pub fn breaks_lines(c: char) -> bool {
    matches!(c, '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn cleaned(text: &str, keep_colors: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push(' '),
            c if breaks_lines(c) => out.push(' '),
            '\x1b' if rest.next_if_eq(&'[').is_some() => sequence(&mut rest, &mut out, keep_colors),
            '\u{9b}' => sequence(&mut rest, &mut out, keep_colors),
            '\x1b' if rest.next_if(|c| "]PX^_".contains(*c)).is_some() => string(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => string(&mut rest),
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// A control sequence: it ends with a character from `@` to `~`, and before that has none but those before `@`.
fn sequence(rest: &mut Peekable<Chars<'_>>, out: &mut String, keep_colors: bool) {
    let mut parameters = String::new();
    while let Some(c) = rest.next_if(|c| (' '..='?').contains(c)) {
        parameters.push(c);
    }
    let end = rest.next_if(|c| ('@'..='~').contains(c));
    let is_color = end == Some('m') && parameters.chars().all(|c| c.is_ascii_digit() || c == ';');
    if is_color && keep_colors {
        out.push_str("\x1b[");
        out.push_str(&parameters);
        out.push('m');
    }
}

/// A string for the terminal, such as a title. One that has no end on its line is none, so that it hides nothing.
fn string(rest: &mut Peekable<Chars<'_>>) {
    let mut ahead = rest.clone();
    while let Some(c) = ahead.next_if(|c| *c != '\n') {
        let is_end = matches!(c, '\u{7}' | '\u{9c}') || c == '\x1b' && ahead.next_if_eq(&'\\').is_some();
        if is_end {
            *rest = ahead;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_message_controls_the_terminal() {
        assert_eq!(clean("a\x1b[1;31mred\x1b[0m\x07\r\nb\tc"), "ared\nb c");
        assert_eq!(clean("\x1b]0;title\x07x\x1b"), "x");
        assert_eq!(clean("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\"), "link");
        assert_eq!(clean("\u{9b}31mx\u{9d}title\u{9c}y\u{84}"), "xy");
        assert_eq!(clean("a\x1b[2Jb\x1b[?25lc"), "abc");
        assert_eq!(one_line(" a \n\n b "), "a b");
    }

    #[test]
    fn nothing_is_hidden_by_a_sequence_without_an_end() {
        assert_eq!(clean("\x1b]0;all of this\nand this"), "0;all of this\nand this");
        assert_eq!(clean("\x1b[1;1;\nnext"), "\nnext");
        assert_eq!(clean("\x1b[größer"), "größer".trim_start_matches('g'));
    }

    #[test]
    fn nothing_is_reordered_and_no_line_begun() {
        assert_eq!(clean("a\u{202e}b\u{2066}c\u{2069}d\u{200f}e\u{61c}f\u{200b}g"), "abcdefg");
        assert_eq!(clean("a\u{2028}b\u{2029}c\u{85}d\u{b}e"), "a b c d e");
    }

    #[test]
    fn colors_stay_where_they_may() {
        assert_eq!(
            clean_but_for_colors("\x1b[1;31mred\x1b[0m\x1b[2J\u{9b}32mok"),
            "\x1b[1;31mred\x1b[0m\x1b[32mok"
        );
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        let text = "größer – 3 × 4 „ok“ 日本語\nnext";
        assert_eq!((clean(text).as_str(), clean_but_for_colors(text).as_str()), (text, text));
    }
}
