//! How apps are synthesized again in the middle of a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::Utf8Path;
use paceline_assembly::{AssemblyError, Stack};
use paceline_aws::{LateApp, LateSynthesis};
use paceline_host::Synthesis;
pub(crate) use paceline_plan::late::told;
use paceline_plan::{ContextLookup, LookupState, Plan, PlanOptions, THE_APP, Work};
use tempfile::TempDir;

use super::App;
use crate::failure::Failure;
use crate::{interrupt, terminal};

/// Where what a synthesis would write over is kept until the run is over.
#[derive(Debug)]
pub(crate) struct Kept(TempDir);

/// How the apps of a plan are synthesized again, if any are. What they are now is kept, and their stacks find it there.
pub(crate) fn by_command(
    app: &mut App,
    plan: &Plan,
    options: &PlanOptions,
) -> Result<Option<(Arc<LateSynthesis>, Kept)>, Failure> {
    let failed = |error: std::io::Error| {
        let message =
            format!("cannot keep what the apps are now, for when they are synthesized again: {error}");
        Failure::usage(message, "free some space in the temporary folder, or name another with TMPDIR")
    };
    let apps = late_apps(plan);
    if apps.is_empty() {
        return Ok(None);
    }
    let kept = Kept(TempDir::new().map_err(failed)?);
    let keep = Utf8Path::from_path(kept.0.path()).ok_or_else(|| {
        Failure::usage("the temporary folder's name is no text", "name another with TMPDIR")
    })?;
    let is_late = |stack: &Stack| apps.contains(&stack.app);
    Arc::make_mut(&mut app.assembly).keep(&keep.join("first"), is_late).map_err(failed)?;
    let run = |synthesis: &Synthesis| LateApp::Run {
        assembly: synthesis.dir.join(&synthesis.app.assembly),
        synthesis: Box::new(synthesis.clone()),
    };
    Ok(Some((late(app, &apps, options, keep, run), kept)))
}

/// How a simulation pretends that apps are synthesized again.
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

/// What a simulation takes for granted where apps are synthesized again.
pub(crate) fn pretences(app: &App, plan: &Plan) -> Vec<String> {
    let apps = late_apps(plan);
    let late = app.syntheses.iter().filter(|synthesis| apps.contains(&synthesis.name));
    late.map(|synthesis| {
        let name = synthesis.name.as_ref().map_or_else(|| THE_APP.to_owned(), |name| format!("app `{name}`"));
        match &synthesis.app.recorded {
            Some(dir) => format!("{name} is not synthesized again: what was recorded in {dir} is taken for it"),
            None => format!(
                "{name} is not synthesized again: its stacks are deployed with placeholders (`recorded` names an \
                 assembly to take)"
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

/// Says which parameters apps have from their context that are another by now. Those that are looked up again are of no
/// interest.
pub(crate) fn warn_of_changed(app: &App) -> Result<(), Failure> {
    let kept: Vec<&ContextLookup> = app.context.iter().filter(|it| it.state == LookupState::Kept).collect();
    let wire = terminal::wire();
    let looked = paceline_aws::changed(&wire, &app.assembly, &kept);
    let (changed, warnings) =
        interrupt::until_stopped("the context of apps was being compared with what is there", looked)??;
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
            "{app} has {name} from cdk.context.json as it was once found, and it is another now: \
             {flag}`cdk context --reset '{key}'` has it looked up again"
        ));
    }
    Ok(())
}

/// Refuses stacks that report errors. Those that wait for a synthesis are looked at after it.
pub(crate) fn ensure_deployable(app: &App, plan: &Plan) -> Result<(), AssemblyError> {
    let now = plan.stacks.iter().enumerate().filter(|(number, _)| plan.synthesis_of(*number).is_none());
    let now: BTreeSet<&str> = now.map(|(_, stack)| stack.id.as_str()).collect();
    app.assembly.ensure_deployable(|stack| now.contains(stack.id.as_str()))
}
