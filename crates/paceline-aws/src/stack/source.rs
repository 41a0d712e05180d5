//! Decides from where CloudFormation gets a stack's template.

use paceline_assembly::{LARGEST_TEMPLATE, LONGEST_BODY, Stack, read_regular_text};

use crate::call::Caller;
use crate::environment::Environment;
use crate::error::AwsError;
use crate::publish::{Bucket, Toolkit, upload_text};
use crate::target::Target;

/// The variable for another S3 endpoint in template URLs for CloudFormation, as in the CDK CLI.
const S3_FOR_CLOUDFORMATION: &str = "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION";

/// The place from which CloudFormation gets the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Url(String),
    Body(String),
}

/// The source of the template: the object that the assembly names, or the template itself if it is short
/// enough, or an object that is uploaded to the bucket of the bootstrap stack.
pub(crate) async fn source(
    environment: &Environment,
    caller: &Caller,
    stack: &Stack,
) -> Result<Source, AwsError> {
    let target = &environment.target;
    if let Some(url) = &stack.template_url {
        return Ok(Source::Url(https(&target.resolve(url), target)));
    }
    let text = read_regular_text(&stack.template_path, LARGEST_TEMPLATE)
        .map_err(|error| AwsError::setup(format!("cannot read the template: {error}")))?;
    if text.len() <= LONGEST_BODY {
        return Ok(Source::Body(text));
    }
    // Many templates are short enough without their indentation.
    let compact = stack.template.value().to_string();
    if compact.len() <= LONGEST_BODY {
        return Ok(Source::Body(compact));
    }
    let length = compact.len();
    let Some(toolkit) = Toolkit::of(environment).await? else {
        let message = format!(
            "the template of {} has {length} bytes, CloudFormation takes {LONGEST_BODY} in a call, \
             and there is no S3 object for it: neither does the assembly name one, nor is there a bucket \
             of the stack {} to put it into",
            stack.id,
            environment.toolkit(),
        );
        return Err(AwsError::setup(message).hint(format!("run: cdk bootstrap aws://{target}")));
    };
    let key = format!("cdk/{}/{}.json", stack.artifact_id, stack.template.digest());
    let bucket = Bucket::new(&environment.config, caller, &toolkit.bucket);
    upload_text(&bucket, &key, compact).await?;
    Ok(Source::Url(https(&format!("s3://{}/{key}", toolkit.bucket), target)))
}

/// Converts `s3://bucket/key` to the form that CloudFormation requires.
fn https(url: &str, target: &Target) -> String {
    let Some(object) = url.strip_prefix("s3://") else { return url.to_owned() };
    match std::env::var(S3_FOR_CLOUDFORMATION) {
        Ok(endpoint) if !endpoint.is_empty() => format!("{}/{object}", endpoint.trim_end_matches('/')),
        _ => {
            let suffix = paceline_assembly::url_suffix(&target.region);
            format!("https://s3.{}.{suffix}/{object}", target.region)
        }
    }
}
