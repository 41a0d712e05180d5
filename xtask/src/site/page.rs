//! A Markdown file as an HTML page.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// A page of the manual.
#[derive(Debug)]
pub(super) struct Page {
    /// The Markdown file, relative to docs.
    pub(super) file: PathBuf,
    pub(super) title: String,
    /// The targets of its links, as they are written.
    pub(super) links: Vec<String>,
    /// The anchors of its headings.
    pub(super) anchors: BTreeSet<String>,
    body: String,
}

impl Page {
    /// Reads a page. `file` is relative to docs. `repository` is the address of the files that are no pages; without it,
    /// links to them become text.
    pub(super) fn read(file: PathBuf, text: &str, repository: Option<&str>) -> Self {
        let mut page = Self {
            title: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            file,
            links: Vec::new(),
            anchors: BTreeSet::new(),
            body: String::new(),
        };
        let events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
        let mut rendered = Vec::with_capacity(events.len());
        let mut is_text = false;
        for (at, event) in events.iter().enumerate() {
            rendered.push(match event {
                Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                    let title = heading(&events[at + 1..]);
                    let id = anchor(&title);
                    if *level == HeadingLevel::H1 {
                        page.title = title;
                    }
                    page.anchors.insert(id.clone());
                    let (classes, attrs) = (classes.clone(), attrs.clone());
                    Event::Start(Tag::Heading { level: *level, id: Some(CowStr::from(id)), classes, attrs })
                }
                Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                    page.links.push(dest_url.to_string());
                    let address = address_of(&page.file, dest_url, repository);
                    is_text = address.is_none();
                    let Some(dest_url) = address.map(CowStr::from) else { continue };
                    let (title, id) = (title.clone(), id.clone());
                    Event::Start(Tag::Link { link_type: *link_type, dest_url, title, id })
                }
                Event::End(TagEnd::Link) if is_text => continue,
                Event::Start(Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.to_string());
                    event.clone()
                }
                _ => event.clone(),
            });
        }
        html::push_html(&mut page.body, rendered.into_iter());
        page
    }

    /// The path of the HTML page, relative to the site.
    pub(super) fn address(&self) -> PathBuf {
        html_of(&self.file)
    }

    /// The whole document.
    pub(super) fn html(&self) -> String {
        let mut title = String::new();
        html::push_html(&mut title, [Event::Text(CowStr::from(self.title.as_str()))].into_iter());
        let up = "../".repeat(self.file.components().count().saturating_sub(1));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"{up}style.css\">\n</head>\n<body>\n\
             <nav><a href=\"{up}index.html\">Paceline</a></nav>\n<main>\n{}</main>\n</body>\n</html>\n",
            self.body
        )
    }
}

/// The text of a heading, from the events after its start.
fn heading(events: &[Event<'_>]) -> String {
    let inner = events.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    inner
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Whether a target is the address of another site.
pub(super) fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// The address in the HTML of a link's target. `None` if it is a file outside of the manual, and nobody says where.
fn address_of(page: &Path, target: &str, repository: Option<&str>) -> Option<String> {
    if is_elsewhere(target) || target.starts_with('#') {
        return Some(target.to_owned());
    }
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, format!("#{anchor}")),
        None => (target, String::new()),
    };
    let from_docs = resolve(page.parent().unwrap_or(Path::new("")), Path::new(path));
    let is_page = from_docs.extension().is_some_and(|extension| extension == "md");
    Some(match from_docs.strip_prefix("..") {
        Ok(outside) => format!("{}/{}{anchor}", repository?, outside.display()),
        Err(_) if is_page => format!("{}{anchor}", html_of(Path::new(path)).display()),
        Err(_) if from_docs.extension().is_none() => {
            format!("{}/docs/{}{anchor}", repository?, from_docs.display())
        }
        Err(_) => target.to_owned(),
    })
}

/// Joins a path to a folder and takes `..` back as far as the folder goes.
pub(super) fn resolve(folder: &Path, path: &Path) -> PathBuf {
    let mut resolved = folder.to_owned();
    for component in path.components() {
        match component {
            Component::ParentDir if resolved.file_name().is_some() => {
                resolved.pop();
            }
            Component::ParentDir => resolved.push(".."),
            Component::Normal(name) => resolved.push(name),
            _ => {}
        }
    }
    resolved
}

fn html_of(file: &Path) -> PathBuf {
    match file.file_name() {
        Some(name) if name == "README.md" => file.with_file_name("index.html"),
        _ => file.with_extension("html"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_pages_lead_to_their_html_and_links_to_files_to_the_repository() {
        let of = |page: &str, target: &str| {
            address_of(Path::new(page), target, Some("https://example.com/r")).unwrap()
        };
        assert_eq!(of("failures.md", "rollback.md#by-itself"), "rollback.html#by-itself");
        assert_eq!(of("lint/PL203.md", "../README.md"), "../index.html");
        assert_eq!(of("failures.md", "../crates/a.csv"), "https://example.com/r/crates/a.csv");
        assert_eq!(of("README.md", "schema/a.json"), "schema/a.json");
        assert_eq!(of("README.md", "#start"), "#start");
        assert_eq!(of("README.md", "https://example.com/a.md"), "https://example.com/a.md");
        let page = Page::read("a.md".into(), "[the table](../crates/a.csv) [b](b.md)", None);
        assert!(page.html().contains("<p>the table <a href=\"b.html\">b</a></p>"), "{}", page.html());
    }

    #[test]
    fn headings_have_the_anchors_of_github() {
        let page =
            Page::read("a.md".into(), "# A `B` c\n\n## It's 3: now\n\n[x](#its-3-now) ![p](p.svg)\n", None);
        assert_eq!(page.title, "A B c");
        assert_eq!(page.anchors.iter().map(String::as_str).collect::<Vec<_>>(), ["a-b-c", "its-3-now"]);
        assert_eq!(page.links, ["#its-3-now", "p.svg"]);
        assert!(page.html().contains("<h2 id=\"its-3-now\">"), "{}", page.html());
    }
}
