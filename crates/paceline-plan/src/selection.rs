//! Which stacks of an assembly will be deployed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use paceline_assembly::Assembly;

use crate::config::Config;
use crate::edges::Edge;
use crate::error::PlanError;
use crate::make::PlanOptions;
use crate::names::Names;
use crate::plan::LeftOut;

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
        edges: &[Edge],
    ) -> Result<Self, PlanError> {
        let pick = |patterns: &[String], flag: &str| -> Result<BTreeSet<&str>, PlanError> {
            let mut ids = BTreeSet::new();
            for pattern in patterns {
                ids.extend(names.find(pattern, flag)?);
            }
            Ok(ids)
        };
        let only = pick(&options.only, "--only")?;
        let exclude = pick(&options.exclude, "--exclude")?;
        let mut why: BTreeMap<&str, String> = BTreeMap::new();
        let off = config.multi_region.as_ref().filter(|m| !m.is_on(options.multi_region.as_deref()));
        if let Some(multi_region) = off {
            for stack in &assembly.stacks {
                if let Some(region) =
                    stack.environment.region.as_deref().filter(|r| *r != multi_region.primary)
                {
                    why.insert(
                        &stack.id,
                        format!("{region} is off: {} is not set to true", multi_region.when),
                    );
                }
            }
            // A stack of the primary region that needs one of these could only fail.
            let mut waiting: HashMap<&str, Vec<&str>> = HashMap::new();
            for edge in edges {
                waiting.entry(&edge.to).or_default().push(&edge.from);
            }
            let mut open: Vec<&str> = why.keys().copied().rev().collect();
            while let Some(to) = open.pop() {
                for from in waiting.remove(to).unwrap_or_default() {
                    if !why.contains_key(from) {
                        why.insert(from, format!("waits for {to}, which is left out"));
                        open.push(from);
                    }
                }
            }
        }
        for stack in &assembly.stacks {
            let id = stack.id.as_str();
            if exclude.contains(id) {
                why.entry(id).or_insert_with(|| "--exclude names it".to_owned());
            } else if !(only.is_empty() || only.contains(id)) {
                why.entry(id).or_insert_with(|| "--only does not name it".to_owned());
            }
        }
        let all = assembly.stacks.iter();
        let chosen: BTreeSet<String> =
            all.filter(|stack| !why.contains_key(stack.id.as_str())).map(|stack| stack.id.clone()).collect();
        if chosen.is_empty() {
            let why = match why.values().next() {
                Some(_) => "every stack is left out".to_owned(),
                None => "the assembly has none".to_owned(),
            };
            return Err(PlanError::Nothing { why });
        }
        let left_out = why.into_iter().map(|(stack, why)| LeftOut { stack: stack.to_owned(), why });
        Ok(Self { chosen, left_out: left_out.collect() })
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.chosen.contains(id)
    }
}
