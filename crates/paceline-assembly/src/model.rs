//! The content of an assembly: stacks, and the templates nested in them.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::assets::AssetManifest;
use crate::bootstrap::{Bootstrap, Role};
use crate::environment::Environment;
use crate::error::{AssemblyError, MissingContext, StackProblem};
use crate::metadata::{LegacyAsset, Message, Severity};
use crate::overrides::RollbackTriggers;
use crate::template::Template;

/// A synthesized CDK app: the stacks of the root manifest and of every stage.
#[derive(Debug, Clone)]
pub struct Assembly {
    /// The folder, as the caller gave it.
    pub dir: Utf8PathBuf,
    /// The schema version of the root manifest, such as `36.3.0`.
    pub schema: String,
    /// The stacks in manifest order. The stacks of a nested stage follow those of the manifest that names the
    /// stage.
    pub stacks: Vec<Stack>,
    /// Warnings for the user, which do not prevent anything.
    pub warnings: Vec<String>,
    /// The context values that synthesis did not find. It is empty unless [`Assembly::read_incomplete`] read
    /// the assembly.
    pub missing: Vec<MissingContext>,
}

impl Assembly {
    /// The stack with this id.
    pub fn stack(&self, id: &str) -> Option<&Stack> {
        self.stacks.iter().find(|stack| stack.id == id)
    }

    /// Fails if a selected stack has an `aws:cdk:error` annotation. The error lists all such annotations.
    pub fn ensure_deployable(&self, selected: impl Fn(&Stack) -> bool) -> Result<(), AssemblyError> {
        let problems: Vec<StackProblem> = self
            .stacks
            .iter()
            .filter(|stack| selected(stack))
            .flat_map(|stack| {
                stack.errors().map(|message| StackProblem {
                    stack: stack.id.clone(),
                    path: message.path.clone(),
                    text: message.text.clone(),
                })
            })
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(AssemblyError::StackErrors { dir: self.dir.clone(), problems })
        }
    }
}

/// One CloudFormation stack artifact.
#[derive(Debug, Clone)]
pub struct Stack {
    /// The hierarchical id that `cdk ls` prints, which is unique in the assembly.
    pub id: String,
    /// The name of the stack's app, if there are several apps.
    pub app: Option<String>,
    /// The key in the manifest, which is unique only within that manifest.
    pub artifact_id: String,
    /// The name of the CloudFormation stack.
    pub name: String,
    pub environment: Environment,
    pub template: Template,
    /// The path of the template. It is relative if the assembly's folder was given as a relative path.
    pub template_path: Utf8PathBuf,
    /// The sorted ids of the stacks that the manifest puts before this one.
    pub depends_on: Vec<String>,
    pub assets: AssetManifest,
    /// Assets of a CDK v1 app, which are passed to the stack as parameters.
    pub legacy_assets: Vec<LegacyAsset>,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// The topics for notifications. `None` keeps the stack's topics, an empty list removes them.
    pub notification_arns: Option<Vec<String>>,
    pub termination_protection: Option<bool>,
    pub deploy_role: Option<Role>,
    /// The role that CloudFormation itself assumes.
    pub execution_role_arn: Option<String>,
    /// The alarms to watch. No assembly says this: `None` keeps what the stack has.
    pub rollback_triggers: Option<RollbackTriggers>,
    pub lookup_role: Option<Role>,
    /// The `s3://bucket/key` of the published template, with placeholders.
    pub template_url: Option<String>,
    pub bootstrap: Option<Bootstrap>,
    /// The construct paths by logical id, without a leading slash, for messages that a CDK user understands.
    pub construct_paths: BTreeMap<String, String>,
    /// The places in the app's source that made resources, by logical id, such as `lib/shop.ts:12:5`. The CDK writes them
    /// only if it is asked to (`cdk synth --debug`).
    pub sources: BTreeMap<String, String>,
    /// The templates of nested stacks, each before the templates nested in it.
    pub nested: Vec<NestedTemplate>,
    /// The annotations that constructs added to the stack.
    pub messages: Vec<Message>,
}

impl Stack {
    /// A temporary copy whose templates are parsed and expanded. An assembly keeps templates as text until
    /// they are needed.
    #[must_use]
    pub fn opened(&self) -> Stack {
        let opened = self.clone();
        opened.template.expanded();
        for nested in &opened.nested {
            nested.template.expanded();
        }
        opened
    }

    /// The nested templates that may be deployed. A nested template is left out if its own condition, or that
    /// of a nested stack around it, certainly does not hold.
    pub fn nested_that_may_be_made(&self) -> impl Iterator<Item = &NestedTemplate> {
        let own = (&[][..], None, &self.template);
        let outer = self.nested.iter().map(|it| (&it.parents[..], Some(&it.logical_id), &it.template));
        let mut left_out: BTreeSet<Vec<&String>> = BTreeSet::new();
        for (parents, id, template) in std::iter::once(own).chain(outer) {
            let path: Vec<&String> = parents.iter().chain(id).collect();
            let inside = self.nested.iter().filter(|it| it.parents.iter().eq(path.iter().copied()));
            let mut inside = inside.peekable();
            if inside.peek().is_none() {
                continue;
            }
            let resolver = template.resolver();
            for nested in inside {
                let resource = template.resource(&nested.logical_id);
                if resource.is_some_and(|resource| resolver.is_left_out(resource.body)) {
                    left_out.insert(path.iter().copied().chain([&nested.logical_id]).collect());
                }
            }
        }
        self.nested.iter().filter(move |it| {
            let path: Vec<&String> = it.logical_ids().collect();
            (1..=path.len()).all(|length| !left_out.contains(&path[..length]))
        })
    }

    /// The annotations that forbid the deployment of this stack.
    pub fn errors(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(|message| message.severity == Severity::Error)
    }
}

/// The template of an `AWS::CloudFormation::Stack` resource, if it is in the assembly.
#[derive(Debug, Clone)]
pub struct NestedTemplate {
    /// The id of the resource in the template that contains it.
    pub logical_id: String,
    /// The ids of the nested stacks around this one, outermost first. It is empty directly below the stack.
    pub parents: Vec<String>,
    pub path: Utf8PathBuf,
    pub template: Template,
}

impl NestedTemplate {
    /// The logical ids that lead from the stack to this template: those of its parents, then its own.
    pub fn logical_ids(&self) -> impl Iterator<Item = &String> {
        self.parents.iter().chain([&self.logical_id])
    }
}
