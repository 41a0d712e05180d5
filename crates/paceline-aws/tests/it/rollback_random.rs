//! After the rollback of any run, every stack is what it was before, except what the rollback named beforehand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_engine::{Event, ExitCode, Fact};
use paceline_plan::{Loss, RollbackOptions};
use paceline_sim::{Failure, Faults, Operation};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::app::App;
use crate::rollbacks::{Rolling, Runs, Shown, shown};
use crate::world::{How, RUN, World};

/// The number of exports that a stack can have.
const EXPORTS: usize = 2;

/// One version of a stack.
#[derive(Debug, Clone)]
struct Version {
    label: u8,
    size: u8,
    tag: u8,
    protected: bool,
    /// Whether it has a key, which holds data.
    key: bool,
    exports: [bool; EXPORTS],
    /// Exports of earlier stacks, as far as the version of that stack has them.
    imports: Vec<(prop::sample::Index, usize)>,
}

/// A run over an app whose earlier version is deployed, and its rollback.
#[derive(Debug, Clone)]
struct Story {
    /// The version before the run, and the version of the run, of each stack. `None` if the app does not have it.
    stacks: Vec<(Option<Version>, Option<Version>)>,
    /// The stack whose update fails.
    fails: Option<prop::sample::Index>,
    /// The seconds after which the run is killed, and whether it is continued.
    killed: Option<(u64, bool)>,
    /// The seconds after which the rollback is killed. It is continued.
    rollback_killed: Option<u64>,
    delete_created: bool,
    including_all: bool,
}

fn version() -> impl Strategy<Value = Version> {
    let import = (any::<prop::sample::Index>(), 0..EXPORTS);
    let content = (0..3_u8, 0..2_u8, 0..2_u8);
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (content, flags, any::<[bool; EXPORTS]>(), prop::collection::vec(import, 0..3)).prop_map(
        |((label, size, tag), (protected, key), exports, imports)| Version {
            label,
            size,
            tag,
            protected,
            key,
            exports,
            imports,
        },
    )
}

fn stories() -> impl Strategy<Value = Story> {
    let maybe = || prop::option::weighted(0.8, version());
    let stacks = prop::collection::vec((maybe(), maybe()), 1..6);
    let killed = prop::option::weighted(0.4, (1..300_u64, any::<bool>()));
    let fails = prop::option::weighted(0.3, any::<prop::sample::Index>());
    let rollback_killed = prop::option::weighted(0.4, 1..200_u64);
    (stacks, fails, killed, rollback_killed, any::<bool>(), any::<bool>()).prop_map(
        |(stacks, fails, killed, rollback_killed, delete_created, including_all)| Story {
            stacks,
            fails,
            killed,
            rollback_killed,
            delete_created,
            including_all,
        },
    )
}

fn name(number: usize) -> String {
    format!("S{number}")
}

impl Story {
    fn app(&self, of: impl Fn(&(Option<Version>, Option<Version>)) -> Option<&Version>) -> App {
        let versions: Vec<Option<&Version>> = self.stacks.iter().map(of).collect();
        let present = versions.iter().enumerate().filter_map(|(at, version)| Some((at, (*version)?)));
        present.fold(App::new(), |app, (number, version)| {
            let more = json!({"properties": {
                "parameters": {"Size": version.size.to_string()},
                "tags": {"tag": version.tag.to_string()},
                "terminationProtection": version.protected,
            }});
            app.stack_with(&name(number), &template(&versions, number, version), &more)
        })
    }
}

fn template(versions: &[Option<&Version>], number: usize, version: &Version) -> Value {
    let mut resources = json!({"Topic": {"Type": "Custom::Slow", "Properties": {
        "ServiceToken": "arn:aws:lambda:us-east-1:111111111111:function:f",
        "Label": version.label, "Size": {"Ref": "Size"}}}});
    if version.key {
        resources["Key"] = json!({"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}});
    }
    for (to, export) in version.imports.iter().filter(|_| number > 0) {
        let to = to.index(number.max(1));
        if versions[to].is_some_and(|provider| provider.exports[*export]) {
            let id = format!("Reads{to}x{export}");
            resources[id] = json!({"Type": "AWS::SNS::Topic", "Properties": {
                "DisplayName": {"Fn::ImportValue": format!("S{to}:{export}")}}});
        }
    }
    let exports = (0..EXPORTS).filter(|&export| version.exports[export]);
    let outputs: BTreeMap<String, Value> = exports
        .map(|export| {
            let name = format!("S{number}:{export}");
            (format!("Out{export}"), json!({"Value": "v", "Export": {"Name": name}}))
        })
        .collect();
    json!({
        "Parameters": {"Size": {"Type": "String"}},
        "Resources": resources,
        "Outputs": outputs,
    })
}

async fn all(world: &World, story: &Story) -> Vec<Option<Shown>> {
    let mut all = Vec::new();
    for number in 0..story.stacks.len() {
        all.push(shown(world, &name(number)).await);
    }
    all
}

fn tokens(events: &[Event]) -> BTreeSet<String> {
    let tokens = events.iter().filter_map(|event| match &event.fact {
        Fact::StackSubmitted(submitted) => Some(submitted.token.clone()),
        _ => None,
    });
    tokens.collect()
}

async fn check(story: &Story) -> Result<(), TestCaseError> {
    // An app has at least one stack.
    prop_assume!(story.stacks.iter().any(|(_, after)| after.is_some()));
    let (world, runs) = (World::slow(), Runs::new());
    if story.stacks.iter().any(|(before, _)| before.is_some()) {
        world.deploy(&story.app(|(before, _)| before.as_ref())).await;
        world.rest().await;
    }
    let before = all(&world, story).await;

    // The run, which may fail, and may be killed and continued.
    let app = story.app(|(_, after)| after.as_ref());
    if let Some(fails) = story.fails {
        let failure = Failure {
            stack: name(fails.index(story.stacks.len())),
            logical_id: "Topic".to_owned(),
            operation: Some(Operation::Update),
            reason: "it was made to fail".to_owned(),
            times: 9,
        };
        world.sim.set_faults(Faults { failures: vec![failure], ..Faults::default() });
    }
    let mut events = match story.killed {
        None => world.run(&app, runs.how()).await.events,
        Some((seconds, continued)) => {
            let ran = world.kill_or_end(&app, runs.how(), Duration::from_secs(seconds)).await;
            let mut events = ran.events.clone();
            if continued {
                let how = How { earlier: Some(ran.earlier()), ..runs.how() };
                events.extend(world.run(&app, how).await.events);
            }
            events
        }
    };
    events.retain(|event| event.run == RUN);
    world.sim.set_faults(Faults::default());

    // The rollback, which may be killed and is continued.
    let options = RollbackOptions {
        delete_created: story.delete_created,
        including: if story.including_all { vec!["*".to_owned()] } else { Vec::new() },
        ..RollbackOptions::new(RUN)
    };
    if runs.undoing(&events).undos.is_empty() {
        return Ok(());
    }
    let mut rolling = runs.rollback(&events, &options);
    let stays: BTreeSet<&str> = rolling.rollback.stays.iter().map(|it| it.stack.as_str()).collect();
    let is_protected = |undo: &paceline_plan::Undo| {
        let number: usize = undo.stack[1..].parse().unwrap();
        !undo.existed && story.stacks[number].1.as_ref().is_some_and(|version| version.protected)
    };
    let protected =
        rolling.undoing.undos.iter().any(|it| is_protected(it) && !stays.contains(it.stack.as_str()));
    if protected {
        // Termination protection is refused before anything happens, if it is on already.
        return Ok(());
    }
    if let Some(seconds) = story.rollback_killed {
        let killed = rolling.kill_after(&world, Duration::from_secs(seconds)).await;
        if !killed.events.is_empty() {
            rolling = Rolling { own: tokens(&killed.events), earlier: Some(killed.earlier()), ..rolling };
        }
    }
    let rolled = rolling.run(&world).await.unwrap_or_else(|refused| panic!("{:?}", refused.0));
    world.rest().await;

    // Only what was named may be different.
    let named: BTreeSet<&str> = rolling
        .rollback
        .losses
        .iter()
        .filter_map(|loss| match loss {
            Loss::NeededBy { stack, .. } | Loss::Uses { stack, .. } | Loss::WaitsFor { stack, .. } => {
                Some(stack.as_str())
            }
            _ => None,
        })
        .chain(rolling.rollback.stays.iter().map(|it| it.stack.as_str()))
        .collect();
    if named.is_empty() {
        prop_assert_eq!(rolled.exit_code(), ExitCode::Done, "{:#?}", rolled.events.last());
    }
    let after = all(&world, story).await;
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        if !named.contains(name(number).as_str()) {
            let causes: Vec<_> = rolled.events.iter().filter_map(cause).collect();
            prop_assert_eq!(before, after, "{}: {:?}", name(number), causes);
        }
    }
    Ok(())
}

fn cause(event: &Event) -> Option<(String, String)> {
    let Fact::StepFinished(finished) = &event.fact else { return None };
    Some((finished.step.step.clone(), finished.cause.as_ref()?.message.clone()))
}

#[test]
fn after_the_rollback_of_any_run_every_stack_is_what_it_was_but_for_what_was_named() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(48);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    TestRunner::new(config)
        .run(&stories(), |story| runtime().block_on(Box::pin(check(&story))))
        .unwrap_or_else(|error| panic!("{error}"));
}
