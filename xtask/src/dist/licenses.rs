//! The licences of everything that is in the program, with their texts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, ensure};
use xshell::Shell;

use super::dependencies::Dependency;

/// A library that is in the program and is no crate.
pub(super) struct Bundled {
    pub(super) name: &'static str,
    pub(super) license: &'static str,
    text: &'static str,
}

pub(super) static BUNDLED: [Bundled; 2] = [
    Bundled { name: "musl", license: "MIT", text: include_str!("text/musl.txt") },
    Bundled { name: "rust-std", license: "MIT OR Apache-2.0", text: include_str!("text/rust-std.txt") },
];

/// How deep below the folder of a crate its licences are. Crates that wrap a C library have its sources there.
const DEPTH: usize = 3;

/// The list of all crates with their licences, and then each text once.
pub(super) fn list(sh: &Shell, dependencies: &[Dependency]) -> Result<String> {
    let others = || dependencies.iter().filter(|it| !it.is_ours);
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for dependency in others() {
        let Dependency { name, version, license, .. } = dependency;
        ensure!(!license.is_empty(), "{name} {version} does not say its licence");
        let mut found = Vec::new();
        find(sh, &dependency.folder, DEPTH, &mut found)?;
        for text in found {
            let users = texts.entry(text).or_default();
            let user = format!("{name} {version}");
            if users.last() != Some(&user) {
                users.push(user);
            }
        }
    }
    for bundled in &BUNDLED {
        texts.entry(bundled.text.trim().to_owned()).or_default().push(bundled.name.to_owned());
    }
    let mut list = "The program paceline contains these libraries under these licences.\n\n".to_owned();
    for dependency in others() {
        let _ = writeln!(list, "{} {}: {}", dependency.name, dependency.version, dependency.license);
    }
    for bundled in &BUNDLED {
        let _ = writeln!(list, "{}: {}", bundled.name, bundled.license);
    }
    // In the order of the list above, whatever the texts are.
    let mut texts: Vec<_> = texts.into_iter().map(|(text, users)| (users, text)).collect();
    texts.sort();
    for (users, text) in texts {
        let _ = write!(list, "\n{}\n{}\n\n{text}\n", "-".repeat(78), users.join(", "));
    }
    Ok(list)
}

/// The texts of the licences and notices in a folder.
fn find(sh: &Shell, folder: &Path, depth: usize, found: &mut Vec<String>) -> Result<()> {
    const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];
    // Sorted by name.
    for path in sh.read_dir(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if path.is_dir() {
            if depth > 0 {
                find(sh, &path, depth - 1, found)?;
            }
        } else if NAMES.iter().any(|start| name.starts_with(start)) && !name.ends_with(".RS") {
            let text = String::from_utf8_lossy(&sh.read_binary_file(&path)?).replace("\r\n", "\n");
            found.push(text.trim().to_owned());
        }
    }
    Ok(())
}
