//! Warns if an assembly is older than the sources of its app.
//!
//! The code compares the times of files with each other, not with a clock. If a checkout or an archive has just written
//! all files, also the assembly, their times mean nothing. Then only later edits count.

use std::fmt::Write as _;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{DirEntry, WalkBuilder};

use super::App;
use crate::terminal;

/// The most files and folders of an app that are compared.
const MOST: usize = 50_000;
/// The longest pause between two files that the same checkout writes.
const PAUSE: Duration = Duration::from_secs(2);
/// Folders without sources: dependencies (their lock files are compared instead), tests, and reports of deployments.
const FOLDERS: [&str; 9] = [
    "node_modules",
    "__pycache__",
    "venv",
    "test",
    "tests",
    "__tests__",
    "coverage",
    "reports",
    "buildspecs",
];
/// The beginnings of the names of files that are no sources.
const FILES: [&str; 5] = ["paceline.", "buildspec", "LICENSE", "NOTICE", "README"];
/// The ends of the names of files that are no sources. A deployment writes outputs next to the app.
const ENDINGS: [&str; 6] = [".md", ".log", ".jsonl", "outputs.json", "Outputs.json", ".tsbuildinfo"];

/// An assembly that this process has not written, and the folder to compare it with.
#[derive(Debug)]
struct Candidate {
    /// The name of the app, if there are several.
    app: Option<String>,
    assembly: Utf8PathBuf,
    /// The folder of its sources.
    folder: Utf8PathBuf,
    remedy: Remedy,
}

#[derive(Debug, Clone, Copy)]
enum Remedy {
    /// Run the `synth` command of the configuration.
    Synthesize,
    /// Correct that command: it has just run and has not written the assembly.
    Mend,
    /// Run the CDK CLI: the configuration has no `synth` command.
    Unknown,
}

/// A source that is newer than the assembly.
#[derive(Debug, PartialEq, Eq)]
struct Newer {
    path: PathBuf,
    by: Duration,
    /// The number of other sources that are newer.
    more: usize,
}

/// The time at which an assembly was written: the time of its manifest.
pub(crate) fn made_at(assembly: &Utf8Path) -> Option<SystemTime> {
    fs_err::metadata(assembly.join("manifest.json")).ok()?.modified().ok()
}

impl App {
    /// Warns of every assembly that is older than one of its sources. `written` are the files that this run writes.
    pub fn warn_of_newer_sources(&self, written: &[&Utf8Path]) {
        for made in all(self) {
            if let Some(newer) = newer(&made, written) {
                terminal::say(&format!("warning: {}", made.older_than(&newer)));
            }
        }
    }
}

/// The assemblies that this process has not written and whose sources are known.
fn all(app: &App) -> Vec<Candidate> {
    let mut all = Vec::new();
    let mut add = |name: Option<&String>, assembly: Utf8PathBuf, folder: Option<Utf8PathBuf>| {
        let by_command = app.syntheses.iter().any(|synthesis| synthesis.name.as_ref() == name);
        let synthesized = app.synthesized.iter().find(|it| it.app.as_ref() == name);
        let remedy = match synthesized {
            Some(synthesized) if synthesized.wrote => return,
            Some(_) => Remedy::Mend,
            None if by_command => Remedy::Synthesize,
            None => Remedy::Unknown,
        };
        all.extend(folder.map(|folder| Candidate { app: name.cloned(), assembly, folder, remedy }));
    };
    if app.config.apps.is_empty() {
        add(None, app.dir.clone(), folder_of(&app.dir));
    }
    for (name, config) in &app.config.apps {
        let folder = app.dir.join(&config.dir);
        add(Some(name), folder.join(&config.assembly), folder.canonicalize_utf8().ok());
    }
    all
}

/// The folder of the CDK app that makes an assembly: the assembly is in it, or its `cdk.json` names it.
fn folder_of(assembly: &Utf8Path) -> Option<Utf8PathBuf> {
    let assembly = assembly.canonicalize_utf8().ok()?;
    let is_app = |folder: &&Utf8Path| folder.join("cdk.json").is_file();
    let folder = assembly.ancestors().skip(1).find(is_app)?;
    let names_it = || {
        let settings = fs_err::read(folder.join("cdk.json")).ok()?;
        let settings: serde_json::Value = serde_json::from_slice(&settings).ok()?;
        let output = folder.join(settings["output"].as_str()?).canonicalize_utf8().ok()?;
        Some(output == assembly)
    };
    let makes_it = assembly.parent() == Some(folder) || names_it() == Some(true);
    makes_it.then(|| folder.to_owned())
}

/// The newest source that is newer than the assembly.
fn newer(made: &Candidate, written: &[&Utf8Path]) -> Option<Newer> {
    let made_at = made_at(&made.assembly)?;
    let Sources { files, has_assembly } = Sources::of(made, written)?;
    let mut since = made_at;
    if has_assembly {
        let index = git_index(&made.folder);
        let may_be_new = index.is_some() || std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        if may_be_new && were_written_together(made_at, &files) {
            return None;
        }
        since = since.max(index.and_then(|index| index.modified().ok()).unwrap_or(made_at));
    }
    let newer = files.into_iter().filter(|(at, _)| *at > since);
    let mut newer: Vec<(SystemTime, PathBuf)> = newer.collect();
    newer.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
    let more = newer.len().checked_sub(1)?;
    let (at, path) = newer.swap_remove(0);
    Some(Newer { path, by: at.duration_since(made_at).unwrap_or_default(), more })
}

/// The sources in the folder of an app.
struct Sources {
    files: Vec<(SystemTime, PathBuf)>,
    /// Whether the assembly is committed, too: no `.gitignore` excludes it.
    has_assembly: bool,
}

impl Sources {
    fn of(made: &Candidate, written: &[&Utf8Path]) -> Option<Self> {
        let assembly = made.assembly.canonicalize().ok()?;
        let written: Vec<PathBuf> = written.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let has_assembly = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&has_assembly);
        let mut walk = WalkBuilder::new(&made.folder);
        walk.require_git(false).git_global(false).ignore(false).follow_links(false);
        walk.sort_by_file_name(Ord::cmp);
        walk.filter_entry(move |entry| {
            if entry.path() == assembly {
                seen.store(true, Ordering::Relaxed);
                return false;
            }
            entry.depth() == 0 || (is_source(entry) && !written.iter().any(|path| path == entry.path()))
        });
        let files = walk.build().take(MOST).flatten().filter_map(|entry| {
            let file = entry.metadata().ok().filter(Metadata::is_file)?;
            Some((file.modified().ok()?, entry.into_path()))
        });
        let files = files.collect();
        Some(Self { files, has_assembly: has_assembly.load(Ordering::Relaxed) })
    }
}

fn is_source(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    if entry.file_type().is_some_and(|kind| kind.is_dir()) {
        let has = |name: &str| entry.path().join(name).is_file();
        let is_assembly = name.starts_with("cdk.out") || (has("manifest.json") && has("cdk.out"));
        let is_another_app = has("cdk.json");
        return !FOLDERS.contains(&&*name) && !is_assembly && !is_another_app;
    }
    let is_test = name.contains(".test.") || name.contains(".spec.");
    let is_left_out = FILES.iter().any(|first| name.starts_with(first));
    !is_test && !is_left_out && !ENDINGS.iter().any(|last| name.ends_with(last))
}

/// The file that git writes last in a checkout, if the folder is in a repository.
fn git_index(folder: &Utf8Path) -> Option<Metadata> {
    let git = folder.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    if git.is_dir() {
        return fs_err::metadata(git.join("index")).ok();
    }
    // A worktree has a file there that names the folder.
    let text = fs_err::read_to_string(&git).ok()?;
    let dir = git.parent()?.join(text.strip_prefix("gitdir:")?.trim());
    fs_err::metadata(dir.join("index")).ok()
}

/// Whether all files were written at about the same time.
fn were_written_together(made_at: SystemTime, files: &[(SystemTime, PathBuf)]) -> bool {
    let mut times: Vec<SystemTime> = files.iter().map(|(at, _)| *at).chain([made_at]).collect();
    times.sort_unstable();
    let pause = |pair: &[SystemTime]| pair[1].duration_since(pair[0]).unwrap_or_default();
    times.windows(2).all(|pair| pause(pair) <= PAUSE)
}

impl Candidate {
    fn older_than(&self, newer: &Newer) -> String {
        let mut text = self.app.as_ref().map_or_else(String::new, |app| format!("app `{app}`: "));
        let (assembly, file) = (shown(self.assembly.as_std_path()), shown(&newer.path));
        let _ = write!(text, "{assembly} is older than {file} ({})", age(newer.by));
        match newer.more {
            0 => {}
            1 => text.push_str(" and 1 more file"),
            more => {
                let _ = write!(text, " and {more} more files");
            }
        }
        text.push_str(": ");
        match (self.remedy, &self.app) {
            (Remedy::Synthesize, _) => text.push_str("run `paceline synth`"),
            (Remedy::Mend, _) => text.push_str("its `synth` command has just run, and has not written it"),
            (Remedy::Unknown, Some(_)) => {
                let _ = write!(text, "{}, or give the app a `synth:` in paceline.yaml", self.by_hand());
            }
            (Remedy::Unknown, None) => {
                let _ = write!(text, "{}, or set `synth:` in paceline.yaml", self.by_hand());
            }
        }
        text
    }

    /// The command with which a person synthesizes the app again.
    fn by_hand(&self) -> String {
        let cdk = if self.folder.join("package.json").exists() { "npx cdk synth" } else { "cdk synth" };
        let folder = shown(self.folder.as_std_path());
        if folder.is_empty() { format!("run `{cdk}`") } else { format!("run `{cdk}` in {folder}") }
    }
}

/// A path relative to the current folder, if it is in that folder, without control characters.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok().and_then(|here| here.canonicalize().ok());
    let real = path.canonicalize().ok();
    let from_here = here.as_ref().zip(real.as_ref()).and_then(|(here, real)| real.strip_prefix(here).ok());
    from_here
        .unwrap_or(path)
        .to_string_lossy()
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// A rounded duration: `40 s`, `12 min`, `3 h`, `2 days`.
fn age(by: Duration) -> String {
    let s = by.as_secs();
    match (s / 60, s / 3600, s / 86_400) {
        (0, ..) => format!("{} s", s.max(1)),
        (min, 0, _) => format!("{min} min"),
        (_, h, 0 | 1) => format!("{h} h"),
        (.., days) => format!("{days} days"),
    }
}
