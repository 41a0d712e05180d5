//! `paceline synth`, and the synthesis at the start of a deployment.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_config::{self, AppConfig, Config};
use paceline_host::{Synthesis, SynthesisError};
use paceline_text::{Explained as _, duration};
use tokio::task::JoinSet;

use super::freshness::made_at;
use super::{Configured, Synthesized};
use crate::failure::Failure;
use crate::settings::{AppPaths, Lookups, RunSettings};
use crate::{interrupt, terminal};

/// The name that stands for every app in `APP:KEY`.
const EVERY_APP: &str = "*";

/// Synthesizes the apps with these names, or all apps.
pub fn synthesize_apps(
    mut configured: Configured,
    paths: &AppPaths,
    apps: &[String],
    lookups: &Lookups,
) -> Result<(), Failure> {
    configured.ensure_one_app(paths)?;
    if let Some(unknown) = apps.iter().find(|name| !configured.config.apps.contains_key(*name)) {
        let message = format!("no app is called `{unknown}`");
        return Err(Failure::usage(message, known_apps(&configured.config)));
    }
    let is_meant = |name: &str| apps.is_empty() || apps.iter().any(|it| it == name);
    let syntheses = |configured: &Configured| {
        let all = configured.syntheses().into_iter();
        all.filter(|it| it.name.as_deref().is_none_or(is_meant)).collect::<Vec<_>>()
    };
    if syntheses(&configured).is_empty() {
        return Err(nothing(&configured, paths));
    }
    give(lookups, &mut configured, is_meant)?;
    configured.say_automatic();
    synthesize(syntheses(&configured))?;
    Ok(())
}

fn nothing(configured: &Configured, paths: &AppPaths) -> Failure {
    let message = "there is nothing to synthesize";
    match &paths.app {
        Some(app) if configured.config.synth.is_some() => Failure::usage(
            format!("{message}: no `synth` command is for {app}"),
            format!("leave --app out: `synth` in the configuration writes {}", configured.assembly()),
        ),
        _ if configured.config.apps.is_empty() => Failure::usage(
            message,
            "set `synth` in paceline.yaml to the command that writes the assembly, such as \
             `npx cdk synth --quiet`; `paceline init` finds that command",
        ),
        _ => Failure::usage(message, "give an app of `apps` in paceline.yaml a `synth` command"),
    }
}

/// Synthesizes the apps of a run. A dry run, a simulation, `--no-synth` and `--app` use the assemblies that are there.
pub(crate) fn before(
    mut configured: Configured,
    run: &RunSettings,
    paths: &AppPaths,
) -> Result<Configured, Failure> {
    configured.ensure_one_app(paths)?;
    // Without an assembly, these need a synthesis, too.
    if (run.simulate || run.dry_run) && !configured.is_automatic {
        ensure_no_context(run)?;
        return Ok(configured);
    }
    if run.no_synth && configured.is_automatic {
        (configured.only, configured.is_automatic) = (None, false);
    }
    give(&run.lookups, &mut configured, |_| true)?;
    if !run.no_synth && paths.app.is_none() {
        configured.synthesized = all(&configured)?;
    }
    Ok(configured)
}

/// Synthesizes every app that has a `synth` command.
pub(super) fn all(configured: &Configured) -> Result<Vec<Synthesized>, Failure> {
    configured.say_automatic();
    synthesize(configured.syntheses())
}

/// Refuses `--context` and `--refresh-context` in a run that synthesizes no app.
pub(crate) fn ensure_no_context(run: &RunSettings) -> Result<(), Failure> {
    let (flag, text) = match (run.lookups.context.first(), run.lookups.refresh_context.first()) {
        (Some(text), _) => ("--context", text),
        (None, Some(text)) => ("--refresh-context", text),
        (None, None) => return Ok(()),
    };
    Err(Failure::usage(
        format!("{flag} {text}: nothing is synthesized in this run"),
        format!(
            "run `paceline synth {flag} …` first. A deployment takes the flag if it synthesizes: without --simulate, \
             --dry-run, --no-synth and --app, or if the plan synthesizes an app again"
        ),
    ))
}

/// Gives the values of `--context` and `--refresh-context` to the apps that they are for. `is_synthesized` says whether
/// the command synthesizes the app of this name.
fn give(
    lookups: &Lookups,
    configured: &mut Configured,
    is_synthesized: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    for text in &lookups.context {
        let flag = format!("--context {text}");
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            let hint = "write it like --context stage=prod";
            return Err(Failure::usage(format!("{flag}: there is no KEY=VALUE"), hint));
        };
        let (apps, key) = meant(&flag, name, text, configured, &is_synthesized)?;
        for app in apps {
            app.context.insert(key.clone(), value.to_owned());
        }
    }
    for text in &lookups.refresh_context {
        let flag = format!("--refresh-context {text}");
        let (apps, key) = meant(&flag, text, text, configured, &is_synthesized)?;
        for app in apps {
            app.refresh_context.push(key.clone());
        }
    }
    Ok(())
}

/// The apps that `[APP:]KEY` is for, and the key. `whole` is the whole argument of the flag.
fn meant<'c>(
    flag: &str,
    name: &str,
    whole: &str,
    configured: &'c mut Configured,
    is_synthesized: &impl Fn(&str) -> bool,
) -> Result<(Vec<&'c mut AppConfig>, String), Failure> {
    let (app, key) = match name.split_once(':') {
        Some((app, key)) if is_for_app(app) => (app, key),
        _ => (EVERY_APP, name),
    };
    let Configured { config, only, .. } = configured;
    if app != EVERY_APP && !config.apps.contains_key(app) {
        let hint = format!(
            "{}; if the key itself contains the colon, write '{EVERY_APP}:{whole}'",
            known_apps(config)
        );
        return Err(Failure::usage(format!("{flag}: no app is called `{app}`"), hint));
    }
    let own = config.apps.iter_mut().filter(|(name, it)| {
        it.synth.is_some() && is_synthesized(name) && (app == EVERY_APP || *name == app)
    });
    let apps: Vec<&mut AppConfig> = own.map(|(_, app)| app).chain(only).collect();
    if apps.is_empty() {
        return Err(Failure::usage(
            format!("{flag}: the command synthesizes no app that could take it"),
            "give the app a `synth` command in paceline.yaml; an assembly from elsewhere already contains its context",
        ));
    }
    Ok((apps, key.to_owned()))
}

/// Whether the text before a colon names an app. Keys of the CDK have colons, too: they begin with `@aws-cdk/`, with
/// `aws:`, or with the kind of a lookup and then `account=`.
fn is_for_app(text: &str) -> bool {
    text == EVERY_APP || (text != "aws" && text.chars().all(paceline_config::is_in_app_name))
}

fn known_apps(config: &Config) -> String {
    if config.apps.is_empty() {
        return "paceline.yaml has no `apps`".to_owned();
    }
    let known: Vec<&str> = config.apps.keys().map(String::as_str).collect();
    format!("the apps are: {}", known.join(", "))
}

/// Synthesizes apps in parallel. Apps of one folder follow each other, since they install packages into the same folder.
/// The error has the failures of all apps.
fn synthesize(syntheses: Vec<Synthesis>) -> Result<Vec<Synthesized>, Failure> {
    if syntheses.is_empty() {
        return Ok(Vec::new());
    }
    let manifest = |it: &Synthesis| made_at(&it.dir.join(&it.app.assembly));
    let before: Vec<_> = syntheses.iter().map(|it| (it.clone(), manifest(it))).collect();
    let what =
        if syntheses.len() == 1 { "the app was being synthesized" } else { "apps were being synthesized" };
    let ended = interrupt::until_stopped(what, async {
        let mut folders: BTreeMap<_, Vec<Synthesis>> = BTreeMap::new();
        for synthesis in syntheses {
            folders.entry(synthesis.dir.clone()).or_default().push(synthesis);
        }
        let mut tasks = JoinSet::new();
        for syntheses in folders.into_values() {
            tasks.spawn(one_after_another(syntheses));
        }
        tasks.join_all().await
    })?;
    let mut errors: Vec<SynthesisError> = ended.into_iter().flatten().collect();
    if !errors.is_empty() {
        errors.sort_by(|a, b| a.app.cmp(&b.app));
        return Err(Failure::of_all(errors.iter().flat_map(SynthesisError::problems).collect()));
    }
    let synthesized = before.into_iter().map(|(it, before)| {
        let after = manifest(&it);
        Synthesized { wrote: after.is_some() && after != before, app: it.name }
    });
    Ok(synthesized.collect())
}

async fn one_after_another(syntheses: Vec<Synthesis>) -> Vec<SynthesisError> {
    let mut errors = Vec::new();
    for synthesis in syntheses {
        errors.extend(one(synthesis).await.err());
    }
    errors
}

async fn one(synthesis: Synthesis) -> Result<(), SynthesisError> {
    let name = synthesis.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let start = tokio::time::Instant::now();
    synthesis.perform(|line| terminal::say(&format!("[synth{name}] {line}"))).await?;
    // Fractions of a second do not interest a reader.
    let took = Duration::from_secs(start.elapsed().as_secs());
    terminal::mention(&format!("[synth{name}] done in {}", duration(took)));
    Ok(())
}
