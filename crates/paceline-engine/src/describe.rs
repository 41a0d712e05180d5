//! Turns the plan and its steps into the values that events carry.

use paceline_plan::history::short;
use paceline_plan::{Gate, Plan, Step, THE_APP, Work};

use crate::event::{
    AssetKind, PlannedPhase, PlannedSettings, PlannedStep, RunStarted, StepKind, StepRef, seconds,
};
use crate::options::RunOptions;

/// The id, title, account and region of a step, as events carry them.
pub fn reference(plan: &Plan, index: usize) -> StepRef {
    let step = &plan.steps[index];
    let stack = plan.stack_of(step);
    let (title, id) = match &step.work {
        Work::Publish(publish) => (publish.title.clone(), None),
        Work::Deploy { .. } | Work::Delete { .. } => (stack.id.clone(), Some(stack.id.clone())),
        Work::Command(command) => (command.name.clone(), None),
        Work::Prewarm(prewarm) => {
            let region = prewarm.region.as_ref().or(stack.region.as_ref());
            let place = region.map(|region| format!(" in {region}")).unwrap_or_default();
            (format!("repository {}{place}", prewarm.repository), None)
        }
        Work::Synthesize(synthesize) => (synthesize.app.clone().unwrap_or_else(|| THE_APP.to_owned()), None),
        Work::Gate { gate: gate @ Gate::Bake(_), .. } => (gate.title(&stack.id), None),
        Work::Gate { gate, .. } => (gate.title(&stack.id), Some(stack.id.clone())),
    };
    // A bake is in all accounts of its region.
    let (account, region) = match &step.work {
        Work::Gate { gate: Gate::Bake(bake), .. } => (None, Some(&bake.region)),
        Work::Prewarm(prewarm) => (
            prewarm.account.as_ref().or(stack.account.as_ref()),
            prewarm.region.as_ref().or(stack.region.as_ref()),
        ),
        _ => (stack.account.as_ref(), stack.region.as_ref()),
    };
    StepRef {
        step: step.id.clone(),
        kind: StepKind::of(&step.work),
        asset: match &step.work {
            Work::Publish(publish) if publish.image => Some(AssetKind::Image),
            Work::Publish(_) => Some(AssetKind::File),
            _ => None,
        },
        title,
        stack_name: step.work.changes().map(|_| stack.name.clone()),
        account: account.cloned(),
        region: region.cloned(),
        phase: id.is_some().then(|| stack.phase.clone()).flatten(),
        stack: id,
    }
}

/// The start of the digest of the stack or asset that a step deploys or publishes.
pub(crate) fn content(plan: &Plan, step: &Step) -> Option<String> {
    match &step.work {
        Work::Deploy { .. } => Some(short(&plan.stack_of(step).template)),
        Work::Publish(publish) => Some(short(&publish.asset)),
        Work::Delete { .. }
        | Work::Gate { .. }
        | Work::Command(_)
        | Work::Prewarm(_)
        | Work::Synthesize(_) => None,
    }
}

/// The first event of a run, with the steps and phases of its plan.
pub(crate) fn run_started(plan: &Plan, options: &RunOptions) -> RunStarted {
    let phases = plan.phases.iter();
    let phases = phases.map(|phase| PlannedPhase { name: phase.name.clone(), stacks: phase.stacks.clone() });
    let steps = plan.steps.iter().enumerate().map(|(index, step)| PlannedStep {
        step: reference(plan, index),
        needs: step.needs.iter().map(|&need| plan.steps[need].id.clone()).collect(),
        expected_s: step.expected.as_secs_f64(),
        content: content(plan, step),
        // Only a run that can be resumed needs the identities.
        identity: options.order.map(|_| plan.identity(step)),
    });
    RunStarted {
        paceline: options.version.clone(),
        app: options.app.clone(),
        plan: plan.resume_key.clone(),
        resumed: options.earlier.is_some(),
        order: options.order,
        endpoint: options.endpoint.clone(),
        undoes: plan.undoes.clone(),
        prepares: plan.prepares,
        executes: options.executes.clone(),
        simulated: options.simulated,
        lease_wait_s: seconds(options.lease_wait),
        strategy: plan.strategy,
        phases: phases.collect(),
        steps: steps.collect(),
        settings: options.order.map(|_| settings(plan)),
    }
}

/// The settings of a plan that belong to no step.
pub(crate) fn settings(plan: &Plan) -> PlannedSettings {
    PlannedSettings {
        concurrency: plan.concurrency,
        policy: plan.policy,
        rollback: plan.rollback,
        ignore_timestamps: plan.ignore_times,
    }
}
