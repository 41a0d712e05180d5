//! Finds resources that a new stack gives a name which exists already: CloudFormation would fail to create them.
//!
//! Only `paceline doctor` asks: a run has no right to these calls. Stacks that exist are left out, since their resources
//! have their names. Resources whose condition may be false, and names that are known only in the run, are left out, too.

use futures_util::future::join_all;
use paceline_assembly::{NestedTemplate, Stack, Template};
use paceline_plan::Plan;

use super::Aws;
use crate::error::{AwsError, code};
use crate::presence::values;
use crate::publish::Bucket;
use crate::target::Target;

/// A type of resource whose name must be new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bucket,
    Parameter,
    Repository,
    Role,
}

impl Kind {
    /// The property with the name, as the template reference of the type has it.
    fn of(resource_type: &str) -> Option<(Self, &'static str)> {
        Some(match resource_type {
            "AWS::S3::Bucket" => (Self::Bucket, "BucketName"),
            "AWS::SSM::Parameter" => (Self::Parameter, "Name"),
            "AWS::ECR::Repository" => (Self::Repository, "RepositoryName"),
            "AWS::IAM::Role" => (Self::Role, "RoleName"),
            _ => return None,
        })
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Parameter => "parameter",
            Self::Repository => "repository",
            Self::Role => "role",
        }
    }
}

/// A name that a template gives.
#[derive(Debug)]
struct GivenName {
    kind: Kind,
    name: String,
    logical_id: String,
}

impl Aws {
    /// The names of new stacks that are taken, and notes about names that cannot be looked up.
    pub async fn taken_names(&self, plan: &Plan) -> (Vec<AwsError>, Vec<String>) {
        let looked = self.deployed(plan).map(|stack| async move {
            let given = given_names(stack);
            if given.is_empty() || self.exists(stack).await {
                return Vec::new();
            }
            let Ok(target) = self.target(stack).await else { return Vec::new() };
            let each = given.into_iter().map(|given| self.look_up(stack, &target, given));
            join_all(each).await
        });
        let (mut errors, mut notes) = (Vec::new(), Vec::new());
        for found in join_all(looked).await.into_iter().flatten() {
            match found {
                Ok(taken) => errors.extend(taken),
                Err(note) => notes.push(note),
            }
        }
        notes.sort();
        notes.dedup();
        (errors, notes)
    }

    /// The finding about a name, or a note that it cannot be looked up.
    async fn look_up(
        &self,
        stack: &Stack,
        target: &Target,
        given: GivenName,
    ) -> Result<Option<AwsError>, String> {
        let GivenName { kind, name, logical_id } = &given;
        let noun = kind.noun();
        match Box::pin(self.is_taken(stack, target, *kind, name)).await {
            Ok(false) => Ok(None),
            Ok(true) => {
                let message = format!(
                    "{}: {logical_id} is a new {noun} with the name {name}, and a {noun} of that name exists already",
                    stack.id
                );
                let hint = format!(
                    "give it another name or none, delete the {noun} that is there, or make it part of the stack with \
                     `paceline deploy --import-existing-resources`"
                );
                Ok(Some(AwsError::setup(message).hint(hint)))
            }
            Err(error) => {
                Err(format!("whether the name of a new {noun} is free in {target} is not known: {error}"))
            }
        }
    }

    /// Asks with the lookup role of the stack.
    async fn is_taken(
        &self,
        stack: &Stack,
        target: &Target,
        kind: Kind,
        name: &str,
    ) -> Result<bool, AwsError> {
        let config = self.sessions.reading(stack.lookup_role.as_ref(), target).await?;
        let caller = self.sessions.caller(target).within(super::account_quotas::PATIENCE);
        match kind {
            Kind::Bucket => Bucket::new(&config, &caller, name).exists().await,
            Kind::Parameter => {
                let found = values(&self.sessions, stack, target, &[name].into()).await?;
                Ok(!found.is_empty())
            }
            Kind::Repository => {
                let client = aws_sdk_ecr::Client::new(&config);
                let send = || client.describe_repositories().repository_names(name).send();
                let answer = caller.call("DescribeRepositories", send).await;
                exists(answer.map(drop), code::REPOSITORY_NOT_FOUND)
            }
            Kind::Role => {
                let client = aws_sdk_iam::Client::new(&config);
                let answer = caller.call("GetRole", || client.get_role().role_name(name).send()).await;
                exists(answer.map(drop), code::NO_SUCH_ENTITY)
            }
        }
    }
}

fn exists(answer: Result<(), AwsError>, absent: &str) -> Result<bool, AwsError> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) if error.is(absent) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The names that a stack certainly gives its resources, nested stacks included.
fn given_names(stack: &Stack) -> Vec<GivenName> {
    let nested = stack.nested.iter().filter(|nested| is_certain(stack, nested));
    std::iter::once(&stack.template).chain(nested.map(|nested| &nested.template)).flat_map(given_in).collect()
}

/// Whether the conditions of a nested stack, and of those around it, certainly hold.
fn is_certain(stack: &Stack, nested: &NestedTemplate) -> bool {
    let path: Vec<String> = nested.logical_ids().cloned().collect();
    (0..path.len()).all(|at| {
        stack.template_at(&path[..at]).is_some_and(|outer| {
            let holds = |condition: &str| outer.resolver().condition(condition) == Some(true);
            outer.resource(&path[at]).is_some_and(|it| it.condition.is_none_or(holds))
        })
    })
}

fn given_in(template: &Template) -> Vec<GivenName> {
    let resolver = template.resolver();
    let holds = |condition| resolver.condition(condition) == Some(true);
    let certain = template.resources().filter(|(_, resource)| resource.condition.is_none_or(holds));
    let named = certain.filter_map(|(logical_id, resource)| {
        let (kind, property) = Kind::of(resource.resource_type)?;
        let name = resolver.resolve(resource.properties?.get(property)?).known()?;
        (!name.is_empty()).then(|| GivenName { kind, name, logical_id: logical_id.to_owned() })
    });
    named.collect()
}
