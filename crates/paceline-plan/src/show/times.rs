//! The part of a plan that is about time: how long it takes in each way, what it would take if, and what to change.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::page::{Page, Tone};
use super::wording::{clean, count, show_duration};
use crate::model::{Basis, Work};
use crate::outlook::advice::Advice;
use crate::outlook::forecast::{Forecast, MadeBy};
use crate::outlook::price::Price;
use crate::outlook::what_if::{Completion, WhatIf};
use paceline_config::Strategy;

impl Page<'_> {
    pub(super) fn forecast(&mut self, forecast: &Forecast) {
        let chosen = self.plan.strategy;
        let ways = [
            ("one after another", forecast.sequential, None),
            ("phases as barriers", forecast.phased, Some(Strategy::Phases)),
            ("by graph", forecast.graph, Some(Strategy::Graph)),
        ];
        self.line("Forecast:");
        for (way, time, strategy) in ways {
            if strategy == Some(Strategy::Phases) && self.plan.phases.is_empty() {
                continue;
            }
            let mut row = format!("  {way:<20} {:>11}", show_duration(time));
            if strategy == Some(chosen) {
                row.push_str("   this plan");
                let saved = forecast.sequential.saturating_sub(time);
                if let Some(percent) = (saved.as_secs() * 100).checked_div(forecast.sequential.as_secs())
                    && percent > 0
                {
                    let _ = write!(row, ", {} saved ({percent} %)", show_duration(saved));
                }
            }
            self.line(&row);
        }
        let others = [
            ("a redeployment", forecast.redeployed, "on an account where everything exists already"),
            ("whole stacks", forecast.whole_stacks, "without early starts"),
        ];
        for (way, time, what) in others {
            if let Some(time) = time {
                self.line(&format!("  {way:<20} {:>11}   {what}", show_duration(time)));
            }
        }
        let bound = show_duration(forecast.lower_bound);
        self.line(&format!("  {:<20} {bound:>11}   the longest chain, without any limit", "at best"));
        self.durations(forecast.made_by);
        if let Some(price) = &forecast.price {
            self.price(price, forecast);
        }
    }

    /// Where the durations come from.
    fn durations(&mut self, made_by: MadeBy) {
        let mut bases: BTreeMap<&str, usize> = BTreeMap::new();
        for stack in &self.plan.stacks {
            *bases.entry(source(stack.expected_from)).or_default() += 1;
        }
        let sources: Vec<String> = match bases.len() {
            1 => bases.keys().map(|source| (*source).to_owned()).collect(),
            _ => bases.iter().map(|(source, n)| format!("{source} ({})", count(*n, "stack"))).collect(),
        };
        let simulated = match made_by {
            MadeBy::Rehearsal => "",
            MadeBy::Simulator => "; the time of this plan is that of a simulated deployment",
        };
        self.paragraph("Durations: ", &format!("{}{simulated}", sources.join(", ")), None);
    }

    fn price(&mut self, price: &Price, forecast: &Forecast) {
        let time = match self.plan.strategy {
            Strategy::Graph => forecast.graph,
            Strategy::Phases => forecast.phased,
        };
        let mut text = format!(
            "about {}, one after another about {} ({} at about {} a minute: {})",
            price.for_time(time),
            price.for_time(forecast.sequential),
            price.compute,
            price.per_minute.exact(),
            price.source()
        );
        let builds_images =
            self.plan.steps.iter().any(|step| matches!(&step.work, Work::Publish(it) if it.image));
        if let Some(smaller) = price.of_smaller().filter(|_| !builds_images) {
            let (compute, cost) = (&smaller.compute, smaller.for_time(time));
            let _ = write!(text, "; {compute} would do, as no image is built: about {cost}");
        }
        self.paragraph("Build: ", &text, None);
    }

    pub(super) fn what_if(&mut self, what_if: &WhatIf) {
        self.line("");
        let changes: Vec<String> = what_if.changes.iter().map(ToString::to_string).collect();
        self.paragraph("What if ", &changes.join(", "), Some(Tone::Strong));
        let (before, after) = (what_if.before.finish, what_if.after.finish);
        let difference = match (after.saturating_sub(before), before.saturating_sub(after)) {
            (Duration::ZERO, Duration::ZERO) => "the same".to_owned(),
            (more, Duration::ZERO) => format!("{} more", show_duration(more)),
            (_, less) => format!("{} less", show_duration(less)),
        };
        self.completion("as it is configured", &what_if.before, "");
        self.completion("with the change", &what_if.after, &difference);
    }

    fn completion(&mut self, title: &str, completion: &Completion, difference: &str) {
        self.line(&format!("  {title:<20} {:>11}   {difference}", show_duration(completion.finish)));
        self.paragraph("    ", &completion.critical_path.join(" → "), Some(Tone::Dim));
    }

    pub(super) fn advice(&mut self, advice: &[Advice]) {
        self.line("");
        if advice.is_empty() {
            self.paragraph(
                "Advice: ",
                "nothing that the templates show would shorten this run by much",
                None,
            );
            return;
        }
        self.title("Advice");
        for (number, it) in advice.iter().enumerate() {
            let place = [it.stack.as_ref(), it.logical_id.as_ref()].into_iter().flatten();
            let place = place.map(|part| clean(part)).collect::<Vec<_>>().join(", ");
            let place = if place.is_empty() { String::new() } else { format!(": {place}") };
            let lead = format!("  {}. ", number + 1);
            let at_most = if it.at_most { "at most " } else { "" };
            let saves = format!("{at_most}{} less{place}", show_duration(it.saves));
            self.paragraph(&lead, &saves, Some(Tone::Strong));
            let indent = " ".repeat(lead.chars().count());
            self.paragraph(&indent, &it.what(), None);
            self.paragraph(&format!("{indent}Costs: "), it.cost(), Some(Tone::Dim));
        }
    }
}

/// What a basis is called in a list of them.
fn source(basis: Basis) -> &'static str {
    match basis {
        Basis::History(_) => "from the history of earlier runs",
        Basis::Table => "from the table by resource type",
        Basis::Default => "no history yet; typical duration",
        Basis::Unchanged { .. } => "unchanged, only looked at",
        Basis::Measured => "measured",
        Basis::Assumed => "what-if",
        Basis::Configured => "set in paceline.yaml",
    }
}

/// The same in the line of a stack.
pub(super) fn short_source(basis: Basis) -> &'static str {
    match basis {
        Basis::History(_) => "history",
        Basis::Table => "table",
        Basis::Default => "typical",
        Basis::Unchanged { .. } => "unchanged",
        Basis::Measured => "measured",
        Basis::Assumed => "what-if",
        Basis::Configured => "configured",
    }
}
