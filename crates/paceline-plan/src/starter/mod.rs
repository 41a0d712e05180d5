//! Writes a configuration to start from: from the graph of an assembly, from what a team's own build does today, or
//! from both.
//!
//! What is written is meant to be read and changed by people: every entry says where it comes from, and what is a
//! default is not written at all. It can be parsed, and a plan can be made with it for the assembly it was made from.

mod apps;
mod commands;
mod gates;
mod levels;
mod order;
mod practice;
mod regions;
mod words;
pub(crate) mod yaml;

use paceline_assembly::Assembly;
use paceline_config::Config;

use crate::{Plan, PlanError, PlanOptions, Work};

pub use practice::{Deployment, Line, Maker, Practice, Runtime, Script, Setup, When};

/// Where the schema of a configuration is kept for editors, from the configuration's folder.
pub const SCHEMA_FILE: &str = ".paceline/paceline.schema.json";

/// What a configuration is made from.
#[derive(Debug, Clone, Copy)]
pub struct Starter<'a> {
    /// What the team does today.
    pub practice: Option<&'a Practice>,
    /// The assembly, of all the apps, where there is one.
    pub assembly: Option<&'a Assembly>,
    /// The app, where nothing but its assembly is known.
    pub app: Option<&'a OneApp>,
}

/// An app of which only the folder is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneApp {
    /// The folder of its assembly, relative to the configuration.
    pub assembly: String,
    /// What installs what `synth` needs, from the root of the repository.
    pub install: Option<String>,
    /// What makes the assembly, from the root of the repository; none if nothing there shows how.
    pub synth: Option<String>,
    /// Whether the assembly is part of the repository, so that a build need not make it.
    pub is_committed: bool,
}

/// A configuration, and what its reader should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The text of the file.
    pub text: String,
    /// What could not be said in it: the line of the build's definition, and what about it.
    pub notes: Vec<(usize, String)>,
}

impl Starter<'_> {
    /// Writes the configuration.
    pub fn write(&self) -> Result<Written, PlanError> {
        let written = self.attempt(true)?;
        let Some(assembly) = self.assembly else { return Ok(written) };
        // Scripts between stacks order these too, and several together may want what the graph does not allow.
        let config = Config::parse(&written.text, camino::Utf8Path::new(paceline_config::FILE_NAME));
        let plan = config.ok().map(|config| Plan::make(assembly, &config, &all_regions()));
        if matches!(plan, Some(Err(PlanError::Cycle { .. } | PlanError::Contradiction { .. }))) {
            return self.attempt(false);
        }
        Ok(written)
    }

    fn attempt(&self, scripts_order: bool) -> Result<Written, PlanError> {
        let mut out = Out::default();
        self.head(&mut out);
        match (self.practice, self.app) {
            (Some(practice), _) => apps::of_practice(&mut out, practice),
            (None, Some(app)) => apps::one(&mut out, app),
            (None, None) => {}
        }
        let plan = self.assembly.map(bare_plan).transpose()?;
        match (self.practice, self.assembly, &plan) {
            (Some(practice), Some(assembly), Some(plan)) => {
                let order = order::against(practice, assembly, plan);
                regions::asked_for(&mut out, practice, Some(assembly), &order);
                // What is added to the graph changes its levels.
                let config = Config { edges: order.as_config(), ..Config::default() };
                let plan = Plan::make(assembly, &config, &PlanOptions::default())?;
                levels::write(&mut out, &plan);
                order.write(&mut out, practice);
                gates::write(&mut out, assembly, &plan);
                commands::write(&mut out, practice, &order, Some(&plan), scripts_order);
            }
            (Some(practice), ..) => {
                let order = order::alone(practice);
                regions::asked_for(&mut out, practice, None, &order);
                order.write_phases(&mut out, practice);
                commands::write(&mut out, practice, &order, None, scripts_order);
            }
            (None, Some(assembly), Some(plan)) => {
                regions::found(&mut out, plan);
                levels::write(&mut out, plan);
                gates::write(&mut out, assembly, plan);
            }
            _ => {}
        }
        if let Some(practice) = self.practice {
            commands::write_signal(&mut out, practice);
        }
        codebuild(&mut out, self.practice, plan.as_ref());
        runner(&mut out);
        Ok(Written { text: out.text, notes: out.notes })
    }

    fn head(&self, out: &mut Out) {
        // Editors look for it in this form.
        out.line(&format!("# yaml-language-server: $schema={SCHEMA_FILE}"));
        match self.practice {
            Some(practice) => {
                let files = practice.file();
                let whose = match practice.files.len() {
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

/// The project differs from the defaults only where somebody has decided so; what the defaults do is said.
fn codebuild(out: &mut Out, practice: Option<&Practice>, plan: Option<&Plan>) {
    let is_image = |step: &&crate::Step| matches!(&step.work, Work::Publish(publish) if publish.image);
    let images = plan.map_or(0, |plan| plan.steps.iter().filter(is_image).count());
    let mut said = Vec::new();
    match images {
        0 => {}
        1 => said.push("One image is built: `privileged: auto` lets the build run Docker for it.".to_owned()),
        n => {
            said.push(format!(
                "{n} images are built: `privileged: auto` lets the build run Docker for them."
            ));
        }
    }
    if images > 3 {
        said.push(
            "A Docker server of its own keeps their layers between builds: `codebuild: { docker-server: medium }`."
                .to_owned(),
        );
    }
    for runtime in practice.into_iter().flat_map(|practice| &practice.runtimes) {
        said.push(format!(
            "Line {} asks for {} {}: the image standard:7.0 has its own; name another with `codebuild: {{ image: … }}`.",
            runtime.line, runtime.name, runtime.version
        ));
    }
    if !said.is_empty() {
        out.blank();
        out.comment(&format!(
            "The CodeBuild project is that of the defaults (`paceline gen` writes it). {}",
            said.join(" ")
        ));
    }
}

/// What only the team can say.
fn runner(out: &mut Out) {
    out.blank();
    out.comment(
        "The images of CodeBuild have no Paceline: put a release into a bucket of yours, its address and its \
         SHA-256 here, and run `paceline gen`.",
    );
    out.line("# runner: { from: s3, uri: \"s3://BUCKET/paceline\", sha256: \"…\" }");
}

/// The text as it grows.
#[derive(Debug, Default)]
struct Out {
    text: String,
    notes: Vec<(usize, String)>,
}

impl Out {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn comment(&mut self, text: &str) {
        self.indented(0, text);
    }

    /// A comment, over as many lines as it needs.
    fn indented(&mut self, indent: usize, text: &str) {
        const WIDTH: usize = 110;
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && indent + 3 + line.chars().count() + word.chars().count() > WIDTH {
                self.line(&format!("{:indent$}# {line}", ""));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            self.line(&format!("{:indent$}# {line}", ""));
        }
    }

    fn note(&mut self, line: usize, text: impl Into<String>) {
        self.notes.push((line, text.into()));
    }
}
