//! What is known about a buildspec from outside of it.

use camino::Utf8PathBuf;
use serde_json::Value;

/// Everything may be unknown: then the rules that need it say nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LintContext {
    /// The project that runs the buildspec.
    pub project: Option<ProjectFacts>,
    /// The root of the source, to look for folders in.
    pub root: Option<Utf8PathBuf>,
    /// Whether a lock file of npm is next to the buildspec or in the folder it is run in.
    pub has_npm_lock: bool,
}

impl LintContext {
    /// Whether a folder is there, as far as that is known.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        self.root.as_ref().is_some_and(|root| root.join(folder).is_dir())
    }
}

/// What rules ask of a CodeBuild project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of the project")]
pub struct ProjectFacts {
    pub image: Option<String>,
    /// Such as `LINUX_CONTAINER`.
    pub kind: Option<String>,
    pub privileged: bool,
    /// Builds run in a network of the team's.
    pub in_vpc: bool,
    /// Docker is served by a machine of its own.
    pub has_docker_server: bool,
    pub has_fleet: bool,
    pub timeout_minutes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectFactsError {
    #[error("line {line}, column {column}: {message}")]
    Json { line: usize, column: usize, message: String },
    #[error("there is no `environment` in it")]
    NoProject,
}

impl ProjectFacts {
    /// Reads the input of `aws codebuild create-project`, or the output of `batch-get-projects`.
    pub fn read(json: &str) -> Result<Self, ProjectFactsError> {
        let value: Value = serde_json::from_str(json).map_err(|error| ProjectFactsError::Json {
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        })?;
        let project = value.pointer("/projects/0").or_else(|| value.get("project")).unwrap_or(&value);
        let environment = project.get("environment").ok_or(ProjectFactsError::NoProject)?;
        let text = |key: &str| environment.get(key).and_then(Value::as_str).map(str::to_owned);
        let is_set = |key: &str| environment.get(key).is_some_and(|value| !value.is_null());
        Ok(Self {
            image: text("image"),
            kind: text("type"),
            in_vpc: project.get("vpcConfig").and_then(|vpc| vpc.get("vpcId")).is_some_and(|id| !id.is_null()),
            privileged: environment.get("privilegedMode").and_then(Value::as_bool).unwrap_or(false),
            has_docker_server: is_set("dockerServer"),
            has_fleet: is_set("fleet"),
            timeout_minutes: project.get("timeoutInMinutes").and_then(Value::as_u64),
        })
    }

    /// AWS's Ubuntu images, in which `sh` is dash.
    pub(super) fn is_ubuntu(&self) -> bool {
        self.image.as_ref().is_some_and(|image| image.starts_with("aws/codebuild/standard:"))
    }

    /// AWS's Amazon Linux images, in which `sh` is bash.
    pub(super) fn is_amazon_linux(&self) -> bool {
        self.image.as_ref().is_some_and(|image| image.starts_with("aws/codebuild/amazonlinux"))
    }

    pub(super) fn is_managed(&self) -> bool {
        self.image.as_ref().is_some_and(|image| image.starts_with("aws/codebuild/"))
    }

    pub(super) fn is_lambda(&self) -> bool {
        self.kind.as_ref().is_some_and(|kind| kind.contains("LAMBDA"))
    }
}
