//! Generated files and what is on disk: written when they differ, removed when they are generated no longer, or
//! only compared.

use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::NamedTempFile;

use super::{GeneratedFile, SUFFIXES};

/// What every generated file says in its first lines, in a comment or in its description.
const MARK: &str = "enerated by paceline";
const MARKED_LINES: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Writes what differs.
    Write,
    /// Writes nothing, and says what differs.
    Check,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileChanges {
    pub written: Vec<Utf8PathBuf>,
    /// What was generated once and is no longer.
    pub removed: Vec<Utf8PathBuf>,
    pub unchanged: Vec<Utf8PathBuf>,
    pub stale: Vec<StaleFile>,
}

/// A file that is missing, differs from what would be generated, or is generated no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleFile {
    pub path: Utf8PathBuf,
    /// Unified, from what is on disk to what would be generated.
    pub diff: String,
}

#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("cannot read the generated file `{path}`\nhint: move it away if it is not a generated file")]
    Read { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot write the generated file `{path}`\nhint: check the folder's permissions and free space")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot replace `{path}`\nhint: check the permissions of its folder and the free space")]
    Replace { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot make `{path}`\nhint: check the permissions of its folder and the free space")]
    Create { path: Utf8PathBuf, source: std::io::Error },
}

/// Brings `out_dir` in line with the files, or says where it is not. Each file is replaced in one step, so that no
/// reader and no interruption meets half of one, and none is replaced before all are on the disk: a disk that is full
/// leaves the old files as they were. When the files are all those of a project, what it generates no longer goes.
pub fn write_files(
    out_dir: &Utf8Path,
    project: Option<&str>,
    files: &[GeneratedFile],
    mode: Mode,
) -> Result<FileChanges, OutputError> {
    // Everything is read before anything is written: one file that cannot be read leaves all as they are.
    let compare = |file: &GeneratedFile| {
        let path = out_dir.join(&file.path);
        read(&path).map(|on_disk| (path, on_disk))
    };
    let compared: Vec<_> = files.iter().map(compare).collect::<Result<_, _>>()?;
    let obsolete = project.map_or(Ok(Vec::new()), |name| obsolete(out_dir, name, files))?;
    let mut changes = FileChanges::default();
    let mut prepared = Vec::new();
    for (file, (path, on_disk)) in files.iter().zip(compared) {
        if on_disk.as_deref() == Some(&file.contents) {
            changes.unchanged.push(path);
        } else if mode == Mode::Write {
            let temporary =
                prepare(&path, &file.contents, None).map_err(|source| cannot_write(&path, source))?;
            prepared.push((path, temporary));
        } else {
            let diff = diff(&path, on_disk.as_deref(), Some(&file.contents));
            changes.stale.push(StaleFile { path, diff });
        }
    }
    for (path, temporary) in prepared {
        temporary.persist(&path).map_err(|error| cannot_write(&path, error.error))?;
        changes.written.push(path);
    }
    for (path, on_disk) in obsolete {
        if mode == Mode::Write {
            fs_err::remove_file(&path).map_err(|source| cannot_write(&path, source))?;
            changes.removed.push(path);
        } else {
            let diff = diff(&path, Some(&on_disk), None);
            changes.stale.push(StaleFile { path, diff });
        }
    }
    Ok(changes)
}

/// The files of the project that are there and not generated, with what is in them. What does not say that it is
/// generated is someone's own.
fn obsolete(
    out_dir: &Utf8Path,
    name: &str,
    files: &[GeneratedFile],
) -> Result<Vec<(Utf8PathBuf, String)>, OutputError> {
    let mut found = Vec::new();
    for suffix in SUFFIXES {
        let file = format!("{name}{suffix}");
        let path = out_dir.join(&file);
        if files.iter().any(|generated| generated.path == file) || !path.is_file() {
            continue;
        }
        let on_disk = read(&path)?.unwrap_or_default();
        if on_disk.lines().take(MARKED_LINES).any(|line| line.contains(MARK)) {
            found.push((path, on_disk));
        }
    }
    Ok(found)
}

fn cannot_write(path: &Utf8Path, source: std::io::Error) -> OutputError {
    OutputError::Write { path: path.to_owned(), source }
}

fn read(path: &Utf8Path) -> Result<Option<String>, OutputError> {
    // Reading a named pipe or a device may not end.
    if fs_err::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(OutputError::Read { path: path.to_owned(), source: not_a_file() });
    }
    match fs_err::read(path) {
        // A checkout may turn line ends into CRLF, and any file may be where ours belongs: both only differ.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OutputError::Read { path: path.to_owned(), source }),
    }
}

fn not_a_file() -> std::io::Error {
    std::io::Error::other("it is not a file")
}

fn diff(path: &Utf8Path, on_disk: Option<&str>, generated: Option<&str>) -> String {
    let diff = similar::TextDiff::from_lines(on_disk.unwrap_or_default(), generated.unwrap_or_default());
    let name =
        |side, text: Option<&str>| text.map_or_else(|| "/dev/null".to_owned(), |_| format!("{side}/{path}"));
    let (before, after) = (name("a", on_disk), name("b", generated));
    diff.unified_diff().context_radius(3).header(&before, &after).to_string()
}

/// Replaces the contents of a file in one step. It stays the file it is: who may read it, and what links to it.
pub fn replace_file(path: &Utf8Path, contents: &str) -> Result<(), OutputError> {
    let replace = || {
        let target = path.canonicalize_utf8()?;
        let permissions = fs_err::metadata(&target)?.permissions();
        let file = prepare(&target, contents, Some(permissions))?;
        file.persist(&target).map(drop).map_err(|error| error.error)
    };
    replace().map_err(|source| OutputError::Replace { path: path.to_owned(), source })
}

/// Makes a file that must not be there yet, in one step.
pub fn create_file(path: &Utf8Path, contents: &str) -> Result<(), OutputError> {
    let create =
        || prepare(path, contents, None)?.persist_noclobber(path).map(drop).map_err(|error| error.error);
    create().map_err(|source| OutputError::Create { path: path.to_owned(), source })
}

/// The new file beside the old one, on the disk and with another name.
fn prepare(
    path: &Utf8Path,
    contents: &str,
    permissions: Option<std::fs::Permissions>,
) -> std::io::Result<NamedTempFile> {
    let dir = path.parent().filter(|dir| !dir.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    fs_err::create_dir_all(dir)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".paceline-").suffix(".tmp");
    // A temporary file is its owner's alone, and a file of a repository is everyone's to read.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(permissions.unwrap_or_else(|| std::fs::Permissions::from_mode(0o644)));
    }
    let mut file = builder.tempfile_in(dir)?;
    file.write_all(contents.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}
