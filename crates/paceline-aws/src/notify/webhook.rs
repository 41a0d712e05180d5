//! A webhook. Its URL is a secret: it is in no error, no debug output and no event.

use std::time::Duration;

use aws_sdk_s3::error::ErrorMetadata;
use aws_smithy_runtime_api::client::result::SdkError;
use paceline_config::{Webhook, WebhookTexts};

use super::{Notification, PATIENCE};
use crate::error::{AwsError, ErrorKind};
use crate::performer::Aws;
use crate::sdk;
use crate::unsigned::{Address, Request};

/// How long the webhook may take.
const ANSWER: Duration = Duration::from_secs(3);

/// Reads the URL and posts the filled template to it.
pub(super) async fn post(aws: &Aws, webhook: &Webhook, what: &Notification) -> Result<(), AwsError> {
    let name = webhook.parameter.as_str();
    let client = aws_sdk_ssm::Client::new(aws.sessions.base());
    let read = || client.get_parameter().name(name).with_decryption(true).send();
    let caller = aws.sessions.caller(&aws.sessions.here()).within(PATIENCE);
    let answer = caller.call("GetParameter", read).await.map_err(|error| {
        let message = format!("the webhook was not notified: the parameter {name} cannot be read: {error}");
        error.with_message(message)
    })?;
    let url = answer.parameter().and_then(|parameter| parameter.value()).unwrap_or_default();
    paceline_text::secrets::hide(url);
    let address = Address::parse(url, &["https"]).ok_or_else(|| {
        let message = format!("the webhook was not notified: the parameter {name} holds no https URL");
        AwsError::setup(message).hint("store the URL of the webhook in the parameter, as a SecureString")
    })?;
    let texts = WebhookTexts {
        message: &what.message,
        deployment: &what.deployment,
        occasion: what.occasion.as_str(),
        run: &what.run,
    };
    send(aws, &address, webhook.template.filled(texts)).await
}

async fn send(aws: &Aws, address: &Address, body: String) -> Result<(), AwsError> {
    let request = Request {
        method: "POST",
        content_type: "application/json",
        headers: Vec::new(),
        body,
        connect: ANSWER,
        answer: ANSWER,
        refusal: |_| ErrorMetadata::builder().build(),
    };
    let sent = address.send(sdk::http_of(aws.sessions.base())?, request).await;
    // What the SDK says of the failure may contain the URL.
    sent.map_err(|error| {
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
