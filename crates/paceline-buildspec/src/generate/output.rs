//! Writes generated files, removes those that are no longer generated, or only compares them with the disk.

use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_text::Explained;
use tempfile::NamedTempFile;

use super::{GeneratedFile, SUFFIXES};

/// A text in the first lines of every generated file.
const MARK: &str = "enerated by paceline";
const MARKED_LINES: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Writes the files that differ.
    Write,
    /// Writes nothing, and reports the differences.
    Check,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileChanges {
    pub written: Vec<Utf8PathBuf>,
    /// The files that are no longer generated.
    pub removed: Vec<Utf8PathBuf>,
    pub unchanged: Vec<Utf8PathBuf>,
    pub stale: Vec<StaleFile>,
}

/// A file that is missing, that differs from the generated one, or that is no longer generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleFile {
    pub path: Utf8PathBuf,
    /// A unified diff from the file on the disk to the generated one.
    pub diff: String,
}

#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("cannot read the generated file `{path}`")]
    Read { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot write the generated file `{path}`")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot replace `{path}`")]
    Replace { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot make `{path}`")]
    Create { path: Utf8PathBuf, source: std::io::Error },
}

impl Explained for OutputError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { .. } => "move it away if it is not a generated file",
            Self::Write { .. } => "check the folder's permissions and free space",
            Self::Replace { .. } | Self::Create { .. } => {
                "check the permissions of its folder and the free space"
            }
        };
        Some(hint.to_owned())
    }
}

/// Writes the files to `out_dir`, or reports the differences. Each file is replaced in one step, so that
/// nobody reads a half-written file. All new files are on the disk before the first one is replaced, so a
/// full disk changes nothing. If `project` is given, files of that project that are no longer generated are
/// removed.
pub fn write_files(
    out_dir: &Utf8Path,
    project: Option<&str>,
    files: &[GeneratedFile],
    mode: Mode,
) -> Result<FileChanges, OutputError> {
    // All files are read before the first one is written, so that an unreadable file changes nothing.
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

/// The files of the project that are no longer generated, with their contents. A file without the mark of
/// generated files belongs to the team.
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
        if is_marked(&on_disk) {
            found.push((path, on_disk));
        }
    }
    Ok(found)
}

/// Whether a folder has a generated file of this name.
pub fn has_generated(out_dir: &Utf8Path, file: &str) -> bool {
    read(&out_dir.join(file)).is_ok_and(|text| text.is_some_and(|text| is_marked(&text)))
}

fn is_marked(text: &str) -> bool {
    text.lines().take(MARKED_LINES).any(|line| line.contains(MARK))
}

fn cannot_write(path: &Utf8Path, source: std::io::Error) -> OutputError {
    OutputError::Write { path: path.to_owned(), source }
}

fn read(path: &Utf8Path) -> Result<Option<String>, OutputError> {
    // Reading a named pipe or a device may never end.
    if fs_err::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(OutputError::Read { path: path.to_owned(), source: not_a_file() });
    }
    match fs_err::read(path) {
        // A checkout may have CRLF line endings, and the file may be of any kind: in both cases it only
        // differs.
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

/// Replaces the contents of a file in one step. Its permissions and the links to it stay.
pub fn replace_file(path: &Utf8Path, contents: &str) -> Result<(), OutputError> {
    let replace = || {
        let target = path.canonicalize_utf8()?;
        let permissions = fs_err::metadata(&target)?.permissions();
        let file = prepare(&target, contents, Some(permissions))?;
        file.persist(&target).map(drop).map_err(|error| error.error)
    };
    replace().map_err(|source| OutputError::Replace { path: path.to_owned(), source })
}

/// Creates a file in one step. The file must not exist.
pub fn create_file(path: &Utf8Path, contents: &str) -> Result<(), OutputError> {
    let create =
        || prepare(path, contents, None)?.persist_noclobber(path).map(drop).map_err(|error| error.error);
    create().map_err(|source| OutputError::Create { path: path.to_owned(), source })
}

/// Writes the new file with a temporary name, in the same folder.
fn prepare(
    path: &Utf8Path,
    contents: &str,
    permissions: Option<std::fs::Permissions>,
) -> std::io::Result<NamedTempFile> {
    let dir = path.parent().filter(|dir| !dir.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    fs_err::create_dir_all(dir)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".paceline-").suffix(".tmp");
    // Only the owner can read a temporary file, but everyone can read a file of a repository.
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
