//! Creates repositories that stacks need, before those stacks.
//!
//! Nothing is lost if somebody else creates a repository at the same time: then it is there. A repository that is there is
//! left as it is.

use aws_sdk_ecr::Client;
use paceline_assembly::Stack;
use paceline_engine::{Ended, Outcome, StepContext};
use paceline_plan::{Plan, Prewarm, Work};

use super::Aws;
use crate::error::{AwsError, ErrorKind, code};
use crate::target::Target;

impl Aws {
    /// Creates a repository with the credentials of the run itself, unless it is there.
    pub(super) async fn prewarm(
        &self,
        context: &StepContext,
        stack: &Stack,
        prewarm: &Prewarm,
    ) -> Result<Ended, AwsError> {
        let target = self.place_of(stack, prewarm).await?;
        let config = self.sessions.assume(None, &target).await?;
        let client = Client::new(&config);
        let caller = self.sessions.caller(&target).of_step(context);
        let name = &prewarm.repository;
        let look = || client.describe_repositories().repository_names(name).send();
        match caller.call("DescribeRepositories", look).await {
            Ok(_) => return Ok(Ended::new(Outcome::Unchanged).with_detail("it is there")),
            // Without the right to look, the creation shows whether it is there.
            Err(error) if error.is(code::REPOSITORY_NOT_FOUND) || error.kind == ErrorKind::Denied => {}
            Err(error) => return Err(error),
        }
        let create = || client.create_repository().repository_name(name).send();
        match caller.call("CreateRepository", create).await {
            Ok(_) => Ok(Ended::new(Outcome::Deployed).with_detail("created")),
            // Somebody else was faster, or the answer to the first try was lost.
            Err(error) if error.is(code::REPOSITORY_ALREADY_EXISTS) => {
                Ok(Ended::new(Outcome::Unchanged).with_detail("it is there"))
            }
            Err(error) if error.kind == ErrorKind::Denied => {
                let hint = format!(
                    "allow ecr:CreateRepository for {name} in {target}, or create it and leave it out of `prewarm` in \
                     paceline.yaml"
                );
                Err(error.hint(hint))
            }
            Err(error) => Err(error),
        }
    }

    /// An error if repositories would be created in accounts other than that of the credentials.
    pub(super) async fn check_prewarm(&self, plan: &Plan) -> Option<AwsError> {
        let account = self.sessions.account().await.ok()?;
        for step in &plan.steps {
            let Work::Prewarm(prewarm) = &step.work else { continue };
            let Some(stack) = self.assembly.stack(&plan.stack_of(step).id) else { continue };
            let Ok(target) = self.place_of(stack, prewarm).await else { continue };
            if target.account != account {
                let message = format!(
                    "the repository {} is to be created in the account {}, and the credentials are those of {account}",
                    prewarm.repository, target.account
                );
                let hint = "`prewarm` in paceline.yaml creates repositories with the credentials of the build: create those \
                            of other accounts in a stack";
                return Some(AwsError::setup(message).hint(hint));
            }
        }
        None
    }

    async fn place_of(&self, stack: &Stack, prewarm: &Prewarm) -> Result<Target, AwsError> {
        let own = self.target(stack).await?;
        Ok(Target {
            account: prewarm.account.clone().unwrap_or(own.account),
            region: prewarm.region.clone().unwrap_or(own.region),
        })
    }
}
