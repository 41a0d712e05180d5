//! Whether an environment is bootstrapped well enough for the stacks that go there.

use aws_config::SdkConfig;

use crate::environment::Environment;
use crate::poller::describe;
use crate::trouble::{Kind, Trouble};

/// The name of the bootstrap stack, unless someone chose another.
pub(crate) const TOOLKIT: &str = "CDKToolkit";

/// What the stacks of an environment require of its bootstrap stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Required {
    pub(crate) version: u32,
    pub(crate) parameter: Option<String>,
}

/// Refuses an environment that is not bootstrapped, or not well enough.
pub(crate) async fn check(
    environment: &Environment,
    config: &SdkConfig,
    required: &Required,
) -> Result<(), Trouble> {
    let name = format!("aws://{}", environment.target);
    let found = match &required.parameter {
        Some(parameter) => match read_parameter(config, parameter).await {
            Ok(found) => found,
            // Older bootstrap stacks do not let the deploy role read the parameter.
            Err(trouble) if matches!(trouble.kind, Kind::Denied | Kind::Refused) => None,
            Err(trouble) => return Err(trouble.during(format!("the bootstrap version of {name}"))),
        },
        None => None,
    };
    let found = match found {
        Some(version) => Some(version),
        None => toolkit_version(environment).await?,
    };
    let run = format!("run: cdk bootstrap {name}");
    match found {
        None => Err(Trouble::setup(format!("{name} is not bootstrapped")).hint(run)),
        Some(version) if version < required.version => {
            let message =
                format!("{name} is bootstrapped with version {version}, the app needs {}", required.version);
            Err(Trouble::setup(message).hint(run))
        }
        Some(_) => Ok(()),
    }
}

async fn read_parameter(config: &SdkConfig, name: &str) -> Result<Option<u32>, Trouble> {
    let client = aws_sdk_ssm::Client::new(config);
    let answer = client.get_parameter().name(name).send().await;
    let answer = answer.map_err(|error| Trouble::of("GetParameter", &error))?;
    Ok(answer.parameter().and_then(|parameter| parameter.value()).and_then(|value| value.parse().ok()))
}

async fn toolkit_version(environment: &Environment) -> Result<Option<u32>, Trouble> {
    let stack = describe(environment, TOOLKIT).await?;
    let outputs = stack.as_ref().map(aws_sdk_cloudformation::types::Stack::outputs).unwrap_or_default();
    let version = outputs.iter().find(|output| output.output_key() == Some("BootstrapVersion"));
    Ok(version.and_then(|output| output.output_value()).and_then(|value| value.parse().ok()))
}
