//! Texts inside of Markdown.

use crate::clean::one_line;

/// A text in Markdown: nothing in it has a meaning there, and it is on one line.
pub fn in_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&one_line(text), &mut out);
    out
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Code hosts make mentions of these, and send mails.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
}

/// A sentence in Markdown, in which what stands between backticks becomes code.
pub fn sentence_in_markdown(text: &str) -> String {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::with_capacity(text.len());
    for (number, part) in parts.iter().enumerate() {
        // The last backtick may have none to go with.
        let is_code = number % 2 == 1 && number + 1 < parts.len() && !part.trim().is_empty();
        if is_code {
            out.push('`');
            out.push_str(part);
            out.push('`');
        } else {
            escape(part, &mut out);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_a_text_has_a_meaning() {
        assert_eq!(in_markdown("a_b <x> *|`\n@c ${D}"), r"a\_b &lt;x&gt; \*\|\` &#64;c \${D}");
    }

    #[test]
    fn quoted_names_become_code() {
        assert_eq!(sentence_in_markdown("`A_b` waits for `C*`: d_e"), r"`A_b` waits for `C*`: d\_e");
        assert_eq!(sentence_in_markdown("open `a_b"), r"open a\_b");
        assert_eq!(sentence_in_markdown("``x``"), "x");
    }
}
