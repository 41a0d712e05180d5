//! The format of events, which other programs read.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use paceline_engine::event::{
    BuildPhase, BuildPhases, Cause, CommandOutput, Kept, Limit, LimitWait, RetryClass, RunFinished,
    ServiceReason, ServiceReport, StackAccepted, StackCall, StackProgress, StackSubmitted, StepFinished,
    StepHeld, StepRef, StepRetried, StepStarted, StepWarned, StuckResource, UsualSource,
};
use paceline_engine::{Event, ExitCode, Fact, Outcome, ResourceStatus, RunOptions, reference};

use crate::draft::Draft;
use crate::script::{START, Script, options, ran, ran_with};

fn waited(limits: &[Limit]) -> Vec<LimitWait> {
    limits.iter().map(|limit| LimitWait { limit: limit.clone(), waited_s: 1.5 }).collect()
}

/// One event of each kind.
fn every_kind() -> Vec<Event> {
    let mut draft = Draft::new();
    let file = draft.file("f", 2);
    draft.stack("A", 60, &[file]);
    let ran = ran(draft.plan(), Script::default());
    let step = reference(&ran.plan, 1);
    let submitted =
        StackSubmitted { step: step.clone(), operation: StackCall::Create, token: "t-1".to_owned() };
    let accepted = StackAccepted {
        step: step.clone(),
        stack_id: "arn:aws:cloudformation:eu-west-1:111111111111:stack/A/1".to_owned(),
        token: Some("t-1".to_owned()),
    };
    let held = StepHeld {
        step: step.clone(),
        because: "deploy:B".to_owned(),
        reason: "is being rolled back (ROLLBACK_IN_PROGRESS)".to_owned(),
    };
    let progress = StackProgress {
        step: step.clone(),
        logical_id: "Role".to_owned(),
        resource_type: "AWS::IAM::Role".to_owned(),
        status: ResourceStatus::CreateFailed,
        reason: Some("it exists already".to_owned()),
        done: 3,
        total: 9,
        unconfirmed: true,
        happened_at: "2026-01-01T00:00:59.5Z".parse().unwrap(),
    };
    let retried = StepRetried {
        step: step.clone(),
        reason: "Throttling".to_owned(),
        class: Some(RetryClass::Throttled),
        attempt: 2,
        wait_s: 1.5,
        refused: false,
        after: Vec::new(),
        kept: Some(Kept { resources: 12, of: 14, saved_s: 240.0 }),
    };
    let service = ServiceReport {
        name: "Amazon ECS".to_owned(),
        state: Some("0 of 2 tasks run".to_owned()),
        reasons: vec![ServiceReason { reason: "the image is not there".to_owned(), count: 12 }],
        not_asked: Some("AccessDenied".to_owned()),
    };
    let stuck = StuckResource {
        within: vec!["Child".to_owned()],
        logical_id: "Service".to_owned(),
        resource_type: "AWS::ECS::Service".to_owned(),
        physical_id: Some("arn:aws:ecs:us-east-1:111111111111:service/c/s".to_owned()),
        status: "UPDATE_IN_PROGRESS".into(),
        taken_s: 400.0,
        usual_s: 120.5,
        usual_from: UsualSource::Type,
        samples: 7,
        service: Some(service.clone()),
    };
    let message = "it takes long".to_owned();
    let warned = StepWarned { step: step.clone(), message, stuck: Some(Box::new(stuck)) };
    let output = CommandOutput { step: step.clone(), line: "42 tags removed".to_owned() };
    let failed = StepFinished {
        outcome: Outcome::RolledBack,
        cause: Some(Cause {
            at: Some("Role (AWS::IAM::Role)".to_owned()),
            message: "it exists already".to_owned(),
            hint: Some("delete it, or give it another name".to_owned()),
            preflight: true,
            source: Some("lib/shop.ts:12:5".to_owned()),
            service: Some(Box::new(service)),
        }),
        because: Some("publish:f".to_owned()),
        detail: Some("42 roles usable".to_owned()),
        resumed: true,
        waited: waited(&[Limit::Resources, Limit::ApiRate]),
        outputs: BTreeMap::from([("Url".to_owned(), "https://example.com".to_owned())]),
        ..ran.finished("deploy:A").clone()
    };
    let finished = RunFinished {
        stacks: BTreeMap::from([(Outcome::Deployed, 2), (Outcome::RolledBack, 1)]),
        exit_code: ExitCode::Failed,
        duration_s: 62.0,
        waits_for: vec!["A".to_owned()],
    };
    let facts = [
        ran.events[0].fact.clone(),
        Fact::StepReady(reference(&ran.plan, 0)),
        Fact::StepStarted(StepStarted { step, waited: waited(&[Limit::Stacks]) }),
        Fact::StackSubmitted(submitted),
        Fact::StackProgress(progress),
        Fact::StepRetried(retried),
        Fact::StepWarned(warned),
        Fact::CommandOutput(output),
        Fact::RunWaiting { running: 2 },
        Fact::StepFinished(failed),
        Fact::StepFinished(ran.finished("publish:f").clone()),
        Fact::RunStopping { reason: "SIGTERM".to_owned() },
        Fact::CallsThrottled { operations: BTreeMap::from([("DescribeStacks".to_owned(), 3)]) },
        Fact::RunFinished(finished),
        Fact::BuildPhases(build()),
        Fact::StackAccepted(accepted),
        Fact::StepHeld(held),
    ];
    let event = |(seq, fact)| {
        let (run, at) = ("20260101T000000Z-01234567".to_owned(), START.parse().unwrap());
        Event { schema: 1, run, seq, at, fact }
    };
    (1..).zip(facts).map(event).collect()
}

fn build() -> BuildPhases {
    let phase = |name: &str, status: Option<&str>, duration_s| BuildPhase {
        name: name.to_owned(),
        status: status.map(str::to_owned),
        duration_s,
    };
    let phases = vec![phase("PROVISIONING", Some("SUCCEEDED"), 12.0), phase("BUILD", None, 3.0)];
    BuildPhases { build: "workshop:1f2e".to_owned(), phases }
}

#[test]
fn the_phases_of_the_build_follow_the_start_of_the_run() {
    let mut draft = Draft::new();
    draft.stack("A", 60, &[]);
    let ran = ran_with(draft.plan(), Script::default(), RunOptions { build: Some(build()), ..options() });
    assert_eq!(ran.events[1].fact, Fact::BuildPhases(build()));
}

#[test]
fn the_format_is_as_published() {
    let lines: Vec<String> = every_kind().iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_line_starts_with_the_fields_of_every_event() {
    let line = serde_json::to_string(&every_kind()[11]).unwrap();
    let expected = r#"{"schema":1,"run":"20260101T000000Z-01234567","seq":12,"at":"2026-01-01T00:00:00.000Z","event":"run.stopping","reason":"SIGTERM"}"#;
    assert_eq!(line, expected);
}

#[test]
fn an_event_is_read_as_it_was_written() {
    for event in every_kind() {
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}

#[test]
fn fields_of_a_newer_version_do_no_harm() {
    for event in every_kind() {
        let mut value = serde_json::to_value(&event).unwrap();
        value["novelty"] = serde_json::json!({ "of": ["a", "newer", "version"] });
        assert_eq!(serde_json::from_value::<Event>(value).unwrap(), event);
    }
}

#[test]
fn an_event_about_a_step_names_the_step() {
    let ids = |event: &Event| event.fact.step().map(|step: &StepRef| step.step.clone());
    let steps: Vec<Option<String>> = every_kind().iter().map(ids).collect();
    assert_eq!(steps.iter().filter(|step| step.is_none()).count(), 6);
    assert_eq!(steps[1].as_deref(), Some("publish:f"));
}

#[test]
fn outcomes_are_the_documented_words() {
    let words = ["deployed", "deleted", "unchanged", "failed", "rolled-back", "skipped", "interrupted"];
    for word in words {
        let outcome: Outcome = serde_json::from_value(word.into()).unwrap();
        assert_eq!((outcome.as_str(), format!("{outcome:>12}")), (word, format!("{word:>12}")));
        assert_eq!(outcome.is_success(), ["deployed", "deleted", "unchanged"].contains(&word));
    }
}
