//! The effects of a resource on the rest of the world when it is created, updated or deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use paceline_assembly::is_custom;
use serde_json::Value;

use super::custom;
use crate::resources::attribute;
use crate::world::{
    AccountRegion, Peering, Profile, Resource, Role, Stack, World, parameters, repositories, secrets,
    text_of, visible_at,
};

/// Whether a thing of this name exists, including one that no stack created.
pub(super) fn exists(world: &World, place: &AccountRegion, kind: &str, name: &str) -> bool {
    match kind {
        "AWS::SSM::Parameter" => {
            world.region(place).is_some_and(|region| region.parameters.contains_key(name))
        }
        "AWS::S3::Bucket" => world.buckets.has(name),
        "AWS::ECR::Repository" => {
            world.region(place).is_some_and(|region| region.repositories.contains_key(name))
        }
        "AWS::IAM::Role" => world
            .accounts
            .get(&place.account)
            .is_some_and(|account| account.identities.roles.contains_key(name)),
        _ => false,
    }
}

/// Makes the checks that a service makes as soon as it receives the request.
pub(super) fn precheck(world: &World, stack: &Stack, resource: &Resource) -> Result<(), String> {
    if world.options.check_assets {
        assets(world, stack, resource)?;
    }
    if world.options.faults.unpropagated_roles_fail {
        roles(world, stack, resource)?;
    }
    Ok(())
}

/// Checks that the code and the images that a resource names exist.
fn assets(world: &World, stack: &Stack, resource: &Resource) -> Result<(), String> {
    let properties = &resource.properties;
    let code = match resource.kind.as_str() {
        "AWS::Lambda::Function" => properties.get("Code"),
        "AWS::Lambda::LayerVersion" => properties.get("Content"),
        "AWS::ECS::Service" => return service_images(world, stack, resource),
        _ => return Ok(()),
    };
    let Some(code) = code else { return Ok(()) };
    let text = |key: &str| code.get(key).and_then(Value::as_str);
    if let (Some(bucket), Some(key)) = (text("S3Bucket"), text("S3Key"))
        && !world.has_object(bucket, key)
    {
        return Err(handler(
            world,
            stack,
            resource,
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist. (Service: Lambda, Status Code: 400)",
            "InvalidRequest",
        ));
    }
    if let Some(image) = text("ImageUri").filter(|image| !has_image(world, image)) {
        let message = format!(
            "Source image {image} does not exist. Provide a valid source image. (Service: Lambda, Status Code: 400)"
        );
        return Err(handler(world, stack, resource, &message, "InvalidRequest"));
    }
    Ok(())
}

/// Checks the images of a service's task definition: a service never becomes stable if they cannot be pulled.
fn service_images(world: &World, stack: &Stack, service: &Resource) -> Result<(), String> {
    let definition = service
        .property("TaskDefinition")
        .and_then(|arn| stack.resources.values().find(|resource| resource.physical == arn));
    let containers = definition.and_then(|definition| definition.properties.get("ContainerDefinitions"));
    let missing = containers
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|container| container.get("Image").and_then(Value::as_str))
        .any(|image| !has_image(world, image));
    if missing {
        let message = "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.";
        return Err(handler(world, stack, service, message, "GeneralServiceException"));
    }
    Ok(())
}

/// Whether an image exists. Images in registries that are not simulated always exist.
fn has_image(world: &World, uri: &str) -> bool {
    let Some((registry, image)) = uri.split_once('/') else { return true };
    let parts: Vec<&str> = registry.split('.').collect();
    let [account, "dkr", "ecr", region, _, ..] = parts[..] else { return true };
    if !paceline_assembly::is_host_of_aws(registry) {
        return true;
    }
    let Some((repository, tag)) = image.split_once(':') else { return true };
    let place = AccountRegion::new(account, region);
    if !repository.starts_with("cdk-") {
        // Whoever created a repository outside the stacks also filled it.
        return world.options.foreign_repositories || repositories::is_there(world, &place, repository);
    }
    repositories::holds(world, &place, repository, tag)
}

/// Checks that the role of another stack is visible. Within a stack, CloudFormation waits long enough.
fn roles(world: &World, stack: &Stack, resource: &Resource) -> Result<(), String> {
    let (property, message) = match resource.kind.as_str() {
        "AWS::Lambda::Function" => (
            "Role",
            "The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400)",
        ),
        "AWS::StepFunctions::StateMachine" => (
            "RoleArn",
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.",
        ),
        "AWS::CodeBuild::Project" => {
            ("ServiceRole", "CodeBuild is not authorized to perform: sts:AssumeRole")
        }
        "AWS::ECS::TaskDefinition" => ("ExecutionRoleArn", "Role is not valid"),
        _ => return Ok(()),
    };
    let role = resource.property(property).and_then(|arn| {
        let account = arn.split(':').nth(4)?;
        world.accounts.get(account)?.identities.roles.get(arn.rsplit('/').next()?)
    });
    let unusable =
        role.is_some_and(|role| role.visible > world.now && role.stack.as_deref() != Some(&*stack.key.arn));
    if unusable { Err(handler(world, stack, resource, message, "InvalidRequest")) } else { Ok(()) }
}

/// A reason in the wording of CloudFormation's resource handlers.
pub(super) fn handler(
    world: &World,
    stack: &Stack,
    resource: &Resource,
    message: &str,
    code: &str,
) -> String {
    let token = world.draws(&["request", &stack.key.arn, &resource.id]).uuid();
    format!(
        "Resource handler returned message: \"{message}\" (RequestToken: {token}, HandlerErrorCode: {code})"
    )
}

/// Applies the effects of a resource that was created or updated.
pub(super) fn apply(world: &mut World, stack: &Stack, resource: &mut Resource) -> Result<(), String> {
    let place = stack.key.place.clone();
    match resource.kind.as_str() {
        "AWS::SSM::Parameter" => {
            let value = resource.known("Value", resource.property("Value").unwrap_or_default());
            let kind = resource.property("Type").unwrap_or("String").to_owned();
            parameters::write(world, &place, &resource.physical, &value, &kind);
        }
        "AWS::S3::Bucket" => {
            let created = world.buckets.create(&resource.physical, place);
            let fine = created || resource.applied;
            return fine.then_some(()).ok_or_else(|| format!("{} already exists", resource.physical));
        }
        "AWS::ECR::Repository" => {
            world.region_mut(&place).repositories.entry(resource.physical.clone()).or_default();
        }
        "AWS::SecretsManager::Secret" => {
            let names = secrets::names(&resource.physical);
            let name = resource.property("Name").or(names.last().copied()).unwrap_or_default().to_owned();
            world.region_mut(&place).secrets.insert(name);
        }
        "AWS::EC2::TransitGatewayPeeringAttachment" => {
            let peer = resource.property("PeerRegion").unwrap_or(&place.region).to_owned();
            let peering = Peering {
                id: resource.physical.clone(),
                regions: [place.region.to_string(), peer],
                accepted: false,
            };
            let peerings = &mut world.account_mut(&place.account).peerings;
            if !peerings.iter().any(|known| known.id == peering.id) {
                peerings.push(peering);
            }
        }
        "AWS::EKS::Cluster" | "Custom::AWSCDK-EKS-Cluster" => {
            world.region_mut(&place).clusters.insert(resource.physical.clone(), true);
        }
        "AWS::IAM::Role" => role(world, stack, resource),
        "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" => inline_policy(world, &place, resource),
        "AWS::IAM::ManagedPolicy" => {
            let visible = visible_at(world, &["managed", &resource.physical]);
            for name in names(resource, "Roles") {
                if let Some(role) = world.account_mut(&place.account).identities.roles.get_mut(&name) {
                    role.attached.insert(resource.physical.clone(), visible);
                }
            }
        }
        "AWS::IAM::InstanceProfile" => {
            let id = format!("AIPA{}", world.draws(&["profile", &resource.physical]).upper(17));
            let arn = attribute(world, &place, &stack.name, resource, "Arn").map(|arn| text_of(&arn.value));
            let profile = Profile {
                id,
                arn: arn.unwrap_or_default(),
                roles: names(resource, "Roles"),
                created: world.now,
                visible: visible_at(world, &["profile", &place.account, &resource.physical]),
            };
            let profiles = &mut world.account_mut(&place.account).identities.profiles;
            profiles.insert(resource.physical.clone(), profile);
        }
        kind if is_custom(kind) => custom::apply(world, stack, resource)?,
        _ => {}
    }
    Ok(())
}

/// The reason why a resource cannot be deleted. `None` if it can.
///
/// Objects that the CDK puts into a Kubernetes cluster can only be removed while the cluster exists. A
/// cluster that no stack created is assumed to exist.
pub(super) fn cannot_go(world: &World, stack: &Stack, resource: &Resource) -> Option<String> {
    let in_cluster = ["Custom::AWSCDK-EKS-KubernetesResource", "Custom::AWSCDK-EKS-HelmChart"];
    let name = resource.property("ClusterName").filter(|_| in_cluster.contains(&resource.kind.as_str()))?;
    let gone = world.region(&stack.key.place)?.clusters.get(name) == Some(&false);
    let message = format!("ResourceNotFoundException: No cluster found for name: {name}.");
    gone.then(|| custom::failed(world, stack, resource, &message))
}

/// Takes back the effects of a resource that was deleted.
pub(super) fn undo(world: &mut World, stack: &Stack, resource: &Resource) {
    let place = &stack.key.place;
    let physical = &resource.physical;
    match resource.kind.as_str() {
        "AWS::SSM::Parameter" => {
            world.region_mut(place).parameters.remove(physical);
        }
        "AWS::S3::Bucket" => world.buckets.remove(physical),
        "AWS::SecretsManager::Secret" => {
            let names = secrets::names(physical);
            let secrets = &mut world.region_mut(place).secrets;
            secrets.retain(|name| !names.contains(&name.as_str()));
        }
        "AWS::ECR::Repository" => {
            world.region_mut(place).repositories.remove(physical);
        }
        "AWS::EKS::Cluster" | "Custom::AWSCDK-EKS-Cluster" => {
            world.region_mut(place).clusters.insert(physical.clone(), false);
        }
        "AWS::EC2::TransitGatewayPeeringAttachment" => {
            world.account_mut(&place.account).peerings.retain(|peering| peering.id != *physical);
        }
        "AWS::IAM::Role" => {
            world.account_mut(&place.account).identities.roles.remove(physical);
        }
        "AWS::IAM::InstanceProfile" => {
            world.account_mut(&place.account).identities.profiles.remove(physical);
        }
        "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" => {
            let policy = resource.property("PolicyName").unwrap_or(physical).to_owned();
            for name in policy_roles(resource) {
                if let Some(role) = world.account_mut(&place.account).identities.roles.get_mut(&name) {
                    role.inline.remove(&policy);
                }
            }
        }
        "AWS::IAM::ManagedPolicy" => {
            for role in world.account_mut(&place.account).identities.roles.values_mut() {
                role.attached.remove(physical);
            }
        }
        kind if is_custom(kind) => custom::undo(world, stack, resource),
        _ => {}
    }
}

fn names(resource: &Resource, property: &str) -> Vec<String> {
    let list = resource.properties.get(property).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn policy_roles(resource: &Resource) -> Vec<String> {
    let mut roles = names(resource, "Roles");
    roles.extend(resource.property("RoleName").map(str::to_owned));
    roles
}

fn inline_policy(world: &mut World, place: &AccountRegion, resource: &Resource) {
    let policy = resource.property("PolicyName").unwrap_or(&resource.physical).to_owned();
    let document = resource.properties.get("PolicyDocument").map(Value::to_string).unwrap_or_default();
    for name in policy_roles(resource) {
        let visible = visible_at(world, &["inline", &place.account, &name, &policy]);
        if let Some(role) = world.account_mut(&place.account).identities.roles.get_mut(&name) {
            role.inline.insert(policy.clone(), (document.clone(), visible));
        }
    }
}

fn role(world: &mut World, stack: &Stack, resource: &Resource) {
    let place = &stack.key.place;
    let name = resource.physical.clone();
    let old =
        world.accounts.get(&place.account).and_then(|account| account.identities.roles.get(&name)).cloned();
    let visible =
        visible_at(world, &["role", &place.account, &name, if old.is_some() { "changed" } else { "new" }]);
    let arn = attribute(world, place, &stack.name, resource, "Arn").map(|arn| text_of(&arn.value));
    let attached: BTreeMap<String, Timestamp> = names(resource, "ManagedPolicyArns")
        .into_iter()
        .map(|arn| {
            let known = old.as_ref().and_then(|old| old.attached.get(&arn).copied());
            (arn, known.unwrap_or(visible))
        })
        .collect();
    let mut inline: BTreeMap<String, (String, Timestamp)> = BTreeMap::new();
    // Policies that other resources attached stay when the role itself changes.
    let foreign = old.iter().flat_map(|old| old.inline.clone());
    inline.extend(foreign);
    for policy in resource.properties.get("Policies").and_then(Value::as_array).into_iter().flatten() {
        let policy_name = policy.get("PolicyName").and_then(Value::as_str).unwrap_or_default().to_owned();
        let document = policy.get("PolicyDocument").map(Value::to_string).unwrap_or_default();
        inline.insert(policy_name, (document, visible));
    }
    let id = format!("AROA{}", world.draws(&["role", &place.account, &name]).upper(17));
    let role = Role {
        id,
        arn: arn.unwrap_or_default(),
        path: resource.property("Path").unwrap_or("/").to_owned(),
        trust: resource.properties.get("AssumeRolePolicyDocument").map(Value::to_string).unwrap_or_default(),
        created: old.as_ref().map_or(world.now, |old| old.created),
        visible: old.as_ref().map_or(visible, |old| old.visible),
        flapped: old.as_ref().is_some_and(|old| old.flapped),
        stack: Some(stack.key.arn.to_string()),
        attached,
        inline,
    };
    let account: Arc<str> = place.account.clone();
    world.account_mut(&account).identities.roles.insert(name, role);
}
