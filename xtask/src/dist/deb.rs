//! The Debian package: an `ar` archive of two tar archives (deb(5)). It needs no tool of Debian.

use std::io::Write as _;

use anyhow::Result;

use super::archive::{Entry, gz, tar_gz};
use super::contents::Contents;
use super::release::{Binary, Release};

/// The name of the package's file.
pub(super) fn name(release: &Release, binary: &Binary) -> String {
    format!("paceline_{}_{}.deb", release.version, binary.target.deb)
}

/// The package: the program, its manual pages and completions, licences and changelog.
pub(super) fn package(release: &Release, contents: &Contents, binary: &Binary) -> Result<Vec<u8>> {
    let mut compressed = vec![
        ("usr/share/doc/paceline/changelog.gz".to_owned(), gz(&contents.changelog)?),
        ("usr/share/doc/paceline/THIRD-PARTY.txt.gz".to_owned(), gz(&contents.third_party)?),
    ];
    for (name, page) in &contents.manual {
        compressed.push((format!("usr/share/man/man1/{name}.gz"), gz(page)?));
    }
    let mut files = vec![
        Entry::program("./usr/bin/paceline", &binary.bytes),
        Entry::file("./usr/share/doc/paceline/copyright", &contents.license),
    ];
    files.extend(compressed.iter().map(|(path, bytes)| Entry::file(format!("./{path}"), bytes)));
    let completions = contents.installed_completions();
    files.extend(completions.map(|(path, script)| Entry::file(format!("./{path}"), script)));
    // In units of 1,024 bytes.
    let size = files.iter().map(|file| file.bytes.len().div_ceil(1024)).sum::<usize>();
    let control = control(release, binary, size);
    let control = tar_gz(release, vec![Entry::file("./control", control.as_bytes())])?;
    let data = tar_gz(release, files)?;
    ar(release, &[("debian-binary", b"2.0\n"), ("control.tar.gz", &control), ("data.tar.gz", &data)])
}

fn control(release: &Release, binary: &Binary, size: usize) -> String {
    let (version, architecture) = (&release.version, binary.target.deb);
    format!(
        "Package: paceline\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: Paceline contributors\n\
         Installed-Size: {size}\n\
         Recommends: ca-certificates\n\
         Section: devel\n\
         Priority: optional\n\
         Description: {}\n \
         It finds out which stacks really depend on each other, deploys the others at\n \
         the same time, continues an interrupted run, and reports where the time went.\n",
        super::release::ABOUT
    )
}

/// An archive in the common format of `ar`: a header of 60 characters before each file, which starts at an even byte.
fn ar(release: &Release, files: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, bytes) in files {
        writeln!(
            archive,
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`",
            release.time,
            0,
            0,
            "100644",
            bytes.len()
        )?;
        archive.extend_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    Ok(archive)
}
