//! The promises of the design, held against what CloudFormation did.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use paceline_engine::{ExitCode, Fact, Outcome};

use crate::app;
use crate::ending;
use crate::operations::{Operation, StackEvent, StackHistory};
use crate::play::{Process, RIVAL, Tale};
use crate::rollout;
use crate::story::Story;

/// The promises that were broken, each in a sentence. Empty if all were kept.
pub fn check(story: &Story, tale: &Tale) -> Vec<String> {
    let mut broken = Vec::new();
    let tale = Checked { story, tale };
    tale.everything_ends(&mut broken);
    tale.nothing_is_deleted_but_what_is_empty(&mut broken);
    tale.stacks_follow_what_they_need(&mut broken);
    tale.nothing_is_done_twice(&mut broken);
    tale.what_is_said_is_true(&mut broken);
    tale.a_token_is_for_one_operation(&mut broken);
    tale.one_run_at_a_time(&mut broken);
    tale.the_next_run_repairs(&mut broken);
    tale.assets_are_there_first(&mut broken);
    tale.nested_stacks_follow_their_parents(&mut broken);
    tale.nothing_is_done_unrecorded(&mut broken);
    rollout::check(story, tale.tale, &mut broken);
    if let Some(ending) = &tale.tale.teardown {
        ending::check(story, ending, &mut broken);
    }
    broken
}

struct Checked<'a> {
    story: &'a Story,
    tale: &'a Tale,
}

impl Checked<'_> {
    /// Whether somebody else acted on a stack before this time.
    fn is_touched(&self, place: usize, before: Timestamp) -> bool {
        self.tale.acts.iter().any(|(at, acted, _)| *acted == place && *at <= before)
    }

    fn is_ever_touched(&self, place: usize) -> bool {
        self.tale.acts.iter().any(|(_, acted, _)| *acted == place)
    }

    fn everything_ends(&self, broken: &mut Vec<String>) {
        for process in self.processes() {
            if process.is_endless {
                broken.push(format!("{} goes on for ever", process.name));
            }
        }
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        self.tale.processes.iter().chain([&self.tale.repair, &self.tale.again])
    }

    /// A deployment deletes a stack only if its creation was rolled back. To roll back a creation on request is to delete
    /// a stack that was never complete.
    fn nothing_is_deleted_but_what_is_empty(&self, broken: &mut Vec<String>) {
        for history in &self.tale.histories {
            for operation in history.operations().iter().filter(|it| it.is_ours()) {
                let is_empty = matches!(operation.before, Some("ROLLBACK_COMPLETE" | "REVIEW_IN_PROGRESS"));
                let Some(first) = operation.events.first() else { continue };
                let of_it = || history.events.iter().filter(|event| event.id == first.id);
                let is_undone = first.is_asked_rollback() && !of_it().any(StackEvent::is_success);
                if operation.began() == "DELETE_IN_PROGRESS" && !is_empty && !is_undone {
                    broken.push(format!("{} was deleted when it was {:?}", history.name, operation.before));
                }
            }
        }
    }

    /// An operation begins only after the needed stacks have been deployed, and while they are not failed or busy.
    fn stacks_follow_what_they_need(&self, broken: &mut Vec<String>) {
        for (place, history) in self.tale.histories.iter().enumerate() {
            for operation in deployments(history) {
                let Some(start) = operation.start().filter(|_| operation.is_ours()) else { continue };
                for need in &self.story.stacks[place].needs {
                    if self.is_touched(need.on, start) {
                        continue;
                    }
                    let needed = &self.tale.histories[need.on];
                    let before = || needed.events.iter().filter(|event| event.at <= start);
                    let is_deployed = before().any(|event| event.is_ours() && event.is_success());
                    let is_good = before().next_back().is_some_and(StackEvent::is_success);
                    if !is_deployed || !is_good {
                        let status = before().next_back().map_or("absent", |event| event.status.as_str());
                        broken.push(format!(
                            "{} began at {start} while {} was {status}, deployed: {is_deployed}",
                            history.name, needed.name
                        ));
                    }
                }
            }
        }
    }

    fn has_other_version(&self) -> bool {
        self.story.rival.as_ref().is_some_and(|rival| rival.is_other_version)
    }

    /// One successful operation is enough for a version of a stack that nobody else touches. After a rival's version, the
    /// repair deploys the run's version again.
    fn nothing_is_done_twice(&self, broken: &mut Vec<String>) {
        for (place, history) in self.tale.histories.iter().enumerate() {
            let operations = deployments(history);
            let successes = operations.iter().filter(|it| it.is_ours() && it.is_success()).count();
            let versions = if self.has_other_version() { 3 } else { 1 };
            if successes > versions && !self.is_ever_touched(place) {
                broken.push(format!("{} was deployed {successes} times", history.name));
            }
        }
    }

    fn what_is_said_is_true(&self, broken: &mut Vec<String>) {
        for process in self.processes() {
            let is_success = process.outcomes().all(|(_, outcome, _)| outcome.is_success());
            match process.exit_code() {
                Some(ExitCode::Done) if !is_success => {
                    broken.push(format!("{} ended with 0, but a stack did not end well", process.name));
                }
                Some(code) if code != ExitCode::Done && is_success => {
                    broken.push(format!("{} ended with {code:?}, but all stacks ended well", process.name));
                }
                None if !process.is_killed && process.refused.is_none() => {
                    broken.push(format!("{} ended without a word", process.name));
                }
                _ => {}
            }
            for (id, outcome, cause) in process.outcomes() {
                let Some((place, history)) = self.history(id) else { continue };
                if let Some(untrue) = self.is_untrue(process, place, history, outcome) {
                    broken.push(format!(
                        "{}: {id} is said to be {outcome:?} ({cause}), but {untrue}",
                        process.name
                    ));
                }
            }
        }
    }

    fn history(&self, id: &str) -> Option<(usize, &StackHistory)> {
        self.tale.histories.iter().enumerate().find(|(_, history)| history.name == id)
    }

    fn is_untrue(
        &self,
        process: &Process,
        place: usize,
        history: &StackHistory,
        outcome: Outcome,
    ) -> Option<&'static str> {
        let (from, to) = (*process.times.first()?, *process.times.last()?);
        let ours = || history.events.iter().filter(|event| event.is_ours() && event.at <= to);
        let has_succeeded = ours().any(StackEvent::is_success);
        match outcome {
            Outcome::Deployed | Outcome::Unchanged if !self.is_ever_touched(place) => {
                (!has_succeeded).then_some("no operation of ours succeeded")
            }
            Outcome::Deployed => (!has_succeeded).then_some("no operation of ours succeeded"),
            Outcome::RolledBack => {
                let is_rollback =
                    |event: &StackEvent| event.status.contains("ROLLBACK") || event.is_asked_rollback();
                let has_rolled_back = ours().any(is_rollback);
                (!has_rolled_back && !self.is_ever_touched(place)).then_some("it was not rolled back")
            }
            Outcome::Failed if !self.is_ever_touched(place) => {
                let own = history.operations().into_iter().filter(|it| it.is_ours() && it.is_success());
                let mut starts = own.filter_map(|it| it.start());
                starts.any(|start| start >= from && start <= to).then_some("its operation succeeded")
            }
            _ => None,
        }
    }

    /// Between the first and the last operation that a run sends, no other run sends one.
    fn one_run_at_a_time(&self, broken: &mut Vec<String>) {
        let Some(rival) = self.tale.processes.iter().find(|process| process.name == RIVAL) else { return };
        let Some((from, to)) = sent(rival) else { return };
        for process in self.tale.processes.iter().filter(|process| process.name != RIVAL) {
            if let Some((first, last)) = sent(process)
                && first <= to
                && from <= last
            {
                broken.push(format!(
                    "two runs sent operations at the same time: {first} to {last}, {from} to {to}"
                ));
            }
        }
    }

    /// CloudFormation answers a token that it knows as if the operation were done.
    fn a_token_is_for_one_operation(&self, broken: &mut Vec<String>) {
        for history in &self.tale.histories {
            let mut used = BTreeSet::new();
            for operation in history.operations().iter().filter(|it| it.is_ours()) {
                let Some(first) = operation.events.first() else { continue };
                if !used.insert((first.id.as_str(), first.token.as_deref())) {
                    broken.push(format!("the token of {} was used for two operations", history.name));
                }
            }
        }
    }

    /// Without disturbances, one more run deploys everything, and the run after it has nothing to do.
    fn the_next_run_repairs(&self, broken: &mut Vec<String>) {
        let Tale { repair, again, .. } = self.tale;
        for process in [repair, again] {
            if process.exit_code() != Some(ExitCode::Done) {
                let ends: Vec<_> =
                    process.outcomes().filter(|(_, outcome, _)| !outcome.is_success()).collect();
                broken.push(format!(
                    "{} ended with {:?}: {:?} {ends:?}",
                    process.name,
                    process.exit_code(),
                    process.refused
                ));
            }
        }
        for (place, template) in self.tale.templates.iter().enumerate() {
            if !template.as_deref().is_some_and(|text| text.contains("New")) {
                broken.push(format!("{} is not what the app says in the end", app::name(place)));
            }
            if template.as_deref().is_some_and(|text| text.contains(app::PLACEHOLDER)) {
                broken.push(format!("{} was deployed before a value was looked up", app::name(place)));
            }
        }
        if !self.tale.changes_again.is_empty() {
            broken.push(format!(
                "a run without anything to do changed something: {:?}",
                self.tale.changes_again
            ));
        }
    }
}

/// A call that is on its way when a disk is full may arrive within this time.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(1);

/// Promises about what a stack consists of, and about what a process knows.
impl Checked<'_> {
    /// An asset is published before the stack that reads it, as it is.
    fn assets_are_there_first(&self, broken: &mut Vec<String>) {
        for process in self.processes() {
            for (id, _, cause) in process.outcomes() {
                if cause.contains("specified key does not exist") {
                    broken.push(format!(
                        "{}: {id} was deployed before its asset was there: {cause}",
                        process.name
                    ));
                }
            }
        }
        for file in &self.tale.files {
            if file.published.as_ref() != Some(&file.content) {
                broken.push(format!("{} is not published as it is: {:?}", file.key, file.published));
            }
        }
    }

    /// A nested stack is changed through its parent only, and has its template in the end.
    fn nested_stacks_follow_their_parents(&self, broken: &mut Vec<String>) {
        for stranger in &self.tale.strangers {
            broken.push(format!("a process acted on a stack that is not in the app: {stranger}"));
        }
        for (place, stack) in self.story.stacks.iter().enumerate() {
            let nested: Vec<_> = self.tale.nested.iter().filter(|(parent, ..)| *parent == place).collect();
            let is_good = |status: &str, template: &str| {
                matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE") && template.contains("New")
            };
            let expected = usize::from(stack.nested);
            if nested.len() != expected
                || !nested.iter().all(|(_, status, template)| is_good(status, template))
            {
                broken.push(format!("the nested stacks of {} are {nested:?}", app::name(place)));
            }
        }
    }

    /// A process that cannot write its journal begins nothing.
    fn nothing_is_done_unrecorded(&self, broken: &mut Vec<String>) {
        if self.story.rival.is_some() {
            return;
        }
        let processes: Vec<&Process> = self.processes().collect();
        for pair in processes.windows(2) {
            let (Some(full), next) = (pair[0].full_at, pair[1].started) else { continue };
            for history in &self.tale.histories {
                let ours = history.operations().into_iter().filter(Operation::is_ours);
                for start in ours.filter_map(|operation| operation.start()) {
                    if start > full + ON_ITS_WAY && start < next {
                        broken.push(format!(
                            "{} began at {start}, but the disk is full since {full}",
                            history.name
                        ));
                    }
                }
            }
        }
    }
}

/// When a process sent its first and its last operation.
fn sent(process: &Process) -> Option<(Timestamp, Timestamp)> {
    let all = process.events.iter().zip(&process.times);
    let mut times = all.filter(|(event, _)| matches!(event.fact, Fact::StackSubmitted(_))).map(|(_, at)| *at);
    let first = times.next()?;
    Some((first, times.next_back().unwrap_or(first)))
}

/// The creations and updates of a stack.
pub(crate) fn deployments(history: &StackHistory) -> Vec<Operation<'_>> {
    let mut operations = history.operations();
    operations.retain(|it| {
        matches!(it.began(), "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "REVIEW_IN_PROGRESS")
    });
    operations
}
