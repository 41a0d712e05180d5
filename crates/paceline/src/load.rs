//! From arguments to a plan: which configuration, which assembly, which stacks.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::Assembly;
use paceline_aws::Synthesis;
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
    /// The folder of the assembly; of several, that of the configuration.
    pub(crate) dir: Utf8PathBuf,
    pub(crate) assembly: Arc<Assembly>,
}

/// Which configuration, and the file that it came from.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) config: Config,
    path: Option<Utf8PathBuf>,
}

/// Reads the configuration.
pub(crate) fn configured(args: &AppArgs) -> Result<Configured, Failure> {
    let here = Utf8Path::new(config::FILE_NAME);
    let path = args.config.clone().or_else(|| here.is_file().then(|| here.to_owned()));
    let config = match &path {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    Ok(Configured { config, path })
}

/// Reads the configuration and the assembly, or the assemblies of several apps.
pub(crate) fn app(args: &AppArgs) -> Result<App, Failure> {
    let configured = configured(args)?;
    if !configured.config.apps.is_empty() {
        return configured.apps(args);
    }
    let Configured { config, path: config_path } = configured;
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

impl Configured {
    /// The folder that paths in the configuration are relative to.
    fn folder(&self) -> &Utf8Path {
        self.path.as_deref().and_then(Utf8Path::parent).unwrap_or(Utf8Path::new(""))
    }

    /// The apps that are synthesized by a command of theirs.
    pub(crate) fn syntheses(&self) -> Vec<Synthesis> {
        let apps = self.config.apps.iter().filter(|(_, app)| app.synth.is_some());
        apps.map(|(name, app)| Synthesis {
            name: name.clone(),
            dir: self.folder().join(&app.dir),
            app: app.clone(),
        })
        .collect()
    }

    fn apps(self, args: &AppArgs) -> Result<App, Failure> {
        if args.app.is_some() {
            return Err(Failure::usage(
                "--app names one app, and the configuration has several",
                "leave --app out; `apps.NAME.assembly` says where the assembly of each is",
            ));
        }
        let mut assemblies = Vec::new();
        for (name, app) in &self.config.apps {
            let dir = self.folder().join(&app.dir).join(&app.assembly);
            if app.synth.is_some() && !dir.exists() {
                return Err(Failure::usage(
                    format!("app `{name}` is not synthesized: there is no folder {dir}"),
                    "run `paceline synth`, or `paceline deploy`, which synthesizes first",
                ));
            }
            assemblies.push((name.clone(), Assembly::read(&dir)?));
        }
        let dir = self.folder().to_owned();
        let assembly = Arc::new(Assembly::of_apps(assemblies));
        Ok(App { config: self.config, config_path: self.path, dir, assembly })
    }
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
