//! A run that sleeps: the build ends while CloudFormation works, and a rule of EventBridge starts the next one.
//!
//! The run is interrupted, and its journal is in the staging bucket. The lease stays with the run, so that no other run begins
//! on its stacks. An event is lost if a stack ends before the rule is enabled. So the stacks are looked at once more after
//! that, and the run stays awake if one of them has ended.

use std::time::Duration;

use camino::Utf8Path;
use paceline_aws::{Aws, Leases, WakeRule};
use paceline_buildspec::generate::{ASLEEP, WAKE};
use paceline_engine::{Event, Fact, Sleep, journal_path, private, read_events};
use paceline_text::first_few;
use serde_json::{Value, json};

use super::RUNS;
use crate::build::OwnBuild;
use crate::terminal;

/// A shorter wait is not worth another build.
const SHORTEST_WAIT: Duration = Duration::from_mins(15);
/// A run sleeps at most this often. Then it stays awake.
const MOST_SLEEPS: usize = 20;
/// The time until an enabled rule matches events. AWS gives no number.
const UNTIL_RULE_MATCHES: Duration = Duration::from_secs(10);
/// How many stacks are named.
const NAMED: usize = 3;

/// The run that this build was started to continue. A build that CodeBuild repeats by itself has the same variable, but goes
/// on where the failed build has stopped.
pub(super) fn to_wake(build: Option<&OwnBuild>) -> Option<String> {
    let is_repeated = build.is_some_and(|build| !build.repeats.is_empty());
    std::env::var(WAKE).ok().filter(|run| !run.is_empty() && !is_repeated)
}

/// Whether a run that is to be continued has ended. Says so. An event may come twice.
pub(super) fn has_ended(run: &str) -> bool {
    let events = read_events(&journal_path(Utf8Path::new(RUNS), run));
    let has_ended = events.is_ok_and(|events| events.last().is_some_and(|event| event.fact.ends_run()));
    if has_ended {
        terminal::say(&format!(
            "the run {run} does not sleep any more: this build has nothing to continue. To deploy again, start a build without \
             {WAKE}"
        ));
    }
    has_ended
}

/// The stacks that a run waits for while it sleeps. Empty if it does not sleep.
pub(super) fn waits_for(events: &[Event]) -> &[String] {
    match events.last().map(|event| &event.fact) {
        Some(Fact::RunFinished(finished)) => &finished.waits_for,
        _ => &[],
    }
}

/// When the run may sleep. `earlier` are its events so far.
pub(super) fn when(build: &OwnBuild, earlier: &[Event]) -> Option<Sleep> {
    let (account, region) = build.place.clone()?;
    let has_slept = |event: &&Event| matches!(&event.fact, Fact::RunFinished(it) if !it.waits_for.is_empty());
    let sleeps = earlier.iter().filter(has_slept).count();
    (sleeps < MOST_SLEEPS).then_some(Sleep { account, region, least: SHORTEST_WAIT })
}

/// Lets a run sleep that has ended for that reason. Gives the reason if it must stay awake.
pub(super) async fn fall_asleep(
    rule: &str,
    build: &OwnBuild,
    run: &str,
    stacks: &[String],
    aws: &Aws,
    leases: Option<&Leases>,
) -> Result<(), String> {
    if let Some(leases) = leases
        && !leases.keep_asleep().await
    {
        return Err("its leases cannot be kept".to_owned());
    }
    let wire = terminal::wire();
    let armed = async { WakeRule::open(&wire, rule).await?.enable(&next_build(build, run)).await };
    armed.await.map_err(|error| format!("no build would continue it: {error}"))?;
    tokio::time::sleep(UNTIL_RULE_MATCHES).await;
    let asleep = match Box::pin(aws.all_in_progress(stacks)).await {
        Ok(true) => mark(run, stacks).map_err(|error| format!("{ASLEEP} cannot be written: {error}")),
        Ok(false) => Err("CloudFormation has ended an operation meanwhile".to_owned()),
        Err(error) => Err(format!("its stacks cannot be read: {error}")),
    };
    if asleep.is_err() {
        awake(rule).await;
    }
    asleep
}

/// Undoes what [`fall_asleep`] has begun: nothing continues by itself what somebody has stopped.
pub(super) async fn give_up(rule: &str, leases: Option<Leases>) {
    let released = async {
        if let Some(leases) = leases {
            leases.release().await;
        }
    };
    tokio::join!(awake(rule), released);
}

/// Makes the rule start nothing, because a process continues the run.
pub(super) async fn awake(rule: &str) {
    let wire = terminal::wire();
    let disabled = async { WakeRule::open(&wire, rule).await?.disable().await };
    if let Err(error) = disabled.await {
        terminal::warn(&format!(
            "the rule that continues runs could not be disabled. If it is enabled, changes of stacks start builds, which \
             continue this run if it was interrupted, and else do nothing: {error}"
        ));
    }
}

/// The fields of `StartBuild` for the build that continues the run.
fn next_build(build: &OwnBuild, run: &str) -> Value {
    let mut next = build.again.clone();
    let variables = next["environmentVariablesOverride"].as_array().cloned().unwrap_or_default();
    let wake = json!({ "name": WAKE, "value": run, "type": "PLAINTEXT" });
    let others = variables.into_iter().filter(|variable| variable["name"] != WAKE);
    next["environmentVariablesOverride"] = others.chain([wake]).collect();
    next
}

fn mark(run: &str, stacks: &[String]) -> std::io::Result<()> {
    let stacks = first_few(stacks, NAMED);
    let text = format!(
        "the run {run} sleeps until CloudFormation is done with {stacks}; a build continues it then\n"
    );
    private::replace(Utf8Path::new(ASLEEP).as_std_path(), text.as_bytes())
}

/// Removes what an earlier process has left behind.
pub(super) fn forget() {
    // It is not there in a new build.
    let _ = fs_err::remove_file(ASLEEP);
}
