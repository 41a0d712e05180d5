//! Requests that are not signed: to a URL that is the permission itself, such as a presigned URL or a webhook, and to a
//! collector of traces.
//!
//! Such a URL may be a secret. The debug output of an address does not contain it, but the errors of the SDK may.

use std::fmt;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ErrorMetadata;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;

use crate::sdk;

/// A URL, in the parts that the SDK takes.
#[derive(Clone)]
pub(crate) struct Address {
    /// The scheme and the host, such as `https://example.com`.
    pub(crate) endpoint: String,
    /// Begins with a slash.
    pub(crate) path_and_query: String,
}

/// A request, without its address.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) content_type: &'static str,
    /// More headers, by their names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The time limit for opening the connection.
    pub(crate) connect: Duration,
    /// The time limit for the answer, including the connection.
    pub(crate) answer: Duration,
    /// Reads what an answer without success says.
    pub(crate) refusal: fn(&HttpResponse) -> ErrorMetadata,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").finish_non_exhaustive()
    }
}

impl Address {
    /// Parses a URL. `None` if its scheme is none of these, if it has no host, or if it has characters that a URL cannot
    /// have.
    pub(crate) fn parse(url: &str, schemes: &[&str]) -> Option<Self> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| schemes.contains(scheme))?;
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
        let host = rest.split(['/', '?']).next().filter(|host| !host.is_empty() && is_plain)?;
        let path = &rest[host.len()..];
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self { endpoint: format!("{scheme}://{host}"), path_and_query: format!("{slash}{path}") })
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }

    /// Sends a request once.
    pub(crate) async fn send(
        &self,
        http: SharedHttpClient,
        request: Request,
    ) -> Result<(), SdkError<ErrorMetadata, HttpResponse>> {
        let Request { method, content_type, headers, body, connect, answer, refusal } = request;
        let path_and_query = self.path_and_query.clone();
        let operation = Operation::builder()
            .service_name("unsigned")
            .operation_name(method)
            .behavior_version(sdk::behavior())
            .http_client(http)
            .endpoint_url(&self.endpoint)
            .no_auth()
            .no_retry()
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(connect).operation_timeout(answer).build(),
            )
            .serializer(move |body: String| {
                let mut request = HttpRequest::new(SdkBody::from(body));
                request.set_method(method)?;
                request.set_uri(path_and_query.clone())?;
                request.headers_mut().insert("content-type", content_type);
                for (name, value) in &headers {
                    request.headers_mut().try_insert(name.clone(), value.clone())?;
                }
                Ok(request)
            })
            .deserializer(move |response: &HttpResponse| {
                if response.status().is_success() {
                    Ok(())
                } else {
                    Err(OrchestratorError::operation(refusal(response)))
                }
            })
            .build();
        operation.invoke(body).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(String, String)> {
        Address::parse(url, &["https"]).map(|address| (address.endpoint, address.path_and_query))
    }

    #[test]
    fn a_url_has_a_host_and_a_path() {
        let is = |url: &str, endpoint: &str, path: &str| {
            assert_eq!(parts(url), Some((endpoint.to_owned(), path.to_owned())), "{url}");
        };
        is(" https://a.example.com/b/c?d=e/f\n", "https://a.example.com", "/b/c?d=e/f");
        is("https://a.example.com:8443", "https://a.example.com:8443", "/");
        is("https://a.example.com?b=c", "https://a.example.com", "/?b=c");
        for url in
            ["", "a.example.com/b", "http://a.example.com/b", "https:///b", "https://a/b c", "https://é/b"]
        {
            assert_eq!(parts(url), None, "{url}");
        }
    }

    #[test]
    fn the_debug_output_of_an_address_hides_the_url() {
        let address = Address::parse("https://chat.example.com/T0KEN", &["https"]).unwrap();
        assert_eq!(format!("{address:?}"), "Address { .. }");
    }
}
