//! Reads files that people and other tools have written.
//!
//! Only regular files are opened. A named pipe can block for ever, a device has no end, and reading some
//! devices has side effects. A file that is larger than its purpose allows is not read.

use std::fs::Metadata;
use std::io::{self, Read as _};

use camino::Utf8Path;
use fs_err::File;

/// The largest template, in bytes: sixteen times the limit of CloudFormation.
pub const LARGEST_TEMPLATE: u64 = 16 << 20;
/// The longest template, in bytes, that fits into a call of CloudFormation (CloudFormation User Guide,
/// "Understand CloudFormation quotas"). A longer one must be in S3.
pub const LONGEST_BODY: usize = 51_200;
/// The largest manifest or other file of an assembly, in bytes. Assemblies with thousands of stacks have
/// manifests of tens of megabytes.
pub const LARGEST_MANIFEST: u64 = 256 << 20;
/// The largest file that people write, in bytes.
pub const LARGEST_BY_HAND: u64 = 4 << 20;

/// Opens a regular file, or a link to one.
pub fn open_regular(path: &Utf8Path) -> io::Result<File> {
    // Opening another kind of file can block for ever, so the kind is checked first.
    match fs_err::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(not_regular(path, &metadata)),
        _ => File::open(path),
    }
}

/// Reads a regular file of at most `most` bytes.
pub fn read_regular(path: &Utf8Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let length = file.metadata()?.len();
    let too_large =
        || io::Error::new(io::ErrorKind::FileTooLarge, format!("`{path}` is larger than {}", size(most)));
    if length > most {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // The file may grow during the read.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
}

/// Reads a regular text file of at most `most` bytes.
pub fn read_regular_text(path: &Utf8Path, most: u64) -> io::Result<String> {
    let bytes = read_regular(path, most)?;
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("`{path}` is not text in UTF-8")))
}

fn not_regular(path: &Utf8Path, metadata: &Metadata) -> io::Error {
    let kind = if metadata.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
    io::Error::new(kind, format!("`{path}` is {}, and not a file", what(metadata)))
}

#[cfg(unix)]
fn what(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn what(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() { "a folder" } else { "a device" }
}

fn size(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[track_caller]
    fn check_refused(path: &Utf8Path, expected: &str) {
        let error = read_regular(path, 1 << 20).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains(path.as_str()), "{error}");
    }

    #[test]
    fn only_regular_files_within_the_size_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let file = folder.join("file");
        fs_err::write(&file, "text").unwrap();
        assert_eq!(read_regular(&file, 4).unwrap(), b"text");
        assert_eq!(read_regular_text(&file, 4).unwrap(), "text");
        check_refused(&folder.join("none"), "No such file");
        check_refused(&folder, "is a folder, and not a file");
        fs_err::write(&file, vec![b'x'; (1 << 20) + 1]).unwrap();
        check_refused(&file, "is larger than 1 MiB");
        fs_err::write(&file, [0xff]).unwrap();
        assert!(read_regular_text(&file, 4).unwrap_err().to_string().contains("is not text"));
    }

    #[cfg(unix)]
    #[expect(clippy::disallowed_methods, reason = "what a test starts it ends itself")]
    #[test]
    fn pipes_devices_and_links_to_them_are_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let (pipe, link) = (folder.join("pipe"), folder.join("link"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        check_refused(&pipe, "is a named pipe, and not a file");
        fs_err::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        check_refused(&link, "is a device, and not a file");
        let socket = folder.join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        check_refused(&socket, "is a socket, and not a file");
        let good = folder.join("good");
        fs_err::write(folder.join("file"), "text").unwrap();
        fs_err::os::unix::fs::symlink("file", &good).unwrap();
        assert_eq!(read_regular(&good, 4).unwrap(), b"text");
    }
}
