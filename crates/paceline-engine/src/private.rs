//! Files that only their owner may read, because they hold parameters and outputs of stacks, and the output
//! of commands.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;

use fs_err::{File, OpenOptions};

/// Options for opening a file. If the file is created, only its owner may read it.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Creates a folder that only its owner may read, and the folders above it with the usual permissions. An
/// existing folder is not changed.
pub fn create_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Another process has created the folder at the same time.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("failed to create the folder `{}`: {error}", path.display()),
        )),
        Ok(()) => Ok(()),
    }
}

/// Opens a file for writing that only its owner may read. An existing file is emptied. A pipe, a terminal or
/// a device is opened as it is.
pub fn create(path: &Path) -> io::Result<File> {
    let is_file = path.metadata().map_or(true, |metadata| metadata.is_file());
    let file = options().write(true).create(is_file).truncate(is_file).open(path)?;
    #[cfg(unix)]
    if is_file {
        use std::os::unix::fs::PermissionsExt as _;
        // If the file belongs to somebody else, it may be writable although its permissions cannot be
        // changed.
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
    }
    Ok(file)
}

/// Replaces the contents of a file atomically: a reader sees the old contents or the new ones, never a part
/// of them. A pipe, a terminal or a device is not replaced but written to.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return options().write(true).open(path)?.write_all(contents);
    }
    // Replaces the target of a link, not the link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    let partial = path.with_file_name(name);
    // A killed process may have left a partial file.
    let _ = fs_err::remove_file(&partial);
    let written = options().write(true).create_new(true).open(&partial);
    let written = written.and_then(|mut file| file.write_all(contents));
    let replaced = written.and_then(|()| fs_err::rename(&partial, &path));
    if replaced.is_err() {
        // If the disk is full, a partial file would keep it full.
        let _ = fs_err::remove_file(&partial);
    }
    replaced
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[expect(clippy::unwrap_used, reason = "a helper of tests fails like tests")]
    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_may_read_a_written_file() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("above/runs");
        create_dir(&runs).unwrap();
        create_dir(&runs).unwrap();
        assert_eq!(mode(&runs), 0o700);
        for write in [|path: &Path| replace(path, b"new"), |path: &Path| create(path)?.write_all(b"new")] {
            let path = runs.join("file");
            fs_err::write(&path, "what was there, and is longer").unwrap();
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            write(&path).unwrap();
            assert_eq!((mode(&path), fs_err::read(&path).unwrap().as_slice()), (0o600, &b"new"[..]));
        }
    }

    #[test]
    fn a_link_is_written_through_and_a_device_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs_err::write(&file, "old").unwrap();
        fs_err::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs_err::read(&file).unwrap(), b"new");
        replace(Path::new("/dev/null"), b"new").unwrap();
        assert!(!Path::new("/dev/null").is_file());
    }

    #[test]
    fn a_failed_write_leaves_no_file_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folder");
        fs_err::create_dir(&path).unwrap();
        replace(&path, b"new").unwrap_err();
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
