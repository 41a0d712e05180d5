//! Late synthesis, in sentences: what apps look up, which are synthesized again, and how an app differs then.

use std::fmt;

use crate::build::context::is_parameter;
use crate::build::resynthesized::Difference;
use crate::model::{Plan, THE_APP, Work};

/// What is looked up under this name, in a sentence.
pub(crate) fn lookup_shown(name: &str) -> String {
    if is_parameter(name) { format!("the parameter {name}") } else { format!("the {name}") }
}

/// Which apps a plan synthesizes again, after which stacks, and for which: a line for each time.
pub fn synthesized_again(plan: &Plan) -> Vec<String> {
    let lines = plan.steps.iter().filter_map(|step| {
        let Work::Synthesize(work) = &step.work else { return None };
        let after = step.needs.iter().map(|&need| plan.stack_of(&plan.steps[need]).id.as_str());
        let after = after.collect::<Vec<_>>().join(", ");
        let stacks = work.stacks.iter().map(|&at| plan.stacks[at].id.as_str()).collect::<Vec<_>>().join(", ");
        let lookups = work.lookups.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let app = work.app.as_deref().unwrap_or(THE_APP);
        Some(format!("{app} after {after}, for {stacks}: {lookups}"))
    });
    lines.collect()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewStack { app, stack } => write!(
                f,
                "{app} has a stack that it had not when the run began: `{stack}`; the next run deploys it"
            ),
            Self::StackGone { app, stack, waited: true } => {
                write!(f, "{app} has no stack `{stack}` any more")
            }
            Self::StackGone { app, stack, waited: false } => write!(
                f,
                "{app} has no stack `{stack}` any more; this run deploys it as it was when it began"
            ),
            Self::AnotherStack { stack, now, before } => write!(
                f,
                "`{stack}` is another stack now: {} in {}, and not {} in {}",
                now.0, now.1, before.0, before.1
            ),
            Self::StackError { stack, text, path } => {
                write!(f, "`{stack}` must not be deployed: {text} ({path})")
            }
            Self::NoPlan { error } => write!(f, "there is no plan for the app as it is now: {error}"),
            Self::StillWithout { stack, name } => {
                write!(f, "`{stack}` is still without {}: its synthesis has not found it", lookup_shown(name))
            }
            Self::NewEdge(edge) => write!(
                f,
                "`{}` waits for `{}` now, which the plan does not: {}: {}",
                edge.from,
                edge.to,
                edge.reason,
                edge.detail()
            ),
        }
    }
}
