//! An app in a folder: its configuration, its assembly, and the plans that are made from them.

pub(crate) mod freshness;
pub(crate) mod late;
pub(crate) mod parameters;
pub(crate) mod synth;

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::Assembly;
use paceline_host::Synthesis;
use paceline_plan::config::AppConfig;
use paceline_plan::{Config, ContextLookup, Destruction, Plan, PlanOptions, Strategy, THE_APP, config};

pub use self::parameters::Parameters;
pub use self::synth::synthesize_apps;
use crate::failure::Failure;
use crate::settings::{AppPaths, Selection};
use crate::terminal;

/// The assembly of the only app, where nothing else is said.
const ASSEMBLY: &str = "cdk.out";

/// An app: its configuration and its assembly.
#[derive(Debug)]
pub struct App {
    pub config: Config,
    /// The file the configuration came from, if there is one.
    pub config_path: Option<Utf8PathBuf>,
    /// The folder of the assembly; of several, that of the configuration.
    pub dir: Utf8PathBuf,
    pub assembly: Arc<Assembly>,
    /// The apps that are synthesized by a command of theirs.
    pub syntheses: Vec<Synthesis>,
    /// Those of them that this process has synthesized.
    pub synthesized: Vec<Synthesized>,
    /// What these keep in their context.
    pub context: Vec<ContextLookup>,
    /// The values that the command line gives to parameters of stacks.
    pub parameters: Parameters,
}

/// Which configuration, and the file that it came from.
#[derive(Debug)]
pub struct Configured {
    pub config: Config,
    /// The only app, where the configuration says how it is synthesized.
    pub only: Option<AppConfig>,
    pub synthesized: Vec<Synthesized>,
    pub path: Option<Utf8PathBuf>,
}

/// An app that this process has synthesized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synthesized {
    /// Its name, where there are several.
    pub app: Option<String>,
    /// Whether its assembly is another file than before.
    pub wrote: bool,
}

/// Reads the configuration.
pub fn configured(paths: &AppPaths) -> Result<Configured, Failure> {
    let here = Utf8Path::new(config::FILE_NAME);
    let path = paths.config.clone().or_else(|| here.exists().then(|| here.to_owned()));
    let config = match &path {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    let mut configured = Configured { config, only: None, synthesized: Vec::new(), path };
    configured.only = configured.only_app(paths);
    Ok(configured)
}

impl Configured {
    /// Reads the assembly, or the assemblies of several apps.
    pub fn app(self, paths: &AppPaths) -> Result<App, Failure> {
        if !self.config.apps.is_empty() {
            return self.apps(paths);
        }
        let dir = paths.app.clone().unwrap_or_else(|| self.assembly());
        // For the CDK CLI it may be a command.
        if let Some(command) = paths.app.as_ref().filter(|app| app.as_str().contains(' ') && !app.exists()) {
            return Err(Failure::usage(
                format!("--app names the folder of a synthesized app, and there is none called `{command}`"),
                format!(
                    "synthesize it first: cdk synth --app '{command}', or let `synth:` of paceline.yaml do so"
                ),
            ));
        }
        if self.path.is_none() {
            let beside =
                dir.parent().map(|folder| folder.join(config::FILE_NAME)).filter(|path| path.is_file());
            if let Some(beside) = beside {
                terminal::note(&format!("{beside} is not used; give it with --config"));
            }
        }
        let syntheses: Vec<Synthesis> = self.only.iter().map(|app| only_app(app, &dir)).collect();
        if !syntheses.is_empty() && !dir.exists() {
            return Err(not_synthesized(None, &dir));
        }
        let assembly =
            if syntheses.is_empty() { Assembly::read(&dir) } else { Assembly::read_incomplete(&dir) };
        let (assembly, context) = (Arc::new(assembly?), context(&syntheses)?);
        let Self { config, synthesized, path: config_path, .. } = self;
        Ok(App {
            config,
            config_path,
            dir,
            assembly,
            syntheses,
            synthesized,
            context,
            parameters: Parameters::new(),
        })
    }

    /// The folder that paths in the configuration are relative to.
    fn folder(&self) -> &Utf8Path {
        self.path.as_deref().and_then(Utf8Path::parent).unwrap_or(Utf8Path::new(""))
    }

    /// The assembly of the only app, as the configuration has it.
    pub fn assembly(&self) -> Utf8PathBuf {
        self.config.app.as_ref().map_or_else(|| ASSEMBLY.into(), |app| self.folder().join(app))
    }

    /// How the only app is synthesized. The configuration says so of its own app, and not of another that the command
    /// line names.
    fn only_app(&self, paths: &AppPaths) -> Option<AppConfig> {
        let synth = self.config.synth.clone()?;
        let own = self.assembly();
        let is_own = paths.app.as_ref().is_none_or(|named| real(named) == real(&own));
        let install = self.config.install.clone();
        is_own.then(|| AppConfig { install, synth: Some(synth), ..AppConfig::new("", own) })
    }

    /// The apps that are synthesized by a command of theirs.
    pub fn syntheses(&self) -> Vec<Synthesis> {
        if let Some(only) = &self.only {
            return vec![only_app(only, &only.assembly)];
        }
        let apps = self.config.apps.iter().filter(|(_, app)| app.synth.is_some());
        apps.map(|(name, app)| {
            let dir = self.folder().join(&app.dir);
            Synthesis {
                name: Some(name.clone()),
                context_dir: dir.clone(),
                dir,
                app: app.clone(),
                as_in_builds: false,
            }
        })
        .collect()
    }

    /// Refuses `--app` where the configuration has several apps.
    pub fn ensure_one_app(&self, paths: &AppPaths) -> Result<(), Failure> {
        if self.config.apps.is_empty() || paths.app.is_none() {
            return Ok(());
        }
        Err(Failure::usage(
            "--app names one app, and the configuration has several",
            "leave --app out; `apps.NAME.assembly` says where the assembly of each is",
        ))
    }

    fn apps(self, paths: &AppPaths) -> Result<App, Failure> {
        self.ensure_one_app(paths)?;
        let mut assemblies = Vec::new();
        for (name, app) in &self.config.apps {
            let dir = self.folder().join(&app.dir).join(&app.assembly);
            if app.synth.is_some() && !dir.exists() {
                return Err(not_synthesized(Some(name), &dir));
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
        let Self { config, synthesized, path: config_path, .. } = self;
        Ok(App {
            config,
            config_path,
            dir,
            assembly,
            syntheses,
            synthesized,
            context,
            parameters: Parameters::new(),
        })
    }
}

/// One path for a folder, however it is named and whether it is there or not.
fn real(dir: &Utf8Path) -> Utf8PathBuf {
    dir.canonicalize_utf8().or_else(|_| camino::absolute_utf8(dir)).unwrap_or_else(|_| dir.to_owned())
}

fn not_synthesized(app: Option<&str>, dir: &Utf8Path) -> Failure {
    let app = app.map_or_else(|| THE_APP.to_owned(), |name| format!("app `{name}`"));
    Failure::usage(
        format!("{app} is not synthesized: there is no folder {dir}"),
        "run `paceline synth`, or `paceline deploy`, which synthesizes first",
    )
}

/// The only app. It is synthesized where and as generated builds do it, and keeps its context beside its assembly.
fn only_app(app: &AppConfig, assembly: &Utf8Path) -> Synthesis {
    let context_dir = assembly.parent().unwrap_or(Utf8Path::new("")).to_owned();
    let app = AppConfig { assembly: assembly.to_owned(), ..app.clone() };
    Synthesis { name: None, dir: Utf8PathBuf::new(), context_dir, app, as_in_builds: true }
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
    pub fn options(&self, selection: Option<&Selection>, fail_fast: bool) -> PlanOptions {
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
        if let Some(selection) = selection {
            options.only.clone_from(&selection.only);
            options.stacks.clone_from(&selection.stacks);
            options.exclusively = selection.exclusively;
            options.exclude.clone_from(&selection.exclude);
            options.stacks_at_once = selection.concurrency;
            options.strategy = selection.strategy.map(Strategy::from);
        }
        options
    }

    /// The build decides which regions are on; what is generated has to serve for all.
    pub fn options_for_all_regions(&self) -> PlanOptions {
        PlanOptions { multi_region: Some("true".to_owned()), ..self.options(None, false) }
    }

    pub fn plan(&self, options: &PlanOptions) -> Result<Plan, Failure> {
        Ok(Plan::make(&self.assembly, &self.config, options)?)
    }

    /// What deletes the stacks of such a plan.
    pub fn destruction(&self, options: &PlanOptions) -> Result<Destruction, Failure> {
        Ok(Destruction::make(&self.assembly, &self.config, options)?)
    }

    /// The same with every phase a barrier, to compare with.
    pub fn phased_destruction(&self, options: &PlanOptions) -> Result<Destruction, Failure> {
        self.destruction(&PlanOptions { strategy: Some(Strategy::Phases), ..options.clone() })
    }

    /// The same plan with every phase a barrier, to compare with.
    pub fn phased(&self, options: &PlanOptions) -> Result<Plan, Failure> {
        self.plan(&PlanOptions { strategy: Some(Strategy::Phases), ..options.clone() })
    }
}
