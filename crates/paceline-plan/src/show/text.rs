//! A plan for people, in a terminal or a build log.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use paceline_text::first_few;

use super::lookups::synthesized_again;
use super::page::{Page, TIED, TextOptions, Tone};
use super::prewarm::prewarmed;
use super::rollout::rollout;
use super::times::short_source;
use super::wording::{clean, count, show_duration, show_reasons};
use crate::model::{Basis, Gate, Plan, PlannedStack, Reason, Step, Tie, Work, folded};
use crate::outlook::forecast::{Forecast, lower_bound};

/// From this number of stacks on, they are listed by region and not one by one.
const MANY_STACKS: usize = 60;
/// The most lines that a list of remarks takes.
const MANY_REMARKS: usize = 20;
/// The most stacks of a barrier that are named one by one.
const FEW_AT_A_BARRIER: usize = 3;
/// The most stacks of a region that are named one by one.
const NAMED: usize = 6;

/// A file that takes longer to upload is named on the critical path.
const SLOW_FILE: Duration = Duration::from_secs(10);

/// The plan as `plan --format text` prints it.
pub fn text(plan: &Plan, forecast: &Forecast, options: &TextOptions) -> String {
    let mut page = Page { out: String::new(), options: *options, plan };
    page.head();
    let groups = page.groups();
    let id_width = plan.stacks.iter().map(|stack| clean(&stack.id).chars().count()).max().unwrap_or(0);
    // The other columns leave this much of a line.
    let room = options.width.saturating_sub(if page.sources_differ() { 55 } else { 46 }).max(12);
    for (title, stacks) in &groups {
        page.line("");
        page.title(title);
        if plan.stacks.len() < MANY_STACKS {
            for stack in stacks {
                page.stack(stack, id_width.min(room));
            }
        } else {
            page.by_region(stacks);
        }
    }
    page.line("");
    page.critical_path();
    page.forecast(forecast);
    page.steps();
    if let Some(what_if) = &forecast.what_if {
        page.what_if(what_if);
    }
    if let Some(advice) = &forecast.advice {
        page.advice(advice);
    }
    page.remarks();
    page.out
}

impl<'a> Page<'a> {
    fn head(&mut self) {
        let plan = self.plan;
        let regions: BTreeSet<&str> = plan.stacks.iter().filter_map(|s| s.region.as_deref()).collect();
        let mut parts = vec![count(plan.stacks.len(), "stack")];
        if !regions.is_empty() {
            let names = regions.iter().copied().collect::<Vec<_>>().join(", ");
            parts.push(format!("{} ({names})", count(regions.len(), "region")));
        }
        let accounts = self.accounts();
        if accounts.len() > 1 {
            let names = accounts.iter().copied().collect::<Vec<_>>().join(", ");
            parts.push(format!("{} ({names})", count(accounts.len(), "account")));
        }
        let phases = plan.phases.iter().filter(|phase| !phase.stacks.is_empty()).count();
        if phases > 0 {
            parts.push(count(phases, "phase"));
        }
        parts.push(format!("at most {} at once", plan.concurrency.stacks));
        self.paragraph("Plan: ", &parts.join(", "), None);
    }

    fn accounts(&self) -> BTreeSet<&'a str> {
        self.plan.stacks.iter().filter_map(|stack| stack.account.as_deref()).collect()
    }

    /// The stacks by phase, those in none after them; or by level, if there are no phases.
    fn groups(&self) -> Vec<(String, Vec<&'a PlannedStack>)> {
        let plan = self.plan;
        let mut groups: Vec<(String, Vec<&PlannedStack>)> = Vec::new();
        let number: HashMap<&str, usize> =
            plan.stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        for phase in &plan.phases {
            let waits = phase.barrier && !groups.iter().all(|(_, stacks)| stacks.is_empty());
            let barrier = if waits { " (waits for the end of the phases before)" } else { "" };
            let mut numbers: Vec<usize> =
                phase.stacks.iter().filter_map(|id| number.get(id.as_str()).copied()).collect();
            numbers.sort_unstable();
            let stacks = numbers.into_iter().map(|number| &plan.stacks[number]).collect();
            groups.push((format!("Phase {}{barrier}", phase.name), stacks));
        }
        let mut rest: BTreeMap<usize, Vec<&PlannedStack>> = BTreeMap::new();
        for stack in plan.stacks.iter().filter(|stack| stack.phase.is_none()) {
            let level = if plan.phases.is_empty() { stack.level } else { 0 };
            rest.entry(level).or_default().push(stack);
        }
        for (level, stacks) in rest {
            let title = match level {
                _ if !plan.phases.is_empty() => "In no phase".to_owned(),
                0 => "Level 0 (waits for nothing)".to_owned(),
                level => format!("Level {level}"),
            };
            groups.push((title, stacks));
        }
        groups.retain(|(_, stacks)| !stacks.is_empty());
        groups
    }

    /// Whether it has to be said of each stack where its duration comes from.
    fn sources_differ(&self) -> bool {
        let mut sources = self.plan.stacks.iter().map(|stack| short_source(stack.expected_from));
        let first = sources.next();
        sources.any(|source| Some(source) != first)
    }

    fn stack(&mut self, stack: &PlannedStack, id_width: usize) {
        let region = stack.region.as_deref().unwrap_or("any region");
        let mut id = clean(&stack.id);
        if id.chars().count() > id_width {
            self.line(&format!("  {id}"));
            id.clear();
        }
        let row = format!(
            "  {id:<id_width$}  {:<14} {:>15} {:>11}  ",
            clean(region),
            count(stack.resources, "resource"),
            show_duration(stack.expected),
        );
        let long = stack.expected_from.to_string();
        let is_unchanged = matches!(stack.expected_from, Basis::Unchanged { .. });
        if !is_unchanged {
            let source = if self.sources_differ() { short_source(stack.expected_from) } else { "" };
            self.line(&format!("{row}{source}"));
        } else if row.chars().count() + long.len() <= self.options.width {
            self.line(&format!("{row}{long}"));
        } else {
            self.line(&row);
            self.paragraph("    ", &long, Some(Tone::Dim));
        }
        if let Some(account) = stack.account.as_deref().filter(|_| self.accounts().len() > 1) {
            self.paragraph("    ", &format!("in account {account}"), Some(Tone::Dim));
        }
        let waits: Vec<String> =
            waits(self.plan, stack).iter().map(|one| one.replace(' ', &TIED.to_string())).collect();
        if !waits.is_empty() {
            self.paragraph("    waits for ", &waits.join(", "), Some(Tone::Dim));
        }
    }

    /// One line for each region, then the names.
    fn by_region(&mut self, stacks: &[&PlannedStack]) {
        let several = self.accounts().len() > 1;
        let mut regions: BTreeMap<String, Vec<&PlannedStack>> = BTreeMap::new();
        for stack in stacks {
            let region = stack.region.as_deref().unwrap_or("any region");
            let account = stack.account.as_deref().filter(|_| several);
            let place = account.map_or_else(|| region.to_owned(), |account| format!("{account}/{region}"));
            regions.entry(place).or_default().push(stack);
        }
        for (region, stacks) in regions {
            let resources = stacks.iter().map(|stack| stack.resources).sum();
            let longest = stacks.iter().map(|stack| stack.expected).max().unwrap_or_default();
            let row = format!(
                "  {:<14} {:>11} {:>16}   up to {} each",
                clean(&region),
                count(stacks.len(), "stack"),
                count(resources, "resource"),
                show_duration(longest)
            );
            self.line(&row);
            let names = first_few(stacks.iter().map(|stack| clean(&stack.id)), NAMED);
            self.paragraph("    ", &names, Some(Tone::Dim));
        }
    }

    fn critical_path(&mut self) {
        let plan = self.plan;
        let path = plan.critical_steps().into_iter().map(|step| &plan.steps[step]);
        let chain: Vec<String> = path.filter_map(|step| on_path(plan, step)).collect();
        let time = show_duration(lower_bound(plan));
        self.paragraph("Critical path: ", &format!("{} ({time})", chain.join(" → ")), None);
    }

    fn steps(&mut self) {
        let plan = self.plan;
        let (mut files, mut images) = (0, 0);
        let mut repositories = Vec::new();
        let (mut gates, mut commands, syntheses) = (Vec::new(), Vec::new(), synthesized_again(plan));
        for step in &plan.steps {
            match &step.work {
                Work::Publish(publish) if publish.image => images += 1,
                Work::Publish(_) => files += 1,
                Work::Prewarm(it) => repositories.push(prewarmed(plan, it)),
                // A bake has a line of its own.
                Work::Deploy { .. }
                | Work::Delete { .. }
                | Work::Synthesize(_)
                | Work::Gate { gate: Gate::Bake(_), .. } => {}
                Work::Command(command) => {
                    let after = plan.stacks.get(command.stack).map_or("", |stack| &stack.id);
                    commands.push(format!("{} after {after}", command.name));
                }
                Work::Gate { stack, gate } => {
                    gates.push(gate.subject(plan.stacks.get(*stack).map_or("", |stack| &stack.id)));
                }
            }
        }
        if files + images > 0 {
            let assets: Vec<String> = [(files, "file"), (images, "image")]
                .into_iter()
                .filter(|(number, _)| *number > 0)
                .map(|(number, word)| count(number, word))
                .collect();
            self.paragraph("Assets: ", &format!("{} to publish", assets.join(", ")), None);
        }
        if !repositories.is_empty() {
            let what = "creates these repositories unless they exist, and never deletes them: ";
            self.paragraph("Prewarm: ", &format!("{what}{}", repositories.join("; ")), None);
        }
        if let Some(rollout) = rollout(plan) {
            self.paragraph("Rollout: ", &rollout, None);
        }
        if !gates.is_empty() {
            let more = gates.len().saturating_sub(MANY_REMARKS);
            gates.truncate(MANY_REMARKS);
            if more > 0 {
                gates.push(format!("and {more} more"));
            }
            self.paragraph("Gates: wait for ", &gates.join("; "), None);
        }
        if !syntheses.is_empty() {
            self.paragraph("Synthesized again: ", &syntheses.join("; "), None);
        }
        if !commands.is_empty() {
            self.paragraph("Commands: ", &commands.join("; "), None);
        }
    }
}

/// A step as the critical path names it; of files only one that takes its time.
fn on_path(plan: &Plan, step: &Step) -> Option<String> {
    let id = |stack: usize| plan.stacks.get(stack).map_or("", |stack| stack.id.as_str());
    Some(match &step.work {
        Work::Publish(publish) if !publish.image && step.expected < SLOW_FILE => return None,
        Work::Publish(publish) => publish.named(),
        Work::Deploy { stack } | Work::Delete { stack } => id(*stack).to_owned(),
        Work::Gate { gate: Gate::Bake(bake), .. } => format!("bake of {}", bake.region),
        Work::Gate { stack, .. } => format!("gate of {}", id(*stack)),
        Work::Command(command) => format!("command {}", command.name),
        Work::Prewarm(prewarm) => format!("repository {}", prewarm.repository),
        Work::Synthesize(_) => "synthesis".to_owned(),
    })
}

/// The needs of a stack. The many stacks of a barrier are one entry.
fn waits(plan: &Plan, stack: &PlannedStack) -> Vec<String> {
    let folded = folded(&stack.depends_on);
    let at_barrier = |reasons: &BTreeMap<Reason, usize>| reasons.keys().all(|r| *r == Reason::Phase);
    let barrier = folded.values().filter(|reasons| at_barrier(reasons)).count();
    let by_rollout = |reasons: &BTreeMap<Reason, usize>| reasons.keys().all(|r| *r == Reason::Rollout);
    let mut waits: Vec<String> = folded
        .iter()
        .filter(|(_, reasons)| !by_rollout(reasons))
        .filter(|(_, reasons)| barrier <= FEW_AT_A_BARRIER || !at_barrier(reasons))
        .map(|(to, reasons)| format!("{to} ({})", show_reasons(reasons)))
        .collect();
    if barrier > FEW_AT_A_BARRIER {
        let phases = plan
            .phases
            .iter()
            .filter(|phase| phase.stacks.iter().any(|id| folded.get(id.as_str()).is_some_and(at_barrier)));
        let phases: Vec<&str> = phases.map(|phase| phase.name.as_str()).collect();
        waits.push(format!("{barrier} stacks of {} (phase)", phases.join(", ")));
    }
    let first = stack.depends_on.iter().find_map(|edge| match &edge.tie {
        Tie::Rollout { first } => Some(first),
        _ => None,
    });
    waits.extend(first.map(|first| format!("the bake of {first} (rollout)")));
    let borrowed = plan.borrowed.iter().filter(|it| it.stack == stack.id);
    waits.extend(borrowed.map(|it| format!("{} (published for {})", it.shown(), it.manifest)));
    waits
}
