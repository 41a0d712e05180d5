//! The stacks to restore or to delete: an assembly that is made from captures, and what the journal says about each.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use paceline_assembly::{
    Assembly, AssetManifest, Environment, FileAsset, FileDestination, FileSource, LARGEST_TEMPLATE,
    LONGEST_BODY, Packaging, Stack, Template, read_regular_text,
};
use paceline_plan::{Loss, Undo};

use super::capture::{Before, Capture, CaptureError, Captured};
use super::changes::{ChangedStack, RunChanges};
use crate::event::StepKind;

/// The beginning of the keys of templates that are too long for a call.
const KEYS: &str = "paceline/rollback/";

/// What has to be undone of a run.
#[derive(Debug)]
pub struct Undoing {
    /// The stacks. Those that existed before the run are as they were then, those that the run created as it created
    /// them.
    pub assembly: Assembly,
    pub undos: Vec<Undo>,
    /// What cannot be undone.
    pub losses: Vec<Loss>,
    /// How the run left each stack, by the id of the stack.
    pub left: BTreeMap<String, LeftByRun>,
}

/// How a run left a stack. If somebody else has changed the stack since, it is not undone.
#[derive(Debug, Clone)]
pub struct LeftByRun {
    /// The id of the stack in CloudFormation. `None` if AWS may never have accepted an operation of the run.
    pub stack_id: Option<String>,
    /// The tokens of the run's operations.
    pub tokens: BTreeSet<String>,
    /// The creation time and the time of the last update before the run, as the capture has them. `None` if the stack
    /// did not exist.
    pub stamp_before: Option<String>,
}

impl Undoing {
    /// Puts together what a run did and what its stacks were before.
    pub fn of(changes: &RunChanges, captured: Vec<Captured>) -> Result<Self, CaptureError> {
        let captured: BTreeMap<String, Captured> =
            captured.into_iter().map(|it| (it.capture.stack.clone(), it)).collect();
        let mut undoing = Self {
            assembly: Assembly {
                dir: changes.app.as_str().into(),
                schema: String::new(),
                stacks: Vec::new(),
                warnings: Vec::new(),
                missing: Vec::new(),
            },
            undos: Vec::new(),
            losses: Vec::new(),
            left: BTreeMap::new(),
        };
        for (id, changed) in &changes.stacks {
            match captured.get(id) {
                _ if changed.step.kind == StepKind::Delete => {
                    undoing.losses.push(Loss::Deleted { stack: id.clone() });
                }
                None => undoing.losses.push(Loss::NotCaptured { stack: id.clone() }),
                Some(of) => {
                    let followed = changes.followed(id, |other| captured.contains_key(other));
                    undoing.add(changed, of, followed)?;
                }
            }
        }
        let commands = changes.commands.iter();
        undoing.losses.extend(commands.map(|name| Loss::Command { name: name.clone() }));
        if changes.published > 0 {
            undoing.losses.push(Loss::Published { count: changes.published });
        }
        Ok(undoing)
    }

    fn add(
        &mut self,
        changed: &ChangedStack,
        captured: &Captured,
        followed: BTreeSet<&str>,
    ) -> Result<(), CaptureError> {
        let Captured { capture, template } = captured;
        let id = &capture.stack;
        let stack = stack(capture, template)?;
        if let Some(before) = &capture.before {
            self.losses.extend(losses(capture, before, changed));
        }
        self.undos.push(Undo {
            stack: id.clone(),
            environment: Environment {
                account: changed.step.account.clone(),
                region: changed.step.region.clone(),
            },
            existed: capture.before.is_some(),
            began: changed.began,
            ended: changed.ended,
            followed: followed.into_iter().map(str::to_owned).collect(),
            adds: capture.adds.clone(),
            replaced: changed.replaced.clone(),
        });
        let left = LeftByRun {
            stack_id: changed.stack_id.clone(),
            tokens: changed.tokens.clone(),
            stamp_before: capture.before.as_ref().map(|before| before.stamp.clone()),
        };
        self.left.insert(id.clone(), left);
        self.assembly.stacks.push(stack);
        Ok(())
    }
}

fn losses(capture: &Capture, before: &Before, changed: &ChangedStack) -> Vec<Loss> {
    let stack = || capture.stack.clone();
    let secrets = before.lost_secrets.iter();
    let secrets = secrets.map(|parameter| Loss::Secret { stack: stack(), parameter: parameter.clone() });
    let replaced = changed.replaced.iter().filter(|(_, kind)| paceline_assembly::holds_data(kind));
    let replaced = replaced.map(|(resource, kind)| Loss::Replaced {
        stack: stack(),
        resource: resource.clone(),
        resource_type: kind.clone(),
    });
    let removed = before.removes.iter();
    let removed = removed.map(|it| Loss::Removed { stack: stack(), resource: it.clone() });
    let gets_role = before.execution_role.is_none() && capture.execution_role.is_some();
    let role = gets_role.then(|| Loss::Role { stack: stack() });
    secrets.chain(replaced).chain(removed).chain(role).collect()
}

/// The stack as it was before the run or, if it did not exist, as the run created it.
fn stack(capture: &Capture, template_path: &Utf8Path) -> Result<Stack, CaptureError> {
    let wrong = |why: String| CaptureError::Template { path: template_path.to_owned(), why };
    let text =
        read_regular_text(template_path, LARGEST_TEMPLATE).map_err(|error| wrong(error.to_string()))?;
    let template = Template::parse(&text).map_err(|error| wrong(error.to_string()))?;
    let before = capture.before.as_ref();
    let mut assets = AssetManifest::default();
    let mut template_url = None;
    let is_long = text.len() > LONGEST_BODY && template.value().to_string().len() > LONGEST_BODY;
    if let Some(staging) = capture.staging.as_ref().filter(|_| is_long && before.is_some()) {
        let digest = template.digest();
        let to = FileDestination {
            bucket: staging.bucket.clone(),
            key: format!("{KEYS}{digest}"),
            region: staging.region.clone(),
            role: staging.role.clone(),
        };
        template_url = Some(format!("s3://{}/{}", to.bucket, to.key));
        let asset = FileAsset {
            display_name: Some(format!("the template of {}", capture.stack)),
            source: FileSource::Path { path: template_path.to_owned(), packaging: Packaging::File },
            destinations: BTreeMap::from([("staging".to_owned(), to)]),
        };
        assets.files.insert(digest, asset);
    }
    Ok(Stack {
        id: capture.stack.clone(),
        app: None,
        artifact_id: capture.name.clone(),
        name: capture.name.clone(),
        environment: Environment {
            account: Some(capture.account.clone()),
            region: Some(capture.region.clone()),
        },
        template,
        template_path: template_path.to_owned(),
        depends_on: Vec::new(),
        assets,
        legacy_assets: Vec::new(),
        parameters: before.map(|before| before.parameters.clone()).unwrap_or_default(),
        tags: before.map(|before| before.tags.clone()).unwrap_or_default(),
        notification_arns: before.map(|before| before.notification_arns.clone()),
        termination_protection: before.map(|before| before.termination_protection),
        deploy_role: capture.deploy_role.clone(),
        execution_role_arn: match before {
            Some(before) => before.execution_role.clone(),
            None => capture.execution_role.clone(),
        },
        rollback_triggers: before.and_then(|before| before.rollback_triggers.clone()),
        lookup_role: None,
        template_url,
        bootstrap: capture.bootstrap.clone(),
        construct_paths: BTreeMap::new(),
        sources: BTreeMap::new(),
        nested: Vec::new(),
        messages: Vec::new(),
    })
}
