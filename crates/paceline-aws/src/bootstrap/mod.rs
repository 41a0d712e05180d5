//! Checks whether the bootstrap of an environment is sufficient for its stacks, and bootstraps environments.

mod environments;

use aws_config::SdkConfig;

use crate::environment::Environment;
use crate::environment::describe;
use crate::error::{AwsError, ErrorKind};
use crate::target::Target;

pub use environments::{Bootstrapper, Bootstrapping};

/// The requirements of the stacks of an environment on its bootstrap stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Required {
    pub(crate) version: u32,
    pub(crate) parameter: Option<String>,
}

/// The version since which the deploy role may list stacks.
const LISTS_SINCE: u32 = 28;
/// The version since which the deploy role may call `RollbackStack` (aws-cdk#31407).
const ROLLS_BACK_SINCE: u32 = 23;

/// Notes what the deploy role of a bootstrap of this version may not do. `None` is a role of which nothing is known.
pub(crate) fn limit_to_rights(environment: &Environment, version: Option<u32>) {
    // A role of one's own is asked whether it may list. Whether it may roll back shows only when that is needed.
    if version.is_some_and(|version| version < LISTS_SINCE) {
        environment.poller.never_list();
    }
    if version.is_none_or(|version| version < ROLLS_BACK_SINCE) {
        environment.never_roll_back();
    }
}

/// Refuses an environment without a sufficient bootstrap. Returns the version of the bootstrap.
pub(crate) async fn check(
    environment: &Environment,
    config: &SdkConfig,
    required: &Required,
) -> Result<u32, AwsError> {
    let found = version(environment, config, required).await?;
    match shortage(&environment.target, found, required) {
        None => Ok(found.unwrap_or_default()),
        Some(why) => {
            let run = format!("run: paceline bootstrap, or: cdk bootstrap aws://{}", environment.target);
            Err(AwsError::setup(why).hint(run))
        }
    }
}

/// A sentence that says what an environment lacks. `None` if it lacks nothing.
fn shortage(target: &Target, found: Option<u32>, required: &Required) -> Option<String> {
    match found {
        None => Some(format!("aws://{target} is not bootstrapped")),
        Some(version) if version < required.version => Some(format!(
            "aws://{target} is bootstrapped with version {version}, the app needs {}",
            required.version
        )),
        Some(_) => None,
    }
}

/// The version of the bootstrap of an environment.
pub(crate) async fn version(
    environment: &Environment,
    config: &SdkConfig,
    required: &Required,
) -> Result<Option<u32>, AwsError> {
    let found = match &required.parameter {
        Some(parameter) => match read_parameter(environment, config, parameter).await {
            Ok(found) => found,
            // Older bootstrap stacks do not let the deploy role read the parameter.
            Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::Refused) => None,
            Err(error) => {
                let what = format!("the bootstrap version of aws://{}", environment.target);
                return Err(error.during(what));
            }
        },
        None => None,
    };
    match found {
        Some(version) => Ok(Some(version)),
        None => toolkit_version(environment).await,
    }
}

async fn read_parameter(
    environment: &Environment,
    config: &SdkConfig,
    name: &str,
) -> Result<Option<u32>, AwsError> {
    let client = aws_sdk_ssm::Client::new(config);
    let send = || client.get_parameter().name(name).send();
    let answer = environment.call(None, "GetParameter", send).await?;
    Ok(answer.parameter().and_then(|parameter| parameter.value()).and_then(|value| value.parse().ok()))
}

async fn toolkit_version(environment: &Environment) -> Result<Option<u32>, AwsError> {
    let stack = describe(environment, environment.toolkit()).await?;
    let outputs = stack.as_ref().map(aws_sdk_cloudformation::types::Stack::outputs).unwrap_or_default();
    let version = outputs.iter().find(|output| output.output_key() == Some("BootstrapVersion"));
    Ok(version.and_then(|output| output.output_value()).and_then(|value| value.parse().ok()))
}
