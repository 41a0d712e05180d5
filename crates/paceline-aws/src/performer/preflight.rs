//! Checks everything that can be known before the run changes anything. The checks run at the same time. All
//! findings are reported, each cause once.
//!
//! A plan that may succeed is not refused. If a check is not possible, the run has to find out.

use futures_util::future::join_all;
use paceline_assembly::{LegacyPackaging, Stack};
use paceline_host::{AssetDestination, AssetSource, asset_sources, source_problems};
use paceline_plan::{Plan, Publish, Work};

use super::Aws;
use crate::error::{AwsError, ErrorKind};
use crate::publish::{
    MissingFiles, file_is_there, image_is_there, legacy_bucket, legacy_image, legacy_is_there,
};

impl Aws {
    /// The obstacles for the plan in environments that can be reached, and notes about checks that were not
    /// possible.
    pub(crate) async fn preflight(&self, plan: &Plan) -> (Vec<AwsError>, Vec<String>) {
        let (quotas, legacy, sources, docker, parameters, prewarm, alarms) = tokio::join!(
            Box::pin(self.check_quotas(plan)),
            Box::pin(self.check_legacy_assets(plan)),
            Box::pin(self.check_sources(plan)),
            Box::pin(self.check_docker(plan)),
            Box::pin(self.check_parameters(plan)),
            Box::pin(self.check_prewarm(plan)),
            Box::pin(self.check_alarms(plan)),
        );
        let (mut errors, mut notes) = quotas;
        notes.extend(Box::pin(self.read_resource_limits(plan)).await);
        notes.extend(alarms.notes);
        for more in legacy
            .into_iter()
            .chain(sources)
            .chain(docker)
            .chain(parameters)
            .chain(prewarm)
            .chain(alarms.errors)
        {
            if !errors.contains(&more) {
                errors.push(more);
            }
        }
        (errors, notes)
    }

    /// The stacks that the plan deploys.
    pub(super) fn deployed<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a Stack> {
        let stacks = plan.steps.iter().filter_map(|step| match step.work {
            Work::Deploy { stack } => plan.stacks.get(stack),
            _ => None,
        });
        stacks.filter_map(|planned| self.assembly.stack(&planned.id))
    }

    /// Checks the bucket of the bootstrap stack, where assets in the style of CDK v1 are stored.
    async fn check_legacy_assets(&self, plan: &Plan) -> Vec<AwsError> {
        let looked = self.deployed(plan).map(|stack| async move {
            let (files, images): (Vec<_>, Vec<_>) = stack
                .legacy_assets
                .iter()
                .partition(|asset| matches!(asset.packaging, LegacyPackaging::S3 { .. }));
            let mut errors: Vec<AwsError> =
                images.into_iter().map(|asset| legacy_image(stack, asset)).collect();
            if !files.is_empty()
                && let Ok(environment) = self.environment(stack).await
            {
                let bucket = legacy_bucket(environment, stack).await;
                errors.extend(bucket.err().filter(|error| error.kind == ErrorKind::Setup));
            }
            errors
        });
        join_all(looked).await.into_iter().flatten().collect()
    }

    /// Checks the sources of assets. A source that cannot be read is no problem if the asset is published
    /// already.
    async fn check_sources(&self, plan: &Plan) -> Vec<AwsError> {
        if self.options.missing_files == MissingFiles::Pretended {
            return Vec::new();
        }
        let sources = asset_sources(&self.assembly, plan);
        let look = move || sources.into_iter().filter_map(AssetSource::look).collect::<Vec<_>>();
        let Ok(found) = tokio::task::spawn_blocking(look).await else { return Vec::new() };
        let looked = found.iter().map(|asset| async move {
            let Some(stack) = self.assembly.stack(&asset.stack) else { return false };
            match &asset.to {
                AssetDestination::Manifest(all) => {
                    let all = join_all(all.iter().map(|publish| self.is_published(stack, publish))).await;
                    all.into_iter().all(|is_there| is_there.unwrap_or(false))
                }
                AssetDestination::Toolkit(asset) => match self.environment(stack).await {
                    Ok(environment) => legacy_is_there(environment, stack, asset).await.unwrap_or(false),
                    Err(_) => false,
                },
            }
        });
        let is_there = join_all(looked).await;
        let missing = found.iter().zip(is_there).filter(|(_, is_there)| !is_there);
        let missing: Vec<_> = missing.map(|(asset, _)| asset.clone()).collect();
        let problems = source_problems(&missing).into_iter();
        problems.map(|problem| AwsError { hint: problem.hint, ..AwsError::setup(problem.message) }).collect()
    }

    /// Returns whether an asset is at its destination.
    pub(super) async fn is_published(&self, stack: &Stack, publish: &Publish) -> Result<bool, AwsError> {
        let (asset, to) = (&publish.asset, &publish.destination);
        let gone = || AwsError::setup(format!("the asset {asset} is not in the manifest of {}", stack.id));
        let home = self.target(stack).await?;
        if publish.image {
            let to = stack.assets.images.get(asset).and_then(|asset| asset.destinations.get(to));
            let to = to.ok_or_else(gone)?;
            let place = self.destination(None, home, to.region.as_ref(), to.role.as_ref()).await?;
            image_is_there(&place, to).await
        } else {
            let asset = stack.assets.files.get(asset).ok_or_else(gone)?;
            let to = asset.destinations.get(to).ok_or_else(gone)?;
            let place = self.destination(None, home, to.region.as_ref(), to.role.as_ref()).await?;
            file_is_there(&place, asset, to).await
        }
    }
}
