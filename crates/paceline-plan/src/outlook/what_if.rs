//! `--what-if`: a plan with other durations, without an edge, or with other limits.
//!
//! A change makes a plan from a plan. The engine then says how long either takes.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use globset::GlobBuilder;
use paceline_text::near;

use crate::model::{LeftOut, LeftOutReason, Plan};
use paceline_config::parse_duration;

/// What a change begins with that drops edges.
pub(crate) const DROP: &str = "drop-edge";

/// A change to a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Stacks take another time.
    Duration {
        /// An id, a name, or a pattern of either.
        stacks: String,
        /// How much time.
        time: Adjust,
    },
    /// One stack no longer waits for another, whatever the reasons were.
    DropEdge {
        /// The stack that waits.
        from: String,
        /// The stack it waits for.
        to: String,
    },
    /// So many stack operations at once.
    Concurrency(NonZeroUsize),
}

/// How a duration changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjust {
    /// It becomes this.
    To(Duration),
    /// It grows by this.
    More(Duration),
    /// It shrinks by this, at most to nothing.
    Less(Duration),
    /// It becomes so many percent of what it was.
    Percent(u32),
}

/// Why a change cannot be made. Its sentence is made in `show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIfError {
    /// The change, as it was asked for.
    pub text: String,
    /// What is wrong with it.
    pub problem: WhatIfProblem,
}

/// What is wrong with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhatIfProblem {
    /// It is written like none of the changes.
    NoChange,
    /// Its duration cannot be read.
    NoDuration {
        /// The duration, as it is written.
        amount: String,
    },
    /// `drop-edge` does not name two stacks.
    NotTwoStacks,
    /// A name that must mean one stack means several.
    SeveralStacks {
        /// The name.
        name: String,
        /// The ids of the stacks.
        stacks: Vec<String>,
    },
    /// The stack is left out of the plan.
    LeftOut {
        /// The id of the stack.
        stack: String,
        /// Why.
        why: LeftOutReason,
    },
    /// A name means no stack.
    UnknownStack {
        /// The name.
        name: String,
        /// The id that may have been meant.
        meant: Option<String>,
    },
    /// One stack does not wait for the other directly.
    NoEdge {
        /// The id of the stack that would wait.
        from: String,
        /// The id of the stack it would wait for.
        to: String,
        /// Whether the other waits for the one.
        other_way: bool,
        /// The ids of the stacks that the one waits for.
        waits_for: Vec<String>,
    },
}

impl std::error::Error for WhatIfError {}

/// The effect of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIf {
    /// The changes, as they were asked for.
    pub changes: Vec<Change>,
    /// The plan as it is configured.
    pub before: Completion,
    /// The plan with all of them.
    pub after: Completion,
}

/// When a plan is complete, and which stacks decide that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// When everything is done.
    pub finish: Duration,
    /// The ids of the stacks on the heaviest chain.
    pub critical_path: Vec<String>,
}

impl Change {
    /// Reads `Storage=-10m`, `=+5m`, `=12m`, `=-20%` or `drop-edge A B`.
    pub fn parse(text: &str) -> Result<Self, WhatIfError> {
        let trimmed = text.trim();
        if let Some(rest) = trimmed.strip_prefix(DROP).filter(|rest| rest.starts_with(char::is_whitespace)) {
            return match rest.split_whitespace().collect::<Vec<_>>().as_slice() {
                [from, to] => Ok(Self::DropEdge { from: (*from).to_owned(), to: (*to).to_owned() }),
                _ => Err(error(text, WhatIfProblem::NotTwoStacks)),
            };
        }
        let Some((stacks, amount)) = trimmed.rsplit_once('=').filter(|(stacks, _)| !stacks.trim().is_empty())
        else {
            return Err(error(text, WhatIfProblem::NoChange));
        };
        let amount = amount.trim();
        let time = Adjust::parse(amount)
            .ok_or_else(|| error(text, WhatIfProblem::NoDuration { amount: amount.to_owned() }))?;
        Ok(Self::Duration { stacks: stacks.trim().to_owned(), time })
    }

    /// The plan with this change.
    pub fn apply(&self, plan: &Plan) -> Result<Plan, WhatIfError> {
        let mut plan = plan.clone();
        match self {
            Self::Concurrency(stacks) => plan.concurrency.stacks = *stacks,
            Self::Duration { stacks, time } => {
                for number in self.stacks(&plan, stacks)? {
                    plan.set_expected(number, time.of(plan.stacks[number].expected));
                }
            }
            Self::DropEdge { from, to } => {
                let (from, to) = (self.stack(&plan, from)?, self.stack(&plan, to)?);
                if !plan.drop_edges(from, to) {
                    return Err(self.no_edge(&plan, from, to));
                }
            }
        }
        plan.find_critical_path();
        Ok(plan)
    }

    fn stack(&self, plan: &Plan, name: &str) -> Result<usize, WhatIfError> {
        match self.stacks(plan, name)?.as_slice() {
            [one] => Ok(*one),
            several => {
                let stacks = several.iter().map(|&number| plan.stacks[number].id.clone()).collect();
                Err(self.error(WhatIfProblem::SeveralStacks { name: name.to_owned(), stacks }))
            }
        }
    }

    /// The stacks that a name means; at least one.
    fn stacks(&self, plan: &Plan, name: &str) -> Result<Vec<usize>, WhatIfError> {
        let all = || plan.stacks.iter().enumerate();
        if let Some((number, _)) = all().find(|(_, stack)| stack.id == name) {
            return Ok(vec![number]);
        }
        let glob = GlobBuilder::new(name).literal_separator(false).build();
        let found = match glob.map(|glob| glob.compile_matcher()) {
            Ok(glob) => {
                let matches = all().filter(|(_, stack)| {
                    stack.name == name || glob.is_match(&stack.id) || glob.is_match(&stack.name)
                });
                matches.map(|(number, _)| number).collect()
            }
            Err(_) => Vec::new(),
        };
        if found.is_empty() {
            let left_out = plan.left_out.iter().find(|left_out| left_out.stack == name);
            let near = || near(name, plan.stacks.iter().map(|stack| stack.id.as_str()));
            return Err(self.error(match left_out {
                Some(LeftOut { stack, why }) => {
                    WhatIfProblem::LeftOut { stack: stack.clone(), why: why.clone() }
                }
                None => {
                    WhatIfProblem::UnknownStack { name: name.to_owned(), meant: near().map(str::to_owned) }
                }
            }));
        }
        Ok(found)
    }

    fn no_edge(&self, plan: &Plan, from: usize, to: usize) -> WhatIfError {
        let (from, to) = (&plan.stacks[from], &plan.stacks[to]);
        let waits_for: BTreeSet<&String> = from.depends_on.iter().map(|edge| &edge.to).collect();
        self.error(WhatIfProblem::NoEdge {
            from: from.id.clone(),
            to: to.id.clone(),
            other_way: to.depends_on.iter().any(|edge| edge.to == from.id),
            waits_for: waits_for.into_iter().cloned().collect(),
        })
    }

    fn error(&self, problem: WhatIfProblem) -> WhatIfError {
        error(&self.to_string(), problem)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration { stacks, time } => write!(f, "{stacks}={time}"),
            Self::DropEdge { from, to } => write!(f, "{DROP} {from} {to}"),
            Self::Concurrency(stacks) => write!(f, "at most {stacks} stacks at once"),
        }
    }
}

impl Adjust {
    fn parse(text: &str) -> Option<Self> {
        let (sign, amount) = match text.chars().next()? {
            sign @ ('+' | '-') => (Some(sign), &text[1..]),
            _ => (None, text),
        };
        if let Some(percent) = amount.strip_suffix('%') {
            let percent: u32 = percent.trim().parse().ok().filter(|percent| *percent <= 100_000)?;
            return Some(Self::Percent(match sign {
                Some('+') => 100 + percent,
                Some(_) => 100_u32.checked_sub(percent)?,
                None => percent,
            }));
        }
        let time = parse_duration(amount).filter(|time| *time <= Duration::from_hours(24 * 7))?;
        Some(match sign {
            Some('+') => Self::More(time),
            Some(_) => Self::Less(time),
            None => Self::To(time),
        })
    }

    fn of(self, time: Duration) -> Duration {
        match self {
            Self::To(to) => to,
            Self::More(more) => time.saturating_add(more),
            Self::Less(less) => time.saturating_sub(less),
            Self::Percent(percent) => time.saturating_mul(percent) / 100,
        }
    }
}

impl fmt::Display for Adjust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, time) = match self {
            Self::Percent(percent) if *percent >= 100 => return write!(f, "+{}%", percent - 100),
            Self::Percent(percent) => return write!(f, "-{}%", 100 - percent),
            Self::To(time) => ("", time),
            Self::More(time) => ("+", time),
            Self::Less(time) => ("-", time),
        };
        let seconds = time.as_secs();
        match (seconds / 60, seconds % 60) {
            (0, seconds) => write!(f, "{sign}{seconds}s"),
            (minutes, 0) => write!(f, "{sign}{minutes}m"),
            (minutes, seconds) => write!(f, "{sign}{minutes}m{seconds}s"),
        }
    }
}

fn error(text: &str, problem: WhatIfProblem) -> WhatIfError {
    WhatIfError { text: text.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use paceline_text::Explained as _;

    use super::*;

    #[test]
    fn changes_are_written_in_five_ways() {
        for (text, expected) in [
            ("Storage=-10m", "Storage=-10m"),
            ("Storage = +5m", "Storage=+5m"),
            ("Prod/Storage=12m30s", "Prod/Storage=12m30s"),
            ("*=-20%", "*=-20%"),
            ("Storage=150%", "Storage=+50%"),
            ("drop-edge  A   B", "drop-edge A B"),
            ("drop-edge=5m", "drop-edge=5m"),
        ] {
            assert_eq!(Change::parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_change_is_refused_with_how_to_write_one() {
        for (text, expected) in [
            ("", "it is no change"),
            ("Storage", "it is no change"),
            ("=5m", "it is no change"),
            ("Storage=", "`` is no duration"),
            ("Storage=soon", "`soon` is no duration"),
            ("Storage=-200%", "`-200%` is no duration"),
            ("Storage=99999999999h", "`99999999999h` is no duration"),
            ("Storage=é", "`é` is no duration"),
            ("drop-edge A", "it does not name two stacks"),
        ] {
            let error = Change::parse(text).unwrap_err();
            assert_eq!(error.to_string(), format!("--what-if '{text}': {expected}"));
            assert!(error.hint().unwrap().contains("write it like"), "{error}");
        }
    }

    #[test]
    fn a_duration_is_set_or_moved_but_never_below_nothing() {
        let ten = Duration::from_mins(10);
        for (text, minutes) in [("12m", 12), ("+5m", 15), ("-4m", 6), ("-1h", 0), ("-20%", 8), ("50%", 5)] {
            assert_eq!(Adjust::parse(text).unwrap().of(ten), Duration::from_mins(minutes), "{text}");
        }
    }
}
