//! The `docker` command, or the one that `CDK_DOCKER` names.

use std::time::Duration;

use camino::Utf8Path;
use tokio::sync::Mutex;

use super::tool::run;
use crate::call::Caller;
use crate::trouble::{Kind, Trouble};

/// How long a login may take: it asks the registry once.
const LOGIN: Duration = Duration::from_mins(1);
/// How often a login or a push is tried in all.
const ATTEMPTS: u32 = 4;
/// The first pause before it is tried again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

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

/// How long it is waited for what Docker says of itself.
const ANSWER: Duration = Duration::from_secs(10);

/// What its command says when nobody is there to do what it asks for.
const DOWN: &str = "docker daemon running";

/// Runs docker.
#[derive(Debug)]
pub(super) struct Docker {
    program: String,
    /// Held by who signs in. Docker reads its configuration file and writes it anew, so that of two logins at once one
    /// would be lost. A folder for each registry would keep them apart, but without the user's credential helpers,
    /// builders and plugins.
    login: Mutex<()>,
    pub(super) first_pause: Duration,
}

impl Docker {
    /// `program` is the one that is run, instead of the usual one.
    pub(super) fn new(program: Option<String>) -> Self {
        let named = || std::env::var("CDK_DOCKER").ok().filter(|name| !name.is_empty());
        let program = program.or_else(named).unwrap_or_else(|| "docker".to_owned());
        Self { program, login: Mutex::default(), first_pause: FIRST_PAUSE }
    }

    /// Why nothing can be built, where that is certain: there is no such program, or nobody answers it. What else it
    /// complains about may be no hindrance, and one that does not answer in time may later.
    pub(super) async fn is_missing(&self) -> Option<Trouble> {
        let look = self.run(&["version", "--format", "{{.Server.Version}}"], None, None);
        let trouble = tokio::time::timeout(ANSWER, look).await.ok()?.err()?;
        let is_certain = trouble.message.ends_with("is not there") || says(&trouble, &[DOWN]);
        is_certain.then_some(trouble)
    }

    pub(super) async fn build(&self, arguments: &[String], directory: &Utf8Path) -> Result<(), Trouble> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.run(&arguments, Some(directory), None).await
    }

    pub(super) async fn tag(&self, local: &str, remote: &str) -> Result<(), Trouble> {
        self.run(&["tag", local, remote], None, None).await
    }

    /// Signs in to a registry, one at a time.
    pub(super) async fn login(
        &self,
        caller: &Caller,
        registry: &str,
        user: &str,
        password: &str,
    ) -> Result<(), Trouble> {
        let _alone = self.login.lock().await;
        let arguments = ["login", "--username", user, "--password-stdin", registry];
        self.persist(caller, "docker login", || async move {
            match tokio::time::timeout(LOGIN, self.run(&arguments, None, Some(password))).await {
                // A helper that has its own way in, such as Amazon's for ECR, keeps no login.
                Ok(Err(trouble)) if says(&trouble, &["not implemented"]) => Ok(()),
                Ok(ended) => ended,
                Err(_) => {
                    let message = format!("it did not end within {} s, and was ended", LOGIN.as_secs());
                    let trouble = Trouble { kind: Kind::Unreachable, ..Trouble::setup(message) };
                    let hint = "see that Docker runs and reaches the registry: run `docker login` by hand";
                    Err(trouble.during(format!("{} login", self.program)).hint(hint))
                }
            }
        })
        .await
    }

    /// Pushes an image. `sign_in` signs in once more: somebody else may have written docker's configuration file at the
    /// same time as we did.
    pub(super) async fn push<F>(
        &self,
        caller: &Caller,
        remote: &str,
        sign_in: impl Fn() -> F,
    ) -> Result<(), Trouble>
    where
        F: Future<Output = Result<(), Trouble>>,
    {
        let arguments = ["push", remote];
        let sign_in = &sign_in;
        self.persist(caller, "docker push", || async move {
            match self.run(&arguments, None, None).await {
                Err(trouble) if says(&trouble, &SIGNED_OUT) => {
                    caller.tell(&last_words(trouble), "docker push", 2, Duration::ZERO);
                    sign_in().await?;
                    self.run(&arguments, None, None).await
                }
                pushed => pushed,
            }
        })
        .await
    }

    /// Does something again while the network is to blame.
    async fn persist<F>(&self, caller: &Caller, what: &str, act: impl Fn() -> F) -> Result<(), Trouble>
    where
        F: Future<Output = Result<(), Trouble>>,
    {
        let (mut attempt, mut pause) = (1, self.first_pause);
        loop {
            let Err(trouble) = act().await else { return Ok(()) };
            attempt += 1;
            let passes = trouble.is_transient() || says(&trouble, &PASSING) && !says(&trouble, &[DOWN]);
            if attempt > ATTEMPTS || !passes {
                return Err(trouble);
            }
            caller.tell(&last_words(trouble), what, attempt, pause);
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn run(
        &self,
        arguments: &[&str],
        directory: Option<&Utf8Path>,
        input: Option<&str>,
    ) -> Result<(), Trouble> {
        let program = &self.program;
        let ended = run(program, arguments, directory, input).await;
        ended.map(drop).map_err(|trouble| {
            if trouble.message.starts_with("the program") {
                trouble.hint(format!(
                    "images are built with `{program}`: install it, or name another with CDK_DOCKER"
                ))
            } else if says(&trouble, &[DOWN]) {
                trouble.hint("start Docker; in CodeBuild the project has to be privileged")
            } else {
                trouble
            }
        })
    }
}

/// The last line is what it is about; those before say what was done until then.
fn last_words(trouble: Trouble) -> Trouble {
    let message = trouble.message.lines().last().unwrap_or_default().to_owned();
    Trouble { message, ..trouble }
}

fn says(trouble: &Trouble, words: &[&str]) -> bool {
    let said = trouble.message.to_lowercase();
    words.iter().any(|word| said.contains(word))
}

#[cfg(all(test, unix))]
mod tests;
