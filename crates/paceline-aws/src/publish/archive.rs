//! Zips a folder: the same content gives the same bytes, on any machine.

use std::io::{self, BufWriter, Write};

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::open_regular;
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Zips a folder, or a single file, into a temporary file. Symbolic links are followed; entries are
/// sorted; times are those of the oldest date that the format knows.
pub(super) fn zip(source: &Utf8Path) -> io::Result<NamedTempFile> {
    let file = NamedTempFile::new()?;
    let mut writer = ZipWriter::new(BufWriter::new(file));
    let entries = if source.is_dir() {
        entries(source)?
    } else {
        vec![(source.file_name().unwrap_or("asset").to_owned(), source.to_owned())]
    };
    for (name, path) in entries {
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

/// Every file below a folder with its name in the archive, sorted by name.
fn entries(root: &Utf8Path) -> io::Result<Vec<(String, Utf8PathBuf)>> {
    let (mut entries, mut folders) = (Vec::new(), vec![(String::new(), root.to_owned(), 0)]);
    while let Some((prefix, folder, depth)) = folders.pop() {
        // A link to a folder above it would go on for ever.
        if depth > 100 {
            return Err(io::Error::other(format!(
                "{folder} is nested too deeply: does a link point to a folder above it?"
            )));
        }
        for entry in fs_err::read_dir(&folder)? {
            let path = Utf8PathBuf::try_from(entry?.path()).map_err(|error| {
                io::Error::other(format!("{} is not a name in UTF-8", error.into_path_buf().display()))
            })?;
            let name = format!("{prefix}{}", path.file_name().unwrap_or_default());
            if path.is_dir() {
                folders.push((format!("{name}/"), path, depth + 1));
            } else {
                entries.push((name, path));
            }
        }
    }
    entries.sort_unstable();
    Ok(entries)
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
mod tests {
    use super::*;

    #[test]
    fn the_same_content_gives_the_same_bytes_whatever_the_order_and_time_of_its_files() {
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
    fn a_pipe_in_a_folder_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        fs_err::write(root.join("index.js"), "x").unwrap();
        let made = std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap();
        assert!(made.success());
        let error = zip(&root).unwrap_err().to_string();
        assert!(error.contains("pipe` is a named pipe, and not a file"), "{error}");
    }
}
