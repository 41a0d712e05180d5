//! The shape of a plan as JSON.

use paceline_text::{Nullable, documented};

use crate::show::prewarm::Prewarmed;
use crate::show::rollout::RolloutOf;

documented! {
    /// A plan: the stacks, their order and its reasons, and the forecast. Durations are in whole seconds. A newer version may
    /// add fields.
    struct PlanDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The stacks in an order in which they can be deployed one after another.
        stacks: Vec<StackOf<'a>>,
        /// The ids of the stacks that decide how long the run takes, from the first to the last.
        critical_path: &'a [String],
        /// The ids of all steps on it, those of assets, images and gates too.
        critical_steps: Vec<&'a str>,
        /// How long a run takes.
        forecast: TimesOf<'a>,
        /// What decides when a stack may start: graph or phases.
        strategy: &'static str,
        /// The phases in their order.
        phases: Vec<PhaseOf<'a>>,
        /// The rollout, if there is one.
        rollout: Option<RolloutOf<'a>>,
        /// The numbers of assets to publish.
        assets: AssetsOf,
        /// The stacks of the app that are not deployed.
        left_out: Vec<LeftOutOf<'a>>,
        /// The names that stacks use and nothing in the app provides.
        external: Vec<ExternalOf<'a>>,
        /// The edges that `relax` drops, or would drop.
        relaxed: Option<Vec<RelaxedOf<'a>>>,
        /// The repositories that are created at the start of the run.
        prewarm: Option<Vec<Prewarmed<'a>>>,
        /// The apps that are synthesized again during the run.
        synthesized_again: Option<Vec<SynthesizedAgainOf<'a>>>,
        /// The cached lookups in cdk.context.json of something that a stack of the plan creates.
        kept_context: Option<Vec<KeptContextOf<'a>>>,
        /// The assets that a stack uses and only the asset manifest of another stack names.
        borrowed_assets: Option<Vec<BorrowedOf<'a>>>,
        /// The edges that only the manifest declares, and nothing in the two templates.
        declared_only: Vec<DeclaredOnlyOf<'a>>,
        /// The names that one stack uses and another one makes, without an edge between the two.
        hints: Option<Vec<HintOf<'a>>>,
        /// Where stacks hold the time of their synthesis, so that they differ each time.
        timestamps: Vec<TimestampsOf<'a>>,
        /// The warnings, one sentence each.
        warnings: Vec<String>,
        /// The digest of the plan: the same digest means the same steps and templates.
        digest: String,
        /// The forecasts without and with the changes of `--what-if`.
        what_if: Option<WhatIfOf<'a>>,
        /// What would shorten the run most, with `--advice`.
        advice: Option<Vec<AdviceOf<'a>>>,
    }

    /// A stack.
    struct StackOf<'a> {
        /// The hierarchical id.
        id: &'a str,
        /// The name of the CloudFormation stack.
        name: &'a str,
        /// The account, if the app names one.
        account: Nullable<&'a str>,
        /// The region, if the app names one.
        region: Nullable<&'a str>,
        /// The phase, if it is in one.
        phase: Nullable<&'a str>,
        /// The length of the longest chain of stacks before it.
        level: usize,
        /// The number of its resources.
        resources: usize,
        /// How long its operation takes.
        expected_s: u64,
        /// The source of this time, such as earlier runs.
        expected_from: String,
        /// The operation that the time is of: create, update, delete, done or unchanged.
        expected_operation: &'static str,
        /// Every reason to wait for another stack.
        depends_on: Vec<DependsOn<'a>>,
    }

    /// A reason to wait for another stack.
    struct DependsOn<'a> {
        /// The id of the other stack.
        stack: &'a str,
        /// The kind of dependency, such as ssm.
        reason: &'static str,
        /// What ties the two.
        detail: String,
        /// Where the stack that waits reads it.
        read_at: Option<Vec<PlaceOf<'a>>>,
        /// Where the other one provides it.
        provided_at: Option<PlaceOf<'a>>,
        /// True if it is not certain that both mean the same thing.
        guessed: Option<bool>,
        /// resource, if the wait ends when the resources that are read are complete. Otherwise it ends with the stack.
        until: Option<&'static str>,
    }

    /// A place in a template.
    struct PlaceOf<'a> {
        /// The logical ids of the nested stacks that lead to the template, outermost first.
        nested: Option<&'a [String]>,
        /// The section of the template, such as Resources.
        section: &'static str,
        /// The id in that section.
        logical_id: &'a str,
        /// The properties below it, such as Properties.Environment.Variables.URL.
        path: &'a str,
        /// The path of the construct, if it is known.
        construct: Option<&'a str>,
    }

    /// Forecasts of the duration of a run.
    struct TimesOf<'a> {
        /// The stacks one after another.
        sequential_s: u64,
        /// With the strategy phases.
        phased_s: u64,
        /// With the strategy graph.
        graph_s: u64,
        /// No run of this plan can be shorter.
        lower_bound_s: u64,
        /// On an account where everything exists, if edges are dropped there.
        redeployed_s: Option<u64>,
        /// Without early starts, if the plan has some.
        whole_stacks_s: Option<u64>,
        /// What made the forecast, such as a simulated deployment.
        made_by: &'static str,
        /// The price of the build.
        price: Option<CostsOf<'a>>,
    }

    /// What the build costs, in US dollars.
    struct CostsOf<'a> {
        /// The compute type.
        compute: &'a str,
        /// The price of a minute.
        per_minute: f64,
        /// Where that price is from.
        source: String,
        /// The price with the stacks one after another.
        sequential: f64,
        /// The price with the strategy phases.
        phased: f64,
        /// The price with the strategy graph.
        graph: f64,
    }

    /// The effect of changes on the forecast.
    struct WhatIfOf<'a> {
        /// The changes.
        changes: Vec<String>,
        /// Without them.
        before: CompletionOf<'a>,
        /// With them.
        after: CompletionOf<'a>,
    }

    /// A forecast.
    struct CompletionOf<'a> {
        /// How long the run takes.
        finish_s: u64,
        /// The ids of the stacks that decide it.
        critical_path: &'a [String],
    }

    /// A phase.
    struct PhaseOf<'a> {
        /// Its name.
        name: &'a str,
        /// Whether its stacks wait for all stacks of the phases before.
        barrier: bool,
        /// The ids of its stacks.
        stacks: &'a [String],
    }

    /// Where a stack holds the time of its synthesis.
    struct TimestampsOf<'a> {
        /// The id of the stack.
        stack: &'a str,
        /// The places.
        places: Vec<PlaceOf<'a>>,
    }

    /// An edge that only the manifest declares.
    struct DeclaredOnlyOf<'a> {
        /// The id of the stack that waits.
        stack: &'a str,
        /// The id of the stack that it waits for.
        depends_on: &'a str,
        /// How much shorter the run is without it.
        saves_s: u64,
    }

    /// A name that one stack uses and another one makes.
    struct HintOf<'a> {
        /// The id of the stack that uses it.
        stack: &'a str,
        /// The id of the stack that makes it.
        made_by: &'a str,
        /// What it is, such as role.
        kind: &'a str,
        /// The name.
        name: &'a str,
        /// Where it is used.
        read_at: PlaceOf<'a>,
        /// What to add to `edges` of paceline.yaml if it is needed first.
        edge: String,
    }

    /// A stack that is not deployed.
    struct LeftOutOf<'a> {
        /// Its id.
        stack: &'a str,
        /// Why.
        why: String,
    }

    /// A name that nothing in the app provides.
    struct ExternalOf<'a> {
        /// The id of the stack that uses it.
        stack: &'a str,
        /// The kind of dependency, such as ssm.
        reason: &'static str,
        /// The name.
        name: &'a str,
        /// Where it is used.
        place: String,
        /// Whether the name is known only during the deployment.
        unresolved: bool,
        /// The ids of the stacks that may provide it.
        may_be: Option<&'a [String]>,
    }

    /// Edges between two stacks that are dropped if what they are for exists before the run.
    struct RelaxedOf<'a> {
        /// The id of the stack that waits.
        from: &'a str,
        /// The id of the stack that it waits for.
        to: &'a str,
        /// Why that is right, in the team's words.
        because: &'a str,
        /// The kind of dependency, where the team names one.
        reason: Option<&'static str>,
        /// The parameters that must exist.
        parameters: Vec<ParameterOf<'a>>,
        /// Whether this plan has dropped the edges.
        dropped: bool,
        /// True if they had to be dropped, because with them stacks would wait for each other.
        forced: Option<bool>,
        /// True if other edges tie the two all the same.
        without_effect: Option<bool>,
    }

    /// A parameter in Parameter Store.
    struct ParameterOf<'a> {
        /// Its name, or its ARN if it is read by that.
        name: &'a str,
        /// The account; null means that of the stack which reads it.
        account: Nullable<&'a str>,
        /// The region; null means that of the stack which reads it.
        region: Nullable<&'a str>,
    }

    /// A cached lookup of something that a stack of the plan creates.
    struct KeptContextOf<'a> {
        /// The app, where there are several.
        app: Nullable<&'a str>,
        /// The key in cdk.context.json.
        key: &'a str,
        /// What was looked up.
        name: &'a str,
        /// The id of the stack that makes it.
        stack: &'a str,
    }

    /// An asset of which only the asset manifest of another stack knows.
    struct BorrowedOf<'a> {
        /// The id of the stack that uses it.
        stack: &'a str,
        /// The id of the stack whose asset manifest names it.
        manifest: &'a str,
        /// Its name for people.
        asset: &'a str,
        /// Whether it is a container image.
        image: bool,
        /// The id of the step that publishes it.
        step: &'a str,
        /// Where the template uses it.
        read_at: PlaceOf<'a>,
    }

    /// A change that would shorten the run.
    struct AdviceOf<'a> {
        /// The kind of change.
        code: &'static str,
        /// How much it saves.
        saves_s: u64,
        /// Whether it may save less.
        at_most: bool,
        /// The id of the stack to change.
        stack: Nullable<&'a str>,
        /// The logical id of the resource to change.
        logical_id: Nullable<&'a str>,
        /// What to change.
        what: String,
        /// What the change costs.
        cost: &'static str,
    }

    /// An app that is synthesized in the middle of the run.
    struct SynthesizedAgainOf<'a> {
        /// The app, where there are several.
        app: Nullable<&'a str>,
        /// The ids of the stacks that must be complete before.
        after: Vec<&'a str>,
        /// The ids of the stacks that change.
        stacks: Vec<&'a str>,
        /// What is looked up again.
        lookups: Vec<&'a str>,
    }

    /// The numbers of assets.
    struct AssetsOf {
        /// Files.
        files: usize,
        /// Container images.
        images: usize,
    }
}
