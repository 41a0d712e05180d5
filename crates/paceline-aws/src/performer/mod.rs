//! Performs the steps of a plan on AWS.

mod account_quotas;
mod before_deletion;
mod before_rollback;
mod buckets;
mod copies;
mod docker;
mod given;
mod late;
mod obstacles;
mod options;
mod preflight;
mod prepared;
mod prewarm;
mod quota;
mod resource_limits;
mod rollout;
mod taken_names;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock};

use futures_util::future::join_all;
use paceline_assembly::{Assembly, Role, Stack};
use paceline_config::{OnFailure, Rollback};
use paceline_engine::rollback::Captures;
use paceline_engine::{Ended, Finding, Outcome, Perform, PreparedStack, StepContext};
use paceline_host::run_command;
use paceline_plan::{Gate, Plan, Publish, Work};

use self::given::gives_secrets;
use self::late::Later;
use self::obstacles::{Obstacle, each_cause_once};
use self::resource_limits::ResourceLimits;
use crate::bootstrap::{self, Required};
use crate::environment::{Environment, ask};
use crate::error::{AwsError, PreflightError};
use crate::gates::{self, Triggered};
use crate::inputs::{Environments, Readers, StackInputs};
use crate::publish::{
    AssetTarget, BucketListing, ImagePublisher, publish_file, publish_image, publish_legacy,
};
use crate::records::Records;
use crate::run_copy::RunCopy;
use crate::service_report::{Questions, Refused};
use crate::session::Sessions;
use crate::stack::{
    Deletion, Deployment, GOES_ON, Method, OperationSettings, Request, SecretKey, TokenKey, source,
};
use crate::staging::StagingBucket;
use crate::target::Target;

pub use self::late::{LateApp, LateSynthesis};
pub use self::options::AwsOptions;
pub use self::quota::template_limits;

/// Performs the steps of a plan on AWS.
#[derive(Debug)]
pub struct Aws {
    pub(crate) assembly: Arc<Assembly>,
    pub(crate) options: AwsOptions,
    pub(crate) later: Later,
    pub(crate) sessions: Sessions,
    /// The environments by account, region and the ARN of the deploy role. Apps with several bootstraps have
    /// several roles.
    environments: Environments,
    /// The readers of what stacks read from elsewhere.
    readers: Arc<Readers>,
    pub(crate) images: ImagePublisher,
    secret_key: SecretKey,
    notes: Vec<String>,
    /// The services that the run may not ask about resources.
    refused: Refused,
    /// The records of what was deployed, by bucket.
    records: Mutex<BTreeMap<String, Arc<Records>>>,
    /// The listings of the buckets to which the run publishes files, by the name of the bucket.
    listings: BTreeMap<String, BucketListing>,
    /// The staging buckets, by name.
    staging: Mutex<BTreeMap<String, Arc<StagingBucket>>>,
    /// The numbers of resources that may be in stack operations, by account and region, as far as they were read.
    resource_limits: ResourceLimits,
    /// The copy of the run in a staging bucket, if there is one.
    copy: OnceLock<Arc<RunCopy>>,
    /// What CloudFormation found wrong with change sets, by stack.
    findings: Mutex<BTreeMap<String, Vec<Finding>>>,
    /// The alarms that had gone off before the run, if the plan has a rollout.
    triggered_before: OnceLock<BTreeSet<Triggered>>,
    /// What the run has prepared, by stack.
    prepared: Mutex<BTreeMap<String, PreparedStack>>,
}

impl Aws {
    /// Finds out the account of the credentials, assumes the roles for deploying and publishing, and checks
    /// for obstacles: the bootstrap of each environment, CloudFormation's limits, missing sources, and
    /// parameters without a value. Changes nothing.
    pub async fn connect(
        assembly: Arc<Assembly>,
        plan: &Plan,
        options: AwsOptions,
    ) -> Result<Self, PreflightError> {
        let has_secrets = gives_secrets(&assembly, plan, &options);
        let secret_key = SecretKey::new(if has_secrets { &options.token_key } else { &TokenKey::Process });
        let secret_key = secret_key.map_err(|error| {
            AwsError::setup(format!("cannot keep the key for secret parameters: {error}"))
                .hint("make the folder and its files writable for you")
        })?;
        let regions = plan.stacks.iter().map(|stack| stack.region.as_deref());
        let sessions = Sessions::among(&options.wire, regions).await?;
        sessions.allow_faster(plan.concurrency.api_rates.get());
        sessions.account().await?;
        let mut aws = Self {
            images: ImagePublisher::new(options.images, options.docker.clone()),
            secret_key,
            notes: Vec::new(),
            refused: Refused::default(),
            records: Mutex::default(),
            listings: BTreeMap::new(),
            staging: Mutex::default(),
            resource_limits: ResourceLimits::default(),
            copy: OnceLock::new(),
            findings: Mutex::default(),
            triggered_before: OnceLock::new(),
            prepared: Mutex::default(),
            environments: Environments::new(),
            readers: Arc::default(),
            assembly: Arc::clone(&assembly),
            later: Later::new(plan, options.late.as_deref()),
            options,
            sessions,
        };
        let mut wanted: BTreeMap<(Target, Option<String>), Wanted<'_>> = BTreeMap::new();
        let deploys = plan.steps.iter().any(|step| matches!(step.work, Work::Deploy { .. }));
        // The roles that publish assets are enough for a plan that does nothing else. Repositories are created with the
        // credentials of the run itself.
        let is_publishing =
            |step: &paceline_plan::Step| matches!(step.work, Work::Publish(_) | Work::Prewarm(_));
        let only_publishes = !plan.steps.is_empty() && plan.steps.iter().all(is_publishing);
        for planned in plan.stacks.iter().filter(|_| !only_publishes) {
            let Some(stack) = assembly.stack(&planned.id) else { continue };
            let target = aws.target(stack).await?;
            let role = stack.deploy_role.as_ref();
            let wanted = wanted.entry((target, role.map(|role| role.arn.clone()))).or_default();
            wanted.role = role;
            wanted.names.insert(stack.name.clone());
            if let Some(needed) = &stack.bootstrap {
                let required = wanted.required.get_or_insert_default();
                required.version = required.version.max(needed.required_version);
                required.parameter.clone_from(&needed.ssm_parameter);
            }
        }
        let opened = join_all(wanted.into_iter().map(|(key, wanted)| aws.open(key, wanted, deploys)));
        let (opened, publishing) = tokio::join!(opened, Box::pin(aws.assume_publishing_roles(plan)));
        let mut obstacles: Vec<Obstacle> = Vec::new();
        let mut environments = BTreeMap::new();
        for opened in opened {
            match opened {
                Ok((key, environment)) => drop(environments.insert(key, environment)),
                Err(obstacle) => obstacles.push(obstacle),
            }
        }
        obstacles.extend(publishing);
        aws.environments = environments;
        aws.listings = aws.listings(plan).await;
        let mut errors = each_cause_once(obstacles);
        let (more, notes) = Box::pin(aws.preflight(plan)).await;
        errors.extend(more);
        if !errors.is_empty() {
            return Err(PreflightError(errors));
        }
        aws.notes = notes;
        Ok(aws)
    }

    /// Notes for a person about checks that were not possible.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    async fn open(
        &self,
        (target, arn): (Target, Option<String>),
        wanted: Wanted<'_>,
        deploys: bool,
    ) -> Result<((Target, Option<String>), Arc<Environment>), Obstacle> {
        let config = self.sessions.assume(wanted.role, &target).await.map_err(|error| match wanted.role {
            Some(role) => Obstacle::Role(target.resolve(&role.arn), error),
            None => Obstacle::Other(error),
        })?;
        let caller = self.sessions.caller(&target);
        let environment = Environment::new(target.clone(), &config, caller, wanted.names);
        if let Some(toolkit) = &self.options.toolkit {
            environment.set_toolkit(toolkit);
        }
        let mut version = None;
        if let Some(required) = &wanted.required {
            // Stacks that are only deleted need no bootstrap.
            version = if deploys {
                let found = bootstrap::check(&environment, &config, required).await;
                Some(found.map_err(Obstacle::Other)?)
            } else {
                bootstrap::version(&environment, &config, required).await.ok().flatten()
            };
        }
        if wanted.role.is_some() {
            bootstrap::limit_to_rights(&environment, version);
        }
        Ok(((target, arn), environment))
    }

    /// The account and region of a stack.
    pub(crate) async fn target(&self, stack: &Stack) -> Result<Target, AwsError> {
        self.sessions.target(stack).await
    }

    pub(crate) async fn environment(&self, stack: &Stack) -> Result<&Arc<Environment>, AwsError> {
        let key = (self.target(stack).await?, stack.deploy_role.as_ref().map(|role| role.arn.clone()));
        let missing = || AwsError::setup(format!("{} is not a stack of the plan", stack.id));
        self.environments.get(&key).ok_or_else(missing)
    }

    /// Reads stacks of the plan directly, by their ids in the app. Returns whether CloudFormation works on each of them.
    pub async fn all_in_progress(&self, stacks: &[String]) -> Result<bool, AwsError> {
        for id in stacks {
            let Some(stack) = self.assembly.stack(id) else { return Ok(false) };
            let view = ask(self.environment(stack).await?, &stack.name).await?;
            if !view.is_some_and(|view| view.status.is_in_progress()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether it is known that stacks may not be listed in an environment of the plan.
    pub(crate) fn is_unlisted(&self, target: &Target, role: Option<String>) -> bool {
        let environment = self.environments.get(&(target.clone(), role));
        environment.is_some_and(|environment| !environment.poller.may_list())
    }

    fn stack(&self, context: &StepContext) -> Result<&Stack, AwsError> {
        if let Some(stack) = self.later.stack(context) {
            return Ok(stack);
        }
        let planned = context.plan().stack_of(context.step());
        let missing = || AwsError::setup(format!("{} is not in the assembly", planned.id));
        self.assembly.stack(&planned.id).ok_or_else(missing)
    }

    /// Whether nobody has held the template of the stack against the policy, because it was made in the run.
    fn is_unreviewed(&self, context: &StepContext) -> bool {
        self.options.guard.is_some() && self.later.stack(context).is_some()
    }

    async fn try_perform(&self, context: &StepContext) -> Result<Ended, AwsError> {
        let stack = self.stack(context)?;
        if matches!(context.step().work, Work::Delete { .. } | Work::Synthesize(_) | Work::Command(_)) {
            self.readers.has_acted();
        }
        match &context.step().work {
            Work::Publish(publish) => {
                // The stack's own assembly may be newer than ours. The assembly of another stack is ours.
                let manifest = self.assembly.stack(&publish.manifest).filter(|it| it.id != stack.id);
                self.publish(context, manifest.unwrap_or(stack), publish).await
            }
            Work::Deploy { .. } => Box::pin(self.deploy(context, stack)).await,
            Work::Delete { .. } => {
                let environment = self.environment(stack).await?;
                let ended = Deletion { environment, context, stack }.run().await;
                if ended.outcome == Outcome::Deleted
                    && let Some(records) = self.records(stack).await
                {
                    records.forget(&stack.name);
                }
                Ok(ended)
            }
            Work::Gate { gate: Gate::IamRoles(roles), .. } => {
                let environment = self.environment(stack).await?;
                Box::pin(gates::iam_roles(&self.sessions, environment, context, stack, roles)).await
            }
            Work::Gate { gate: Gate::Bake(bake), .. } => Box::pin(self.bake(context, bake)).await,
            Work::Prewarm(prewarm) => Box::pin(self.prewarm(context, stack, prewarm)).await,
            Work::Synthesize(synthesize) => self.synthesize(context, synthesize).await,
            Work::Command(command) => Ok(run_command(context, command, self.options.commands).await),
        }
    }

    async fn deploy(&self, context: &StepContext, stack: &Stack) -> Result<Ended, AwsError> {
        // What a copy parses is dropped with it, when the step ends.
        let stack = &stack.clone();
        let environment = self.environment(stack).await?;
        let mut given = self.given(stack);
        let caller = environment.caller(Some(context));
        given.extend(publish_legacy(environment, &caller, stack, self.options.missing_files).await?);
        let source = source(environment, &caller, stack).await?;
        let asked = context.plan().deploys;
        let settings = OperationSettings {
            options: asked,
            asks_for_role: self.options.overrides.execution_role_arn.is_some(),
            disable_rollback: context.plan().rollback == Rollback::None,
            limit: self.options.stack_limit,
        };
        let key = &self.secret_key;
        let request = Request::new(stack, &environment.target, &given, source, settings, key);
        // Only change sets can do these, and only they show what they do.
        let by_change_set = asked.imports_existing || asked.reverts_drift || self.is_unreviewed(context);
        let method = if by_change_set { Method::ChangeSet } else { self.options.method };
        let records = self.records(stack).await;
        let captures = self.options.captures.as_ref().map(|runs| Captures::of(runs, context.run()));
        let inputs = StackInputs {
            readers: &self.readers,
            sessions: &self.sessions,
            environments: &self.environments,
            target: &environment.target,
            stack,
            stacks: &self.assembly.stacks,
        };
        let retries = self.options.stack_retries.unwrap_or_else(|| OnFailure::default().retries);
        let (stuck, copy) = (self.options.stuck, self.copy.get().map(Arc::clone));
        let files = self.prepared_files(context);
        let deployment = Deployment {
            environment,
            context,
            stack,
            request,
            method,
            retries,
            stuck,
            history: Arc::clone(&self.options.history),
            questions: Questions { refused: &self.refused, sessions: &self.sessions, environment, stack },
            inputs,
            records,
            captures,
            copy,
            preparing: self.preparing(context, files.as_ref()),
            prepared: self.options.prepared.clone(),
            guard: self.options.guard.clone(),
        };
        Ok(deployment.run().await)
    }

    pub(crate) async fn publish(
        &self,
        context: &StepContext,
        stack: &Stack,
        publish: &Publish,
    ) -> Result<Ended, AwsError> {
        let gone =
            || AwsError::setup(format!("the asset {} is not in the manifest of {}", publish.asset, stack.id));
        let home = self.target(stack).await?;
        if publish.image {
            let asset = stack.assets.images.get(&publish.asset).ok_or_else(gone)?;
            let to = asset.destinations.get(&publish.destination).ok_or_else(gone)?;
            let there = self.destination(Some(context), home, to.region.as_ref(), to.role.as_ref()).await?;
            let (id, manifest) = (&publish.asset, &stack.assets.dir);
            publish_image(&self.images, Some(context), &there, id, asset, to, manifest).await
        } else {
            let asset = stack.assets.files.get(&publish.asset).ok_or_else(gone)?;
            let to = asset.destinations.get(&publish.destination).ok_or_else(gone)?;
            let there = self.destination(Some(context), home, to.region.as_ref(), to.role.as_ref()).await?;
            let listing = self.listings.get(&there.target.resolve(&to.bucket));
            publish_file(&there, asset, to, self.options.missing_files, listing).await
        }
    }

    pub(crate) async fn destination(
        &self,
        context: Option<&StepContext>,
        home: Target,
        region: Option<&String>,
        role: Option<&Role>,
    ) -> Result<AssetTarget, AwsError> {
        let target = home.of_destination(region);
        let caller = self.sessions.caller(&target);
        let caller = context.map_or_else(|| caller.clone(), |context| caller.of_step(context));
        let config = self.sessions.assume_by(&caller, role, &target).await?;
        Ok(AssetTarget { target, config, caller })
    }
}

impl Perform for Aws {
    fn concurrent_resources(&self, account: Option<&str>, region: Option<&str>) -> Option<NonZeroUsize> {
        self.resource_limits.of(account, region)
    }

    fn throttles(&self) -> BTreeMap<String, u64> {
        self.sessions.throttles()
    }

    async fn perform(&self, context: StepContext) -> Ended {
        tokio::select! {
            biased;
            () = context.stopped() => {
                let interrupted = Ended::new(Outcome::Interrupted);
                match context.step().work {
                    Work::Deploy { .. } | Work::Delete { .. } => interrupted.with_detail(GOES_ON),
                    _ => interrupted,
                }
            }
            ended = self.try_perform(&context) => {
                ended.unwrap_or_else(AwsError::into_ended)
            }
        }
    }
}

/// The requirements of the stacks of an environment.
#[derive(Debug, Default)]
struct Wanted<'a> {
    role: Option<&'a Role>,
    names: BTreeSet<String>,
    required: Option<Required>,
}
