//! Writes the first `paceline.yaml` of a team: from the graph of an assembly, from the buildspecs that deploy the app
//! today, or from both.
//!
//! People read and change the file, so every entry says where it comes from, and defaults are left out. `paceline plan`
//! accepts the file for the assembly that it was written from.

mod apps;
mod codebuild;
mod commands;
mod gates;
mod group_names;
mod levels;
mod order;
mod out;
mod regions;

use paceline_assembly::Assembly;
use paceline_buildspec::understand::ExistingPipeline;
use paceline_config::Config;
use paceline_plan::{Plan, PlanError, PlanOptions};

use crate::out::Out;

/// Where the schema of a configuration is kept for editors, from the configuration's folder.
pub const SCHEMA_FILE: &str = ".paceline/paceline.schema.json";

/// The sources of a configuration.
#[derive(Debug, Clone, Copy)]
pub struct NewConfig<'a> {
    /// The buildspecs that deploy the app today.
    pub build: Option<&'a ExistingPipeline>,
    /// The assembly of all the apps, if it is synthesized.
    pub assembly: Option<&'a Assembly>,
    /// The folder of the app, if no buildspec is known.
    pub app: Option<&'a AppFolder>,
}

/// The folder of an app, and the commands that its files suggest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppFolder {
    /// The folder of its assembly, relative to the configuration.
    pub assembly: String,
    /// The command that installs the packages that `synth` needs. It runs in the root of the repository.
    pub install: Option<String>,
    /// The command that synthesizes the app, in the root of the repository; none if no file shows how.
    pub synth: Option<String>,
    /// Whether the assembly is committed, so that a build need not synthesize the app.
    pub is_committed: bool,
    /// Whether npm installs its packages.
    pub has_npm: bool,
}

/// A configuration, and notes for the person who ran `paceline init`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConfigText {
    /// The text of the file.
    pub text: String,
    /// What the file cannot express: the line of the buildspec (0 for none), and a sentence.
    pub notes: Vec<(usize, String)>,
}

impl NewConfig<'_> {
    /// Writes the configuration.
    pub fn write(&self) -> Result<NewConfigText, PlanError> {
        let written = self.attempt(true)?;
        let Some(assembly) = self.assembly else { return Ok(written) };
        // Scripts between stacks order the stacks too. Several scripts together may contradict the graph.
        let config = Config::parse(&written.text, camino::Utf8Path::new(paceline_config::FILE_NAME));
        let plan = config.ok().map(|config| Plan::make(assembly, &config, &all_regions()));
        if matches!(plan, Some(Err(PlanError::Cycle { .. } | PlanError::Contradiction { .. }))) {
            return self.attempt(false);
        }
        Ok(written)
    }

    fn attempt(&self, scripts_order: bool) -> Result<NewConfigText, PlanError> {
        let mut out = Out::default();
        self.head(&mut out);
        match (self.build, self.app) {
            (Some(build), _) => apps::of_build(&mut out, build),
            (None, Some(app)) => apps::one(&mut out, app),
            (None, None) => {}
        }
        let plan = self.assembly.map(bare_plan).transpose()?;
        match (self.build, self.assembly, &plan) {
            (Some(build), Some(assembly), Some(plan)) => {
                let order = order::against(build, assembly, plan);
                regions::asked_for(&mut out, build, Some(assembly), &order);
                // The added edges change the levels of the graph.
                let config = Config { edges: order.as_config(), ..Config::default() };
                let plan = Plan::make(assembly, &config, &PlanOptions::default())?;
                levels::write(&mut out, &plan);
                order.write(&mut out, build);
                gates::write(&mut out, assembly, &plan);
                commands::write(&mut out, build, &order, Some(&plan), scripts_order);
            }
            (Some(build), ..) => {
                let order = order::alone(build);
                regions::asked_for(&mut out, build, None, &order);
                order.write_phases(&mut out, build);
                commands::write(&mut out, build, &order, None, scripts_order);
            }
            (None, Some(assembly), Some(plan)) => {
                regions::found(&mut out, plan);
                levels::write(&mut out, plan);
                gates::write(&mut out, assembly, plan);
            }
            _ => {}
        }
        if let Some(build) = self.build {
            commands::write_signal(&mut out, build);
        }
        codebuild::write(&mut out, self.build, plan.as_ref());
        codebuild::write_runner(&mut out, self.has_npm());
        Ok(NewConfigText { text: out.text, notes: out.notes })
    }

    /// Whether npm installs the packages of an app.
    fn has_npm(&self) -> bool {
        let mut installs = self.build.into_iter().flat_map(|build| &build.apps).flat_map(|app| &app.install);
        let is_npm =
            |text: &str| ["npm ci", "npm install", "npm i"].iter().any(|it| text.trim().starts_with(it));
        self.app.is_some_and(|app| app.has_npm) || installs.any(|line| is_npm(&line.text))
    }

    fn head(&self, out: &mut Out) {
        // Editors look for it in this form.
        out.line(&format!("# yaml-language-server: $schema={SCHEMA_FILE}"));
        match self.build {
            Some(build) => {
                let files = build.file();
                let whose = match build.files.len() {
                    1 => files.clone(),
                    _ => "the one that has the app".to_owned(),
                };
                out.comment(&format!(
                    "How Paceline deploys what {files} deploys. Line numbers are those of {whose}. \
                     `paceline schema` describes every field; what is not here is a default."
                ));
            }
            None => out.comment(
                "How Paceline deploys this app, to start from. Every line is optional: what is not here is a \
                 default, and `paceline schema` describes every field.",
            ),
        }
        out.line("version: 1");
    }
}

/// The plan of an assembly that nobody has configured.
fn bare_plan(assembly: &Assembly) -> Result<Plan, PlanError> {
    Plan::make(assembly, &Config::default(), &PlanOptions::default())
}

fn all_regions() -> PlanOptions {
    PlanOptions { multi_region: Some("true".to_owned()), ..PlanOptions::default() }
}
