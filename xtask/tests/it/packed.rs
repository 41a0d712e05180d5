//! Packs the present binary, and runs other programs on the packages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A folder with a release in it, gone at the end of the test.
pub(crate) struct Packed {
    folder: TempDir,
}

/// A release of the present binary, for a test that needs these programs. `None` if the test is skipped, which is said.
pub(crate) fn packed(programs: &[&str]) -> Option<Packed> {
    if !has(programs) {
        return None;
    }
    Packed::new().map_err(|why| skipped(&why)).ok()
}

impl Packed {
    /// A release of the present binary, or the reason why there is none.
    fn new() -> Result<Self, String> {
        let binary = Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name("paceline");
        if !binary.is_file() {
            return Err(format!("{} is not built (cargo build --package paceline)", binary.display()));
        }
        let folder = tempfile::tempdir().unwrap();
        // Debug information is most of it.
        let small = folder.path().join("paceline");
        let strip = Command::new("strip").arg("-o").args([&small, &binary]).status();
        if !strip.is_ok_and(|status| status.success()) {
            fs_err::copy(&binary, &small).unwrap();
        }
        let packed = Self { folder };
        packed.pack(&small, &packed.dist());
        Ok(packed)
    }

    fn pack(&self, binary: &Path, out: &Path) {
        let mut dist = Command::new(env!("CARGO_BIN_EXE_xtask"));
        dist.args(["dist", "--fast", "--binary"]).arg(binary).arg("--out").arg(out);
        succeed(dist.env("SOURCE_DATE_EPOCH", "1700000000"));
    }

    /// Packs the same binary once more, and gives the folder.
    pub(crate) fn again(&self) -> PathBuf {
        let out = self.path("again");
        let binary = self.path("paceline");
        self.pack(&binary, &out);
        out
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the release.
    pub(crate) fn dist(&self) -> PathBuf {
        self.path("dist")
    }

    /// The npm package `paceline`.
    pub(crate) fn main(&self) -> PathBuf {
        self.file(concat!("paceline-", env!("CARGO_PKG_VERSION"), ".tgz"), "")
    }

    /// The file of the release whose name starts and ends like this.
    pub(crate) fn file(&self, start: &str, end: &str) -> PathBuf {
        let is_it = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(start) && name.ends_with(end)
        };
        let mut paths = self.dist().read_dir().unwrap().map(|entry| entry.unwrap().path());
        paths.find(is_it).unwrap_or_else(|| panic!("there is no {start}*{end}"))
    }
}

/// The embedded AWS on a local port, ended with the test.
pub(crate) struct Sim {
    pub(crate) address: String,
    process: Child,
}

impl Sim {
    pub(crate) fn start(packed: &Packed) -> Self {
        let mut command = Command::new(packed.path("paceline"));
        command.args(["sim", "serve", "--port", "0", "--time-scale", "2000"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("http://127.0.0.1:"), "not an address: {address:?}");
        Self { address: address.trim_end().to_owned(), process }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a program that must succeed, and gives what it prints.
pub(crate) fn succeed(command: &mut Command) -> String {
    let ran = run(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(ran.status.success(), "{command:?}: {}\n{}{}", ran.status, text(&ran.stdout), text(&ran.stderr));
    text(&ran.stdout)
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Whether these programs are there. If not, says that the test is skipped.
fn has(programs: &[&str]) -> bool {
    let absent = programs.iter().find(|program| {
        let version =
            Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        !version.is_ok_and(|status| status.success())
    });
    if let Some(absent) = absent {
        skipped(&format!("{absent} is not installed"));
    }
    absent.is_none()
}

/// Says that a test is skipped, past the test harness, which hides what tests print.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr().lock(), "\nSKIPPED: {why}");
}

/// The example app of this repository.
pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/workshop").canonicalize().unwrap()
}
