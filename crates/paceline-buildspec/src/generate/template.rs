//! Templates of CloudFormation that are lists of resources.

use serde::Serialize;

use super::{GenerateError, GeneratedFile, Generation, TOOL, render, same, scripts};
use crate::project::resources::{TemplateResource, map};
use crate::yaml::{self, Yaml};

/// The contents of a template.
pub(super) struct Template {
    /// The end of the file name, which follows the name of the project.
    pub(super) suffix: &'static str,
    /// The lines of the comment at the start of the file.
    pub(super) about: Vec<String>,
    pub(super) description: String,
    pub(super) resources: Vec<TemplateResource>,
    pub(super) outputs: Vec<(&'static str, Yaml)>,
}

#[derive(Serialize)]
struct Context<'a> {
    tool: &'static str,
    command: String,
    about: &'a [String],
    description: &'a str,
    resources: Vec<ResourceContext<'a>>,
    outputs: Vec<OutputContext>,
}

#[derive(Serialize)]
struct ResourceContext<'a> {
    id: &'a str,
    why: &'a str,
    body: String,
}

#[derive(Serialize)]
struct OutputContext {
    name: &'static str,
    value: String,
}

impl Template {
    /// Renders the file, reads it back, and returns it if it means the same as the resources.
    pub(super) fn write<'a>(&'a self, generation: &Generation) -> Result<GeneratedFile, GenerateError> {
        let path = format!("{}{}", generation.name, self.suffix);
        let resource =
            |it: &'a TemplateResource| ResourceContext { id: &it.id, why: &it.why, body: text(&it.body) };
        let output = |(name, value): &(&'static str, Yaml)| OutputContext {
            name,
            value: text(&map([("Value", value.clone())])),
        };
        let context = Context {
            tool: TOOL,
            command: scripts::command(generation),
            about: &self.about,
            description: &self.description,
            resources: self.resources.iter().map(resource).collect(),
            outputs: self.outputs.iter().map(output).collect(),
        };
        let contents = render("resources.cfn.yml.tera", &context)?;
        let mismatch = |detail: String| GenerateError::Mismatch { path: path.clone(), detail };
        let parsed =
            |text: &str| yaml::parse(text).map(|it| it.to_json()).map_err(|it| mismatch(it.to_string()));
        let whole = map([
            ("AWSTemplateFormatVersion", Yaml::text("2010-09-09")),
            ("Description", Yaml::text(&self.description)),
            ("Resources", map(self.resources.iter().map(|it| (it.id.as_str(), it.body.clone())))),
            ("Outputs", map(self.outputs.iter().map(|(name, it)| (*name, map([("Value", it.clone())]))))),
        ]);
        same(&parsed(&contents)?, &parsed(&yaml::to_string(&whole))?).map_err(mismatch)?;
        Ok(GeneratedFile { path, contents })
    }
}

fn text(tree: &Yaml) -> String {
    yaml::to_string(tree).trim_end().to_owned()
}
