//! The steps that create what stacks need at the start of a run.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::repositories::{Repositories, Repository};
use crate::model::{PlannedStack, Prewarm};

/// A repository to create, and the positions of the stacks that need it.
#[derive(Debug)]
pub(crate) struct Prewarmed {
    pub(crate) work: Prewarm,
    pub(crate) needed_by: BTreeSet<usize>,
}

impl Prewarmed {
    /// The id of the step, which is unique in the plan.
    pub(crate) fn id(&self) -> String {
        let Prewarm { repository, account, region, .. } = &self.work;
        let place = [account, region].map(|it| it.as_deref().unwrap_or("own"));
        format!("prewarm:{repository}:{}:{}", place[0], place[1])
    }
}

/// The repositories that stacks of the plan need, and those that nothing names in every place of the plan. Each belongs to
/// the first stack that it is for.
pub(crate) fn prewarmed(found: &Repositories, stacks: &[PlannedStack]) -> Vec<Prewarmed> {
    let numbers: BTreeMap<&str, usize> =
        stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
    let named = found.named.iter().filter_map(|(repository, ids)| {
        let needed_by: BTreeSet<usize> =
            ids.iter().filter_map(|id| numbers.get(id.as_str()).copied()).collect();
        Some(Prewarmed { work: work(repository.clone(), *needed_by.first()?), needed_by })
    });
    let mut places: BTreeMap<(&Option<String>, &Option<String>), usize> = BTreeMap::new();
    for (number, stack) in stacks.iter().enumerate() {
        places.entry((&stack.account, &stack.region)).or_insert(number);
    }
    let unnamed = found.unnamed.iter().flat_map(|name| {
        places.iter().map(|((account, region), &first)| {
            let (account, region) = ((*account).clone(), (*region).clone());
            let work = work(Repository { name: name.clone(), account, region }, first);
            Prewarmed { work, needed_by: BTreeSet::new() }
        })
    });
    named.chain(unnamed).collect()
}

fn work(repository: Repository, stack: usize) -> Prewarm {
    let Repository { name, account, region } = repository;
    Prewarm { stack, repository: name, account, region }
}
