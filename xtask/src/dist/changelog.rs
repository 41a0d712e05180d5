//! Release notes are a section of CHANGELOG.md.

use anyhow::{Result, ensure};

/// The section of a version: what follows its heading `## VERSION`, to the next heading of that level.
pub(super) fn notes(changelog: &str, version: &str) -> Result<String> {
    let is_heading = |line: &str| line.starts_with("## ");
    let is_its_heading = |line: &str| {
        line.strip_prefix("## ").is_some_and(|title| title.split_whitespace().next() == Some(version))
    };
    let section: Vec<_> = changelog
        .lines()
        .skip_while(|line| !is_its_heading(line))
        .enumerate()
        .take_while(|(index, line)| *index == 0 || !is_heading(line))
        .map(|(_, line)| line)
        .skip(1)
        .collect();
    let notes = section.join("\n").trim().to_owned();
    ensure!(!notes.is_empty(), "CHANGELOG.md has no section `## {version}` with a text in it");
    Ok(format!("# Paceline {version}\n\n{notes}\n"))
}

#[cfg(test)]
mod tests {
    use super::notes;

    #[test]
    fn the_section_ends_at_the_next_version() {
        let changelog = "# Changelog\n\n## 0.2.0 (2026-01-02)\n\n### Added\n\n- one\n\n## 0.1.0\n\n- two\n";
        assert_eq!(notes(changelog, "0.2.0").unwrap(), "# Paceline 0.2.0\n\n### Added\n\n- one\n");
        assert_eq!(notes(changelog, "0.1.0").unwrap(), "# Paceline 0.1.0\n\n- two\n");
        for absent in ["0.2", "0.3.0"] {
            assert!(notes(changelog, absent).is_err(), "{absent}");
        }
    }
}
