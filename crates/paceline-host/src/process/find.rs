//! Finds programs the way a shell does.

use camino::{Utf8Path, Utf8PathBuf};

/// The file of a program, or `None` if there is no such program. A name with a slash is relative to `dir`,
/// the folder in which the program runs. If `dir` is empty, that is the folder in which Paceline runs.
pub fn find_program(program: &str, dir: &Utf8Path) -> Option<Utf8PathBuf> {
    if program.contains('/') {
        return Some(dir.join(program)).filter(|path| is_executable(path));
    }
    let path = std::env::var("PATH").ok()?;
    path.split(':').map(|folder| Utf8Path::new(folder).join(program)).find(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &Utf8Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Utf8Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_its_name_or_its_path() {
        let here = Utf8Path::new("");
        let sh = find_program("sh", here).unwrap();
        assert_eq!(find_program(sh.as_str(), here), Some(sh.clone()));
        assert_eq!(find_program("./sh", sh.parent().unwrap()), Some(sh.parent().unwrap().join("./sh")));
        assert_eq!(find_program("no-such-program", here), None);
        assert_eq!(
            find_program("./src", Utf8Path::new(env!("CARGO_MANIFEST_DIR"))),
            None,
            "a folder is none"
        );
    }
}
