//! A Chromium that is installed here, without a window: it opens a page and gives what became of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// A variable with the path of the browser.
const VARIABLE: &str = "CHROME";
/// The names of the browser on `PATH`.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser.
pub(crate) struct Browser {
    program: PathBuf,
    /// Its profile, so that it touches none of the user's.
    profile: PathBuf,
}

/// A page that was opened.
pub(crate) struct Opened {
    /// Its elements after the scripts have run.
    pub(crate) dom: String,
    /// What the browser wrote to the page's console.
    pub(crate) console: Vec<String>,
    /// The duration of the whole process.
    pub(crate) took: Duration,
}

impl Browser {
    /// The browser that `CHROME` or `PATH` name. `None` if there is none.
    pub(crate) fn find(profile: &Path) -> Option<Self> {
        let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut installed =
            std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
        let program = named.or_else(|| installed.find(|program| program.is_file()))?;
        Some(Self { program, profile: profile.to_owned() })
    }

    /// Opens a file and runs its scripts to the end of loading.
    pub(crate) fn open(&self, page: &Path) -> Result<Opened> {
        #[expect(clippy::disallowed_methods, reason = "its two streams are read apart from each other")]
        let mut command = Command::new(&self.program);
        // The sandbox needs rights that builds in containers do not have; the pages are this workspace's own.
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ]);
        command.args(["--enable-logging=stderr", "--window-size=1300,900", "--dump-dom"]);
        command.arg(format!("--user-data-dir={}", self.profile.display()));
        command.arg(format!("file://{}", page.display())).stdin(Stdio::null());
        let started = Instant::now();
        let output = command.output().with_context(|| format!("cannot run {}", self.program.display()))?;
        let took = started.elapsed();
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} ended with {}: {said}", self.program.display(), output.status);
        let console = said.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
        Ok(Opened { dom: String::from_utf8_lossy(&output.stdout).into_owned(), console, took })
    }
}
