//! From arguments to a plan: which configuration, which assembly, which stacks.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::Assembly;
use paceline_aws::Synthesis;
use paceline_plan::config::AppConfig;
use paceline_plan::{Config, ContextLookup, Destruction, Plan, PlanOptions, Strategy, config};

use crate::cli::{AppArgs, SelectArgs, StrategyArg};
use crate::failure::Failure;
use crate::generation::settings;
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
    /// The apps that are synthesized by a command of theirs.
    pub(crate) syntheses: Vec<Synthesis>,
    /// What these keep in their context.
    pub(crate) context: Vec<ContextLookup>,
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
    settings(&config, path.as_deref())?;
    Ok(Configured { config, path })
}

/// Reads the configuration and the assembly, or the assemblies of several apps.
pub(crate) fn app(args: &AppArgs) -> Result<App, Failure> {
    configured(args)?.app(args)
}

impl Configured {
    /// Reads the assembly, or the assemblies of several apps.
    pub(crate) fn app(self, args: &AppArgs) -> Result<App, Failure> {
        if !self.config.apps.is_empty() {
            return self.apps(args);
        }
        let Self { config, path: config_path } = self;
        let folder = config_path.as_deref().and_then(Utf8Path::parent);
        let configured = config.app.as_ref().map(|app| folder.map_or_else(|| app.clone(), |f| f.join(app)));
        let configured = configured.unwrap_or_else(|| "cdk.out".into());
        let dir = args.app.clone().unwrap_or_else(|| configured.clone());
        if config_path.is_none() {
            let beside =
                dir.parent().map(|folder| folder.join(config::FILE_NAME)).filter(|path| path.is_file());
            if let Some(beside) = beside {
                terminal::say(&format!("note: {beside} is not used; give it with --config"));
            }
        }
        // The configuration says how its own app is synthesized, and not another that the command line names.
        let real = |dir: &Utf8Path| dir.canonicalize_utf8().unwrap_or_else(|_| dir.to_owned());
        let synth = config.synth.as_ref().filter(|_| real(&dir) == real(&configured));
        let assembly = if synth.is_some() { Assembly::read_incomplete(&dir) } else { Assembly::read(&dir) };
        let syntheses: Vec<Synthesis> = synth.map(|synth| only_app(synth, &dir)).into_iter().collect();
        let (assembly, context) = (Arc::new(assembly?), context(&syntheses)?);
        Ok(App { config, config_path, dir, assembly, syntheses, context })
    }

    /// The folder that paths in the configuration are relative to.
    fn folder(&self) -> &Utf8Path {
        self.path.as_deref().and_then(Utf8Path::parent).unwrap_or(Utf8Path::new(""))
    }

    /// The apps that are synthesized by a command of theirs.
    pub(crate) fn syntheses(&self) -> Vec<Synthesis> {
        let apps = self.config.apps.iter().filter(|(_, app)| app.synth.is_some());
        apps.map(|(name, app)| {
            let dir = self.folder().join(&app.dir);
            Synthesis { name: Some(name.clone()), context_dir: dir.clone(), dir, app: app.clone() }
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
            // What is missing may be found when it is synthesized again, in the middle of a run.
            let assembly =
                if app.synth.is_some() { Assembly::read_incomplete(&dir) } else { Assembly::read(&dir) };
            assemblies.push((name.clone(), assembly?));
        }
        let syntheses = self.syntheses();
        let context = context(&syntheses)?;
        let dir =
            Some(self.folder()).filter(|it| !it.as_str().is_empty()).unwrap_or(Utf8Path::new(".")).to_owned();
        let assembly = Arc::new(Assembly::of_apps(assemblies));
        Ok(App { config: self.config, config_path: self.path, dir, assembly, syntheses, context })
    }
}

/// The only app. It is synthesized where generated builds do it, at the root, and keeps its context beside its assembly.
fn only_app(synth: &str, assembly: &Utf8Path) -> Synthesis {
    let app = AppConfig { synth: Some(synth.to_owned()), ..AppConfig::new("", assembly) };
    let context_dir = assembly.parent().unwrap_or(Utf8Path::new("")).to_owned();
    Synthesis { name: None, dir: Utf8PathBuf::new(), context_dir, app }
}

/// What apps keep in their context.
fn context(syntheses: &[Synthesis]) -> Result<Vec<ContextLookup>, Failure> {
    let mut context = Vec::new();
    for synthesis in syntheses {
        let read = synthesis.context().map_err(|error| {
            let hint =
                "mend the file, or remove it: what is not in it is looked up when the app is synthesized";
            Failure::usage(error.to_string(), hint)
        });
        context.extend(read?);
    }
    Ok(context)
}

impl App {
    /// The options that make this app's plan.
    pub(crate) fn options(&self, args: Option<&SelectArgs>, fail_fast: bool) -> PlanOptions {
        let variable = self.config.multi_region.as_ref().map(|multi_region| &multi_region.when);
        let mut options = PlanOptions {
            multi_region: variable.and_then(|name| std::env::var(name).ok()),
            fail_fast,
            context: self.context.clone(),
            made_elsewhere: self.syntheses.is_empty(),
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
