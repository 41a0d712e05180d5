//! The environments of a plan, and the bootstrap of each.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use futures_util::future::join_all;
use paceline_assembly::{Assembly, Role, Stack};
use paceline_host::{BootstrapCli, BootstrapStack};
use paceline_plan::Plan;

use super::{Required, shortage, version};
use crate::environment::{Environment, TOOLKIT};
use crate::error::PreflightError;
use crate::error::{AwsError, ErrorKind};
use crate::sdk::Wire;
use crate::session::Sessions;
use crate::target::Target;

/// The qualifier of a bootstrap, unless someone chose another one.
const QUALIFIER: &str = "hnb659fds";

/// Finds out how the environments of plans are bootstrapped.
#[derive(Debug)]
pub struct Bootstrapper {
    sessions: Sessions,
}

/// An environment in which stacks need a bootstrap.
#[derive(Debug, Clone)]
pub struct Bootstrapping {
    /// The app of the first of these stacks. `None` if there is only one app.
    pub app: Option<String>,
    /// A sentence that says what the environment lacks. `None` if it has what the stacks need.
    pub lacks: Option<String>,
    target: Target,
    required: Required,
    /// The qualifier. Unknown if the parameter of the version has a name that the CDK does not use.
    qualifier: Option<String>,
    /// The name of the bootstrap stack, which may not exist yet.
    toolkit: String,
    role: Option<Role>,
    /// True if the environment could not be read, so that `lacks` is a conclusion.
    unseen: bool,
}

impl Bootstrapper {
    /// Opens sessions with the base credentials and finds out their account.
    pub async fn connect(wire: &Wire, plan: &Plan) -> Result<Self, PreflightError> {
        let sessions = Sessions::among(wire, plan.stacks.iter().map(|stack| stack.region.as_deref())).await?;
        sessions.account().await?;
        Ok(Self { sessions })
    }

    /// The environments in which stacks of the plan need a bootstrap, and what each lacks.
    pub async fn look(&self, assembly: &Assembly, plan: &Plan) -> Result<Vec<Bootstrapping>, PreflightError> {
        let mut wanted: BTreeMap<(Target, Option<String>), Bootstrapping> = BTreeMap::new();
        for stack in plan.stacks.iter().filter_map(|planned| assembly.stack(&planned.id)) {
            let Some(needed) = &stack.bootstrap else { continue };
            let target = self.sessions.target(stack).await?;
            let parameter = &needed.ssm_parameter;
            let entry = wanted.entry((target.clone(), parameter.clone()));
            let found = entry.or_insert_with(|| Bootstrapping::of(stack, target, parameter.clone()));
            found.required.version = found.required.version.max(needed.required_version);
        }
        let looked = join_all(wanted.into_values().map(|wanted| self.look_at(wanted))).await;
        let (good, bad): (Vec<_>, Vec<_>) = looked.into_iter().partition(Result::is_ok);
        let errors: Vec<AwsError> = bad.into_iter().filter_map(Result::err).collect();
        if errors.is_empty() { Ok(good.into_iter().flatten().collect()) } else { Err(PreflightError(errors)) }
    }

    /// Bootstraps an environment, and then checks whether it has what the stacks need. Calls `line` with each
    /// printed line.
    pub async fn perform(
        &self,
        cli: &BootstrapCli,
        bootstrapping: &Bootstrapping,
        mut line: impl FnMut(String),
    ) -> Result<(), AwsError> {
        let place = bootstrapping.place();
        if bootstrapping.qualifier.is_none() {
            let parameter = bootstrapping.required.parameter.as_deref().unwrap_or_default();
            let message =
                format!("aws://{place}: `{parameter}` is not a version that `cdk bootstrap` writes");
            return Err(
                AwsError::setup(message).hint("bootstrap it with your own template, as it was before")
            );
        }
        let stack = bootstrapping.stack();
        line(format!("$ {}", cli.line(&stack)));
        cli.run(&stack, line).await.map_err(|error| {
            let message =
                format!("aws://{place}: `{} bootstrap` failed: {}", cli.command, error.with_source());
            let hint = if error.is_not_found() {
                "install the CDK CLI (npm install aws-cdk), or say how it is called with --cdk"
            } else {
                "its whole output is above; `paceline bootstrap` continues with the rest"
            };
            AwsError::setup(message).hint(hint)
        })?;
        Box::pin(self.confirm(bootstrapping)).await
    }

    /// Refuses an environment that still lacks something. An environment that cannot be read is accepted.
    async fn confirm(&self, bootstrapping: &Bootstrapping) -> Result<(), AwsError> {
        let now = Box::pin(self.look_at(bootstrapping.clone())).await?;
        match now.lacks.filter(|_| !now.unseen) {
            None => Ok(()),
            Some(lacks) => {
                let message = format!("the CDK CLI has ended well, but {lacks} still");
                Err(AwsError::setup(message).hint("use a newer CDK CLI: npm install aws-cdk@latest"))
            }
        }
    }

    async fn look_at(&self, mut wanted: Bootstrapping) -> Result<Bootstrapping, AwsError> {
        let Some(config) = Box::pin(self.config(&wanted)).await? else {
            let what = format!("aws://{} is not bootstrapped, or not for these credentials", wanted.target);
            return Ok(Bootstrapping { lacks: Some(what), unseen: true, ..wanted });
        };
        let target = wanted.target.clone();
        let caller = self.sessions.caller(&target);
        let environment = Environment::new(target, &config, caller, BTreeSet::new());
        let found = version(&environment, &config, &wanted.required).await?;
        wanted.unseen = false;
        wanted.lacks = shortage(&wanted.target, found, &wanted.required);
        if let (Some(_), Some(qualifier)) = (&wanted.lacks, &wanted.qualifier) {
            wanted.toolkit = toolkit(&environment, qualifier).await?;
        }
        Ok(wanted)
    }

    /// The configuration for reading an environment: that of the deploy role, or the base credentials,
    /// because without a bootstrap there is no role. `None` if the environment is in another account and has
    /// no such role.
    async fn config(&self, wanted: &Bootstrapping) -> Result<Option<SdkConfig>, AwsError> {
        match self.sessions.assume(wanted.role.as_ref(), &wanted.target).await {
            Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::Refused) => {
                if self.sessions.account().await? != wanted.target.account {
                    return Ok(None);
                }
                self.sessions.assume(None, &wanted.target).await.map(Some)
            }
            assumed => assumed.map(Some),
        }
    }
}

impl Bootstrapping {
    fn of(stack: &Stack, target: Target, parameter: Option<String>) -> Self {
        let qualifier = match &parameter {
            None => Some(QUALIFIER),
            Some(name) => name.strip_prefix("/cdk-bootstrap/").and_then(|name| name.strip_suffix("/version")),
        };
        Self {
            app: stack.app.clone(),
            lacks: None,
            qualifier: qualifier.map(ToOwned::to_owned),
            toolkit: TOOLKIT.to_owned(),
            required: Required { version: 0, parameter },
            role: stack.deploy_role.clone(),
            target,
            unseen: false,
        }
    }

    /// The bootstrap stack of the environment, for the CDK CLI.
    pub fn stack(&self) -> BootstrapStack {
        BootstrapStack {
            environment: format!("aws://{}", self.target),
            qualifier: self.qualifier.clone().unwrap_or_default(),
            name: self.toolkit.clone(),
        }
    }

    /// The environment as the CDK writes it, but without `aws://`.
    pub fn place(&self) -> String {
        self.target.to_string()
    }
}

/// The name of the bootstrap stack with this qualifier. If there is none, a name that is free.
async fn toolkit(environment: &Environment, qualifier: &str) -> Result<String, AwsError> {
    let (mut token, mut usual_is_taken) = (None, false);
    loop {
        let send = || environment.client.describe_stacks().set_next_token(token.clone()).send();
        let page = match environment.call(None, "DescribeStacks", send).await {
            Ok(page) => page,
            // The deploy role of a very old bootstrap may not list stacks. Then the stack has the usual name.
            Err(error) if error.kind == ErrorKind::Denied => break,
            Err(error) => return Err(error),
        };
        for stack in page.stacks() {
            let name = stack.stack_name().unwrap_or_default();
            let is_toolkit = name == TOOLKIT
                || stack.outputs().iter().any(|output| output.output_key() == Some("BootstrapVersion"));
            let of =
                stack.parameters().iter().find(|parameter| parameter.parameter_key() == Some("Qualifier"));
            match of.and_then(|parameter| parameter.parameter_value()).filter(|_| is_toolkit) {
                Some(of) if of == qualifier => return Ok(name.to_owned()),
                Some(_) if name == TOOLKIT => usual_is_taken = true,
                _ => {}
            }
        }
        token = page.next_token().map(ToOwned::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(if usual_is_taken { format!("{TOOLKIT}-{qualifier}") } else { TOOLKIT.to_owned() })
}
