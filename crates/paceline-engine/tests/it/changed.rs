//! A run that is continued with a plan that has changed since it was interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::Utf8Path;
use paceline_engine::event::Cause;
use paceline_engine::{
    Ended, Event, Fact, Journal, Outcome, Perform, RunOptions, StepContext, moved_stacks, read_events, run,
};
use paceline_plan::{LeftOut, LeftOutReason, Plan, PlanChange, Work};
use proptest::prelude::*;

use crate::draft::Draft;
use crate::journal::Runs;
use crate::script::{options, paused};

/// An AWS that knows the template of each stack, and refuses a stack whose producers are not what the plan wants.
#[derive(Clone, Default)]
struct Cloud(Arc<Mutex<BTreeMap<String, String>>>);

impl Perform for Cloud {
    async fn perform(&self, context: StepContext) -> Ended {
        let (plan, step) = (context.plan(), context.step());
        let Work::Deploy { stack } = &step.work else {
            tokio::time::sleep(step.expected).await;
            return Ended::new(Outcome::Deployed);
        };
        let wanted = &plan.stacks[*stack];
        for &need in &step.needs {
            let Some(producer) = plan.steps[need].work.stack() else { continue };
            let producer = &plan.stacks[producer];
            if self.0.lock().unwrap().get(&producer.id) != Some(&producer.template) {
                let message = format!("{} comes before its producer {}", wanted.id, producer.id);
                let (at, hint, source) = (None, None, None);
                return Ended::failed(Cause { at, message, hint, source, ..Cause::default() });
            }
        }
        if self.0.lock().unwrap().get(&wanted.id) == Some(&wanted.template) {
            return Ended::new(Outcome::Unchanged);
        }
        context.submitting("update", "token").await;
        tokio::select! {
            biased;
            () = context.stopped() => return Ended::new(Outcome::Interrupted),
            () = tokio::time::sleep(step.expected) => {}
        }
        self.0.lock().unwrap().insert(wanted.id.clone(), wanted.template.clone());
        Ended::new(Outcome::Deployed)
    }
}

/// A part of a run.
struct Part {
    run: String,
    changes: Vec<PlanChange>,
    /// The stacks that are gone, and whose operation may still run.
    running: Vec<String>,
    events: Vec<Event>,
}

impl Part {
    /// What this part deployed itself, in the order of the starts.
    fn did(&self) -> Vec<&str> {
        let did = self.events.iter().filter_map(|event| match &event.fact {
            Fact::StepFinished(it) if it.outcome == Outcome::Deployed && !it.resumed => Some(&it.step),
            _ => None,
        });
        did.map(|step| step.title.as_str()).collect()
    }

    fn has_ended(&self) -> bool {
        self.events.last().is_some_and(|event| event.fact.ends_run())
    }

    /// The steps that an earlier part had done.
    fn stayed(&self) -> Vec<&str> {
        let stayed = self.events.iter().filter_map(|event| match &event.fact {
            Fact::StepFinished(it) if it.resumed => Some(&it.step),
            _ => None,
        });
        stayed.map(|step| step.title.as_str()).collect()
    }
}

struct Story {
    runs: Runs,
    cloud: Cloud,
}

impl Story {
    fn new() -> Self {
        Self { runs: Runs::new(), cloud: Cloud::default() }
    }

    fn path(&self) -> camino::Utf8PathBuf {
        self.runs.path()
    }

    /// Starts a run with this name and stops it after this many seconds.
    fn begins(&self, run: &str, plan: &Plan, seconds: u64) -> Part {
        let journal = Journal::create(&self.path(), run).unwrap();
        self.part(run, plan, seconds, journal, None)
    }

    /// Continues a run, whatever its plan was.
    fn continues(&self, run: &str, plan: &Plan, seconds: u64) -> Part {
        let unfinished = Journal::continue_changed(&self.path(), run, plan).unwrap().unwrap();
        let changes: Vec<_> = unfinished.changes.iter().map(|it| it.change.clone()).collect();
        let running = unfinished.changes.iter().filter(|it| it.may_run).filter_map(|it| match &it.change {
            PlanChange::StackGone { stack, .. } => Some(stack.clone()),
            _ => None,
        });
        let running = running.collect();
        let earlier = Some(unfinished.earlier.clone());
        let part = self.part(run, plan, seconds, unfinished.into_parts().0, earlier);
        Part { changes, running, ..part }
    }

    fn part(
        &self,
        run_name: &str,
        plan: &Plan,
        seconds: u64,
        mut journal: Journal,
        earlier: Option<paceline_engine::Earlier>,
    ) -> Part {
        let (deadline, order) = (Some(Duration::from_secs(seconds)), Some(journal.order));
        let options = RunOptions { id: run_name.to_owned(), earlier, deadline, order, ..options() };
        let mut events = Vec::new();
        let mut record = |event: &Event| {
            events.push(event.clone());
            journal.append(event)
        };
        let performer = Arc::new(self.cloud.clone());
        paused(run(Arc::new(plan.clone()), performer, options, &mut record)).unwrap();
        Part { run: run_name.to_owned(), changes: Vec::new(), running: Vec::new(), events }
    }
}

/// Gives the stacks of a plan these templates, and the plan a key of its own.
fn with(mut plan: Plan, templates: &[(&str, &str)]) -> Plan {
    for stack in &mut plan.stacks {
        let template = templates.iter().find(|(id, _)| *id == stack.id).map_or("one", |(_, text)| text);
        template.clone_into(&mut stack.template);
    }
    plan.resume_key = format!("{:?}", (&plan.stacks, &plan.steps));
    plan
}

/// A ← B ← C, of which each takes a minute.
fn chain(templates: &[(&str, &str)]) -> Plan {
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    let b = draft.stack("B", 60, &[a]);
    draft.stack("C", 60, &[b]);
    with(draft.plan(), templates)
}

fn template(stack: &str) -> PlanChange {
    PlanChange::Template { stack: stack.to_owned() }
}

const TO_THE_END: u64 = 10_000;

#[test]
fn a_done_stack_whose_template_changed_is_deployed_again_before_its_dependents() {
    let story = Story::new();
    assert_eq!(story.begins("r1", &chain(&[]), 130).did(), ["A", "B"]);
    let again = story.continues("r1", &chain(&[("A", "two"), ("C", "two")]), TO_THE_END);
    assert_eq!(again.changes, [template("A"), template("C")]);
    assert_eq!(again.did(), ["A", "C"]);
    assert_eq!(again.stayed(), ["B"], "this run deployed it, and nothing had to be done again");
}

#[test]
fn done_stacks_that_did_not_change_stay_done() {
    let story = Story::new();
    story.begins("r1", &chain(&[]), 130);
    let again = story.continues("r1", &chain(&[("C", "two")]), TO_THE_END);
    assert_eq!((again.stayed(), again.did()), (vec!["A", "B"], vec!["C"]));
}

#[test]
fn a_new_stack_comes_before_a_done_stack_that_now_needs_it() {
    let story = Story::new();
    story.begins("r1", &chain(&[]), 70);
    let mut draft = Draft::new();
    let new = draft.stack("New", 60, &[]);
    let a = draft.stack("A", 60, &[new]);
    let b = draft.stack("B", 60, &[a]);
    draft.stack("C", 60, &[b]);
    let again = story.continues("r1", &with(draft.plan(), &[("A", "two")]), TO_THE_END);
    let order = |stack: &str, more: &str| PlanChange::Order {
        stack: stack.to_owned(),
        more: vec![more.to_owned()],
        fewer: Vec::new(),
    };
    let is_new = PlanChange::NewStack { stack: "New".to_owned() };
    assert_eq!(again.changes, [template("A"), order("A", "New"), is_new]);
    assert_eq!(again.did(), ["New", "A", "B", "C"]);
}

#[test]
fn stacks_that_are_gone_are_named_and_left_alone() {
    let story = Story::new();
    // B is being deployed when the run is stopped.
    story.begins("r1", &chain(&[]), 90);
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    draft.stack("C", 60, &[a]);
    let mut plan = with(draft.plan(), &[]);
    plan.left_out.push(LeftOut { stack: "B".to_owned(), why: LeftOutReason::Excluded });
    let again = story.continues("r1", &plan, TO_THE_END);
    let gone = PlanChange::StackGone { stack: "B".to_owned(), why: Some(LeftOutReason::Excluded) };
    assert_eq!(again.changes[0], gone);
    assert_eq!(again.running, ["B"], "its operation may still run");
    assert_eq!(again.did(), ["C"]);
    let about_b = |event: &&Event| event.fact.step().is_some_and(|step| step.title == "B");
    assert_eq!(again.events.iter().filter(about_b).count(), 0);
}

#[test]
fn an_edge_that_turned_round_is_followed_as_it_is_now() {
    let story = Story::new();
    story.begins("r1", &chain(&[]), 130);
    let mut draft = Draft::new();
    let b = draft.stack("B", 60, &[]);
    let a = draft.stack("A", 60, &[b]);
    draft.stack("C", 60, &[a]);
    let again = story.continues("r1", &with(draft.plan(), &[("A", "two"), ("B", "two")]), TO_THE_END);
    assert_eq!(again.did(), ["B", "A", "C"]);
}

#[test]
fn a_command_runs_again_if_it_was_edited_or_follows_a_stack_that_is_deployed_again() {
    let seeded = |run: &str, a: &str| {
        let mut draft = Draft::new();
        let first = draft.stack("A", 60, &[]);
        let seed = draft.command("seed", 60, &[first]);
        draft.stack("B", 600, &[seed]);
        let mut plan = with(draft.plan(), &[("A", a)]);
        for step in &mut plan.steps {
            if let Work::Command(command) = &mut step.work {
                run.clone_into(&mut command.run);
            }
        }
        plan.resume_key += run;
        plan
    };
    for (now, changes) in [
        (seeded("./other.sh", "one"), vec![PlanChange::Command { command: "seed".to_owned() }]),
        (seeded("./seed.sh", "two"), vec![template("A")]),
    ] {
        let story = Story::new();
        assert_eq!(story.begins("r1", &seeded("./seed.sh", "one"), 150).did(), ["A", "seed"]);
        let again = story.continues("r1", &now, TO_THE_END);
        assert_eq!(again.changes, changes);
        assert!(again.did().contains(&"seed"), "{:?}", again.did());
    }
}

#[test]
fn settings_that_changed_are_named_also_if_the_plan_is_the_same() {
    let story = Story::new();
    story.begins("r1", &chain(&[]), 130);
    let slower = Plan { concurrency: Draft::new().limited(1, 1, 1).plan().concurrency, ..chain(&[]) };
    let setting = PlanChange::Setting { key: "concurrency" };
    let found = Journal::find_unfinished(&story.path(), &slower).unwrap().unwrap();
    assert_eq!(found.changes.iter().map(|it| &it.change).collect::<Vec<_>>(), [&setting]);
    drop(found);
    let mut changed = Plan { rollback: paceline_config::Rollback::None, ..slower };
    changed.resume_key += "other";
    let again = story.continues("r1", &changed, TO_THE_END);
    let rollback = PlanChange::Setting { key: "on-failure.rollback" };
    assert_eq!(again.changes, [setting, rollback], "no stack is said to have changed");
    assert_eq!(again.did(), ["C"]);
}

#[test]
fn after_a_second_interruption_the_plan_of_the_last_start_finds_the_run() {
    let story = Story::new();
    let (was, is) = (chain(&[]), chain(&[("A", "two")]));
    story.begins("r1", &was, 130);
    // A is done again when the run is stopped for the second time.
    assert_eq!(story.continues("r1", &is, 70).did(), ["A"]);
    let found = |plan: &Plan| {
        Journal::find_unfinished(&story.path(), plan).unwrap().map(|it| (it.run.clone(), it.changes.len()))
    };
    assert_eq!(found(&is), Some(("r1".to_owned(), 0)));
    assert_eq!(found(&was), None, "the run has another plan now");
    // Without the log of the starts, the journal itself is read to its end.
    fs_err::remove_file(story.path().join("order.log")).unwrap();
    assert_eq!((found(&was), found(&is)), (None, Some(("r1".to_owned(), 0))));
    let last = story.continues("r1", &is, TO_THE_END);
    assert_eq!((last.run.as_str(), last.did(), last.changes.len()), ("r1", vec!["C"], 0));
}

#[test]
fn stacks_that_moved_after_their_operation_was_sent_are_found() {
    let story = Story::new();
    story.begins("r1", &chain(&[]), 90);
    let mut moved = chain(&[]);
    for stack in &mut moved.stacks {
        stack.region = Some("us-east-1".to_owned());
    }
    let events = read_events(&paceline_engine::journal_path(&story.path(), "r1")).unwrap();
    let found: Vec<String> = moved_stacks(&events, &moved).into_iter().collect();
    assert_eq!(found, ["A", "B"], "nothing was sent for C");
    assert!(moved_stacks(&events, &chain(&[("A", "two")])).is_empty());
}

#[test]
fn a_run_that_has_ended_is_not_continued() {
    let story = Story::new();
    story.begins("r1", &chain(&[]), TO_THE_END);
    assert!(Journal::continue_changed(&story.path(), "r1", &chain(&[("A", "two")])).unwrap().is_none());
    assert!(Journal::continue_changed(Utf8Path::new("/nowhere"), "r1", &chain(&[])).is_err());
}

/// A plan of stacks `0..6`: which are there, what each needs of those before it, and its template.
fn any_plan() -> impl Strategy<Value = Plan> {
    let stack = (any::<bool>(), prop::collection::vec(any::<bool>(), 6), 0..3_u8, 10..90_u64);
    prop::collection::vec(stack, 6).prop_map(|stacks| {
        let (mut draft, mut placed) = (Draft::new(), BTreeMap::new());
        let mut templates = Vec::new();
        for (number, (is_there, needs, template, seconds)) in stacks.iter().enumerate() {
            if *is_there {
                let needs = needs.iter().enumerate().filter(|(need, wanted)| *need < number && **wanted);
                let needs: Vec<usize> = needs.filter_map(|(need, _)| placed.get(&need).copied()).collect();
                let id = format!("S{number}");
                placed.insert(number, draft.stack(&id, *seconds, &needs));
                templates.push((id, template.to_string()));
            }
        }
        let templates: Vec<(&str, &str)> =
            templates.iter().map(|(id, it)| (id.as_str(), it.as_str())).collect();
        with(draft.plan(), &templates)
    })
}

proptest! {
    // Every event that is relied on is synced to the disk.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The cloud refuses a stack that comes before its producer.
    #[test]
    fn whatever_changes_the_rest_is_deployed_in_order_and_nothing_twice(
        was in any_plan(),
        between in any_plan(),
        is in any_plan(),
        stops in (10..150_u64, 10..150_u64),
    ) {
        let story = Story::new();
        let first = story.begins("r1", &was, stops.0);
        if first.has_ended() {
            return Ok(());
        }
        if story.continues("r1", &between, stops.1).has_ended() {
            return Ok(());
        }
        let before = story.cloud.0.lock().unwrap().clone();
        let last = story.continues("r1", &is, TO_THE_END);
        let failed: Vec<_> = last.events.iter().filter_map(|event| match &event.fact {
            Fact::StepFinished(it) if !it.outcome.is_success() => Some(it),
            _ => None,
        }).collect();
        prop_assert!(failed.is_empty(), "{failed:?}");
        let after = story.cloud.0.lock().unwrap().clone();
        let wanted: BTreeMap<_, _> = is.stacks.iter().map(|it| (it.id.clone(), it.template.clone())).collect();
        for (stack, template) in &wanted {
            prop_assert_eq!(after.get(stack), Some(template));
        }
        // What had its template already was not deployed again, and what is gone is as it was.
        let did: BTreeSet<&str> = last.did().into_iter().collect();
        for (stack, template) in &before {
            let had = wanted.get(stack).is_none_or(|wanted| wanted == template);
            prop_assert_eq!(did.contains(stack.as_str()), !had, "{}", stack);
            prop_assert!(!had || after.get(stack) == Some(template));
        }
    }
}
