//! The sentences of warnings, and why stacks are left out.

use std::fmt;

use paceline_text::first_few;

use super::lookups::lookup_shown;
use super::wording::{show_duration, show_reasons};
use crate::model::{LeftOutReason, NoRollout, Reason, Warning};

/// So many places of a stack are named.
const NAMED_PLACES: usize = 3;
/// A list of stacks ends after so many.
const LISTED: usize = 4;

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assembly { text } => f.write_str(text),
            Self::LeftOutButNeeded { stack, why, needed_by } => {
                left_out_but_needed(f, stack, why.as_ref(), needed_by)
            }
            Self::Opaque { stack, first, more } => {
                let more = if *more == 0 { String::new() } else { format!(" (and {more} more)") };
                write!(f, "{stack}: {first}{more}; if that ties it to other stacks, `edges:` has to say so")
            }
            Self::TooLarge { stack, places } => {
                let named: Vec<String> =
                    places.iter().take(NAMED_PLACES).map(|place| format!("`{place}`")).collect();
                let more = match places.len().saturating_sub(NAMED_PLACES) {
                    0 => String::new(),
                    more => format!(" and {more} more places"),
                };
                write!(
                    f,
                    "{stack}: the functions at {}{more} make texts that are too large to be followed; if that ties it to \
                     other stacks, `edges:` has to say so",
                    named.join(", ")
                )
            }
            Self::MadeTwice { first, second, parameter } => write!(
                f,
                "`{first}` and `{second}` both make the parameter {parameter}: whichever comes second fails"
            ),
            Self::OverwritesFirst { from, to, parameter } => write!(
                f,
                "`{from}` overwrites the parameter {parameter}, which `{to}` makes, and is deployed before it: on a fresh \
                 account `{to}` then fails, as the parameter is there already"
            ),
            Self::StackErrors { stack, errors } => {
                let noun = if *errors == 1 { "error" } else { "errors" };
                write!(f, "stack `{stack}` has {errors} {noun} in its metadata: it will not be deployed")
            }
            Self::Placeholder { stack, name, place, maker } => {
                let then = match maker {
                    Some(maker) => format!(
                        "`{maker}` makes it, so synthesize again when that is deployed (with `synth` in paceline.yaml \
                         the run does so)"
                    ),
                    None => "synthesize again when it is there".to_owned(),
                };
                write!(
                    f,
                    "`{stack}` was synthesized without {}, and would be deployed with a placeholder for it ({place}): {then}",
                    lookup_shown(name)
                )
            }
            Self::GateWithoutRoles { gate, stack } => {
                write!(f, "gates[{gate}] has nothing to wait for: `{stack}` creates no role")
            }
            Self::GateOfUnknownRole { gate, stack, role } => {
                write!(f, "gates[{gate}]: `{stack}` creates no role that is called `{role}`")
            }
            Self::CommandLeftOut { command } => {
                write!(f, "the command `{command}` is left out: no stack it follows is deployed")
            }
            Self::RolloutWithoutEffect { first, why } => {
                f.write_str("`rollout` has no effect: ")?;
                match why {
                    NoRollout::OthersOff { variable } => {
                        write!(f, "the other regions are off, as {variable} is not set to true")
                    }
                    NoRollout::FirstOff { variable } => {
                        write!(
                            f,
                            "{first} is off, as {variable} is not set to true, so its alarms are not watched"
                        )
                    }
                    NoRollout::OnlyFirst => write!(f, "only stacks of {first} are deployed"),
                    NoRollout::NotFirst => {
                        write!(f, "no stack of {first} is deployed, so its alarms are not watched")
                    }
                }
            }
            Self::InOnePhaseInOrder { phase, from, to, reasons, cost, can_be_relaxed } => {
                let (reasons, cost) = (show_reasons(reasons), show_duration(*cost));
                write!(
                    f,
                    "phase `{phase}` deploys `{from}` after `{to}` and not at the same time ({reasons}), which takes up to \
                     {cost} longer"
                )?;
                if *can_be_relaxed {
                    f.write_str(
                        "; a fresh account needs that order, and for a redeployment `relax: when-present` at an edge in \
                         `edges:` lets both start at once",
                    )?;
                }
                Ok(())
            }
            Self::EasedWithoutEffect { from, to, reasons } => write!(
                f,
                "`edges` says that `{from}` need not wait for all of `{to}`, but it does because of other edges ({}): \
                 `paceline explain {from} {to}` shows why",
                show_reasons(reasons)
            ),
            Self::KeptUnknown { error } => {
                write!(f, "the stacks that are not deleted could not be planned: {error}")
            }
        }
    }
}

fn left_out_but_needed(
    f: &mut fmt::Formatter<'_>,
    stack: &str,
    why: Option<&LeftOutReason>,
    needed_by: &[(String, Reason)],
) -> fmt::Result {
    let listed = first_few(needed_by.iter().map(|(stack, reason)| format!("{stack} ({reason})")), LISTED);
    let need = if needed_by.len() == 1 { "needs" } else { "need" };
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    write!(f, "{stack} is left out{why}, and {listed} {need} it: it must be deployed already")
}

impl fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RegionOff { region, variable } => {
                write!(f, "{region} is off: {variable} is not set to true")
            }
            Self::WaitsFor { stack } => write!(f, "waits for {stack}, which is left out"),
            Self::Excluded => f.write_str("--exclude names it"),
            Self::NotInOnly => f.write_str("--only does not name it"),
            Self::NotAffected { base } => write!(f, "it does not differ from {base}"),
            Self::NotNamed => f.write_str("it is not named"),
            Self::NotNeeded => f.write_str("it is not named, and no named stack needs it"),
            Self::NeedsNoneNamed => f.write_str("none of the stacks named is needed by it"),
        }
    }
}
