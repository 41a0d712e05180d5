//! What the bootstrap stack of an environment offers to apps that do not name it themselves.

use crate::bootstrap::TOOLKIT;
use crate::environment::Environment;
use crate::environment::describe;
use crate::error::AwsError;

/// What the stack `CDKToolkit` offers.
#[derive(Debug, Clone)]
pub(crate) struct Toolkit {
    /// Its bucket for files.
    pub(crate) bucket: String,
}

impl Toolkit {
    /// Asks the environment, once for all who want to know; `None` when there is no such stack.
    pub(crate) async fn of(environment: &Environment) -> Result<Option<Self>, AwsError> {
        let bucket = environment.bucket.get_or_try_init(|| find(environment)).await?;
        Ok(bucket.clone().map(|bucket| Self { bucket }))
    }
}

async fn find(environment: &Environment) -> Result<Option<String>, AwsError> {
    let stack = describe(environment, TOOLKIT).await?;
    let outputs = stack.as_ref().map(aws_sdk_cloudformation::types::Stack::outputs).unwrap_or_default();
    let bucket = outputs.iter().find(|output| output.output_key() == Some("BucketName"));
    Ok(bucket.and_then(|output| output.output_value()).map(str::to_owned))
}
