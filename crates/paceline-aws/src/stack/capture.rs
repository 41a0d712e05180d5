//! Keeps what a stack is before the run changes it, so that the run can be rolled back.
//!
//! A run changes the template, the parameters, the tags, the topics, the termination protection and the role of a stack.
//! These are captured. It changes the rollback triggers only if it is asked to, and then they are captured, too. It never
//! changes the stack policy, so CloudFormation keeps that.

use std::collections::BTreeSet;

use paceline_assembly::{Precious, Stack, Template};
use paceline_engine::StepContext;
use paceline_engine::rollback::{Before, Capture, Captured, Captures, Staging};
use serde_json::Value;

use super::request::Request;
use super::unchanged::deployed_template;
use crate::environment::{Environment, StackView};
use crate::error::{AwsError, ErrorKind};
use crate::staging;

/// What CloudFormation returns in place of a secret value (CloudFormation User Guide, "Parameters": `NoEcho`).
const MASKED: &str = "****";

/// A stack that is about to be created or updated.
pub(super) struct Capturing<'a> {
    pub(super) captures: &'a Captures,
    pub(super) environment: &'a Environment,
    pub(super) context: &'a StepContext,
    pub(super) stack: &'a Stack,
    pub(super) request: &'a Request,
}

impl Capturing<'_> {
    /// Keeps what the stack is now, and returns whether that was possible. `template` is the template of the stack, if it
    /// was read. An operation is sent only after this.
    pub(super) async fn keep(
        &self,
        before: Option<&StackView>,
        template: Option<String>,
    ) -> Result<bool, AwsError> {
        let new = &self.request.template;
        let (old, template) = match before {
            None => (None, without_secrets(new).unwrap_or_else(|| new.value().to_string())),
            Some(view) => match self.template_of(view, template).await? {
                Some((old, template)) => {
                    let template = without_secrets(&old).unwrap_or(template);
                    (Some(old), template)
                }
                None => return Ok(false),
            },
        };
        let before = before.zip(old.as_ref()).map(|(view, old)| self.before(view, old));
        let capture = self.capture(self.adds(old.as_ref()), before);
        self.write(&capture, &template).map(|()| true)
    }

    /// Adds to a capture of an earlier part of the run what this part changes beyond it: the app may have changed since.
    /// What the stack was before the run stays. Returns whether anything was added.
    pub(super) fn extend(&self, earlier: Captured) -> Result<bool, AwsError> {
        let Captured { capture: was, template } = earlier;
        let read = fs_err::read_to_string(&template).map_err(|error| error.to_string());
        let kept = read.and_then(|text| match Template::parse(&text) {
            Ok(kept) => Ok((kept, text)),
            Err(error) => Err(error.to_string()),
        });
        let (kept, text) = match kept {
            Ok(kept) => kept,
            Err(why) => {
                self.warn_of_unreadable(&why);
                return Ok(false);
            }
        };
        let existed = was.before.is_some();
        let old = existed.then_some(&kept);
        let mut adds = self.adds(old);
        adds.extend(was.adds.iter().filter(|it| !adds.contains(it)).cloned().collect::<Vec<_>>());
        let before = was.before.clone().map(|mut before| {
            let secrets = before_secrets(&kept, self.request);
            before.lost_secrets.extend(secrets);
            let more = self.removes(&kept);
            before.removes.extend(more.into_iter().filter(|it| !was_removed(&was, it)));
            before
        });
        let capture = self.capture(adds, before);
        // A stack that the run created is deleted as the run created it last.
        let new = &self.request.template;
        let now = || without_secrets(new).unwrap_or_else(|| new.value().to_string());
        let text = if existed { text } else { now() };
        let kept = kept.value().to_string();
        let is_same = capture == was && (existed || kept == text);
        if !is_same {
            self.write(&capture, &text)?;
        }
        Ok(!is_same)
    }

    /// Warns that an earlier part of the run kept what cannot be read now. The deployment goes on.
    pub(super) fn warn_of_unreadable(&self, why: &str) {
        self.context
            .warn(format!("what it was before the run cannot be read, so it cannot be rolled back: {why}"));
    }

    fn capture(&self, adds: Vec<Precious>, before: Option<Before>) -> Capture {
        let target = &self.environment.target;
        Capture {
            schema: Capture::SCHEMA,
            stack: self.stack.id.clone(),
            name: self.request.name.clone(),
            account: target.account.clone(),
            region: target.region.clone(),
            deploy_role: self.stack.deploy_role.clone(),
            execution_role: self.request.execution_role_arn.clone(),
            bootstrap: self.stack.bootstrap.clone(),
            staging: staging::destination(self.stack).map(|to| Staging {
                bucket: to.bucket.clone(),
                region: to.region.clone(),
                role: to.role.clone(),
            }),
            adds,
            before,
        }
    }

    fn write(&self, capture: &Capture, template: &str) -> Result<(), AwsError> {
        self.captures.keep(capture, template).map_err(|error| {
            let message = format!("cannot keep what {} is now, for a rollback: {error}", self.stack.name);
            AwsError::setup(message).hint("nothing was sent; free some disk space, then run it again")
        })
    }

    /// The present template of a stack, parsed and as text. `None` if it cannot be known. Then the stack cannot be rolled
    /// back, but that is no reason not to deploy it.
    async fn template_of(
        &self,
        view: &StackView,
        template: Option<String>,
    ) -> Result<Option<(Template, String)>, AwsError> {
        let read = match template {
            Some(template) => Ok(Some(template)),
            None => deployed_template(self.environment, &view.id).await,
        };
        let why = match read {
            // AWS refuses the update of a stack that is gone.
            Ok(None) => return Ok(None),
            Ok(Some(text)) => match Template::parse(&text) {
                Ok(template) => return Ok(Some((template, text))),
                Err(error) => error.to_string(),
            },
            Err(error) if error.kind == ErrorKind::Denied => error.to_string(),
            Err(error) => return Err(error),
        };
        self.context.warn(format!("its present template cannot be read, so it cannot be rolled back: {why}"));
        Ok(None)
    }

    fn before(&self, view: &StackView, old: &Template) -> Before {
        let visible = |name: &str, value: &str| !old.is_secret(name) && value != MASKED;
        let parameters = view.values.iter().filter(|(name, value)| visible(name, value));
        let forgets = self.request.options.forgets_parameters;
        let lost: BTreeSet<String> = view
            .values
            .iter()
            .filter(|(name, value)| !visible(name, value))
            .filter(|(name, _)| forgets || self.request.parameters.contains_key(*name))
            .map(|(name, _)| name.clone())
            .chain(secret_defaults(old).map(str::to_owned))
            .collect();
        Before {
            id: view.id.clone(),
            stamp: view.stamp.clone(),
            parameters: parameters.map(|(name, value)| (name.clone(), value.clone())).collect(),
            lost_secrets: lost,
            tags: view.tags.clone(),
            notification_arns: view.notification_arns.clone(),
            termination_protection: view.termination_protection,
            execution_role: view.role_arn.clone(),
            rollback_triggers: self
                .request
                .rollback_triggers
                .as_ref()
                .map(|_| view.rollback_triggers.clone()),
            removes: self.removes(old),
        }
    }

    /// The precious resources that the new template has and the old one lacks. The old templates of nested stacks are
    /// unknown, so everything precious in a nested stack that changes counts.
    fn adds(&self, old: Option<&Template>) -> Vec<Precious> {
        let new = &self.request.template;
        let had: BTreeSet<(&str, &str)> = old.map(types).unwrap_or_default();
        let own = new.precious().filter(|it| !had.contains(&(it.id.as_str(), it.resource_type.as_str())));
        let changed = |id: &str| {
            let body = |template: &Template| template.resource(id).map(|resource| resource.body.clone());
            old.and_then(body) != body(new)
        };
        let nested = self.stack.nested.iter().filter(|it| {
            let root = it.parents.first().unwrap_or(&it.logical_id);
            changed(root)
        });
        let nested = nested.flat_map(|it| {
            let path = it.logical_ids().map(String::as_str).collect::<Vec<_>>().join("/");
            it.template.precious().map(move |found| Precious { id: format!("{path}/{}", found.id), ..found })
        });
        own.chain(nested).collect()
    }

    /// The precious resources that the old template has and the new one lacks.
    fn removes(&self, old: &Template) -> Vec<Precious> {
        let has = types(&self.request.template);
        old.precious().filter(|it| !has.contains(&(it.id.as_str(), it.resource_type.as_str()))).collect()
    }
}

/// The secret parameters of a template whose default value stands in it.
fn secret_defaults(template: &Template) -> impl Iterator<Item = &str> {
    let declared = template.value().get("Parameters").and_then(Value::as_object).into_iter().flatten();
    let has_default = declared.filter(|(_, declared)| declared.get("Default").is_some());
    has_default.map(|(name, _)| name.as_str()).filter(|name| template.is_secret(name))
}

/// The template without the default values of secret parameters. `None` if it has none. A rollback gives no value to these
/// parameters, so that CloudFormation keeps the one that the stack has.
fn without_secrets(template: &Template) -> Option<String> {
    let names: Vec<&str> = secret_defaults(template).collect();
    if names.is_empty() {
        return None;
    }
    let mut without = template.value().clone();
    for name in names {
        if let Some(declared) = without["Parameters"][name].as_object_mut() {
            declared.remove("Default");
        }
    }
    Some(without.to_string())
}

/// The secret parameters of a template that the request gives a value.
fn before_secrets(old: &Template, request: &Request) -> BTreeSet<String> {
    request.parameters.keys().filter(|name| old.is_secret(name)).cloned().collect()
}

fn was_removed(capture: &Capture, resource: &Precious) -> bool {
    capture.before.as_ref().is_some_and(|before| before.removes.contains(resource))
}

/// The resources of a template: logical id and type.
fn types(template: &Template) -> BTreeSet<(&str, &str)> {
    template.resources().map(|(id, resource)| (id, resource.resource_type)).collect()
}
