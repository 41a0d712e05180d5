//! What would be if: a plan with other durations, without an edge, or with other limits.
//!
//! A change makes a plan from a plan. The engine then says how long either takes.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use globset::GlobBuilder;

use crate::build::edges::{Edge, Reason};
use crate::build::late;
use crate::build::names::suggestion;
use crate::config::parse_duration;
use crate::model::graph::Graph;
use crate::model::plan::{Plan, Work};
use crate::outlook::forecast::Basis;

/// What a change begins with that drops edges.
const DROP: &str = "drop-edge";

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

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--what-if '{text}': {problem}")]
pub struct WhatIfError {
    text: String,
    problem: String,
    /// What to do about it.
    pub hint: String,
}

/// What changes come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIf {
    /// The changes, as they were asked for.
    pub changes: Vec<Change>,
    /// The plan as it is configured.
    pub before: Outlook,
    /// The plan with all of them.
    pub after: Outlook,
}

/// When a plan is done, and what decides that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
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
                _ => Err(error(
                    text,
                    "it does not name two stacks",
                    "write it like 'drop-edge Waiting Awaited'",
                )),
            };
        }
        let hint =
            "write it like 'Storage=-10m', 'Storage=+5m', 'Storage=12m', 'Storage=-20%' or 'drop-edge A B'";
        let Some((stacks, amount)) = trimmed.rsplit_once('=').filter(|(stacks, _)| !stacks.trim().is_empty())
        else {
            return Err(error(text, "it is no change", hint));
        };
        let time = Adjust::parse(amount.trim())
            .ok_or_else(|| error(text, &format!("`{}` is no duration", amount.trim()), hint))?;
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
                let ids: Vec<&str> = several.iter().map(|&number| plan.stacks[number].id.as_str()).collect();
                let problem = format!("`{name}` is several stacks: {}", ids.join(", "));
                Err(error(&self.to_string(), &problem, "give the id of one"))
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
            let (problem, hint) = match left_out {
                Some(it) => {
                    (format!("{name} is left out: {}", it.why), "choose a stack of the plan".to_owned())
                }
                None => (
                    format!("no stack is called `{name}`"),
                    suggestion(name, plan.stacks.iter().map(|stack| stack.id.as_str())),
                ),
            };
            return Err(error(&self.to_string(), &problem, &hint));
        }
        Ok(found)
    }

    fn no_edge(&self, plan: &Plan, from: usize, to: usize) -> WhatIfError {
        let (from, to) = (&plan.stacks[from], &plan.stacks[to]);
        let edges: BTreeSet<&str> = from.depends_on.iter().map(|edge| edge.to.as_str()).collect();
        let hint = if to.depends_on.iter().any(|edge| edge.to == from.id) {
            format!("it is the other way round: did you mean 'drop-edge {} {}'?", to.id, from.id)
        } else if edges.is_empty() {
            format!("{} waits for no other stack", from.id)
        } else {
            let edges: Vec<&str> = edges.into_iter().collect();
            format!("did you mean one of those that {} waits for: {}?", from.id, edges.join(", "))
        };
        let problem = format!("{} does not wait for {} directly", from.id, to.id);
        error(&self.to_string(), &problem, &hint)
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

impl Plan {
    /// Lets a stack take another time.
    pub(crate) fn set_expected(&mut self, stack: usize, time: Duration) {
        self.stacks[stack].expected = time;
        self.stacks[stack].expected_from = Basis::Assumed;
        if let Some(step) = self.deploy_step(stack) {
            self.steps[step].expected = time;
        }
    }

    /// Lets one stack no longer wait for another. `false` when it does not wait for it directly.
    pub(crate) fn drop_edges(&mut self, from: usize, to: usize) -> bool {
        let (id, on) = (self.stacks[from].id.clone(), self.stacks[to].id.clone());
        let before = self.stacks[from].depends_on.len();
        self.stacks[from].depends_on.retain(|edge| edge.to != on);
        if self.stacks[from].depends_on.len() == before {
            return false;
        }
        let mut waited_for = self.steps_of(to);
        // Without anything to look up later, its app is not synthesized again for it.
        let synthesis = self.synthesis_of(from);
        waited_for.extend(synthesis.filter(|_| late::awaited(&self.stacks[from]).is_empty()));
        if let Some(step) = self.deploy_step(from) {
            self.steps[step].needs.retain(|need| !waited_for.contains(need));
            self.steps[step].early.retain(|early| !waited_for.contains(&early.need));
        }
        // A barrier holds for each stack of its phases. So far one of the two stood for the other at it.
        if self.stacks[from].phase == self.stacks[to].phase {
            let phase = |edge: &&Edge| edge.reason == Reason::Phase;
            let mut inherited: Vec<Edge> = Vec::new();
            for stack in &self.stacks {
                let of_first = stack.depends_on.iter().filter(phase).filter(|edge| edge.to == id);
                inherited.extend(of_first.map(|edge| Edge { to: on.clone(), ..edge.clone() }));
            }
            let of_last = self.stacks[to].depends_on.iter().filter(phase);
            inherited.extend(of_last.map(|edge| Edge { from: id.clone(), ..edge.clone() }));
            let number: HashMap<String, usize> =
                self.stacks.iter().enumerate().map(|(number, stack)| (stack.id.clone(), number)).collect();
            for edge in inherited {
                self.add_edge(number[&edge.from], number[&edge.to], edge);
            }
        }
        true
    }

    fn add_edge(&mut self, from: usize, to: usize, edge: Edge) {
        self.stacks[from].depends_on.push(edge);
        if let (Some(step), Some(&last)) = (self.deploy_step(from), self.steps_of(to).last())
            && last < step
            && !self.steps[step].needs.contains(&last)
        {
            self.steps[step].needs.push(last);
            self.steps[step].needs.sort_unstable();
        }
    }

    /// The steps of a stack that others wait for: its deployment, and the gate after it.
    pub(crate) fn steps_of(&self, stack: usize) -> Vec<usize> {
        let is_of = |work: &Work| {
            matches!(work, Work::Deploy { .. } | Work::Gate { .. }) && work.stack() == Some(stack)
        };
        let Some(first) = self.deploy_step(stack) else { return Vec::new() };
        // A gate follows its stack.
        (first..self.steps.len().min(first + 2)).filter(|&step| is_of(&self.steps[step].work)).collect()
    }

    /// The graph of the stacks.
    pub fn stack_graph(&self) -> Graph {
        let number: HashMap<&str, usize> =
            self.stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        let mut graph = Graph::new(self.stacks.len());
        for (from, stack) in self.stacks.iter().enumerate() {
            for edge in &stack.depends_on {
                if let Some(&to) = number.get(edge.to.as_str()) {
                    graph.add(from, to);
                }
            }
        }
        graph
    }
}

fn error(text: &str, problem: &str, hint: &str) -> WhatIfError {
    WhatIfError { text: text.to_owned(), problem: problem.to_owned(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
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
            assert!(error.hint.contains("write it like"), "{}", error.hint);
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
