//! Synthesizes an app again in the middle of a run, and gives the new assembly to the stacks that wait for
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use camino::Utf8PathBuf;
use futures_util::future::try_join_all;
use paceline_assembly::{Assembly, Stack};
use paceline_config::Config;
use paceline_engine::{Ended, Outcome, StepContext};
use paceline_host::{ContextFile, Synthesis};
use paceline_plan::late::{Compared, compare, unpublished};
use paceline_plan::{ContextLookup, LookupState, Plan, PlanOptions, Synthesize, Work};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Aws;
use crate::error::{AwsError, ErrorKind};

/// The settings for synthesizing apps again in the middle of a run.
#[derive(Debug, Clone)]
pub struct LateSynthesis {
    /// The configuration of the plan. A new plan of the synthesized app is made with it and compared.
    pub config: Config,
    /// The options of the plan, for the same purpose.
    pub options: PlanOptions,
    /// Every app that may be synthesized again.
    pub apps: BTreeMap<Option<String>, LateApp>,
    /// A folder for the files that another synthesis would overwrite.
    pub keep: Utf8PathBuf,
}

/// The way to synthesize one app again.
#[derive(Debug, Clone)]
pub enum LateApp {
    /// With the command of the app.
    Run {
        synthesis: Box<Synthesis>,
        /// The folder of its assembly.
        assembly: Utf8PathBuf,
    },
    /// For a simulation: nothing runs, but the synthesis takes its expected time. The stacks then use the
    /// assembly in this folder, which was recorded, or the old assembly.
    Pretend(Option<Utf8PathBuf>),
}

/// The apps after the syntheses of a run.
#[derive(Debug, Default)]
pub(crate) struct Later {
    /// A lock for each folder, because two syntheses of one folder would overwrite each other. The value is
    /// the start of the last synthesis that has ended.
    turns: BTreeMap<Utf8PathBuf, Mutex<Option<Instant>>>,
    /// The new assemblies, by the position of the step that made them.
    made: BTreeMap<usize, OnceLock<Assembly>>,
}

impl Later {
    pub(crate) fn new(plan: &Plan, late: Option<&LateSynthesis>) -> Self {
        let apps = late.iter().flat_map(|late| late.apps.values());
        let turns = apps.filter_map(|app| match app {
            LateApp::Run { synthesis, .. } => Some((synthesis.dir.clone(), Mutex::default())),
            LateApp::Pretend(_) => None,
        });
        let steps = plan.steps.iter().enumerate();
        let made = steps.filter(|(_, step)| matches!(step.work, Work::Synthesize(_)));
        Self { turns: turns.collect(), made: made.map(|(at, _)| (at, OnceLock::new())).collect() }
    }

    /// The stack of a step after the synthesis that it has waited for. `None` if it has waited for none.
    pub(crate) fn stack(&self, context: &StepContext) -> Option<&Stack> {
        let plan = context.plan();
        let number = context.step().work.stack().filter(|_| !self.made.is_empty())?;
        let assembly = self.made.get(&plan.synthesis_of(number)?)?.get()?;
        assembly.stack(&plan.stacks[number].id)
    }
}

impl Aws {
    /// Synthesizes an app again, compares it with the plan, and publishes the additional assets of the
    /// waiting stacks.
    pub(crate) async fn synthesize(
        &self,
        context: &StepContext,
        work: &Synthesize,
    ) -> Result<Ended, AwsError> {
        let late = self.options.late.as_deref();
        let missing = || AwsError::setup(format!("nothing says how {} is synthesized", work.app_shown()));
        let (late, app) =
            late.and_then(|late| Some((late, late.apps.get(&work.app)?))).ok_or_else(missing)?;
        let made = match app {
            // All values were looked up at the start, and no stack has changed since.
            LateApp::Run { .. } if context.is_after_nothing_new() && !self.misses(work) => {
                context.output("nothing that it looks up has changed");
                None
            }
            LateApp::Run { synthesis, assembly } => {
                Some(self.run_synthesis(context, work, late, synthesis, assembly).await?)
            }
            LateApp::Pretend(recorded) => {
                tokio::time::sleep(context.step().expected).await;
                recorded.as_ref().map(read).transpose()?
            }
        };
        let made = made.map(|mut made| {
            self.options.overrides.give_to(&mut made.stacks);
            made
        });
        let is_new = made.is_some() || matches!(app, LateApp::Pretend(_));
        let (again, Compared { warnings, problems }) = match made {
            Some(made) => {
                let again = self.assembly.with_app(work.app.as_deref(), made);
                let assemblies = (&*self.assembly, &again);
                let compared = compare(context.plan(), work, assemblies, &late.config, &late.options);
                (again, compared)
            }
            None => (Assembly::clone(&self.assembly), Compared::default()),
        };
        for warning in warnings {
            context.warn(warning.to_string());
        }
        if !problems.is_empty() {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(refused(problems.join("; ")).hint(
                "the same command makes a new plan, of the app as it is now; to look context up, the synthesis has to \
                 run the CDK CLI, with credentials that may read it",
            ));
        }
        let files = unpublished(context.plan(), work, &again);
        let published = files.iter().map(|(id, publish)| {
            let stack = again.stack(id);
            async move {
                match stack {
                    Some(stack) => self.publish(context, stack, publish).await.map(drop),
                    None => Ok(()),
                }
            }
        });
        try_join_all(published).await?;
        let detail = match files.len() {
            0 => String::new(),
            1 => "published 1 asset".to_owned(),
            more => format!("published {more} assets"),
        };
        if let Some(made) = self.later.made.get(&context.index()) {
            // A step is performed only once, so this value is not set yet.
            let _ = made.set(again);
        }
        let outcome = if is_new { Outcome::Deployed } else { Outcome::Unchanged };
        Ok(Ended { detail: Some(detail).filter(|it| !it.is_empty()), ..Ended::new(outcome) })
    }

    /// Returns whether a value for the synthesis was missing at the start.
    fn misses(&self, work: &Synthesize) -> bool {
        let of_app = self.assembly.missing.iter().filter(|missing| missing.app == work.app);
        let mut lookups = of_app.filter_map(|it| {
            ContextLookup::new(it.app.as_deref(), &it.key, &it.stand_in, LookupState::Missing)
        });
        lookups.any(|lookup| work.lookups.contains(&lookup.name))
    }

    async fn run_synthesis(
        &self,
        context: &StepContext,
        work: &Synthesize,
        late: &LateSynthesis,
        synthesis: &Synthesis,
        dir: &Utf8PathBuf,
    ) -> Result<Assembly, AwsError> {
        let due = Instant::now();
        // All syntheses that are due at the same moment wait for the lock before one starts.
        tokio::task::yield_now().await;
        let turn = self.later.turns.get(&synthesis.dir);
        let turn = turn.ok_or_else(|| AwsError::setup(format!("there is no turn for {}", synthesis.dir)))?;
        let mut last = turn.lock().await;
        if last.is_some_and(|started| started >= due) {
            context.output("synthesized meanwhile, after all that it looks up had been made");
        } else {
            let started = Instant::now();
            forget_and_run(context, work, synthesis).await?;
            *last = Some(started);
        }
        let mut assembly = read(dir)?;
        let waits = |stack: &Stack| {
            let id = match &work.app {
                Some(app) => format!("{app}/{}", stack.id),
                None => stack.id.clone(),
            };
            work.stacks.iter().any(|&number| context.plan().stacks[number].id == id)
        };
        let keep = late.keep.join(context.index().to_string());
        let kept = assembly.snapshot(&keep, waits);
        kept.map_err(|error| refused(format!("cannot keep what was synthesized: {error}")))?;
        Ok(assembly)
    }
}

/// Synthesizes with new lookups of all values that any synthesis of this app in the run needs. So one
/// synthesis may serve several steps.
async fn forget_and_run(
    context: &StepContext,
    work: &Synthesize,
    synthesis: &Synthesis,
) -> Result<(), AwsError> {
    let lookups: BTreeSet<&str> = context
        .plan()
        .steps
        .iter()
        .filter_map(|step| match &step.work {
            Work::Synthesize(of) if of.app == work.app => Some(&of.lookups),
            _ => None,
        })
        .flatten()
        .map(String::as_str)
        .collect();
    let file = ContextFile::read(&synthesis.context_dir).map_err(|error| refused(error.to_string()))?;
    let forgotten = file.forget(|_, name| name.is_some_and(|name| lookups.contains(name)));
    for key in forgotten.map_err(|error| refused(error.to_string()))? {
        context.output(format!("looked up again: {key}"));
    }
    synthesis.again(|line| context.output(line)).await.map_err(|error| {
        refused(error.to_string())
            .hint("its output is above and in the journal: fix it, then run the same command again")
    })
}

fn read(dir: &Utf8PathBuf) -> Result<Assembly, AwsError> {
    Assembly::read_incomplete(dir).map_err(|error| refused(error.to_string()))
}

/// An error that is no preflight error, because the run has changed something by now.
fn refused(message: String) -> AwsError {
    AwsError { kind: ErrorKind::Refused, ..AwsError::setup(message) }
}
