//! Settings that the team has to add, because builds fail without them and no default exists.

use paceline_config::SourceType;
use paceline_text::first_few;

use super::{Generation, RunnerSource, project};
use crate::project::role::{LONGEST_POLICY, policy_length, statements};

/// A list of names ends after so many.
const SHOWN: usize = 4;

/// A missing setting that builds need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// The source of the runner is not set, or the image is one of AWS, which has no runner.
    Runner { image: String, is_said: bool },
    /// The lock file of npm does not pin the runner. `lock` is none if there is no lock file.
    Unpinned { lock: Option<String> },
    /// The bucket in which the pipeline passes the source.
    PipelineBucket,
    /// CloudFormation creates the resources of these stacks with the rights of the build.
    ExecutionRights { stacks: Vec<String> },
    /// The policy of the generated role is longer than IAM allows.
    Policy { characters: usize },
    /// The team's commands run with the rights of the build.
    Commands { names: Vec<String> },
}

/// The missing settings of a deployment.
pub fn gaps(generation: &Generation) -> Vec<Gap> {
    let settings = &generation.codebuild;
    let mut gaps = Vec::new();
    let is_said = generation.runner != RunnerSource::Unset;
    if !generation.runner.is_fetched() && (!is_said || settings.image.is_curated()) {
        gaps.push(Gap::Runner { image: settings.image.to_string(), is_said });
    }
    if let RunnerSource::Npm { lock, is_pinned: false, .. } = &generation.runner {
        gaps.push(Gap::Unpinned { lock: lock.clone() });
    }
    // The team decides the rights of its own role.
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
    /// The problem, for a message.
    pub fn what(&self) -> String {
        match self {
            Self::Runner { image, is_said: false } => {
                format!(
                    "builds have no runner: {image} has no paceline, and `runner` is not set"
                )
            }
            Self::Runner { image, is_said: true } => {
                format!(
                    "`runner` says that the build image has paceline, but {image} is an image of AWS, which has none"
                )
            }
            Self::Unpinned { lock: Some(lock) } => {
                format!("builds have no runner: `runner` says that npm installs it, and {lock} does not list paceline")
            }
            Self::Unpinned { lock: None } => {
                "builds have no runner: `runner` says that npm installs it, and there is no package-lock.json".to_owned()
            }
            Self::PipelineBucket => {
                "the generated role cannot read the source, because the bucket of the pipeline is not set: builds fail in \
                 DOWNLOAD_SOURCE with Access Denied"
                    .to_owned()
            }
            Self::ExecutionRights { stacks } => {
                let (name, them) = if stacks.len() == 1 { ("names", "it") } else { ("name", "them") };
                format!(
                    "{} {name} no role: CloudFormation creates the resources in {them} with the rights of the \
                     build, and the generated role has none for them",
                    first_few(stacks, SHOWN)
                )
            }
            Self::Policy { characters } => {
                format!(
                    "the policy of the generated role has up to {characters} characters, and IAM allows {LONGEST_POLICY}"
                )
            }
            Self::Commands { names } => {
                let what = if names.len() == 1 { "the command" } else { "the commands" };
                format!("the generated role has no rights for {what} {}", first_few(names, SHOWN))
            }
        }
    }

    /// The way to solve the problem.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Runner { is_said: false, .. } => {
                "set `runner: { from: npm }` if the app has a package.json, `runner: { from: s3, uri: …, sha256: … }`, or \
                 `runner: { from: image }` with an image that has it"
            }
            Self::Runner { is_said: true, .. } => {
                "set codebuild.image to an image that has it, or runner.from to npm, s3 or url"
            }
            Self::Unpinned { .. } => {
                "run `npm install --save-dev paceline` in the folder of package.json, and commit both files"
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

    /// Whether every build fails because of this gap.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Commands { .. })
    }
}
