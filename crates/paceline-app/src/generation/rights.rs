//! The rights that a build needs: the roles of the assembly that it assumes, and rights of its own for calls without a role.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{
    Environment, FileDestination, Role, STACK_TYPE, Stack, Template, is_custom, placeholders,
};
use paceline_buildspec::project::{CUSTOM_RESOURCE, EXPLAINED, Located, OwnStack, Rights};
use paceline_plan::{Bake, Gate, Plan, Work};
use serde_json::Value;

use crate::app::App;

const ACCOUNT: &str = "${AWS::AccountId}";
const REGION: &str = "${AWS::Region}";
const PARTITION: &str = "${AWS::Partition}";

/// The most bytes of a template in a call. A longer one must be uploaded first (CloudFormation User Guide, "Understand CloudFormation quotas").
const LONGEST_BODY: u64 = 51_200;

/// The rights that a run of the plan needs. Values that only the build knows keep their placeholders.
pub(super) fn rights(app: &App, plan: &Plan) -> Rights {
    let mut found = Found::default();
    for planned in &plan.stacks {
        if let Some(stack) = app.assembly.stack(&planned.id) {
            found.stack(stack);
            if stack.lookup_role.is_none() {
                found.explained(stack);
            }
            if app.config.unchanged.records && stack.lookup_role.is_none() {
                found.inputs(stack);
            }
        }
    }
    found.lookups(app, plan);
    found.roles.extend(folders(app).iter().flat_map(|folder| roles_of_unused_manifests(folder)));
    let mut rights = found.rights;
    rights.roles = found.roles.into_iter().collect();
    rights.lookup_roles = found.lookup_roles.into_iter().collect();
    for step in &plan.steps {
        match &step.work {
            Work::Gate { gate: Gate::IamRoles(_), .. } => rights.waits_for_roles = true,
            Work::Gate { gate: Gate::Bake(bake), .. } => {
                rights.watches_alarms = watches_alarms(app, plan, bake);
            }
            Work::Command(command) => rights.commands.push(command.name.clone()),
            Work::Prewarm(prewarm) => {
                let stack = plan.stack_of(step);
                let known = |own: &Option<String>, of: &Option<String>, unknown: &str| {
                    own.clone().or_else(|| of.clone()).unwrap_or_else(|| unknown.to_owned())
                };
                rights.prewarmed.push(Located {
                    account: known(&prewarm.account, &stack.account, ACCOUNT),
                    region: known(&prewarm.region, &stack.region, REGION),
                    name: prewarm.repository.clone(),
                });
            }
            _ => {}
        }
    }
    let own = &mut rights.unaided;
    own.stacks.sort();
    for list in [&mut own.versions, &mut own.parameters, &mut own.repositories] {
        list.sort();
        list.dedup();
    }
    own.buckets.sort();
    own.buckets.dedup();
    own.records = app.config.unchanged.records;
    rights
}

/// Whether the build reads alarms of the first region with its own credentials: in accounts without a lookup role.
fn watches_alarms(app: &App, plan: &Plan, bake: &Bake) -> bool {
    let first = plan.stacks.iter().filter(|stack| stack.region.as_ref() == Some(&bake.region));
    let mut has_role: BTreeMap<&Option<String>, bool> = BTreeMap::new();
    for stack in first.filter_map(|planned| app.assembly.stack(&planned.id)) {
        *has_role.entry(&stack.environment.account).or_default() |= stack.lookup_role.is_some();
    }
    has_role.values().any(|has_role| !has_role)
}

#[derive(Default)]
struct Found {
    rights: Rights,
    roles: BTreeSet<String>,
    lookup_roles: BTreeSet<String>,
}

/// An account and a region. Each is a placeholder if only the build knows it.
#[derive(Clone, Copy)]
struct Target<'a> {
    account: &'a str,
    region: &'a str,
}

impl<'a> Target<'a> {
    fn of(stack: &'a Stack) -> Self {
        let environment = &stack.environment;
        Self {
            account: environment.account.as_deref().unwrap_or(ACCOUNT),
            region: environment.region.as_deref().unwrap_or(REGION),
        }
    }

    fn resolve(self, text: &str) -> String {
        placeholders(text, PARTITION, self.account, self.region)
    }

    fn named(self, name: &str) -> Located {
        let (account, region) = (self.account.to_owned(), self.region.to_owned());
        Located { account, region, name: self.resolve(name) }
    }
}

impl Found {
    fn role(&mut self, role: &Role, target: Target<'_>) {
        self.roles.insert(target.resolve(&role.arn));
        self.rights.session_tags |= role.session_options.contains_key("Tags");
    }

    fn stack(&mut self, stack: &Stack) {
        let target = Target::of(stack);
        for role in [&stack.deploy_role, &stack.lookup_role].into_iter().flatten() {
            self.role(role, target);
        }
        self.lookup_roles.extend(stack.lookup_role.as_ref().map(|role| target.resolve(&role.arn)));
        if stack.deploy_role.is_none() {
            self.unaided(stack, target);
        }
        for to in stack.assets.files.values().flat_map(|file| file.destinations.values()) {
            let FileDestination { bucket, region, role, .. } = to;
            let there = region.as_deref().map(|region| target.resolve(region));
            let target = Target { region: there.as_deref().unwrap_or(target.region), ..target };
            match role {
                Some(role) => self.role(role, target),
                None => self.rights.unaided.buckets.push(target.resolve(bucket)),
            }
        }
        for to in stack.assets.images.values().flat_map(|image| image.destinations.values()) {
            let there = to.region.as_deref().map(|region| target.resolve(region));
            let target = Target { region: there.as_deref().unwrap_or(target.region), ..target };
            match &to.role {
                Some(role) => self.role(role, target),
                None => self.rights.unaided.repositories.push(target.named(&to.repository)),
            }
        }
    }

    /// Adds the types of resources that the build asks their services about. With a lookup role, it would use that role.
    fn explained(&mut self, stack: &Stack) {
        let nested = stack.nested.iter().map(|nested| &nested.template);
        let templates = std::iter::once(&stack.template).chain(nested);
        let types: BTreeSet<&str> =
            templates.flat_map(Template::resources).map(|(_, it)| it.resource_type).collect();
        let explained = EXPLAINED.iter().filter(|(explained, _)| types.contains(explained));
        let custom = types.iter().any(|it| is_custom(it)).then_some(CUSTOM_RESOURCE);
        let explained = explained.map(|(explained, _)| *explained).chain(custom);
        self.rights.explained.extend(explained.map(str::to_owned));
    }

    /// Adds a stack without a deploy role: the build deploys it with its own rights.
    fn unaided(&mut self, stack: &Stack, target: Target<'_>) {
        let own = &mut self.rights.unaided;
        own.stacks.push(OwnStack {
            stack: target.named(&stack.name),
            id: stack.id.clone(),
            execution_role: stack.execution_role_arn.as_deref().map(|arn| target.resolve(arn)),
            nests: stack.template.resources().any(|(_, resource)| resource.resource_type == STACK_TYPE),
        });
        let version = stack.bootstrap.as_ref().and_then(|needed| needed.ssm_parameter.as_deref());
        own.versions.extend(version.map(|name| target.named(name)));
        let length = fs_err::metadata(&stack.template_path).map_or(0, |file| file.len());
        own.toolkit |=
            !stack.legacy_assets.is_empty() || (stack.template_url.is_none() && length > LONGEST_BODY);
    }

    /// Adds the parameters whose values decide whether the stack is unchanged.
    fn inputs(&mut self, stack: &Stack) {
        let target = Target::of(stack);
        let place =
            Environment { account: Some(target.account.to_owned()), region: Some(target.region.to_owned()) };
        let given = stack.parameters.iter().map(|(name, value)| (name.clone(), Some(target.resolve(value))));
        let read = stack.inputs(&place, given.collect()).parameters;
        let located = read.iter().map(|name| target.named(parameter_name(name)));
        self.rights.unaided.parameters.extend(located);
    }

    /// Adds the parameters that are read before a run without a lookup role.
    fn lookups(&mut self, app: &App, plan: &Plan) {
        for relaxed in &plan.relaxed {
            let Some(stack) = app.assembly.stack(&relaxed.from) else { continue };
            if stack.lookup_role.is_some() {
                continue;
            }
            let target = Target::of(stack);
            for stored in &relaxed.parameters {
                let target = Target {
                    account: stored.account.as_deref().unwrap_or(target.account),
                    region: stored.region.as_deref().unwrap_or(target.region),
                };
                self.rights.unaided.parameters.push(target.named(parameter_name(&stored.name)));
            }
        }
        for lookup in app.context.iter().filter(|it| it.parameter_value().is_some()) {
            let is_there = |stack: &&Stack| {
                let environment = &stack.environment;
                (&stack.app, &environment.account, &environment.region)
                    == (&lookup.app, &lookup.account, &lookup.region)
            };
            let stack = app.assembly.stacks.iter().find(is_there);
            if let Some(stack) = stack.filter(|stack| stack.lookup_role.is_none()) {
                let located = Target::of(stack).named(parameter_name(&lookup.name));
                self.rights.unaided.parameters.push(located);
            }
        }
    }
}

/// The folders of the assemblies.
pub(super) fn folders(app: &App) -> Vec<Utf8PathBuf> {
    let apps = app.config.apps.values().map(|one| app.dir.join(&one.dir).join(&one.assembly));
    if app.config.apps.is_empty() { vec![app.dir.clone()] } else { apps.collect() }
}

/// The publishing roles in asset manifests that no stack depends on. Tools other than Paceline publish these assets in the
/// build, so the build must assume the roles.
fn roles_of_unused_manifests(folder: &Utf8Path) -> Vec<String> {
    let read = |file: &str| -> Option<Value> {
        serde_json::from_str(&fs_err::read_to_string(folder.join(file)).ok()?).ok()
    };
    let manifest = read("manifest.json").unwrap_or_default();
    let artifacts: Vec<(&String, &Value)> = manifest["artifacts"].as_object().into_iter().flatten().collect();
    let needed = |id: &str| {
        let lists = artifacts.iter().filter_map(|(_, artifact)| artifact["dependencies"].as_array());
        lists.flatten().any(|needed| needed.as_str() == Some(id))
    };
    let unused = artifacts
        .iter()
        .filter(|(id, artifact)| artifact["type"] == "cdk:asset-manifest" && !needed(id))
        .filter_map(|(_, artifact)| read(artifact["properties"]["file"].as_str()?));
    let mut roles = Vec::new();
    unused.for_each(|manifest| {
        let assets = ["files", "dockerImages"].into_iter().filter_map(|kind| manifest[kind].as_object());
        let to = assets.flat_map(|assets| assets.values()).filter_map(|it| it["destinations"].as_object());
        let named = to.flat_map(|to| to.values()).filter_map(|to| to["assumeRoleArn"].as_str());
        roles.extend(named.map(str::to_owned));
    });
    roles
}

/// The name of a parameter, from its name or its ARN.
fn parameter_name(name: &str) -> &str {
    name.split_once(":parameter/").map_or(name, |(_, name)| name)
}
