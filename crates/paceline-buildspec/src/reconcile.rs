//! Generated files and what is on disk: written when they differ, or only compared.

use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::generate::GeneratedFile;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Writes what differs.
    Write,
    /// Writes nothing, and says what differs.
    Check,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconciled {
    pub written: Vec<Utf8PathBuf>,
    pub unchanged: Vec<Utf8PathBuf>,
    pub stale: Vec<Stale>,
}

/// A file that is missing or differs from what would be generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    pub path: Utf8PathBuf,
    /// Unified, from what is on disk to what would be generated.
    pub diff: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("cannot read the generated file `{path}`\nhint: move it away if it is not a generated file")]
    Read { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot write the generated file `{path}`\nhint: check the folder's permissions and free space")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot replace `{path}`\nhint: check the permissions of its folder and the free space")]
    Replace { path: Utf8PathBuf, source: std::io::Error },
}

/// Brings `out_dir` in line with the files, or says where it is not. Each file is replaced in one step, so
/// that no reader and no interruption meets half of one.
pub fn reconcile(
    out_dir: &Utf8Path,
    files: &[GeneratedFile],
    mode: Mode,
) -> Result<Reconciled, ReconcileError> {
    // Everything is read before anything is written: one file that cannot be read leaves all as they are.
    let compare = |file: &GeneratedFile| {
        let path = out_dir.join(&file.path);
        read(&path).map(|on_disk| (path, on_disk))
    };
    let compared: Vec<_> = files.iter().map(compare).collect::<Result<_, _>>()?;
    let mut reconciled = Reconciled::default();
    for (file, (path, on_disk)) in files.iter().zip(compared) {
        if on_disk.as_deref() == Some(&file.contents) {
            reconciled.unchanged.push(path);
        } else if mode == Mode::Write {
            write(&path, &file.contents)
                .map_err(|source| ReconcileError::Write { path: path.clone(), source })?;
            reconciled.written.push(path);
        } else {
            let diff = diff(&path, on_disk.as_deref(), &file.contents);
            reconciled.stale.push(Stale { path, diff });
        }
    }
    Ok(reconciled)
}

fn read(path: &Utf8Path) -> Result<Option<String>, ReconcileError> {
    match fs_err::read(path) {
        // A checkout may turn line ends into CRLF, and any file may be where ours belongs: both only differ.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReconcileError::Read { path: path.to_owned(), source }),
    }
}

fn diff(path: &Utf8Path, on_disk: Option<&str>, generated: &str) -> String {
    let diff = similar::TextDiff::from_lines(on_disk.unwrap_or_default(), generated);
    let (before, after) = (format!("a/{path}"), format!("b/{path}"));
    let before = if on_disk.is_some() { before.as_str() } else { "/dev/null" };
    diff.unified_diff().context_radius(3).header(before, &after).to_string()
}

/// Replaces the contents of a file in one step. It stays the file it is: who may read it, and what links to it.
pub fn replace_file(path: &Utf8Path, contents: &str) -> Result<(), ReconcileError> {
    let replace = || {
        let target = path.canonicalize_utf8()?;
        let permissions = fs_err::metadata(&target)?.permissions();
        write_with(&target, contents, Some(permissions))
    };
    replace().map_err(|source| ReconcileError::Replace { path: path.to_owned(), source })
}

fn write(path: &Utf8Path, contents: &str) -> std::io::Result<()> {
    write_with(path, contents, None)
}

fn write_with(
    path: &Utf8Path,
    contents: &str,
    permissions: Option<std::fs::Permissions>,
) -> std::io::Result<()> {
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
    file.persist(path)?;
    Ok(())
}
