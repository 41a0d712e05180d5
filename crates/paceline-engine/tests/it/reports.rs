//! The reports of steps while they run. Nothing happens that is not in the journal.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::event::RetryClass;
use paceline_engine::{
    Ended, Event, ExitCode, Fact, Outcome, Perform, ResourceProgress, ResourceStatus, StepContext, run,
};

use crate::draft::Draft;
use crate::script::{START, options, paused, ran};

fn kinds(events: &[Event]) -> Vec<String> {
    let kind = |event: &Event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned();
    events.iter().map(kind).collect()
}

/// Sends every kind of report that a step can send.
struct Talks;

impl Perform for Talks {
    fn throttles(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([("DescribeStacks".to_owned(), 3)])
    }

    async fn perform(&self, context: StepContext) -> Ended {
        context.warn("first words");
        context.submitting("create", "token").await;
        context.retried(RetryClass::Throttled, "Throttling", 2, Duration::from_micros(1_500_400));
        context.progress(ResourceProgress {
            logical_id: "Role".to_owned(),
            resource_type: "AWS::IAM::Role".to_owned(),
            status: ResourceStatus::CreateComplete,
            reason: None,
            done: 1,
            total: 1,
            unconfirmed: false,
            happened_at: context.now(),
        });
        context.output("a line");
        // No report is lost or late, not even one right before the end.
        context.warn("last words");
        Ended::new(Outcome::Deployed).with_detail("done")
    }
}

#[test]
fn reports_come_in_order_and_before_the_end_of_their_step() {
    let mut draft = Draft::new();
    draft.stack("A", 60, &[]);
    let ran = ran(draft.plan(), Talks);
    let expected = [
        "run.started",
        "step.ready",
        "step.started",
        "step.warned",
        "stack.submitted",
        "step.retried",
        "stack.progress",
        "command.output",
        "step.warned",
        "step.finished",
        "calls.throttled",
        "run.finished",
    ];
    assert_eq!(kinds(&ran.events), expected);
    let Fact::StepRetried(retried) = &ran.events[5].fact else { panic!("not a retry") };
    assert_eq!((retried.attempt, retried.wait_s), (2, 1.5));
    assert_eq!(ran.finished("deploy:A").detail.as_deref(), Some("done"));
    assert!(ran.events.iter().filter_map(|event| event.fact.step()).all(|step| step.step == "deploy:A"));
}

#[test]
fn the_time_of_an_event_is_that_of_the_runs_clock_to_the_millisecond() {
    struct Sleeps;
    impl Perform for Sleeps {
        async fn perform(&self, context: StepContext) -> Ended {
            tokio::time::sleep(Duration::from_millis(1234)).await;
            let start: Timestamp = START.parse().unwrap();
            assert_eq!(context.now().duration_since(start).as_millis(), 1234);
            Ended::new(Outcome::Deployed)
        }
    }
    let mut draft = Draft::new();
    draft.stack("A", 60, &[]);
    let ran = ran(draft.plan(), Sleeps);
    assert_eq!(ran.finished("deploy:A").duration_s, 1.234);
    for event in &ran.events {
        let line = serde_json::to_string(event).unwrap();
        assert_eq!(&serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}

/// Submits an operation, and notes whether the journal had the event when the step continued.
#[derive(Default)]
struct Submits {
    recorded: Arc<AtomicBool>,
    effects: Arc<AtomicUsize>,
    /// Each running step holds a share, so the number of shares shows how many steps run.
    alive: Arc<()>,
}

impl Perform for Submits {
    async fn perform(&self, context: StepContext) -> Ended {
        let _share = Arc::clone(&self.alive);
        context.submitting("create", "token").await;
        assert!(self.recorded.load(Ordering::SeqCst), "acted before it was recorded");
        self.effects.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(context.step().expected).await;
        Ended::new(Outcome::Deployed)
    }
}

#[test]
fn a_call_is_sent_only_once_it_is_recorded() {
    let mut draft = Draft::new();
    draft.stack("A", 60, &[]);
    let performer = Submits::default();
    let (recorded, effects) = (Arc::clone(&performer.recorded), Arc::clone(&performer.effects));
    let mut record = |event: &Event| {
        if let Fact::StackSubmitted(submitted) = &event.fact {
            assert_eq!((submitted.operation.as_str(), submitted.token.as_str()), ("create", "token"));
            recorded.store(true, Ordering::SeqCst);
        }
        Ok(())
    };
    let plan = Arc::new(draft.plan());
    let end = paused(run(plan, Arc::new(performer), options(), &mut record)).unwrap();
    assert_eq!((end.outcomes, effects.load(Ordering::SeqCst)), (vec![Outcome::Deployed], 1));
}

/// If an event cannot be recorded, the run ends with the error, and no effect happens that was not recorded.
#[test]
fn nothing_is_done_after_the_journal_has_failed() {
    for threads in [0, 2] {
        for last in 0..40 {
            let mut draft = Draft::new().limited(3, 8, 4);
            for number in 0..6 {
                draft.stack(&format!("S{number}"), 0, &[]);
            }
            let performer = Submits { recorded: Arc::new(AtomicBool::new(true)), ..Submits::default() };
            let (effects, alive) = (Arc::clone(&performer.effects), Arc::downgrade(&performer.alive));
            let (mut heard, mut submitted) = (0, 0);
            let mut record = |event: &Event| {
                assert!(heard <= last, "the journal was used after it had failed");
                heard += 1;
                if heard > last {
                    return Err(io::Error::other("disk full"));
                }
                submitted += usize::from(matches!(event.fact, Fact::StackSubmitted(_)));
                Ok(())
            };
            let run = async {
                let ended = run(Arc::new(draft.plan()), Arc::new(performer), options(), &mut record).await;
                assert_eq!(alive.strong_count(), 0, "a step outlives the run");
                ended
            };
            let ended = if threads == 0 {
                paused(run)
            } else {
                let mut runtime = tokio::runtime::Builder::new_multi_thread();
                runtime.worker_threads(threads).enable_time().build().unwrap().block_on(run)
            };
            // The run has a start, an end, and four events for each step.
            assert_eq!(ended.is_ok(), last >= 2 + 6 * 4, "{last} events were recorded");
            assert!(effects.load(Ordering::SeqCst) <= submitted, "{last} events were recorded");
        }
    }
}

/// With several threads, the last reports of a step and its end arrive at the same time.
#[test]
fn the_last_reports_arrive_with_several_threads() {
    struct LastWords;
    impl Perform for LastWords {
        async fn perform(&self, context: StepContext) -> Ended {
            context.warn("last words");
            Ended::new(Outcome::Deployed)
        }
    }
    let mut draft = Draft::new();
    for number in 0..1000 {
        draft.stack(&format!("S{number}"), 0, &[]);
    }
    let mut heard = 0;
    let mut record = |event: &Event| {
        heard += usize::from(matches!(event.fact, Fact::StepWarned(_)));
        Ok(())
    };
    let run = run(Arc::new(draft.plan()), Arc::new(LastWords), options(), &mut record);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_time().build().unwrap().block_on(run).unwrap();
    assert_eq!(heard, 1000);
}

/// A performer may leave a task behind that continues to send reports.
#[test]
fn reports_after_the_end_of_a_step_are_ignored() {
    struct LeavesSomethingBehind;
    impl Perform for LeavesSomethingBehind {
        async fn perform(&self, context: StepContext) -> Ended {
            if context.step().id == "deploy:A" {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    context.warn("too late");
                    context.submitting("delete", "too-late").await;
                    panic!("sent what is in no journal");
                });
            } else {
                tokio::time::sleep(context.step().expected).await;
            }
            Ended::new(Outcome::Deployed)
        }
    }
    let mut draft = Draft::new();
    draft.stack("A", 60, &[]);
    draft.stack("B", 60, &[]);
    let ran = ran(draft.plan(), LeavesSomethingBehind);
    assert_eq!((ran.end.exit_code, ran.total()), (ExitCode::Done, 60.0));
    assert!(!kinds(&ran.events).iter().any(|kind| kind == "step.warned" || kind == "stack.submitted"));
}

#[test]
fn a_step_that_was_started_cannot_end_as_skipped() {
    struct Skips;
    impl Perform for Skips {
        async fn perform(&self, _: StepContext) -> Ended {
            Ended::new(Outcome::Skipped)
        }
    }
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    draft.stack("B", 60, &[a]);
    let plan = Arc::new(draft.plan());
    let end = paused(run(plan, Arc::new(Skips), options(), &mut |_| Ok(()))).unwrap();
    assert_eq!((end.outcomes, end.exit_code), (vec![Outcome::Failed, Outcome::Skipped], ExitCode::Failed));
}
