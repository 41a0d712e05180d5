//! Quotes text for a shell.

/// The text as one word of a shell command, quoted if necessary.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '%' | '+' | ',')
    };
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_one_word() {
        for (text, word) in [
            ("cdk.out", "cdk.out"),
            ("s3://tools/paceline", "s3://tools/paceline"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
            ("a=b", "'a=b'"),
            ("~/x", "'~/x'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
