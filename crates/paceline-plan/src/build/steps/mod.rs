//! The steps of a plan: what stacks need is published, gates stand between stacks.

pub(super) mod gates;
mod synthesis;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use camino::Utf8Path;
use paceline_assembly::Stack;

use self::gates::Gates;
use self::synthesis::Synthesized;
use super::assets::{PUBLISH, assets, is_template};
use super::commands::{CommandSlot, Placed};
use super::names::Names;
use super::prewarm::Prewarmed;
use super::relax;
use super::rollout::Rollout;
use super::scan::borrowed::BorrowedOffer;
use crate::model::{EarlyNeed, Gate, PlannedStack, Publish, Reason, Step, Work};
use crate::outlook::expect::{Expect, Expected};

/// When resources of stacks are complete, by the stack's id and their logical ids.
pub(crate) type Complete<'a> = HashMap<&'a str, &'a BTreeMap<String, Duration>>;

/// What steps are made from, besides the stacks.
pub(crate) struct Maker<'a> {
    pub(crate) names: &'a Names<'a>,
    pub(crate) gates: &'a Gates,
    pub(crate) complete: Complete<'a>,
    pub(crate) borrowed: HashMap<&'a str, &'a [BorrowedOffer<'a>]>,
    pub(crate) prewarmed: &'a [Prewarmed],
    pub(crate) rollout: Option<&'a Rollout<'a>>,
    pub(crate) commands: &'a [(&'a Placed<'a>, CommandSlot)],
    pub(crate) config_path: &'a Utf8Path,
    pub(crate) expect: Expect<'a>,
}

/// Makes the steps: every asset once for each place it goes to, every stack, every gate, every command. The steps
/// about a stack come together, and in the order of the stacks.
pub(crate) fn steps(maker: &Maker<'_>, stacks: &[PlannedStack]) -> Vec<Step> {
    let Maker { names, gates, complete, borrowed, expect, .. } = maker;
    let mut steps: Vec<Step> = Vec::new();
    // The steps of commands, by the command's position in the configuration.
    let mut ran: HashMap<usize, usize> = HashMap::new();
    // The steps that create repositories, by their position in `prewarmed`.
    let mut created: HashMap<usize, usize> = HashMap::new();
    let mut published: HashMap<String, usize> = HashMap::new();
    let mut synthesized = Synthesized::default();
    let last_of_first = maker.rollout.and_then(|rollout| rollout.last(stacks));
    // The step that watches the first region's alarms. The stacks of the other regions come after it.
    let mut baked: Option<usize> = None;
    // What a stack's dependents wait for: its gate if it has one, else the stack.
    let mut done: HashMap<&str, usize> = HashMap::new();
    for (number, stack) in stacks.iter().enumerate() {
        maker.commands(
            &mut steps,
            &mut ran,
            (stack, number),
            |place| place.precedes() == Some(number),
            |_| None,
            baked,
        );
        for (at, it) in maker.prewarmed.iter().enumerate().filter(|(_, it)| it.work.stack == number) {
            let work = Work::Prewarm(it.work.clone());
            steps.push(Expect::prewarm().step(it.id(), work, Vec::new()));
            created.insert(at, steps.len() - 1);
        }
        let mut needs: Vec<usize> = Vec::new();
        let source = names.stack(&stack.id);
        // A stack that makes the bucket or the repository which its assets go to.
        let before = source.into_iter().flat_map(|s| &s.assets.depends_on);
        let before: Vec<usize> = before.filter_map(|id| done.get(id.as_str()).copied()).collect();
        let mut own = source.map_or_else(Vec::new, |s| assets(s, number).collect());
        if let Some(source) = source.filter(|_| !stack.awaited_lookups().is_empty()) {
            // Its template is made by the synthesis that it waits for, and published with that.
            own.retain(|(_, publish)| !is_template(source, &publish.asset, publish.image));
        }
        let own = own.into_iter().map(|(place, publish)| (place, publish, before.clone()));
        let borrowed = borrowed.get(stack.id.as_str()).into_iter().flat_map(|assets| assets.iter());
        let borrowed = borrowed.map(|asset| {
            let before = asset.after.iter().filter_map(|id| done.get(id.as_str()).copied()).collect();
            (asset.place.clone(), asset.publish(number), before)
        });
        for (place, publish, mut before) in own.chain(borrowed).collect::<Vec<_>>() {
            before.extend(maker.repository_of(source, &publish).and_then(|at| created.get(&at)));
            let step = *published.entry(place).or_insert_with_key(|place| {
                let expected = expect.asset(&publish, stack.into());
                let id = format!("{PUBLISH}{place}");
                steps.push(expected.step(id, Work::Publish(publish), before));
                steps.len() - 1
            });
            needs.push(step);
        }
        let own = maker.prewarmed.iter().enumerate().filter(|(_, it)| it.needed_by.contains(&number));
        needs.extend(own.filter_map(|(at, _)| created.get(&at)));
        needs.extend(stack.depends_on.iter().filter_map(|edge| match edge.reason {
            Reason::Rollout => baked,
            _ => done.get(edge.to.as_str()).copied(),
        }));
        let early = early_needs(stack, &done, complete, &steps);
        let app = source.and_then(|source| source.app.as_deref());
        needs.extend(synthesized.before(app, stack, number, (&done, &early), &mut steps, *expect));
        let waits = maker.commands.iter().filter(|(_, place)| place.before.contains(&number));
        needs.extend(waits.filter_map(|(command, _)| ran.get(&command.number)));
        needs.sort_unstable();
        needs.dedup();
        let id = format!("deploy:{}", stack.id);
        let expected =
            Expected { time: stack.expected, basis: stack.expected_from, operation: stack.operation };
        let deploys = expected.step(id, Work::Deploy { stack: number }, needs);
        steps.push(Step { early_needs: early, ..deploys });
        let deployed = steps.len() - 1;
        done.insert(&stack.id, deployed);
        for (gate, source) in gates.get(&stack.id).into_iter().flatten().zip(std::iter::repeat(source)) {
            let Some(source) = source else { continue };
            let id = format!("gate:{}:{}", gate.kind(), stack.id);
            let work = Work::Gate { stack: number, gate: gate.clone() };
            // One gate after the other, so that the last one tells when all are open.
            let before = done.get(stack.id.as_str()).copied().unwrap_or(deployed);
            steps.push(expect.gate(source, gate).step(id, work, vec![before]));
            done.insert(&stack.id, steps.len() - 1);
        }
        let done = |stack: usize| done.get(stacks[stack].id.as_str()).copied();
        maker.commands(
            &mut steps,
            &mut ran,
            (stack, number),
            |place| place.follows() == Some(number),
            done,
            baked,
        );
        if last_of_first == Some(number) {
            let bake = maker.bake(stacks, number, done, &ran);
            baked = bake.map(|bake| {
                steps.push(bake);
                steps.len() - 1
            });
        }
    }
    steps
}

impl Maker<'_> {
    /// The repository that an image is published to, by its position in `prewarmed`, if the run creates it.
    fn repository_of(&self, stack: Option<&Stack>, publish: &Publish) -> Option<usize> {
        let image = stack?.assets.images.get(&publish.asset).filter(|_| publish.image)?;
        let to = image.destinations.get(&publish.destination)?;
        self.prewarmed
            .iter()
            .position(|it| it.work.repository == to.repository && it.needed_by.contains(&publish.stack))
    }

    /// Adds the commands whose place is here.
    fn commands(
        &self,
        steps: &mut Vec<Step>,
        ran: &mut HashMap<usize, usize>,
        (stack, number): (&PlannedStack, usize),
        is_here: impl Fn(&CommandSlot) -> bool,
        done: impl Fn(usize) -> Option<usize>,
        baked: Option<usize>,
    ) {
        for (command, place) in self.commands.iter().filter(|(_, place)| is_here(place)) {
            let mut needs: Vec<usize> = place.after.iter().filter_map(|&stack| done(stack)).collect();
            needs.extend(command.commands.iter().filter_map(|other| ran.get(other)));
            // A command before stacks of other regions alone belongs to these regions.
            needs.extend(baked.filter(|_| place.after.is_empty()));
            needs.sort_unstable();
            needs.dedup();
            // Two commands of one name are two steps.
            let id = format!("command:{}:{}", command.number, command.name());
            let expected = self.expect.command(command.name(), stack.into());
            let work = Work::Command(command.command(number, self.config_path));
            steps.push(expected.step(id, work, needs));
            ran.insert(command.number, steps.len() - 1);
        }
    }
}

impl Maker<'_> {
    /// The step that watches the alarms of the first region. It comes after its stacks with their gates, and after the
    /// commands that follow its stacks alone.
    fn bake(
        &self,
        stacks: &[PlannedStack],
        last: usize,
        done: impl Fn(usize) -> Option<usize>,
        ran: &HashMap<usize, usize>,
    ) -> Option<Step> {
        let rollout = self.rollout?;
        let stack = self.names.stack(&stacks[last].id)?;
        let is_first = |number: &usize| rollout.is_first(&stacks[*number].id);
        let mut needs: Vec<usize> = (0..=last).filter(is_first).filter_map(done).collect();
        let commands = self.commands.iter();
        let commands =
            commands.filter(|(_, place)| !place.after.is_empty() && place.after.iter().all(is_first));
        needs.extend(commands.filter_map(|(command, _)| ran.get(&command.number)));
        needs.sort_unstable();
        needs.dedup();
        let gate = Gate::Bake(rollout.bake().clone());
        let expected = self.expect.gate(stack, &gate);
        let id = format!("gate:{}:{}", gate.kind(), rollout.bake().region);
        Some(expected.step(id, Work::Gate { stack: last, gate }, needs))
    }
}

/// The needs of a stack that end early. A gate stands between a stack and its dependents, and follows the whole stack:
/// behind a gate, no need ends early.
fn early_needs(
    stack: &PlannedStack,
    done: &HashMap<&str, usize>,
    complete: &Complete<'_>,
    steps: &[Step],
) -> Vec<EarlyNeed> {
    let waits = relax::early_resources(&stack.depends_on).into_iter();
    let waits = waits.filter_map(|(to, resources)| Some((to, *done.get(to)?, resources)));
    let waits = waits.filter(|(_, need, _)| matches!(steps[*need].work, Work::Deploy { .. }));
    let early = waits.map(|(to, need, resources)| {
        let times = resources.iter().filter_map(|id| complete.get(to)?.get(id));
        EarlyNeed { need, after: times.max().copied().unwrap_or_default(), resources }
    });
    early.collect()
}
