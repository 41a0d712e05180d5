//! Who the calls are made as: the base credentials, and the roles assumed from them.
//!
//! A role is assumed once for all the clients that use it, and again shortly before its credentials expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::types::Tag;
use paceline_assembly::{Role, Stack, placeholders};
use tokio::sync::OnceCell;

use crate::trouble::{Kind, Trouble};

/// The variable that allows base credentials where a role cannot be assumed.
pub const ALLOW_BASE_CREDENTIALS: &str = "PACELINE_ALLOW_BASE_CREDENTIALS";

/// How often the first call is tried in all, which takes some seconds.
const FIRST_ATTEMPTS: u32 = 4;

/// An account and a region that are known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Target {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Target {
    /// Puts the account, the region and the partition where a text has placeholders for them.
    pub(crate) fn resolve(&self, text: &str) -> String {
        placeholders(text, paceline_plan::partition(&self.region), &self.account, &self.region)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// The base credentials and the roles assumed from them.
#[derive(Debug)]
pub(crate) struct Sessions {
    base: SdkConfig,
    account: OnceCell<String>,
    roles: Mutex<HashMap<RoleKey, Arc<OnceCell<SdkConfig>>>>,
}

/// A role's ARN, its external id and the region it is used in.
type RoleKey = (String, Option<String>, String);

impl Sessions {
    pub(crate) fn new(base: SdkConfig) -> Self {
        Self { base, account: OnceCell::new(), roles: Mutex::default() }
    }

    /// The configuration with the base credentials.
    pub(crate) fn base(&self) -> &SdkConfig {
        &self.base
    }

    /// The region of the environment or the profile.
    pub(crate) fn region(&self) -> String {
        self.base.region().map(ToString::to_string).unwrap_or_default()
    }

    /// The account of the base credentials.
    pub(crate) async fn account(&self) -> Result<&str, Trouble> {
        let get = async {
            // The first call of all: an address that is wrong should not be tried for long.
            let settings = aws_sdk_sts::config::Builder::from(&self.base);
            let retry = RetryConfig::standard().with_max_attempts(FIRST_ATTEMPTS);
            let client = aws_sdk_sts::Client::from_conf(settings.retry_config(retry).build());
            let answer = client.get_caller_identity().send().await;
            let answer = answer.map_err(|error| Trouble::of("GetCallerIdentity", &error))?;
            Ok(answer.account().unwrap_or_default().to_owned())
        };
        self.account.get_or_try_init(|| get).await.map(String::as_str)
    }

    /// Where a stack goes to.
    pub(crate) async fn target(&self, stack: &Stack) -> Result<Target, Trouble> {
        let account = match &stack.environment.account {
            Some(account) => account.clone(),
            None => self.account().await?.to_owned(),
        };
        let region = stack.environment.region.clone().unwrap_or_else(|| self.region());
        Ok(Target { account, region })
    }

    /// The configuration for acting as a role in an environment, or as ourselves where there is none.
    pub(crate) async fn assume(&self, role: Option<&Role>, target: &Target) -> Result<SdkConfig, Trouble> {
        let region = Region::new(target.region.clone());
        let Some(role) = role else {
            return Ok(self.base.to_builder().region(region).build());
        };
        let arn = target.resolve(&role.arn);
        let external_id = role.external_id.as_deref().map(|id| target.resolve(id));
        let cell = {
            let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (arn.clone(), external_id.clone(), target.region.clone());
            Arc::clone(roles.entry(key).or_default())
        };
        let open = || self.open(arn, external_id, role, region);
        cell.get_or_try_init(open).await.cloned()
    }

    async fn open(
        &self,
        arn: String,
        external_id: Option<String>,
        role: &Role,
        region: Region,
    ) -> Result<SdkConfig, Trouble> {
        // The role's own region has an STS endpoint too, and one that a far region's outage leaves alone.
        let sts = aws_sdk_sts::Client::new(&self.base.to_builder().region(region.clone()).build());
        let name = std::env::var("CDK_ROLE_SESSION_NAME").unwrap_or_else(|_| "paceline".to_owned());
        let provider = AssumedRole {
            sts,
            arn: arn.clone(),
            external_id,
            session_name: name,
            tags: session_tags(role),
            first: Mutex::default(),
        };
        match provider.assume().await {
            Ok(first) => *provider.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first),
            Err(trouble) if trouble.kind == Kind::Denied && base_credentials_allowed() => {
                return Ok(self.base.to_builder().region(region).build());
            }
            Err(trouble) => {
                let message = format!("cannot assume {arn}: {}", trouble.message);
                let hint = match trouble.kind {
                    Kind::Denied | Kind::Refused => Some(format!(
                        "bootstrap the environment (paceline bootstrap, or cdk bootstrap) and let these credentials assume its roles, \
                         or set {ALLOW_BASE_CREDENTIALS}=true to use them as they are"
                    )),
                    _ => trouble.what_to_do(),
                };
                let trouble = Trouble { message, ..trouble };
                return Err(match hint {
                    Some(hint) => trouble.hint(hint),
                    None => trouble,
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

/// `assumeRoleAdditionalOptions.Tags`, which the CDK hands on as they are, all of them transitive.
fn session_tags(role: &Role) -> Vec<(String, String)> {
    let tags = role.session_options.get("Tags").and_then(|tags| tags.as_array());
    let pair = |tag: &serde_json::Value| Some((tag["Key"].as_str()?.into(), tag["Value"].as_str()?.into()));
    tags.into_iter().flatten().filter_map(pair).collect()
}

/// Why new credentials of a role could not be had. It goes through the SDK, and comes out of a failed call
/// of some service.
#[derive(Debug, thiserror::Error)]
#[error("cannot assume {arn}: {}", trouble.message)]
pub(crate) struct CannotAssume {
    arn: String,
    trouble: Trouble,
}

impl CannotAssume {
    pub(crate) fn to_trouble(&self) -> Trouble {
        Trouble { message: self.to_string(), ..self.trouble.clone() }
    }
}

/// Credentials of a role. The identity cache of the clients asks again before they expire.
#[derive(Debug)]
struct AssumedRole {
    sts: aws_sdk_sts::Client,
    arn: String,
    external_id: Option<String>,
    session_name: String,
    tags: Vec<(String, String)>,
    /// What proved that the role can be assumed, until someone needs it.
    first: Mutex<Option<Credentials>>,
}

impl AssumedRole {
    async fn assume(&self) -> Result<Credentials, Trouble> {
        let mut call = self
            .sts
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(&self.session_name)
            .set_external_id(self.external_id.clone());
        for (key, value) in &self.tags {
            let tag = Tag::builder().key(key).value(value).build();
            let tag = tag.map_err(|error| Trouble::setup(format!("a session tag is incomplete: {error}")))?;
            call = call.tags(tag).transitive_tag_keys(key);
        }
        let answer = call.send().await.map_err(|error| Trouble::of("AssumeRole", &error))?;
        let missing = || Trouble::setup("AssumeRole answered without credentials");
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
            let arn = self.arn.clone();
            self.assume()
                .await
                .map_err(|trouble| CredentialsError::provider_error(CannotAssume { arn, trouble }))
        })
    }
}
