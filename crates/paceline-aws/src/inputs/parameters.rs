//! Reads parameters of Parameter Store for many stacks at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter, ParameterType};
use futures_util::future::try_join_all;
use paceline_text::hex;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::call::Caller;
use crate::error::AwsError;

/// The greatest number of names for `GetParameters` (Systems Manager API reference, `GetParameters`).
pub(crate) const NAMES: usize = 10;
/// The time for which a failed read is tried again. After that, the stack is deployed without it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A parameter, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// A digest of the value. Of a secret value, which is not read, the version.
    pub(super) value: String,
    /// The version and the time of its last change. A parameter that was deleted and made again has another time.
    pub(super) version: String,
}

/// Reads the parameters of one environment.
///
/// While a read goes on, the names that others want are collected for the next one.
#[derive(Debug)]
pub(super) struct Parameters {
    client: Client,
    caller: Caller,
    wanted: Mutex<BTreeSet<String>>,
    /// What was read last, with the time just before. `None` for a parameter that does not exist.
    seen: Mutex<BTreeMap<String, (Instant, Option<Stored>)>>,
    turn: tokio::sync::Mutex<()>,
    is_reported: AtomicBool,
}

impl Parameters {
    /// `probable` are names that will be read soon. The first read includes them.
    pub(super) fn new(config: &SdkConfig, caller: &Caller, probable: BTreeSet<String>) -> Self {
        Self {
            client: Client::new(config),
            caller: caller.within(PATIENCE),
            wanted: Mutex::new(probable),
            seen: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            is_reported: AtomicBool::new(false),
        }
    }

    /// Returns true on the first call.
    pub(super) fn report_once(&self) -> bool {
        !self.is_reported.swap(true, Ordering::Relaxed)
    }

    /// The parameters with these names, as they were at some time after `since`.
    pub(super) async fn read(
        &self,
        names: &BTreeSet<String>,
        since: Option<Instant>,
    ) -> Result<BTreeMap<String, Option<Stored>>, AwsError> {
        if let Some(seen) = self.seen_since(names, since) {
            return Ok(seen);
        }
        self.wanted().extend(names.iter().cloned());
        let turn = self.turn.lock().await;
        if let Some(seen) = self.seen_since(names, since) {
            return Ok(seen);
        }
        let mut all = std::mem::take(&mut *self.wanted());
        all.extend(names.iter().cloned());
        let all: Vec<String> = all.into_iter().collect();
        let started = Instant::now() + Duration::from_nanos(1);
        let found = try_join_all(all.chunks(NAMES).map(|names| self.ask(names))).await?;
        let found: BTreeMap<String, Option<Stored>> = found.into_iter().flatten().collect();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(found.iter().map(|(name, stored)| (name.clone(), (started, stored.clone()))));
        drop(turn);
        Ok(found.into_iter().filter(|(name, _)| names.contains(name)).collect())
    }

    /// What has been read after `since`, if that is all.
    fn seen_since(
        &self,
        names: &BTreeSet<String>,
        since: Option<Instant>,
    ) -> Option<BTreeMap<String, Option<Stored>>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |name: &String| {
            let (at, stored) = seen.get(name)?;
            since.is_none_or(|since| *at > since).then(|| (name.clone(), stored.clone()))
        };
        names.iter().map(of).collect()
    }

    async fn ask(&self, names: &[String]) -> Result<Vec<(String, Option<Stored>)>, AwsError> {
        // Secret values stay encrypted.
        let send = || {
            let call = self.client.get_parameters().set_names(Some(names.to_vec()));
            call.with_decryption(false).send()
        };
        let answer = self.caller.call("GetParameters", send).await?;
        let found = |name: &String| answer.parameters().iter().find(|it| is_called(it, name)).map(stored);
        Ok(names.iter().map(|name| (name.clone(), found(name))).collect())
    }

    fn wanted(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a parameter in an answer is the one that was asked for, by its name or ARN, with a version or label if there is
/// one.
fn is_called(parameter: &Parameter, asked: &str) -> bool {
    let selector = parameter.selector().unwrap_or_default().trim_start_matches(':');
    [parameter.name(), parameter.arn()].into_iter().flatten().any(|name| {
        asked.strip_prefix(name).is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix(':').is_some_and(|it| selector.is_empty() || it == selector)
        })
    })
}

fn stored(parameter: &Parameter) -> Stored {
    let version = format!("{} {:?}", parameter.version(), parameter.last_modified_date());
    let value = match parameter.r#type() {
        Some(ParameterType::SecureString) => format!("version {version}"),
        _ => hex(&Sha256::digest(parameter.value().unwrap_or_default())),
    };
    Stored { value, version }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(kind: ParameterType, value: &str, version: i64) -> Parameter {
        Parameter::builder().name("/a").r#type(kind).value(value).version(version).build()
    }

    #[test]
    fn the_version_of_a_secret_stands_for_its_value() {
        let of = |value: &str, version| stored(&parameter(ParameterType::SecureString, value, version));
        assert_eq!(of("cipher 1", 1), of("cipher 2", 1));
        assert_ne!(of("cipher 1", 1).value, of("cipher 1", 2).value);
    }

    #[test]
    fn a_value_that_is_written_again_is_the_same_value_in_another_version() {
        let of = |version| stored(&parameter(ParameterType::String, "v", version));
        assert_eq!(of(1).value, of(2).value);
        assert_ne!(of(1).version, of(2).version);
    }

    #[test]
    fn a_parameter_is_found_by_what_it_was_asked_for() {
        let plain = parameter(ParameterType::String, "v", 1);
        let arn = "arn:aws:ssm:eu-west-1:111111111111:parameter/a";
        let labelled = Parameter::builder().name("/a").arn(arn).selector(":live").build();
        assert_eq!(
            ["/a", "/a:live", "/b", "/ab"].map(|asked| is_called(&plain, asked)),
            [true, true, false, false]
        );
        assert_eq!(["/a:live", "/a:old", arn].map(|asked| is_called(&labelled, asked)), [true, false, true]);
    }
}
