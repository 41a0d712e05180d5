//! `cargo xtask pictures`: the pictures in README.md and docs, made from a simulated run of the example.

use std::process::ExitCode;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::tasks::{EXAMPLE, STALE, build};

const PICTURE: &str = "docs/pictures/timeline.svg";

/// Writes or checks the timeline of the example.
pub(crate) fn pictures(sh: &Shell, check: bool) -> Result<ExitCode> {
    build(sh)?;
    let picture = timeline(sh)?;
    let old = sh.read_file(PICTURE).unwrap_or_default();
    if is_same(&picture, &old) {
        return Ok(ExitCode::SUCCESS);
    }
    if check {
        eprintln!("error: {PICTURE} is stale\n hint: cargo xtask pictures");
        return Ok(ExitCode::from(STALE));
    }
    let folder = sh.create_temp_dir()?;
    let new = folder.path().join("timeline.svg");
    sh.write_file(&new, picture)?;
    sh.create_dir("docs/pictures")?;
    sh.copy_file(&new, PICTURE)?;
    eprintln!("{PICTURE} is written");
    Ok(ExitCode::SUCCESS)
}

/// Deploys the example to the embedded AWS, in both regions, and draws that run.
fn timeline(sh: &Shell) -> Result<String> {
    let _multi_region = sh.push_env("ENABLE_MULTI_REGION", "true");
    let folder = sh.create_temp_dir()?;
    let events = folder.path().join("events.jsonl");
    let config = format!("{EXAMPLE}/paceline.yaml");
    let deploy = cmd!(
        sh,
        "cargo run --quiet --package paceline -- deploy --simulate --quiet --events {events} --config {config}"
    );
    deploy.quiet().ignore_stdout().ignore_stderr().run().context("the example cannot be deployed")?;
    let draw = cmd!(sh, "cargo run --quiet --package paceline -- report {events} --format svg");
    Ok(draw.quiet().read()? + "\n")
}

/// Whether two pictures show the same. Simulated runs read files on threads, so the order of what happens at the same
/// simulated moment varies: a time may differ by a second, and a place by a pixel.
fn is_same(new: &str, old: &str) -> bool {
    const NEAR: f64 = 1.1;
    let number = |word: &str| word.parse::<f64>().ok();
    let is_near = |(new, old): (&str, &str)| {
        new == old || number(new).zip(number(old)).is_some_and(|(new, old)| (new - old).abs() <= NEAR)
    };
    let words = |text: &str| -> Vec<String> {
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        text.split_inclusive(|c| !is_part(c))
            .flat_map(|part| {
                let (number, rest) = part.split_at(part.find(|c| !is_part(c)).unwrap_or(part.len()));
                [number.to_owned(), rest.to_owned()]
            })
            .collect()
    };
    let (new, old) = (words(new), words(old));
    new.len() == old.len() && new.iter().zip(&old).all(|(new, old)| is_near((new, old)))
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn a_pixel_more_is_the_same_picture_and_another_name_is_not() {
        let old = "<rect class=\"bar\" x=\"10.0\"/><text>Services: 59 s</text>";
        assert!(is_same(old, old));
        assert!(is_same(&old.replace("10.0", "11.0").replace("59 s", "58 s"), old));
        for new in [old.replace("10.0", "20.0"), old.replace("Services", "Other"), String::new()] {
            assert!(!is_same(&new, old), "{new}");
        }
    }
}
