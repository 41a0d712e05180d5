//! A webhook. Its URL is a secret: it is in no error, no debug output and no event.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ErrorMetadata;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use paceline_config::{Webhook, WebhookTexts};

use super::{Notification, PATIENCE};
use crate::error::{AwsError, ErrorKind};
use crate::performer::Aws;
use crate::sdk;

/// How long the webhook may take.
const ANSWER: Duration = Duration::from_secs(3);

/// The parts of a URL.
struct Address {
    endpoint: String,
    path_and_query: String,
}

impl Address {
    fn of(url: &str) -> Option<Self> {
        let url = url.trim();
        let rest = url.strip_prefix("https://")?;
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
        let host = rest.split(['/', '?']).next().filter(|host| !host.is_empty() && is_plain)?;
        let path = &rest[host.len()..];
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self { endpoint: format!("https://{host}"), path_and_query: format!("{slash}{path}") })
    }
}

/// Reads the URL and posts the filled template to it.
pub(super) async fn post(aws: &Aws, webhook: &Webhook, what: &Notification) -> Result<(), AwsError> {
    let name = webhook.parameter.as_str();
    let client = aws_sdk_ssm::Client::new(aws.sessions.base());
    let read = || client.get_parameter().name(name).with_decryption(true).send();
    let caller = aws.sessions.caller(&aws.sessions.here()).within(PATIENCE);
    let answer = caller.call("GetParameter", read).await.map_err(|error| {
        let message = format!("the webhook was not notified: the parameter {name} cannot be read: {error}");
        error.told_as(message)
    })?;
    let url = answer.parameter().and_then(|parameter| parameter.value()).unwrap_or_default();
    let address = Address::of(url).ok_or_else(|| {
        let message = format!("the webhook was not notified: the parameter {name} holds no https URL");
        AwsError::setup(message).hint("store the URL of the webhook in the parameter, as a SecureString")
    })?;
    let texts = WebhookTexts {
        message: &what.message,
        deployment: &what.deployment,
        occasion: what.occasion.as_str(),
        run: &what.run,
    };
    send(aws, address, webhook.template.filled(texts)).await
}

async fn send(aws: &Aws, address: Address, body: String) -> Result<(), AwsError> {
    let no_client = || AwsError::setup("there is no HTTP client");
    let timeouts = TimeoutConfig::builder().connect_timeout(ANSWER).operation_timeout(ANSWER);
    let path_and_query = address.path_and_query;
    let operation = Operation::builder()
        .service_name("webhook")
        .operation_name("post")
        .behavior_version(sdk::behavior())
        .http_client(aws.sessions.base().http_client().ok_or_else(no_client)?)
        .endpoint_url(&address.endpoint)
        .no_auth()
        .no_retry()
        .timeout_config(timeouts.build())
        .serializer(move |body: String| {
            let mut request = HttpRequest::new(SdkBody::from(body));
            request.set_method("POST")?;
            request.set_uri(path_and_query.clone())?;
            request.headers_mut().insert("content-type", "application/json");
            Ok(request)
        })
        .deserializer(|response: &HttpResponse| {
            if response.status().is_success() {
                Ok(())
            } else {
                Err(OrchestratorError::operation(ErrorMetadata::builder().build()))
            }
        })
        .build();
    // What the SDK says of the failure may contain the URL.
    operation.invoke(body).await.map_err(|error| {
        let why = match &error {
            SdkError::ServiceError(answer) => {
                format!("it answered with HTTP status {}", answer.raw().status())
            }
            _ => "it did not answer".to_owned(),
        };
        let message = format!("the webhook was not notified: {why}");
        AwsError { kind: ErrorKind::Unreachable, ..AwsError::setup(message) }
    })
}
