//! Reads what is deployed: the templates and the settings of stacks, as an app that could have made them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use paceline_assembly::{Known, NestedTemplate, STACK_TYPE, Stack, StackStatus, Template};

use crate::environment::{Environment, StackView};
use crate::error::{AwsError, PreflightError};
use crate::sdk::Wire;
use crate::session::Sessions;
use crate::stack::deployed_template;
use crate::target::Target;

/// The stacks of an app as they are deployed.
#[derive(Debug, Default)]
pub struct DeployedStacks {
    /// Each stack with its deployed template, tags and parameters. Everything else is as in the app. Stacks that are not
    /// deployed are missing.
    pub stacks: Vec<Stack>,
    /// What makes the result less certain, one sentence each.
    pub warnings: Vec<String>,
}

/// Reads stacks with their lookup roles. A nested stack that cannot be read counts as it is in the app, with a warning.
pub async fn deployed(wire: &Wire, stacks: &[&Stack]) -> Result<DeployedStacks, PreflightError> {
    let sessions = Sessions::for_stacks(wire, stacks.iter().copied()).await?;
    let mut environments: BTreeMap<(Target, Option<String>), Vec<&Stack>> = BTreeMap::new();
    for stack in stacks {
        let role = stack.lookup_role.as_ref().map(|role| role.arn.clone());
        environments.entry((sessions.target(stack).await?, role)).or_default().push(stack);
    }
    let read =
        environments.into_iter().map(|((target, _), stacks)| of_environment(&sessions, target, stacks));
    let mut found = DeployedStacks::default();
    let mut errors = Vec::new();
    for one in join_all(read).await.into_iter().flatten() {
        match one {
            Ok((stack, warnings)) => {
                found.stacks.extend(stack);
                found.warnings.extend(warnings);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(PreflightError(errors)) }
}

type Read = Result<(Option<Stack>, Vec<String>), AwsError>;

/// Reads the stacks of one environment, which have the same lookup role.
async fn of_environment(sessions: &Sessions, target: Target, stacks: Vec<&Stack>) -> Vec<Read> {
    let role = stacks.first().and_then(|stack| stack.lookup_role.as_ref());
    let config = match sessions.reading(role, &target).await {
        Ok(config) => config,
        Err(error) => return vec![Err(error)],
    };
    let names: BTreeSet<String> = stacks.iter().map(|stack| stack.name.clone()).collect();
    let environment = Environment::new(target.clone(), &config, sessions.caller(&target), names);
    join_all(stacks.into_iter().map(|stack| one(&environment, stack))).await
}

async fn one(environment: &Arc<Environment>, stack: &Stack) -> Read {
    let mut warnings = Vec::new();
    let Some(view) = environment.poller.glance(&stack.name).await?.filter(has_resources) else {
        return Ok((None, warnings));
    };
    if view.status.is_in_progress() && !view.status.is_cleaning_up() {
        warnings.push(format!("{} is {}: what it is compared with may change", stack.id, view.status));
    }
    let Some(body) = deployed_template(environment, &view.id).await? else { return Ok((None, warnings)) };
    let template = parse(&body, &stack.id)?.knowing(stack.template.known().clone());
    let mut read = Nested { environment, stack, found: Vec::new(), warnings: &mut warnings };
    Box::pin(read.below(&view.id, &template, &[])).await;
    let nested = read.found;
    let deployed = Stack {
        template,
        nested,
        tags: view.tags,
        parameters: values(stack, &view.values, &environment.target),
        termination_protection: Some(view.termination_protection),
        ..stack.clone()
    };
    Ok((Some(deployed), warnings))
}

/// The values of parameters, in the app's spelling where that means the same. CloudFormation does not tell the value of a
/// secret parameter, and a parameter that the template does not declare has none.
fn values(stack: &Stack, deployed: &BTreeMap<String, String>, target: &Target) -> BTreeMap<String, String> {
    let mut values = deployed.clone();
    let declared: BTreeSet<&str> = stack.template.parameters().map(|(name, _)| name).collect();
    for (name, value) in &stack.parameters {
        let is_same = deployed.get(name).is_some_and(|there| *there == target.resolve(value));
        if is_same || stack.template.is_secret(name) || !declared.contains(name.as_str()) {
            values.insert(name.clone(), value.clone());
        }
    }
    values
}

/// Whether the stack has a template that counts. One whose creation failed is deleted before it is created again.
fn has_resources(view: &StackView) -> bool {
    !matches!(
        view.status,
        StackStatus::ReviewInProgress | StackStatus::RollbackComplete | StackStatus::DeleteComplete
    )
}

fn parse(body: &str, stack: &str) -> Result<Template, AwsError> {
    Template::parse(body)
        .map_err(|error| AwsError::setup(format!("the deployed template of {stack} cannot be read: {error}")))
}

/// Reads the templates of nested stacks.
struct Nested<'a> {
    environment: &'a Environment,
    stack: &'a Stack,
    found: Vec<NestedTemplate>,
    warnings: &'a mut Vec<String>,
}

impl Nested<'_> {
    async fn below(&mut self, id: &str, template: &Template, parents: &[String]) {
        let ids: Vec<&str> =
            template.resources().filter(|(_, it)| it.resource_type == STACK_TYPE).map(|(id, _)| id).collect();
        if ids.is_empty() {
            return;
        }
        let physical = match self.physical_ids(id).await {
            Ok(physical) => physical,
            Err(error) => return self.unread(&ids, parents, &error),
        };
        for logical_id in ids {
            // A condition may have left it out.
            let Some(physical) = physical.get(logical_id) else { continue };
            let read = match deployed_template(self.environment, physical).await {
                Ok(Some(body)) => parse(&body, logical_id),
                Ok(None) => continue,
                Err(error) => Err(error),
            };
            match read {
                Ok(nested) => {
                    let known =
                        Known { stack_name: None, given: BTreeMap::new(), ..template.known().clone() };
                    let app = self.in_app(logical_id, parents);
                    let nested = nested.knowing(app.map_or(known, |it| it.template.known().clone()));
                    self.found.push(NestedTemplate {
                        logical_id: logical_id.to_owned(),
                        parents: parents.to_vec(),
                        path: app.map(|it| it.path.clone()).unwrap_or_default(),
                        template: nested.clone(),
                    });
                    let path: Vec<String> = parents.iter().cloned().chain([logical_id.to_owned()]).collect();
                    Box::pin(self.below(physical, &nested, &path)).await;
                }
                Err(error) => self.unread(&[logical_id], parents, &error),
            }
        }
    }

    fn in_app(&self, logical_id: &str, parents: &[String]) -> Option<&NestedTemplate> {
        self.stack.nested.iter().find(|it| it.logical_id == logical_id && it.parents == parents)
    }

    /// Takes nested stacks, and those inside of them, as they are in the app.
    fn unread(&mut self, ids: &[&str], parents: &[String], error: &AwsError) {
        for id in ids {
            let path: Vec<String> = parents.iter().cloned().chain([(*id).to_owned()]).collect();
            let is_inside = |it: &&NestedTemplate| it.parents.starts_with(&path);
            let own = self.in_app(id, parents).cloned();
            let inside: Vec<NestedTemplate> = self.stack.nested.iter().filter(is_inside).cloned().collect();
            self.found.extend(own.into_iter().chain(inside));
            self.warnings.push(format!(
                "{}: the nested stack {} cannot be read, and counts as unchanged: {error}",
                self.stack.id,
                path.join("/")
            ));
        }
    }

    /// The ids of the nested stacks of a stack, by logical id.
    async fn physical_ids(&self, id: &str) -> Result<BTreeMap<String, String>, AwsError> {
        let mut found = BTreeMap::new();
        let mut next: Option<String> = None;
        loop {
            let send = || {
                let call = self.environment.client.list_stack_resources().stack_name(id);
                call.set_next_token(next.clone()).send()
            };
            let page = self.environment.call(None, "ListStackResources", send).await?;
            for resource in page.stack_resource_summaries() {
                if resource.resource_type() == Some(STACK_TYPE)
                    && let (Some(logical), Some(physical)) =
                        (resource.logical_resource_id(), resource.physical_resource_id())
                {
                    found.insert(logical.to_owned(), physical.to_owned());
                }
            }
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}
