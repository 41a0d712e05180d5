//! The variables of the generated buildspecs, and the ways to override them for one build.

use paceline_config::SourceType;
use serde::Serialize;

use super::Generation;

/// The folder is outside the source, so that the build publishes none of it.
const HOME: &str = "/tmp/paceline";

/// The stacks of one build of a batch.
pub(super) const ONLY: &str = "PACELINE_ONLY";
/// Whether all of these stacks are in secondary Regions.
pub(super) const SECONDARY: &str = "PACELINE_SECONDARY";
/// A build deletes stacks only if this variable is the name of the project.
pub(super) const DESTROY: &str = "PACELINE_DESTROY";
/// The run that a build was started to continue.
pub const WAKE: &str = "PACELINE_WAKE";
const MINUTES: &str = "PACELINE_BUILD_MINUTES";

pub(super) const OWN: [&str; 8] =
    ["CI", "NO_COLOR", MINUTES, "PACELINE_HOME", ONLY, SECONDARY, DESTROY, WAKE];

/// A variable of the buildspec and the comment above it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) why: Vec<String>,
}

impl Variable {
    pub(super) fn new(name: &str, value: &str, why: &[&str]) -> Self {
        let why = why.iter().map(|line| (*line).to_owned()).collect();
        Self { name: name.to_owned(), value: value.to_owned(), why }
    }
}

/// The variables of every buildspec with the runner. `does` is the participle for the operation on the
/// stacks.
pub(super) fn of(generation: &Generation, does: &str) -> Vec<Variable> {
    let mut variables = Vec::new();
    if let Some(multi_region) = &generation.multi_region {
        let off = format!("With false, only the stacks of {} are {does}.", multi_region.primary);
        variables.push(Variable::new(&multi_region.variable, "true", &[&off]));
    }
    variables.push(Variable::new("CI", "true", &[]));
    variables.push(Variable::new("NO_COLOR", "1", &[]));
    let minutes = generation.codebuild.timeout.minutes().to_string();
    let why = "The timeout of the build: the runner stops before it. A build with another timeout needs another value here.";
    variables.push(Variable::new(MINUTES, &minutes, &[why]));
    let why = "The folder for the build's own files, outside of the source.";
    variables.push(Variable::new("PACELINE_HOME", HOME, &[why]));
    variables
}

/// The way to start a build from a file that the project does not name.
pub(super) fn start(generation: &Generation, file: &str) -> Vec<String> {
    match generation.codebuild.source {
        SourceType::Codepipeline => vec![
            "A pipeline uses the buildspec of its project: create a second project for this file.".to_owned(),
        ],
        _ => vec![format!(
            "Start: aws codebuild start-build --project-name {} --buildspec-override {}/{file}",
            generation.name, generation.out_dir
        )],
    }
}

/// The way to run one build with other values, without a change to the file.
pub(super) fn overrides(generation: &Generation) -> Vec<String> {
    if generation.codebuild.source == SourceType::Codepipeline {
        let mut lines = vec![
            "To use other values without a change to this file, set the variables below on the pipeline's build action."
                .to_owned(),
        ];
        lines.push(format!(
            "A pipeline cannot override compute, image and timeout: change the project (aws codebuild update-project --name {}).",
            generation.name
        ));
        return lines;
    }
    let mut lines = vec![
        "To run one build with other values, without a change to this file:".to_owned(),
        format!("  aws codebuild start-build --project-name {}", generation.name),
        "with".to_owned(),
    ];
    let mut add = |what: &str, options: String| lines.push(format!("  {what:8}  {options}"));
    if let Some(multi_region) = &generation.multi_region {
        add(
            "Regions",
            format!("--environment-variables-override name={},value=false", multi_region.variable),
        );
    }
    add("compute", "--compute-type-override BUILD_GENERAL1_LARGE".to_owned());
    add("image", format!("--image-override {}", generation.codebuild.image));
    let minutes = format!("--environment-variables-override name={MINUTES},value=300");
    add("timeout", format!("--timeout-in-minutes-override 300 {minutes}"));
    lines.push(
        "Give several variables in one list: --environment-variables-override name=A,value=1 name=B,value=2"
            .to_owned(),
    );
    lines
}
