//! The sentences about saved plans: what has changed since one was approved, and why a file is none.

use std::fmt;

use paceline_text::Explained;

use crate::build::approved::PlanChange;
use crate::model::SavedPlanError;

impl fmt::Display for PlanChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewStack { stack } => write!(f, "the stack `{stack}` is new"),
            Self::StackGone { stack, why: None } => write!(f, "the app has no stack `{stack}` any more"),
            Self::StackGone { stack, why: Some(why) } => {
                write!(f, "the stack `{stack}` would not be deployed: {why}")
            }
            Self::StackMoved { stack } => {
                write!(f, "the stack `{stack}` has another name, account or region")
            }
            Self::Template { stack } => write!(f, "the template of `{stack}` has changed"),
            Self::Settings { stack } => {
                write!(f, "the parameters, tags, topics, alarms, roles or options of `{stack}` have changed")
            }
            Self::Order { stack, more, fewer } => order(f, stack, more, fewer),
            Self::NewStep { step } => write!(f, "the step `{step}` is new"),
            Self::StepGone { step } => write!(f, "the step `{step}` is gone"),
            Self::Command { command } => {
                write!(f, "the command `{command}`, or a script that it starts, has changed")
            }
            Self::Step { step } => write!(f, "the step `{step}` does something else"),
            Self::StepOrder { step } => write!(f, "the step `{step}` waits for other steps"),
            Self::Setting { key } => write!(f, "`{key}` has changed"),
            Self::Other => f.write_str("a detail of the plan has changed"),
        }
    }
}

fn order(f: &mut fmt::Formatter<'_>, stack: &str, more: &[String], fewer: &[String]) -> fmt::Result {
    write!(f, "the stack `{stack}` ")?;
    match (more, fewer) {
        ([], []) => f.write_str("waits for the same stacks for other reasons"),
        (more, []) => write!(f, "waits for {} too", more.join(", ")),
        ([], fewer) => write!(f, "no longer waits for {}", fewer.join(", ")),
        (more, fewer) => {
            write!(f, "waits for {} and no longer for {}", more.join(", "), fewer.join(", "))
        }
    }
}

impl fmt::Display for SavedPlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlan => f.write_str("it is not a saved plan"),
            Self::OtherFormat { found } => {
                write!(
                    f,
                    "it is a saved plan of format {found}, and this version of Paceline reads another one"
                )
            }
            Self::Damaged => f.write_str("it is a saved plan that was damaged or edited"),
        }
    }
}

impl Explained for SavedPlanError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoPlan => "give the file that `paceline plan --save FILE` wrote",
            Self::OtherFormat { .. } => {
                "deploy with the version of Paceline that saved it, or save and approve the plan again"
            }
            Self::Damaged => "save the plan again with `paceline plan --save FILE`, and approve it again",
        };
        Some(hint.to_owned())
    }
}
