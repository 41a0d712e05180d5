//! The steps of a plan: what stacks need is published, gates stand between stacks.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use camino::Utf8Path;
use paceline_assembly::{Stack, Template};

use crate::build::assets::{Destination, is_template};
use crate::build::commands::{Place, Placed};
use crate::build::edges::BorrowedAsset;
use crate::build::error::PlanError;
use crate::build::names::Names;
use crate::build::{late, relax};
use crate::config::{Config, IamRoles};
use crate::model::plan::{Early, PlannedStack, Publish, Step, Work};
use crate::outlook::forecast::{Expect, Expected};

/// What stands before the place of an asset in the id of the step that brings it there.
pub(crate) const PUBLISH: &str = "publish:";

/// Which stacks have a gate, and for which roles.
pub(crate) type Gates = BTreeMap<String, IamRoles>;

/// When resources of stacks are complete, by the stack's id and their logical ids.
pub(crate) type Complete<'a> = HashMap<&'a str, &'a BTreeMap<String, Duration>>;

/// Matches the configured gates with the stacks.
pub(crate) fn gates(
    config: &Config,
    names: &Names<'_>,
    stacks: &[PlannedStack],
    warnings: &mut Vec<String>,
) -> Result<Gates, PlanError> {
    let planned: HashSet<&str> = stacks.iter().map(|stack| stack.id.as_str()).collect();
    let mut gates = Gates::new();
    for (number, gate) in config.gates.iter().enumerate() {
        for id in names.matching(&gate.after, &format!("gates[{number}]"))? {
            let Some(stack) = names.stack(id).filter(|_| planned.contains(id)) else { continue };
            let roles = roles(stack);
            if roles.is_empty() {
                warnings.push(format!("gates[{number}] has nothing to wait for: `{id}` creates no role"));
                continue;
            }
            if let IamRoles::Named(wanted) = &gate.iam_roles {
                for name in wanted.iter().filter(|name| !roles.contains(name.as_str())) {
                    warnings.push(format!("gates[{number}]: `{id}` creates no role that is called `{name}`"));
                }
            }
            match (gates.get_mut(id), &gate.iam_roles) {
                // Two gates after one stack wait for what either asks for.
                (Some(IamRoles::Named(before)), IamRoles::Named(more)) => before.extend(more.iter().cloned()),
                (Some(IamRoles::All), _) => {}
                (_, roles) => {
                    gates.insert(id.to_owned(), roles.clone());
                }
            }
        }
    }
    Ok(gates)
}

/// The logical ids of a stack's roles and instance profiles, and their names as far as the templates say them.
fn roles(stack: &Stack) -> HashSet<&str> {
    let templates = std::iter::once(&stack.template).chain(stack.nested.iter().map(|n| &n.template));
    let mut roles = HashSet::new();
    for (id, resource) in templates.flat_map(Template::resources) {
        let name = match resource.resource_type {
            "AWS::IAM::Role" => "RoleName",
            "AWS::IAM::InstanceProfile" => "InstanceProfileName",
            _ => continue,
        };
        roles.insert(id);
        roles.extend(resource.properties.and_then(|properties| properties.get(name)?.as_str()));
    }
    roles
}

/// What steps are made from, beside the stacks.
pub(crate) struct Maker<'a> {
    pub(crate) names: &'a Names<'a>,
    pub(crate) gates: &'a Gates,
    pub(crate) complete: Complete<'a>,
    pub(crate) borrowed: HashMap<&'a str, &'a [BorrowedAsset<'a>]>,
    pub(crate) commands: &'a [(&'a Placed<'a>, Place)],
    pub(crate) config_path: &'a Utf8Path,
    pub(crate) expect: Expect<'a>,
}

/// Makes the steps: every asset once for each place it goes to, every stack, every gate, every command. The steps
/// about a stack come together, and in the order of the stacks.
pub(crate) fn make(maker: &Maker<'_>, stacks: &[PlannedStack]) -> Vec<Step> {
    let Maker { names, gates, complete, borrowed, expect, .. } = maker;
    let mut steps: Vec<Step> = Vec::new();
    // The steps of commands, by the command's position in the configuration.
    let mut ran: HashMap<usize, usize> = HashMap::new();
    let mut published: HashMap<String, usize> = HashMap::new();
    let mut synthesized = late::Synthesized::default();
    // What a stack's dependents wait for: its gate if it has one, else the stack.
    let mut done: HashMap<&str, usize> = HashMap::new();
    for (number, stack) in stacks.iter().enumerate() {
        maker.commands(
            &mut steps,
            &mut ran,
            stack,
            number,
            |place| place.precedes() == Some(number),
            |_| None,
        );
        let mut needs: Vec<usize> = Vec::new();
        let source = names.stack(&stack.id);
        // A stack that makes the bucket or the repository which its assets go to.
        let before = source.into_iter().flat_map(|s| &s.assets.depends_on);
        let before: Vec<usize> = before.filter_map(|id| done.get(id.as_str()).copied()).collect();
        let mut own = source.map_or_else(Vec::new, |s| assets(s, number).collect());
        if let Some(source) = source.filter(|_| !late::awaited(stack).is_empty()) {
            // Its template is made by the synthesis that it waits for, and published with that.
            own.retain(|(_, publish)| !is_template(source, &publish.asset, publish.image));
        }
        let own = own.into_iter().map(|(place, publish)| (place, publish, before.clone()));
        let borrowed = borrowed.get(stack.id.as_str()).into_iter().flat_map(|assets| assets.iter());
        let borrowed = borrowed.map(|asset| {
            let before = asset.after.iter().filter_map(|id| done.get(id.as_str()).copied()).collect();
            (asset.place.clone(), asset.publish(number), before)
        });
        for (place, publish, before) in own.chain(borrowed).collect::<Vec<_>>() {
            let step = *published.entry(place).or_insert_with_key(|place| {
                let expected = expect.asset(&publish, stack.site());
                let id = format!("{PUBLISH}{place}");
                steps.push(step(id, Work::Publish(publish), before, expected));
                steps.len() - 1
            });
            needs.push(step);
        }
        needs.extend(stack.depends_on.iter().filter_map(|edge| done.get(edge.to.as_str())));
        let early = early(stack, &done, complete, &steps);
        let app = source.and_then(|source| source.app.as_deref());
        needs.extend(synthesized.before(app, stack, number, (&done, &early), &mut steps, *expect));
        let waits = maker.commands.iter().filter(|(_, place)| place.before.contains(&number));
        needs.extend(waits.filter_map(|(command, _)| ran.get(&command.number)));
        needs.sort_unstable();
        needs.dedup();
        let id = format!("deploy:{}", stack.id);
        let expected =
            Expected { time: stack.expected, basis: stack.expected_from, operation: stack.operation };
        steps.push(Step { early, ..step(id, Work::Deploy { stack: number }, needs, expected) });
        let deployed = steps.len() - 1;
        done.insert(&stack.id, deployed);
        if let (Some(roles), Some(source)) = (gates.get(&stack.id), source) {
            let id = format!("gate:iam-roles:{}", stack.id);
            let work = Work::Gate { stack: number, roles: roles.clone() };
            steps.push(step(id, work, vec![deployed], expect.gate(source, roles)));
            done.insert(&stack.id, steps.len() - 1);
        }
        let done = |stack: usize| done.get(stacks[stack].id.as_str()).copied();
        maker.commands(&mut steps, &mut ran, stack, number, |place| place.follows() == Some(number), done);
    }
    steps
}

impl Maker<'_> {
    /// Adds the commands whose place is here.
    fn commands(
        &self,
        steps: &mut Vec<Step>,
        ran: &mut HashMap<usize, usize>,
        stack: &PlannedStack,
        number: usize,
        is_here: impl Fn(&Place) -> bool,
        done: impl Fn(usize) -> Option<usize>,
    ) {
        for (command, place) in self.commands.iter().filter(|(_, place)| is_here(place)) {
            let mut needs: Vec<usize> = place.after.iter().filter_map(|&stack| done(stack)).collect();
            needs.extend(command.commands.iter().filter_map(|other| ran.get(other)));
            needs.sort_unstable();
            needs.dedup();
            // Two commands of one name are two steps.
            let id = format!("command:{}:{}", command.number, command.name());
            let expected = self.expect.command(command.name(), stack.site());
            let work = Work::Command(command.command(number, self.config_path));
            steps.push(step(id, work, needs, expected));
            ran.insert(command.number, steps.len() - 1);
        }
    }
}

/// The stacks that one waits for only until some resources are complete. What follows a stack before others may
/// start, follows the whole of it.
fn early(
    stack: &PlannedStack,
    done: &HashMap<&str, usize>,
    complete: &Complete<'_>,
    steps: &[Step],
) -> Vec<Early> {
    let waits = relax::early(&stack.depends_on).into_iter();
    let waits = waits.filter_map(|(to, resources)| Some((to, *done.get(to)?, resources)));
    let waits = waits.filter(|(_, need, _)| matches!(steps[*need].work, Work::Deploy { .. }));
    let early = waits.map(|(to, need, resources)| {
        let times = resources.iter().filter_map(|id| complete.get(to)?.get(id));
        Early { need, after: times.max().copied().unwrap_or_default(), resources }
    });
    early.collect()
}

pub(crate) fn step(id: String, work: Work, needs: Vec<usize>, expected: Expected) -> Step {
    let (early, expected_from) = (Vec::new(), expected.basis);
    Step { id, work, needs, early, expected: expected.time, expected_from }
}

/// A stack's assets, each with the place it goes to: the same place means the same object.
pub(crate) fn assets(stack: &Stack, number: usize) -> impl Iterator<Item = (String, Publish)> {
    Destination::of(stack).map(move |to| (to.place(), to.publish(number, &stack.id)))
}
