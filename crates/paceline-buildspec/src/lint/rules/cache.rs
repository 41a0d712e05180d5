//! Caches that have no effect.

use crate::grammar::{Document, scalar};
use crate::lint::finding::Severity;
use crate::lint::rule::{Checker, rule};
use crate::shell::Call;

rule!(FALLBACK, "PL401", Warning, "fallback keys that the cache ignores", fallback);
rule!(CONSTANT_KEY, "PL402", Warning, "a cache that is saved once and never again", constant_key);
rule!(NODE_MODULES, "PL403", Warning, "a cached folder that `npm ci` deletes", node_modules);
rule!(NOT_EXPANDED, "PL404", Warning, "a path of a cache that nothing expands", not_expanded);

fn fallback(document: &Document<'_>, checker: &mut Checker<'_>) {
    let Some((key, _)) = document.entry("cache.fallback-keys") else { return };
    let keys = document.list("cache.fallback-keys");
    if document.text_of("cache.key").is_none_or(str::is_empty) {
        let finding = checker.report(key.span.clone());
        finding.message("without `key`, CodeBuild ignores the fallback keys").hint("set `cache.key`");
    }
    if let Some(sixth) = keys.get(5) {
        let finding = checker.report(document.first_line(sixth.span.clone()));
        finding.message(format!("there are {} fallback keys, and CodeBuild allows five", keys.len()));
        finding.as_severity(Severity::Error);
    }
}

fn constant_key(document: &Document<'_>, checker: &mut Checker<'_>) {
    let Some(node) = document.node("cache.key") else { return };
    let is_restored_only =
        document.text_of("cache.action").is_some_and(|action| action.eq_ignore_ascii_case("restore"));
    let Some(key) = scalar(node).filter(|key| !key.is_empty()) else { return };
    if !key.contains(['$', '`']) && !is_restored_only {
        let finding = checker.report(document.first_line(node.span.clone()));
        finding.message("this key never changes, and CodeBuild never updates the cache of a key");
        finding
            .hint(format!("derive it from the lock file: {key}-$(codebuild-hash-files package-lock.json)"));
    }
}

fn node_modules(document: &Document<'_>, checker: &mut Checker<'_>) {
    let is_deleted = |call: &Call<'_>| call.is(&["npm", "ci"]) || call.is(&["npm", "clean-install"]);
    if !document.calls().any(|(_, call)| is_deleted(&call)) {
        return;
    }
    for node in document.list("cache.paths") {
        if scalar(node).is_some_and(|path| path.split('/').any(|part| part == "node_modules")) {
            let finding = checker.report(document.first_line(node.span.clone()));
            finding.message("`npm ci` deletes node_modules before it installs, so this cache is useless");
            finding.hint("cache the store of npm: /root/.npm/**/*");
        }
    }
}

fn not_expanded(document: &Document<'_>, checker: &mut Checker<'_>) {
    for node in document.list("cache.paths") {
        let Some(path) = scalar(node) else { continue };
        if path.starts_with("~/") || path.starts_with("$HOME") || path.starts_with("${HOME}") {
            let rest = path.trim_start_matches("${HOME}").trim_start_matches("$HOME").trim_start_matches('~');
            let finding = checker.report(document.first_line(node.span.clone()));
            finding.message("no shell expands the paths of a cache");
            finding.hint(format!("write it out: /root{rest}"));
        }
    }
}
