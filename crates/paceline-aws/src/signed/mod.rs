//! Calls to services of which one or two operations are used: their SDK crates would take minutes to compile.
//!
//! A call is a request of the service's documented protocol. The SDK's own runtime signs it, sends it and takes the
//! credentials from the same configuration as every client.

mod form;

use std::fmt::Debug;

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_sdk_s3::error::ErrorMetadata;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use aws_types::service_config::ServiceConfigKey;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use paceline_assembly::url_suffix;
use serde_json::Value;

use crate::error::AwsError;

pub(crate) use form::Form;

/// A service, and how it speaks.
#[derive(Debug)]
pub(crate) struct Service {
    /// The id, as variables and profiles that name endpoints have it.
    pub(crate) id: &'static str,
    /// The first part of its host names.
    pub(crate) host: &'static str,
    /// The name in signatures.
    pub(crate) signing_name: &'static str,
    pub(crate) protocol: Protocol,
}

/// The form of the requests and answers of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    /// AWS Query: forms, and answers in XML.
    Query,
    /// AWS JSON 1.1.
    Json,
    /// AWS JSON 1.0.
    Json10,
    /// REST with JSON, of which only GET is used: what is sent is the path with its query.
    RestJson,
}

/// Makes calls to a service in a region, with the credentials of a configuration.
#[derive(Debug, Clone)]
pub(crate) struct SignedCalls {
    service: &'static Service,
    config: SdkConfig,
    region: String,
}

/// An operation: the body of its request becomes that of the answer, or what is read from the answer.
type SignedOperation<T = String> = Operation<String, T, ErrorMetadata>;

/// An answer with the time at which the service sent it, by its own clock.
#[derive(Debug, Clone)]
pub(crate) struct DatedAnswer {
    pub(crate) body: String,
    /// `None` if the answer does not tell.
    pub(crate) at: Option<Timestamp>,
}

impl SignedCalls {
    /// `region` is that of the configuration if none is given.
    pub(crate) fn new(service: &'static Service, config: &SdkConfig, region: Option<&str>) -> Self {
        let own = || config.region().map(ToString::to_string).unwrap_or_default();
        let region = region.map_or_else(own, str::to_owned);
        Self { service, config: config.clone(), region }
    }

    /// An operation of the service. It sends a body, or with [`Protocol::RestJson`] a path. For JSON, `target` is what the
    /// header `X-Amz-Target` has.
    pub(crate) fn operation(
        &self,
        name: &'static str,
        target: Option<&'static str>,
    ) -> Result<SignedOperation, AwsError> {
        self.reading(name, target, |_, body| body)
    }

    /// An operation whose answer tells the time of the service.
    pub(crate) fn dated_operation(
        &self,
        name: &'static str,
        target: Option<&'static str>,
    ) -> Result<SignedOperation<DatedAnswer>, AwsError> {
        self.reading(name, target, |response, body| {
            let date = response.headers().get("date");
            let at = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
            DatedAnswer { body, at }
        })
    }

    fn reading<T: Debug + Send + Sync + 'static>(
        &self,
        name: &'static str,
        target: Option<&'static str>,
        read: fn(&HttpResponse, String) -> T,
    ) -> Result<SignedOperation<T>, AwsError> {
        let content_type = match self.service.protocol {
            Protocol::Query => "application/x-www-form-urlencoded",
            Protocol::Json | Protocol::RestJson => "application/x-amz-json-1.1",
            Protocol::Json10 => "application/x-amz-json-1.0",
        };
        let protocol = self.service.protocol;
        let mut operation = Operation::builder()
            .service_name(self.service.id)
            .operation_name(name)
            .behavior_version(crate::sdk::behavior())
            .http_client(crate::sdk::http_of(&self.config)?)
            .endpoint_url(&self.endpoint())
            .no_retry()
            .timeout_config(
                self.config.timeout_config().cloned().unwrap_or_else(crate::sdk::credential_timeouts),
            )
            .runtime_plugin(self.signing());
        if let Some(time) = self.config.time_source() {
            operation = operation.time_source(time);
        }
        if let Some(sleep) = self.config.sleep_impl() {
            operation = operation.sleep_impl(sleep);
        }
        Ok(operation
            .serializer(move |sent: String| {
                let mut request = match protocol {
                    Protocol::RestJson => {
                        let mut request = HttpRequest::new(SdkBody::empty());
                        request.set_method("GET")?;
                        request.set_uri(sent)?;
                        request
                    }
                    Protocol::Query | Protocol::Json | Protocol::Json10 => {
                        let mut request = HttpRequest::new(SdkBody::from(sent));
                        request.set_method("POST")?;
                        request.set_uri("/")?;
                        request
                    }
                };
                request.headers_mut().insert("content-type", content_type);
                request.headers_mut().insert("user-agent", concat!("paceline/", env!("CARGO_PKG_VERSION")));
                if let Some(target) = target {
                    request.headers_mut().insert("x-amz-target", target);
                }
                Ok(request)
            })
            .deserializer(move |response: &HttpResponse| {
                let body = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
                if response.status().is_success() {
                    Ok(read(response, body.into_owned()))
                } else {
                    let code = response.headers().get("x-amzn-errortype");
                    Err(OrchestratorError::operation(refusal(protocol, code, &body)))
                }
            })
            .build())
    }

    /// The address of the service: that of the environment or the profile, else AWS's own.
    pub(crate) fn endpoint(&self) -> String {
        let key = ServiceConfigKey::builder()
            .service_id(self.service.id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        let of_service = key.ok().and_then(|key| self.config.service_config()?.load_config(key));
        let given = of_service.or_else(|| self.config.endpoint_url().map(str::to_owned));
        given.unwrap_or_else(|| {
            let fips = if self.config.use_fips() == Some(true) { "-fips" } else { "" };
            let (host, region) = (self.service.host, &self.region);
            format!("https://{host}{fips}.{region}.{}", url_suffix(region))
        })
    }

    /// Signs with the credentials of the configuration.
    fn signing(&self) -> StaticRuntimePlugin {
        let mut layer = Layer::new("signing");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(Region::new(self.region.clone()))),
            name: Some(SigningName::from_static(self.service.signing_name)),
            ..SigV4OperationSigningConfig::default()
        });
        let resolver = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
        let cache = self.config.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build());
        let mut components = RuntimeComponentsBuilder::new("signing");
        components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(resolver)));
        components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
        components.set_identity_cache(Some(cache));
        if let Some(credentials) = self.config.credentials_provider() {
            components.set_identity_resolver(SCHEME_ID, credentials);
        }
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
    }
}

/// The code and the message of a refusal. REST has the code in a header.
fn refusal(protocol: Protocol, header: Option<&str>, body: &str) -> ErrorMetadata {
    let (code, message) = match protocol {
        Protocol::Query => (element(body, "Code"), element(body, "Message")),
        Protocol::Json | Protocol::Json10 | Protocol::RestJson => {
            let said: Value = serde_json::from_str(body).unwrap_or_default();
            let field = |name: &str| said[name].as_str().map(str::to_owned);
            // A code may have its namespace in front: `com.amazonaws.events#ValidationException`. In the header, it may
            // have a colon and a URL behind it.
            let code = field("__type").or_else(|| header.map(str::to_owned)).map(|code| {
                let code = code.split(':').next().unwrap_or_default();
                code.rsplit('#').next().unwrap_or_default().to_owned()
            });
            (code, field("message").or_else(|| field("Message")))
        }
    };
    let mut refusal = ErrorMetadata::builder();
    if let Some(code) = code {
        refusal = refusal.code(code);
    }
    if let Some(message) = message {
        refusal = refusal.message(message);
    }
    refusal.build()
}

/// The text of the first element of this name.
pub(crate) fn element(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).next()
}

/// The texts of all elements of this name.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = String> + use<'a> {
    xml.split(&format!("<{name}>")).skip(1).collect::<Vec<_>>().into_iter().filter_map(text_before_end)
}

fn text_before_end(rest: &str) -> Option<String> {
    let (text, _) = rest.split_once("</")?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(plain.iter().fold(text.to_owned(), |text, (escaped, c)| text.replace(escaped, c)))
}
