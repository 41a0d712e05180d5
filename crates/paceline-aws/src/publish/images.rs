//! Publishes image assets: builds and pushes them with the `docker` command, unless the tag is in ECR
//! already.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::ImageIdentifier;
use camino::Utf8Path;
use paceline_assembly::{ImageAsset, ImageDestination, ImageSource};
use paceline_engine::{Ended, MadeOnce, Outcome, StepContext};
use paceline_host::{Docker, ToolError, run_tool};
use tokio::sync::{Mutex, OnceCell};

use super::push::Pusher;
use super::{AssetTarget, Images, already_there};
use crate::call::Caller;
use crate::error::{AwsError, ErrorKind, code};

/// Builds each image once, even if it has several destinations, and signs in to each registry once.
#[derive(Debug)]
pub(crate) struct ImagePublisher {
    images: Images,
    pub(super) pusher: Pusher,
    built: MadeOnce<String>,
    signed_in: Mutex<BTreeMap<String, Arc<OnceCell<()>>>>,
}

impl ImagePublisher {
    /// `docker` is a program that replaces the usual one.
    pub(crate) fn new(images: Images, docker: Option<String>) -> Self {
        let pusher = Pusher::new(Docker::new(docker));
        Self { images, pusher, built: MadeOnce::default(), signed_in: Mutex::default() }
    }

    /// Returns an error if this machine certainly cannot build images.
    pub(crate) async fn cannot_build(&self) -> Option<ToolError> {
        self.pusher.docker.is_missing().await
    }

    /// Returns whether images are pretended and not built.
    pub(crate) fn are_pretended(&self) -> bool {
        matches!(self.images, Images::Pretended { .. })
    }

    /// Builds the image and returns its local name.
    async fn build(
        &self,
        context: Option<&StepContext>,
        id: &str,
        asset: &ImageAsset,
        manifest: &Utf8Path,
    ) -> Result<String, AwsError> {
        let build = async {
            if let Images::Pretended { build, .. } = self.images {
                tokio::time::sleep(build).await;
                return Ok(String::new());
            }
            build(&self.pusher.docker, id, &asset.source, manifest).await
        };
        self.built.get_or_make(id, context, build).await
    }

    async fn sign_in(&self, caller: &Caller, client: &Client, registry: &str) -> Result<(), AwsError> {
        let cell = Arc::clone(self.signed_in.lock().await.entry(registry.to_owned()).or_default());
        cell.get_or_try_init(|| sign_in(&self.pusher, caller, client, registry)).await.copied()
    }
}

/// Builds and pushes an image asset, unless its tag exists.
pub(crate) async fn publish_image(
    publisher: &ImagePublisher,
    context: Option<&StepContext>,
    place: &AssetTarget,
    id: &str,
    asset: &ImageAsset,
    destination: &ImageDestination,
    manifest: &Utf8Path,
) -> Result<Ended, AwsError> {
    let AssetTarget { target, config, caller } = place;
    let client = Client::new(config);
    let (repository, tag) = (target.resolve(&destination.repository), target.resolve(&destination.tag));
    if exists(caller, &client, &repository, &tag).await? {
        return Ok(already_there());
    }
    if let Images::Pretended { push, .. } = publisher.images {
        publisher.build(context, id, asset, manifest).await?;
        tokio::time::sleep(push).await;
        return pretend(caller, &client, &repository, &tag).await;
    }
    let registry = format!(
        "{}.dkr.ecr.{}.{}",
        target.account,
        target.region,
        paceline_assembly::url_suffix(&target.region)
    );
    let remote = format!("{registry}/{repository}:{tag}");
    let (local, ()) = tokio::try_join!(
        publisher.build(context, id, asset, manifest),
        publisher.sign_in(caller, &client, &registry)
    )?;
    let pusher = &publisher.pusher;
    pusher.docker.tag(&local, &remote).await?;
    pusher.push(caller, &remote, || sign_in(pusher, caller, &client, &registry)).await?;
    Ok(Ended::new(Outcome::Deployed))
}

/// Puts a tag without an image into the repository, because readers of the image must find its tag.
async fn pretend(caller: &Caller, client: &Client, repository: &str, tag: &str) -> Result<Ended, AwsError> {
    let send = || client.put_image().repository_name(repository).image_tag(tag).image_manifest("{}").send();
    match caller.call("PutImage", send).await {
        // If the answer to the first try was lost, the tag exists by now.
        Err(error) if !error.is(code::IMAGE_ALREADY_EXISTS) => Err(error),
        _ => Ok(Ended::new(Outcome::Deployed).with_detail("pretended: nothing was built")),
    }
}

/// Returns whether an image is at its destination.
pub(crate) async fn image_is_there(
    place: &AssetTarget,
    destination: &ImageDestination,
) -> Result<bool, AwsError> {
    let AssetTarget { target, config, caller } = place;
    let (repository, tag) = (target.resolve(&destination.repository), target.resolve(&destination.tag));
    exists(caller, &Client::new(config), &repository, &tag).await
}

async fn exists(caller: &Caller, client: &Client, repository: &str, tag: &str) -> Result<bool, AwsError> {
    let image = ImageIdentifier::builder().image_tag(tag).build();
    let send = || client.describe_images().repository_name(repository).image_ids(image.clone()).send();
    match caller.call("DescribeImages", send).await {
        Ok(answer) => Ok(!answer.image_details().is_empty()),
        Err(error) => {
            let error = error.during(format!("DescribeImages in {repository}"));
            match error.kind {
                ErrorKind::Refused if error.is(code::IMAGE_NOT_FOUND) => Ok(false),
                ErrorKind::Refused if error.is(code::REPOSITORY_NOT_FOUND) => Err(error
                    .hint("bootstrap the environment (cdk bootstrap), or deploy the stack that creates it")),
                _ => Err(error),
            }
        }
    }
}

async fn sign_in(pusher: &Pusher, caller: &Caller, client: &Client, registry: &str) -> Result<(), AwsError> {
    let answer = caller.call("GetAuthorizationToken", || client.get_authorization_token().send()).await?;
    let token = answer.authorization_data().first().and_then(|data| data.authorization_token());
    let decoded = token.and_then(|token| aws_smithy_types::base64::decode(token).ok());
    let login = decoded.and_then(|login| String::from_utf8(login).ok());
    let Some((user, password)) = login.as_deref().and_then(|login| login.split_once(':')) else {
        return Err(AwsError::setup("GetAuthorizationToken answered without a token"));
    };
    pusher.login(caller, registry, user, password).await
}

async fn build(
    docker: &Docker,
    id: &str,
    source: &ImageSource,
    manifest: &Utf8Path,
) -> Result<String, AwsError> {
    let Some(directory) = &source.directory else {
        return made_by(source.executable.as_deref().unwrap_or_default(), manifest).await;
    };
    let local = format!("cdkasset-{}", id.to_ascii_lowercase());
    docker.build(&build_arguments(&local, source), directory).await?;
    Ok(local)
}

/// Runs the command of an asset, which prints the name of the image that it made.
async fn made_by(command: &[String], manifest: &Utf8Path) -> Result<String, AwsError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(AwsError::setup("the asset's command is empty"));
    };
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Ok(run_tool(program, &arguments, Some(manifest), None).await?)
}

/// The arguments of the build. They are in the order of the CDK CLI, so that both can use the same cached
/// layers.
fn build_arguments(local: &str, source: &ImageSource) -> Vec<String> {
    let mut arguments: Vec<String> = ["build", "--tag", local].map(str::to_owned).to_vec();
    let mut option = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
    for (key, value) in &source.build_args {
        option("--build-arg", &format!("{key}={value}"));
    }
    for (key, value) in &source.build_contexts {
        option("--build-context", &format!("{key}={value}"));
    }
    for (key, value) in &source.build_secrets {
        option("--secret", &format!("id={key},{value}"));
    }
    let optional = [
        ("--ssh", &source.build_ssh),
        ("--target", &source.build_target),
        ("--file", &source.docker_file),
        ("--network", &source.network_mode),
        ("--platform", &source.platform),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            option(name, value);
        }
    }
    for output in &source.outputs {
        option("--output", output);
    }
    for cache in &source.cache_from {
        option("--cache-from", &cache_option(&cache.kind, &cache.params));
    }
    if let Some(cache) = &source.cache_to {
        option("--cache-to", &cache_option(&cache.kind, &cache.params));
    }
    if source.cache_disabled {
        arguments.push("--no-cache".to_owned());
    }
    arguments.push(".".to_owned());
    arguments
}

fn cache_option(kind: &str, params: &BTreeMap<String, String>) -> String {
    let params = params.iter().map(|(key, value)| format!(",{key}={value}"));
    format!("type={kind}{}", params.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_of_the_manifest_becomes_an_option() {
        let source = ImageSource {
            directory: Some("app".into()),
            docker_file: Some("Dockerfile.prod".into()),
            build_args: [("A".to_owned(), "1".to_owned())].into(),
            platform: Some("linux/arm64".into()),
            cache_disabled: true,
            ..ImageSource::default()
        };
        let arguments = build_arguments("cdkasset-x", &source).join(" ");
        assert_eq!(
            arguments,
            "build --tag cdkasset-x --build-arg A=1 --file Dockerfile.prod --platform linux/arm64 --no-cache ."
        );
    }
}
