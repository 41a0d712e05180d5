//! The cache of a build that installs packages or synthesizes: packages, and the lookups of the CDK.

use paceline_config::CacheMode;

use super::{Generation, RunnerSource};
use crate::grammar::Cache;
use crate::shell::shell_word;

/// HOME is /root in every build, whatever the user.
const KEPT_LOOKUPS: &str = "/root/.cache/paceline/**/*";

/// The lock files of the known package managers.
pub const LOCK_FILES: [&str; 4] = [PACKAGES[0].0, PACKAGES[1].0, PACKAGES[2].0, PACKAGES[3].0];

/// A package manager by its lock file: its name, and the folder with the downloads of the user root.
const PACKAGES: [(&str, &str, &str); 4] = [
    ("package-lock.json", "npm", "/root/.npm/**/*"),
    ("npm-shrinkwrap.json", "npm", "/root/.npm/**/*"),
    ("yarn.lock", "yarn", "/usr/local/share/.cache/yarn/**/*"),
    ("pnpm-lock.yaml", "pnpm", "/root/.local/share/pnpm/store/**/*"),
];

/// Whether the cache is in S3. `None` if the cache of the project keeps no paths.
fn keeps_paths(generation: &Generation) -> Option<bool> {
    let modes = generation.codebuild.cache.as_deref().unwrap_or_default();
    let in_s3 = modes.iter().any(|mode| matches!(mode, CacheMode::S3(_)));
    let installs = generation.synth.is_some() || matches!(generation.runner, RunnerSource::Npm { .. });
    let keeps = installs && (in_s3 || modes.contains(&CacheMode::Custom));
    keeps.then_some(in_s3)
}

/// The files with the lookups of the CDK, if the cache can keep them. The build itself checks for them in the
/// repository, because the generated file must not depend on them.
pub(super) fn context_files(generation: &Generation) -> Vec<String> {
    if generation.synth.is_none() || keeps_paths(generation).is_none() {
        return Vec::new();
    }
    let file = |folder: &str| match folder {
        "" => "cdk.context.json".to_owned(),
        folder => format!("{folder}/cdk.context.json"),
    };
    generation.apps.folders().into_iter().map(file).collect()
}

/// The cache section and its comment. `None` if the build installs no packages, or if the project keeps no paths.
pub(super) fn of(generation: &Generation) -> Option<(Cache, Vec<String>)> {
    let in_s3 = keeps_paths(generation)?;
    let lock = generation.lock_file.as_deref();
    let manager = lock.and_then(|lock| {
        let file = lock.rsplit('/').next().unwrap_or(lock);
        PACKAGES.iter().find(|(name, _, _)| *name == file)
    });
    // Without a lock file the cache keeps the downloads of npx.
    let (_, name, downloads) = manager.unwrap_or(&PACKAGES[0]);
    let mut paths = vec![(*downloads).to_owned()];
    let mut why = vec!["Packages.".to_owned()];
    if generation.synth.is_some() {
        paths.push(KEPT_LOOKUPS.to_owned());
        why = vec!["Packages, and the lookups of the CDK.".to_owned()];
    }
    let mut cache = Cache { paths, ..Cache::default() };
    // CodeBuild never updates a cache in S3 that has a key.
    if let Some(lock) = lock.filter(|_| in_s3 && manager.is_some()) {
        cache.key = Some(format!("{name}-$(codebuild-hash-files {})", shell_word(lock)));
        cache.fallback_keys = vec![format!("{name}-")];
        why.push(
            "Each version of the lock file has its own cache, which starts from an older one.".to_owned(),
        );
    }
    Some((cache, why))
}
