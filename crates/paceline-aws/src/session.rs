//! The identities of calls: the base credentials, and the roles assumed from them.
//!
//! A role is assumed once for all clients that use it, and again shortly before its credentials expire.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::identity::IdentityCache;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::{AssumeRoleError, AssumeRoleOutput};
use aws_sdk_sts::types::Tag;
use paceline_assembly::{Role, Stack};
use tokio::sync::OnceCell;

use crate::call::{Caller, Limiter, RetryNotices};
use crate::error::{AwsError, CannotAssume, ErrorKind};
use crate::sdk::{self, Wire};
use crate::target::Target;

/// The region if nothing names one.
pub(crate) const ANY_REGION: &str = "us-east-1";

/// The variable that allows the base credentials if a role cannot be assumed.
pub const ALLOW_BASE_CREDENTIALS: &str = "PACELINE_ALLOW_BASE_CREDENTIALS";

/// The base credentials and the roles assumed from them.
#[derive(Debug)]
pub(crate) struct Sessions {
    base: SdkConfig,
    caller: OnceCell<CallerIdentity>,
    roles: Mutex<HashMap<RoleKey, Arc<OnceCell<SdkConfig>>>>,
    limiter: Arc<Limiter>,
    notices: RetryNotices,
}

/// Whose the base credentials are.
#[derive(Debug)]
struct CallerIdentity {
    account: String,
    arn: String,
}

/// The ARN of a role, its external id, the fields of its request such as session tags, and the region in which it is
/// used.
type RoleKey = (String, Option<String>, String, String);

impl Sessions {
    /// `regions` are those of the stacks. The first of them is used if neither the environment nor the profile names one:
    /// credentials of one partition are unknown in all others.
    pub(crate) async fn among<'r>(
        wire: &Wire,
        regions: impl IntoIterator<Item = Option<&'r str>>,
    ) -> Result<Self, AwsError> {
        let first = regions.into_iter().flatten().next();
        Self::open(wire, first.unwrap_or(ANY_REGION)).await
    }

    /// The same for these stacks.
    pub(crate) async fn for_stacks<'s>(
        wire: &Wire,
        stacks: impl IntoIterator<Item = &'s Stack>,
    ) -> Result<Self, AwsError> {
        let regions = stacks.into_iter().map(|stack| stack.environment.region.as_deref());
        Self::among(wire, regions).await
    }

    /// `region` is used if neither the environment nor the profile names one.
    pub(crate) async fn open(wire: &Wire, region: &str) -> Result<Self, AwsError> {
        Ok(Self {
            base: sdk::base(wire, region).await?,
            caller: OnceCell::new(),
            roles: Mutex::default(),
            limiter: Arc::default(),
            notices: wire.notices.clone(),
        })
    }

    /// A caller for an account and region, with any role.
    pub(crate) fn caller(&self, target: &Target) -> Caller {
        Caller::new(Arc::clone(&self.limiter), target.clone(), self.notices.clone())
    }

    /// Lets the calls of CloudFormation become this many times as fast as documented.
    pub(crate) fn allow_faster(&self, factor: u32) {
        self.limiter.allow_faster(factor);
    }

    /// How often AWS has asked for fewer calls, by operation.
    pub(crate) fn throttles(&self) -> BTreeMap<String, u64> {
        self.limiter.throttles()
    }

    /// The configuration with the base credentials.
    pub(crate) fn base(&self) -> &SdkConfig {
        &self.base
    }

    /// The region of the environment or the profile.
    pub(crate) fn region(&self) -> String {
        self.base.region().map(ToString::to_string).unwrap_or_default()
    }

    /// The target of calls with the base credentials before their account is known.
    pub(crate) fn here(&self) -> Target {
        Target { account: String::new(), region: self.region() }
    }

    /// The account of the base credentials.
    pub(crate) async fn account(&self) -> Result<&str, AwsError> {
        self.identity().await.map(|identity| identity.account.as_str())
    }

    /// The ARN of the base credentials.
    pub(crate) async fn caller_arn(&self) -> Result<&str, AwsError> {
        self.identity().await.map(|identity| identity.arn.as_str())
    }

    async fn identity(&self) -> Result<&CallerIdentity, AwsError> {
        let get = async {
            let client = aws_sdk_sts::Client::new(&self.base);
            let send = || client.get_caller_identity().send();
            let answer = self.caller(&self.here()).at_first().call("GetCallerIdentity", send).await?;
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            Ok(CallerIdentity { account: text(answer.account()), arn: text(answer.arn()) })
        };
        self.caller.get_or_try_init(|| get).await
    }

    /// The account and region of a stack.
    pub(crate) async fn target(&self, stack: &Stack) -> Result<Target, AwsError> {
        let account = match &stack.environment.account {
            Some(account) => account.clone(),
            None => self.account().await?.to_owned(),
        };
        let region = stack.environment.region.clone().unwrap_or_else(|| self.region());
        Ok(Target { account, region })
    }

    /// The configuration for reading with a lookup role, which may read everything. If it cannot be assumed, the base
    /// credentials are used.
    pub(crate) async fn reading(&self, role: Option<&Role>, place: &Target) -> Result<SdkConfig, AwsError> {
        match self.assume(role, place).await {
            Err(_) if role.is_some() => self.assume(None, place).await,
            config => config,
        }
    }

    /// The configuration for acting as a role in an environment, or with the base credentials if there is no
    /// role.
    pub(crate) async fn assume(&self, role: Option<&Role>, target: &Target) -> Result<SdkConfig, AwsError> {
        self.assume_by(&self.caller(target), role, target).await
    }

    /// The same, with the calls of this caller.
    pub(crate) async fn assume_by(
        &self,
        caller: &Caller,
        role: Option<&Role>,
        target: &Target,
    ) -> Result<SdkConfig, AwsError> {
        let region = Region::new(target.region.clone());
        let Some(role) = role else {
            return Ok(self.base.to_builder().region(region).build());
        };
        let arn = target.resolve(&role.arn);
        let external_id = role.external_id.as_deref().map(|id| target.resolve(id));
        let cell = {
            let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
            let options = serde_json::to_string(&role.session_options).unwrap_or_default();
            let key = (arn.clone(), external_id.clone(), options, target.region.clone());
            Arc::clone(roles.entry(key).or_default())
        };
        let open = || self.assume_role(caller, arn, external_id, role, region);
        cell.get_or_try_init(open).await.cloned()
    }

    async fn assume_role(
        &self,
        caller: &Caller,
        arn: String,
        external_id: Option<String>,
        role: &Role,
        region: Region,
    ) -> Result<SdkConfig, AwsError> {
        // The role's own region has an STS endpoint too, which works during an outage of another region.
        let config = self.base.to_builder().region(region.clone()).build();
        let settings = aws_sdk_sts::config::Builder::from(&config);
        let sts = aws_sdk_sts::Client::from_conf(settings.timeout_config(sdk::credential_timeouts()).build());
        let name = std::env::var("CDK_ROLE_SESSION_NAME").unwrap_or_else(|_| "paceline".to_owned());
        let provider = AssumedRole {
            sts,
            arn: arn.clone(),
            external_id,
            session_name: name,
            tags: session_tags(role)?,
            first: Mutex::default(),
        };
        let assumed = caller.call("AssumeRole", || provider.send()).await;
        match assumed.and_then(|answer| credentials(&answer)) {
            Ok(first) => *provider.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first),
            Err(error) if error.kind == ErrorKind::Denied && base_credentials_allowed() => {
                return Ok(self.base.to_builder().region(region).build());
            }
            Err(error) => {
                let message = format!("cannot assume {arn}: {error}");
                let hint = match error.kind {
                    ErrorKind::Denied | ErrorKind::Refused => Some(format!(
                        "bootstrap the environment (paceline bootstrap, or cdk bootstrap) and let these credentials assume its roles, \
                         or set {ALLOW_BASE_CREDENTIALS}=true to use them as they are"
                    )),
                    _ => error.what_to_do(),
                };
                let error = error.with_message(message);
                return Err(match hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                });
            }
        }
        let config = self.base.to_builder();
        Ok(config
            .region(region)
            .identity_cache(IdentityCache::lazy().build())
            .credentials_provider(SharedCredentialsProvider::new(provider))
            .build())
    }
}

fn base_credentials_allowed() -> bool {
    std::env::var(ALLOW_BASE_CREDENTIALS).is_ok_and(|value| matches!(value.as_str(), "1" | "true" | "yes"))
}

/// The session tags from `assumeRoleAdditionalOptions.Tags`. The CDK passes them on unchanged, all of them
/// transitive.
fn session_tags(role: &Role) -> Result<Vec<Tag>, AwsError> {
    let tags = role.session_options.get("Tags").and_then(|tags| tags.as_array());
    let pair = |tag: &serde_json::Value| {
        let (key, value) = (tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned());
        Some(Tag::builder().key(key).value(value).build())
    };
    let tags: Result<Vec<Tag>, _> = tags.into_iter().flatten().filter_map(pair).collect();
    tags.map_err(|error| AwsError::setup(format!("a session tag is incomplete: {error}")))
}

/// The credentials of a role. The identity cache of the clients requests new ones before they expire.
#[derive(Debug)]
struct AssumedRole {
    sts: aws_sdk_sts::Client,
    arn: String,
    external_id: Option<String>,
    session_name: String,
    tags: Vec<Tag>,
    /// The credentials of the call that checked the role. The first request takes them.
    first: Mutex<Option<Credentials>>,
}

impl AssumedRole {
    async fn send(&self) -> Result<AssumeRoleOutput, SdkError<AssumeRoleError>> {
        let keys: Vec<String> = self.tags.iter().map(|tag| tag.key().to_owned()).collect();
        let call = self.sts.assume_role().role_arn(&self.arn).role_session_name(&self.session_name);
        let call = call.set_external_id(self.external_id.clone());
        let tags = (!self.tags.is_empty()).then(|| self.tags.clone());
        call.set_tags(tags).set_transitive_tag_keys((!keys.is_empty()).then_some(keys)).send().await
    }
}

fn credentials(answer: &AssumeRoleOutput) -> Result<Credentials, AwsError> {
    let missing = || AwsError::setup("AssumeRole answered without credentials");
    let given = answer.credentials().ok_or_else(missing)?;
    let expiry = std::time::SystemTime::try_from(*given.expiration()).ok();
    Ok(Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        expiry,
        "AssumeRole",
    ))
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(first) = first {
                return Ok(first);
            }
            // Sends once only, because the caller of the API repeats the whole call.
            let answer = self.send().await.map_err(|error| AwsError::of("AssumeRole", &error));
            let arn = self.arn.clone();
            answer
                .and_then(|answer| credentials(&answer))
                .map_err(|error| CredentialsError::provider_error(CannotAssume { arn, error }))
        })
    }
}
