//! What an assembly holds, once it is read: stacks, and the templates nested in them.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::assets::AssetManifest;
use crate::bootstrap::{Bootstrap, Role};
use crate::environment::Environment;
use crate::error::{AssemblyError, MissingContext, StackProblem};
use crate::metadata::{LegacyAsset, Message, Severity};
use crate::template::Template;

/// A synthesized CDK app: the stacks of the root manifest and of every stage.
#[derive(Debug, Clone)]
pub struct Assembly {
    /// The folder, as it was given.
    pub dir: Utf8PathBuf,
    /// The schema version that the root manifest states, such as `36.3.0`.
    pub schema: String,
    /// In manifest order; the stacks of nested stages come after those of the manifest that names the stage.
    pub stacks: Vec<Stack>,
    /// What a user should hear about, though it stops nothing.
    pub warnings: Vec<String>,
    /// What its synthesis did not find. Empty, unless [`Assembly::read_incomplete`] has read it.
    pub missing: Vec<MissingContext>,
}

impl Assembly {
    /// The stack with this id.
    pub fn stack(&self, id: &str) -> Option<&Stack> {
        self.stacks.iter().find(|stack| stack.id == id)
    }

    /// Refuses when a stack that `selected` accepts has an `aws:cdk:error` annotation. The error lists all.
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
    /// The hierarchical id as `cdk ls` prints it, unique in the assembly.
    pub id: String,
    /// The name of its app, where there are several.
    pub app: Option<String>,
    /// The key in the manifest, unique only within one manifest.
    pub artifact_id: String,
    /// The name of the CloudFormation stack.
    pub name: String,
    pub environment: Environment,
    pub template: Template,
    /// The template's file; relative when the assembly's folder was given as a relative path.
    pub template_path: Utf8PathBuf,
    /// The ids of the stacks that the manifest puts before this one; sorted.
    pub depends_on: Vec<String>,
    pub assets: AssetManifest,
    /// Assets of a CDK v1 app, which are passed to the stack as parameters.
    pub legacy_assets: Vec<LegacyAsset>,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// `None` leaves the stack's topics alone, an empty list clears them.
    pub notification_arns: Option<Vec<String>>,
    pub termination_protection: Option<bool>,
    pub deploy_role: Option<Role>,
    /// The role that CloudFormation itself takes.
    pub execution_role_arn: Option<String>,
    pub lookup_role: Option<Role>,
    /// `s3://bucket/key` of the published template, with placeholders.
    pub template_url: Option<String>,
    pub bootstrap: Option<Bootstrap>,
    /// Logical id to construct path (without a leading slash), for messages that a CDK user understands.
    pub construct_paths: BTreeMap<String, String>,
    /// The templates of nested stacks, each before the ones nested in it.
    pub nested: Vec<NestedTemplate>,
    /// The annotations that constructs left on the stack.
    pub messages: Vec<Message>,
}

impl Stack {
    /// A copy whose templates are parsed and expanded, to be looked at and dropped. Those of an assembly are kept as text
    /// until they are asked for.
    #[must_use]
    pub fn opened(&self) -> Stack {
        let opened = self.clone();
        opened.template.expanded();
        for nested in &opened.nested {
            nested.template.expanded();
        }
        opened
    }

    /// The nested templates of stacks that are not sure to be left out by a condition, theirs or that of one around
    /// them.
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
            let path: Vec<&String> = it.parents.iter().chain([&it.logical_id]).collect();
            (1..=path.len()).all(|length| !left_out.contains(&path[..length]))
        })
    }

    /// The annotations that forbid deploying this stack.
    pub fn errors(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(|message| message.severity == Severity::Error)
    }
}

/// The template of an `AWS::CloudFormation::Stack` resource, as far as it is in the assembly.
#[derive(Debug, Clone)]
pub struct NestedTemplate {
    /// The resource's id in the template it stands in.
    pub logical_id: String,
    /// The nested stacks this one is inside of, outermost first; empty directly below the stack.
    pub parents: Vec<String>,
    pub path: Utf8PathBuf,
    pub template: Template,
}
