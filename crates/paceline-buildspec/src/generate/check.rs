//! Checks the input before anything is rendered.

use paceline_config::{CacheMode, SourceType};
use paceline_text::Explained;

use super::{Apps, Generation, RunnerSource, variables};
use crate::project::{Located, Project, ProjectError, Rights};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    #[error("{what} `{value}` is not a path from the root of the repository")]
    Path { what: &'static str, value: String },
    #[error("{what} holds a control character, which no build log or file can show")]
    Control { what: &'static str },
    #[error("account `{0}` is not a number of 12 digits")]
    Account(String),
    #[error("the runner's SHA-256 `{0}` is not 64 hexadecimal digits")]
    Sha256(String),
    #[error("the runner's location `{value}` does not have the form {form}")]
    RunnerLocation { value: String, form: &'static str },
    #[error("`{0}` cannot be a variable of a build")]
    Variable(String),
    #[error("the synth command is empty")]
    EmptySynth,
    #[error("{what} `{value}` holds a character that means something else in the policy of the build")]
    Policy { what: &'static str, value: String },
    #[error("the id of the stack `{0}` has a comma, which a batch puts between ids")]
    StackId(String),
    #[error("`{0}` is not the name of a bucket")]
    Bucket(String),
    #[error("`{0}` is not the ARN of a KMS key")]
    Key(String),
    #[error("the assembly names the role `{0}`, which is not the ARN of a role")]
    Role(String),
    #[error("a batch divides the stacks of the app, and there are none")]
    EmptyBatch,
    #[error("a build of {0} cannot sleep: nothing starts the build that would continue its run")]
    Sleep(&'static str),
    #[error("`rollout` deploys a region at a time, and each build of {0} sees only its own stacks")]
    Rollout(&'static str),
    #[error("builds keep one S3 cache, and {0} are set")]
    Caches(usize),
}

impl Explained for InputError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Path { .. } => "write it as `folder/file`",
            Self::Control { .. } => "remove it",
            Self::Account(_) => "correct the environment of its stacks",
            Self::Sha256(_) => "take it from `sha256sum`, in lower case",
            Self::RunnerLocation { .. } => "correct `runner` in paceline.yaml",
            Self::Variable(_) => {
                "use letters, digits and underscores, and none of the names that CodeBuild, AWS and paceline have taken"
            }
            Self::EmptySynth => "write it as you would on a command line, such as `npx cdk synth`",
            Self::Policy { .. } => "rename it: no spaces, `$`, `*`, `?`, `{` or `}`",
            Self::StackId(_) => "rename the stack, or set no `codebuild.batch`",
            Self::Bucket(_) => "write `codebuild.artifacts-bucket` without `s3://`, `arn:` and a key",
            Self::Key(_) => "write it as arn:aws:kms:REGION:111122223333:key/ID; an alias is not enough",
            Self::Role(_) => "correct the synthesizer of its stacks",
            Self::EmptyBatch => "set no `codebuild.batch`",
            Self::Sleep(_) => "remove `codebuild.sleep`",
            Self::Rollout(_) => "remove `rollout`, or deploy with one build",
            Self::Caches(_) => "keep one of them in `codebuild.cache`",
        };
        Some(hint.to_owned())
    }
}

impl InputError {
    /// The setting of `paceline.yaml` with the mistake.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::Sha256(_) => Some("runner.sha256"),
            Self::RunnerLocation { .. } => Some("runner.uri"),
            Self::Variable(_) => Some("multi-region.when"),
            Self::EmptySynth => Some("synth"),
            Self::StackId(_) | Self::EmptyBatch => Some("codebuild.batch"),
            Self::Caches(_) => Some("codebuild.cache"),
            Self::Sleep(_) => Some("codebuild.sleep"),
            Self::Rollout(_) => Some("rollout"),
            Self::Bucket(_) => Some("codebuild.artifacts-bucket"),
            Self::Key(_) => Some("codebuild.kms-keys"),
            Self::Path { .. }
            | Self::Control { .. }
            | Self::Account(_)
            | Self::Role(_)
            | Self::Policy { .. } => None,
        }
    }
}

pub(super) fn input(generation: &Generation) -> Result<(), InputError> {
    relative("the folder of generated files", &generation.out_dir)?;
    match &generation.apps {
        Apps::One(dir) => relative("the cloud assembly", dir)?,
        Apps::Several(folders) => {
            for folder in folders {
                relative("the folder of an app", folder)?;
            }
        }
    }
    for assembly in &generation.assemblies {
        relative("the cloud assembly", assembly)?;
    }
    if let Some(config) = &generation.config {
        relative("the configuration", config)?;
    }
    if let Some(lock) = &generation.lock_file {
        relative("the lock file", lock)?;
    }
    if generation.codebuild.batch.is_some() && generation.graph.is_empty() {
        return Err(InputError::EmptyBatch);
    }
    if generation.codebuild.sleep {
        if generation.codebuild.batch.is_some() {
            return Err(InputError::Sleep("a batch"));
        }
        if generation.codebuild.source == SourceType::Codepipeline {
            return Err(InputError::Sleep("a pipeline"));
        }
    }
    if generation.rollout {
        if generation.codebuild.batch.is_some() {
            return Err(InputError::Rollout("a batch"));
        }
        if generation.fan_out.is_some() {
            return Err(InputError::Rollout("a state machine"));
        }
    }
    for stack in &generation.graph {
        no_controls("the id of a stack", &stack.id)?;
    }
    for region in &generation.regions {
        no_controls("a region", region)?;
    }
    for account in &generation.accounts {
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InputError::Account(account.clone()));
        }
    }
    match &generation.runner {
        RunnerSource::S3 { uri, sha256 } => {
            let object = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let found = object.is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
            runner(uri, found, "s3://bucket/key", sha256)?;
            no_wildcards("the runner", uri)?;
        }
        RunnerSource::Https { url, sha256 } => {
            let rest = url.strip_prefix("https://");
            runner(url, rest.is_some_and(|rest| !rest.is_empty()), "https://host/path", sha256)?;
        }
        RunnerSource::Npm { dir, install, .. } => {
            if !dir.is_empty() {
                relative("the folder of package.json", dir)?;
            }
            if install.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
                return Err(InputError::Control { what: "the install command" });
            }
        }
        RunnerSource::Installed { version } => no_controls("runner.version", version)?,
        RunnerSource::Unset => {}
    }
    if let Some(multi_region) = &generation.multi_region {
        variable(&multi_region.variable)?;
        no_controls("the primary region", &multi_region.primary)?;
    }
    if let Some(synth) = &generation.synth {
        if synth.trim().is_empty() {
            return Err(InputError::EmptySynth);
        }
        if synth.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(InputError::Control { what: "the synth command" });
        }
    }
    settings(generation)?;
    rights(&generation.rights)
}

fn settings(generation: &Generation) -> Result<(), InputError> {
    let settings = &generation.codebuild;
    let cache = settings.cache.as_deref().unwrap_or_default();
    let in_s3 = cache.iter().filter(|mode| matches!(mode, CacheMode::S3(_))).count();
    if in_s3 > 1 {
        return Err(InputError::Caches(in_s3));
    }
    for mode in cache {
        if let CacheMode::S3(location) = mode {
            no_wildcards("the S3 cache", location)?;
        }
    }
    no_wildcards("the source location", settings.location.as_deref().unwrap_or_default())?;
    if let Some(bucket) = &settings.artifacts_bucket {
        no_wildcards("the artifacts bucket", bucket)?;
        // The oldest buckets have longer names than new buckets may have.
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !(3..=255).contains(&bucket.len()) || !bucket.chars().all(part) {
            return Err(InputError::Bucket(bucket.clone()));
        }
    }
    for key in &settings.kms_keys {
        no_wildcards("a KMS key", key)?;
        let parts: Vec<&str> = key.splitn(6, ':').collect();
        let is_key = matches!(&parts[..], ["arn", _, "kms", _, _, id] if id.starts_with("key/"));
        if !is_key {
            return Err(InputError::Key(key.clone()));
        }
    }
    no_wildcards("the build image", settings.image.as_str())?;
    no_controls("the service role", settings.service_role.as_deref().unwrap_or_default())?;
    for (key, value) in &settings.tags {
        no_controls("a tag", key)?;
        no_controls("a tag", value)?;
    }
    Ok(())
}

/// Checks values of the assembly that become part of a policy: they must not have a special meaning there.
fn rights(rights: &Rights) -> Result<(), InputError> {
    let own = &rights.unaided;
    let execution = own.stacks.iter().filter_map(|own| own.execution_role.as_ref());
    for arn in rights.roles.iter().chain(execution) {
        if !is_role(&without_placeholders(arn)) {
            return Err(InputError::Role(arn.clone()));
        }
    }
    let stacks = own.stacks.iter().map(|own| ("a stack", &own.stack));
    let parameters = own.versions.iter().chain(&own.parameters).map(|it| ("a parameter", it));
    let repositories = own.repositories.iter().map(|it| ("a repository", it));
    for (what, Located { account, region, name }) in stacks.chain(parameters).chain(repositories) {
        for part in [account, region, name] {
            no_wildcards(what, &without_placeholders(part))?;
        }
    }
    own.buckets.iter().try_for_each(|bucket| no_wildcards("a bucket", &without_placeholders(bucket)))
}

/// The text with a plain word in place of each pseudo parameter.
fn without_placeholders(text: &str) -> String {
    ["${AWS::Partition}", "${AWS::AccountId}", "${AWS::Region}"]
        .iter()
        .fold(text.to_owned(), |text, placeholder| text.replace(placeholder, "x"))
}

/// Whether an ARN is that of a role. IAM API reference: the names of roles and of their paths.
fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts[..] else { return false };
    let word = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let name = resource.strip_prefix("role/");
    word(partition, "-") && word(account, "") && name.is_some_and(|name| word(name, "+=,.@-_/"))
}

/// Checks that the project can run Docker if the app has images.
pub(super) fn docker(generation: &Generation, project: &Project) -> Result<(), ProjectError> {
    if generation.images > 0 && !project.environment.privileged_mode {
        return Err(ProjectError::ImagesWithoutDocker(generation.images));
    }
    Ok(())
}

fn relative(what: &'static str, path: &str) -> Result<(), InputError> {
    no_controls(what, path)?;
    // Commands would read a leading dash as an option.
    if path.is_empty() || path.starts_with(['/', '-', '~']) || path.split('/').any(|part| part == "..") {
        return Err(InputError::Path { what, value: path.to_owned() });
    }
    Ok(())
}

fn no_controls(what: &'static str, text: &str) -> Result<(), InputError> {
    if text.chars().any(char::is_control) { Err(InputError::Control { what }) } else { Ok(()) }
}

/// Checks a part of an ARN: `*` and `?` would widen the ARN, and CloudFormation would substitute `${`.
fn no_wildcards(what: &'static str, text: &str) -> Result<(), InputError> {
    no_controls(what, text)?;
    if text.contains(|c: char| c.is_whitespace() || matches!(c, '$' | '*' | '?' | '{' | '}')) {
        return Err(InputError::Policy { what, value: text.to_owned() });
    }
    Ok(())
}

fn runner(location: &str, found: bool, form: &'static str, sha256: &str) -> Result<(), InputError> {
    if !found || location.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(InputError::RunnerLocation { value: location.to_owned(), form });
    }
    if sha256.len() != 64 || !sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(InputError::Sha256(sha256.to_owned()));
    }
    Ok(())
}

fn variable(name: &str) -> Result<(), InputError> {
    let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let taken = ["AWS_", "CODEBUILD_"].iter().any(|prefix| name.starts_with(prefix))
        || variables::OWN.contains(&name)
        || ["HOME", "PATH"].contains(&name);
    if word && first && !taken { Ok(()) } else { Err(InputError::Variable(name.to_owned())) }
}
