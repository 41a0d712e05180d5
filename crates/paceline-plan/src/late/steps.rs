//! The steps that synthesize apps again.

use std::collections::{BTreeSet, HashMap};

use crate::edges::Reason;
use crate::forecast::Expect;
use crate::plan::{PlannedStack, Step, Synthesize, Work};
use crate::steps::step;

/// The steps that synthesize apps again, by the app and the steps that make what it looks up.
#[derive(Default)]
pub(crate) struct Synthesized(HashMap<(String, Vec<usize>), usize>);

impl Synthesized {
    /// The step that synthesizes the app of a stack again when what it has from its synthesis has been made, if it
    /// waits for that. Stacks that wait for the same share one.
    pub(crate) fn before(
        &mut self,
        app: &str,
        stack: &PlannedStack,
        number: usize,
        done: &HashMap<&str, usize>,
        steps: &mut Vec<Step>,
        expect: Expect<'_>,
    ) -> Option<usize> {
        let edges = || stack.depends_on.iter().filter(|edge| edge.reason == Reason::Synth);
        let mut needs: Vec<usize> = edges().filter_map(|edge| done.get(edge.to.as_str()).copied()).collect();
        if needs.is_empty() {
            return None;
        }
        needs.sort_unstable();
        needs.dedup();
        let at = *self.0.entry((app.to_owned(), needs.clone())).or_insert_with(|| {
            let work = Synthesize { app: app.to_owned(), stacks: Vec::new(), lookups: BTreeSet::new() };
            steps.push(step(
                format!("synth:{}", stack.id),
                Work::Synthesize(work),
                needs,
                expect.synthesis(app, stack.region.as_deref()),
            ));
            steps.len() - 1
        });
        if let Work::Synthesize(work) = &mut steps[at].work {
            work.stacks.push(number);
            work.lookups.extend(edges().map(|edge| edge.name.clone()));
        }
        Some(at)
    }
}
