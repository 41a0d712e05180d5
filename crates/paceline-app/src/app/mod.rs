//! An app in a folder: its configuration, its assembly, and the plans that are made from them.

mod affected;
mod cdk_json;
pub(crate) mod freshness;
pub(crate) mod late;
pub(crate) mod parameters;
pub(crate) mod synth;

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{Assembly, Overrides};
use paceline_config::{self as config, AppConfig, Config, Strategy};
use paceline_host::Synthesis;
use paceline_plan::{ContextLookup, Destruction, Plan, PlanOptions, THE_APP};
use paceline_text::secrets;

pub(crate) use self::affected::other_assembly;
pub use self::parameters::Parameters;
pub use self::synth::synthesize_apps;
use crate::failure::Failure;
use crate::settings::{AppPaths, Selection};
use crate::terminal;

/// The assembly of the only app, unless the configuration or an argument names another.
const ASSEMBLY: &str = "cdk.out";

/// An app: its configuration and its assembly.
#[derive(Debug)]
pub struct App {
    pub config: Config,
    /// The file of the configuration, if there is one.
    pub config_path: Option<Utf8PathBuf>,
    /// The folder of the assembly. For several apps, the folder of the configuration.
    pub dir: Utf8PathBuf,
    pub assembly: Arc<Assembly>,
    /// The apps that have a `synth` command.
    pub syntheses: Vec<Synthesis>,
    /// The apps that this process has synthesized.
    pub synthesized: Vec<Synthesized>,
    /// The lookups in the cdk.context.json of these apps.
    pub context: Vec<ContextLookup>,
    /// The values of `--parameters`.
    pub parameters: Parameters,
    /// What the command asks of every stack in place of what the assembly says. The assembly has it already.
    pub overrides: Overrides,
}

/// A configuration, before the assembly is read.
#[derive(Debug)]
pub struct Configured {
    pub config: Config,
    /// The only app, if the configuration has a `synth` command for it.
    pub only: Option<AppConfig>,
    pub synthesized: Vec<Synthesized>,
    pub path: Option<Utf8PathBuf>,
    /// Whether the app is synthesized because it has no assembly, and not because the configuration says so.
    pub is_automatic: bool,
}

/// An app that this process has synthesized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synthesized {
    /// The name of the app, if there are several.
    pub app: Option<String>,
    /// Whether the synthesis has written a new assembly.
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
    let variables = config.apps.values().map(|app| &app.env);
    for (name, value) in variables.chain(config.commands.iter().map(|command| &command.env)).flatten() {
        secrets::hide_named(name, value);
    }
    // Whoever has the URL of a wait condition can end the wait.
    if let Ok(url) = std::env::var(config.signal.wait_handle.as_str()) {
        secrets::hide(&url);
    }
    let mut configured =
        Configured { config, only: None, synthesized: Vec::new(), path, is_automatic: false };
    configured.only = configured.only_app(paths);
    if configured.path.is_none() && paths.app.is_none() {
        configured.use_cdk_json();
    }
    Ok(configured)
}

impl Configured {
    /// Reads the assembly, or the assemblies of several apps.
    pub fn app(mut self, paths: &AppPaths) -> Result<App, Failure> {
        if !self.config.apps.is_empty() {
            return self.apps(paths);
        }
        let dir = paths.app.clone().unwrap_or_else(|| self.assembly());
        // The CDK CLI accepts a command as `--app`.
        if let Some(command) = paths.app.as_ref().filter(|app| app.as_str().contains(' ') && !app.exists()) {
            return Err(Failure::usage(
                format!("--app names the folder of a synthesized app, and there is none called `{command}`"),
                format!(
                    "synthesize it first: cdk synth --app '{command}', or let `synth:` of paceline.yaml do so"
                ),
            ));
        }
        if self.path.is_none() {
            let unused =
                dir.parent().map(|folder| folder.join(config::FILE_NAME)).filter(|path| path.is_file());
            if let Some(unused) = unused {
                terminal::note(&format!("{unused} is not used; to use it, name it with --config"));
            }
        }
        if self.is_automatic && self.synthesized.is_empty() {
            self.synthesized = synth::all(&self)?;
        }
        let syntheses: Vec<Synthesis> = self.only.iter().map(|app| only_app(app, &dir)).collect();
        if !syntheses.is_empty() && !dir.exists() {
            return Err(not_synthesized(None, &dir));
        }
        let assembly =
            if syntheses.is_empty() { Assembly::read(&dir) } else { Assembly::read_incomplete(&dir) };
        self.with(dir, assembly?, syntheses)
    }

    /// The folder that paths in the configuration are relative to.
    fn folder(&self) -> &Utf8Path {
        self.path.as_deref().and_then(Utf8Path::parent).unwrap_or(Utf8Path::new(""))
    }

    /// The assembly of the only app, from the configuration or by default.
    pub fn assembly(&self) -> Utf8PathBuf {
        self.config.app.as_ref().map_or_else(|| ASSEMBLY.into(), |app| self.folder().join(app))
    }

    /// The only app, if the configuration has a `synth` command for it. The command is for the app of the configuration,
    /// so there is none if `--app` names another.
    fn only_app(&self, paths: &AppPaths) -> Option<AppConfig> {
        let synth = self.config.synth.clone()?;
        let own = self.assembly();
        let is_own = paths.app.as_ref().is_none_or(|named| real(named) == real(&own));
        let install = self.config.install.clone();
        is_own.then(|| AppConfig { install, synth: Some(synth), ..AppConfig::new("", own) })
    }

    /// The apps that have a `synth` command.
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
            // A synthesis in the run may find values that this assembly lacks.
            let assembly =
                if app.synth.is_some() { Assembly::read_incomplete(&dir) } else { Assembly::read(&dir) };
            assemblies.push((name.clone(), assembly?));
        }
        let syntheses = self.syntheses();
        let dir =
            Some(self.folder()).filter(|it| !it.as_str().is_empty()).unwrap_or(Utf8Path::new(".")).to_owned();
        self.with(dir, Assembly::of_apps(assemblies), syntheses)
    }

    /// The app, of which `dir` is the folder.
    fn with(self, dir: Utf8PathBuf, assembly: Assembly, syntheses: Vec<Synthesis>) -> Result<App, Failure> {
        let context = context(&syntheses)?;
        parameters::hide_secrets(&assembly.stacks);
        let Self { config, synthesized, path: config_path, .. } = self;
        Ok(App {
            config,
            config_path,
            dir,
            assembly: Arc::new(assembly),
            syntheses,
            synthesized,
            context,
            parameters: Parameters::new(),
            overrides: Overrides::default(),
        })
    }
}

/// One path for a folder, from any of its names. The folder need not exist.
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

/// The synthesis of the only app. It runs in the current folder, as generated builds run it, and its cdk.context.json is
/// in the folder that contains the assembly.
fn only_app(app: &AppConfig, assembly: &Utf8Path) -> Synthesis {
    let context_dir = assembly.parent().unwrap_or(Utf8Path::new("")).to_owned();
    let app = AppConfig { assembly: assembly.to_owned(), ..app.clone() };
    Synthesis { name: None, dir: Utf8PathBuf::new(), context_dir, app, as_in_builds: true }
}

/// The lookups in the cdk.context.json of each app.
fn context(syntheses: &[Synthesis]) -> Result<Vec<ContextLookup>, Failure> {
    let mut context = Vec::new();
    for synthesis in syntheses {
        let read = synthesis.context().map_err(|error| {
            let hint = "correct the file, or remove it: the next synthesis looks up what it lacks";
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

    /// The options for generated files. The build chooses the regions, so the files must work for all regions.
    pub fn options_for_all_regions(&self) -> PlanOptions {
        PlanOptions { multi_region: Some("true".to_owned()), ..self.options(None, false) }
    }

    pub fn plan(&self, options: &PlanOptions) -> Result<Plan, Failure> {
        Ok(Plan::make(&self.assembly, &self.config, options)?)
    }

    /// The plan that deletes the stacks.
    pub fn destruction(&self, options: &PlanOptions) -> Result<Destruction, Failure> {
        Ok(Destruction::make(&self.assembly, &self.config, options)?)
    }

    /// The same deletion with every phase as a barrier, for comparison.
    pub fn phased_destruction(&self, options: &PlanOptions) -> Result<Destruction, Failure> {
        self.destruction(&PlanOptions { strategy: Some(Strategy::Phases), ..options.clone() })
    }

    /// The same plan with every phase as a barrier, for comparison.
    pub fn phased(&self, options: &PlanOptions) -> Result<Plan, Failure> {
        self.plan(&PlanOptions { strategy: Some(Strategy::Phases), ..options.clone() })
    }
}
