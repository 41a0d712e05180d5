//! The buildspecs of the two builds of a pipeline: the plan, and the deployment of the approved plan.

use super::super::buildspecs::{self, DEPLOY};
use super::super::document::Document;
use super::super::scripts::{FinalMessages, ScriptKind};
use super::super::{GenerateError, Generation, cache, variables};
use super::{APPROVED, PLAN};
use crate::grammar::{Buildspec, Phases};

/// The variables of the plan that the pipeline shows to the person who approves.
pub(super) const SUMMARY: &str = "PACELINE_PLAN";
pub(super) const LOG: &str = "PACELINE_PLAN_URL";

pub(super) fn plan(inside: &Generation) -> Result<Document, GenerateError> {
    let messages = FinalMessages {
        done: "paceline: the plan is saved, and waits for its approval in the pipeline",
        failed: "paceline: there is no plan; the first error is in the log",
        asleep: None,
        hint: "hint: correct it, and start the pipeline again",
    };
    let phases = Phases {
        install: Some(buildspecs::install(inside, inside.synth.is_some())?),
        pre_build: match &inside.synth {
            Some(_) => Some(buildspecs::prepare(inside, ScriptKind::Synth)?),
            None => None,
        },
        build: Some(buildspecs::commands(inside, &[ScriptKind::SavePlan])?),
        post_build: Some(buildspecs::commands(inside, &[ScriptKind::Results(messages)])?),
    };
    let about = vec![
        format!("Plans {}.", buildspecs::subject(inside, "in")),
        "It deploys nothing. The pipeline starts it, and a person approves the saved plan.".to_owned(),
    ];
    let (cache, cache_why) = cache::of(inside).unzip();
    let mut model = Buildspec { cache, ..buildspecs::buildspec(inside, phases, None) };
    model.env.exported_variables = vec![SUMMARY.to_owned(), LOG.to_owned()];
    Ok(Document {
        suffix: PLAN,
        about,
        variables: variables::of(inside, "planned"),
        model,
        reports_why: Vec::new(),
        artifacts_why: vec![
            "The saved plan, and its text. The deployment takes the plan from here.".to_owned(),
        ],
        cache_why: cache_why.unwrap_or_default(),
    })
}

pub(super) fn approved(inside: &Generation) -> Result<Document, GenerateError> {
    let messages = FinalMessages {
        done: "paceline: the approved plan is deployed",
        failed: "paceline: the deployment is not complete; its first error is in the log of the build phase",
        asleep: None,
        hint: "hint: retry this stage of the pipeline to continue where the deployment stopped",
    };
    let phases = Phases {
        install: Some(buildspecs::install(inside, true)?),
        pre_build: Some(buildspecs::or_abort(inside, &[ScriptKind::TakePlan])?),
        build: Some(buildspecs::commands(inside, &[ScriptKind::DeployApproved])?),
        post_build: Some(buildspecs::commands(inside, &[ScriptKind::Results(messages)])?),
    };
    let about = vec![
        format!("Deploys the approved plan of {}.", buildspecs::subject(inside, "to")),
        "The pipeline starts it. It deploys exactly the plan that was approved, or refuses.".to_owned(),
    ];
    // Nothing is synthesized here.
    let (cache, cache_why) = cache::of(&Generation { synth: None, ..inside.clone() }).unzip();
    Ok(Document {
        suffix: APPROVED,
        about,
        variables: variables::of(inside, "deployed"),
        model: Buildspec { cache, ..buildspecs::buildspec(inside, phases, Some(DEPLOY)) },
        reports_why: vec!["The name of the report group starts with the project.".to_owned()],
        artifacts_why: vec![
            "Events, outputs, journal and reports. CodePipeline keeps them if the build succeeds.".to_owned(),
        ],
        cache_why: cache_why.unwrap_or_default(),
    })
}
