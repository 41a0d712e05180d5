//! Somebody acts on the stack before each call of a run. All actions of the console and of the CDK CLI are
//! tried. Then CloudFormation's own record is checked: the run has deleted nothing of theirs, its reports are
//! true, and it has ended.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{ChangeSetType, ResourceToImport};
use paceline_aws::Method;
use paceline_engine::{ExitCode, Outcome};
use paceline_sim::{Calls, Failure, Faults, Operation, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, slow, topic};
use crate::world::{How, Ran, World, slow_durations};

/// The name of change sets of the CDK CLI.
const THEIRS: &str = "cdk-deploy-change-set";
/// The longest time of a run.
const LONGEST: Duration = Duration::from_mins(30);

/// The state of the stack at the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    /// Somebody's change set would create the stack.
    InReview,
    /// The creation failed and was rolled back.
    RolledBack,
    Complete,
    /// The rollback of somebody's update is stuck.
    Stuck,
}

/// An action of somebody, done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Propose,
    Execute,
    Discard,
    /// Creates a change set and executes it some seconds later, as the CDK CLI does.
    Deploy,
    Update,
    /// Imports an existing resource into the stack: creates a change set and executes it some seconds later.
    Import,
    Delete,
    /// Deletes the stack, and creates another one with its name.
    Replace,
    Cancel,
    Continue,
    RollBack,
    Protect,
}

const ACTS: [Act; 12] = [
    Act::Propose,
    Act::Execute,
    Act::Discard,
    Act::Deploy,
    Act::Update,
    Act::Import,
    Act::Delete,
    Act::Replace,
    Act::Cancel,
    Act::Continue,
    Act::RollBack,
    Act::Protect,
];

/// The actions that somebody has done.
type Done = Arc<Mutex<Vec<Act>>>;

fn two(label: &str) -> Value {
    let mut template = slow(label);
    template["Resources"]["Topic"] = topic(label)["Resources"]["Topic"].clone();
    template["Resources"]["Topic"]["DependsOn"] = json!("Slow");
    template
}

fn fails(logical_id: &str, operation: Operation, times: u32) -> Failure {
    let (stack, logical_id, reason) = ("S".to_owned(), logical_id.to_owned(), "their mistake".to_owned());
    Failure { stack, logical_id, operation: Some(operation), reason, times }
}

async fn world(state: State) -> World {
    let all = [Operation::Create, Operation::Update, Operation::Delete];
    let some_seconds = Duration::from_secs(6);
    let durations = all.into_iter().fold(slow_durations(), |durations, operation| {
        durations.with("Custom::Slow", operation, some_seconds)
    });
    let world = World::new(SimOptions { durations, throttling: false, ..SimOptions::default() });
    match state {
        State::Absent => {}
        State::InReview => {
            propose(&world.client().await).await;
        }
        State::RolledBack => {
            let failures = vec![fails("Topic", Operation::Create, 1)];
            world.sim.set_faults(Faults { failures, ..Faults::default() });
            world.create("S", &two("first")).await;
        }
        State::Complete => world.create("S", &two("first")).await,
        State::Stuck => {
            world.create("S", &two("first")).await;
            let topic = fails("Topic", Operation::Update, 1);
            let failures = vec![topic.clone(), fails("Slow", Operation::Update, 0)];
            world.sim.set_faults(Faults { failures, ..Faults::default() });
            world.update("S", &two("second")).await;
            // The time of CloudFormation itself, of the update of Slow, and of the failure of the topic.
            world.pass(some_seconds + Duration::from_millis(6500)).await;
            let failures = vec![topic, fails("Slow", Operation::Update, 1)];
            world.sim.set_faults(Faults { failures, ..Faults::default() });
        }
    }
    world.rest().await;
    let expected = match state {
        State::Absent => None,
        State::InReview => Some("REVIEW_IN_PROGRESS"),
        State::RolledBack => Some("ROLLBACK_COMPLETE"),
        State::Complete => Some("CREATE_COMPLETE"),
        State::Stuck => Some("UPDATE_ROLLBACK_FAILED"),
    };
    assert_eq!(world.statuses("S").last().map(String::as_str), expected);
    world
}

/// Creates a change set that imports an existing topic.
async fn propose_import(client: &Client) -> bool {
    let there = client.get_template().stack_name("S").send().await.ok();
    let there = there.and_then(|answer| serde_json::from_str(answer.template_body()?).ok());
    let mut template: Value = there.unwrap_or_else(|| json!({ "Resources": {} }));
    let properties = json!({ "TopicName": "theirs" });
    template["Resources"]["Theirs"] =
        json!({ "Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain", "Properties": properties });
    let theirs = ResourceToImport::builder()
        .resource_type("AWS::SNS::Topic")
        .logical_resource_id("Theirs")
        .resource_identifier("TopicArn", "arn:aws:sns:us-east-1:111111111111:theirs");
    let call = client.create_change_set().stack_name("S").change_set_name(THEIRS);
    let call = call.change_set_type(ChangeSetType::Import).resources_to_import(theirs.build());
    call.template_body(template.to_string()).send().await.is_ok()
}

async fn propose(client: &Client) -> bool {
    let kind = match status(client).await.as_deref() {
        None | Some("REVIEW_IN_PROGRESS") => ChangeSetType::Create,
        _ => ChangeSetType::Update,
    };
    let call = client.create_change_set().stack_name("S").change_set_name(THEIRS).change_set_type(kind);
    call.template_body(two("theirs").to_string()).send().await.is_ok()
}

async fn execute(client: &Client) -> bool {
    let call = client.execute_change_set().stack_name("S").change_set_name(THEIRS);
    call.client_request_token("theirs-execute").send().await.is_ok()
}

/// Deletes the stack if it exists.
async fn delete(client: &Client) -> bool {
    let is_there = client.describe_stacks().stack_name("S").send().await.is_ok();
    let call = client.delete_stack().stack_name("S").client_request_token("theirs-delete");
    call.send().await.is_ok() && is_there
}

/// Does an action as somebody else. Returns whether it was accepted. Later parts of the action run in the
/// background.
async fn act(client: &Client, act: Act) -> bool {
    match act {
        Act::Propose => propose(client).await,
        Act::Execute => execute(client).await,
        Act::Discard => {
            client.delete_change_set().stack_name("S").change_set_name(THEIRS).send().await.is_ok()
        }
        Act::Deploy | Act::Import => {
            let is_proposed =
                if act == Act::Import { propose_import(client).await } else { propose(client).await };
            let client = client.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(5)).await;
                execute(&client).await;
            });
            is_proposed
        }
        Act::Update => {
            let call = client.update_stack().stack_name("S").template_body(two("theirs").to_string());
            call.send().await.is_ok()
        }
        Act::Delete => delete(client).await,
        Act::Replace => {
            let is_deleted = delete(client).await;
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    let call = client.create_stack().stack_name("S").client_request_token("theirs-create");
                    if call.template_body(two("theirs").to_string()).send().await.is_ok() {
                        break;
                    }
                }
            });
            is_deleted
        }
        Act::Cancel => {
            let call = client.cancel_update_stack().stack_name("S");
            call.client_request_token("theirs-cancel").send().await.is_ok()
        }
        Act::Continue => {
            let call = client.continue_update_rollback().stack_name("S");
            call.client_request_token("theirs-continue").send().await.is_ok()
        }
        Act::RollBack => {
            let call = client.rollback_stack().stack_name("S");
            call.client_request_token("theirs-rollback").send().await.is_ok()
        }
        Act::Protect => {
            let call = client.update_termination_protection().stack_name("S");
            call.enable_termination_protection(true).send().await.is_ok()
        }
    }
}

/// One run, with the action of somebody and its time.
struct Case {
    state: State,
    deletes: bool,
    method: Method,
    act: Act,
    /// The number of the run's call to CloudFormation before which somebody acts.
    nth: u32,
    /// The operation of that call.
    operation: String,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, deletes, method, act, nth, operation } = self;
        let run = if *deletes { "a deletion".to_owned() } else { format!("{method:?}") };
        write!(f, "{run} of a stack that is {state:?}: {act:?} before call {nth} ({operation})")
    }
}

fn how(deletes: bool, method: Method) -> How {
    How { deletes, method, ..How::default() }
}

/// A call of an undisturbed run: its operation, and the state of the stack and its change sets.
type Place = (String, String);

async fn undisturbed(state: State, deletes: bool, method: Method) -> Vec<Place> {
    let world = world(state).await;
    let (client, places) = (world.client().await, Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&places);
    world.proxy.before(Calls::to("cloudformation"), move |call| {
        let (client, seen) = (client.clone(), Arc::clone(&seen));
        async move {
            let situation = situation(&client).await;
            seen.lock().unwrap().push((call.operation, situation));
        }
    });
    world.run(&App::of("S", &two("ours")), how(deletes, method)).await;
    let places = places.lock().unwrap();
    places.clone()
}

async fn situation(client: &Client) -> String {
    let status = status(client).await.unwrap_or_default();
    let sets = client.list_change_sets().stack_name("S").send().await;
    let sets = sets.map(|answer| answer.summaries().to_vec()).unwrap_or_default();
    let sets = sets.iter().map(|set| (set.change_set_name().unwrap(), set.execution_status().cloned()));
    format!("{status} {:?}", sets.collect::<Vec<_>>())
}

async fn status(client: &Client) -> Option<String> {
    let there = client.describe_stacks().stack_name("S").send().await.ok()?;
    Some(there.stacks().first()?.stack_status()?.as_str().to_owned())
}

/// The calls before which somebody acts: each call that is not one of many reads, and some of those reads.
fn places(all: &[Place]) -> impl Iterator<Item = (u32, &Place)> {
    let is_look = |operation: &String| {
        matches!(operation.as_str(), "DescribeStacks" | "DescribeStackEvents" | "ListChangeSets")
    };
    let chosen = all.iter().enumerate().filter(move |(place, (operation, _))| {
        let is_next = all.get(place.wrapping_sub(1)).is_some_and(|(before, _)| !is_look(before));
        !is_look(operation) || is_next || *place < 8 || place % 9 == 0 && *place < 40 || place % 60 == 0
    });
    chosen.map(|(place, it)| (u32::try_from(place).unwrap() + 1, it))
}

async fn sweep(state: State, deletes: bool, method: Method) {
    let all = undisturbed(state, deletes, method).await;
    for act in ACTS {
        // An action that was refused once is refused in every similar situation, and changes nothing.
        let mut refused: BTreeSet<&str> = BTreeSet::new();
        for (nth, (operation, situation)) in places(&all) {
            if refused.contains(situation.as_str()) {
                continue;
            }
            let case = Case { state, deletes, method, act, nth, operation: operation.clone() };
            if !run(&case).await {
                refused.insert(situation);
            }
        }
    }
}

/// Runs a case. Returns whether the action was accepted.
async fn run(case: &Case) -> bool {
    let world = world(case.state).await;
    let (client, done) = (world.client().await, Done::default());
    let (act, log) = (case.act, Arc::clone(&done));
    world.proxy.before(Calls::to("cloudformation").nth(case.nth), move |_| {
        let (client, log) = (client.clone(), Arc::clone(&log));
        async move {
            if self::act(&client, act).await {
                log.lock().unwrap().push(act);
            }
        }
    });
    let started = tokio::time::Instant::now();
    let ran = world.run(&App::of("S", &two("ours")), how(case.deletes, case.method)).await;
    assert!(started.elapsed() < LONGEST, "{case}: it took {:?}", started.elapsed());
    // Somebody's action may still have later parts.
    world.pass(Duration::from_mins(2)).await;
    world.rest().await;
    let done = !done.lock().unwrap().is_empty();
    Record::of(&world).await.check(case, done, &ran);
    done
}

/// An event of a stack itself.
struct Event {
    status: String,
    token: Option<String>,
}

impl Event {
    fn is_ours(&self) -> bool {
        self.token.as_deref().is_some_and(|token| token.starts_with("paceline-"))
    }
}

/// The record of CloudFormation: the events of every stack with the name, and the change sets of the existing
/// one.
struct Record {
    stacks: Vec<Vec<Event>>,
    change_sets: Vec<String>,
}

impl Record {
    async fn of(world: &World) -> Self {
        let client = world.client().await;
        let mut all: Vec<_> = world.sim.stacks().into_iter().filter(|stack| stack.name == "S").collect();
        all.sort_by_key(|stack| stack.started);
        let mut stacks = Vec::new();
        for stack in all {
            let pages = client.describe_stack_events().stack_name(stack.id).into_paginator().items().send();
            let events: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
            let own =
                events.into_iter().rev().filter(|event| event.physical_resource_id() == event.stack_id());
            let event = |event: aws_sdk_cloudformation::types::StackEvent| Event {
                status: event.resource_status().unwrap().as_str().to_owned(),
                token: event.client_request_token().map(str::to_owned),
            };
            stacks.push(own.map(event).collect());
        }
        let sets = client.list_change_sets().stack_name("S").send().await;
        let sets = sets.map(|answer| answer.summaries().to_vec()).unwrap_or_default();
        let change_sets = sets.iter().map(|set| set.change_set_name().unwrap().to_owned()).collect();
        Self { stacks, change_sets }
    }

    fn check(&self, case: &Case, done: bool, ran: &Ran) {
        self.nothing_is_lost(case, done);
        self.what_is_said_is_true(case, ran);
    }

    fn nothing_is_lost(&self, case: &Case, done: bool) {
        for (number, events) in self.stacks.iter().enumerate() {
            for (place, event) in events.iter().enumerate() {
                if event.status != "DELETE_IN_PROGRESS" || !event.is_ours() {
                    continue;
                }
                let before = place.checked_sub(1).map_or("", |place| events[place].status.as_str());
                if case.deletes {
                    assert_eq!(number, 0, "{case}: a stack of theirs was deleted");
                    // If somebody acts directly before this call, the run cannot notice it.
                    let is_late = case.operation == "DeleteStack";
                    assert!(
                        is_late || before != "CREATE_IN_PROGRESS",
                        "{case}: a creation of theirs was deleted"
                    );
                } else {
                    assert_eq!(
                        before, "ROLLBACK_COMPLETE",
                        "{case}: something was deleted that is not empty"
                    );
                }
            }
        }
        // Deleting a stack also deletes its change sets, which is intended.
        let is_all_to_go = case.deletes && case.state != State::InReview;
        let proposed = case.state == State::InReview || done && case.act == Act::Propose;
        let used = done && matches!(case.act, Act::Execute | Act::Discard | Act::Delete | Act::Replace)
            || matches!(case.act, Act::Deploy | Act::Import);
        // If somebody acts directly before this call, the run cannot notice it.
        let is_late =
            matches!(case.operation.as_str(), "DeleteStack" | "ExecuteChangeSet") && case.act == Act::Propose;
        if proposed && !used && !is_late && !is_all_to_go {
            assert!(self.change_sets.iter().any(|name| name == THEIRS), "{case}: their change set is gone");
        }
    }

    fn what_is_said_is_true(&self, case: &Case, ran: &Ran) {
        let finished = ran.stack("S");
        let cause = finished.cause.as_ref();
        let said = format!("{case}: {:?}, {cause:?}, {:?}", finished.outcome, ran.warnings());
        assert_eq!(
            ran.exit_code(),
            if finished.outcome.is_success() { ExitCode::Done } else { ExitCode::Failed },
            "{said}"
        );
        let events = || self.stacks.iter().flatten();
        let ours_reached =
            |ends: &[&str]| events().any(|it| it.is_ours() && ends.contains(&it.status.as_str()));
        match finished.outcome {
            Outcome::Deployed => {
                assert!(ours_reached(&["CREATE_COMPLETE", "UPDATE_COMPLETE"]), "{said}");
            }
            Outcome::RolledBack => {
                assert!(ours_reached(&["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"]), "{said}");
                assert!(events().any(|it| it.status.contains("ROLLBACK_COMPLETE")), "{said}");
            }
            Outcome::Deleted => {
                assert!(
                    self.stacks.first().is_some_and(|it| it.last().unwrap().status == "DELETE_COMPLETE"),
                    "{said}"
                );
            }
            Outcome::Unchanged => {
                assert!(!ours_reached(&["CREATE_COMPLETE", "UPDATE_COMPLETE"]), "{said}");
            }
            Outcome::Failed => {}
            other => panic!("{said}: {other:?}"),
        }
        if let Some(cause) = cause {
            assert!(!cause.message.is_empty() && cause.message != "User Initiated", "{said}");
            // Somebody's own mistake is not our cause, unless it prevents our operation.
            let is_told_of = cause.message.starts_with("the stack is in ");
            assert!(is_told_of || !cause.message.contains("their mistake"), "{said}");
        }
        // The run does not create a stack again that somebody has just deleted.
        for events in &self.stacks {
            let deleted = events.windows(2).any(|pair| {
                let [before, then] = pair else { return false };
                before.is_ours()
                    && before.status == "CREATE_IN_PROGRESS"
                    && then.status == "DELETE_IN_PROGRESS"
            });
            if deleted {
                assert_eq!(finished.outcome, Outcome::Failed, "{said}");
                assert!(cause.unwrap().message.contains("while it was being created"), "{said}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn creating_a_missing_stack_survives_any_action_of_others() {
    sweep(State::Absent, false, Method::Direct).await;
}

#[tokio::test(start_paused = true)]
async fn creating_a_missing_stack_by_change_set_survives_any_action_of_others() {
    sweep(State::Absent, false, Method::ChangeSet).await;
}

#[tokio::test(start_paused = true)]
async fn deploying_a_stack_in_review_survives_any_action_of_others() {
    sweep(State::InReview, false, Method::Direct).await;
}

#[tokio::test(start_paused = true)]
async fn deploying_a_stack_in_review_by_change_set_survives_any_action_of_others() {
    sweep(State::InReview, false, Method::ChangeSet).await;
}

#[tokio::test(start_paused = true)]
async fn replacing_a_failed_creation_survives_any_action_of_others() {
    sweep(State::RolledBack, false, Method::Direct).await;
}

#[tokio::test(start_paused = true)]
async fn an_update_survives_any_action_of_others() {
    sweep(State::Complete, false, Method::Direct).await;
}

#[tokio::test(start_paused = true)]
async fn an_update_by_change_set_survives_any_action_of_others() {
    sweep(State::Complete, false, Method::ChangeSet).await;
}

#[tokio::test(start_paused = true)]
async fn updating_a_stack_with_a_stuck_rollback_survives_any_action_of_others() {
    sweep(State::Stuck, false, Method::Direct).await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_survives_any_action_of_others() {
    sweep(State::Complete, true, Method::Direct).await;
}

#[tokio::test(start_paused = true)]
async fn deleting_a_stack_in_review_survives_any_action_of_others() {
    sweep(State::InReview, true, Method::Direct).await;
}
