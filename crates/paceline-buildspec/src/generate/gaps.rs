//! What the generated files leave for the team to set: builds would fail without it, and nothing here can know it.

use paceline_config::SourceType;

use super::{Generation, RunnerSource, project};
use crate::project::role::{LONGEST_POLICY, policy_length, statements};

/// Something that builds need and that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Nothing says where the runner comes from, or it is said to be in an image of AWS, which has none.
    Runner { image: String, is_said: bool },
    /// A pipeline hands the source over in a bucket that is not named.
    PipelineBucket,
    /// CloudFormation makes the resources of these stacks with the rights of the build.
    ExecutionRights { stacks: Vec<String> },
    /// The policy of the generated role is longer than IAM takes.
    Policy { characters: usize },
    /// The team's commands run with the rights of the build.
    Commands { names: Vec<String> },
}

/// What has to be set before builds can work.
pub fn gaps(generation: &Generation) -> Vec<Gap> {
    let settings = &generation.codebuild;
    let mut gaps = Vec::new();
    let is_said = generation.runner != RunnerSource::Unset;
    if !generation.runner.is_fetched() && (!is_said || settings.image.is_curated()) {
        gaps.push(Gap::Runner { image: settings.image.to_string(), is_said });
    }
    // A role of the team's own may do what the team lets it.
    if settings.service_role.is_some() {
        return gaps;
    }
    if settings.source == SourceType::Codepipeline && settings.artifacts_bucket.is_none() {
        gaps.push(Gap::PipelineBucket);
    }
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let stacks = generation.rights.unaided.without_execution_role();
    if !stacks.is_empty() {
        gaps.push(Gap::ExecutionRights { stacks: owned(stacks) });
    }
    let project = project::project(generation);
    let characters = policy_length(&statements(&project, &project::access(generation)));
    if characters > LONGEST_POLICY {
        gaps.push(Gap::Policy { characters });
    }
    if !generation.rights.commands.is_empty() {
        gaps.push(Gap::Commands { names: generation.rights.commands.clone() });
    }
    gaps
}

impl Gap {
    /// What will go wrong.
    pub fn what(&self) -> String {
        match self {
            Self::Runner { image, is_said: false } => {
                format!(
                    "nothing puts the runner into a build: {image} has no paceline, and no `runner` is set"
                )
            }
            Self::Runner { image, is_said: true } => {
                format!(
                    "`runner` says that the build image has paceline, and {image} is an image of AWS, which has none"
                )
            }
            Self::PipelineBucket => {
                "the generated role may not read the source: the pipeline's bucket is not named, and builds \
                 end in DOWNLOAD_SOURCE with Access Denied"
                    .to_owned()
            }
            Self::ExecutionRights { stacks } => {
                let (name, them) = if stacks.len() == 1 { ("names", "it") } else { ("name", "them") };
                format!(
                    "{} {name} no role: CloudFormation creates the resources in {them} with the rights of the \
                     build, and the generated role has none for them",
                    listed(stacks)
                )
            }
            Self::Policy { characters } => {
                format!(
                    "the policy of the generated role has up to {characters} characters, and IAM takes {LONGEST_POLICY}"
                )
            }
            Self::Commands { names } => {
                let what = if names.len() == 1 { "the command" } else { "the commands" };
                format!("what {what} {} may do in AWS is not in the generated role", listed(names))
            }
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Runner { is_said: false, .. } => {
                "set `runner: { from: s3, uri: …, sha256: … }`, or `runner: { from: image }` with an image that has it"
            }
            Self::Runner { is_said: true, .. } => {
                "name an image that has it in codebuild.image, or set runner.from to s3 or https"
            }
            Self::PipelineBucket => {
                "set codebuild.artifacts-bucket to the pipeline's bucket, and codebuild.kms-keys to the ARN of its \
                 key if that is one of your own"
            }
            Self::ExecutionRights { .. } => {
                "set codebuild.service-role to a role that may create them, or give the app a synthesizer with roles"
            }
            Self::Policy { .. } => {
                "set codebuild.service-role to a role whose managed policies allow the same: the generated template \
                 lists it all"
            }
            Self::Commands { .. } => {
                "if they call AWS with more rights than the run has, set codebuild.service-role to a role that may"
            }
        }
    }

    /// Whether builds fail for certain.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Commands { .. })
    }
}

/// As many names as a line has room for.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
