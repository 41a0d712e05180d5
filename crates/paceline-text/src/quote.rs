//! Names inside of sentences and commands.

use crate::clean::one_line;

/// A name as a message quotes it: between backticks, on one line.
pub fn quoted(name: &str) -> String {
    format!("`{}`", one_line(name))
}

/// Names in a row: `A`, `A and B`, `A, B and C`.
pub fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let mut text = String::new();
    let mut rest = names.into_iter().peekable();
    while let Some(name) = rest.next() {
        if !text.is_empty() {
            text.push_str(if rest.peek().is_some() { ", " } else { " and " });
        }
        text.push_str(name.as_ref());
    }
    text
}

/// The first names of a row, at most so many, and the number of the others: `A, B and 3 more`.
pub fn first_few<S: AsRef<str>>(names: impl IntoIterator<Item = S>, most: usize) -> String {
    let mut names = names.into_iter();
    let first: Vec<String> = names.by_ref().take(most).map(|name| name.as_ref().to_owned()).collect();
    let first = first.join(", ");
    match names.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The text as one word of a shell: as it is where no character of it means anything there, else in single quotes.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_cannot_begin_a_line() {
        assert_eq!(quoted("Web\nerror: x"), "`Web error: x`");
    }

    #[test]
    fn the_last_of_a_list_follows_an_and() {
        assert_eq!(list(["A"; 0]), "");
        assert_eq!(list(["A"]), "A");
        assert_eq!(list(["A", "B"]), "A and B");
        assert_eq!(list(["A", "B", "C"]), "A, B and C");
    }

    #[test]
    fn names_beyond_the_first_few_are_counted() {
        assert_eq!(first_few(["A"; 0], 2), "");
        assert_eq!(first_few(["A", "B"], 2), "A, B");
        assert_eq!(first_few(["A", "B", "C"], 2), "A, B and 1 more");
        assert_eq!(first_few(["A", "B", "C", "D"], 1), "A and 3 more");
    }

    #[test]
    fn a_shell_reads_a_word_as_it_was() {
        assert_eq!(shell_word("a/b-c.d"), "a/b-c.d");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
    }
}
