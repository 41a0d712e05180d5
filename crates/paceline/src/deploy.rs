//! `paceline deploy`: the runner.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{Assembly, Stack};
use paceline_aws::{Aws, AwsOptions, Method, Presence, TokenKey};
use paceline_engine::exit;
use paceline_plan::{Plan, PlanOptions, Relaxed};
use paceline_report::Record;

use crate::cli::{DeployArgs, MethodArg, PlanFormat};
use crate::failure::Failure;
use crate::generation::check_stack_limit;
use crate::load::App;
use crate::plan::Asked;
use crate::run::{Execution, Finished, PREFLIGHT, RUNS, SIMULATED_START, virtual_runtime};
use crate::simulate::Simulation;
use crate::wait_handle::Waiting;
use crate::{freshness, history, interrupt, late, plan, simulate, synth, terminal};

/// The key of the parameters that are for every stack that has them.
const EVERY_STACK: &str = "*";

pub(crate) fn run(args: DeployArgs) -> Result<u8, Failure> {
    let args = Arc::new(args);
    let given = Arc::clone(&args);
    // What is only shown or rehearsed is of no interest to anyone outside.
    let waiting = if args.run.dry_run || args.run.simulate {
        None
    } else {
        interrupt::effect("Nothing was deployed.");
        interrupt::supervise(move || Waiting::for_deployment(&given.select.app))?
    };
    let ended = interrupt::supervise(move || deploy(&args));
    match waiting {
        Some(waiting) => waiting.after(ended),
        None => ended.map(|finished| finished.exit_code),
    }
}

fn deploy(args: &DeployArgs) -> Result<Finished, Failure> {
    let mut app = synth::before(&args.run, &args.select.app)?.app(&args.select.app)?;
    check_stack_limit(&app)?;
    freshness::warn(&app, &written(args));
    let parameters = parameters(&args.parameters, &app.assembly)?;
    give(&mut app, &parameters);
    let mut options = app.options(Some(&args.select), args.run.fail_fast);
    // What is simulated takes as long as the table says.
    if !args.run.simulate {
        options.history = history::read();
    }
    let mut plan = app.plan(&options)?;
    if !(args.run.simulate || args.run.dry_run) {
        late::warn_of_changed(&app)?;
        if !plan.relaxed.is_empty() {
            plan = relaxed(&app, plan, &mut options)?;
        }
    }
    if app.synthesized.is_empty() && late::told(&plan).is_empty() {
        synth::ensure_no_context(&args.run)?;
    }
    late::ensure_deployable(&app, &plan)?;
    ensure_allowed(&app, &plan, &parameters)?;
    // The plan itself shows them; whoever deploys has not seen it.
    for warning in plan.warnings.iter().filter(|_| !args.run.dry_run) {
        terminal::warn(warning);
    }
    for told in late::told(&plan).iter().filter(|_| !args.run.dry_run) {
        terminal::note(&format!("synthesized again: {told}"));
    }
    if args.run.simulate && !args.run.dry_run {
        for pretence in simulate::pretences(&app, &plan) {
            terminal::warn(&pretence);
        }
    }
    if args.run.dry_run {
        plan::warn_of_sources(&app, &plan);
        terminal::print(&plan::show(&app, &plan, &options, PlanFormat::Text, &Asked::default())?);
        return Ok(Finished { exit_code: exit::DONE, record: Record::default() });
    }
    let method = match args.method {
        MethodArg::Direct => Method::Direct,
        MethodArg::ChangeSet => Method::ChangeSet,
    };
    let stack_limit = app.config.codebuild.timeouts.stack;
    let (late, _kept) = if args.run.simulate {
        (late::pretended(&app, &plan, &options), None)
    } else {
        late::by_command(&mut app, &plan, &options)?.unzip()
    };
    let aws = AwsOptions {
        wire: terminal::wire(),
        method,
        parameters,
        token_key: TokenKey::Kept(RUNS.into()),
        stack_limit,
        late,
        ..AwsOptions::default()
    };
    let execution = Execution {
        args: &args.run,
        outputs: args.outputs.as_deref(),
        dir: &app.dir,
        lock: plan.digest.clone(),
        phased: app.phased(&options).ok(),
        plan: Arc::new(plan),
    };
    let connect = async |aws| {
        let aws = Box::pin(Aws::connect(Arc::clone(&app.assembly), &execution.plan, aws)).await?;
        for note in aws.notes() {
            terminal::note(note);
        }
        Ok(aws)
    };
    if args.run.simulate {
        let simulated = async {
            let simulation = Simulation::new(&app.assembly, &execution.plan, SIMULATED_START);
            let start = simulation.now();
            Box::pin(execution.simulate(start, connect(simulation.options(aws)))).await
        };
        interrupt::doing("the deployment was being rehearsed");
        virtual_runtime()?.block_on(simulated)
    } else {
        interrupt::to_its_end(PREFLIGHT, execution.perform(connect(aws)))?
    }
}

/// What the run itself writes.
fn written(args: &DeployArgs) -> Vec<&Utf8Path> {
    let files = [&args.run.events, &args.run.report, &args.outputs];
    files.into_iter().flatten().map(Utf8PathBuf::as_path).collect()
}

/// The plan without the edges that the team gives up when all they are for is there. It stays the same plan: a run
/// that was interrupted is gone on with, whatever it has made meanwhile.
fn relaxed(app: &App, plan: Plan, options: &mut PlanOptions) -> Result<Plan, Failure> {
    let wire = terminal::wire();
    let looked = paceline_aws::present(&wire, &app.assembly, &plan.relaxed);
    let Presence { present, warnings } =
        interrupt::until_stopped("parameters of other stacks were being looked up", looked)??;
    for warning in warnings {
        terminal::warn(&warning);
    }
    options.present = present;
    let relaxed = app.plan(options)?;
    let waits = |from: &str, to: &str| {
        let mut stacks = relaxed.stacks.iter().filter(|stack| stack.id == from);
        stacks.any(|stack| stack.depends_on.iter().any(|edge| edge.to == to))
    };
    // Where another edge is left, the plan warns of it.
    let dropped = |it: &&Relaxed| it.dropped && !waits(&it.from, &it.to);
    if let Some(it) = relaxed.relaxed.iter().find(|it| it.forced && !it.parameters.is_empty()) {
        return Err(impossible(it));
    }
    for it in relaxed.relaxed.iter().filter(dropped) {
        let why = match (it.parameters.as_slice(), it.forced) {
            (_, true) => "with that, no order is possible".to_owned(),
            ([], false) => format!("{} is there", it.to),
            (_, false) => "every parameter that it reads is there".to_owned(),
        };
        terminal::mention(&format!("{} does not wait for {}: {why}", it.from, it.to));
    }
    Ok(Plan { digest: plan.digest, ..relaxed })
}

/// Neither order of two stacks can be deployed: one makes what the other reads, and has to come after it.
fn impossible(it: &Relaxed) -> Failure {
    let names: Vec<&str> = it.parameters.iter().map(|stored| stored.name.as_str()).collect();
    let message = format!(
        "`{0}` has to be deployed before `{1}`, although it reads what `{1}` makes, and not all of that is there: {2}",
        it.from,
        it.to,
        names.join(", ")
    );
    let hint = format!(
        "`edges:` in paceline.yaml gives up that `{0}` waits for `{1}`, which is right only where an earlier release \
         has made these parameters; on a fresh account `{1}` has to come first: take out what makes it wait for `{0}`",
        it.from, it.to
    );
    Failure::usage(message, hint).with_exit_code(exit::PREFLIGHT)
}

/// What the templates of stacks come to can depend on the parameters that they are given.
fn give(app: &mut App, parameters: &BTreeMap<String, BTreeMap<String, String>>) {
    if parameters.is_empty() {
        return;
    }
    for stack in &mut Arc::make_mut(&mut app.assembly).stacks {
        let names = [EVERY_STACK, stack.name.as_str(), stack.id.as_str()];
        let given: Vec<_> = names.iter().filter_map(|name| parameters.get(*name)).collect();
        let given = given.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
        stack.give(&given);
    }
}

/// Refuses the values that CloudFormation would refuse for certain, by what the templates say of their parameters.
fn ensure_allowed(
    app: &App,
    plan: &Plan,
    given: &BTreeMap<String, BTreeMap<String, String>>,
) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for stack in plan.stacks.iter().filter_map(|planned| app.assembly.stack(&planned.id)) {
        let mut values: BTreeMap<&String, (&String, bool)> =
            stack.parameters.iter().map(|(name, value)| (name, (value, false))).collect();
        for whose in [EVERY_STACK, &stack.name, &stack.id] {
            let own = given.get(whose).into_iter().flatten();
            values.extend(own.map(|(name, value)| (name, (value, true))));
        }
        for (name, (value, is_given)) in values {
            let Some(why) = stack.template.refusal(name, value) else { continue };
            let shown =
                if stack.template.is_secret(name) { "its value".to_owned() } else { format!("`{value}`") };
            let hint = if is_given {
                format!("give it another value with --parameters {}:{name}=VALUE", stack.id)
            } else {
                "the assembly has this value: mend the app, and synthesize it again".to_owned()
            };
            problems.push((format!("parameter `{name}` of {}: {shown} {why}", stack.id), Some(hint)));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::of_all(problems)) }
}

/// `[STACK:]KEY=VALUE`, by stack; `*` is every stack.
fn parameters(
    texts: &[String],
    assembly: &Assembly,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Failure> {
    let mut parameters: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for text in texts {
        // A value may be secret.
        let shown = text.split_once('=').map_or(text.clone(), |(name, _)| format!("{name}=…"));
        let wrong =
            |what: &str, hint: &str| Err(Failure::usage(format!("--parameters {shown}: {what}"), hint));
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return wrong("there is no KEY=VALUE", "write it like --parameters MyStack:Size=3");
        };
        // A key has no colon; a stack's id may have several.
        let (stack, key) = name.rsplit_once(':').unwrap_or((EVERY_STACK, name));
        let is_meant = |s: &&Stack| stack == EVERY_STACK || stack == s.id || stack == s.name;
        let meant: Vec<&Stack> = assembly.stacks.iter().filter(is_meant).collect();
        if meant.is_empty() {
            let hint = "`paceline plan` lists the stacks of the assembly";
            return wrong(&format!("no stack is called `{stack}`"), hint);
        }
        if !meant.iter().any(|stack| stack.template.value()["Parameters"].get(key).is_some()) {
            let whose =
                if stack == EVERY_STACK { "no stack has a".to_owned() } else { format!("`{stack}` has no") };
            return wrong(&format!("{whose} parameter `{key}`"), "a template has them under `Parameters`");
        }
        parameters.entry(stack.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }
    Ok(parameters)
}
