//! Prepared runs: shows what was prepared, and finds the run to execute.

use std::sync::Arc;

use camino::Utf8Path;
use paceline_engine::{
    Event, ExitCode, Fact, Outcome, PreparedFiles, PreparedRun, journal_path, last_start, read_events,
    runs_in,
};
use paceline_text::near;

use super::RUNS;
use super::copies::{self, Copies};
use super::deploy::Deployment;
use super::finished::Finished;
use crate::app::App;
use crate::failure::Failure;
use crate::settings::{Format, LAST, is_name_of_run};
use crate::{interrupt, terminal};

/// What a person can do if there is nothing to execute.
const PREPARE: &str = "`paceline deploy --method prepare` prepares a deployment";

/// Reads the name of a prepared run.
pub(super) fn run_to_execute(text: &str) -> Result<String, String> {
    if text == LAST || is_name_of_run(text) {
        Ok(text.to_owned())
    } else {
        Err("this is not the name of a run; `paceline history` lists them".to_owned())
    }
}

/// Shows what a run has prepared.
pub(super) fn show(finished: &Finished, args: &Deployment) {
    let record = &finished.record;
    if args.run.format == Format::Json {
        return;
    }
    let unchanged = record.outcomes().get(&Outcome::Unchanged).copied().unwrap_or_default();
    let prepared = PreparedRun { run: record.run.clone(), stacks: finished.prepared.clone() };
    let style = terminal::page_style();
    let found = paceline_report::findings(&finished.findings, style);
    terminal::print(&(paceline_report::prepared(&prepared, unchanged, style) + &found));
    if finished.exit_code == ExitCode::Done && !record.simulated && !prepared.stacks.is_empty() {
        terminal::say(&format!("`paceline deploy --prepared {}` executes exactly this", record.run));
    }
}

/// The prepared run that the arguments name, or the newest one of this app.
pub(super) fn find(args: &Deployment, app: &App) -> Result<Arc<PreparedRun>, Failure> {
    if args.run.simulate {
        return Err(Failure::usage(
            "a prepared run cannot be simulated: its change sets are in AWS",
            "`--simulate` without `--prepared` and `--method execute` simulates the deployment",
        ));
    }
    let runs = Utf8Path::new(RUNS);
    let wanted = args.prepared.as_deref().unwrap_or(LAST);
    let here = if wanted == LAST { newest(app)? } else { is_here(wanted)?.then(|| wanted.to_owned()) };
    let brought = async {
        match (wanted, &here) {
            (LAST, _) if here.is_some() && !Copies::of(app).journal => Ok(None),
            (LAST, _) => {
                let brought = Box::pin(copies::bring_prepared(&app.assembly, here.as_deref())).await;
                // A run of this folder can be executed without the others.
                brought.or_else(|failure| if here.is_some() { Ok(None) } else { Err(failure) })
            }
            (_, Some(_)) => Ok(None),
            (run, None) => Box::pin(copies::bring_run(&app.assembly, run)).await,
        }
    };
    let brought = interrupt::until_stopped("the staging bucket was being read", Box::pin(brought))??;
    if let Some(run) = &brought {
        terminal::mention(&format!("the run {run} is from the staging bucket"));
    }
    let Some(run) = brought.or(here) else {
        let known = runs_in(runs)?;
        let close = near(wanted, known.iter().map(String::as_str));
        let message = match wanted {
            LAST => "no prepared run of this app is known".to_owned(),
            run => format!("there is no run {run} in {RUNS}, nor in the staging buckets of this app"),
        };
        let meant = close.map(|close| format!("did you mean {close}? ")).unwrap_or_default();
        return Err(Failure::usage(message, format!("{meant}{PREPARE}")));
    };
    let events = read_events(&journal_path(runs, &run))?;
    ensure_executable(&run, &events)?;
    let stacks = PreparedFiles::of(runs, &run).read()?;
    Ok(Arc::new(PreparedRun { run, stacks }))
}

fn is_here(run: &str) -> Result<bool, Failure> {
    Ok(runs_in(Utf8Path::new(RUNS))?.iter().any(|known| known == run))
}

/// The newest run of this folder that has prepared a deployment of the app.
fn newest(app: &App) -> Result<Option<String>, Failure> {
    let runs = Utf8Path::new(RUNS);
    for run in runs_in(runs)? {
        // A later version may have written a journal that this one cannot read.
        let Ok(events) = read_events(&journal_path(runs, &run)) else { continue };
        if has_prepared(&events) && copies::is_about(&events, &app.assembly) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// Whether these are the events of a run that has prepared a deployment.
pub(super) fn has_prepared(events: &[Event]) -> bool {
    last_start(events).is_some_and(|started| started.prepares)
}

/// Refuses a run that has not prepared everything, or elsewhere.
fn ensure_executable(run: &str, events: &[Event]) -> Result<(), Failure> {
    let Some(started) = last_start(events).filter(|started| started.prepares) else {
        return Err(Failure::usage(format!("the run {run} has prepared nothing"), PREPARE));
    };
    let ended = events.iter().rev().find_map(|event| match &event.fact {
        Fact::RunFinished(finished) => Some(finished.exit_code),
        _ => None,
    });
    if ended != Some(ExitCode::Done) {
        let how = match ended {
            None | Some(ExitCode::Interrupted) => "was interrupted",
            Some(_) => "has failed",
        };
        let message = format!("the run {run} has not prepared everything: it {how}");
        let hint =
            "prepare it again, `paceline deploy --method prepare`, or name another run: --prepared RUN";
        return Err(Failure::usage(message, hint));
    }
    if started.endpoint != paceline_aws::endpoint() {
        let of = |endpoint: &Option<String>| endpoint.clone().unwrap_or_else(|| "AWS itself".to_owned());
        let message = format!(
            "{run} has prepared change sets in {}, and this would execute them in {}",
            of(&started.endpoint),
            of(&paceline_aws::endpoint())
        );
        return Err(Failure::usage(message, "set AWS_ENDPOINT_URL as it was in that run"));
    }
    Ok(())
}
