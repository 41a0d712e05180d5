//! The rollout: the stacks of one region come first, and those of the other regions wait for them and for the bake.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use paceline_assembly::{Assembly, Stack};

use super::error::PlanError;
use super::phases::ends;
use super::selection::Selection;
use crate::model::graph::Graph;
use crate::model::{AlarmPattern, Bake, Edge, LeftOutReason, NoRollout, PlannedStack, Reason, Tie, Warning};
use paceline_config::Config;

/// The rollout of a plan.
#[derive(Debug)]
pub(crate) struct Rollout<'a> {
    bake: Bake,
    /// Where the setting stands.
    place: String,
    /// The regions of the stacks that will be deployed.
    regions: HashMap<&'a str, &'a str>,
}

impl<'a> Rollout<'a> {
    /// The rollout of the selected stacks. There is none without the setting, or if the selection leaves it nothing to
    /// do: then there is a warning.
    pub(crate) fn new(
        config: &Config,
        assembly: &'a Assembly,
        selection: &Selection,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Self>, PlanError> {
        let Some(setting) = &config.rollout else { return Ok(None) };
        let first = setting.first.as_str();
        let place = config.places.get("rollout.first").map(|place| place.to_string());
        let place =
            place.map_or_else(|| "rollout.first".to_owned(), |place| format!("{place}: rollout.first"));
        let known: BTreeSet<&str> = assembly.stacks.iter().filter_map(region).collect();
        if !known.contains(first) {
            return Err(PlanError::NoStackIn {
                place,
                kind: "region",
                kinds: "regions",
                pattern: first.to_owned(),
                known: known.into_iter().map(str::to_owned).collect(),
            });
        }
        let chosen = || assembly.stacks.iter().filter(|stack| selection.has(&stack.id));
        if let Some(stack) = chosen().find(|stack| region(stack).is_none()) {
            return Err(PlanError::RolloutWithoutRegion { place, stack: stack.id.clone() });
        }
        if known.len() == 1 {
            return Err(PlanError::RolloutOfOneRegion { place, region: first.to_owned() });
        }
        let regions: HashMap<&str, &str> =
            chosen().filter_map(|stack| Some((stack.id.as_str(), region(stack)?))).collect();
        if let Some(why) = without_effect(first, &regions, assembly, selection) {
            warnings.push(Warning::RolloutWithoutEffect { first: first.to_owned(), why });
            return Ok(None);
        }
        let bake = Bake {
            region: first.to_owned(),
            time: setting.bake,
            alarms: setting.alarms.0.iter().map(|alarm| AlarmPattern(alarm.text.clone())).collect(),
            on_alarm: setting.on_alarm,
        };
        Ok(Some(Self { bake, place, regions }))
    }

    pub(crate) fn bake(&self) -> &Bake {
        &self.bake
    }

    /// Whether a stack is in the first region.
    pub(crate) fn is_first(&self, id: &str) -> bool {
        self.regions.get(id).is_some_and(|region| *region == self.bake.region)
    }

    /// The position of the last stack of the first region. The stacks of a plan are ordered, so all stacks of the other
    /// regions come after it.
    pub(crate) fn last(&self, stacks: &[PlannedStack]) -> Option<usize> {
        stacks.iter().rposition(|stack| self.is_first(&stack.id))
    }

    /// Whether a stack of the first region would wait for one of another region.
    pub(crate) fn contradicts(&self, edge: &Edge) -> bool {
        self.is_first(&edge.from) && !self.is_first(&edge.to) && self.regions.contains_key(edge.to.as_str())
    }

    /// Refuses edges that make a stack of the first region wait for one of another region.
    pub(crate) fn check(&self, edges: &[Edge]) -> Result<(), PlanError> {
        match edges.iter().find(|edge| self.contradicts(edge)) {
            None => Ok(()),
            Some(edge) => Err(PlanError::RolloutContradiction {
                place: self.place.clone(),
                edge: Box::new(edge.clone()),
                first: self.bake.region.clone(),
                other: (*self.regions.get(edge.to.as_str()).unwrap_or(&"")).to_owned(),
            }),
        }
    }

    /// The edges that the rollout adds, from what starts the other regions to what ends the first one. They are added to
    /// the graph too; `number` is a stack's node in it.
    pub(crate) fn edges(&self, graph: &mut Graph, number: &HashMap<&str, usize>) -> Vec<Edge> {
        let nodes = number.iter().map(|(&id, &node)| (node, id));
        let (first, others): (BTreeMap<usize, &str>, BTreeMap<usize, &str>) =
            nodes.partition(|(_, id)| self.is_first(id));
        let nodes = |of: &BTreeMap<usize, &str>| of.keys().copied().collect::<Vec<usize>>();
        let last = ends(&nodes(&first), Graph::needed_by, graph);
        let next = ends(&nodes(&others), Graph::needs, graph);
        let mut edges = Vec::with_capacity(last.len() * next.len());
        for from in next {
            for &to in &last {
                graph.add(from, to);
                let tie = Tie::Rollout { first: self.bake.region.clone() };
                edges.push(Edge::new(others[&from], first[&to], Reason::Rollout, tie));
            }
        }
        edges
    }
}

fn region(stack: &Stack) -> Option<&str> {
    stack.environment.region.as_deref()
}

/// Why a run of the selected stacks has nothing to roll out one region after the other.
fn without_effect(
    first: &str,
    regions: &HashMap<&str, &str>,
    assembly: &Assembly,
    selection: &Selection,
) -> Option<NoRollout> {
    let is_deployed = |is_first: bool| regions.values().any(|region| (*region == first) == is_first);
    let off = |is_first: bool| {
        selection.left_out.iter().find_map(|left| match &left.why {
            LeftOutReason::RegionOff { variable, .. } => {
                let stack = assembly.stack(&left.stack)?;
                ((region(stack) == Some(first)) == is_first).then(|| variable.clone())
            }
            _ => None,
        })
    };
    match (is_deployed(true), is_deployed(false)) {
        (true, true) => None,
        (true, false) => {
            Some(off(false).map_or(NoRollout::OnlyFirst, |variable| NoRollout::OthersOff { variable }))
        }
        (false, _) => {
            Some(off(true).map_or(NoRollout::NotFirst, |variable| NoRollout::FirstOff { variable }))
        }
    }
}
