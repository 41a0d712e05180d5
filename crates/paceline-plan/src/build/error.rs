//! Why a plan could not be made.

use paceline_text::one_line;

use crate::build::context;
use crate::build::edges::{Edge, Reason};

/// Why a plan could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A name or pattern means no stack.
    #[error("{place}: no stack is called `{pattern}`")]
    UnknownStack {
        /// Where it is written.
        place: String,
        /// What is written.
        pattern: String,
        /// What may have been meant.
        hint: String,
    },
    /// A name that must mean one stack means several.
    #[error("{place}: `{pattern}` means more than one stack: {stacks}")]
    Ambiguous {
        /// Where it is written.
        place: String,
        /// What is written.
        pattern: String,
        /// The stacks it means.
        stacks: String,
    },
    /// A pattern cannot be read.
    #[error("{place}: `{pattern}` is not a pattern: {message}")]
    Pattern {
        /// Where it is written.
        place: String,
        /// What is written.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// Stacks wait for each other in a circle.
    #[error("these stacks wait for each other in a circle:\n{}", show_cycle(.edges))]
    Cycle {
        /// One edge for each step of the circle.
        edges: Vec<Edge>,
        /// What can be written into `edges:` of the configuration against it: each of these is enough.
        ways: Vec<Vec<String>>,
    },
    /// A phase puts a stack before one that it waits for.
    #[error(
        "phase `{phase}` comes before phase `{later}`, but its stack `{}` waits for `{}`: {}: {}",
        edge.from, edge.to, edge.reason, edge.detail
    )]
    Contradiction {
        /// Why the stack waits.
        edge: Box<Edge>,
        /// The phase of the stack that waits.
        phase: String,
        /// The phase of the stack it waits for.
        later: String,
    },
    /// A command says neither what it follows nor what waits for it.
    #[error("the command `{command}` does not say when it runs")]
    CommandWithoutPlace {
        /// The command.
        command: String,
    },
    /// A command follows one that is not declared before it.
    #[error("{place}: no earlier command is called `{command}`")]
    UnknownCommand {
        /// Where that is written.
        place: String,
        /// The command that is named.
        command: String,
    },
    /// A name means no phase.
    #[error("{place}: no phase is called `{phase}`")]
    UnknownPhase {
        /// Where it is written.
        place: String,
        /// The phase that is named.
        phase: String,
        /// What may have been meant.
        hint: String,
    },
    /// Edges are to be changed that there are none of.
    #[error("{place}: no template shows that `{from}` waits for `{to}`{}", of(*.reason))]
    NoEdge {
        /// Where that is written.
        place: String,
        /// The stack that would wait.
        from: String,
        /// The stack it would wait for.
        to: String,
        /// The kind of edge that was named.
        reason: Option<Reason>,
    },
    /// An edge cannot be made to wait for less.
    #[error("{place}: `{}` waits for `{}`: {}: {}: {why}", edge.from, edge.to, edge.reason, edge.detail)]
    NotRelaxed {
        /// Where that is written.
        place: String,
        /// The edge.
        edge: Box<Edge>,
        /// Why not.
        why: &'static str,
    },
    /// Two stacks of the assembly are one stack to CloudFormation, and neither waits for the other.
    #[error("`{first}` and `{second}` are the same stack: both are called `{name}` in {environment}")]
    SameStack {
        /// The id of one.
        first: String,
        /// The id of the other.
        second: String,
        /// The name of both.
        name: String,
        /// The environment of both.
        environment: String,
    },
    /// Context was missing when an app was synthesized, and no synthesis of the run will find it.
    #[error("`{stack}` was synthesized without context it needs: `{key}` ({provider})")]
    MissingContext {
        /// The stack that would be deployed with something made up.
        stack: String,
        /// The key of the context.
        key: String,
        /// The kind of lookup.
        provider: String,
        /// The parameter, or such as `hosted zone example.com`, where it is something that a stack can make.
        name: Option<String>,
        /// The stack that makes it.
        maker: Option<String>,
    },
    /// Nothing is left to deploy.
    #[error("there is no stack to deploy: {why}")]
    Nothing {
        /// Why not.
        why: String,
    },
}

impl PlanError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownStack { hint, .. } => hint.clone(),
            Self::UnknownPhase { hint, .. } if hint.starts_with("did you mean") => hint.clone(),
            Self::UnknownPhase { .. } => "`phases` in paceline.yaml names them".to_owned(),
            Self::CommandWithoutPlace { .. } => "add `after`, `before` or both to it".to_owned(),
            Self::UnknownCommand { .. } => "declare the other command first".to_owned(),
            Self::Ambiguous { .. } => "write the id of one stack".to_owned(),
            Self::Pattern { .. } => "use `*` for any text and `?` for any character".to_owned(),
            Self::Cycle { edges, .. } if edges.iter().any(|e| e.reason.is_ordered_by_the_team()) => {
                "remove one of the edges that paceline.yaml adds".to_owned()
            }
            Self::Cycle { ways, .. } if ways.is_empty() => {
                "break one of these dependencies in the app".to_owned()
            }
            Self::Cycle { ways, .. } => format!(
                "break one of these dependencies in the app; or give one up in paceline.yaml, if what it is for was \
                 deployed before:\n    edges:\n{}",
                show_ways(ways)
            ),
            Self::Contradiction { edge, later, .. } => {
                format!("move `{}` to phase `{later}` or to a later one", edge.from)
            }
            Self::NoEdge { from, to, .. } => {
                format!(
                    "`paceline explain {from} {to}` shows the edges between them; without `relax` and `until` the edge is added"
                )
            }
            Self::NotRelaxed { .. } => "name with `reason` the kind of edge that is meant".to_owned(),
            Self::SameStack { .. } => {
                "give one of them another `stackName`, leave one out, or declare which waits for the other"
                    .to_owned()
            }
            Self::MissingContext { name: Some(name), maker: Some(maker), stack, .. } if maker == stack => {
                format!(
                    "`{stack}` makes {} itself: have the app read it in another way",
                    context::shown(name)
                )
            }
            Self::MissingContext { name: Some(name), maker: Some(maker), .. } => {
                format!("`{maker}` makes {name}: deploy it in the same run, or first, and synthesize again")
            }
            Self::MissingContext { name: Some(name), maker: None, .. } => {
                format!("no stack makes {}: create it, and synthesize again", context::shown(name))
            }
            Self::MissingContext { .. } => {
                "synthesize where it can be looked up, and commit `cdk.context.json`".to_owned()
            }
            Self::Nothing { .. } => "check --only, --exclude and the multi-region setting".to_owned(),
        }
    }
}

fn of(reason: Option<Reason>) -> String {
    reason.map_or_else(String::new, |reason| format!(" for reason {reason}"))
}

fn show_ways(ways: &[Vec<String>]) -> String {
    let indented = |way: &Vec<String>| {
        let lines = way.iter().map(|line| format!("      {}", one_line(line)));
        lines.collect::<Vec<_>>().join("\n")
    };
    ways.iter().map(indented).collect::<Vec<_>>().join("\n    or\n")
}

fn show_cycle(edges: &[Edge]) -> String {
    let lines = edges.iter().map(|edge| {
        let [from, to, detail] = [&edge.from, &edge.to, &edge.detail].map(|text| one_line(text));
        format!("  {from} waits for {to} ({}: {detail})", edge.reason)
    });
    lines.collect::<Vec<_>>().join("\n")
}
