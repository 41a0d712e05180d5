//! The team's commands: which stacks each follows, and which wait for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::Utf8Path;
use paceline_text::near;

use super::error::PlanError;
use super::names::Names;
use crate::model::{Command, Edge, Reason, Tie, Warning};
use paceline_config::{CommandConfig, Patterns, PhaseConfig};

/// What stands before the name of a phase or of a command.
const PHASE: &str = "phase:";
const COMMAND: &str = "command:";

/// The commands of a plan, in the configuration's order.
#[derive(Debug)]
pub(crate) struct Commands<'a>(Vec<Placed<'a>>);

/// A command and its place in the graph.
#[derive(Debug)]
pub(crate) struct Placed<'a> {
    /// Its position in the configuration.
    pub(crate) number: usize,
    config: &'a CommandConfig,
    /// The ids of the stacks that it follows, those of commands that it follows among them.
    after: BTreeSet<&'a str>,
    /// The ids of the stacks that wait for it.
    before: BTreeSet<&'a str>,
    /// The positions of the commands that it follows.
    pub(crate) commands: Vec<usize>,
}

impl<'a> Commands<'a> {
    pub(crate) fn new(
        commands: &'a [CommandConfig],
        phases: &[PhaseConfig],
        names: &Names<'a>,
    ) -> Result<Self, PlanError> {
        let mut placed: Vec<Placed<'a>> = Vec::new();
        for (number, config) in commands.iter().enumerate() {
            let used_in = format!("commands[{number}]");
            if config.after.0.is_empty() && config.before.0.is_empty() {
                return Err(PlanError::CommandWithoutPlace { command: config.name.clone() });
            }
            let mut after = stacks(&config.after, phases, names, &used_in)?;
            let mut follows = Vec::new();
            for pattern in &config.after.0 {
                let Some(name) = pattern.text.strip_prefix(COMMAND) else { continue };
                let Some(other) = placed.iter().find(|it| it.config.name == name) else {
                    return Err(PlanError::UnknownCommand {
                        place: names.place(pattern, &used_in),
                        command: name.to_owned(),
                    });
                };
                follows.push(other.number);
                after.extend(&other.after);
            }
            let before = stacks(&config.before, phases, names, &used_in)?;
            placed.push(Placed { number, config, after, before, commands: follows });
        }
        Ok(Self(placed))
    }

    /// The stacks that wait for a command wait for all stacks that the command follows.
    pub(crate) fn edges(&self) -> Vec<Edge> {
        let pairs = self.0.iter().flat_map(|it| {
            let tie = Tie::Command { command: it.config.name.clone() };
            let pairs = it.before.iter().flat_map(|from| it.after.iter().map(move |to| (*from, *to)));
            pairs.map(move |(from, to)| Edge::new(from, to, Reason::Config, tie.clone()))
        });
        pairs.collect()
    }

    /// The commands that have a place among the stacks of the plan, each with that place. A command is left out, with a
    /// warning, if none of its stacks is deployed.
    pub(crate) fn among<'p>(
        &'p self,
        index: &HashMap<&str, usize>,
        warnings: &mut Vec<Warning>,
    ) -> Vec<(&'p Placed<'a>, CommandSlot)> {
        let mut found: Vec<(&Placed<'a>, CommandSlot)> = Vec::new();
        for it in &self.0 {
            let of =
                |ids: &BTreeSet<&str>| ids.iter().filter_map(|id| index.get(id).copied()).collect::<Vec<_>>();
            let (after, before) = (of(&it.after), of(&it.before));
            // A command that follows stacks has nothing to do if none of them is deployed.
            let has_place = if it.config.after.0.is_empty() { !before.is_empty() } else { !after.is_empty() };
            if has_place {
                found.push((it, CommandSlot { after, before }));
            } else {
                warnings.push(Warning::CommandLeftOut { command: it.config.name.clone() });
            }
        }
        found
    }
}

/// The stacks of a plan around a command, by number.
#[derive(Debug)]
pub(crate) struct CommandSlot {
    pub(crate) after: Vec<usize>,
    pub(crate) before: Vec<usize>,
}

impl CommandSlot {
    /// The stack after whose steps the command comes.
    pub(crate) fn follows(&self) -> Option<usize> {
        self.after.iter().max().copied()
    }

    /// The stack before whose steps the command comes, if it follows none.
    pub(crate) fn precedes(&self) -> Option<usize> {
        self.before.iter().min().copied().filter(|_| self.after.is_empty())
    }
}

impl Placed<'_> {
    /// The work of the step, for the stack with this number.
    pub(crate) fn command(&self, stack: usize, config_path: &Utf8Path) -> Command {
        let folder = config_path.parent().unwrap_or(Utf8Path::new(""));
        let config = self.config;
        Command {
            name: config.name.clone(),
            stack,
            run: config.run.clone(),
            shell: config.shell.clone(),
            dir: config.dir.as_ref().map_or_else(|| folder.to_owned(), |dir| folder.join(dir)),
            env: config.env.clone(),
            timeout: config.timeout,
            retries: config.retries,
            scripts: BTreeMap::new(),
        }
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }
}

/// The stacks that patterns mean; those of a phase are all that the phase names.
fn stacks<'a>(
    patterns: &Patterns,
    phases: &[PhaseConfig],
    names: &Names<'a>,
    used_in: &str,
) -> Result<BTreeSet<&'a str>, PlanError> {
    let mut found = BTreeSet::new();
    for pattern in &patterns.0 {
        if pattern.text.starts_with(COMMAND) {
            continue;
        }
        let Some(name) = pattern.text.strip_prefix(PHASE) else {
            found.extend(names.matching(pattern, used_in)?);
            continue;
        };
        let Some(phase) = phases.iter().find(|phase| phase.name == name) else {
            return Err(PlanError::UnknownPhase {
                place: names.place(pattern, used_in),
                phase: name.to_owned(),
                meant: near(name, phases.iter().map(|phase| phase.name.as_str())).map(str::to_owned),
            });
        };
        for pattern in &phase.stacks {
            found.extend(names.matching(pattern, &format!("phase `{name}`"))?);
        }
    }
    Ok(found)
}
