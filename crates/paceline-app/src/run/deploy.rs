//! Deploys an app: synthesizes it, plans it, and executes the plan.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use paceline_aws::{Aws, AwsOptions, Method, Presence, TokenKey};
use paceline_config::{FailedRun, OnAlarm};
use paceline_engine::ExitCode;
use paceline_plan::{Plan, PlanOptions, Relaxed};

use super::approval;
use super::copies::Copies;
use super::execution::{Execution, PREFLIGHT, RUNS};
use super::figures::Audience;
use super::finished::Finished;
use super::history;
use super::outer_stack::OuterStack;
use super::policy::{PolicyArguments, PolicyCheck, RunPolicy};
use super::prepared;
use super::rollback;
use crate::app::{App, configured, late, parameters, synth};
use crate::failure::Failure;
use crate::forecast::{self, ForecastRequest, PlanFormat};
use crate::generation::check_stack_limit;
use crate::runtime::{SIMULATED_START, virtual_runtime};
use crate::settings::{AppPaths, ParameterValues, RunSettings, Selection};
use crate::simulation::{self, Simulation};
use crate::stack_options::StackOptions;
use crate::{interrupt, terminal};

/// The arguments of `paceline deploy`.
#[derive(Debug, Clone, Args)]
pub struct Deployment {
    #[command(flatten)]
    pub paths: AppPaths,
    #[command(flatten)]
    pub selection: Selection,
    /// Deploy exactly the plan in this file, which `plan --save` wrote, or refuse and say what has changed since
    #[arg(long, value_name = "FILE")]
    pub plan: Option<Utf8PathBuf>,
    /// Write the outputs of the stacks to this file, and keep it up to date
    #[arg(long, short = 'O', alias = "outputs-file", value_name = "FILE")]
    pub outputs: Option<Utf8PathBuf>,
    /// How stacks are changed
    #[arg(long, short, value_enum, default_value = "direct")]
    pub method: MethodSetting,
    /// Execute the change sets of this prepared run: its name, or `last` [with `--method execute`: the newest]
    #[arg(long, value_name = "RUN", value_parser = prepared::run_to_execute)]
    pub prepared: Option<String>,
    /// In a CodeBuild build: let the build end if only CloudFormation has work, for more than 15 minutes. The `EventBridge` rule
    /// RULE of the generated template then starts the build that continues the run
    #[arg(long, value_name = "RULE", conflicts_with = "simulate")]
    pub sleep: Option<String>,
    #[command(flatten)]
    pub policy: PolicyArguments,
    #[command(flatten)]
    pub parameters: ParameterValues,
    #[command(flatten)]
    pub run: RunSettings,
    #[command(flatten)]
    pub stack: StackOptions,
}

/// The calls that create or update a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MethodSetting {
    /// Create or update the stack directly
    Direct,
    /// Create a change set and execute it
    ChangeSet,
    /// Create the change sets of all stacks, and execute none: for `execute`
    #[value(alias = "prepare-change-set")]
    Prepare,
    /// Execute the change sets that an earlier run has prepared
    #[value(alias = "execute-change-set")]
    Execute,
}

impl From<MethodSetting> for Method {
    fn from(setting: MethodSetting) -> Self {
        match setting {
            MethodSetting::Direct => Self::Direct,
            MethodSetting::ChangeSet | MethodSetting::Prepare | MethodSetting::Execute => Self::ChangeSet,
        }
    }
}

/// Deploys the app, and signals the result to the outer stack if one waits.
pub fn deploy(deployment: Deployment) -> Result<ExitCode, Failure> {
    let args = Arc::new(deployment);
    let given = Arc::clone(&args);
    // A dry run, a simulation or a preparation deploys nothing, so it signals nothing.
    let outer = if args.run.dry_run || args.run.simulate || args.prepares() {
        None
    } else {
        interrupt::effect("Nothing was deployed.");
        interrupt::supervise(move || OuterStack::for_deployment(&given.paths))?
    };
    let ended = interrupt::supervise(move || perform(&args)).or_else(|failure| {
        if failure.exit_code != ExitCode::Done {
            return Err(failure);
        }
        // There is nothing to do.
        terminal::say(&failure.to_string());
        Ok(Finished::nothing())
    });
    match outer {
        Some(outer) => outer.signal_end(ended),
        None => ended.map(|finished| finished.exit_code),
    }
}

fn perform(args: &Deployment) -> Result<Finished, Failure> {
    let method = args.method()?;
    let approved = args.plan.as_deref().map(approval::read).transpose()?;
    let mut app = synth::before(configured(&args.paths)?, &args.run, &args.paths)?.app(&args.paths)?;
    check_stack_limit(&app)?;
    app.warn_of_newer_sources(&written(args));
    if args.stack.ignore_no_stacks && app.assembly.stacks.is_empty() {
        terminal::say("the app has no stacks: nothing was deployed");
        return Ok(Finished::nothing());
    }
    app.give(&args.parameters.parameters)?;
    args.stack.give(&mut app)?;
    let mut options = args.stack.of_plan(app.selected(&args.selection, args.run.fail_fast)?);
    if let Some(approved) = &approved {
        options = approval::options(options, approved);
    }
    // Simulated resources take the durations of the table, so the forecast uses no history.
    if !args.run.simulate {
        options.history = history::of(&app);
    }
    let mut plan = app.plan(&options)?;
    if let (Some(approved), Some(file)) = (&approved, &args.plan) {
        approval::ensure_same(approved, &plan, file)?;
    }
    if !(args.run.simulate || args.run.dry_run) {
        late::warn_of_changed(&app)?;
        if !plan.relaxed.is_empty() {
            plan = relaxed(&app, plan, &mut options)?;
        }
    }
    if app.synthesized.is_empty() && late::synthesized_again(&plan).is_empty() {
        synth::ensure_no_context(&args.run)?;
    }
    late::ensure_deployable(&app, &plan)?;
    parameters::ensure_allowed(&app, &plan)?;
    // A dry run shows these warnings as a part of the plan.
    for warning in plan.warnings.iter().filter(|_| !args.run.dry_run) {
        terminal::warn(&warning.to_string());
    }
    for reason in late::synthesized_again(&plan).iter().filter(|_| !args.run.dry_run) {
        terminal::note(&format!("synthesized again: {reason}"));
    }
    if args.run.simulate && !args.run.dry_run {
        for assumption in simulation::assumptions(&app, &plan) {
            terminal::warn(&assumption);
        }
    }
    if args.run.dry_run {
        forecast::warn_of_sources(&app, &plan);
        let show = |format| forecast::show(&app, &plan, &options, format, &ForecastRequest::default());
        args.run.format.print(|| show(PlanFormat::Text), || show(PlanFormat::Json))?;
        return Ok(Finished::nothing());
    }
    let stack_limit = app.config.codebuild.timeouts.stack;
    let policy = RunPolicy::of(&app, args.policy.clone())?;
    let executed = match method {
        MethodSetting::Execute => Some(prepared::find(args, &app)?),
        _ => None,
    };
    if method == MethodSetting::Prepare {
        plan = plan.preparing();
        if let Some(flag) = args.policy.flag() {
            terminal::note(&format!("{flag} is for the run that executes: a preparation refuses nothing"));
        }
    }
    let (late, _copies) = if plan.prepares {
        (None, None)
    } else if args.run.simulate {
        (late::pretended(&app, &plan, &options), None)
    } else {
        late::by_command(&mut app, &plan, &options)?.unzip()
    };
    let aws = AwsOptions {
        wire: terminal::wire(),
        method: method.into(),
        parameters: app.parameters.clone(),
        token_key: TokenKey::Kept(RUNS.into()),
        stack_limit,
        stack_retries: Some(app.config.on_failure.retries),
        stuck: app.config.on_failure.stuck,
        history: Arc::clone(&options.history),
        late,
        records: app.config.unchanged.records && !args.run.simulate,
        captures: (!args.run.simulate).then(|| RUNS.into()),
        overrides: app.overrides.clone(),
        toolkit: args.stack.toolkit_stack_name.clone(),
        prepared: executed.clone(),
        guard: policy.guard(&app, &plan),
        ..AwsOptions::default()
    };
    // A simulation or a preparation refuses nothing.
    let holds = !(args.run.simulate || plan.prepares);
    let execution = Execution {
        settings: &args.run,
        outputs: args.outputs.as_deref(),
        dir: &app.dir,
        lock: plan.resume_key.clone(),
        audience: Audience::of(&app),
        copies: Copies::of(&app),
        is_approved: approved.is_some(),
        executes: executed.as_ref().map(|executed| executed.run.clone()),
        sleep: args.sleep.clone(),
        undoes_failed: app.config.on_failure.run == FailedRun::Rollback,
        policy: holds.then_some(PolicyCheck { policy: &policy, app: &app, executed: executed.as_deref() }),
        phased: if plan.prepares { None } else { app.phased(&options).ok() },
        plan: Arc::new(plan),
    };
    let connect = async |aws| {
        let aws = Box::pin(Aws::connect(Arc::clone(&app.assembly), &execution.plan, aws)).await?;
        for note in aws.notes() {
            terminal::note(note);
        }
        Ok(aws)
    };
    let finished = if args.run.simulate {
        let simulated = async {
            let simulation = Simulation::new(&app.assembly, &execution.plan, SIMULATED_START);
            let start = simulation.now();
            Box::pin(execution.simulate(start, connect(simulation.options(aws)))).await
        };
        interrupt::doing("the deployment was being simulated");
        virtual_runtime()?.block_on(simulated)?
    } else {
        interrupt::to_its_end(PREFLIGHT, execution.perform(|| connect(aws.clone())))??
    };
    if execution.plan.prepares {
        prepared::show(&finished, args);
        return Ok(finished);
    }
    let asks = match app.config.on_failure.run {
        FailedRun::Rollback => Some("on-failure"),
        FailedRun::Keep => rolls_back_after_alarm(&execution.plan, &finished).then_some("rollout"),
    };
    let Some(setting) = asks
        .filter(|_| finished.exit_code == ExitCode::Failed && !args.run.simulate && !finished.is_said_again)
    else {
        return Ok(finished);
    };
    let exit_code = rollback::roll_back_failed(&finished.record.run, &args.run, &app.config, setting);
    Ok(Finished { exit_code, ..finished })
}

/// Whether an alarm of the first region has ended the run, and the rollout then restores that region.
fn rolls_back_after_alarm(plan: &Plan, finished: &Finished) -> bool {
    let is_asked = plan.bake().is_some_and(|bake| bake.on_alarm == OnAlarm::Rollback);
    is_asked && finished.record.alarm().is_some()
}

impl Deployment {
    /// How stacks are changed, as all options say. Some options need change sets.
    fn method(&self) -> Result<MethodSetting, Failure> {
        match (self.method, &self.prepared) {
            (method, None) => {
                Ok(match self.stack.needs_change_sets().filter(|_| method == MethodSetting::Direct) {
                    Some(flag) => {
                        terminal::note(&format!(
                            "{flag} is an option of change sets: the stacks are changed with change sets"
                        ));
                        MethodSetting::ChangeSet
                    }
                    None => method,
                })
            }
            (MethodSetting::Direct | MethodSetting::Execute, Some(_)) => Ok(MethodSetting::Execute),
            (MethodSetting::Prepare | MethodSetting::ChangeSet, Some(_)) => Err(Failure::usage(
                "`--prepared` executes change sets that were prepared, and `--method` asks for other ones",
                "leave out one of the two",
            )),
        }
    }

    fn prepares(&self) -> bool {
        self.method == MethodSetting::Prepare
    }
}

/// The files that the run itself writes.
fn written(args: &Deployment) -> Vec<&Utf8Path> {
    let files = [&args.run.events, &args.run.report, &args.outputs];
    files.into_iter().flatten().map(Utf8PathBuf::as_path).collect()
}

/// The plan without the edges that `relax: when-present` drops because everything they are for exists. It keeps its
/// resume key. So an interrupted run can be continued even if it has created these things meanwhile.
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
    // If another edge between the two stacks remains, the plan has a warning about it.
    let dropped = |it: &&Relaxed| it.dropped && !waits(&it.from, &it.to);
    if let Some(it) = relaxed.relaxed.iter().find(|it| it.forced && !it.parameters.is_empty()) {
        return Err(impossible(it));
    }
    for it in relaxed.relaxed.iter().filter(dropped) {
        let why = match (it.parameters.as_slice(), it.forced) {
            (_, true) => "waiting would make every order impossible".to_owned(),
            ([], false) => format!("{} exists", it.to),
            (_, false) => "every parameter that it reads exists".to_owned(),
        };
        terminal::mention(&format!("{} does not wait for {}: {why}", it.from, it.to));
    }
    Ok(Plan { resume_key: plan.resume_key, ..relaxed })
}

/// Refuses two stacks that can be deployed in no order: the first must come before the second, but reads parameters that
/// the second creates.
fn impossible(it: &Relaxed) -> Failure {
    let names: Vec<&str> = it.parameters.iter().map(|stored| stored.name.as_str()).collect();
    let message = format!(
        "`{0}` must be deployed before `{1}`, but reads parameters that `{1}` creates and that do not exist yet: {2}",
        it.from,
        it.to,
        names.join(", ")
    );
    let hint = format!(
        "`edges:` in paceline.yaml says that `{0}` need not wait for `{1}`. This works only if an earlier release \
         has created these parameters. On a fresh account `{1}` must come first: remove the edges that make it wait \
         for `{0}`",
        it.from, it.to
    );
    Failure::usage(message, hint).with_exit_code(ExitCode::Refused)
}
