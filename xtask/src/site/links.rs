//! The links of the manual that lead nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::page::{Page, is_elsewhere, resolve};

/// A link that leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// The page with the link, relative to docs.
    pub(super) page: PathBuf,
    pub(super) target: String,
    pub(super) why: &'static str,
}

/// Finds the broken links. Addresses of other sites are not checked.
pub(super) fn broken<'a>(docs: &Path, pages: impl Iterator<Item = &'a Page> + Clone) -> Vec<Broken> {
    let anchors: BTreeMap<&Path, &BTreeSet<String>> =
        pages.clone().map(|page| (page.file.as_path(), &page.anchors)).collect();
    let mut broken = Vec::new();
    for page in pages {
        for target in page.links.iter().filter(|target| !is_elsewhere(target)) {
            let (path, anchor) = match target.split_once('#') {
                Some((path, anchor)) => (path, Some(anchor)),
                None => (target.as_str(), None),
            };
            let file = match path {
                "" => page.file.clone(),
                _ => resolve(page.file.parent().unwrap_or(Path::new("")), Path::new(path)),
            };
            // README.md is above the manual.
            let file = file.strip_prefix("../docs").map(Path::to_owned).unwrap_or(file);
            let is_heading = |anchor: &str| anchors.get(file.as_path()).is_none_or(|it| it.contains(anchor));
            let why = if !docs.join(&file).exists() {
                "there is no such file"
            } else if !anchor.is_none_or(is_heading) {
                "the page has no such heading"
            } else {
                continue;
            };
            broken.push(Broken { page: page.file.clone(), target: target.clone(), why });
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_and_a_missing_heading_are_found_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["a.md", "b.md"] {
            fs_err::write(folder.path().join(file), "").unwrap();
        }
        let a = Page::read(
            "a.md".into(),
            "[1](b.md#here) [2](b.md#there) [3](c.md) [4](https://example.com/x)",
            None,
        );
        let b = Page::read("b.md".into(), "# Here\n\n[1](#here)", None);
        let found = broken(folder.path(), [&a, &b].into_iter());
        let found: Vec<(&str, &str)> = found.iter().map(|it| (it.target.as_str(), it.why)).collect();
        assert_eq!(
            found,
            [("b.md#there", "the page has no such heading"), ("c.md", "there is no such file")]
        );
    }
}
