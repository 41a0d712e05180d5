//! The environment that a build starts with.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{SystemTime, UNIX_EPOCH};

use paceline_buildspec::Buildspec;
use paceline_text::secrets;

use super::{RunError, RunOptions};
use crate::process::program::{Program, Stream};

/// The initial environment. The variables given to `StartBuild` override those of the buildspec, which
/// override those of this process. Values are literal: a `$` in them stays a `$`.
pub(super) async fn initial(
    buildspec: &Buildspec,
    options: &RunOptions,
) -> Result<BTreeMap<OsString, OsString>, RunError> {
    for (name, _) in &options.overrides {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(RunError::Variable(name.clone()));
        }
    }
    let env = &buildspec.env;
    let is_given = |name: &&String| options.overrides.iter().any(|(given, _)| given == *name);
    let stored = env.parameter_store.keys().chain(env.secrets_manager.keys());
    let missing: Vec<_> = stored.filter(|name| !is_given(name)).cloned().collect();
    if !missing.is_empty() {
        return Err(RunError::Secrets(missing));
    }
    let mut variables: BTreeMap<OsString, OsString> = options.environment.iter().cloned().collect();
    // A build has both variables, so that a command can read either.
    for (from, to) in [("AWS_REGION", "AWS_DEFAULT_REGION"), ("AWS_DEFAULT_REGION", "AWS_REGION")] {
        if let Some(region) = variables.get(&OsString::from(from)).cloned() {
            variables.entry(to.into()).or_insert(region);
        }
    }
    let own = codebuild(options).await.into_iter().map(|(name, value)| (name.to_owned(), value));
    let declared = env.variables.clone().into_iter();
    for (name, value) in own.chain(declared).chain(options.overrides.iter().cloned()) {
        if env.parameter_store.contains_key(&name) || env.secrets_manager.contains_key(&name) {
            secrets::hide(&value);
        } else {
            secrets::hide_named(&name, &value);
        }
        variables.insert(name.into(), value.into());
    }
    Ok(variables)
}

/// The variables that CodeBuild sets (User Guide, "Environment variables in build environments"). Variables
/// with the address of the build are left out, because nobody can open it.
async fn codebuild(options: &RunOptions) -> Vec<(&'static str, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let id = format!("{}:{}", options.name, unique(now.as_nanos()));
    let mut variables = vec![
        ("CODEBUILD_BUILD_ARN", format!("arn:aws:codebuild:local:000000000000:build/{id}")),
        ("CODEBUILD_BUILD_ID", id),
        ("CODEBUILD_BUILD_IMAGE", "local".to_owned()),
        ("CODEBUILD_BUILD_NUMBER", "1".to_owned()),
        ("CODEBUILD_BUILD_SUCCEEDING", "1".to_owned()),
        ("CODEBUILD_CI", "true".to_owned()),
        ("CODEBUILD_INITIATOR", "paceline".to_owned()),
        ("CODEBUILD_SRC_DIR", options.source.to_string()),
        ("CODEBUILD_START_TIME", now.as_millis().to_string()),
    ];
    if let Some(commit) = git(options, &["rev-parse", "--verify", "HEAD"]).await {
        variables.push(("CODEBUILD_RESOLVED_SOURCE_VERSION", commit.clone()));
        variables.push(("CODEBUILD_SOURCE_VERSION", commit));
    }
    if let Some(url) = git(options, &["remote", "get-url", "origin"]).await {
        variables.push(("CODEBUILD_SOURCE_REPO_URL", url));
    }
    variables
}

/// A number in the form of a UUID, because some scripts split it.
fn unique(nanoseconds: u128) -> String {
    let digits = format!("{nanoseconds:024x}{:08x}", std::process::id());
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    parts.map(|part| digits.get(part).unwrap_or_default().to_owned()).join("-")
}

/// The output of git for the source. `None` if the source is no repository or git is not installed.
async fn git(options: &RunOptions, arguments: &[&str]) -> Option<String> {
    let mut printed = None;
    let git = Program::new("git").args(arguments).dir(&options.source);
    let ended = git.run(|stream, line| {
        if stream == Stream::Out {
            printed.get_or_insert(line);
        }
    });
    ended.await.ok()?;
    printed.filter(|text| !text.is_empty())
}
