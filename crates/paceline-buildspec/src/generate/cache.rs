//! What the build that synthesizes keeps for the next one.

use paceline_config::CacheMode;

use super::Generation;
use crate::grammar::Cache;
use crate::shell::shell_word;

/// HOME is /root in every build, whatever the user.
const KEPT_LOOKUPS: &str = "/root/.cache/paceline/**/*";

/// The lock files by which an app is known to install packages.
pub const LOCK_FILES: [&str; 4] = [PACKAGES[0].0, PACKAGES[1].0, PACKAGES[2].0, PACKAGES[3].0];

/// A package manager by its lock file: its name, and where root's downloads are.
const PACKAGES: [(&str, &str, &str); 4] = [
    ("package-lock.json", "npm", "/root/.npm/**/*"),
    ("npm-shrinkwrap.json", "npm", "/root/.npm/**/*"),
    ("yarn.lock", "yarn", "/usr/local/share/.cache/yarn/**/*"),
    ("pnpm-lock.yaml", "pnpm", "/root/.local/share/pnpm/store/**/*"),
];

/// Whether the project keeps paths from build to build, and whether in S3.
fn keeps_paths(generation: &Generation) -> Option<bool> {
    let modes = generation.codebuild.cache.as_deref().unwrap_or_default();
    let in_s3 = modes.iter().any(|mode| matches!(mode, CacheMode::S3(_)));
    let keeps = generation.synth.is_some() && (in_s3 || modes.contains(&CacheMode::Custom));
    keeps.then_some(in_s3)
}

/// What the CDK keeps its lookups in, when the cache can keep it. Whether the repository has one is for the build to
/// see, and not for a generator whose output would change with it.
pub(super) fn context_files(generation: &Generation) -> Vec<String> {
    if keeps_paths(generation).is_none() {
        return Vec::new();
    }
    let file = |folder: &str| match folder {
        "" => "cdk.context.json".to_owned(),
        folder => format!("{folder}/cdk.context.json"),
    };
    generation.apps.folders().into_iter().map(file).collect()
}

/// The cache of the build and why it is as it is. Nothing is kept when nothing is synthesized, or when the project
/// keeps no paths.
pub(super) fn of(generation: &Generation) -> Option<(Cache, Vec<String>)> {
    let in_s3 = keeps_paths(generation)?;
    let lock = generation.lock_file.as_deref();
    let manager = lock.and_then(|lock| {
        let file = lock.rsplit('/').next().unwrap_or(lock);
        PACKAGES.iter().find(|(name, _, _)| *name == file)
    });
    // Without a lock file, what npx fetches is worth keeping all the same.
    let (_, name, downloads) = manager.unwrap_or(&PACKAGES[0]);
    let paths = vec![(*downloads).to_owned(), KEPT_LOOKUPS.to_owned()];
    let mut cache = Cache { paths, ..Cache::default() };
    let mut why = vec!["Packages, and what the CDK has looked up.".to_owned()];
    // A cache in S3 with a key is written once for each key and never changed.
    if let Some(lock) = lock.filter(|_| in_s3 && manager.is_some()) {
        cache.key = Some(format!("{name}-$(codebuild-hash-files {})", shell_word(lock)));
        cache.fallback_keys = vec![format!("{name}-")];
        why.push("A new one for each state of the lock file, begun from the one before.".to_owned());
    }
    Some((cache, why))
}
