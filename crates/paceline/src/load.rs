//! From arguments to a plan: which configuration, which assembly, which stacks.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::Assembly;
use paceline_plan::{Config, Destruction, Plan, PlanOptions, Strategy, config};

use crate::cli::{AppArgs, SelectArgs, StrategyArg};
use crate::failure::Failure;
use crate::terminal;

/// An app: its configuration and its assembly.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: Config,
    /// The file the configuration came from, if there is one.
    pub(crate) config_path: Option<Utf8PathBuf>,
    /// The folder of the assembly.
    pub(crate) dir: Utf8PathBuf,
    pub(crate) assembly: Arc<Assembly>,
}

/// Reads the configuration and the assembly.
pub(crate) fn app(args: &AppArgs) -> Result<App, Failure> {
    let here = Utf8Path::new(config::FILE_NAME);
    let config_path = args.config.clone().or_else(|| here.is_file().then(|| here.to_owned()));
    let config = match &config_path {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    let folder = config_path.as_deref().and_then(Utf8Path::parent);
    let configured = config.app.as_ref().map(|app| folder.map_or_else(|| app.clone(), |f| f.join(app)));
    let dir = args.app.clone().or(configured).unwrap_or_else(|| "cdk.out".into());
    if config_path.is_none() {
        let beside = dir.parent().map(|folder| folder.join(config::FILE_NAME)).filter(|path| path.is_file());
        if let Some(beside) = beside {
            terminal::say(&format!("note: {beside} is not used; give it with --config"));
        }
    }
    let assembly = Arc::new(Assembly::read(&dir)?);
    Ok(App { config, config_path, dir, assembly })
}

impl App {
    /// The options that make this app's plan.
    pub(crate) fn options(&self, args: Option<&SelectArgs>, fail_fast: bool) -> PlanOptions {
        let variable = self.config.multi_region.as_ref().map(|multi_region| &multi_region.when);
        let mut options = PlanOptions {
            multi_region: variable.and_then(|name| std::env::var(name).ok()),
            fail_fast,
            ..PlanOptions::default()
        };
        if let Some(path) = &self.config_path {
            options.config_path.clone_from(path);
        }
        if let Some(args) = args {
            options.only.clone_from(&args.only);
            options.exclude.clone_from(&args.exclude);
            options.stacks_at_once = args.concurrency;
            options.strategy = args.strategy.map(|strategy| match strategy {
                StrategyArg::Graph => Strategy::Graph,
                StrategyArg::Phases => Strategy::Phases,
            });
        }
        options
    }

    /// The build decides which regions are on; what is generated has to serve for all.
    pub(crate) fn options_for_all_regions(&self) -> PlanOptions {
        PlanOptions { multi_region: Some("true".to_owned()), ..self.options(None, false) }
    }

    pub(crate) fn plan(&self, options: &PlanOptions) -> Result<Plan, Failure> {
        Ok(Plan::make(&self.assembly, &self.config, options)?)
    }

    /// What deletes the stacks of such a plan.
    pub(crate) fn destruction(&self, options: &PlanOptions) -> Result<Destruction, Failure> {
        Ok(Destruction::make(&self.assembly, &self.config, options)?)
    }

    /// The same with every phase a barrier, to compare with.
    pub(crate) fn phased_destruction(&self, options: &PlanOptions) -> Result<Destruction, Failure> {
        self.destruction(&PlanOptions { strategy: Some(Strategy::Phases), ..options.clone() })
    }

    /// The same plan with every phase a barrier, to compare with.
    pub(crate) fn phased(&self, options: &PlanOptions) -> Result<Plan, Failure> {
        self.plan(&PlanOptions { strategy: Some(Strategy::Phases), ..options.clone() })
    }
}
