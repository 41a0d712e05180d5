//! A plan for programs. Fields may be added; those that are there keep their meaning.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::model::{
    Borrowed, ByName, DeclaredOnly, Edge, External, KeptContext, LeftOut, Phase, Plan, PlannedStack, Reason,
    Relaxed, Step, StepOperation, SynthesisTimes, TemplatePlace, Work,
};
use crate::outlook::advice::Advice;
use crate::outlook::forecast::Forecast;
use crate::outlook::price::Price;
use crate::outlook::what_if::{Completion, WhatIf};
use crate::show::prewarm::Prewarmed;
use crate::show::rollout::RolloutOf;
use paceline_config::{Strategy, Until};

/// The version of this format.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    stacks: Vec<Stack<'a>>,
    critical_path: &'a [String],
    /// The ids of all steps on it: assets, images and gates too.
    critical_steps: Vec<&'a str>,
    forecast: Times<'a>,
    strategy: Strategy,
    phases: Vec<PhaseOf<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollout: Option<RolloutOf<'a>>,
    assets: Assets,
    left_out: Vec<LeftOutOf<'a>>,
    external: Vec<ExternalOf<'a>>,
    #[serde(skip_serializing_if = "<[Relaxed]>::is_empty")]
    relaxed: &'a [Relaxed],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prewarm: Vec<Prewarmed<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    synthesized_again: Vec<SynthesizedAgain<'a>>,
    #[serde(skip_serializing_if = "<[KeptContext]>::is_empty")]
    kept_context: &'a [KeptContext],
    #[serde(skip_serializing_if = "<[Borrowed]>::is_empty")]
    borrowed_assets: &'a [Borrowed],
    declared_only: Vec<DeclaredOnlyOf<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<HintOf<'a>>,
    timestamps: Vec<Timestamps<'a>>,
    warnings: Vec<String>,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_if: Option<WhatIfOf<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<Vec<AdviceOf<'a>>>,
}

#[derive(Serialize)]
struct Stack<'a> {
    id: &'a str,
    name: &'a str,
    account: Option<&'a str>,
    region: Option<&'a str>,
    phase: Option<&'a str>,
    level: usize,
    resources: usize,
    expected_s: u64,
    expected_from: String,
    expected_operation: StepOperation,
    depends_on: Vec<DependsOn<'a>>,
}

#[derive(Serialize)]
struct DependsOn<'a> {
    stack: &'a str,
    reason: Reason,
    detail: String,
    /// Where the stack that waits reads it, and where the other one provides it.
    #[serde(skip_serializing_if = "<[TemplatePlace]>::is_empty")]
    read_at: &'a [TemplatePlace],
    #[serde(skip_serializing_if = "Option::is_none")]
    provided_at: Option<&'a TemplatePlace>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    guessed: bool,
    /// Only where it is not the whole stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Until>,
}

#[derive(Serialize)]
struct Times<'a> {
    #[serde(rename = "sequential_s")]
    sequential: u64,
    #[serde(rename = "phased_s")]
    phased: u64,
    #[serde(rename = "graph_s")]
    graph: u64,
    #[serde(rename = "lower_bound_s")]
    lower_bound: u64,
    #[serde(rename = "redeployed_s", skip_serializing_if = "Option::is_none")]
    redeployed: Option<u64>,
    #[serde(rename = "whole_stacks_s", skip_serializing_if = "Option::is_none")]
    whole_stacks: Option<u64>,
    made_by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Costs<'a>>,
}

/// In US dollars.
#[derive(Serialize)]
struct Costs<'a> {
    compute: &'a str,
    per_minute: f64,
    source: String,
    sequential: f64,
    phased: f64,
    graph: f64,
}

#[derive(Serialize)]
struct WhatIfOf<'a> {
    changes: Vec<String>,
    before: CompletionOf<'a>,
    after: CompletionOf<'a>,
}

#[derive(Serialize)]
struct CompletionOf<'a> {
    finish_s: u64,
    critical_path: &'a [String],
}

#[derive(Serialize)]
struct PhaseOf<'a> {
    name: &'a str,
    barrier: bool,
    stacks: &'a [String],
}

/// Where a stack holds the time of its synthesis.
#[derive(Serialize)]
struct Timestamps<'a> {
    stack: &'a str,
    places: &'a [TemplatePlace],
}

/// An edge that only the manifest declares.
#[derive(Serialize)]
struct DeclaredOnlyOf<'a> {
    stack: &'a str,
    depends_on: &'a str,
    saves_s: u64,
}

/// A name that one stack uses and another makes, and what to add to `edges:` if that is needed first.
#[derive(Serialize)]
struct HintOf<'a> {
    stack: &'a str,
    made_by: &'a str,
    kind: &'a str,
    name: &'a str,
    read_at: &'a TemplatePlace,
    edge: String,
}

/// A stack that will not be deployed.
#[derive(Serialize)]
struct LeftOutOf<'a> {
    stack: &'a str,
    why: String,
}

/// A name that nothing in the assembly provides.
#[derive(Serialize)]
struct ExternalOf<'a> {
    stack: &'a str,
    reason: Reason,
    name: &'a str,
    place: String,
    unresolved: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    may_be: &'a [String],
}

#[derive(Serialize)]
struct AdviceOf<'a> {
    code: &'static str,
    saves_s: u64,
    at_most: bool,
    stack: Option<&'a str>,
    logical_id: Option<&'a str>,
    what: String,
    cost: &'static str,
}

/// An app that is synthesized in the middle of the run.
#[derive(Serialize)]
struct SynthesizedAgain<'a> {
    app: Option<&'a str>,
    after: Vec<&'a str>,
    stacks: Vec<&'a str>,
    lookups: &'a BTreeSet<String>,
}

#[derive(Default, Serialize)]
struct Assets {
    files: usize,
    images: usize,
}

/// The plan as `plan --format json` prints it.
pub fn json(plan: &Plan, forecast: &Forecast) -> String {
    let mut assets = Assets::default();
    for step in &plan.steps {
        if let Work::Publish(publish) = &step.work {
            *if publish.image { &mut assets.images } else { &mut assets.files } += 1;
        }
    }
    let document = Document {
        schema: SCHEMA,
        stacks: plan.stacks.iter().map(Stack::of).collect(),
        critical_path: &plan.critical_path,
        critical_steps: plan.critical_steps().into_iter().map(|step| plan.steps[step].id.as_str()).collect(),
        forecast: Times {
            sequential: seconds(forecast.sequential),
            phased: seconds(forecast.phased),
            graph: seconds(forecast.graph),
            lower_bound: seconds(forecast.lower_bound),
            redeployed: forecast.redeployed.map(seconds),
            whole_stacks: forecast.whole_stacks.map(seconds),
            made_by: forecast.made_by.as_str(),
            price: forecast.price.as_ref().map(|price| Costs::of(price, forecast)),
        },
        strategy: plan.strategy,
        phases: plan.phases.iter().map(PhaseOf::of).collect(),
        rollout: RolloutOf::of(plan),
        assets,
        left_out: plan.left_out.iter().map(LeftOutOf::of).collect(),
        external: plan.external.iter().map(ExternalOf::of).collect(),
        relaxed: &plan.relaxed,
        prewarm: plan.steps.iter().filter_map(|step| Prewarmed::of(plan, step)).collect(),
        synthesized_again: plan.steps.iter().filter_map(|step| SynthesizedAgain::of(plan, step)).collect(),
        kept_context: &plan.kept_context,
        borrowed_assets: &plan.borrowed,
        declared_only: plan.declared_only.iter().map(DeclaredOnlyOf::of).collect(),
        hints: plan.by_name.iter().map(HintOf::of).collect(),
        timestamps: plan
            .times
            .iter()
            .map(|SynthesisTimes { stack, places }| Timestamps { stack, places })
            .collect(),
        warnings: plan.warnings.iter().map(ToString::to_string).collect(),
        digest: plan.digest(),
        what_if: forecast.what_if.as_ref().map(WhatIfOf::of),
        advice: forecast.advice.as_ref().map(|advice| advice.iter().map(AdviceOf::of).collect()),
    };
    let mut text = serde_json::to_string_pretty(&document).expect("strings and numbers are always JSON");
    text.push('\n');
    text
}

impl<'a> Stack<'a> {
    fn of(stack: &'a PlannedStack) -> Self {
        Self {
            id: &stack.id,
            name: &stack.name,
            account: stack.account.as_deref(),
            region: stack.region.as_deref(),
            phase: stack.phase.as_deref(),
            level: stack.level,
            resources: stack.resources,
            expected_s: seconds(stack.expected),
            expected_from: stack.expected_from.to_string(),
            expected_operation: stack.operation,
            depends_on: stack.depends_on.iter().map(DependsOn::of).collect(),
        }
    }
}

impl<'a> SynthesizedAgain<'a> {
    fn of(plan: &'a Plan, step: &'a Step) -> Option<Self> {
        let Work::Synthesize(work) = &step.work else { return None };
        let id = |stack: &'a PlannedStack| stack.id.as_str();
        Some(Self {
            app: work.app.as_deref(),
            after: step.needs.iter().map(|&need| id(plan.stack_of(&plan.steps[need]))).collect(),
            stacks: work.stacks.iter().filter_map(|&at| plan.stacks.get(at)).map(id).collect(),
            lookups: &work.lookups,
        })
    }
}

impl<'a> Costs<'a> {
    fn of(price: &'a Price, forecast: &Forecast) -> Self {
        let cost = |time| price.for_time(time).as_f64();
        Self {
            compute: &price.compute,
            per_minute: price.per_minute.as_f64(),
            source: price.source(),
            sequential: cost(forecast.sequential),
            phased: cost(forecast.phased),
            graph: cost(forecast.graph),
        }
    }
}

impl<'a> WhatIfOf<'a> {
    fn of(what_if: &'a WhatIf) -> Self {
        Self {
            changes: what_if.changes.iter().map(ToString::to_string).collect(),
            before: CompletionOf::of(&what_if.before),
            after: CompletionOf::of(&what_if.after),
        }
    }
}

impl<'a> CompletionOf<'a> {
    fn of(completion: &'a Completion) -> Self {
        Self { finish_s: seconds(completion.finish), critical_path: &completion.critical_path }
    }
}

impl<'a> DependsOn<'a> {
    fn of(edge: &'a Edge) -> Self {
        Self {
            stack: &edge.to,
            reason: edge.reason,
            detail: edge.detail(),
            read_at: &edge.read_at,
            provided_at: edge.provided_at.as_ref(),
            guessed: edge.guessed,
            until: Some(edge.until).filter(|until| *until != Until::Stack),
        }
    }
}

impl<'a> DeclaredOnlyOf<'a> {
    fn of(edge: &'a DeclaredOnly) -> Self {
        Self { stack: &edge.from, depends_on: &edge.to, saves_s: seconds(edge.saves) }
    }
}

impl<'a> HintOf<'a> {
    fn of(hint: &'a ByName) -> Self {
        let ByName { from, to, kind, name, read_at } = hint;
        Self { stack: from, made_by: to, kind, name, read_at, edge: hint.edge() }
    }
}

impl<'a> LeftOutOf<'a> {
    fn of(left_out: &'a LeftOut) -> Self {
        Self { stack: &left_out.stack, why: left_out.why.to_string() }
    }
}

impl<'a> ExternalOf<'a> {
    fn of(external: &'a External) -> Self {
        let External { stack, reason, name, read_at, unresolved, may_be } = external;
        let place = read_at.as_ref().map_or_else(String::new, ToString::to_string);
        let place = format!("{stack}: {place}");
        Self { stack, reason: *reason, name, place, unresolved: *unresolved, may_be }
    }
}

impl<'a> AdviceOf<'a> {
    fn of(advice: &'a Advice) -> Self {
        Self {
            code: advice.code(),
            saves_s: advice.saves.as_secs(),
            at_most: advice.at_most,
            stack: advice.stack.as_deref(),
            logical_id: advice.logical_id.as_deref(),
            what: advice.what(),
            cost: advice.cost(),
        }
    }
}

impl<'a> PhaseOf<'a> {
    fn of(phase: &'a Phase) -> Self {
        Self { name: &phase.name, barrier: phase.barrier, stacks: &phase.stacks }
    }
}

/// Whole seconds: the figures are no better than that.
fn seconds(duration: Duration) -> u64 {
    duration.saturating_add(Duration::from_millis(500)).as_secs()
}
