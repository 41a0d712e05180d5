//! Signs in to registries and pushes images. Repeats both if the network caused the error.

use std::time::Duration;

use paceline_host::{Docker, ToolError};

use crate::call::Caller;
use crate::error::AwsError;

/// The number of tries of a login or a push.
const ATTEMPTS: u32 = 4;
/// The first pause before another try. It doubles with each try.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// Signs in and pushes with docker.
#[derive(Debug)]
pub(super) struct Pusher {
    pub(super) docker: Docker,
    pub(super) first_pause: Duration,
}

/// The reason why a push failed: docker reported an error, or AWS gave no login.
enum PushError {
    Tool(ToolError),
    Aws(AwsError),
}

impl Pusher {
    pub(super) fn new(docker: Docker) -> Self {
        Self { docker, first_pause: FIRST_PAUSE }
    }

    /// Signs in to a registry.
    pub(super) async fn login(
        &self,
        caller: &Caller,
        registry: &str,
        user: &str,
        password: &str,
    ) -> Result<(), AwsError> {
        self.persist(caller, "docker login", || async {
            Ok(self.docker.login(registry, user, password).await?)
        })
        .await
    }

    /// Pushes an image. `sign_in` signs in once more, because another program may have written docker's
    /// configuration file at the same time.
    pub(super) async fn push<F>(
        &self,
        caller: &Caller,
        remote: &str,
        sign_in: impl Fn() -> F,
    ) -> Result<(), AwsError>
    where
        F: Future<Output = Result<(), AwsError>>,
    {
        let sign_in = &sign_in;
        self.persist(caller, "docker push", || async move {
            match self.docker.push(remote).await {
                Err(error) if error.is_signed_out() => {
                    caller.report(&last_words(error), "docker push", 2, Duration::ZERO);
                    sign_in().await.map_err(PushError::Aws)?;
                    Ok(self.docker.push(remote).await?)
                }
                pushed => Ok(pushed?),
            }
        })
        .await
    }

    /// Repeats an action while the network causes its errors.
    async fn persist<F>(&self, caller: &Caller, what: &str, act: impl Fn() -> F) -> Result<(), AwsError>
    where
        F: Future<Output = Result<(), PushError>>,
    {
        let mut pause = self.first_pause;
        for attempt in 2..=ATTEMPTS {
            let Err(error) = act().await else { return Ok(()) };
            if !error.passes() {
                return Err(error.into());
            }
            caller.report(&error.last_words(), what, attempt, pause);
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(act().await?)
    }
}

impl PushError {
    /// Returns whether the same action may succeed later.
    fn passes(&self) -> bool {
        match self {
            Self::Tool(error) => error.passes(),
            Self::Aws(error) => error.is_transient(),
        }
    }

    fn last_words(self) -> AwsError {
        match self {
            Self::Tool(error) => last_words(error),
            Self::Aws(error) => error,
        }
    }
}

impl From<ToolError> for PushError {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

impl From<PushError> for AwsError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Tool(error) => error.into(),
            PushError::Aws(error) => error,
        }
    }
}

/// The error with only the last line of docker's output. The lines before it report progress.
fn last_words(error: ToolError) -> AwsError {
    let line = error.in_one_line();
    AwsError::from(error).with_message(line)
}

#[cfg(all(test, unix))]
mod tests;
