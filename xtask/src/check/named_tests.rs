//! Checks that every test that docs/reliability.md names exists: a promise without its test is only a claim.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Finding;

const PAGE: &str = "docs/reliability.md";
/// A name with at least so many underscores is that of a test.
const UNDERSCORES: usize = 3;

/// The tests of the page that do not exist.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let page = root.join(PAGE);
    if !page.is_file() {
        return Ok(Vec::new());
    }
    let (text, mut tests) = (fs_err::read_to_string(page)?, String::new());
    for folder in folders_of_tests(root)? {
        read(&folder, &mut tests)?;
    }
    let missing = names(&text).into_iter().filter(|(_, name)| !tests.contains(&format!("fn {name}(")));
    let finding = |(line, name): (usize, &str)| Finding {
        file: PAGE.into(),
        line,
        what: format!("there is no test `{name}`"),
        hint: "write the present name of the test, and check that the row is still true".to_owned(),
    };
    Ok(missing.map(finding).collect())
}

fn folders_of_tests(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![root.join("tests/it")];
    for entry in fs_err::read_dir(root.join("crates"))? {
        let package = entry?.path();
        folders.extend(["src", "tests/it"].map(|folder| package.join(folder)));
    }
    folders.retain(|folder| folder.is_dir());
    Ok(folders)
}

/// Adds the text of all sources in a folder.
fn read(folder: &Path, text: &mut String) -> Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, text)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs_err::read_to_string(path)?);
        }
    }
    Ok(())
}

/// The names of tests in backquotes, each with its line.
fn names(text: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let quoted = line.split('`').skip(1).step_by(2);
        let named = quoted.filter(|it| {
            it.matches('_').count() >= UNDERSCORES
                && it.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
        });
        names.extend(named.map(|name| (index + 1, name)));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tests_are_found_with_their_lines() {
        let text = "| a | `a_run_ends_well`, `cargo xtask dst` |\n| b | `crates/a_b_c_d/x.rs` `a_b` |";
        assert_eq!(names(text), [(1, "a_run_ends_well")]);
    }
}
