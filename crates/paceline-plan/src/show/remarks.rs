//! The remarks at the end of a plan for people: stacks that are left out, names that nothing provides, edges that nothing
//! uses.

use std::collections::{BTreeMap, BTreeSet};

use super::page::{Page, Tone};
use super::wording::{clean, count, show_duration};
use crate::model::{ByName, DeclaredOnly, External, Reason, Relaxed, SynthesisTimes};

/// The most lines that a list of remarks takes.
const MANY_REMARKS: usize = 20;

/// The most names in a list that may be long.
const FEW_NAMES: usize = 5;

/// The most pairs of stacks of which hints are shown.
const FEW_PAIRS: usize = 4;

impl Page<'_> {
    pub(super) fn remarks(&mut self) {
        let plan = self.plan;
        let mut left_out: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for it in &plan.left_out {
            left_out.entry(it.why.to_string()).or_default().push(&it.stack);
        }
        let left_out = left_out.iter().map(|(why, stacks)| format!("{}: {why}", stacks.join(", ")));
        self.remark("Left out:", &left_out.collect::<Vec<_>>(), None);

        let (unresolved, external): (Vec<&External>, Vec<&External>) =
            plan.external.iter().partition(|it| it.unresolved);
        self.few("Read, but made by none of these stacks:", &names(&external));
        self.remark("Read under names that are only known at deployment:", &names(&unresolved), None);
        self.by_name();
        self.relaxed();
        self.declared_only();
        self.kept_context();
        self.times();

        let warnings: Vec<String> = plan.warnings.iter().map(ToString::to_string).collect();
        self.remark("Warnings:", &warnings, Some(Tone::Warn));
    }

    fn relaxed(&mut self) {
        // The others are warned of.
        let (forced, side_by_side): (Vec<&Relaxed>, Vec<&Relaxed>) =
            self.plan.relaxed.iter().filter(|it| !it.without_effect).partition(|it| it.forced);
        let lines = side_by_side.iter().map(|it| match it.parameters.len() {
            0 => format!("{} and {}: once {} is there ({})", it.from, it.to, it.to, it.because),
            number => {
                let parameters = count(number, "parameter");
                format!("{} and {}: once it finds the {parameters} it reads ({})", it.from, it.to, it.because)
            }
        });
        self.remark("Deployed side by side on a redeployment:", &lines.collect::<Vec<_>>(), None);
        let lines = forced.iter().map(|it| {
            let names: Vec<&str> = it.parameters.iter().map(|stored| stored.name.as_str()).collect();
            let needed = match names.as_slice() {
                [] => String::new(),
                names => format!(", so these have to be there before the run: {}", names.join(", ")),
            };
            format!("{} does not wait for {}{needed} ({})", it.from, it.to, it.because)
        });
        self.remark("Given up, because no order is possible with it:", &lines.collect::<Vec<_>>(), None);
    }

    /// A few pairs, each with its first name and the edge to paste: whether one is needed, the team has to say.
    fn by_name(&mut self) {
        let mut pairs: BTreeMap<(&str, &str), Vec<&ByName>> = BTreeMap::new();
        for it in &self.plan.by_name {
            pairs.entry((&it.from, &it.to)).or_default().push(it);
        }
        if pairs.is_empty() {
            return;
        }
        self.line("");
        self.title("Named by one stack and made by another, with no order between them:");
        for hints in pairs.values().take(FEW_PAIRS) {
            let Some(first) = hints.first() else { continue };
            let more = match hints.len() - 1 {
                0 => String::new(),
                more => format!(", and {}", count(more, "more name")),
            };
            let ByName { from, to, kind, name, .. } = first;
            self.paragraph("  ", &format!("{from} names the {kind} {name}, which {to} makes{more}"), None);
            self.line(&format!("    - {}", clean(&first.edge())));
        }
        match pairs.len().saturating_sub(FEW_PAIRS) {
            0 => {}
            more => {
                self.line(&format!("  and {} of stacks (--format json has all)", count(more, "more pair")));
            }
        }
        self.paragraph(
            "  ",
            "Add to `edges:` in paceline.yaml those of which one needs the other.",
            Some(Tone::Dim),
        );
    }

    fn kept_context(&mut self) {
        let lines = self.plan.kept_context.iter().map(|it| match &it.app {
            Some(app) => format!(
                "{app}: {0}, which {1} makes: `refresh-context: ['{0}']` looks it up again after that",
                it.name, it.stack
            ),
            None => format!(
                "{}, which {} makes: `cdk context --reset '{}'` has it looked up again",
                it.name, it.stack, it.key
            ),
        });
        self.remark(
            "Cached lookups in cdk.context.json that stacks of this plan create:",
            &lines.collect::<Vec<_>>(),
            None,
        );
    }

    fn times(&mut self) {
        let title = if self.plan.ignore_times {
            "Hold the time of their synthesis, which is ignored when they are compared:"
        } else {
            "Hold the time of their synthesis, so they are never unchanged:"
        };
        let lines = self.plan.times.iter().map(|SynthesisTimes { stack, places }| match places.as_slice() {
            [place] => format!("{stack}: {place}"),
            [place, more @ ..] => format!("{stack}: {place} and {}", count(more.len(), "more place")),
            [] => stack.clone(),
        });
        let mut lines: Vec<String> = lines.collect();
        if !(lines.is_empty() || self.plan.ignore_times) {
            lines.push("`unchanged: { ignore-timestamps: true }` compares without it".to_owned());
        }
        self.remark(title, &lines, None);
    }

    /// Edges that cost time are named. An edge off the critical path is no reason to change anything today.
    fn declared_only(&mut self) {
        let (costly, free): (Vec<&DeclaredOnly>, Vec<&DeclaredOnly>) =
            self.plan.declared_only.iter().partition(|edge| !edge.saves.is_zero());
        let mut lines: Vec<String> = costly
            .iter()
            .map(|edge| {
                let saves = show_duration(edge.saves);
                format!("{} waits for {}: removing it saves {saves}", edge.from, edge.to)
            })
            .collect();
        lines.truncate(MANY_REMARKS - 1);
        let more = self.plan.declared_only.len() - lines.len();
        if more > 0 && lines.is_empty() {
            lines.push(format!("{}; removing one alone saves nothing", count(free.len(), "edge")));
        } else if more > 0 {
            lines.push(format!("{} (--format json has all)", count(more, "more edge")));
        }
        self.remark("Declared in the manifest, but used by no template:", &lines, None);
    }

    /// A list of which a few lines say what it is about.
    fn few(&mut self, title: &str, lines: &[String]) {
        let more = lines.len().saturating_sub(FEW_NAMES);
        if more <= 1 {
            return self.remark(title, lines, None);
        }
        self.remark(title, &lines[..FEW_NAMES], None);
        self.line(&format!("  and {more} more (--format json has all)"));
    }

    fn remark(&mut self, title: &str, lines: &[String], tone: Option<Tone>) {
        if lines.is_empty() {
            return;
        }
        self.line("");
        self.title(title);
        let more = lines.len().saturating_sub(MANY_REMARKS);
        for line in lines.iter().take(MANY_REMARKS) {
            self.paragraph("  ", line, tone);
        }
        if more > 0 {
            self.line(&format!("  and {more} more (--format json has all)"));
        }
    }
}

/// A line for each name, with the stacks that read it.
fn names(of: &[&External]) -> Vec<String> {
    let mut names: BTreeMap<(Reason, &str), [BTreeSet<&str>; 2]> = BTreeMap::new();
    for it in of {
        let [readers, may_be] = names.entry((it.reason, &it.name)).or_default();
        readers.insert(&it.stack);
        may_be.extend(it.may_be.iter().map(String::as_str));
    }
    let list = |ids: &BTreeSet<&str>| ids.iter().copied().collect::<Vec<_>>().join(", ");
    names
        .iter()
        .map(|((reason, name), [readers, may_be])| {
            let may_be = match may_be.len() {
                0 => String::new(),
                _ => format!("; may be made by {}: `edges:` in paceline.yaml says which", list(may_be)),
            };
            format!("{} (read by {}){may_be}", kind(*reason, name), list(readers))
        })
        .collect()
}

fn kind(reason: Reason, name: &str) -> String {
    match reason {
        Reason::Import => format!("export {name}"),
        Reason::Output => format!("outputs of stack {name}"),
        Reason::Secret => format!("secret {name}"),
        Reason::Image => format!("repository {name}"),
        Reason::CrossRegion => format!("cross-region export {name}"),
        _ => format!("parameter {name}"),
    }
}
