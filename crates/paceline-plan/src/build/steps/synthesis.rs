//! The steps that synthesize apps again.

use std::collections::{BTreeSet, HashMap};

use crate::model::{EarlyNeed, PlannedStack, Reason, Step, Synthesize, Work};
use crate::outlook::expect::Expect;

/// A synthesis: the app, the steps that create what it looks up, and the needs of it that end early.
type Awaited = (Option<String>, Vec<usize>, Vec<(usize, BTreeSet<String>)>);

/// The steps that synthesize apps again, by what they wait for.
#[derive(Default)]
pub(crate) struct Synthesized(HashMap<Awaited, usize>);

impl Synthesized {
    /// The step that synthesizes the app of a stack again, once what the stack looks up exists; none if it waits for no
    /// lookup. Stacks that wait for the same lookups share one.
    pub(crate) fn before(
        &mut self,
        app: Option<&str>,
        stack: &PlannedStack,
        number: usize,
        (done, early): (&HashMap<&str, usize>, &[EarlyNeed]),
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
        let early: Vec<EarlyNeed> = early.iter().filter(|it| needs.contains(&it.need)).cloned().collect();
        let enough = early.iter().map(|it| (it.need, it.resources.clone())).collect();
        let at = *self.0.entry((app.map(str::to_owned), needs.clone(), enough)).or_insert_with(|| {
            let work =
                Synthesize { app: app.map(str::to_owned), stacks: Vec::new(), lookups: BTreeSet::new() };
            let expected = expect.synthesis(app, stack.into());
            let synthesis = expected.step(format!("synth:{}", stack.id), Work::Synthesize(work), needs);
            steps.push(Step { early_needs: early, ..synthesis });
            steps.len() - 1
        });
        if let Work::Synthesize(work) = &mut steps[at].work {
            work.stacks.push(number);
            work.lookups.extend(edges().map(|edge| edge.name.clone()));
        }
        Some(at)
    }
}
