//! How AWS is reached: the HTTP client, the base credentials and the region, the same for every service.

use std::time::Duration;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::StalledStreamProtectionConfig;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::trouble::Trouble;

/// What replaces the usual ways to AWS. The simulator enters here: as the HTTP client, and nowhere else.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    /// Instead of the network.
    pub http: Option<SharedHttpClient>,
    /// Instead of the usual credential chain.
    pub credentials: Option<SharedCredentialsProvider>,
    /// Instead of the machine's clock, by which credentials expire.
    pub time: Option<SharedTimeSource>,
}

/// Makes the configuration that every client starts from. `region` is used where neither the
/// environment nor the profile names one.
pub(crate) async fn base(wire: &Wire, region: &str) -> Result<SdkConfig, Trouble> {
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::new(region.to_owned()));
    // Retrying is done here and not in the SDK where a retry must be seen: see `call`. What is left to the
    // SDK (STS, IAM, S3, ECR) is retried as other tools do.
    let mut loader = aws_config::defaults(behavior())
        .http_client(http(wire)?)
        .region(region)
        .retry_config(RetryConfig::standard().with_max_attempts(6))
        .timeout_config(TimeoutConfig::builder().connect_timeout(Duration::from_secs(10)).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(time) = &wire.time {
        loader = loader.time_source(time.clone());
    }
    if let Some(credentials) = &wire.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    Ok(loader.load().await)
}

/// How the SDK behaves, whatever it may do by default in later versions.
pub(crate) fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// The HTTP client of every service, and of what is no service.
pub(crate) fn http(wire: &Wire) -> Result<SharedHttpClient, Trouble> {
    match &wire.http {
        Some(http) => Ok(http.clone()),
        None => network(),
    }
}

/// The network, by way of the proxies and the certificates that the environment names.
fn network() -> Result<SharedHttpClient, Trouble> {
    let mut trust = TrustStore::empty().with_native_roots(true);
    if let Some(bundle) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        let pem = fs_err::read(&bundle).map_err(|error| {
            Trouble::setup(format!("cannot read AWS_CA_BUNDLE: {error}"))
                .hint("set AWS_CA_BUNDLE to a file of PEM certificates, or unset it")
        })?;
        trust = trust.with_pem_certificate(pem);
    }
    let context = TlsContext::builder().with_trust_store(trust).build();
    let context = context.map_err(|error| Trouble::setup(format!("cannot set up TLS: {error}")))?;
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
