//! The connection to AWS: the HTTP client, the base credentials, the region and the time-outs. They are the
//! same for every service.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::StalledStreamProtectionConfig;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient};

use crate::call::{OnlyAws, RetryNotices};
use crate::error::AwsError;

/// The time limit for opening a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The time limit for an answer, including the connection. AWS needs a second or two. The rest is for slow
/// lines and for proxies that inspect the traffic.
const ANSWER: Duration = Duration::from_secs(30);
/// The same limit for the credentials of a role. It is shorter, so that the call that waits for them does not
/// end first.
const CREDENTIALS: Duration = Duration::from_secs(15);

/// Replacements for the usual connection to AWS. The simulator is connected only here, as the HTTP client.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    /// Replaces the network.
    pub http: Option<SharedHttpClient>,
    /// Replaces the usual credential chain.
    pub credentials: Option<SharedCredentialsProvider>,
    /// Replaces the machine's clock, which decides when credentials expire.
    pub time: Option<SharedTimeSource>,
    /// Receives a notice when AWS does not answer and no step's events can report it.
    pub notices: RetryNotices,
}

impl Wire {
    /// A connection to a simulated AWS in this process. `client` answers in place of the network. `now` is
    /// the simulated time, by which the credentials expire.
    pub fn simulated(
        client: impl HttpClient + 'static,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        let credentials = Credentials::new("AKIASIMULATED", "simulated", None, None, "simulation");
        Self {
            http: Some(SharedHttpClient::new(client)),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            time: Some(SharedTimeSource::new(SimulatedTime(now))),
            ..Self::default()
        }
    }
}

/// A clock that is a function.
struct SimulatedTime<F>(F);

impl<F> fmt::Debug for SimulatedTime<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedTime")
    }
}

impl<F: Fn() -> SystemTime + Send + Sync> TimeSource for SimulatedTime<F> {
    fn now(&self) -> SystemTime {
        self.0()
    }
}

/// Makes the configuration that every client starts from. `region` is used if neither the environment nor the
/// profile names one.
pub(crate) async fn base(wire: &Wire, region: &str) -> Result<SdkConfig, AwsError> {
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::new(region.to_owned()));
    let mut loader = aws_config::defaults(behavior())
        .http_client(http(wire)?)
        .region(region)
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts(ANSWER))
        // The time-outs replace this protection, and `Upload` replaces it for uploads.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(time) = &wire.time {
        loader = loader.time_source(time.clone());
    }
    if let Some(credentials) = &wire.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    // Only the search for the base credentials tries again by itself. All other calls go through `Caller`,
    // whose retries are visible to the user and keep to the rate limits.
    let config = loader.load().await;
    Ok(config.to_builder().retry_config(RetryConfig::disabled()).build())
}

fn timeouts(answer: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(answer).build()
}

/// The time-outs of the calls that get a role's credentials for other calls.
pub(crate) fn credential_timeouts() -> TimeoutConfig {
    timeouts(CREDENTIALS)
}

/// The time-outs of an upload. A large upload takes long, so there is no limit for the whole:
/// [`Upload`](crate::call::Upload) checks whether it moves.
pub(crate) fn upload_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).disable_operation_attempt_timeout().build()
}

/// The behaviour of the SDK. It is fixed, because later versions may have other defaults.
pub(crate) fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// The HTTP client for all services and for other requests.
pub(crate) fn http(wire: &Wire) -> Result<SharedHttpClient, AwsError> {
    let http = match &wire.http {
        Some(http) => http.clone(),
        None => network()?,
    };
    Ok(SharedHttpClient::new(OnlyAws(http)))
}

/// The HTTP client of a configuration.
pub(crate) fn http_of(config: &SdkConfig) -> Result<SharedHttpClient, AwsError> {
    config.http_client().ok_or_else(|| AwsError::setup("there is no HTTP client"))
}

/// The network, with the proxies and the certificates that the environment names.
fn network() -> Result<SharedHttpClient, AwsError> {
    let mut trust = TrustStore::empty().with_native_roots(true);
    if let Some(bundle) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        let pem = fs_err::read(&bundle).map_err(|error| {
            AwsError::setup(format!("cannot read AWS_CA_BUNDLE: {error}"))
                .hint("set AWS_CA_BUNDLE to a file of PEM certificates, or unset it")
        })?;
        trust = trust.with_pem_certificate(pem);
    }
    let context = TlsContext::builder().with_trust_store(trust).build();
    let context = context.map_err(|error| AwsError::setup(format!("cannot set up TLS: {error}")))?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc)).tls_context(context.clone()).build()
    }))
}

/// Returns whether the endpoint of S3 has a single host. Then buckets are part of the path.
pub(crate) fn s3_is_path_style(config: &SdkConfig) -> bool {
    config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some()
}
