//! Builds the static binary of a platform.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::release::Release;
use super::target::Target;

/// Why this machine cannot build for a platform.
pub(super) fn missing(sh: &Shell, target: &Target) -> Result<Option<String>> {
    let Target { triple, compiler, hint, .. } = target;
    let library = cmd!(sh, "rustc --print target-libdir --target {triple}").quiet().read()?;
    if !Path::new(library.trim()).is_dir() {
        return Ok(Some(format!("its standard library is not installed (rustup target add {triple})")));
    }
    if !is_on_path(compiler) {
        return Ok(Some(format!("its C compiler {compiler} is not there ({hint})")));
    }
    Ok(None)
}

/// Builds `paceline` and gives the path of the program. Paths of this machine do not get into it.
pub(super) fn build(sh: &Shell, release: &Release, target: &Target) -> Result<PathBuf> {
    let root = sh.current_dir();
    let folder = sh.var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    let home = match sh.var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir().context("this user has no home folder")?.join(".cargo"),
    };
    // The last that matches counts: the target folder is usually in the workspace.
    let places = [(home.join("registry/src"), "/crates"), (root, "/paceline"), (folder.clone(), "/target")];
    let renamed = |flag: &str| {
        let flags = places.iter().map(|(place, name)| format!("{flag}={}={name}", place.display()));
        flags.collect::<Vec<_>>().join(" ")
    };
    let under = target.triple.replace('-', "_");
    let upper = under.to_uppercase();
    let variables = [
        (format!("CARGO_TARGET_{upper}_RUSTFLAGS"), renamed("--remap-path-prefix")),
        (format!("CFLAGS_{under}"), renamed("-ffile-prefix-map")),
        ("SOURCE_DATE_EPOCH".to_owned(), release.time.to_string()),
    ];
    let mut build = cmd!(sh, "cargo build --locked --profile dist --package paceline");
    // In a folder of its own: what cargo builds for this machine with the profile `dist` would be in target/dist.
    let own = folder.join("musl");
    build = build.arg("--target-dir").arg(&own).args(["--target", target.triple]).envs(variables);
    // The crate `cc` finds the compiler by the same names.
    if !target.is_host() {
        build = build.env(format!("CARGO_TARGET_{upper}_LINKER"), target.compiler);
    }
    build.run().with_context(|| format!("paceline does not build for {}", target.triple))?;
    Ok(own.join(target.triple).join("dist/paceline"))
}

/// Whether a program is on the PATH.
fn is_on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
