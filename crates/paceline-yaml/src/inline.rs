//! Texts on one line of a YAML file that people read: quoted only where some reader would take them for something else.

use std::fmt::Write as _;

/// A text as a value or a key on one line.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+".contains(c);
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '.')
        && text.chars().all(plain)
        && !is_taken(text)
        && text != "."
        && text != "..";
    if is_word { text.to_owned() } else { quoted(text) }
}

/// A command on one line; blanks and most signs may stand in a plain text.
pub fn command(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_./+=$@%~()&|<>\"'*?!,;{}[]^\\".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.' || c == '(' || c == '$')
        && text.chars().all(plain)
        && text.contains(' ')
        && !text.ends_with(' ');
    if is_plain { text.to_owned() } else { word(text) }
}

/// Words that some reader takes for something else than a text.
fn is_taken(text: &str) -> bool {
    let words =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", ".nan", ".inf", "~"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// JSON's quotes are YAML's too, but for what JSON leaves as it is and YAML takes for the end of a line.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control()
                || matches!(c, '\u{85}' | '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}') =>
            {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A script as a value: on one line, or as a block below `indent`, which ends without an end of line.
pub fn script(text: &str, indent: usize) -> String {
    let text = text.trim_end();
    if !text.contains('\n') {
        return command(text);
    }
    let odd = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    if text.contains(odd) || text.starts_with([' ', '\n']) {
        return quoted(text);
    }
    let lines = text.lines().map(|line| match line.trim_end() {
        "" => String::from("\n"),
        line => format!("\n{:indent$}{line}", ""),
    });
    // An empty line ends in the one end of line before it.
    let lines: String = lines.collect();
    format!("|-{lines}")
}

/// A list on one line.
pub fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| word(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(word(text), expected);
        assert_eq!(serde_saphyr::from_str::<String>(&word(text)).unwrap(), text);
    }

    #[test]
    fn words_are_read_as_they_were_meant() {
        check("Services", "Services");
        check("pets/Services", "pets/Services");
        check("Network*", "\"Network*\"");
        check("yes", "\"yes\"");
        check("1e3", "\"1e3\"");
        check("a: b", "\"a: b\"");
        check("a\u{2028}b\t\u{7f}\"\\", "\"a\\u2028b\\t\\u007f\\\"\\\\\"");
        check("", "\"\"");
        check(".", "\".\"");
    }

    #[test]
    fn scripts_are_read_as_they_were_meant() {
        for text in [
            "npm ci",
            "a\nb",
            "a\n\n  b\nc",
            "echo \"a: b\" # c",
            " a\nb",
            "a\tb\nc",
            "'",
            "- a\n- b",
            "a #b",
            "%a b",
        ] {
            let yaml = format!("run: {}\nnext: 1\n", script(text, 2));
            let read: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
            assert_eq!(read["run"].as_str(), Some(text), "{yaml}");
            assert_eq!(read["next"], 1, "{yaml}");
        }
    }
}
