//! The bootstrap stack of an environment, for apps that do not name it themselves.

use crate::environment::Environment;
use crate::environment::describe;
use crate::error::AwsError;

/// The part of the stack `CDKToolkit` that apps use.
#[derive(Debug, Clone)]
pub(crate) struct Toolkit {
    /// The bucket for files.
    pub(crate) bucket: String,
}

impl Toolkit {
    /// Reads the stack once for each environment. `None` if it does not exist.
    pub(crate) async fn of(environment: &Environment) -> Result<Option<Self>, AwsError> {
        let bucket = environment.bucket.get_or_try_init(|| find(environment)).await?;
        Ok(bucket.clone().map(|bucket| Self { bucket }))
    }
}

async fn find(environment: &Environment) -> Result<Option<String>, AwsError> {
    let stack = describe(environment, environment.toolkit()).await?;
    let outputs = stack.as_ref().map(aws_sdk_cloudformation::types::Stack::outputs).unwrap_or_default();
    let bucket = outputs.iter().find(|output| output.output_key() == Some("BucketName"));
    Ok(bucket.and_then(|output| output.output_value()).map(str::to_owned))
}
