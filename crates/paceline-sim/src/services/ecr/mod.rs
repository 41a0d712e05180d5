//! ECR: the existence of images.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request, strings, text};
use crate::world::repositories::{create, holds, is_there, push, pushed};
use crate::world::{AccountRegion, World, add, epoch};

/// Elastic Container Registry.
pub(super) struct Ecr;

impl Service for Ecr {
    fn name(&self) -> &'static str {
        "ecr"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &mut World, request: &Request) -> Outcome {
    let place = &request.place;
    match request.operation.as_str() {
        "GetAuthorizationToken" => {
            let expires = epoch(add(world.now, Duration::from_hours(12)));
            let token = aws_smithy_types::base64::encode(format!("AWS:{}", world.draws(&["ecr"]).mixed(64)));
            let endpoint =
                format!("https://{}.dkr.ecr.{}.{}", place.account, place.region, place.url_suffix());
            Ok(json!({"authorizationData": [
                {"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": endpoint}
            ]}))
        }
        "CreateRepository" => {
            let name = text(&request.json, "repositoryName")?;
            if !create(world, place, name) {
                return Err(Fault::bad(
                    "RepositoryAlreadyExistsException",
                    format!(
                        "The repository with name '{name}' already exists in the registry with id '{}'",
                        place.account
                    ),
                ));
            }
            Ok(json!({"repository": shown(world, place, name)}))
        }
        "DescribeRepositories" => describe_repositories(world, request),
        "DescribeImages" => {
            let repository = repository(world, request)?;
            let tags: Vec<String> = match request.json["imageIds"].as_array() {
                Some(ids) => ids.iter().filter_map(|id| id["imageTag"].as_str()).map(str::to_owned).collect(),
                None => pushed(world, place, repository).cloned().collect(),
            };
            let mut details = Vec::new();
            for tag in tags {
                if !holds(world, place, repository, &tag) {
                    return Err(Fault::bad(
                        "ImageNotFoundException",
                        format!(
                            "The image with imageId {{imageDigest:'null', imageTag:'{tag}'}} does not exist within the repository with name '{repository}' in the registry with id '{}'",
                            place.account
                        ),
                    ));
                }
                details.push(json!({
                    "registryId": &*place.account,
                    "repositoryName": repository,
                    "imageDigest": digest(world, repository, &tag),
                    "imageTags": [tag],
                    "imageSizeInBytes": 104_857_600,
                    "imagePushedAt": epoch(world.now),
                }));
            }
            Ok(json!({"imageDetails": details}))
        }
        "BatchGetImage" => {
            let repository = repository(world, request)?;
            let (mut images, mut failures) = (Vec::new(), Vec::new());
            for id in request.json["imageIds"].as_array().into_iter().flatten() {
                let tag = id["imageTag"].as_str().unwrap_or_default();
                if holds(world, place, repository, tag) {
                    images.push(json!({
                        "registryId": &*place.account,
                        "repositoryName": repository,
                        "imageId": {"imageTag": tag, "imageDigest": digest(world, repository, tag)},
                        "imageManifest": "{\"schemaVersion\":2}",
                        "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
                    }));
                } else {
                    failures.push(json!({
                        "imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found",
                    }));
                }
            }
            Ok(json!({"images": images, "failures": failures}))
        }
        "PutImage" => {
            let repository = repository(world, request)?;
            let tag = text(&request.json, "imageTag")?;
            let digest = digest(world, repository, tag);
            push(world, place, repository, tag);
            Ok(json!({"image": {
                "registryId": &*place.account,
                "repositoryName": repository,
                "imageId": {"imageTag": tag, "imageDigest": digest},
            }}))
        }
        _ => Err(unknown_operation(request)),
    }
}

fn describe_repositories(world: &World, request: &Request) -> Outcome {
    let place = &request.place;
    let mut names: BTreeSet<String> =
        strings(&request.json, "repositoryNames").into_iter().map(str::to_owned).collect();
    if names.is_empty() {
        names =
            world.region(place).into_iter().flat_map(|region| region.repositories.keys().cloned()).collect();
    }
    let mut found = Vec::new();
    for name in names {
        if !is_there(world, place, &name) {
            return Err(missing(place, &name));
        }
        found.push(shown(world, place, &name));
    }
    Ok(json!({"repositories": found}))
}

fn shown(world: &World, place: &AccountRegion, name: &str) -> Value {
    json!({
        "repositoryName": name,
        "repositoryArn": place.arn("ecr", &format!("repository/{name}")),
        "registryId": &*place.account,
        "repositoryUri": format!("{}.dkr.ecr.{}.{}/{name}", place.account, place.region, place.url_suffix()),
        "createdAt": epoch(world.now),
        "imageTagMutability": "IMMUTABLE",
    })
}

fn repository<'a>(world: &World, request: &'a Request) -> Result<&'a str, Fault> {
    let name = text(&request.json, "repositoryName")?;
    if is_there(world, &request.place, name) { Ok(name) } else { Err(missing(&request.place, name)) }
}

fn missing(place: &AccountRegion, name: &str) -> Fault {
    Fault::bad(
        "RepositoryNotFoundException",
        format!(
            "The repository with name '{name}' does not exist in the registry with id '{}'",
            place.account
        ),
    )
}

fn digest(world: &World, repository: &str, tag: &str) -> Value {
    Value::String(format!("sha256:{}", world.draws(&["image", repository, tag]).hex(64)))
}
