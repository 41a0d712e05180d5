//! Computes when each step of a plan would start and end. To do so, the engine runs on virtual time, and each
//! step takes exactly its expected time.
//!
//! So there is no second scheduler that could disagree with the engine. Deploying to the simulator would be
//! more exact, but takes some milliseconds for each stack. That is too slow for a plan that is shown often. A
//! rehearsal computes the time of the calls instead ([`pacing`]), and a test compares it with simulated
//! deployments of real apps. `paceline plan --simulate` uses the simulator.

mod pacing;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use paceline_assembly::ResourceStatus;
use paceline_plan::forecast::PUSH_TIME;
use paceline_plan::{EarlyNeed, Plan, PlannedStack, Publish, Step, StepOperation, Work};

use self::pacing::EnvironmentPacing;
use crate::event::{Event, Fact, Outcome};
use crate::made_once::MadeOnce;
use crate::options::RunOptions;
use crate::perform::{Ended, Perform, ResourceProgress, StepContext};
use crate::run::run;

/// The times at which each step of a plan would start and end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The start and end of each step, measured from the start of the run, in the plan's order.
    pub steps: Vec<(Duration, Duration)>,
    /// The end of the last step.
    pub total: Duration,
}

/// Makes the schedule of a plan.
pub fn schedule(plan: &Plan) -> io::Result<Schedule> {
    let plan = Arc::new(plan.clone());
    // A separate thread, because the caller may be on a runtime with real time.
    let worker = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(rehearse(plan))
    });
    worker.join().unwrap_or_else(|_| Err(io::Error::other("the forecast's thread ended early")))
}

/// The time that the plan's steps take one after another, including assets, images and gates. A build that
/// calls `cdk deploy` for one stack after the other takes at least this long.
pub fn one_after_another(plan: &Plan) -> io::Result<Duration> {
    let mut plan = plan.clone();
    for (number, step) in plan.steps.iter_mut().enumerate() {
        step.needs = number.checked_sub(1).into_iter().collect();
        step.early_needs.clear();
    }
    schedule(&plan).map(|schedule| schedule.total)
}

/// A performer whose steps only take their expected time.
#[derive(Debug)]
struct Rehearsal {
    places: Mutex<HashMap<Environment, Arc<EnvironmentPacing>>>,
    /// The resources that other steps wait for, by the needed step. The earliest come first.
    early: HashMap<usize, Vec<EarlyNeed>>,
    /// The images that have been built.
    built: MadeOnce<()>,
}

/// An account and a region.
type Environment = (Option<String>, Option<String>);

impl Rehearsal {
    fn new(plan: &Plan) -> Self {
        let mut early: HashMap<usize, Vec<EarlyNeed>> = HashMap::new();
        for it in plan.steps.iter().flat_map(|step| &step.early_needs) {
            early.entry(it.need).or_default().push(it.clone());
        }
        for of_step in early.values_mut() {
            of_step.sort_by_key(|it| it.after);
        }
        Self { places: Mutex::default(), early, built: MadeOnce::default() }
    }

    fn place(&self, plan: &Plan, stack: &PlannedStack) -> Arc<EnvironmentPacing> {
        let environment = |stack: &PlannedStack| (stack.account.clone(), stack.region.clone());
        let here = environment(stack);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(here.clone()).or_insert_with(|| {
            let is_there = |stack: &&PlannedStack| {
                stack.operation != StepOperation::Create && environment(stack) == here
            };
            // The environment has a bootstrap stack in addition.
            Arc::new(EnvironmentPacing::new(1 + plan.stacks.iter().filter(is_there).count()))
        });
        Arc::clone(place)
    }

    /// Builds an image and pushes it. An image that goes to several places is built once.
    async fn image(&self, context: &StepContext, publish: &Publish) {
        let step = context.step();
        if step.expected_from.is_whole_step() {
            return tokio::time::sleep(step.expected).await;
        }
        let push = step.expected.min(PUSH_TIME);
        let build = async {
            tokio::time::sleep(step.expected.saturating_sub(push)).await;
            Ok::<(), Infallible>(())
        };
        let _ = self.built.get_or_make(&publish.asset, Some(context), build).await;
        tokio::time::sleep(push).await;
    }

    async fn change(&self, plan: &Plan, step: &Step) {
        let stack = plan.stack_of(step);
        let place = self.place(plan, stack);
        place.glance().await;
        // A template without resources is not deployed.
        if stack.operation == StepOperation::Unchanged || step.expected.is_zero() {
            tokio::time::sleep(step.expected).await;
        } else {
            place.operate(stack.operation == StepOperation::Create, step.expected).await;
        }
    }
}

impl Perform for Rehearsal {
    async fn perform(&self, context: StepContext) -> Ended {
        let step = context.step();
        let work = async {
            match step.work {
                Work::Publish(ref publish) if publish.image => self.image(&context, publish).await,
                // A measured time includes the time of the calls.
                _ if step.expected_from.is_whole_step() => tokio::time::sleep(step.expected).await,
                Work::Deploy { .. } | Work::Delete { .. } => self.change(context.plan(), step).await,
                _ => tokio::time::sleep(step.expected).await,
            }
        };
        let early = self.early.get(&context.index()).map_or(&[][..], Vec::as_slice);
        tokio::join!(work, tell_early(&context, early));
        Ended::new(Outcome::Deployed)
    }
}

/// Reports the resources that other steps wait for, each at the time when it is expected to be complete.
async fn tell_early(context: &StepContext, early: &[EarlyNeed]) {
    let started = tokio::time::Instant::now();
    for it in early {
        // The engine would ignore a report after the end of the step.
        tokio::time::sleep_until(started + it.after.min(context.step().expected)).await;
        for resource in &it.resources {
            context.progress(ResourceProgress {
                logical_id: resource.clone(),
                resource_type: String::new(),
                status: ResourceStatus::CreateComplete,
                reason: None,
                done: 0,
                total: 0,
                unconfirmed: false,
                happened_at: context.now(),
            });
        }
    }
}

async fn rehearse(plan: Arc<Plan>) -> io::Result<Schedule> {
    let index: HashMap<String, usize> =
        plan.steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect();
    let mut steps = vec![(Duration::ZERO, Duration::ZERO); plan.steps.len()];
    let origin = tokio::time::Instant::now();
    let mut record = |event: &Event| {
        match &event.fact {
            Fact::StepStarted(fact) => steps[index[&fact.step.step]].0 = origin.elapsed(),
            Fact::StepFinished(fact) => steps[index[&fact.step.step]].1 = origin.elapsed(),
            _ => {}
        }
        Ok(())
    };
    let options = RunOptions::simulated(Timestamp::UNIX_EPOCH);
    let rehearsal = Rehearsal::new(&plan);
    run(plan, Arc::new(rehearsal), options, &mut record).await?;
    let total = steps.iter().map(|&(_, end)| end).max().unwrap_or_default();
    Ok(Schedule { steps, total })
}
