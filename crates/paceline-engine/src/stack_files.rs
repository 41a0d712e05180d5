//! Files of stacks in the folder of a run.

use std::io;

use camino::Utf8Path;
use paceline_text::hex;
use sha2::{Digest as _, Sha256};

use crate::private;

/// The most characters of a stack's id in the name of its files.
const NAME: usize = 80;

/// The name of a file of a stack. Ids of stacks may hold characters that names of files must not have.
pub(crate) fn file_name(stack: &str, extension: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = stack.chars().map(plain).take(NAME).collect();
    let digest = &hex(&Sha256::digest(stack))[..8];
    format!("{name}-{digest}.{extension}")
}

/// Writes a file completely, and waits until it is on the disk.
pub(crate) fn write(path: &Utf8Path, contents: &[u8]) -> io::Result<()> {
    private::replace(path.as_std_path(), contents)?;
    fs_err::File::open(path)?.sync_all()?;
    // Some file systems cannot sync folders.
    let _ = path.parent().map(|folder| std::fs::File::open(folder).and_then(|folder| folder.sync_all()));
    Ok(())
}
