//! `cargo xtask site`: the manual in docs as HTML pages. Checks its links and those of README.md.
//!
//! Every `.md` file of docs becomes a page of the same name. A link to a page of docs leads to its HTML; a link to another
//! file of the repository leads to the repository.

mod links;
mod page;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use links::Broken;
use page::Page;

const FOLDER: &str = "docs";
/// A short index of the manual (llmstxt.org).
const INDEX: &str = "llms.txt";
const STYLE: &str = include_str!("style.css");

/// Checks the links of the pages and, with a folder, writes the pages into it. Nothing is written if a link is broken.
/// `repository` is the address of the other files.
pub(crate) fn site(root: &Path, out: Option<&Path>, repository: Option<&str>) -> Result<ExitCode> {
    let docs = root.join(FOLDER);
    let mut pages = Vec::new();
    for file in markdown_in(&docs)? {
        let text = fs_err::read_to_string(docs.join(&file))?;
        pages.push(Page::read(file, &text, repository));
    }
    // The index for language models is Markdown too; it is copied as it is.
    let index = Page::read(PathBuf::from(INDEX), &fs_err::read_to_string(docs.join(INDEX))?, None);
    let readme =
        Page::read(PathBuf::from("../README.md"), &fs_err::read_to_string(root.join("README.md"))?, None);
    let broken = links::broken(&docs, pages.iter().chain([&index, &readme]));
    for Broken { page, target, why } in &broken {
        let page = Path::new(FOLDER).join(page);
        eprintln!(
            "error: {}: the link to {target} leads nowhere: {why}\n hint: write its present path",
            page.display()
        );
    }
    if !broken.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    let Some(out) = out else {
        eprintln!("{} pages: every link leads somewhere", pages.len() + 2);
        return Ok(ExitCode::SUCCESS);
    };
    for page in &pages {
        let to = out.join(page.address());
        let folder = to.parent().context("a page is in a folder")?;
        fs_err::create_dir_all(folder)?;
        fs_err::write(&to, page.html())?;
    }
    fs_err::write(out.join("style.css"), STYLE)?;
    fs_err::copy(docs.join(INDEX), out.join(INDEX))?;
    for file in ["pictures", "schema"] {
        copy(&docs.join(file), &out.join(file))?;
    }
    eprintln!("{} pages are in {}; start with index.html", pages.len(), out.display());
    Ok(ExitCode::SUCCESS)
}

/// The Markdown files of a folder and of those in it, sorted, relative to it.
fn markdown_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        for entry in fs_err::read_dir(folder.join(&inner))? {
            let entry = entry?;
            let path = inner.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        fs_err::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
