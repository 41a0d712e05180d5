//! `cargo xtask reference`: the pages in docs/reference, made from the JSON Schema of the configuration and from the help
//! of the commands.

mod commands;
mod configuration;

use std::process::ExitCode;

use anyhow::Result;
use xshell::Shell;

use crate::tasks::{STALE, build};

const FOLDER: &str = "docs/reference";
/// What the first lines of each page say after its title.
const GENERATED: &str = "<!-- Written by `cargo xtask reference`. Do not edit. -->";

/// Writes or checks the pages.
pub(crate) fn reference(sh: &Shell, check: bool) -> Result<ExitCode> {
    build(sh)?;
    let pages = [("commands.md", commands::page(sh)?), ("configuration.md", configuration::page(sh)?)];
    let mut code = ExitCode::SUCCESS;
    for (name, page) in pages {
        let path = format!("{FOLDER}/{name}");
        let old = sh.read_file(&path).unwrap_or_default();
        if page == old {
            continue;
        }
        if check {
            let same = page.lines().zip(old.lines()).take_while(|(new, old)| new == old).count();
            eprintln!("error: {path} is stale from line {} on\n hint: cargo xtask reference", same + 1);
            code = ExitCode::from(STALE);
        } else {
            sh.create_dir(FOLDER)?;
            sh.write_file(&path, page)?;
            eprintln!("{path} is written");
        }
    }
    Ok(code)
}
