//! Checks that every path in docs/architecture.md exists, since files move and the page leads readers through them.

use std::path::Path;

use anyhow::Result;

use super::Finding;

const PAGE: &str = "docs/architecture.md";
/// The beginnings of paths in this workspace.
const STARTS: [&str; 7] = ["crates/", "docs/", "templates/", "tests/", "xtask/", "buildspecs/", ".ci/"];

/// The paths of the page that do not exist.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let page = root.join(PAGE);
    if !page.is_file() {
        return Ok(Vec::new());
    }
    let text = fs_err::read_to_string(page)?;
    let missing = paths(&text).into_iter().filter(|(_, path)| !root.join(path).exists());
    let finding = |(line, path): (usize, &str)| Finding {
        file: PAGE.into(),
        line,
        what: format!("there is no `{path}`"),
        hint: "write the present path of the file, and check that the sentence is still true".to_owned(),
    };
    Ok(missing.map(finding).collect())
}

/// The paths in backquotes, each with its line.
fn paths(text: &str) -> Vec<(usize, &str)> {
    let mut paths = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let quoted = line.split('`').skip(1).step_by(2);
        let named = quoted.filter(|it| STARTS.iter().any(|start| it.starts_with(start)));
        paths.extend(named.map(|path| (index + 1, path)));
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_with_their_lines() {
        let text = "see `crates/a/src/b.rs` and `Plan`\n\nor `docs/x.md`, crates/none";
        assert_eq!(paths(text), [(1, "crates/a/src/b.rs"), (3, "docs/x.md")]);
    }
}
