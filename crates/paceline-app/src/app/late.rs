//! The apps that a run synthesizes again between two of its stacks.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::Utf8Path;
use paceline_assembly::{AssemblyError, Stack};
use paceline_aws::{LateApp, LateSynthesis};
use paceline_host::Synthesis;
pub(crate) use paceline_plan::late::synthesized_again;
use paceline_plan::{ContextLookup, LookupState, Plan, PlanOptions, THE_APP, Work};
use tempfile::TempDir;

use super::App;
use crate::failure::Failure;
use crate::{interrupt, terminal};

/// Copies of the assemblies that a synthesis in the run overwrites. They are removed when this value is dropped.
#[derive(Debug)]
pub(crate) struct AssemblyCopies(TempDir);

/// Prepares the syntheses in a run, if the plan has any. The present assemblies are copied first, and stacks that deploy
/// before the synthesis use the copies.
pub(crate) fn by_command(
    app: &mut App,
    plan: &Plan,
    options: &PlanOptions,
) -> Result<Option<(Arc<LateSynthesis>, AssemblyCopies)>, Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("cannot copy the assemblies of apps that the run synthesizes again: {error}");
        Failure::usage(message, "free some space in the temporary folder, or name another with TMPDIR")
    };
    let apps = late_apps(plan);
    if apps.is_empty() {
        return Ok(None);
    }
    let copies = AssemblyCopies(TempDir::new().map_err(failed)?);
    let keep = Utf8Path::from_path(copies.0.path()).ok_or_else(|| {
        Failure::usage("the name of the temporary folder is not UTF-8", "name another with TMPDIR")
    })?;
    let is_late = |stack: &Stack| apps.contains(&stack.app);
    Arc::make_mut(&mut app.assembly).snapshot(&keep.join("first"), is_late).map_err(failed)?;
    let run = |synthesis: &Synthesis| LateApp::Run {
        assembly: synthesis.dir.join(&synthesis.app.assembly),
        synthesis: Box::new(synthesis.clone()),
    };
    Ok(Some((late(app, &apps, options, keep, run), copies)))
}

/// Prepares the syntheses in a simulated run: each app uses its recorded assembly, if it has one.
pub(crate) fn pretended(app: &App, plan: &Plan, options: &PlanOptions) -> Option<Arc<LateSynthesis>> {
    let apps = late_apps(plan);
    let recorded = |synthesis: &Synthesis| {
        LateApp::Pretend(synthesis.app.recorded.as_ref().map(|dir| synthesis.dir.join(dir)))
    };
    (!apps.is_empty()).then(|| late(app, &apps, options, Utf8Path::new(""), recorded))
}

fn late(
    app: &App,
    apps: &BTreeSet<&Option<String>>,
    options: &PlanOptions,
    keep: &Utf8Path,
    how: impl Fn(&Synthesis) -> LateApp,
) -> Arc<LateSynthesis> {
    let syntheses = app.syntheses.iter().filter(|synthesis| apps.contains(&synthesis.name));
    Arc::new(LateSynthesis {
        apps: syntheses.map(|synthesis| (synthesis.name.clone(), how(synthesis))).collect(),
        config: app.config.clone(),
        options: options.clone(),
        keep: keep.to_owned(),
    })
}

/// What a simulation assumes about each app that the run would synthesize again.
pub(crate) fn assumptions(app: &App, plan: &Plan) -> Vec<String> {
    let apps = late_apps(plan);
    let late = app.syntheses.iter().filter(|synthesis| apps.contains(&synthesis.name));
    late.map(|synthesis| {
        let name = synthesis.name.as_ref().map_or_else(|| THE_APP.to_owned(), |name| format!("app `{name}`"));
        match &synthesis.app.recorded {
            Some(dir) => format!("{name} is not synthesized again: the simulation uses the assembly recorded in {dir}"),
            None => format!(
                "{name} is not synthesized again: its stacks are deployed with placeholders (set `recorded` to \
                 an assembly to use instead)"
            ),
        }
    })
    .collect()
}

/// The apps that a plan synthesizes again.
fn late_apps(plan: &Plan) -> BTreeSet<&Option<String>> {
    let apps = plan.steps.iter().filter_map(|step| match &step.work {
        Work::Synthesize(work) => Some(&work.app),
        _ => None,
    });
    apps.collect()
}

/// Warns of parameters in cdk.context.json whose values have changed since. Skips those that the run looks up again.
pub(crate) fn warn_of_changed(app: &App) -> Result<(), Failure> {
    let kept: Vec<&ContextLookup> = app.context.iter().filter(|it| it.state == LookupState::Kept).collect();
    let wire = terminal::wire();
    let looked = paceline_aws::changed(&wire, &app.assembly, &kept);
    let (changed, warnings) =
        interrupt::until_stopped("the context of apps was being compared with AWS", looked)??;
    for warning in warnings {
        terminal::warn(&warning);
    }
    for it in changed {
        let (name, key) = (&it.name, &it.key);
        let (app, flag) = match &it.app {
            Some(app) => (app.as_str(), format!("`--refresh-context {app}:{name}`, or ")),
            None => (THE_APP, String::new()),
        };
        terminal::warn(&format!(
            "{app} uses an old value of {name}, from cdk.context.json; to look it up again: \
             {flag}`cdk context --reset '{key}'`"
        ));
    }
    Ok(())
}

/// Refuses stacks that report errors. Stacks that wait for a synthesis are checked after it.
pub(crate) fn ensure_deployable(app: &App, plan: &Plan) -> Result<(), AssemblyError> {
    let now = plan.stacks.iter().enumerate().filter(|(number, _)| plan.synthesis_of(*number).is_none());
    let now: BTreeSet<&str> = now.map(|(_, stack)| stack.id.as_str()).collect();
    app.assembly.ensure_deployable(|stack| now.contains(stack.id.as_str()))
}
