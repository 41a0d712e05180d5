//! How AWS is reached: the HTTP client, the base credentials, the region and the time-outs, the same for every
//! service.

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

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take, connection included. AWS takes a second or two; the rest is for slow lines and for
/// proxies that look into everything.
const ANSWER: Duration = Duration::from_secs(30);
/// The same of a role's credentials: another call waits for them, which must not be the one to end.
const CREDENTIALS: Duration = Duration::from_secs(15);

/// What replaces the usual ways to AWS. The simulator enters here: as the HTTP client, and nowhere else.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    /// Instead of the network.
    pub http: Option<SharedHttpClient>,
    /// Instead of the usual credential chain.
    pub credentials: Option<SharedCredentialsProvider>,
    /// Instead of the machine's clock, by which credentials expire.
    pub time: Option<SharedTimeSource>,
    /// Hears that AWS does not answer, where no step's events tell of it.
    pub notices: RetryNotices,
}

impl Wire {
    /// To an AWS in this process: `client` answers in place of the network, and `now` is the time there, by which the
    /// credentials that it hands out expire.
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

/// Makes the configuration that every client starts from. `region` is used where neither the
/// environment nor the profile names one.
pub(crate) async fn base(wire: &Wire, region: &str) -> Result<SdkConfig, AwsError> {
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::new(region.to_owned()));
    let mut loader = aws_config::defaults(behavior())
        .http_client(http(wire)?)
        .region(region)
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts(ANSWER))
        // Its place is taken by the time-outs, and of uploads by `Upload`.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(time) = &wire.time {
        loader = loader.time_source(time.clone());
    }
    if let Some(credentials) = &wire.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    // Only what finds the base credentials tries again by itself. All other calls go through `Caller`, which does so
    // within sight of the user and of the rate limits.
    let config = loader.load().await;
    Ok(config.to_builder().retry_config(RetryConfig::disabled()).build())
}

fn timeouts(answer: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(answer).build()
}

/// The time-outs of what gives a role's credentials to other calls.
pub(crate) fn credential_timeouts() -> TimeoutConfig {
    timeouts(CREDENTIALS)
}

/// The time-outs of an upload, which takes the longer the larger it is: [`Upload`](crate::call::Upload) sees
/// whether it moves.
pub(crate) fn upload_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).disable_operation_attempt_timeout().build()
}

/// How the SDK behaves, whatever it may do by default in later versions.
pub(crate) fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// The HTTP client of every service, and of what is no service.
pub(crate) fn http(wire: &Wire) -> Result<SharedHttpClient, AwsError> {
    let http = match &wire.http {
        Some(http) => http.clone(),
        None => network()?,
    };
    Ok(SharedHttpClient::new(OnlyAws(http)))
}

/// The network, by way of the proxies and the certificates that the environment names.
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

/// Whether S3 is an endpoint of one host, which then has to be addressed path-style.
pub(crate) fn s3_is_path_style(config: &SdkConfig) -> bool {
    config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some()
}
