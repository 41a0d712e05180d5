//! Publishes assets of CDK v1 apps. They are stored in the bucket of the bootstrap stack. Parameters tell the
//! stack where they are.

use std::collections::BTreeMap;

use paceline_assembly::{FileSource, LegacyAsset, LegacyPackaging, Packaging, Stack};

use super::MissingFiles;
use super::bucket::Bucket;
use super::files::{is_there, upload_or_pretend};
use super::toolkit::Toolkit;
use crate::call::Caller;
use crate::environment::Environment;
use crate::error::AwsError;

/// Uploads a stack's legacy assets, unless they exist. Returns the values of the parameters that tell the
/// stack where they are.
pub(crate) async fn publish_legacy(
    environment: &Environment,
    caller: &Caller,
    stack: &Stack,
    missing: MissingFiles,
) -> Result<BTreeMap<String, String>, AwsError> {
    let mut parameters = BTreeMap::new();
    for asset in &stack.legacy_assets {
        let LegacyPackaging::S3 { zip, bucket_parameter, key_parameter, hash_parameter } = &asset.packaging
        else {
            return Err(legacy_image(stack, asset));
        };
        let bucket = legacy_bucket(environment, stack).await?;
        let packaging = if *zip { Packaging::Zip } else { Packaging::File };
        let (folder, file) = key(asset, *zip);
        let source = FileSource::Path { path: asset.path.clone(), packaging };
        let to = Bucket::new(&environment.config, caller, &bucket);
        upload_or_pretend(&to, &format!("{folder}{file}"), &source, missing).await?;
        parameters.insert(bucket_parameter.clone(), bucket);
        parameters.insert(key_parameter.clone(), format!("{folder}||{file}"));
        parameters.insert(hash_parameter.clone(), asset.source_hash.clone());
    }
    Ok(parameters)
}

/// The bucket for assets in the style of CDK v1.
pub(crate) async fn legacy_bucket(environment: &Environment, stack: &Stack) -> Result<String, AwsError> {
    if let Some(toolkit) = Toolkit::of(environment).await? {
        return Ok(toolkit.bucket);
    }
    let place = format!("aws://{}", environment.target);
    let message = format!(
        "{} has assets in the manner of CDK v1, for which there is no bucket: {place} has no stack {}",
        stack.id,
        environment.toolkit()
    );
    Err(AwsError::setup(message).hint(format!("run: cdk bootstrap {place}")))
}

/// Returns whether a legacy asset is in that bucket.
pub(crate) async fn legacy_is_there(
    environment: &Environment,
    stack: &Stack,
    asset: &LegacyAsset,
) -> Result<bool, AwsError> {
    let LegacyPackaging::S3 { zip, .. } = &asset.packaging else { return Ok(false) };
    let packaging = if *zip { Packaging::Zip } else { Packaging::File };
    let (folder, file) = key(asset, *zip);
    let source = FileSource::Path { path: asset.path.clone(), packaging };
    let (bucket, caller) = (legacy_bucket(environment, stack).await?, environment.caller(None));
    let bucket = Bucket::new(&environment.config, &caller, &bucket);
    is_there(&bucket, &format!("{folder}{file}"), &source).await
}

/// The folder and the file name in the bucket. Templates join the two parts of the key parameter.
fn key(asset: &LegacyAsset, zip: bool) -> (String, String) {
    let folder =
        if asset.id == asset.source_hash { "assets/".to_owned() } else { format!("assets/{}/", asset.id) };
    let extension = if zip { Some("zip") } else { asset.path.extension() };
    let extension = extension.map(|extension| format!(".{extension}")).unwrap_or_default();
    (folder, format!("{}{extension}", asset.source_hash))
}

/// The error that images in the style of CDK v1 are not supported.
pub(crate) fn legacy_image(stack: &Stack, asset: &LegacyAsset) -> AwsError {
    let message = format!(
        "{} has the container image {} in the manner of CDK v1, which is not supported",
        stack.id, asset.id
    );
    AwsError::setup(message)
        .hint("synthesize the app with the feature flag @aws-cdk/core:newStyleStackSynthesis, or with CDK v2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_cdk() {
        let asset = |id: &str, path: &str| LegacyAsset {
            id: id.to_owned(),
            path: path.into(),
            source_hash: "h".to_owned(),
            packaging: LegacyPackaging::S3 {
                zip: true,
                bucket_parameter: String::new(),
                key_parameter: String::new(),
                hash_parameter: String::new(),
            },
        };
        let text = |asset, zip| {
            let (folder, file) = key(&asset, zip);
            format!("{folder}||{file}")
        };
        assert_eq!(text(asset("h", "asset.h"), true), "assets/||h.zip");
        assert_eq!(text(asset("Code", "asset.h/a.py"), false), "assets/Code/||h.py");
        assert_eq!(text(asset("h", "asset"), false), "assets/||h");
    }
}
