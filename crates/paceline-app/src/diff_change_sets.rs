//! `paceline diff --change-sets`: asks CloudFormation what it would change. The change sets are deleted at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use paceline_aws::{Aws, AwsOptions, Method, TokenKey};
use paceline_diff::{Effect, RealChange};
use paceline_engine::event::StepFinished;
use paceline_engine::{ChangeEffect, Event, ExitCode, Fact, Preparation, PreparedChange, RunOptions};
use paceline_plan::Plan;
use paceline_text::Problem;

use crate::app::App;
use crate::failure::Failure;
use crate::{interrupt, terminal};

/// What change sets change, by the ids of the stacks. Stacks are missing whose change set can only be made during a run.
pub(crate) fn real_changes(app: &App, plan: &Plan) -> Result<BTreeMap<String, Vec<RealChange>>, Failure> {
    let made = Box::pin(make(app, plan.without_images().preparing()));
    interrupt::until_stopped("change sets were being made", made)?
}

async fn make(app: &App, plan: Plan) -> Result<BTreeMap<String, Vec<RealChange>>, Failure> {
    let options = AwsOptions {
        wire: terminal::wire(),
        method: Method::ChangeSet,
        parameters: app.parameters.clone(),
        token_key: TokenKey::Process,
        discards_change_sets: true,
        ..AwsOptions::default()
    };
    let plan = Arc::new(plan);
    let aws = Arc::new(Box::pin(Aws::connect(Arc::clone(&app.assembly), &plan, options)).await?);
    let failed: Mutex<Vec<StepFinished>> = Mutex::default();
    let mut hear = |event: &Event| {
        if let Fact::StepFinished(finished) = &event.fact
            && finished.cause.is_some()
        {
            failed.lock().unwrap_or_else(PoisonError::into_inner).push(finished.clone());
        }
        Ok(())
    };
    let run = RunOptions {
        id: "diff".to_owned(),
        simulated: false,
        stop: interrupt::stop(),
        ..RunOptions::simulated(Timestamp::now())
    };
    let ended = paceline_engine::run(plan, Arc::clone(&aws), run, &mut hear).await;
    let ended = ended.map_err(|error| Failure::interrupted(error.to_string()))?;
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if ended.exit_code != ExitCode::Done {
        let problems = failed.into_iter().filter_map(|step| {
            let cause = step.cause?;
            Some(Problem { place: Some(step.step.title), message: cause.message, hint: cause.hint })
        });
        return Err(Failure::of_all(problems.collect()).with_exit_code(ended.exit_code));
    }
    let mut real = BTreeMap::new();
    for (id, stack) in aws.prepared() {
        match stack.preparation {
            Preparation::Ready(set) => {
                real.insert(id, set.changes.into_iter().map(change).collect());
            }
            Preparation::Later { because } => {
                terminal::note(&format!("{id} is compared by its templates alone, because {because}"));
            }
        }
    }
    Ok(real)
}

fn change(change: PreparedChange) -> RealChange {
    let PreparedChange { nested, logical_id, resource_type, effect } = change;
    RealChange { nested, logical_id, resource_type, effect: effect_of(effect) }
}

/// An effect of a change set, as one of a difference.
pub(crate) fn effect_of(effect: ChangeEffect) -> Effect {
    match effect {
        ChangeEffect::Added | ChangeEffect::Imported => Effect::Add,
        ChangeEffect::Changed => Effect::Update,
        ChangeEffect::MayBeReplaced => Effect::MayReplace,
        ChangeEffect::Replaced => Effect::Replace,
        ChangeEffect::Deleted | ChangeEffect::Released => Effect::Remove,
    }
}
