//! A plan for programs. Fields may be added; those that are there keep their meaning. `paceline schema plan` prints the
//! JSON Schema.

mod document;

use std::time::Duration;

use paceline_text::{Nullable, document_schema, json_document};
use serde_json::Value;

use self::document::PlaceOf;
use self::document::{
    AdviceOf, AssetsOf, CompletionOf, CostsOf, DeclaredOnlyOf, ExternalOf, HintOf, KeptContextOf,
    ParameterOf, PhaseOf, PlanDocument, RelaxedOf, StackOf, SynthesizedAgainOf, TimesOf, TimestampsOf,
    WhatIfOf,
};
pub(super) use self::document::{BorrowedOf, DependsOn, LeftOutOf};
use crate::model::{
    Borrowed, ByName, DeclaredOnly, Edge, External, KeptContext, LeftOut, Phase, Plan, PlannedStack, Relaxed,
    Step, StoredParameter, SynthesisTimes, TemplatePlace, Work,
};
use crate::outlook::advice::Advice;
use crate::outlook::forecast::Forecast;
use crate::outlook::price::Price;
use crate::outlook::what_if::{Completion, WhatIf};
use crate::show::prewarm::Prewarmed;
use crate::show::rollout::RolloutOf;
use paceline_config::{Reason, Until};

/// The version of this format.
const SCHEMA: u32 = 1;

/// The plan as `plan --format json` prints it.
pub fn json(plan: &Plan, forecast: &Forecast) -> String {
    let mut assets = AssetsOf { files: 0, images: 0 };
    for step in &plan.steps {
        if let Work::Publish(publish) = &step.work {
            *if publish.image { &mut assets.images } else { &mut assets.files } += 1;
        }
    }
    json_document(&PlanDocument {
        schema: SCHEMA,
        stacks: plan.stacks.iter().map(StackOf::of).collect(),
        critical_path: &plan.critical_path,
        critical_steps: plan.critical_steps().into_iter().map(|step| plan.steps[step].id.as_str()).collect(),
        forecast: TimesOf::of(forecast),
        strategy: plan.strategy.as_str(),
        phases: plan.phases.iter().map(PhaseOf::of).collect(),
        rollout: RolloutOf::of(plan),
        assets,
        left_out: plan.left_out.iter().map(LeftOutOf::of).collect(),
        external: plan.external.iter().map(ExternalOf::of).collect(),
        relaxed: unless_empty(plan.relaxed.iter().map(RelaxedOf::of)),
        prewarm: unless_empty(plan.steps.iter().filter_map(|step| Prewarmed::of(plan, step))),
        synthesized_again: unless_empty(
            plan.steps.iter().filter_map(|step| SynthesizedAgainOf::of(plan, step)),
        ),
        kept_context: unless_empty(plan.kept_context.iter().map(KeptContextOf::of)),
        borrowed_assets: unless_empty(plan.borrowed.iter().map(BorrowedOf::of)),
        declared_only: plan.declared_only.iter().map(DeclaredOnlyOf::of).collect(),
        hints: unless_empty(plan.by_name.iter().map(HintOf::of)),
        timestamps: plan.times.iter().map(TimestampsOf::of).collect(),
        warnings: plan.warnings.iter().map(ToString::to_string).collect(),
        digest: plan.digest(),
        what_if: forecast.what_if.as_ref().map(WhatIfOf::of),
        advice: forecast.advice.as_ref().map(|advice| advice.iter().map(AdviceOf::of).collect()),
    })
}

/// The JSON Schema of a plan.
pub fn plan_schema() -> Value {
    document_schema::<PlanDocument<'_>>("A plan of Paceline", SCHEMA)
}

/// A list that is left out of the document if it is empty.
fn unless_empty<T>(list: impl IntoIterator<Item = T>) -> Option<Vec<T>> {
    Some(list.into_iter().collect()).filter(|list: &Vec<T>| !list.is_empty())
}

impl<'a> StackOf<'a> {
    fn of(stack: &'a PlannedStack) -> Self {
        Self {
            id: &stack.id,
            name: &stack.name,
            account: Nullable(stack.account.as_deref()),
            region: Nullable(stack.region.as_deref()),
            phase: Nullable(stack.phase.as_deref()),
            level: stack.level,
            resources: stack.resources,
            expected_s: seconds(stack.expected),
            expected_from: stack.expected_from.to_string(),
            expected_operation: stack.operation.as_str(),
            depends_on: stack.depends_on.iter().map(DependsOn::of).collect(),
        }
    }
}

impl<'a> SynthesizedAgainOf<'a> {
    fn of(plan: &'a Plan, step: &'a Step) -> Option<Self> {
        let Work::Synthesize(work) = &step.work else { return None };
        let id = |stack: &'a PlannedStack| stack.id.as_str();
        Some(Self {
            app: Nullable(work.app.as_deref()),
            after: step.needs.iter().map(|&need| id(plan.stack_of(&plan.steps[need]))).collect(),
            stacks: work.stacks.iter().filter_map(|&at| plan.stacks.get(at)).map(id).collect(),
            lookups: work.lookups.iter().map(String::as_str).collect(),
        })
    }
}

impl<'a> TimesOf<'a> {
    fn of(forecast: &'a Forecast) -> Self {
        Self {
            sequential_s: seconds(forecast.sequential),
            phased_s: seconds(forecast.phased),
            graph_s: seconds(forecast.graph),
            lower_bound_s: seconds(forecast.lower_bound),
            redeployed_s: forecast.redeployed.map(seconds),
            whole_stacks_s: forecast.whole_stacks.map(seconds),
            made_by: forecast.made_by.as_str(),
            price: forecast.price.as_ref().map(|price| CostsOf::of(price, forecast)),
        }
    }
}

impl<'a> CostsOf<'a> {
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
    pub(super) fn of(edge: &'a Edge) -> Self {
        Self {
            stack: &edge.to,
            reason: edge.reason.as_str(),
            detail: edge.detail(),
            read_at: unless_empty(edge.read_at.iter().map(PlaceOf::of)),
            provided_at: edge.provided_at.as_ref().map(PlaceOf::of),
            guessed: edge.guessed.then_some(true),
            until: Some(edge.until).filter(|until| *until != Until::Stack).map(Until::as_str),
        }
    }
}

impl<'a> PlaceOf<'a> {
    fn of(place: &'a TemplatePlace) -> Self {
        let TemplatePlace { nested, section, logical_id, path, construct } = place;
        Self {
            nested: Some(nested.as_slice()).filter(|nested| !nested.is_empty()),
            section: section.as_str(),
            logical_id,
            path,
            construct: construct.as_deref(),
        }
    }
}

impl<'a> TimestampsOf<'a> {
    fn of(times: &'a SynthesisTimes) -> Self {
        Self { stack: &times.stack, places: times.places.iter().map(PlaceOf::of).collect() }
    }
}

impl<'a> RelaxedOf<'a> {
    fn of(relaxed: &'a Relaxed) -> Self {
        let Relaxed { from, to, because, reason, parameters, dropped, forced, without_effect } = relaxed;
        Self {
            from,
            to,
            because,
            reason: reason.map(Reason::as_str),
            parameters: parameters.iter().map(ParameterOf::of).collect(),
            dropped: *dropped,
            forced: forced.then_some(true),
            without_effect: without_effect.then_some(true),
        }
    }
}

impl<'a> ParameterOf<'a> {
    fn of(parameter: &'a StoredParameter) -> Self {
        let StoredParameter { name, account, region } = parameter;
        Self { name, account: Nullable(account.as_deref()), region: Nullable(region.as_deref()) }
    }
}

impl<'a> KeptContextOf<'a> {
    fn of(kept: &'a KeptContext) -> Self {
        let KeptContext { app, key, name, stack } = kept;
        Self { app: Nullable(app.as_deref()), key, name, stack }
    }
}

impl<'a> BorrowedOf<'a> {
    pub(super) fn of(borrowed: &'a Borrowed) -> Self {
        let Borrowed { stack, manifest, asset, image, step, read_at } = borrowed;
        Self { stack, manifest, asset, image: *image, step, read_at: PlaceOf::of(read_at) }
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
        Self { stack: from, made_by: to, kind, name, read_at: PlaceOf::of(read_at), edge: hint.edge() }
    }
}

impl<'a> LeftOutOf<'a> {
    pub(super) fn of(left_out: &'a LeftOut) -> Self {
        Self { stack: &left_out.stack, why: left_out.why.to_string() }
    }
}

impl<'a> ExternalOf<'a> {
    fn of(external: &'a External) -> Self {
        let External { stack, reason, name, read_at, unresolved, may_be } = external;
        let place = read_at.as_ref().map_or_else(String::new, ToString::to_string);
        let place = format!("{stack}: {place}");
        let may_be = Some(may_be.as_slice()).filter(|may_be| !may_be.is_empty());
        Self { stack, reason: reason.as_str(), name, place, unresolved: *unresolved, may_be }
    }
}

impl<'a> AdviceOf<'a> {
    fn of(advice: &'a Advice) -> Self {
        Self {
            code: advice.code(),
            saves_s: advice.saves.as_secs(),
            at_most: advice.at_most,
            stack: Nullable(advice.stack.as_deref()),
            logical_id: Nullable(advice.logical_id.as_deref()),
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
pub(super) fn seconds(duration: Duration) -> u64 {
    duration.saturating_add(Duration::from_millis(500)).as_secs()
}
