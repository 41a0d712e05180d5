//! Checks whether a Docker can build, if images must be built.

use futures_util::future::join_all;
use paceline_plan::{Plan, Publish, Work};
use paceline_text::{distinct, first_few};

use super::Aws;
use crate::error::AwsError;

/// The greatest number of images that are listed.
const NAMED: usize = 3;

impl Aws {
    /// Asks docker once. Only if docker cannot build, asks the registries, because an image that exists need
    /// not be built.
    pub(crate) async fn check_docker(&self, plan: &Plan) -> Option<AwsError> {
        let built = |publish: &&Publish| {
            let stack = self.assembly.stack(&publish.manifest);
            let asset = stack.and_then(|stack| stack.assets.images.get(&publish.asset));
            publish.image && asset.is_some_and(|asset| asset.source.directory.is_some())
        };
        let images = plan.steps.iter().filter_map(|step| match &step.work {
            Work::Publish(publish) => Some(publish),
            _ => None,
        });
        let images: Vec<&Publish> = images.filter(built).collect();
        if images.is_empty() || self.images.are_pretended() {
            return None;
        }
        let error = AwsError::from(self.images.cannot_build().await?);
        let looked = images.iter().map(|publish| async move {
            match self.assembly.stack(&publish.manifest) {
                Some(stack) => self.is_published(stack, publish).await.unwrap_or(false),
                None => false,
            }
        });
        let is_there = join_all(looked).await;
        let needed = images.iter().zip(is_there).filter(|(_, is_there)| !is_there);
        let needed = distinct(needed.map(|(publish, _)| publish.title.as_str()));
        let named = first_few(&needed, NAMED);
        let images = match needed.len() {
            0 => return None,
            1 => format!("the image {named} has"),
            count => format!("{count} images ({named}) have"),
        };
        let message = format!("{images} to be built, and {error}");
        Some(error.with_message(message))
    }
}
