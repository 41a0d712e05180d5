//! Which stacks of an assembly will be deployed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use paceline_assembly::Assembly;

use super::error::PlanError;
use super::names::Names;
use super::options::PlanOptions;
use super::phases::Phases;
use super::selectors::{Selectors, closure};
use crate::model::{Edge, LeftOut, LeftOutReason, Reason, Warning};
use paceline_config::Config;

/// Which stacks will be deployed, and why the others will not.
pub(crate) struct Selection {
    chosen: BTreeSet<String>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Selection {
    pub(crate) fn new(
        assembly: &Assembly,
        config: &Config,
        options: &PlanOptions,
        names: &Names<'_>,
        phases: &Phases,
        edges: &[Edge],
    ) -> Result<Self, PlanError> {
        let selectors = Selectors { assembly, names, phases, edges };
        let named = selectors.all(&options.stacks, "on the command line")?;
        let together =
            if options.exclusively { named.clone() } else { closure(&named, edges, options.deletes) };
        let only = selectors.all(&options.only, "--only")?;
        let exclude = selectors.all(&options.exclude, "--exclude")?;
        let mut why: BTreeMap<&str, LeftOutReason> = BTreeMap::new();
        let off = config.multi_region.as_ref().filter(|m| !m.is_on(options.multi_region.as_deref()));
        if let Some(multi_region) = off {
            for stack in &assembly.stacks {
                if let Some(region) =
                    stack.environment.region.as_deref().filter(|r| *r != multi_region.primary)
                {
                    let (region, variable) = (region.to_owned(), multi_region.when.clone());
                    why.insert(&stack.id, LeftOutReason::RegionOff { region, variable });
                }
            }
            // A stack of the primary region that needs one of these would fail.
            let mut waiting: HashMap<&str, Vec<&str>> = HashMap::new();
            for edge in edges {
                waiting.entry(&edge.to).or_default().push(&edge.from);
            }
            let mut open: Vec<&str> = why.keys().copied().rev().collect();
            while let Some(to) = open.pop() {
                for from in waiting.remove(to).unwrap_or_default() {
                    if !why.contains_key(from) {
                        why.insert(from, LeftOutReason::WaitsFor { stack: to.to_owned() });
                        open.push(from);
                    }
                }
            }
        }
        let affected = options.affected.as_ref();
        for stack in &assembly.stacks {
            let id = stack.id.as_str();
            if exclude.contains(id) {
                why.entry(id).or_insert(LeftOutReason::Excluded);
            } else if !(only.is_empty() || only.contains(id)) {
                why.entry(id).or_insert(LeftOutReason::NotInOnly);
            } else if let Some(affected) = affected.filter(|it| !it.stacks.contains(id)) {
                why.entry(id).or_insert(LeftOutReason::NotAffected { base: affected.base.clone() });
            } else if !(named.is_empty() || together.contains(id)) {
                let tie = match (options.exclusively, options.deletes) {
                    (true, _) => LeftOutReason::NotNamed,
                    (false, true) => LeftOutReason::NeedsNoneNamed,
                    (false, false) => LeftOutReason::NotNeeded,
                };
                why.entry(id).or_insert(tie);
            }
        }
        let all = assembly.stacks.iter();
        let chosen: BTreeSet<String> =
            all.filter(|stack| !why.contains_key(stack.id.as_str())).map(|stack| stack.id.clone()).collect();
        if chosen.is_empty() {
            let is_same = |why: &LeftOutReason| matches!(why, LeftOutReason::NotAffected { .. });
            return Err(match affected.filter(|_| why.values().any(is_same)) {
                Some(affected) => PlanError::NothingAffected { base: affected.base.clone() },
                None => PlanError::Nothing { all_left_out: !why.is_empty() },
            });
        }
        let left_out = why.into_iter().map(|(stack, why)| LeftOut { stack: stack.to_owned(), why });
        Ok(Self { chosen, left_out: left_out.collect() })
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.chosen.contains(id)
    }

    /// A warning for each stack that is left out although selected stacks need it: they fail unless it exists.
    pub(crate) fn cut(&self, edges: &[Edge]) -> Vec<Warning> {
        let mut cut: BTreeMap<&str, BTreeMap<&str, &Edge>> = BTreeMap::new();
        for edge in edges.iter().filter(|edge| self.has(&edge.from) && !self.has(&edge.to)) {
            let kept = cut.entry(&edge.to).or_default().entry(&edge.from).or_insert(edge);
            // The reason in a template says more than the order in the manifest.
            if kept.reason == Reason::Manifest {
                *kept = edge;
            }
        }
        let why = |stack: &str| self.left_out.iter().find(|left| left.stack == stack).map(|left| &left.why);
        // What is as it was need not be deployed again.
        let is_same = |stack: &str| matches!(why(stack), Some(LeftOutReason::NotAffected { .. }));
        let warnings =
            cut.into_iter().filter(|(to, _)| !is_same(to)).map(|(to, edges)| Warning::LeftOutButNeeded {
                stack: to.to_owned(),
                why: why(to).cloned(),
                needed_by: edges.into_values().map(|edge| (edge.from.clone(), edge.reason)).collect(),
            });
        warnings.collect()
    }
}
