//! What a step does, as a digest: a step with the same digest does the same.
//!
//! Nothing is picked. Every value is taken apart without `..`, so that a field that is new somewhere does not
//! compile until it is decided whether it belongs here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{LegacyAsset, Role, Stack};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::config::{IamRoles, Rollback};
use crate::model::plan::{Command, Plan, PlannedStack, Publish, Step, Synthesize, Work};

/// Everything that decides what a step does. Positions in the plan are replaced by what stands there.
#[derive(Serialize)]
enum Identity<'a> {
    Publish { manifest: &'a str, asset: &'a str, destination: &'a str, image: bool, title: &'a str },
    Deploy { stack: Target<'a>, rollback: Rollback, ignore_times: bool },
    Delete { stack: Target<'a> },
    Gate { stack: Target<'a>, roles: &'a IamRoles },
    Command(Script<'a>),
    Synthesize { app: Option<&'a str>, stacks: Vec<&'a str>, lookups: &'a BTreeSet<String> },
}

#[derive(Serialize)]
struct Target<'a> {
    id: &'a str,
    name: &'a str,
    account: Option<&'a str>,
    region: Option<&'a str>,
    template: &'a str,
    settings: &'a str,
}

#[derive(Serialize)]
struct Script<'a> {
    name: &'a str,
    run: &'a str,
    shell: &'a str,
    dir: &'a Utf8Path,
    env: &'a BTreeMap<String, String>,
    timeout: Option<Duration>,
    retries: u32,
    scripts: &'a BTreeMap<Utf8PathBuf, String>,
}

impl Plan {
    /// A digest of everything that decides what a step of this plan does. When it starts, and how long it is
    /// expected to take, does not.
    pub fn identity(&self, step: &Step) -> String {
        let Step { id, work, needs: _, early: _, expected: _, expected_from: _ } = step;
        let identity = match work {
            // Which stack needs it first says when it is published.
            Work::Publish(Publish { stack: _, manifest, asset, destination, image, title }) => {
                Identity::Publish { manifest, asset, destination, image: *image, title }
            }
            Work::Deploy { stack } => Identity::Deploy {
                stack: Target::of(&self.stacks[*stack]),
                rollback: self.rollback,
                ignore_times: self.ignore_times,
            },
            Work::Delete { stack } => Identity::Delete { stack: Target::of(&self.stacks[*stack]) },
            Work::Gate { stack, roles } => Identity::Gate { stack: Target::of(&self.stacks[*stack]), roles },
            Work::Command(command) => Identity::Command(Script::of(command)),
            Work::Synthesize(Synthesize { app, stacks, lookups }) => Identity::Synthesize {
                app: app.as_deref(),
                stacks: stacks.iter().map(|&stack| self.stacks[stack].id.as_str()).collect(),
                lookups,
            },
        };
        digest(&(id, identity))
    }
}

impl<'a> Target<'a> {
    fn of(stack: &'a PlannedStack) -> Self {
        let PlannedStack {
            id,
            name,
            account,
            region,
            template,
            settings,
            // When it is deployed, and for how long: not what is deployed.
            phase: _,
            level: _,
            resources: _,
            expected: _,
            expected_from: _,
            operation: _,
            depends_on: _,
        } = stack;
        Self { id, name, account: account.as_deref(), region: region.as_deref(), template, settings }
    }
}

impl<'a> Script<'a> {
    fn of(command: &'a Command) -> Self {
        let Command {
            name,
            // It says where in the plan the command stands; the script is the same wherever it stands.
            stack: _,
            run,
            shell,
            dir,
            env,
            timeout,
            retries,
            scripts,
        } = command;
        Self { name, run, shell, dir, env, timeout: *timeout, retries: *retries, scripts }
    }
}

/// The parameters of a stack that its template marks as secret.
pub(crate) fn secret_parameters(stack: &Stack) -> BTreeSet<&str> {
    let names = stack.template.parameters().map(|(name, _)| name);
    names.filter(|name| stack.template.is_secret(name)).collect()
}

/// A digest of what CloudFormation is given for a stack beside its template.
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
        legacy_assets,
        // Told by the plan itself.
        id: _,
        app: _,
        name: _,
        environment: _,
        template: _,
        // A nested template and every asset is told by the address that the template names.
        nested: _,
        assets: _,
        // Where something is, when it is deployed, and what a person should know of it.
        artifact_id: _,
        template_path: _,
        template_url: _,
        depends_on: _,
        lookup_role: _,
        bootstrap: _,
        construct_paths: _,
        messages: _,
    } = stack;
    let secret = secret_parameters(stack);
    let parameters: BTreeMap<&str, Option<&str>> = parameters
        .iter()
        .map(|(name, value)| {
            (name.as_str(), Some(value.as_str()).filter(|_| !secret.contains(name.as_str())))
        })
        .collect();
    let role = deploy_role.as_ref().map(|role| {
        let Role { arn, external_id, session_options, bootstrap: _ } = role;
        (arn, external_id, session_options)
    });
    let legacy = legacy_assets.iter().map(|asset| {
        let LegacyAsset { id, source_hash, packaging, path: _ } = asset;
        (id, source_hash, format!("{packaging:?}"))
    });
    let legacy: Vec<_> = legacy.collect();
    digest(&(parameters, tags, notification_arns, termination_protection, role, execution_role_arn, legacy))
}

/// Enough of a digest to tell contents apart.
pub(crate) fn digest(value: &impl Serialize) -> String {
    // Maps are sorted and their keys are texts, so the same value gives the same bytes, and gives them always.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    Sha256::digest(bytes).iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
