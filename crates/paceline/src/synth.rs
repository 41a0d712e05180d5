//! `paceline synth`, and the synthesis at the start of a deployment.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_aws::{Synthesis, SynthesisError};
use paceline_engine::exit;
use paceline_plan::{Config, config};
use tokio::task::JoinSet;

use crate::cli::{AppArgs, RunArgs, SynthArgs};
use crate::failure::Failure;
use crate::{load, run, terminal};

/// The name before the colon of context that is for every app.
const EVERY_APP: &str = "*";

pub(crate) fn run(args: &SynthArgs) -> Result<u8, Failure> {
    let configured = load::configured(&args.app)?;
    let mut syntheses = configured.syntheses();
    if let Some(unknown) = args.apps.iter().find(|name| !configured.config.apps.contains_key(*name)) {
        let message = format!("no app is called `{unknown}`");
        return Err(Failure::usage(message, known_apps(&configured.config)));
    }
    syntheses.retain(|synthesis| args.apps.is_empty() || args.apps.contains(&synthesis.name));
    if syntheses.is_empty() {
        return Err(Failure::usage(
            "there is nothing to synthesize",
            "give an app of `apps` in paceline.yaml a `synth` command",
        ));
    }
    give_context(&mut syntheses, &args.context, &configured.config)?;
    synthesize(syntheses)?;
    Ok(exit::DONE)
}

/// Synthesizes the configured apps for a run. What is only shown or rehearsed takes them as they are.
pub(crate) fn before(run: &RunArgs, app: &AppArgs) -> Result<(), Failure> {
    if run.simulate || run.dry_run || run.no_synth {
        return ensure_no_context(run);
    }
    let configured = load::configured(app)?;
    let mut syntheses = configured.syntheses();
    give_context(&mut syntheses, &run.context, &configured.config)?;
    synthesize(syntheses)
}

/// Refuses context where nothing is synthesized that it could change.
pub(crate) fn ensure_no_context(run: &RunArgs) -> Result<(), Failure> {
    match run.context.first() {
        None => Ok(()),
        Some(text) => Err(Failure::usage(
            format!("--context {text}: nothing is synthesized in this run"),
            "run `paceline synth --context …` first, or give it to what synthesizes: a deployment without \
             --simulate, --dry-run and --no-synth",
        )),
    }
}

/// Gives `[APP:]KEY=VALUE` to the synthesis of one app, or of all.
fn give_context(syntheses: &mut [Synthesis], texts: &[String], config: &Config) -> Result<(), Failure> {
    for text in texts {
        let wrong = |what: &str, hint: &str| Err(Failure::usage(format!("--context {text}: {what}"), hint));
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return wrong("there is no KEY=VALUE", "write it like --context stage=prod");
        };
        let (app, key) = match name.split_once(':') {
            Some((app, key)) if is_for_app(app) => (app, key),
            _ => (EVERY_APP, name),
        };
        if app != EVERY_APP && !config.apps.contains_key(app) {
            let hint = format!(
                "{}; a key that has a colon of its own is written --context '{EVERY_APP}:{text}'",
                known_apps(config)
            );
            return wrong(&format!("no app is called `{app}`"), &hint);
        }
        let mut any = false;
        for synthesis in syntheses.iter_mut().filter(|it| app == EVERY_APP || it.name == app) {
            synthesis.app.context.insert(key.to_owned(), value.to_owned());
            any = true;
        }
        if !any {
            return wrong(
                "nothing is synthesized that it could be given to",
                "give an app of `apps` in paceline.yaml a `synth` command; an assembly made elsewhere has its \
                 context in it",
            );
        }
    }
    Ok(())
}

/// Whether what stands before a colon is meant as an app. Keys of the CDK's own have colons too: they begin with
/// `@aws-cdk/` or `aws:`.
fn is_for_app(text: &str) -> bool {
    text == EVERY_APP || (text != "aws" && text.chars().all(config::is_in_app_name))
}

fn known_apps(config: &Config) -> String {
    if config.apps.is_empty() {
        return "paceline.yaml has no `apps`".to_owned();
    }
    let known: Vec<&str> = config.apps.keys().map(String::as_str).collect();
    format!("the apps are: {}", known.join(", "))
}

/// Synthesizes apps side by side, but those of one folder one after another: they install into the same place.
/// Every failure is said, not the first alone.
fn synthesize(syntheses: Vec<Synthesis>) -> Result<(), Failure> {
    if syntheses.is_empty() {
        return Ok(());
    }
    let ended = run::runtime()?.block_on(async {
        let mut folders: BTreeMap<_, Vec<Synthesis>> = BTreeMap::new();
        for synthesis in syntheses {
            folders.entry(synthesis.dir.clone()).or_default().push(synthesis);
        }
        let mut tasks = JoinSet::new();
        for syntheses in folders.into_values() {
            tasks.spawn(one_after_another(syntheses));
        }
        tasks.join_all().await
    });
    let errors: Vec<SynthesisError> = ended.into_iter().flatten().collect();
    if errors.is_empty() { Ok(()) } else { Err(Failure::synthesis(errors)) }
}

async fn one_after_another(syntheses: Vec<Synthesis>) -> Vec<SynthesisError> {
    let mut errors = Vec::new();
    for synthesis in syntheses {
        errors.extend(one(synthesis).await.err());
    }
    errors
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
