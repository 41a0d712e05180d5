//! What a run needs of the credentials that its build has: the roles that the assembly names, and what it names none for.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{FileDestination, Role, Stack, placeholders};
use paceline_buildspec::project::{Located, OwnStack, Rights};
use paceline_plan::{Plan, Work};
use serde_json::Value;

use crate::app::App;

const ACCOUNT: &str = "${AWS::AccountId}";
const REGION: &str = "${AWS::Region}";
const PARTITION: &str = "${AWS::Partition}";

/// A longer template does not fit into a call (CloudFormation User Guide, "Understand CloudFormation quotas").
const LONGEST_BODY: u64 = 51_200;

/// What the run of a plan needs. What only a build knows keeps its placeholder.
pub(super) fn rights(app: &App, plan: &Plan) -> Rights {
    let mut found = Found::default();
    for planned in &plan.stacks {
        if let Some(stack) = app.assembly.stack(&planned.id) {
            found.stack(stack);
        }
    }
    found.look_ups(app, plan);
    found.roles.extend(folders(app).iter().flat_map(|folder| loose_roles(folder)));
    let mut rights = found.rights;
    rights.roles = found.roles.into_iter().collect();
    for step in &plan.steps {
        match &step.work {
            Work::Gate { .. } => rights.waits_for_roles = true,
            Work::Command(command) => rights.commands.push(command.name.clone()),
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
    rights
}

#[derive(Default)]
struct Found {
    rights: Rights,
    roles: BTreeSet<String>,
}

/// Where something is, as far as that is known before a build.
#[derive(Clone, Copy)]
struct Home<'a> {
    account: &'a str,
    region: &'a str,
}

impl<'a> Home<'a> {
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
    fn role(&mut self, role: &Role, home: Home<'_>) {
        self.roles.insert(home.resolve(&role.arn));
        self.rights.session_tags |= role.session_options.contains_key("Tags");
    }

    fn stack(&mut self, stack: &Stack) {
        let home = Home::of(stack);
        for role in [&stack.deploy_role, &stack.lookup_role].into_iter().flatten() {
            self.role(role, home);
        }
        if stack.deploy_role.is_none() {
            self.unaided(stack, home);
        }
        for to in stack.assets.files.values().flat_map(|file| file.destinations.values()) {
            let FileDestination { bucket, region, role, .. } = to;
            let there = region.as_deref().map(|region| home.resolve(region));
            let home = Home { region: there.as_deref().unwrap_or(home.region), ..home };
            match role {
                Some(role) => self.role(role, home),
                None => self.rights.unaided.buckets.push(home.resolve(bucket)),
            }
        }
        for to in stack.assets.images.values().flat_map(|image| image.destinations.values()) {
            let there = to.region.as_deref().map(|region| home.resolve(region));
            let home = Home { region: there.as_deref().unwrap_or(home.region), ..home };
            match &to.role {
                Some(role) => self.role(role, home),
                None => self.rights.unaided.repositories.push(home.named(&to.repository)),
            }
        }
    }

    /// A stack that the build deploys itself.
    fn unaided(&mut self, stack: &Stack, home: Home<'_>) {
        let own = &mut self.rights.unaided;
        own.stacks.push(OwnStack {
            stack: home.named(&stack.name),
            id: stack.id.clone(),
            execution_role: stack.execution_role_arn.as_deref().map(|arn| home.resolve(arn)),
        });
        let version = stack.bootstrap.as_ref().and_then(|needed| needed.ssm_parameter.as_deref());
        own.versions.extend(version.map(|name| home.named(name)));
        let length = fs_err::metadata(&stack.template_path).map_or(0, |file| file.len());
        own.toolkit |=
            !stack.legacy_assets.is_empty() || (stack.template_url.is_none() && length > LONGEST_BODY);
    }

    /// Parameters that are read before a run, where no lookup role is named to read them with.
    fn look_ups(&mut self, app: &App, plan: &Plan) {
        for relaxed in &plan.relaxed {
            let Some(stack) = app.assembly.stack(&relaxed.from) else { continue };
            if stack.lookup_role.is_some() {
                continue;
            }
            let home = Home::of(stack);
            for stored in &relaxed.parameters {
                let home = Home {
                    account: stored.account.as_deref().unwrap_or(home.account),
                    region: stored.region.as_deref().unwrap_or(home.region),
                };
                self.rights.unaided.parameters.push(home.named(parameter_name(&stored.name)));
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
                let located = Home::of(stack).named(parameter_name(&lookup.name));
                self.rights.unaided.parameters.push(located);
            }
        }
    }
}

/// Where the assemblies are.
fn folders(app: &App) -> Vec<Utf8PathBuf> {
    let apps = app.config.apps.values().map(|one| app.dir.join(&one.dir).join(&one.assembly));
    if app.config.apps.is_empty() { vec![app.dir.clone()] } else { apps.collect() }
}

/// The roles of asset manifests that belong to no stack. What they name is published by other means, as those roles.
fn loose_roles(folder: &Utf8Path) -> Vec<String> {
    let read = |file: &str| -> Option<Value> {
        serde_json::from_str(&fs_err::read_to_string(folder.join(file)).ok()?).ok()
    };
    let manifest = read("manifest.json").unwrap_or_default();
    let artifacts: Vec<(&String, &Value)> = manifest["artifacts"].as_object().into_iter().flatten().collect();
    let needed = |id: &str| {
        let lists = artifacts.iter().filter_map(|(_, artifact)| artifact["dependencies"].as_array());
        lists.flatten().any(|needed| needed.as_str() == Some(id))
    };
    let loose = artifacts
        .iter()
        .filter(|(id, artifact)| artifact["type"] == "cdk:asset-manifest" && !needed(id))
        .filter_map(|(_, artifact)| read(artifact["properties"]["file"].as_str()?));
    let mut roles = Vec::new();
    loose.for_each(|manifest| {
        let assets = ["files", "dockerImages"].into_iter().filter_map(|kind| manifest[kind].as_object());
        let to = assets.flat_map(|assets| assets.values()).filter_map(|it| it["destinations"].as_object());
        let named = to.flat_map(|to| to.values()).filter_map(|to| to["assumeRoleArn"].as_str());
        roles.extend(named.map(str::to_owned));
    });
    roles
}

/// The name of a parameter that is named by itself or by its ARN.
fn parameter_name(name: &str) -> &str {
    name.split_once(":parameter/").map_or(name, |(_, name)| name)
}
