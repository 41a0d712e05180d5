//! Zips a folder. The same content gives the same bytes on every machine.

use std::fs::FileType;
use std::io::{self, BufWriter, Write};

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{Packaging, open_regular};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The limits of an archive: the depth of folders and the number of files.
const DEEPEST: usize = 100;
const MOST: usize = 1_000_000;
/// The greatest number of flaws that are reported for one source.
const ENOUGH: usize = 10;

/// Zips a folder, or a single file, into a temporary file. Symbolic links are followed. Entries are sorted.
/// Their time is the oldest date that the format allows.
pub fn zip(source: &Utf8Path) -> io::Result<NamedTempFile> {
    let file = NamedTempFile::new()?;
    let mut writer = ZipWriter::new(BufWriter::new(file));
    let Contents { files, flaws } = Contents::of(source);
    if !flaws.is_empty() {
        return Err(io::Error::other(flaws.join("; ")));
    }
    for (name, path) in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(mode(&path)?);
        writer.start_file(name, options)?;
        io::copy(&mut open_regular(&path)?, &mut writer)?;
    }
    let mut buffer = writer.finish()?;
    buffer.flush()?;
    buffer.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Finds the flaws that prevent a file or a folder from being published. Each flaw is a sentence. Only
/// regular files may be opened, because opening a pipe would wait for its writer. No contents are read.
pub fn flaws(source: &Utf8Path, packaging: Packaging) -> Vec<String> {
    if packaging == Packaging::File {
        let flaw = match kind(source) {
            Ok(FileKind::File) => openable(source).err(),
            Ok(FileKind::Folder) => Some(format!("{source} is a folder, and is to be published as it is")),
            Err(flaw) => Some(flaw),
        };
        return flaw.into_iter().collect();
    }
    let Contents { files, mut flaws } = Contents::of(source);
    flaws.extend(files.iter().filter_map(|(_, path)| openable(path).err()).take(ENOUGH));
    flaws.sort_unstable();
    flaws.truncate(ENOUGH);
    flaws
}

fn openable(path: &Utf8Path) -> Result<(), String> {
    fs_err::File::open(path).map(drop).map_err(|error| error.to_string())
}

/// The contents of an archive.
#[derive(Default)]
struct Contents {
    /// Every file with its name in the archive, sorted by this name.
    files: Vec<(String, Utf8PathBuf)>,
    /// The reasons why something cannot be archived.
    flaws: Vec<String>,
}

enum FileKind {
    File,
    Folder,
}

impl Contents {
    fn of(source: &Utf8Path) -> Self {
        let mut contents = Self::default();
        match kind(source) {
            Ok(FileKind::Folder) => contents.folder(source),
            Ok(FileKind::File) => {
                let name = source.file_name().unwrap_or("asset").to_owned();
                contents.files.push((name, source.to_owned()));
            }
            Err(flaw) => contents.flaws.push(flaw),
        }
        contents.files.sort_unstable();
        contents.flaws.sort_unstable();
        contents
    }

    /// Adds everything below a folder. Links are followed.
    fn folder(&mut self, root: &Utf8Path) {
        let mut folders = vec![(String::new(), root.to_owned(), 0)];
        while let Some((prefix, folder, depth)) = folders.pop() {
            // A link to a folder above itself would never end.
            if depth > DEEPEST || self.files.len() > MOST {
                self.flaws.push(format!(
                    "{root} has too much in it, down to {folder}: does a link point to a folder above it?"
                ));
                return;
            }
            let mut visit = |entry: io::Result<fs_err::DirEntry>| {
                let path = Utf8PathBuf::try_from(entry.map_err(|error| error.to_string())?.path())
                    .map_err(|error| format!("{} is not a name in UTF-8", error.into_path_buf().display()))?;
                let name = format!("{prefix}{}", path.file_name().unwrap_or_default());
                match kind(&path)? {
                    FileKind::Folder => folders.push((format!("{name}/"), path, depth + 1)),
                    FileKind::File => self.files.push((name, path)),
                }
                Ok(())
            };
            let flaws: Vec<String> = match fs_err::read_dir(&folder) {
                Ok(entries) => entries.filter_map(|entry| visit(entry).err()).take(ENOUGH).collect(),
                Err(error) => vec![error.to_string()],
            };
            self.flaws.extend(flaws);
            if self.flaws.len() >= ENOUGH {
                return;
            }
        }
    }
}

/// The kind of a file, or the reason why it cannot be published.
fn kind(path: &Utf8Path) -> Result<FileKind, String> {
    match path.metadata() {
        Ok(file) if file.is_file() => Ok(FileKind::File),
        Ok(file) if file.is_dir() => Ok(FileKind::Folder),
        Ok(file) => Err(format!("`{path}` is {}, and not a file", odd(file.file_type()))),
        Err(error) => Err(match path.read_link_utf8() {
            Ok(to) if error.kind() == io::ErrorKind::NotFound => {
                format!("{path} is a link to {to}, which is not there")
            }
            _ if error.kind() == io::ErrorKind::NotFound => format!("{path} is not there"),
            _ => format!("{path} cannot be read: {error}"),
        }),
    }
}

#[cfg(unix)]
fn odd(file: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match file {
        it if it.is_fifo() => "a named pipe",
        it if it.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn odd(_: FileType) -> &'static str {
    "something else"
}

#[cfg(unix)]
fn mode(path: &Utf8Path) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs_err::metadata(path)?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Utf8Path) -> io::Result<u32> {
    Ok(0o644)
}

#[cfg(test)]
#[cfg_attr(unix, expect(clippy::disallowed_methods, reason = "what a test starts it ends itself"))]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_gives_the_same_bytes_for_any_order_and_time_of_its_files() {
        let make = |names: &[&str]| {
            let folder = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
            for name in names {
                fs_err::create_dir_all(root.join(name).parent().unwrap()).unwrap();
                fs_err::write(root.join(name), name.repeat(1000)).unwrap();
            }
            fs_err::read(zip(&root).unwrap().path()).unwrap()
        };
        let bytes = make(&["index.js", "lib/a.js", "lib/b.js"]);
        assert_eq!(bytes, make(&["lib/b.js", "lib/a.js", "index.js"]));
        assert!(bytes.len() < 1000, "it is compressed");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_a_folder_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        fs_err::write(root.join("index.js"), "x").unwrap();
        let made = std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap();
        assert!(made.success());
        let error = zip(&root).unwrap_err().to_string();
        assert!(error.contains("pipe` is a named pipe, and not a file"), "{error}");
    }

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        (folder, root)
    }

    #[test]
    fn all_flaws_of_a_folder_are_reported_at_once() {
        let (_folder, root) = folder();
        fs_err::create_dir(root.join("lib")).unwrap();
        fs_err::write(root.join("lib/a.js"), "").unwrap();
        assert_eq!(flaws(&root, Packaging::Zip), [""; 0]);
        assert_eq!(flaws(&root.join("lib/a.js"), Packaging::Zip), [""; 0]);
        assert_eq!(flaws(&root.join("lib/a.js"), Packaging::File), [""; 0]);
        let as_it_is = format!("{root} is a folder, and is to be published as it is");
        assert_eq!(flaws(&root, Packaging::File), [as_it_is]);
        let missing = format!("{root}/gone is not there");
        assert_eq!(flaws(&root.join("gone"), Packaging::Zip), std::slice::from_ref(&missing));
        assert_eq!(flaws(&root.join("gone"), Packaging::File), [missing]);
        assert!(zip(&root.join("gone")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn broken_links_links_upwards_and_pipes_are_flaws() {
        use std::os::unix::fs::symlink;
        let (_folder, root) = folder();
        fs_err::create_dir(root.join("lib")).unwrap();
        symlink("lib", root.join("good")).unwrap();
        assert_eq!(flaws(&root, Packaging::Zip), [""; 0]);
        symlink("nowhere", root.join("lib/z")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap();
        assert!(pipe.success());
        let found = flaws(&root, Packaging::Zip);
        let message = zip(&root).unwrap_err().to_string();
        for flaw in [
            "lib/z is a link to nowhere, which is not there",
            "pipe` is a named pipe, and not a file",
            "/loop ",
        ] {
            assert!(found.iter().any(|found| found.contains(flaw)), "{flaw}: {found:?}");
            assert!(message.contains(flaw), "{message}");
        }
        assert_eq!(flaws(&root.join("pipe"), Packaging::File).len(), 1);

        let (_folder, root) = folder();
        symlink(".", root.join("up")).unwrap();
        symlink("..", root.join("further")).unwrap();
        let found = flaws(&root, Packaging::Zip).join(" ");
        assert!(
            found.contains("does a link point to a folder above it?") || found.contains("Too many"),
            "{found}"
        );
    }
}
