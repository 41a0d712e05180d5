//! The sentences of errors: why a plan could not be made, and what to do about it.

use std::fmt;

use paceline_text::{ExitCode, Explained, one_line};

use super::lookups::lookup_shown;
use crate::build::error::{NotEased, PlanError, WayOut};
use crate::model::Edge;
use paceline_yaml::inline::word;

/// Where to look for the names of stacks.
pub(super) const STACKS_ARE_LISTED: &str = "`paceline plan` lists the stacks of the assembly";

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownStack { pattern, .. } => write!(f, "no stack is called `{pattern}`"),
            Self::Ambiguous { pattern, stacks, .. } => {
                write!(f, "`{pattern}` means more than one stack: {}", stacks.join(", "))
            }
            Self::NoStackIn { kind, pattern, .. } => write!(f, "no stack is in the {kind} `{pattern}`"),
            Self::NothingAffected { base } => {
                write!(f, "none of these stacks differs from {base}: there is nothing to do")
            }
            Self::Pattern { pattern, message, .. } => {
                write!(f, "`{pattern}` is not a pattern: {message}")
            }
            Self::Cycle { edges, .. } => {
                f.write_str("these stacks wait for each other in a circle:")?;
                edges.iter().try_for_each(|edge| write!(f, "\n{}", line_of_circle(edge)))
            }
            Self::Contradiction { edge, phase, later } => write!(
                f,
                "phase `{phase}` comes before phase `{later}`, but its stack `{}` waits for `{}`: {}: {}",
                edge.from,
                edge.to,
                edge.reason,
                edge.detail()
            ),
            Self::RolloutContradiction { edge, first, other, .. } => write!(
                f,
                "`{}` is in {first}, which is deployed first, but waits for `{}` in {other}: {}: {}",
                edge.from,
                edge.to,
                edge.reason,
                edge.detail()
            ),
            Self::RolloutWithoutRegion { stack, .. } => {
                write!(f, "the app does not say in which region `{stack}` is")
            }
            Self::RolloutOfOneRegion { region, .. } => {
                write!(f, "every stack of the app is in {region}, so that no other region can follow")
            }
            Self::CommandWithoutPlace { command } => {
                write!(f, "the command `{command}` does not say when it runs")
            }
            Self::UnknownCommand { command, .. } => {
                write!(f, "no earlier command is called `{command}`")
            }
            Self::UnknownPhase { phase, .. } => write!(f, "no phase is called `{phase}`"),
            Self::NoEdge { from, to, reason, .. } => {
                write!(f, "no template shows that `{from}` waits for `{to}`")?;
                reason.map_or(Ok(()), |reason| write!(f, " for reason {reason}"))
            }
            Self::NotRelaxed { edge, why, .. } => write!(
                f,
                "`{}` waits for `{}`: {}: {}: {}",
                edge.from,
                edge.to,
                edge.reason,
                edge.detail(),
                match why {
                    NotEased::NoResource => {
                        "only a parameter or a repository of the stack itself can be waited for"
                    }
                    NotEased::NoKnownParameter => {
                        "only a parameter whose name is known can be looked up before the run"
                    }
                }
            ),
            Self::SameStack { first, second, name, environment } => write!(
                f,
                "`{first}` and `{second}` are the same stack: both are called `{name}` in {environment}"
            ),
            Self::MissingContext { stack, key, provider, .. } => {
                write!(f, "`{stack}` was synthesized without context it needs: `{key}` ({provider})")
            }
            Self::Nothing { all_left_out } => f.write_str(if *all_left_out {
                "there is no stack to deploy: every stack is left out"
            } else {
                "there is no stack to deploy: the assembly has none"
            }),
        }
    }
}

impl Explained for PlanError {
    fn message(&self) -> String {
        match self {
            // It has a line for each edge.
            Self::Cycle { .. } => self.to_string(),
            _ => one_line(&self.to_string()),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            Self::UnknownStack { place, .. }
            | Self::Ambiguous { place, .. }
            | Self::NoStackIn { place, .. }
            | Self::Pattern { place, .. }
            | Self::UnknownCommand { place, .. }
            | Self::UnknownPhase { place, .. }
            | Self::RolloutContradiction { place, .. }
            | Self::RolloutWithoutRegion { place, .. }
            | Self::RolloutOfOneRegion { place, .. }
            | Self::NoEdge { place, .. }
            | Self::NotRelaxed { place, .. } => Some(one_line(place)),
            Self::Cycle { .. }
            | Self::Contradiction { .. }
            | Self::CommandWithoutPlace { .. }
            | Self::SameStack { .. }
            | Self::MissingContext { .. }
            | Self::NothingAffected { .. }
            | Self::Nothing { .. } => None,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownStack { meant: Some(meant), .. } | Self::UnknownPhase { meant: Some(meant), .. } => {
                format!("did you mean `{meant}`?")
            }
            Self::UnknownStack { meant: None, .. } => STACKS_ARE_LISTED.to_owned(),
            Self::UnknownPhase { meant: None, .. } => "`phases` in paceline.yaml names them".to_owned(),
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
            Self::RolloutContradiction { edge, first, other, .. } => format!(
                "write `first: {other}`, or change the app so that no stack of {first} waits for `{}`",
                edge.to
            ),
            Self::RolloutWithoutRegion { .. } => {
                "give it an `env` with a region in the app, or remove `rollout`".to_owned()
            }
            Self::RolloutOfOneRegion { .. } => "remove `rollout`".to_owned(),
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
                format!("`{stack}` makes {} itself: have the app read it in another way", lookup_shown(name))
            }
            Self::MissingContext { name: Some(name), maker: Some(maker), .. } => {
                format!("`{maker}` makes {name}: deploy it in the same run, or first, and synthesize again")
            }
            Self::MissingContext { name: Some(name), maker: None, .. } => {
                format!("no stack makes {}: create it, and synthesize again", lookup_shown(name))
            }
            Self::MissingContext { .. } => {
                "synthesize where it can be looked up, and commit `cdk.context.json`".to_owned()
            }
            Self::NoStackIn { kinds, known, .. } if known.is_empty() => {
                format!("no stack says in which of the {kinds} it is")
            }
            Self::NoStackIn { kinds, known, .. } => format!("the {kinds} are: {}", known.join(", ")),
            Self::NothingAffected { .. } => return None,
            Self::Nothing { .. } => "check --only, --exclude and the multi-region setting".to_owned(),
        };
        Some(hint)
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NothingAffected { .. } => ExitCode::Done,
            _ => ExitCode::Usage,
        }
    }
}

/// One of the edges that make up a circle.
fn line_of_circle(edge: &Edge) -> String {
    let [from, to, detail] = [&edge.from, &edge.to, &edge.detail()].map(|text| one_line(text));
    format!("  {from} waits for {to} ({}: {detail})", edge.reason)
}

fn show_ways(ways: &[WayOut]) -> String {
    let indented = |way: &WayOut| {
        let lines = lines_of(way).into_iter().map(|line| format!("      {}", one_line(&line)));
        lines.collect::<Vec<_>>().join("\n")
    };
    ways.iter().map(indented).collect::<Vec<_>>().join("\n    or\n")
}

/// The entries of `edges:` in the configuration.
fn lines_of(way: &WayOut) -> Vec<String> {
    let [from, to] = [&way.from, &way.to].map(|id| word(id));
    let mut lines = Vec::new();
    if way.parameters {
        lines.push(format!(
            "- {{ from: {from}, to: {to}, relax: when-present, because: its parameters are there already }}"
        ));
    }
    if way.manifest {
        lines.push(format!(
            "- {{ from: {from}, to: {to}, reason: manifest, relax: when-present, because: it need not come after it }}"
        ));
    }
    lines
}
