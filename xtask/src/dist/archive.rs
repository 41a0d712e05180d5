//! Archives whose bytes depend on nothing but their files: no times, owners or orders of this machine.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

use super::release::Release;

/// A file in an archive, with its path there.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub(super) path: String,
    pub(super) bytes: &'a [u8],
    pub(super) is_program: bool,
}

impl<'a> Entry<'a> {
    pub(super) fn file(path: impl Into<String>, bytes: &'a [u8]) -> Self {
        Self { path: path.into(), bytes, is_program: false }
    }

    pub(super) fn program(path: impl Into<String>, bytes: &'a [u8]) -> Self {
        Self { path: path.into(), bytes, is_program: true }
    }
}

/// Files as a compressed tar archive. Their folders are in it, too.
pub(super) fn tar_gz(release: &Release, mut entries: Vec<Entry<'_>>) -> Result<Vec<u8>> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let folders: BTreeSet<&str> = entries.iter().flat_map(|entry| folders(&entry.path)).collect();
    let level = if release.fast { Compression::fast() } else { Compression::best() };
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), level));
    for folder in folders {
        let mut header = header(release, EntryType::Directory, 0o755, 0);
        archive.append_data(&mut header, folder, &[][..])?;
    }
    for entry in &entries {
        let mode = if entry.is_program { 0o755 } else { 0o644 };
        let mut header = header(release, EntryType::Regular, mode, entry.bytes.len());
        archive.append_data(&mut header, &entry.path, entry.bytes)?;
    }
    Ok(archive.into_inner()?.finish()?)
}

/// A file, compressed.
pub(super) fn gz(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes)?;
    Ok(out.finish()?)
}

fn header(release: &Release, kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(release.time);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size as u64);
    header
}

/// The folders of a path, from the outermost: `a/` and `a/b/` of `a/b/c`.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..=at]).filter(|folder| *folder != "./")
}
