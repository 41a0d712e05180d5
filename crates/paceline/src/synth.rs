//! `paceline synth`, and the synthesis at the start of a deployment.

use std::time::Duration;

use paceline_aws::{Synthesis, SynthesisError};
use paceline_engine::exit;
use tokio::task::JoinSet;

use crate::cli::{AppArgs, RunArgs, SynthArgs};
use crate::failure::Failure;
use crate::{load, run, terminal};

pub(crate) fn run(args: &SynthArgs) -> Result<u8, Failure> {
    let configured = load::configured(&args.app)?;
    let mut syntheses = configured.syntheses();
    if let Some(unknown) = args.apps.iter().find(|name| !configured.config.apps.contains_key(*name)) {
        let known: Vec<&str> = configured.config.apps.keys().map(String::as_str).collect();
        let hint = if known.is_empty() {
            "paceline.yaml has no `apps`".to_owned()
        } else {
            format!("the apps are: {}", known.join(", "))
        };
        return Err(Failure::usage(format!("no app is called `{unknown}`"), hint));
    }
    syntheses.retain(|synthesis| args.apps.is_empty() || args.apps.contains(&synthesis.name));
    if syntheses.is_empty() {
        return Err(Failure::usage(
            "there is nothing to synthesize",
            "give an app of `apps` in paceline.yaml a `synth` command",
        ));
    }
    synthesize(syntheses)?;
    Ok(exit::DONE)
}

/// Synthesizes the configured apps for a run. What is only shown or rehearsed takes them as they are.
pub(crate) fn before(run: &RunArgs, app: &AppArgs) -> Result<(), Failure> {
    if run.simulate || run.dry_run || run.no_synth {
        return Ok(());
    }
    synthesize(load::configured(app)?.syntheses())
}

/// Synthesizes apps side by side. Every failure is said, not the first alone.
fn synthesize(syntheses: Vec<Synthesis>) -> Result<(), Failure> {
    if syntheses.is_empty() {
        return Ok(());
    }
    let ended = run::runtime()?.block_on(async {
        let mut tasks = JoinSet::new();
        for synthesis in syntheses {
            tasks.spawn(one(synthesis));
        }
        tasks.join_all().await
    });
    let errors: Vec<SynthesisError> = ended.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() { Ok(()) } else { Err(Failure::synthesis(errors)) }
}

async fn one(synthesis: Synthesis) -> Result<(), SynthesisError> {
    let name = synthesis.name.clone();
    let start = tokio::time::Instant::now();
    synthesis.perform(|line| terminal::say(&format!("[synth {name}] {line}"))).await?;
    // Whole seconds: nobody plans with less.
    let took = Duration::from_secs(start.elapsed().as_secs());
    terminal::say(&format!("[synth {name}] done in {took:?}"));
    Ok(())
}
