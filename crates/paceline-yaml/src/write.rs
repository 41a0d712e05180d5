//! A tree into text that YAML 1.1 and 1.2 readers agree about.

use std::fmt::Write as _;

/// What to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yaml {
    /// A string: quoted when any reader would take it for something else.
    Text(String),
    /// A number or one of the words that the format itself documents, written as it is.
    Plain(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
    /// An item of a list or a value of a map, with a comment on the line above it.
    Commented(String, Box<Yaml>),
}

impl Yaml {
    #[must_use]
    pub fn commented(self, comment: impl Into<String>) -> Self {
        Self::Commented(comment.into(), Box::new(self))
    }

    /// The tree without the comment above it, and the comment.
    fn apart(&self) -> (Option<&str>, &Self) {
        match self {
            Self::Commented(comment, tree) => (Some(comment), tree.apart().1),
            tree => (None, tree),
        }
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(|text| Self::text(text.as_ref())).collect())
    }

    /// `yes` and `no`, the form in which the buildspec reference documents most flags.
    pub fn yes_no(flag: bool) -> Self {
        Self::Plain(if flag { "yes" } else { "no" }.to_owned())
    }
}

/// Writes the tree in block style, two spaces a level.
pub fn to_string(tree: &Yaml) -> String {
    let mut out = String::new();
    let (comment, tree) = tree.apart();
    write_comment(&mut out, comment, 0);
    match tree {
        Yaml::Map(entries) if !entries.is_empty() => write_map(&mut out, entries, 0),
        Yaml::List(items) if !items.is_empty() => write_list(&mut out, items, 0),
        leaf => {
            let mut written = String::new();
            write_leaf(&mut written, leaf, 0);
            out.push_str(written.trim_start());
        }
    }
    out
}

/// A string as a value on one line.
pub fn scalar(text: &str) -> String {
    one_line(text, false)
}

/// A string as a key. A plain key ends at its first colon for some readers, so one with a colon is quoted.
pub fn key(text: &str) -> String {
    one_line(text, text.contains(':'))
}

fn one_line(text: &str, quote_all: bool) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false, quote_all: quote_all };
    match serde_saphyr::to_string_with_options(&text, options) {
        Ok(written) => written.trim_end_matches('\n').to_owned(),
        // Writing a string to memory has no way to fail; JSON's quoting is valid YAML all the same.
        Err(_) => serde_json::Value::from(text).to_string(),
    }
}

fn write_map(out: &mut String, entries: &[(String, Yaml)], indent: usize) {
    for (key, value) in entries {
        let (comment, value) = value.apart();
        write_comment(out, comment, indent);
        let _ = write!(out, "{:indent$}{}:", "", self::key(key));
        write_value(out, value, indent);
    }
}

/// A comment is one line: a control character would end it.
fn write_comment(out: &mut String, comment: Option<&str>, indent: usize) {
    if let Some(comment) = comment {
        let parts = comment.split(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
        let line = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        let _ = writeln!(out, "{:indent$}# {line}", "");
    }
}

fn write_list(out: &mut String, items: &[Yaml], indent: usize) {
    for item in items {
        let (comment, item) = item.apart();
        write_comment(out, comment, indent);
        let _ = write!(out, "{:indent$}-", "");
        match item {
            Yaml::Map(entries) if matches!(entries.first(), Some((_, first)) if first.apart().0.is_none()) => {
                // The first entry stands on the line of the dash, the others below it.
                let mut inner = String::new();
                write_map(&mut inner, entries, indent + 2);
                out.push(' ');
                out.push_str(&inner[indent + 2..]);
            }
            other => write_value(out, other, indent),
        }
    }
}

fn write_value(out: &mut String, value: &Yaml, indent: usize) {
    match value {
        Yaml::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            write_map(out, entries, indent + 2);
        }
        Yaml::List(items) if !items.is_empty() => {
            out.push('\n');
            write_list(out, items, indent + 2);
        }
        leaf => write_leaf(out, leaf, indent),
    }
}

fn write_leaf(out: &mut String, leaf: &Yaml, indent: usize) {
    out.push(' ');
    match leaf {
        Yaml::Text(text) if is_block(text) => {
            out.push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
            for line in text.trim_end_matches('\n').split('\n') {
                if !line.is_empty() {
                    let _ = write!(out, "{:width$}{line}", "", width = indent + 2);
                }
                out.push('\n');
            }
            return;
        }
        Yaml::Text(text) => out.push_str(&scalar(text)),
        Yaml::Plain(text) => out.push_str(text),
        Yaml::List(_) => out.push_str("[]"),
        Yaml::Map(_) => out.push_str("{}"),
        // The callers have written the comment.
        Yaml::Commented(_, tree) => return write_leaf(out, tree, indent),
    }
    out.push('\n');
}

/// Whether a text of several lines can be a `|` block: such a block has no escapes, takes its
/// indentation from its first line, and keeps one line end at most without further marks.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let printable = |c: char| {
        matches!(c, '\n' | '\t' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
            && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')
    };
    text.contains('\n')
        && !body.starts_with([' ', '\t', '\n'])
        && !body.is_empty()
        && body.lines().last().is_some_and(|line| !line.trim().is_empty())
        && !body.ends_with('\n')
        && text.chars().all(printable)
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Style, parse};
    use super::*;

    /// Words that a YAML 1.1 reader takes for a boolean, a number, a date, null or a merge.
    const MISREAD: &[&str] = &[
        "yes",
        "no",
        "Yes",
        "NO",
        "on",
        "off",
        "On",
        "OFF",
        "y",
        "n",
        "Y",
        "N",
        "true",
        "false",
        "True",
        "FALSE",
        "null",
        "Null",
        "~",
        "",
        "1",
        "0",
        "-1",
        "+1",
        "1.0",
        "1.20",
        ".5",
        "1e3",
        "1_000",
        "0x1F",
        "0o17",
        "017",
        "0b1010",
        "12:30:45",
        "22:22",
        "190:20:30",
        "1:30",
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "=",
        "<<",
        ".inf",
        "-.Inf",
        ".NaN",
        "0.2",
        "1.",
        "08",
        "09",
    ];

    /// Texts that need quoting in every YAML.
    const AWKWARD: &[&str] = &[
        " a",
        "a ",
        "a: b",
        "a:",
        ":a",
        "#a",
        "a #b",
        "- a",
        "-",
        "?",
        "? a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "'",
        "\"",
        "%a",
        "@a",
        "`a`",
        "[a]",
        "{a}",
        "a, b",
        "---",
        "...",
        "a\tb",
        "a\\b",
        "a\u{85}b",
        "a\u{2028}b",
        "\u{feff}a",
        "$HOME",
        "${A}",
        "é",
        "日本",
        "{{ x }}",
        "it's \"quoted\"",
        "\u{7}",
        "a\nb",
        "a\n",
        "\na",
        "a\n\n",
        " a\nb",
        "a\n b\n",
        "a\n \n",
        "a\r\nb",
        "s3://b/k",
    ];

    fn read_back(text: &str) -> (String, bool) {
        match parse(text).unwrap().kind {
            Kind::Scalar { text, style } => (text, style == Style::Plain),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_that_yaml_1_1_misreads_are_quoted() {
        for word in MISREAD {
            assert_eq!(read_back(&scalar(word)), ((*word).to_owned(), false), "{}", scalar(word));
        }
    }

    #[test]
    fn every_text_survives_as_value_key_and_item() {
        for text in MISREAD.iter().chain(AWKWARD) {
            let owned = (*text).to_owned();
            assert_eq!(read_back(&scalar(text)).0, owned, "{text:?}");
            let tree = Yaml::Map(vec![
                (owned.clone(), Yaml::text(owned.clone())),
                (
                    "list of it".into(),
                    Yaml::List(vec![
                        Yaml::text(owned.clone()),
                        Yaml::Map(vec![("in".into(), Yaml::text(owned.clone()))]),
                    ]),
                ),
            ]);
            let written = to_string(&tree);
            let read = parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}")).to_json();
            assert_eq!(read[*text], *text, "{written}");
            assert_eq!(read["list of it"][0], *text, "{written}");
            assert_eq!(read["list of it"][1]["in"], *text, "{written}");
        }
    }

    #[test]
    fn comments_are_lines_above_and_change_nothing() {
        let tree = Yaml::Map(vec![
            (
                "roles".into(),
                Yaml::List(vec![
                    Yaml::Map(vec![("name".into(), Yaml::text("a"))]).commented("The first."),
                    Yaml::Map(vec![("name".into(), Yaml::text("b").commented("Not\nthe first."))]),
                    Yaml::text("c").commented("The last."),
                ]),
            ),
            ("more".into(), Yaml::Map(Vec::new()).commented("Nothing.")),
        ]);
        let written = to_string(&tree);
        assert_eq!(
            written,
            "roles:\n  # The first.\n  - name: a\n  -\n    # Not the first.\n    name: b\n  # The last.\n  - c\n\
             # Nothing.\nmore: {}\n"
        );
        let read = parse(&written).unwrap().to_json();
        assert_eq!(read.to_string(), r#"{"more":{},"roles":[{"name":"a"},{"name":"b"},"c"]}"#);
    }

    #[test]
    fn scripts_are_blocks() {
        let tree = Yaml::Map(vec![(
            "commands".into(),
            Yaml::texts(["set -e\n\nif x; then\n  y\nfi\n", "one\ntwo"]),
        )]);
        assert_eq!(
            to_string(&tree),
            "commands:\n  - |\n    set -e\n\n    if x; then\n      y\n    fi\n  - |-\n    one\n    two\n"
        );
    }
}
