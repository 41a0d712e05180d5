//! Paths and names in generated files, as a build in the repository's root sees them.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use paceline_buildspec::generate::LOCK_FILES;

use crate::app::App;

/// The longest name of a project. It leaves room for the names that are derived from it.
const LONGEST_NAME: usize = 100;

/// A path relative to the root of the repository, where a build runs. Commands such as this one run there, too, so a path
/// below the current folder stays as it is. A path outside is relative to the root of its own repository, if it has one.
pub(super) fn in_repository(path: &Utf8Path) -> String {
    let is_plain = |path: &Utf8Path| {
        path.components().all(|part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir))
    };
    if is_plain(path) {
        return path
            .components()
            .filter(|part| *part != Utf8Component::CurDir)
            .collect::<Utf8PathBuf>()
            .into();
    }
    let full = camino::absolute_utf8(path).unwrap_or_else(|_| path.to_owned());
    let full = full.canonicalize_utf8().unwrap_or(full);
    let here = Utf8Path::new(".").canonicalize_utf8().unwrap_or_default();
    let root = full.ancestors().find(|folder| folder.join(".git").exists());
    let inside = full.strip_prefix(&here).ok().or_else(|| full.strip_prefix(root?).ok());
    inside.map_or_else(|| full.file_name().unwrap_or("app").to_owned(), ToString::to_string)
}

/// The name of the project by default: that of the folder that contains the app, so `workshop/cdk.out` gives `workshop`.
/// For several apps, it is the folder of the configuration.
pub(crate) fn name(app: &App) -> String {
    name_of(&app.dir, !app.config.apps.is_empty())
}

/// The same, from the folder of the assembly, or from the folder that has the configuration of several apps.
pub(crate) fn name_of(dir: &Utf8Path, has_several: bool) -> String {
    let dir = if dir.as_str().is_empty() { Utf8Path::new(".") } else { dir };
    let full = dir.canonicalize_utf8().unwrap_or_else(|_| dir.to_owned());
    let folder = if has_several { Some(full.as_path()) } else { full.parent() };
    as_project(folder.and_then(Utf8Path::file_name).unwrap_or_default())
}

/// Turns the name of a folder into a valid name of a project.
fn as_project(folder: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let kept: String = folder.chars().map(keep).take(LONGEST_NAME).collect();
    let name = kept.trim_start_matches(['-', '_']).trim_end_matches('-');
    if name.len() < 2 { "app".to_owned() } else { name.to_owned() }
}

/// The lock file of the app's packages.
pub(super) fn lock_file(app: &Utf8Path) -> Option<String> {
    let folders = folders_up(app, false).into_iter();
    let found = folders.flat_map(|folder| LOCK_FILES.map(|name| folder.join(name))).find(|it| it.is_file());
    found.map(|path| in_repository(&path))
}

/// The folders that may have the packages of an app: from the folder that contains the assembly, or from the folder of
/// several apps itself, up to the current folder.
pub(super) fn folders_up(app: &Utf8Path, has_several: bool) -> Vec<Utf8PathBuf> {
    let real = |path: &Utf8Path| path.canonicalize_utf8().ok();
    let app = if app.as_str().is_empty() { Utf8Path::new(".") } else { app };
    let (Some(here), Some(full)) = (real(Utf8Path::new(".")), real(app)) else { return Vec::new() };
    let Some(first) = (if has_several { Some(full.as_path()) } else { full.parent() }) else {
        return Vec::new();
    };
    // For an assembly outside of the current folder, only the folder that contains it counts.
    if !first.starts_with(&here) {
        return vec![first.to_owned()];
    }
    first.ancestors().take_while(|folder| folder.starts_with(&here)).map(Utf8Path::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::as_project;

    #[test]
    fn projects_are_called_after_folders_of_any_name() {
        for (folder, project) in [
            ("workshop", "workshop"),
            ("my.app 2", "my-app-2"),
            (".hidden", "hidden"),
            ("é", "app"),
            ("x", "app"),
            ("", "app"),
            ("@acme_infra-", "acme_infra"),
        ] {
            assert_eq!(as_project(folder), project, "{folder}");
        }
        assert_eq!(as_project(&"a".repeat(300)).len(), 100);
    }
}
