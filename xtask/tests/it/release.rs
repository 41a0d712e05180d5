//! The release as a whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::packed::{packed, succeed};

/// All files below a folder.
fn files(folder: &Path, below: &str, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            files(&path, &format!("{name}/"), into);
        } else {
            into.insert(name, fs_err::read(&path).unwrap());
        }
    }
}

#[test]
fn the_same_binary_gives_the_same_bytes_and_the_sums_are_right() {
    let Some(packed) = packed(&["strip", "sha256sum"]) else { return };
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    files(&packed.dist(), "", &mut first);
    files(&packed.again(), "", &mut second);
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        assert!(second[name] == *bytes, "{name} has other bytes");
    }
    let checked = succeed(
        Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(packed.dist()),
    );
    assert_eq!(checked.lines().count(), first.len() - 1, "every file but the sums: {checked}");

    let materials: serde_json::Value =
        serde_json::from_slice(&fs_err::read(packed.file("paceline-", ".cdx.json")).unwrap()).unwrap();
    let text = String::from_utf8(first["THIRD-PARTY.txt"].clone()).unwrap();
    for component in materials["components"].as_array().unwrap() {
        let name = component["name"].as_str().unwrap();
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is not in THIRD-PARTY.txt");
    }
    assert!(text.lines().any(|line| line.starts_with("rustls ")), "{text}");
    // Only tests and builds use these.
    for absent in ["insta", "cc", "serde_derive"] {
        assert!(!text.lines().any(|line| line.starts_with(&format!("{absent} "))), "{absent}");
    }
}
