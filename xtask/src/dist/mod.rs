//! `cargo xtask dist`: builds the static binaries and packs everything that a release consists of, in target/dist.
//!
//! The same sources give the same bytes. All files carry the time of the last commit, or of `SOURCE_DATE_EPOCH`.

mod archive;
mod build;
mod changelog;
mod contents;
mod deb;
mod dependencies;
mod image;
mod licenses;
mod npm;
mod release;
mod sbom;
mod sums;
mod target;
mod typescript;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use xshell::Shell;

use self::release::{Binary, Release};
use self::target::TARGETS;

/// What is packed, and where to.
#[derive(Args)]
pub(crate) struct DistArgs {
    /// Pack this binary instead of building. Once for each platform
    #[arg(long, value_name = "FILE")]
    binary: Vec<PathBuf>,
    /// The folder to write to. What is in it is removed first
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,
    /// Compress little, for a quick look at the packages
    #[arg(long)]
    fast: bool,
}

/// Builds the binaries of all platforms for which this machine has a toolchain, and packs them.
pub(crate) fn dist(sh: &Shell, args: &DistArgs) -> Result<ExitCode> {
    let mut release = Release::new(sh, args.fast)?;
    release.binaries = if args.binary.is_empty() { build_all(sh, &release)? } else { given(&args.binary)? };
    let out = sh.current_dir().join(&args.out);
    let kept = out.join(sums::FILE);
    let is_ours = !out.exists() || kept.exists() || out.read_dir()?.next().is_none();
    if !is_ours {
        bail!("{} has other files in it\n hint: give an empty folder with --out", out.display());
    }
    sh.remove_path(&out)?;
    sh.create_dir(&out)?;

    let contents = contents::of(sh, &release)?;
    let mut files = contents.loose.clone();
    for binary in &release.binaries {
        let name = format!("paceline-{}-{}", release.version, binary.target.name);
        files.push((format!("{name}.tar.gz"), contents::tarball(&release, &contents, binary, &name)?));
        files.push((deb::name(&release, binary), deb::package(&release, &contents, binary)?));
    }
    files.extend(npm::packages(sh, &release, &contents)?);
    files.push((image::FILE.to_owned(), image::dockerfile(&release)));
    files.push((sums::FILE.to_owned(), sums::of(&files)));
    for (name, bytes) in &files {
        let path = out.join(name);
        sh.write_file(&path, bytes).with_context(|| format!("{name} cannot be written"))?;
        eprintln!("{:>12}  {}", size(bytes.len()), args.out.join(name).display());
    }
    Ok(ExitCode::SUCCESS)
}

fn build_all(sh: &Shell, release: &Release) -> Result<Vec<Binary>> {
    let mut binaries = Vec::new();
    for target in &TARGETS {
        match build::missing(sh, target)? {
            Some(why) => eprintln!("left out: {}: {why}", target.triple),
            None => binaries.push(Binary::read(&build::build(sh, release, target)?)?),
        }
    }
    if binaries.is_empty() {
        bail!(
            "no binary can be built on this machine\n hint: see the lines above, or give one with --binary"
        );
    }
    Ok(binaries)
}

fn given(paths: &[PathBuf]) -> Result<Vec<Binary>> {
    let binaries = paths.iter().map(|path| Binary::read(path)).collect::<Result<Vec<_>>>()?;
    for (index, binary) in binaries.iter().enumerate() {
        if binaries[..index].iter().any(|other| other.target.name == binary.target.name) {
            bail!("two of the binaries are for {}", binary.target.name);
        }
    }
    Ok(binaries)
}

/// A size for people: in MB from 100 kB.
fn size(bytes: usize) -> String {
    match bytes {
        0..100_000 => format!("{bytes} B"),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
