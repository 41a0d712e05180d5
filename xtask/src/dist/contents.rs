//! The files that every package has: texts about the program, and what the program says about itself.

use anyhow::Result;
use xshell::{Shell, cmd};

use super::archive::{Entry, tar_gz};
use super::dependencies::Dependency;
use super::release::{Binary, Release};
use super::{changelog, dependencies, licenses, sbom};

/// The name and the content of a file.
pub(super) type File = (String, Vec<u8>);

/// A shell, the file of its completions, and where Debian's shells look for that file.
const SHELLS: [(&str, &str, &str); 3] = [
    ("bash", "paceline.bash", "usr/share/bash-completion/completions/paceline"),
    ("zsh", "_paceline", "usr/share/zsh/vendor-completions/_paceline"),
    ("fish", "paceline.fish", "usr/share/fish/vendor_completions.d/paceline.fish"),
];

/// What a release consists of, besides its binaries.
pub(super) struct Contents {
    /// The files that are in the release as they are.
    pub(super) loose: Vec<File>,
    /// Manual pages by name.
    pub(super) manual: Vec<File>,
    /// Completions, in the order of the shells.
    completions: Vec<Vec<u8>>,
    pub(super) license: Vec<u8>,
    pub(super) third_party: Vec<u8>,
    pub(super) changelog: Vec<u8>,
}

/// Reads the sources, and asks the program for its manual pages and completions.
pub(super) fn of(sh: &Shell, release: &Release) -> Result<Contents> {
    let program = &release.runnable(sh)?.path;
    let folder = sh.create_temp_dir()?;
    let pages = folder.path();
    cmd!(sh, "{program} man --out {pages}").quiet().run()?;
    let mut manual = Vec::new();
    for page in sh.read_dir(pages)? {
        let name = page.file_name().unwrap_or_default().to_string_lossy().into_owned();
        manual.push((name, fs_err::read(&page)?));
    }
    let mut completions = Vec::new();
    for (shell, ..) in SHELLS {
        completions.push(cmd!(sh, "{program} completions {shell}").quiet().output()?.stdout);
    }

    let dependencies: Vec<Dependency> = dependencies::of(sh, release)?;
    let third_party = licenses::list(sh, &dependencies)?.into_bytes();
    let changelog = sh.read_file("CHANGELOG.md")?;
    let mut loose = vec![
        ("RELEASE-NOTES.md".to_owned(), changelog::notes(&changelog, &release.version)?.into_bytes()),
        ("THIRD-PARTY.txt".to_owned(), third_party.clone()),
        (
            format!("paceline-{}.cdx.json", release.version),
            sbom::document(release, &dependencies).into_bytes(),
        ),
    ];
    loose.extend(manual.iter().map(|(name, page)| (format!("man/{name}"), page.clone())));
    let named = SHELLS.iter().zip(&completions);
    loose.extend(named.map(|((_, file, _), script)| (format!("completions/{file}"), script.clone())));
    Ok(Contents {
        loose,
        manual,
        completions,
        license: sh.read_binary_file("LICENSE")?,
        third_party,
        changelog: changelog.into_bytes(),
    })
}

impl Contents {
    /// The completions, each with the path where Debian's shells look for them.
    pub(super) fn installed_completions(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        SHELLS.iter().zip(&self.completions).map(|((_, _, path), script)| (*path, script.as_slice()))
    }
}

/// The archive of a platform, with everything in one folder.
pub(super) fn tarball(
    release: &Release,
    contents: &Contents,
    binary: &Binary,
    folder: &str,
) -> Result<Vec<u8>> {
    let mut entries = vec![
        Entry::program(format!("{folder}/paceline"), &binary.bytes),
        Entry::file(format!("{folder}/LICENSE"), &contents.license),
        Entry::file(format!("{folder}/THIRD-PARTY.txt"), &contents.third_party),
        Entry::file(format!("{folder}/CHANGELOG.md"), &contents.changelog),
    ];
    for (name, page) in &contents.manual {
        entries.push(Entry::file(format!("{folder}/man/{name}"), page));
    }
    for ((_, file, _), script) in SHELLS.iter().zip(&contents.completions) {
        entries.push(Entry::file(format!("{folder}/completions/{file}"), script));
    }
    tar_gz(release, entries)
}
