//! The `docker` command, or the program that `CDK_DOCKER` names. It builds, tags and pushes images, and signs
//! in to registries.
//!
//! Each call runs docker once. A [`ToolError`] contains the error messages of docker, so that the caller can
//! decide whether to try again.

use std::time::Duration;

use camino::Utf8Path;
use tokio::sync::Mutex;

use crate::tool::{ToolError, ToolErrorKind, run_tool};

/// The time limit of a login. A login asks the registry once.
const LOGIN: Duration = Duration::from_mins(1);
/// The time limit for asking docker for its version.
const ANSWER: Duration = Duration::from_secs(10);

/// Messages of docker when the network or the registry caused the error.
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
/// Messages of docker when it has no login for a registry, or an expired one.
const SIGNED_OUT: [&str; 2] = ["no basic auth credentials", "authorization token has expired"];
/// Messages of docker when its daemon does not run.
const DOWN: [&str; 1] = ["docker daemon running"];
/// Messages of docker when a credential helper stores no login. Such a helper signs in itself, like Amazon's
/// for ECR.
const KEEPS_NO_LOGIN: [&str; 1] = ["not implemented"];

/// Runs docker.
#[derive(Debug)]
pub struct Docker {
    program: String,
    /// Held during a login. Docker reads its configuration file and writes it back as a whole, so that one of
    /// two simultaneous logins would be lost. A separate folder for each registry would prevent this, but
    /// such a folder lacks the user's credential helpers, builders and plugins.
    login: Mutex<()>,
}

impl Docker {
    /// `program` replaces the usual program.
    pub fn new(program: Option<String>) -> Self {
        let named = || std::env::var("CDK_DOCKER").ok().filter(|name| !name.is_empty());
        let program = program.or_else(named).unwrap_or_else(|| "docker".to_owned());
        Self { program, login: Mutex::default() }
    }

    /// Returns an error if docker certainly cannot build: the program is missing, or its daemon does not run.
    /// Other errors may not prevent a build, and a daemon that does not answer in time may answer later.
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

    /// Gives a local image the name under which it is pushed.
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

/// Interprets the error messages of docker.
impl ToolError {
    /// Returns whether the network or the registry caused the error, so that the same call may succeed later.
    pub fn passes(&self) -> bool {
        matches!(self.kind, ToolErrorKind::TimedOut { .. }) || self.says(&PASSING) && !self.says(&DOWN)
    }

    /// Returns whether docker has no login for the registry, or one that has expired.
    pub fn is_signed_out(&self) -> bool {
        self.says(&SIGNED_OUT)
    }

    fn says(&self, wordings: &[&str]) -> bool {
        let said = self.said().unwrap_or_default().to_lowercase();
        wordings.iter().any(|wording| said.contains(wording))
    }
}
