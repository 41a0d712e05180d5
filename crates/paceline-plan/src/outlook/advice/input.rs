//! The input of the rules: the plan, and the insides of the stacks on its critical path.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_assembly::{Assembly, Stack};
use serde_json::Value;

use super::remedy::{ResourceList, StackPart};
use crate::model::{Edge, Plan, PlannedStack, Reason, Section, StepOperation, TemplatePlace};
use crate::outlook::durations::{Durations, ResourceOperation};
use crate::outlook::stack_time::{Resources, STACK_OVERHEAD, references};

/// Of a construct whose path in the stack is longer only the last parts are named.
const LONGEST_NAME: usize = 48;
/// Ends of a construct's path that say nothing, the last first.
const ENDS: [&str; 3] = ["/Default", "/Resource", "/Resource"];
/// The most stacks outside the critical path that are looked into.
const MOST_OTHERS: usize = 50;
/// How many resources of a part are named.
const NAMED: usize = 3;

/// The instances of database clusters.
pub(super) const INSTANCES: [&str; 3] =
    ["AWS::RDS::DBInstance", "AWS::Neptune::DBInstance", "AWS::DocDB::DBInstance"];

/// Ends of resource types that complete another resource: it exists without them, but is not usable.
const COMPLETING: [&str; 17] = [
    "Policy",
    "Attachment",
    "Association",
    "Associations",
    "::Route",
    "RouteTable",
    "Gateway",
    "::EIP",
    "VPCEndpoint",
    "Ingress",
    "Egress",
    "Listener",
    "ListenerRule",
    "Permission",
    "::Alias",
    "MountTarget",
    "TargetGroup",
];

/// The stacks on the critical path, and those that may be their twins, with their templates parsed, by their
/// position in the plan.
pub(super) struct Opened(BTreeMap<usize, Stack>);

impl Opened {
    pub(super) fn of(plan: &Plan, assembly: &Assembly) -> Self {
        let path: BTreeSet<&str> = plan.critical_path.iter().map(String::as_str).collect();
        let is_on_path = |stack: &PlannedStack| path.contains(stack.id.as_str());
        let sizes: Vec<usize> =
            plan.stacks.iter().filter(|stack| is_on_path(stack)).map(|stack| stack.resources).collect();
        let is_alike = |stack: &PlannedStack| sizes.iter().any(|size| alike(*size, stack.resources));
        let (on_path, others): (Vec<_>, Vec<_>) =
            plan.stacks.iter().enumerate().partition(|(_, it)| is_on_path(it));
        let others = others.into_iter().filter(|(_, stack)| is_alike(stack)).take(MOST_OTHERS);
        let all = on_path.into_iter().chain(others);
        Self(all.filter_map(|(number, it)| Some((number, assembly.stack(&it.id)?.opened()))).collect())
    }
}

/// Whether one number is at least four fifths of the other.
fn alike(a: usize, b: usize) -> bool {
    a.max(b) * 4 <= a.min(b) * 5
}

/// The input of the rules.
pub(super) struct AdviceInput<'a> {
    pub(super) plan: &'a Plan,
    /// The stacks of the critical path, in its order.
    pub(super) path: Vec<usize>,
    insides: BTreeMap<usize, Inside<'a>>,
}

/// The inside of a stack that is to be created.
pub(super) struct Inside<'a> {
    pub(super) stack: &'a Stack,
    pub(super) resources: Resources<'a>,
    /// How much longer the stack is expected to take than the table has it.
    scale: f64,
}

impl<'a> AdviceInput<'a> {
    pub(super) fn new(plan: &'a Plan, opened: &'a Opened, durations: &Durations) -> Self {
        let of_path = |id: &String| plan.stacks.iter().position(|stack| stack.id == *id);
        let path: Vec<usize> = plan.critical_path.iter().filter_map(of_path).collect();
        let mut insides = BTreeMap::new();
        for (&number, stack) in &opened.0 {
            // Nobody knows what an update will change, and so what takes time in it.
            if plan.stacks[number].operation != StepOperation::Create {
                continue;
            }
            let resources = Resources::of(stack, ResourceOperation::Create, durations);
            let of_table = resources.time().as_secs_f64();
            let scale =
                if of_table > 0.0 { plan.stacks[number].expected.as_secs_f64() / of_table } else { 1.0 };
            insides.insert(number, Inside { stack, resources, scale });
        }
        Self { plan, path, insides }
    }

    /// Whether two stacks have nearly the same resources, as those of an app that is deployed to several regions.
    pub(super) fn are_twins(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.inside(one), self.inside(other)) else { return false };
        let [a, b]: [BTreeSet<&str>; 2] = [one, other].map(|it| it.resources.ids.iter().copied().collect());
        alike(a.intersection(&b).count(), a.union(&b).count())
    }

    /// The stacks of the critical path, in its order, and after them their twins.
    pub(super) fn path_and_twins(&self) -> Vec<usize> {
        let is_twin = |other: &usize| {
            !self.path.contains(other) && self.path.iter().any(|&stack| self.are_twins(stack, *other))
        };
        self.path.iter().copied().chain(self.insides.keys().copied().filter(is_twin)).collect()
    }

    /// The insides of the stacks that were looked into: those of the critical path, and others like them.
    pub(super) fn insides(&self) -> impl Iterator<Item = (usize, &Inside<'a>)> {
        self.insides.iter().map(|(number, inside)| (*number, inside))
    }

    pub(super) fn inside(&self, stack: usize) -> Option<&Inside<'a>> {
        self.insides.get(&stack)
    }

    pub(super) fn id(&self, stack: usize) -> &'a str {
        &self.plan.stacks[stack].id
    }

    /// The stacks that wait for a stack directly.
    pub(super) fn dependents(&self, stack: usize) -> Vec<usize> {
        self.plan.stack_graph().needed_by(stack).to_vec()
    }

    /// The stacks that a stack waits for directly.
    pub(super) fn dependencies(&self, stack: usize) -> Vec<usize> {
        self.plan.stack_graph().needs(stack).to_vec()
    }

    /// The edges from one stack to another. What the manifest declares because of another reason is left out.
    pub(super) fn edges(&self, from: usize, to: usize) -> Vec<&'a Edge> {
        let to = self.id(to);
        let all = self.plan.stacks[from].depends_on.iter().filter(|edge| edge.to == to);
        let (declared, others): (Vec<_>, Vec<_>) = all.partition(|edge| edge.reason == Reason::Manifest);
        if others.is_empty() { declared } else { others }
    }

    /// The resources of a stack that another takes something from; `None` when its templates do not show it.
    pub(super) fn provided(&self, by: usize, to: usize) -> Option<BTreeSet<usize>> {
        let inside = self.inside(by)?;
        let mut found = BTreeSet::new();
        for edge in self.edges(to, by) {
            found.extend(inside.at(edge.provided_at.as_ref()?)?);
        }
        Some(found)
    }

    /// The resources of a stack that need something of another; `None` when its templates do not show it.
    pub(super) fn reading(&self, stack: usize, of: usize) -> Option<BTreeSet<usize>> {
        let inside = self.inside(stack)?;
        let mut found = BTreeSet::new();
        for edge in self.edges(stack, of) {
            if edge.read_at.is_empty() {
                return None;
            }
            for place in &edge.read_at {
                found.extend(inside.at(place)?);
            }
        }
        Some(found)
    }
}

impl Inside<'_> {
    /// The resources that a place is about; `None` for what could be about any.
    fn at(&self, place: &TemplatePlace) -> Option<BTreeSet<usize>> {
        let resource = |id: &str| self.resources.ids.iter().position(|other| *other == id);
        if let Some(nested) = place.nested.first() {
            return resource(nested).map(|it| [it].into());
        }
        let template = self.stack.template.expanded();
        let mut found = BTreeSet::new();
        match place.section {
            Section::Resources => return resource(&place.logical_id).map(|it| [it].into()),
            Section::Outputs => references(&template["Outputs"][&place.logical_id], &mut |name| {
                found.extend(resource(name));
            }),
            Section::Parameters => {
                for (number, id) in self.resources.ids.iter().enumerate() {
                    let body: &Value = &template["Resources"][*id];
                    references(body, &mut |name| {
                        if name == place.logical_id {
                            found.insert(number);
                        }
                    });
                }
            }
            Section::Conditions | Section::Rules | Section::Hooks => return None,
        }
        Some(found)
    }

    /// The resources of some types.
    pub(super) fn of_type(&self, is_it: impl Fn(&str) -> bool) -> BTreeSet<usize> {
        (0..self.resources.types.len()).filter(|&number| is_it(self.resources.types[number])).collect()
    }

    /// These and all that they wait for.
    pub(super) fn with_needs(&self, some: &BTreeSet<usize>) -> BTreeSet<usize> {
        reach(some, |number| self.resources.graph.needs(number))
    }

    /// These, all that they wait for, and what completes them: a role is of no use without its policies, a subnet
    /// without its routes, a database cluster without an instance.
    pub(super) fn usable(&self, some: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut all = self.with_needs(some);
        loop {
            let completes = |number: &usize| {
                let of_these = self.resources.graph.needs(*number).iter().any(|need| all.contains(need));
                of_these && !all.contains(number) && self.completes(*number)
            };
            let more: BTreeSet<usize> = (0..self.resources.ids.len()).filter(completes).collect();
            if more.is_empty() {
                return all;
            }
            all.extend(self.with_needs(&more));
        }
    }

    fn completes(&self, resource: usize) -> bool {
        let kind = self.resources.types[resource];
        if INSTANCES.contains(&kind) {
            // One instance is enough, and the first waits for no other.
            return !self.follows_instance(resource);
        }
        COMPLETING.iter().any(|end| kind.ends_with(end))
    }

    /// Whether an instance of a database cluster waits for another one.
    pub(super) fn follows_instance(&self, instance: usize) -> bool {
        let before = self.with_needs(&[instance].into());
        before.iter().any(|&other| other != instance && INSTANCES.contains(&self.resources.types[other]))
    }

    /// These and all that wait for them.
    pub(super) fn with_dependents(&self, some: &BTreeSet<usize>) -> BTreeSet<usize> {
        reach(some, |number| self.resources.graph.needed_by(number))
    }

    /// All but these.
    pub(super) fn without(&self, some: &BTreeSet<usize>) -> BTreeSet<usize> {
        (0..self.resources.ids.len()).filter(|number| !some.contains(number)).collect()
    }

    /// Whether any of these waits for any of those.
    pub(super) fn waits(&self, these: &BTreeSet<usize>, those: &BTreeSet<usize>) -> bool {
        these.iter().any(|&it| self.resources.graph.needs(it).iter().any(|need| those.contains(need)))
    }

    /// How long a stack of only these would take.
    pub(super) fn time_of(&self, some: &BTreeSet<usize>) -> Duration {
        self.time_with(
            |number| if some.contains(&number) { self.resources.weights[number] } else { Duration::ZERO },
        )
    }

    /// How long the stack would take if these took no time.
    pub(super) fn time_if_instant(&self, some: &BTreeSet<usize>) -> Duration {
        self.time_of(&self.without(some))
    }

    fn time_with(&self, weight: impl Fn(usize) -> Duration) -> Duration {
        let weights: Vec<Duration> = (0..self.resources.ids.len()).map(weight).collect();
        let order = self.resources.graph.order().unwrap_or_default();
        let longest = self.resources.graph.remaining(&order, &weights).into_iter().max().unwrap_or_default();
        self.scaled(longest + STACK_OVERHEAD)
    }

    /// How long a resource takes.
    pub(super) fn time_of_one(&self, resource: usize) -> Duration {
        self.scaled(self.resources.weights[resource])
    }

    fn scaled(&self, time: Duration) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() * self.scale).unwrap_or(time)
    }

    /// What people call a resource: its construct in the stack, or else its logical id.
    fn name(&self, resource: usize) -> &str {
        let id = self.resources.ids[resource];
        let path = self.stack.construct_paths.get(id).map(String::as_str);
        let inside = path.and_then(|path| path.strip_prefix(&self.stack.id)?.strip_prefix('/'));
        let name =
            inside.map(|path| ENDS.iter().fold(path, |path, end| path.strip_suffix(end).unwrap_or(path)));
        let name = name.filter(|name| !name.is_empty()).unwrap_or(id);
        // The start of a long path says less than its end.
        let starts = std::iter::once(0).chain(name.match_indices('/').map(|(at, _)| at + 1));
        let short = starts.map(|at| &name[at..]).find(|end| end.len() <= LONGEST_NAME);
        short.or_else(|| name.rsplit('/').next()).unwrap_or(name)
    }

    /// Those that take longest are named.
    pub(super) fn listed(&self, some: &BTreeSet<usize>) -> ResourceList {
        let mut slowest: Vec<usize> = some.iter().copied().collect();
        slowest.sort_by_key(|&number| (std::cmp::Reverse(self.resources.weights[number]), number));
        let names = slowest.iter().take(NAMED).map(|&number| self.name(number).to_owned());
        ResourceList { names: names.collect(), more: slowest.len().saturating_sub(NAMED) }
    }

    /// These as a part of the stack.
    pub(super) fn part(&self, some: &BTreeSet<usize>) -> StackPart {
        StackPart { resources: self.listed(some), takes: self.time_of(some) }
    }
}

fn reach<'s>(some: &BTreeSet<usize>, next: impl Fn(usize) -> &'s [usize]) -> BTreeSet<usize> {
    let (mut reached, mut open) = (some.clone(), some.iter().copied().collect::<Vec<usize>>());
    while let Some(number) = open.pop() {
        open.extend(next(number).iter().copied().filter(|&next| reached.insert(next)));
    }
    reached
}
