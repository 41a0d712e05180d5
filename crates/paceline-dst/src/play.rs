//! Lets a story happen.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use paceline_engine::{Event, ExitCode, Fact, Outcome};
use paceline_sim::{AlarmState, Calls, Faults, Proxy, SimAlarm, SimHttpClient, Simulator, VirtualClock};
use tempfile::TempDir;

use crate::app::{self, App, Version};
use crate::disturb::{arrange, failure, faults, options};
use crate::machine::{Machines, Task};
use crate::operations::{StackHistory, histories};
use crate::others;
use crate::story::{Act, Before, Story};

/// The name of the rival's process, and of its disk.
pub(crate) const RIVAL: &str = "rival";
/// The number of times that AWS is waited for until nothing is due.
const MOST_STEPS: usize = 100_000;

/// A process of Paceline.
#[derive(Debug, Clone)]
pub struct Process {
    /// Who runs it, for people: `run`, `rival`, `repair`, `again`.
    pub name: &'static str,
    pub started: Timestamp,
    pub events: Vec<Event>,
    /// The true time of each event. The clock of the machine may be wrong.
    pub times: Vec<Timestamp>,
    /// When its disk was full.
    pub full_at: Option<Timestamp>,
    /// Why it ended before it deployed anything, or because its disk was full.
    pub refused: Option<String>,
    pub is_killed: bool,
    /// Whether it went on for ever.
    pub is_endless: bool,
}

impl Process {
    /// The exit code, if it ended by itself.
    pub fn exit_code(&self) -> Option<ExitCode> {
        match &self.events.last()?.fact {
            Fact::RunFinished(finished) => Some(finished.exit_code),
            _ => None,
        }
    }

    /// The outcome of each stack that ended in this process, with the message of its cause.
    pub fn outcomes(&self) -> impl Iterator<Item = (&str, Outcome, &str)> {
        self.events.iter().filter_map(|event| match &event.fact {
            Fact::StepFinished(finished) if finished.step.is_of_stack() => {
                let cause = finished.cause.as_ref().map_or("", |cause| cause.message.as_str());
                Some((finished.step.stack.as_deref()?, finished.outcome, cause))
            }
            _ => None,
        })
    }
}

/// What happened in a story.
#[derive(Debug)]
pub struct Tale {
    /// The processes of the run, in order, and of its rival.
    pub processes: Vec<Process>,
    /// A run after all disturbances have ended.
    pub repair: Process,
    /// A run after the repair, which has nothing to do.
    pub again: Process,
    /// The acts of others that CloudFormation accepted: when, and on which stack.
    pub acts: Vec<(Timestamp, usize, Act)>,
    /// When all disturbances had ended.
    pub calm: Timestamp,
    /// What CloudFormation did, by the place of the stack in the app.
    pub histories: Vec<StackHistory>,
    /// The templates at the end, by the place of the stack in the app. `None` if the stack does not exist.
    pub templates: Vec<Option<String>>,
    /// The nested stacks that exist at the end: the place of the parent in the app, the status and the template.
    pub nested: Vec<(usize, String, String)>,
    /// The file assets of the app with the contents that the bucket has at the end.
    pub files: Vec<File>,
    /// The names of other stacks that a process has asked CloudFormation to change.
    pub strangers: Vec<String>,
    /// The calls of the last run that changed something.
    pub changes_again: Vec<String>,
    pub teardown: Option<Ending>,
}

/// A file asset.
#[derive(Debug)]
pub struct File {
    pub key: String,
    pub content: String,
    /// What the bucket has.
    pub published: Option<String>,
}

/// The deletion of all stacks.
#[derive(Debug)]
pub struct Ending {
    pub began: Timestamp,
    pub processes: Vec<Process>,
    /// A deletion after all disturbances have ended.
    pub last: Process,
    /// What CloudFormation did, by the place of the stack in the app, before the deletion too.
    pub histories: Vec<StackHistory>,
    /// The names of the stacks that are still there.
    pub left: Vec<String>,
}

impl Tale {
    /// All processes, in order.
    pub fn all_processes(&self) -> impl Iterator<Item = &Process> {
        let teardown =
            self.teardown.iter().flat_map(|teardown| teardown.processes.iter().chain([&teardown.last]));
        self.processes.iter().chain([&self.repair, &self.again]).chain(teardown)
    }
}

struct World<'a> {
    story: &'a Story,
    sim: Simulator,
    machines: Machines<'a>,
}

/// Lets a story happen on virtual time. An error is a fault of the simulation itself.
pub fn play(story: &Story) -> Result<Tale> {
    fastrand::seed(story.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(Box::pin(play_on(story)))
}

async fn play_on(story: &Story) -> Result<Tale> {
    let folder = TempDir::new()?;
    let path = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
    let clock = VirtualClock::starting_at("2026-01-01T00:00:00Z".parse()?);
    let sim = Simulator::new(options(story));
    let machines = Machines {
        story,
        proxy: Proxy::new(SimHttpClient::new(sim.clone(), clock)),
        clock,
        app: App::new(story, Version::New, &path.join("cdk.out"))?,
        rivals: App::new(story, Version::Rival, &path.join("rival.out"))?,
        config: app::config(story)?,
        folder: path.to_owned(),
        jumps_at: None,
        written: Mutex::new(0),
    };
    let mut world = World { story, sim, machines };
    world.deploy_before().await?;
    let jump = story.jump.as_ref().and_then(|jump| i64::try_from(jump.after).ok());
    world.machines.jumps_at = jump.map(|after| clock.now() + SignedDuration::from_secs(after));
    let acts = world.disturb();
    let (machines, proxy) = (&world.machines, &world.machines.proxy);
    let (mut processes, rival) =
        tokio::join!(machines.run(Task::Deploy, "disk", &story.kills), world.rival());
    processes.extend(rival);
    world.calm().await?;
    let calm = clock.now();
    let repair = machines.process(Task::Deploy, "repair", "repair", None).await;
    world.rest().await?;
    let before = proxy.passed().len();
    let again = machines.process(Task::Deploy, "again", "again", None).await;
    let changes = proxy.passed().split_off(before);
    let changes_again = changes
        .into_iter()
        .filter(|passed| passed.call.service == "cloudformation" && !passed.call.is_read())
        .map(|passed| format!("{} {}", passed.call.operation, passed.call.stack.unwrap_or_default()))
        .collect();
    let acts = acts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (histories, templates) = (histories(&world.sim, clock.now(), story), world.templates());
    let (nested, files) = (world.nested(), world.files());
    let teardown = world.teardown().await?;
    let strangers = world.strangers();
    Ok(Tale {
        processes,
        repair,
        again,
        acts,
        calm,
        histories,
        templates,
        nested,
        files,
        strangers,
        changes_again,
        teardown,
    })
}

type Acts = Arc<Mutex<Vec<(Timestamp, usize, Act)>>>;

impl World<'_> {
    fn now(&self) -> Timestamp {
        self.machines.clock.now()
    }

    /// Deploys the earlier version of the stacks that have one.
    async fn deploy_before(&self) -> Result<()> {
        for (place, stack) in self.story.stacks.iter().enumerate() {
            // What people deploy by hand, they have published by hand.
            for version in [Version::Before, Version::Other] {
                for (key, content) in app::files(self.story, place, version) {
                    let answer = others::put_object(&self.sim, self.now(), stack, &key, &content);
                    anyhow::ensure!(answer.is_accepted, "{key} before the run: {}", answer.body);
                }
            }
            match stack.before {
                Before::Absent => continue,
                Before::Deployed => self.sim.set_faults(Faults::default()),
                Before::RolledBack => {
                    self.sim.set_faults(Faults { failures: vec![failure(place, 1)], ..Faults::default() });
                }
            }
            let template = app::template(self.story, place, Version::Before).to_string();
            let parameters = [
                ("StackName", &*app::name(place)),
                ("TemplateBody", &template),
                ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
            ];
            let answer = others::call(&self.sim, self.now(), app::region(stack), "CreateStack", &parameters);
            anyhow::ensure!(answer.is_accepted, "the stack before the run: {}", answer.body);
            self.rest().await?;
        }
        Ok(())
    }

    /// Arranges the disturbances. Returns the acts of others that CloudFormation has accepted so far.
    fn disturb(&self) -> Acts {
        let (story, proxy) = (self.story, &self.machines.proxy);
        self.sim.set_faults(faults(story));
        arrange(proxy, "cloudformation", &story.mishaps);
        arrange(proxy, "s3", &story.mishaps_of_s3);
        self.sim.set_alarm(self.alarm());
        let acts = Acts::default();
        for other in &story.others {
            let (sim, clock, story) = (self.sim.clone(), self.machines.clock, story.clone());
            let (place, act, acts) = (other.stack, other.act, Arc::clone(&acts));
            proxy.before(Calls::to("cloudformation").nth(other.call), move |_| {
                if others::act(&sim, clock.now(), &story, place, act) {
                    acts.lock().unwrap_or_else(PoisonError::into_inner).push((clock.now(), place, act));
                    if act == Act::Replace {
                        tokio::spawn(others::create_when_possible(sim.clone(), clock, story.clone(), place));
                    }
                }
                std::future::ready(())
            });
        }
        acts
    }

    /// The alarm of the region that is deployed first, as it will be if nobody repairs anything.
    fn alarm(&self) -> SimAlarm {
        let alarm = SimAlarm::named(app::ALARM);
        let after = self.story.rollout.as_ref().and_then(|rollout| rollout.alarm_after);
        match after.and_then(|after| i64::try_from(after).ok()) {
            Some(after) => alarm.at(self.now() + SignedDuration::from_secs(after), AlarmState::Alarm),
            None => alarm,
        }
    }

    async fn rival(&self) -> Option<Process> {
        let rival = self.story.rival.as_ref()?;
        tokio::time::sleep(Duration::from_secs(rival.after)).await;
        Some(self.machines.process(Task::Deploy, RIVAL, RIVAL, None).await)
    }

    /// Deletes all stacks in the weather of the run, and once more when all disturbances have ended.
    async fn teardown(&self) -> Result<Option<Ending>> {
        let Some(teardown) = &self.story.teardown else { return Ok(None) };
        self.sim.set_faults(faults(self.story));
        arrange(&self.machines.proxy, "cloudformation", &teardown.mishaps);
        let began = self.now();
        let processes = self.machines.run(Task::Destroy, "deleting", &teardown.kills).await;
        self.calm().await?;
        let last = self.machines.process(Task::Destroy, "last", "last", None).await;
        self.rest().await?;
        let all = self.sim.stacks().into_iter();
        let left = all.filter(|stack| stack.status != "DELETE_COMPLETE" && stack.name != "CDKToolkit");
        let left = left.map(|stack| format!("{} ({})", stack.name, stack.status)).collect();
        let histories = histories(&self.sim, self.now(), self.story);
        Ok(Some(Ending { began, processes, last, histories, left }))
    }

    /// Ends all disturbances, and waits until AWS is at rest.
    async fn calm(&self) -> Result<()> {
        self.machines.proxy.clear();
        self.sim.set_faults(Faults::default());
        self.sim.set_alarm(SimAlarm::named(app::ALARM));
        self.rest().await
    }

    async fn rest(&self) -> Result<()> {
        for _ in 0..MOST_STEPS {
            let Some(due) = self.sim.next_due() else { return Ok(()) };
            let wait = due.duration_since(self.now());
            tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
            self.sim.advance(due);
        }
        anyhow::bail!("something is always due")
    }

    fn template(&self, place: usize, stack: &str) -> Option<String> {
        let region = app::region(&self.story.stacks[place]);
        let answer = others::read(&self.sim, self.now(), region, "GetTemplate", &[("StackName", stack)]);
        answer.is_accepted.then_some(answer.body)
    }

    fn templates(&self) -> Vec<Option<String>> {
        (0..self.story.stacks.len()).map(|place| self.template(place, &app::name(place))).collect()
    }

    fn nested(&self) -> Vec<(usize, String, String)> {
        let stacks = self.sim.stacks();
        let nested = stacks.iter().filter(|stack| stack.status != "DELETE_COMPLETE").filter_map(|stack| {
            let parent = stacks.iter().find(|it| Some(&it.id) == stack.parent.as_ref())?;
            let place = (0..self.story.stacks.len()).find(|place| app::name(*place) == parent.name)?;
            let template = self.template(place, &stack.id).unwrap_or_default();
            Some((place, stack.status.clone(), template))
        });
        nested.collect()
    }

    fn files(&self) -> Vec<File> {
        let mut files = Vec::new();
        for (place, stack) in self.story.stacks.iter().enumerate() {
            for (key, content) in app::files(self.story, place, Version::New) {
                let answer = others::object(&self.sim, self.now(), stack, &key);
                let published = answer.is_accepted.then_some(answer.body);
                files.push(File { key, content, published });
            }
        }
        files
    }

    fn strangers(&self) -> Vec<String> {
        let own: Vec<String> = (0..self.story.stacks.len()).map(app::name).collect();
        let calls = self.machines.proxy.passed().into_iter().map(|passed| passed.call);
        let changes = calls.filter(|call| call.service == "cloudformation" && !call.is_read());
        let named = changes.filter_map(|call| Some((call.operation, call.stack?)));
        // An ARN has the name between slashes.
        let name = |stack: &str| stack.split('/').nth(1).unwrap_or(stack).to_owned();
        let others = named.filter(|(_, stack)| !own.contains(&name(stack)));
        others.map(|(operation, stack)| format!("{operation} {stack}")).collect()
    }
}
