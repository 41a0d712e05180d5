//! Rolls back a run: restores the stacks that it updated, in the reverse order of what it did.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use paceline_assembly::Assembly;
use paceline_aws::{Aws, AwsOptions, TokenKey};
use paceline_config::{Concurrency, Config, FailurePolicy};
use paceline_engine::rollback::{Captures, RunChanges, Undoing};
use paceline_engine::{ExitCode, journal_path, read_events, runs_in};
use paceline_plan::history::History;
use paceline_plan::{Rollback, RollbackOptions, show};
use paceline_text::near;

use super::copies::{CopiedJournal, Copies};
use super::execution::{Execution, PREFLIGHT, RUNS};
use super::figures::Audience;
use super::finished::Finished;
use super::history;
use crate::app::{Parameters, configured, parameters};
use crate::failure::Failure;
use crate::forecast::finish;
use crate::settings::{AppPaths, LAST, ParameterValues, RunSettings, at_least_one};
use crate::{generation, interrupt, terminal};

/// The arguments of `paceline rollback`.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("simulate", |arg| arg.hide(true)),
    mut_arg("no_synth", |arg| arg.hide(true)),
    mut_arg("context", |arg| arg.hide(true)),
    mut_arg("refresh_context", |arg| arg.hide(true)),
)]
pub struct RunRollback {
    /// The run to undo: its name, or `last` for the newest one
    #[arg(value_name = "RUN")]
    pub undone: String,
    /// Roll back. Without this flag, the command only shows what it would do
    #[arg(long, short)]
    pub yes: bool,
    /// Also delete the stacks that the run created, except for those with data or with retained resources
    #[arg(long)]
    pub delete_created: bool,
    /// A stack that may lose resources with data: an id, a name, or a pattern with * and ?
    #[arg(long, value_name = "STACK")]
    pub including: Vec<String>,
    /// Also undo what somebody else has changed in these stacks since the run
    #[arg(long)]
    pub force: bool,
    /// The most stack operations at a time
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub concurrency: Option<NonZeroUsize>,
    /// The configuration [default: paceline.yaml in this folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub parameters: ParameterValues,
    #[command(flatten)]
    pub run: RunSettings,
}

/// Rolls back a run, or shows what that would do.
pub fn rollback(args: &RunRollback) -> Result<ExitCode, Failure> {
    interrupt::effect("Nothing was rolled back.");
    ensure_possible(&args.run)?;
    let paths = AppPaths { app: None, config: args.config.clone() };
    let config = configured(&paths)?.config;
    let Config { concurrency, on_failure, .. } = &config;
    bring(&args.undone, &paths)?;
    let changes = changes_of(&args.undone)?;
    let options = RollbackOptions {
        delete_created: args.delete_created,
        including: args.including.clone(),
        concurrency: Concurrency { stacks: args.concurrency.unwrap_or(concurrency.stacks), ..*concurrency },
        policy: if args.run.fail_fast { FailurePolicy::FailFast } else { on_failure.policy },
        history: history::read(),
        ..RollbackOptions::new(changes.run.clone())
    };
    let planned = Planned::new(changes, &options)?;
    if args.run.dry_run || !args.yes || planned.rollback.plan.steps.is_empty() {
        args.run.format.print(|| planned.text(), || planned.json())?;
        if args.run.dry_run || planned.rollback.plan.steps.is_empty() {
            return Ok(ExitCode::Done);
        }
        return Err(Failure::usage("nothing was rolled back", "run it with --yes to roll this back"));
    }
    planned.warn();
    let given = parameters::parse(&args.parameters.parameters, &planned.undoing.assembly)?;
    let ended = planned.perform(&args.run, given, args.force, &config)?;
    Ok(ended.exit_code)
}

/// Rolls back a run of this process that has failed, as a setting says. Gives the exit code of the process: the
/// deployment has failed, even if its rollback succeeds or is not possible.
pub(super) fn roll_back_failed(
    run: &str,
    settings: &RunSettings,
    config: &Config,
    setting: &str,
) -> ExitCode {
    let planned = match Planned::of_failed(run, config) {
        Ok(planned) => planned,
        Err(failure) => {
            terminal::say(&failure.to_string());
            return ExitCode::Failed;
        }
    };
    planned.warn();
    if planned.rollback.plan.steps.is_empty() {
        terminal::say(&format!("{run} updated no stack, so there is nothing to roll back"));
        return ExitCode::Failed;
    }
    terminal::say(&format!("rolling back {run}, as `{setting}` in paceline.yaml says"));
    // The files that the arguments name are those of the deployment.
    let settings = RunSettings { events: None, report: None, resume: None, ..settings.clone() };
    let exit_code = match planned.perform(&settings, Parameters::new(), false, config) {
        Ok(finished) => finished.exit_code,
        Err(failure) => {
            terminal::say(&failure.to_string());
            failure.exit_code
        }
    };
    if exit_code != ExitCode::Done {
        terminal::say(&format!("`paceline rollback {run} --yes` continues the rollback"));
    }
    if exit_code == ExitCode::Interrupted { ExitCode::Interrupted } else { ExitCode::Failed }
}

/// A rollback, before it is executed.
struct Planned {
    changes: RunChanges,
    undoing: Undoing,
    rollback: Rollback,
    /// The durations of earlier runs.
    history: Arc<History>,
}

impl Planned {
    fn new(changes: RunChanges, options: &RollbackOptions) -> Result<Self, Failure> {
        let captured = Captures::of(Utf8Path::new(RUNS), &changes.run).read()?;
        let undoing = Undoing::of(&changes, captured)?;
        let losses = undoing.losses.iter().cloned();
        let rollback = Rollback::make(&undoing.assembly, &undoing.undos, losses, options)?;
        Ok(Self { changes, undoing, rollback, history: Arc::clone(&options.history) })
    }

    /// The rollback of a run that has failed. It deletes nothing.
    fn of_failed(run: &str, config: &Config) -> Result<Self, Failure> {
        let changes = RunChanges::of(&read_events(&journal_path(Utf8Path::new(RUNS), run))?);
        let options = RollbackOptions {
            concurrency: config.concurrency,
            policy: config.on_failure.policy,
            history: history::read(),
            ..RollbackOptions::new(run)
        };
        Self::new(changes, &options)
    }

    fn text(&self) -> Result<String, Failure> {
        let width = usize::from(terminal::page_width());
        Ok(show::rollback(&self.rollback, finish(&self.rollback.plan)?, width))
    }

    fn json(&self) -> Result<String, Failure> {
        Ok(show::rollback_json(&self.rollback, finish(&self.rollback.plan)?))
    }

    /// Says what stays, and what cannot be undone.
    fn warn(&self) {
        for stays in &self.rollback.stays {
            terminal::note(&stays.to_string());
        }
        for loss in &self.rollback.losses {
            let what = if loss.is_certain() { "cannot be undone" } else { "may not be undone" };
            terminal::warn(&format!("{what}: {loss}"));
        }
    }

    fn perform(
        &self,
        settings: &RunSettings,
        parameters: Parameters,
        force: bool,
        config: &Config,
    ) -> Result<Finished, Failure> {
        let dir = Utf8Path::new(&self.changes.app);
        let plan = Arc::new(self.rollback.plan.clone());
        let execution = Execution {
            settings,
            outputs: None,
            dir,
            // The run itself must not go on meanwhile.
            lock: self.changes.plan.clone(),
            phased: None,
            plan: Arc::clone(&plan),
            audience: Audience::named(&generation::name_of(dir, !config.apps.is_empty()), config),
            copies: Copies::default(),
            is_approved: false,
            executes: None,
            sleep: None,
            undoes_failed: false,
            policy: None,
        };
        let assembly: Arc<Assembly> = Arc::new(self.undoing.assembly.clone());
        let own = tokens_of_rollbacks(&self.changes.run);
        let aws = AwsOptions {
            wire: terminal::wire(),
            parameters,
            token_key: TokenKey::Kept(RUNS.into()),
            stack_limit: config.codebuild.timeouts.stack,
            stack_retries: Some(config.on_failure.retries),
            stuck: config.on_failure.stuck,
            history: Arc::clone(&self.history),
            captures: Some(RUNS.into()),
            ..AwsOptions::default()
        };
        let connect = async || {
            let aws = Box::pin(Aws::connect(Arc::clone(&assembly), &plan, aws.clone())).await?;
            Box::pin(aws.survey_rollback(&plan, &self.undoing.left, &own, force)).await?;
            Ok(aws)
        };
        interrupt::to_its_end(PREFLIGHT, execution.perform(connect))?
    }
}

/// Brings the run to this folder if only a staging bucket of the app has it.
fn bring(run: &str, paths: &AppPaths) -> Result<(), Failure> {
    let runs = runs_in(Utf8Path::new(RUNS))?;
    if runs.iter().any(|known| run == LAST || known == run) {
        return Ok(());
    }
    let brought = async {
        if let Some(found) = Box::pin(CopiedJournal::find(run, paths)).await? {
            found.bring().await?;
            terminal::mention(&format!("the run {} is from the staging bucket", found.run()));
        }
        Ok::<(), Failure>(())
    };
    interrupt::until_stopped("the staging bucket was being read", Box::pin(brought))?
}

/// What a run did, by its name.
fn changes_of(name: &str) -> Result<RunChanges, Failure> {
    let folder = Utf8Path::new(RUNS);
    let runs = runs_in(folder)?;
    let Some(newest) = runs.first() else {
        let hint = "`paceline deploy` starts one; that of a build can be rolled back in the folder of the synthesized app";
        return Err(Failure::usage("there is no run in this folder yet", hint));
    };
    let run = if name == LAST { newest.as_str() } else { name };
    if !runs.iter().any(|known| known == run) {
        let close = near(run, runs.iter().map(String::as_str));
        let meant = close.map(|close| format!("did you mean {close}? ")).unwrap_or_default();
        let hint = format!("{meant}`paceline history` lists the runs of this folder");
        return Err(Failure::usage(format!("there is no run {run} in {RUNS}"), hint));
    }
    let changes = RunChanges::of(&read_events(&journal_path(folder, run))?);
    // The newest run may be a rollback that was interrupted: the same command continues it.
    let is_unfinished = matches!(changes.exit_code, None | Some(ExitCode::Interrupted));
    let changes = match &changes.undoes {
        Some(undone) if name == LAST && is_unfinished => {
            RunChanges::of(&read_events(&journal_path(folder, undone))?)
        }
        _ => changes,
    };
    if changes.endpoint != paceline_aws::endpoint() {
        let of = |endpoint: &Option<String>| endpoint.clone().unwrap_or_else(|| "AWS itself".to_owned());
        let message = format!(
            "{} changed stacks in {}, and this would change stacks in {}",
            changes.run,
            of(&changes.endpoint),
            of(&paceline_aws::endpoint())
        );
        return Err(Failure::usage(message, "set AWS_ENDPOINT_URL as it was in that run"));
    }
    Ok(changes)
}

/// The tokens of earlier tries to roll back this run. Journals that cannot be read are left out.
fn tokens_of_rollbacks(run: &str) -> BTreeSet<String> {
    let folder = Utf8Path::new(RUNS);
    let later = runs_in(folder).unwrap_or_default().into_iter().take_while(|other| other != run);
    let changes = later.filter_map(|other| read_events(&journal_path(folder, &other)).ok());
    let changes = changes.map(|events| RunChanges::of(&events));
    let rollbacks = changes.filter(|changes| changes.undoes.as_deref() == Some(run));
    rollbacks.flat_map(|changes| changes.stacks.into_values().flat_map(|stack| stack.tokens)).collect()
}

/// Refuses settings that mean nothing for a rollback.
fn ensure_possible(run: &RunSettings) -> Result<(), Failure> {
    if run.simulate {
        return Err(Failure::usage(
            "a rollback cannot be simulated: the embedded AWS does not have the stacks as the run left them",
            "without --yes, or with --dry-run, the command shows what it would do",
        ));
    }
    let has_lookups = !run.lookups.context.is_empty() || !run.lookups.refresh_context.is_empty();
    if run.no_synth || has_lookups {
        return Err(Failure::usage(
            "a rollback synthesizes nothing",
            "leave out --no-synth, --context and --refresh-context",
        ));
    }
    Ok(())
}
