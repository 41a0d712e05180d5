//! Plays the stories of many seeds, and prints each that breaks a promise.

#![expect(clippy::print_stdout, reason = "what it prints is its result")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use clap::Parser;
use paceline_dst::{Story, check, play, shrink};

/// Plays random deployments with random faults, and checks what CloudFormation did.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds to play.
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Play only this seed, and print its story and what happened.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Play only the story in this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "from", "seed"])]
    story: Option<Utf8PathBuf>,
    /// Switch on each known bug in turn, and show that one of the seeds finds it.
    #[cfg(feature = "known-bugs")]
    #[arg(long)]
    known_bugs: bool,
    /// How many seeds to play at the same time.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    jobs: usize,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        return one(&Story::of(seed));
    }
    if let Some(file) = &arguments.story {
        let text = fs_err::read_to_string(file)?;
        return one(&serde_json::from_str(&text).with_context(|| format!("{file} is not a story"))?);
    }
    #[cfg(feature = "known-bugs")]
    if arguments.known_bugs {
        return known_bugs(&arguments);
    }
    many(&arguments)
}

/// Looks for the first seed that finds each known bug.
#[cfg(feature = "known-bugs")]
fn known_bugs(arguments: &Arguments) -> Result<ExitCode> {
    use paceline_engine::known_bugs::{ALL, switch_on};

    let mut code = ExitCode::SUCCESS;
    for bug in ALL {
        switch_on(Some(bug));
        let mut seeds = arguments.from..arguments.from + arguments.seeds;
        let found = seeds.find_map(|seed| Some((seed, broken(&Story::of(seed)).into_iter().next()?)));
        switch_on(None);
        match found {
            Some((seed, sentence)) => println!("{bug:?}: seed {seed}: {sentence}"),
            None => {
                println!("{bug:?}: not found in {} seeds from {}", arguments.seeds, arguments.from);
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn one(story: &Story) -> Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(story)?);
    let tale = play(story)?;
    for process in tale.all_processes() {
        println!("\n{} (killed: {}, refused: {:?})", process.name, process.is_killed, process.refused);
        for event in &process.events {
            println!("{}", serde_json::to_string(event)?);
        }
    }
    println!("\nacts of others: {:?}", tale.acts);
    let teardown = tale.teardown.as_ref();
    for history in teardown.map_or(&tale.histories, |teardown| &teardown.histories) {
        for event in &history.events {
            let who = event.token.as_deref().unwrap_or("-");
            println!("{} {} {} {who}", history.name, event.at, event.status);
        }
    }
    let broken = check(story, &tale);
    for sentence in &broken {
        println!("BROKEN: {sentence}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn broken(story: &Story) -> Vec<String> {
    match play(story) {
        Ok(tale) => check(story, &tale),
        Err(error) => vec![format!("the simulation failed: {error:#}")],
    }
}

fn many(arguments: &Arguments) -> Result<ExitCode> {
    let (next, end) = (AtomicU64::new(arguments.from), arguments.from + arguments.seeds);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let broken = broken(&Story::of(seed));
                    if !broken.is_empty() {
                        println!("seed {seed}: {}", broken.join("; "));
                        println!("  repeat it: cargo xtask dst --seed {seed}");
                        found.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{} seeds from {}: {} broke a promise", arguments.seeds, arguments.from, found.len());
    let Some(&seed) = found.iter().min() else { return Ok(ExitCode::SUCCESS) };
    let small = shrink(&Story::of(seed), &mut |story| !broken(story).is_empty());
    println!("the smallest story like that of seed {seed} breaks: {}", broken(&small).join("; "));
    println!("keep it as crates/paceline-dst/found/NAME.json:\n{}", serde_json::to_string_pretty(&small)?);
    Ok(ExitCode::FAILURE)
}
