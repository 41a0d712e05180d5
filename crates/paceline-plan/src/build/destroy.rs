//! Turns a plan around: the same stacks, deleted in the reverse order.
//!
//! A stack can be deleted when every stack that waited for it is deleted. Assets, gates and the team's commands have no
//! part in this.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use paceline_assembly::{Assembly, Stack};
use paceline_text::Explained as _;

use super::error::PlanError;
use super::options::PlanOptions;
use super::resume_key;
use crate::model::graph::Graph;
use crate::model::{Basis, Edge, Phase, Plan, PlannedStack, Reason, StepOperation, Warning, Work};
use crate::outlook::api_load::loads;
use crate::outlook::expect::{Expect, Expected};
use paceline_config::Config;

/// What will be deleted, and what will not be although it may be there.
#[derive(Debug, Clone)]
pub struct Destruction {
    /// The plan whose steps delete stacks.
    pub plan: Plan,
    /// The resume key of the plan that deploys the same stacks: the two must not run at the same time.
    pub deploys: String,
    /// The stacks of the assembly that are not deleted.
    pub kept: Vec<Kept>,
}

/// A stack of the assembly that is not deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub stack: String,
    /// Its edges to stacks that are deleted.
    pub needs: Vec<Edge>,
    /// Whether it is only kept because its region is off: nobody asked for it to stay.
    pub region_is_off: bool,
}

impl Destruction {
    /// Makes the plan that deletes what the options choose.
    pub fn make(assembly: &Assembly, config: &Config, options: &PlanOptions) -> Result<Self, PlanError> {
        let options = &PlanOptions { deletes: true, ..options.clone() };
        let mut plan = Plan::make(assembly, config, options)?;
        let deploys = plan.resume_key.clone();
        // A part can be deleted even if the whole cannot be planned.
        let kept = kept(assembly, config, options, &plan).unwrap_or_else(|error| {
            plan.warnings.push(Warning::KeptUnknown { error: error.what() });
            Vec::new()
        });
        Ok(Self { plan: plan.reversed(assembly, options), deploys, kept })
    }
}

/// The stacks that are left out, with their edges to those that are not. A plan has no edges out of what it
/// leaves out, so they are looked up in the plan of everything.
fn kept(
    assembly: &Assembly,
    config: &Config,
    options: &PlanOptions,
    plan: &Plan,
) -> Result<Vec<Kept>, PlanError> {
    if plan.left_out.is_empty() {
        return Ok(Vec::new());
    }
    let doomed: BTreeSet<&str> = plan.stacks.iter().map(|stack| stack.id.as_str()).collect();
    let everywhere = PlanOptions { multi_region: Some("true".to_owned()), ..options.clone() };
    let chosen = Plan::make(assembly, config, &everywhere)?;
    let off: BTreeSet<&str> = chosen.stacks.iter().map(|stack| stack.id.as_str()).collect();
    let everything = PlanOptions {
        stacks: Vec::new(),
        only: Vec::new(),
        exclude: Vec::new(),
        affected: None,
        ..everywhere
    };
    let everything = Plan::make(assembly, config, &everything)?;
    // Two stacks of an assembly may be one stack to CloudFormation.
    let place = |stack: &PlannedStack| (stack.name.clone(), stack.account.clone(), stack.region.clone());
    let places: BTreeSet<_> = plan.stacks.iter().map(place).collect();
    let left_out = everything.stacks.into_iter();
    let left_out = left_out.filter(|it| !doomed.contains(it.id.as_str()) && !places.contains(&place(it)));
    let kept = left_out.map(|stack| {
        let needs = stack.depends_on.into_iter();
        let needs = needs.filter(|edge| edge.reason != Reason::Phase && doomed.contains(edge.to.as_str()));
        Kept { region_is_off: off.contains(stack.id.as_str()), needs: needs.collect(), stack: stack.id }
    });
    Ok(kept.collect())
}

impl Plan {
    /// The plan that deletes this plan's stacks, each when all that depended on it are gone.
    #[must_use]
    fn reversed(self, assembly: &Assembly, options: &PlanOptions) -> Self {
        let count = self.stacks.len();
        let sources: Vec<Option<&Stack>> =
            self.stacks.iter().map(|stack| assembly.stack(&stack.id)).collect();
        // The last stack to deploy is the first to delete.
        let place = |old: usize| count - 1 - old;
        let mut graph = Graph::new(count);
        let mut depends_on: Vec<Vec<Edge>> = vec![Vec::new(); count];
        let numbers: HashMap<&str, usize> =
            self.stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        for edge in self.stacks.iter().flat_map(|stack| &stack.depends_on) {
            let (Some(&user), Some(&used)) = (numbers.get(edge.from.as_str()), numbers.get(edge.to.as_str()))
            else {
                continue;
            };
            graph.add(place(used), place(user));
            let turned = Edge { from: edge.to.clone(), to: edge.from.clone(), ..edge.clone() };
            depends_on[used].push(turned);
        }
        // A stack with a role that deletes another stack is deleted after that one.
        for (user, used) in needed_for_deleting(&sources) {
            if !graph.all_needs(place(user))[place(used)] {
                graph.add(place(used), place(user));
            }
        }
        let Ok(order) = graph.order() else { unreachable!("the edges were those of a plan, turned around") };
        let levels = graph.levels(&order);
        let expect = Expect { history: &options.history, durations: &options.durations };
        let nothing =
            Expected { time: Duration::ZERO, basis: Basis::Default, operation: StepOperation::Delete };
        let expected = |old: usize| sources[old].map_or(nothing, |stack| expect.deletion(stack));
        let mut position = vec![0; count];
        order.iter().enumerate().for_each(|(new, &number)| position[number] = new);
        let mut stacks = Vec::with_capacity(count);
        let mut steps = Vec::with_capacity(count);
        for (stack, &number) in order.iter().enumerate() {
            let old = place(number);
            let expected = expected(old);
            let planned = &self.stacks[old];
            stacks.push(PlannedStack {
                level: levels[number],
                expected: expected.time,
                expected_from: expected.basis,
                operation: expected.operation,
                api_loads: sources[old].map(|it| loads(it, StepOperation::Delete)).unwrap_or_default(),
                depends_on: std::mem::take(&mut depends_on[old]),
                ..planned.clone()
            });
            let mut needs: Vec<usize> = graph.needs(number).iter().map(|&need| position[need]).collect();
            needs.sort_unstable();
            steps.push(expected.step(format!("delete:{}", planned.id), Work::Delete { stack }, needs));
        }
        let phases = self.phases.iter().rev();
        let phases = phases
            .map(|phase| Phase { stacks: phase.stacks.iter().rev().cloned().collect(), ..phase.clone() });
        // These findings are about deployments.
        let (external, declared_only) = (Vec::new(), Vec::new());
        let mut plan = Self { stacks, steps, phases: phases.collect(), external, declared_only, ..self };
        plan.find_critical_path();
        plan.resume_key = resume_key::of_derived(&plan, resume_key::Derived::Deletion, &plan.resume_key);
        plan
    }
}

/// Pairs of stacks by number: the first is deleted with a role of the second.
fn needed_for_deleting(sources: &[Option<&Stack>]) -> Vec<(usize, usize)> {
    let mut owners: HashMap<(&Option<String>, &str), usize> = HashMap::new();
    for (number, stack) in sources.iter().enumerate().filter_map(|(n, stack)| Some((n, (*stack)?))) {
        for (_, resource) in stack.template.resources() {
            let name = resource.properties.and_then(|properties| properties.get("RoleName")?.as_str());
            if let Some(name) = name.filter(|_| resource.resource_type == "AWS::IAM::Role") {
                owners.insert((&stack.environment.account, name), number);
            }
        }
    }
    let mut pairs = Vec::new();
    for (number, stack) in sources.iter().enumerate().filter_map(|(n, stack)| Some((n, (*stack)?))) {
        let roles =
            stack.deploy_role.iter().map(|role| role.arn.as_str()).chain(stack.execution_role_arn.as_deref());
        let names = roles.filter_map(|arn| arn.rsplit('/').next());
        pairs.extend(
            names.filter_map(|name| Some((number, *owners.get(&(&stack.environment.account, name))?))),
        );
    }
    pairs.retain(|(user, used)| user != used);
    pairs
}
