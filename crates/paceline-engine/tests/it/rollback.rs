//! What is kept for a rollback, and what a journal says about it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use paceline_config::Strategy;
use paceline_engine::event::{
    Event, Fact, Outcome, PlannedStep, RunStarted, StackAccepted, StackSubmitted, StepFinished, StepKind,
    StepRef, StepRetried, StepStarted,
};
use paceline_engine::rollback::{Before, Capture, CaptureError, Captures, RunChanges, Undoing};
use paceline_plan::Loss;

use crate::journal::Runs;

const TEMPLATE: &str = r#"{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}"#;

fn capture(stack: &str, before: Option<Before>) -> Capture {
    Capture {
        schema: Capture::SCHEMA,
        stack: stack.to_owned(),
        name: stack.to_owned(),
        account: "111111111111".to_owned(),
        region: "us-east-1".to_owned(),
        deploy_role: None,
        execution_role: None,
        bootstrap: None,
        staging: None,
        adds: Vec::new(),
        before,
    }
}

fn step(kind: StepKind, name: &str) -> StepRef {
    StepRef {
        step: format!("{kind}:{name}"),
        kind,
        asset: None,
        title: name.to_owned(),
        stack: Some(name.to_owned()),
        stack_name: Some(name.to_owned()),
        account: None,
        region: None,
        phase: None,
    }
}

/// The journal of a run.
#[derive(Default)]
struct Story(Vec<Event>);

impl Story {
    /// A run of steps, each with the steps that it needs.
    fn of(steps: &[(&StepRef, &[&StepRef])]) -> Self {
        let planned = |(step, needs): &(&StepRef, &[&StepRef])| PlannedStep {
            step: (*step).clone(),
            needs: needs.iter().map(|need| need.step.clone()).collect(),
            expected_s: 0.0,
            content: None,
            identity: None,
        };
        let started = RunStarted {
            paceline: String::new(),
            app: "cdk.out".to_owned(),
            plan: "plan".to_owned(),
            resumed: false,
            order: None,
            endpoint: None,
            undoes: None,
            prepares: false,
            executes: None,
            simulated: false,
            lease_wait_s: 0.0,
            strategy: Strategy::default(),
            phases: Vec::new(),
            steps: steps.iter().map(planned).collect(),
            settings: None,
        };
        Self::default().then(Fact::RunStarted(started))
    }

    fn then(mut self, fact: Fact) -> Self {
        let seq = self.0.len() as u64 + 1;
        self.0.push(Event { schema: 1, run: "run".to_owned(), seq, at: Timestamp::UNIX_EPOCH, fact });
        self
    }

    fn sent(self, step: &StepRef, token: &str) -> Self {
        let (step, token) = (step.clone(), token.to_owned());
        self.then(Fact::StackSubmitted(StackSubmitted { step, operation: "update".into(), token }))
    }

    fn accepted(self, step: &StepRef, token: &str) -> Self {
        let (stack_id, token) = (format!("id of {}", step.title), Some(token.to_owned()));
        self.then(Fact::StackAccepted(StackAccepted { step: step.clone(), stack_id, token }))
    }

    fn ended(self, step: &StepRef, outcome: Outcome) -> Self {
        self.then(Fact::StepFinished(StepFinished {
            step: step.clone(),
            outcome,
            cause: None,
            because: None,
            detail: None,
            duration_s: 0.0,
            queued_s: 0.0,
            waited: Vec::new(),
            resumed: false,
            outputs: BTreeMap::new(),
        }))
    }

    fn updated(self, step: &StepRef) -> Self {
        self.sent(step, "token").accepted(step, "token").ended(step, Outcome::Deployed)
    }
}

#[test]
fn a_capture_is_read_as_it_was_kept_and_only_its_owner_may_read_it() {
    let runs = Runs::new();
    let captures = Captures::of(&runs.path(), "run");
    assert_eq!(captures.read().unwrap(), []);
    let before = Before { parameters: BTreeMap::from([("Size".into(), "s".into())]), ..Before::default() };
    for kept in [capture("app/Stage/B", Some(before)), capture("A", None)] {
        assert!(!captures.has(&kept.stack));
        captures.keep(&kept, TEMPLATE).unwrap();
        assert!(captures.has(&kept.stack));
    }
    let read = captures.read().unwrap();
    let ids: Vec<&str> = read.iter().map(|it| it.capture.stack.as_str()).collect();
    assert_eq!(ids, ["A", "app/Stage/B"]);
    assert_eq!(read[1].capture.before.as_ref().unwrap().parameters["Size"], "s");
    assert_eq!(fs_err::read_to_string(&read[1].template).unwrap(), TEMPLATE);
    #[cfg(unix)]
    for captured in read {
        use std::os::unix::fs::PermissionsExt as _;
        for path in [captured.template.with_extension("json"), captured.template] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{path}");
        }
    }
}

#[test]
fn a_damaged_or_newer_capture_is_an_error() {
    let runs = Runs::new();
    let captures = Captures::of(&runs.path(), "run");
    captures.keep(&Capture { schema: Capture::SCHEMA + 1, ..capture("A", None) }, TEMPLATE).unwrap();
    assert!(matches!(captures.read(), Err(CaptureError::Corrupt { source: None, .. })));
    captures.keep(&capture("A", None), TEMPLATE).unwrap();
    let file = captures.read().unwrap()[0].template.with_extension("json");
    fs_err::write(file, "{").unwrap();
    assert!(matches!(captures.read(), Err(CaptureError::Corrupt { source: Some(_), .. })));
}

#[test]
fn a_stack_follows_the_changed_stacks_before_it_through_steps_of_other_kinds() {
    let deploy = |name| step(StepKind::Deploy, name);
    let (a, b, c) = (deploy("A"), deploy("B"), deploy("C"));
    let gate = step(StepKind::Gate, "A");
    let story = Story::of(&[(&a, &[]), (&gate, &[&a]), (&b, &[&gate]), (&c, &[&b])]);
    // B was unchanged.
    let changes = RunChanges::of(&story.updated(&a).ended(&b, Outcome::Unchanged).updated(&c).0);
    assert_eq!(changes.stacks.keys().collect::<Vec<_>>(), ["A", "C"]);
    assert_eq!(changes.followed("C", |_| true), BTreeSet::from(["A"]));
    assert!(changes.followed("A", |_| true).is_empty());
}

#[test]
fn a_stack_that_waited_for_others_by_surprise_followed_them() {
    let (a, b) = (step(StepKind::Deploy, "A"), step(StepKind::Deploy, "B"));
    let retried = StepRetried {
        class: None,
        step: a.clone(),
        reason: "in use".to_owned(),
        attempt: 2,
        wait_s: 0.0,
        refused: false,
        after: vec![b.step.clone()],
        kept: None,
    };
    let story = Story::of(&[(&a, &[]), (&b, &[])]).sent(&a, "1").accepted(&a, "1");
    let story = story.then(Fact::StepRetried(retried)).updated(&b).sent(&a, "2").accepted(&a, "2");
    let changes = RunChanges::of(&story.ended(&a, Outcome::Deployed).0);
    assert_eq!(changes.followed("A", |_| true), BTreeSet::from(["B"]));
    let (a, b) = (&changes.stacks["A"], &changes.stacks["B"]);
    assert!(b.ended.unwrap() < a.began, "the last operation counts");
    assert_eq!(a.tokens, BTreeSet::from(["1".to_owned(), "2".to_owned()]));
}

#[test]
fn what_aws_found_unchanged_is_not_undone_and_what_was_not_kept_is_told() {
    let deploy = |name| step(StepKind::Deploy, name);
    let (same, kept, lost) = (deploy("Same"), deploy("Kept"), deploy("Lost"));
    let (gone, seed) = (step(StepKind::Delete, "Gone"), step(StepKind::Command, "seed"));
    let steps: [(&StepRef, &[&StepRef]); 5] =
        [(&same, &[]), (&kept, &[]), (&lost, &[]), (&gone, &[]), (&seed, &[])];
    let story = Story::of(&steps).sent(&same, "1").ended(&same, Outcome::Unchanged);
    let story = story
        .updated(&kept)
        .updated(&lost)
        .updated(&gone)
        .then(Fact::StepStarted(StepStarted { step: seed.clone(), waited: Vec::new() }));
    let runs = Runs::new();
    let captures = Captures::of(&runs.path(), "run");
    captures.keep(&capture("Kept", Some(Before::default())), TEMPLATE).unwrap();
    let undoing = Undoing::of(&RunChanges::of(&story.0), captures.read().unwrap()).unwrap();
    let undone: Vec<&str> = undoing.undos.iter().map(|undo| undo.stack.as_str()).collect();
    assert_eq!(undone, ["Kept"]);
    assert_eq!(undoing.left["Kept"].stack_id.as_deref(), Some("id of Kept"));
    let losses = BTreeSet::from_iter(undoing.losses);
    let expected = [
        Loss::NotCaptured { stack: "Lost".to_owned() },
        Loss::Deleted { stack: "Gone".to_owned() },
        Loss::Command { name: "seed".to_owned() },
    ];
    assert_eq!(losses, BTreeSet::from(expected));
}

#[test]
fn a_stack_that_is_undone_follows_the_others_through_stacks_that_are_not_undone() {
    let deploy = |name| step(StepKind::Deploy, name);
    let (a, lost, c) = (deploy("A"), deploy("Lost"), deploy("C"));
    let story = Story::of(&[(&a, &[]), (&lost, &[&a]), (&c, &[&lost])]);
    let changes = RunChanges::of(&story.updated(&a).updated(&lost).updated(&c).0);
    let runs = Runs::new();
    let captures = Captures::of(&runs.path(), "run");
    for stack in ["A", "C"] {
        captures.keep(&capture(stack, Some(Before::default())), TEMPLATE).unwrap();
    }
    let undoing = Undoing::of(&changes, captures.read().unwrap()).unwrap();
    assert_eq!(undoing.losses, [Loss::NotCaptured { stack: "Lost".to_owned() }]);
    let followed: Vec<_> = undoing.undos.iter().map(|undo| (undo.stack.as_str(), &undo.followed)).collect();
    assert_eq!(followed, [("A", &BTreeSet::new()), ("C", &BTreeSet::from(["A".to_owned()]))]);
}
