//! The `docker` command, or the one that `CDK_DOCKER` names: it builds, tags and pushes images, and signs in to
//! registries.
//!
//! Each call runs docker once. A [`ToolError`] tells what docker complained about, so that the caller can decide whether
//! to try again.

use std::time::Duration;

use camino::Utf8Path;
use tokio::sync::Mutex;

use crate::tool::{ToolError, ToolErrorKind, run_tool};

/// How long a login may take: it asks the registry once.
const LOGIN: Duration = Duration::from_mins(1);
/// How long Docker may take to tell its version.
const ANSWER: Duration = Duration::from_secs(10);

/// What docker says when the network or the registry was to blame.
const PASSING: [&str; 13] = [
    "i/o timeout",
    "tls handshake timeout",
    "connection reset by peer",
    "connection refused",
    "no such host",
    "temporary failure in name resolution",
    "unexpected eof",
    "context deadline exceeded",
    "toomanyrequests",
    "500 internal server error",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway time",
];
/// What docker says when it has no login for a registry, or one that is over.
const SIGNED_OUT: [&str; 2] = ["no basic auth credentials", "authorization token has expired"];
/// What docker says when its daemon does not run.
const DOWN: [&str; 1] = ["docker daemon running"];
/// What docker says when a credential helper keeps no login. Such a helper has its own way in, as Amazon's for ECR has.
const KEEPS_NO_LOGIN: [&str; 1] = ["not implemented"];

/// Runs docker.
#[derive(Debug)]
pub struct Docker {
    program: String,
    /// Held during a login. Docker reads its configuration file and writes the whole of it, so that one of two logins at
    /// once would be lost. A folder for each registry would keep them apart, but without the user's credential helpers,
    /// builders and plugins.
    login: Mutex<()>,
}

impl Docker {
    /// `program` is the one that is run, instead of the usual one.
    pub fn new(program: Option<String>) -> Self {
        let named = || std::env::var("CDK_DOCKER").ok().filter(|name| !name.is_empty());
        let program = program.or_else(named).unwrap_or_else(|| "docker".to_owned());
        Self { program, login: Mutex::default() }
    }

    /// Why nothing can be built, where that is certain: there is no such program, or its daemon does not run. Other
    /// complaints may be no hindrance, and a daemon that does not answer in time may do so later.
    pub async fn is_missing(&self) -> Option<ToolError> {
        let version = self.run(&["version", "--format", "{{.Server.Version}}"], None, None);
        let error = tokio::time::timeout(ANSWER, version).await.ok()?.err()?;
        let is_certain = matches!(error.kind, ToolErrorKind::NotFound { .. }) || error.says(&DOWN);
        is_certain.then_some(error)
    }

    /// Runs `docker` with the arguments of a build, in the folder of the image.
    pub async fn build(&self, arguments: &[String], directory: &Utf8Path) -> Result<(), ToolError> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.run(&arguments, Some(directory), None).await
    }

    /// Gives a local image the name that it is pushed by.
    pub async fn tag(&self, local: &str, remote: &str) -> Result<(), ToolError> {
        self.run(&["tag", local, remote], None, None).await
    }

    /// Signs in to a registry, one login at a time.
    pub async fn login(&self, registry: &str, user: &str, password: &str) -> Result<(), ToolError> {
        let _alone = self.login.lock().await;
        let arguments = ["login", "--username", user, "--password-stdin", registry];
        match tokio::time::timeout(LOGIN, self.run(&arguments, None, Some(password))).await {
            Ok(Err(error)) if error.says(&KEEPS_NO_LOGIN) => Ok(()),
            Ok(ended) => ended,
            Err(_) => {
                let command = format!("{} login", self.program);
                let error = ToolError::new(command, ToolErrorKind::TimedOut { after: LOGIN });
                Err(error
                    .advising("see that Docker runs and reaches the registry: run `docker login` by hand"))
            }
        }
    }

    /// Pushes an image.
    pub async fn push(&self, remote: &str) -> Result<(), ToolError> {
        self.run(&["push", remote], None, None).await
    }

    async fn run(
        &self,
        arguments: &[&str],
        directory: Option<&Utf8Path>,
        input: Option<&str>,
    ) -> Result<(), ToolError> {
        let program = &self.program;
        run_tool(program, arguments, directory, input).await.map(drop).map_err(|error| match error.kind {
            ToolErrorKind::NotFound { .. } => error.advising(format!(
                "images are built with `{program}`: install it, or name another with CDK_DOCKER"
            )),
            _ if error.says(&DOWN) => {
                error.advising("start Docker; in CodeBuild the project has to be privileged")
            }
            _ => error,
        })
    }
}

/// What docker's complaints mean.
impl ToolError {
    /// Whether the network or the registry was to blame, so that the same may succeed a little later.
    pub fn passes(&self) -> bool {
        matches!(self.kind, ToolErrorKind::TimedOut { .. }) || self.says(&PASSING) && !self.says(&DOWN)
    }

    /// Whether docker has no login for the registry, or one that has expired.
    pub fn is_signed_out(&self) -> bool {
        self.says(&SIGNED_OUT)
    }

    fn says(&self, wordings: &[&str]) -> bool {
        let said = self.said().unwrap_or_default().to_lowercase();
        wordings.iter().any(|wording| said.contains(wording))
    }
}
