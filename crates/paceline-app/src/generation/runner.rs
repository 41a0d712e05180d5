//! Where the builds of an app get the runner from.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{LARGEST_MANIFEST, read_regular_text};
use paceline_buildspec::RunnerSource;
use paceline_buildspec::generate::shell_word;
use paceline_config::{Runner, RunnerFrom};
use serde_json::Value;

use super::paths::{folders_up, in_repository};
use super::{in_subshell, place};
use crate::app::App;
use crate::failure::Failure;

/// The lock files of npm, by preference.
const LOCK_FILES: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];
/// The files of package managers that do not read those.
const OTHER_LOCK_FILES: [&str; 2] = ["yarn.lock", "pnpm-lock.yaml"];
/// The path of the npm package in a lock file. With workspaces, another path precedes it.
const PACKAGE: &str = "node_modules/paceline";

/// The source that the configuration names.
pub(super) fn source(app: &App) -> Result<RunnerSource, Failure> {
    let Some(runner) = &app.config.runner else { return Ok(RunnerSource::Unset) };
    Ok(match runner.from {
        RunnerFrom::Npm => npm(app)?,
        RunnerFrom::Image => RunnerSource::Installed {
            version: runner.version.clone().unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
        },
        RunnerFrom::S3 => {
            let (uri, sha256) = pinned(app, runner)?;
            RunnerSource::S3 { uri, sha256 }
        }
        RunnerFrom::Url | RunnerFrom::Https => {
            let (url, sha256) = pinned(app, runner)?;
            RunnerSource::Https { url, sha256 }
        }
    })
}

/// The address of a file and its digest.
fn pinned(app: &App, runner: &Runner) -> Result<(String, String), Failure> {
    let need = |value: &Option<String>, field: &str| {
        value.clone().ok_or_else(|| {
            let message = format!("`from: {}` needs `{field}`, and it is missing", runner.from);
            let hint = format!(
                "add `{field}`, or set `from: npm` if the app has a package.json, or `from: image` if the build image \
                 has paceline"
            );
            Failure::usage(message, hint).at(place(app, Some("runner.from")))
        })
    };
    Ok((need(&runner.uri, "uri")?, need(&runner.sha256, "sha256")?))
}

/// The packages of the app, or of a folder around it.
fn npm(app: &App) -> Result<RunnerSource, Failure> {
    let folders = folders_up(&app.dir, !app.config.apps.is_empty());
    let found = |names: &[&str]| -> Option<Utf8PathBuf> {
        let paths = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
        paths.into_iter().find(|path| path.is_file())
    };
    let lock = found(&LOCK_FILES);
    if let (None, Some(other), None) = (&lock, found(&OTHER_LOCK_FILES), &app.config.install) {
        let message = format!(
            "`from: npm` installs with npm, and the packages are pinned by {}",
            in_repository(&other)
        );
        let hint =
            "set `install` and `synth` to the commands of the package manager, or runner.from to s3 or url";
        return Err(Failure::usage(message, hint).at(place(app, Some("runner.from"))));
    }
    let file = lock.clone().or_else(|| found(&["package.json"]));
    let dir = file.as_deref().and_then(Utf8Path::parent).map(in_repository).unwrap_or_default();
    let install = match &app.config.install {
        Some(install) if app.config.apps.is_empty() => in_subshell(install),
        _ if dir.is_empty() => "npm ci --no-audit --no-fund".to_owned(),
        _ => format!("(cd {} && npm ci --no-audit --no-fund)", shell_word(&dir)),
    };
    // Other lock files are not read: their package managers refuse to install what they do not list.
    let is_pinned = match &lock {
        Some(lock) => lists_package(lock),
        None => found(&OTHER_LOCK_FILES).is_some(),
    };
    Ok(RunnerSource::Npm { dir, install, lock: lock.as_deref().map(in_repository), is_pinned })
}

fn lists_package(lock: &Utf8Path) -> bool {
    let Ok(text) = read_regular_text(lock, LARGEST_MANIFEST) else { return false };
    let Ok(lock) = serde_json::from_str::<Value>(&text) else { return false };
    let is_it = |path: &String| {
        path.strip_suffix(PACKAGE).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    lock["packages"].as_object().is_some_and(|packages| packages.keys().any(is_it))
}
