//! What CloudFormation is given for a stack, other than its template, as a digest.
//!
//! The stack is taken apart without `..`, so that a field that is new in it does not compile until it is decided
//! whether it belongs here.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::{LegacyAsset, Role, Stack};

use crate::model::content_digest;

/// The parameters of a stack that its template marks as secret.
pub(crate) fn secret_parameters(stack: &Stack) -> BTreeSet<&str> {
    let names = stack.template.parameters().map(|(name, _)| name);
    names.filter(|name| stack.template.is_secret(name)).collect()
}

/// A digest of what CloudFormation is given for a stack, other than its template.
///
/// The values of secret parameters are left out. The digest is in the events of every run, and a short secret can be
/// guessed from its digest. That such a value has changed is found by CloudFormation itself when it is given.
pub(crate) fn settings(stack: &Stack) -> String {
    let Stack {
        parameters,
        tags,
        notification_arns,
        termination_protection,
        deploy_role,
        execution_role_arn,
        rollback_triggers,
        legacy_assets,
        template,
        // These are fields of the plan.
        id: _,
        app: _,
        name: _,
        environment: _,
        // The template names the address of each nested template and asset, which changes with its content.
        nested: _,
        assets: _,
        // These say where files are, when the stack is deployed, and what people should know.
        artifact_id: _,
        template_path: _,
        template_url: _,
        depends_on: _,
        lookup_role: _,
        bootstrap: _,
        construct_paths: _,
        sources: _,
        messages: _,
    } = stack;
    let secret = secret_parameters(stack);
    // The command line replaces values of the assembly; the template knows those.
    let given = template.known().given.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let mut values: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for (name, value) in parameters.iter().chain(given) {
        values.insert(name, Some(value.as_str()).filter(|_| !secret.contains(name.as_str())));
    }
    let role = deploy_role.as_ref().map(|role| {
        let Role { arn, external_id, session_options, bootstrap: _ } = role;
        (arn, external_id, session_options)
    });
    let legacy = legacy_assets.iter().map(|asset| {
        let LegacyAsset { id, source_hash, packaging, path: _ } = asset;
        (id, source_hash, format!("{packaging:?}"))
    });
    let legacy: Vec<_> = legacy.collect();
    let digest = content_digest(&(
        values,
        tags,
        notification_arns,
        termination_protection,
        role,
        execution_role_arn,
        legacy,
    ));
    // Journals hold these digests, so those of stacks without it stay as they were.
    match rollback_triggers {
        Some(triggers) => content_digest(&(digest, triggers)),
        None => digest,
    }
}
