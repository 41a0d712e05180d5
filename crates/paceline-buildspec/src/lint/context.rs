//! Facts about a buildspec that are not in the file.

use camino::Utf8PathBuf;
use serde_json::Value;

/// The context of a buildspec. Any field may be unknown, and then the rules that need it find nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LintContext {
    /// The project that runs the buildspec.
    pub project: Option<ProjectFacts>,
    /// The root of the source, in which folders are looked up.
    pub root: Option<Utf8PathBuf>,
    /// Whether a lock file of npm is next to the buildspec, or in the folder in which it runs.
    pub has_npm_lock: bool,
}

impl LintContext {
    /// Whether a folder is known to exist.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        self.root.as_ref().is_some_and(|root| root.join(folder).is_dir())
    }
}

/// The settings of a CodeBuild project that rules use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of the project")]
pub struct ProjectFacts {
    pub image: Option<String>,
    /// The type of the environment, such as `LINUX_CONTAINER`.
    pub kind: Option<String>,
    pub privileged: bool,
    /// Whether builds run in a VPC of the team.
    pub in_vpc: bool,
    /// Whether a separate machine provides Docker.
    pub has_docker_server: bool,
    pub has_fleet: bool,
    pub timeout_minutes: Option<u64>,
    /// The kernel of the host, such as `LINUX_KERNEL_6`.
    pub host_kernel: Option<String>,
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
            host_kernel: text("hostKernel"),
            in_vpc: project.get("vpcConfig").and_then(|vpc| vpc.get("vpcId")).is_some_and(|id| !id.is_null()),
            privileged: environment.get("privilegedMode").and_then(Value::as_bool).unwrap_or(false),
            has_docker_server: is_set("dockerServer"),
            has_fleet: is_set("fleet"),
            timeout_minutes: project.get("timeoutInMinutes").and_then(Value::as_u64),
        })
    }

    /// Whether the image is one of AWS's Ubuntu images, in which `sh` is dash.
    pub(super) fn is_ubuntu(&self) -> bool {
        self.image.as_ref().is_some_and(|image| image.starts_with("aws/codebuild/standard:"))
    }

    /// Whether the image is one of AWS's Amazon Linux images, in which `sh` is bash.
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
