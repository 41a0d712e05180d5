//! Accepts answers only from AWS.
//!
//! Between AWS and this machine there are proxies, portals and load balancers. Any of them may answer in
//! place of AWS: with a web page, with nothing, or with a part of the answer, each with status 200. If this
//! were read as an answer, it would mean that there are no stacks, or that a call was refused or done. It
//! counts as a lost answer instead.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::config_bag::ConfigBag;

use crate::error::NoAnswer;

/// The element that a successful answer of AWS always has. Without it, the result of the call is unknown.
const ALWAYS: [(&str, &str); 5] = [
    ("CreateStack", "<StackId>"),
    ("UpdateStack", "<StackId>"),
    ("CreateChangeSet", "<Id>"),
    ("GetCallerIdentity", "<Account>"),
    ("AssumeRole", "<AccessKeyId>"),
];

/// The greatest number of characters of a page's title that are repeated.
const LONGEST_TITLE: usize = 60;

/// An HTTP client that returns only answers of AWS.
#[derive(Debug, Clone)]
pub(crate) struct OnlyAws(pub(crate) SharedHttpClient);

impl HttpClient for OnlyAws {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Checked(self.0.http_connector(settings, components)))
    }

    // `validate_base_client_config` is not passed on. The client of the network has nothing to validate: it reads the
    // machine's certificates, so that the first call does not have to. But every call of a run shares one connector, and a
    // run makes hundreds of clients.

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), aws_smithy_runtime_api::box_error::BoxError> {
        self.0.validate_final_config(components, config)
    }
}

#[derive(Debug)]
struct Checked(SharedHttpConnector);

impl HttpConnector for Checked {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = Asked::of(&request);
        let answer = self.0.call(request);
        match asked {
            None => answer,
            Some(asked) => HttpConnectorFuture::new(async move { asked.check(answer.await?).await }),
        }
    }
}

/// The kind of a request, as far as it decides the form of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// An operation of a service that answers in XML. The answer is inside an element with the name of the
    /// operation.
    Query(String),
    /// An operation of a service that answers in JSON.
    Json,
    /// A list of S3's objects.
    S3List,
    /// An upload of an object to S3, which answers with headers.
    S3Put,
    /// The signal of a wait condition, which is also an upload to S3.
    Signal,
}

impl Asked {
    /// Returns `None` for requests whose answers are not checked, such as for credentials from a container or
    /// an instance.
    fn of(request: &HttpRequest) -> Option<Self> {
        let headers = request.headers();
        if headers.get("x-amz-target").is_some() {
            return Some(Self::Json);
        }
        if headers.get("content-type") == Some("application/x-www-form-urlencoded") {
            let body = std::str::from_utf8(request.body().bytes()?).ok()?;
            let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="))?;
            return Some(Self::Query(action.to_owned()));
        }
        let is_s3 = headers.get("authorization").is_some_and(|it| it.contains("/s3/aws4_request"));
        match request.method() {
            "GET" if is_s3 && request.uri().contains("list-type=2") => Some(Self::S3List),
            "PUT" if is_s3 => Some(Self::S3Put),
            "PUT" if request.uri().contains("Signature=") => Some(Self::Signal),
            _ => None,
        }
    }

    async fn check(&self, mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
        let body = ByteStream::new(response.take_body()).collect().await;
        let body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
        if let Some(fault) = self.fault(response.status().as_u16(), response.headers(), &body) {
            return Err(ConnectorError::other(fault.into(), None));
        }
        *response.body_mut() = SdkBody::from(body);
        Ok(response)
    }

    /// The reason why this is no answer of AWS. `None` if it is one.
    fn fault(&self, status: u16, headers: &Headers, body: &[u8]) -> Option<NoAnswer> {
        if status == 407 {
            return Some(NoAnswer::ProxyLogin);
        }
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        let is_answer = match status {
            200..300 => self.is_answer(headers, text),
            _ => self.is_refusal(headers, text),
        };
        (!is_answer).then(|| NoAnswer::NotAws { status, what: name(text) })
    }

    fn is_answer(&self, headers: &Headers, text: &str) -> bool {
        match self {
            Self::Query(operation) => {
                let always = ALWAYS.iter().find(|(of, _)| of == operation);
                is_element(text, &format!("{operation}Response"))
                    && always.is_none_or(|(_, element)| text.contains(element))
            }
            Self::Json => text.starts_with('{') && text.ends_with('}'),
            Self::S3List => is_element(text, "ListBucketResult"),
            Self::S3Put => text.is_empty() && headers.get("etag").is_some(),
            Self::Signal => text.is_empty(),
        }
    }

    fn is_refusal(&self, headers: &Headers, text: &str) -> bool {
        match self {
            Self::Json => {
                headers.get("x-amzn-errortype").is_some() || text.starts_with('{') && text.ends_with('}')
            }
            _ => is_element(text, "ErrorResponse") || is_element(text, "Error"),
        }
    }
}

/// Returns whether a text is one complete XML element with this name.
fn is_element(text: &str, name: &str) -> bool {
    let declared = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let text = declared.map_or(text, |(_, rest)| rest.trim_start());
    let begins = text.strip_prefix('<').and_then(|rest| rest.strip_prefix(name));
    begins.is_some_and(|rest| rest.starts_with(['>', ' ', '\t', '\r', '\n']))
        && text.ends_with(&format!("</{name}>"))
}

/// A description of a text that is no answer.
fn name(text: &str) -> String {
    let start = text.get(..text.len().min(1000)).unwrap_or(text).to_ascii_lowercase();
    if text.is_empty() {
        "an empty body".to_owned()
    } else if start.starts_with("<!doctype html") || start.contains("<html") {
        match title(text) {
            Some(title) => format!("a web page ({title})"),
            None => "a web page".to_owned(),
        }
    } else if text.starts_with(['<', '{']) {
        "a part of an answer, or that of something else".to_owned()
    } else {
        "a text".to_owned()
    }
}

/// The title of a web page, if it has one that can be shown.
fn title(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("<title>")?;
    let (title, _) = rest.split_once("</title>")?;
    let title: String = title.chars().filter(|c| !c.is_control()).take(LONGEST_TITLE).collect();
    let title = title.trim();
    (!title.is_empty()).then(|| title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\r\n<!DOCTYPE html>\n<HTML><head><title>Sign in\u{7}</title></head></html>";

    fn fault(asked: &Asked, status: u16, header: Option<(&'static str, &'static str)>, body: &str) -> String {
        let mut headers = Headers::new();
        if let Some((name, value)) = header {
            headers.insert(name, value);
        }
        let fault = asked.fault(status, &headers, body.as_bytes());
        fault.map(|fault| fault.to_string()).unwrap_or_default()
    }

    fn query(operation: &str) -> Asked {
        Asked::Query(operation.to_owned())
    }

    #[test]
    fn a_web_page_or_an_empty_text_is_no_answer_to_any_request() {
        for asked in [query("DeleteStack"), Asked::Json, Asked::S3List, Asked::S3Put, Asked::Signal] {
            assert_eq!(
                fault(&asked, 200, None, PAGE),
                "a web page (Sign in) came instead of an answer (HTTP status 200)"
            );
            assert_eq!(fault(&asked, 502, None, PAGE), "HTTP status 502, with a web page (Sign in)");
            assert!(fault(&asked, 407, None, "").contains("the proxy asks for a user"), "{asked:?}");
            let signalled = asked == Asked::Signal;
            assert_eq!(fault(&asked, 200, None, " \n").is_empty(), signalled, "{asked:?}");
        }
    }

    #[test]
    fn an_incomplete_answer_is_no_answer() {
        let whole = "<DescribeStacksResponse xmlns=\"x\"><DescribeStacksResult><Stacks></Stacks>\
                     </DescribeStacksResult></DescribeStacksResponse>";
        assert_eq!(fault(&query("DescribeStacks"), 200, None, whole), "");
        let declared = format!("<?xml version=\"1.0\"?>\n{whole}\n");
        assert_eq!(fault(&query("DescribeStacks"), 200, None, &declared), "");
        for end in 1..whole.len() {
            assert_ne!(fault(&query("DescribeStacks"), 200, None, &whole[..end]), "", "{end}");
        }
        assert_ne!(fault(&query("DescribeStackEvents"), 200, None, whole), "", "that of another call");
        let json = "{\"Parameter\":{\"Value\":\"30\"}}";
        assert_eq!(fault(&Asked::Json, 200, None, json), "");
        assert_ne!(fault(&Asked::Json, 200, None, &json[..20]), "");
    }

    #[test]
    fn an_accepted_operation_has_an_id() {
        let with = |inner: &str| format!("<CreateStackResponse>{inner}</CreateStackResponse>");
        assert_eq!(fault(&query("CreateStack"), 200, None, &with("<StackId>arn</StackId>")), "");
        assert!(fault(&query("CreateStack"), 200, None, &with("")).contains("a part of an answer"));
        assert_eq!(fault(&Asked::S3Put, 200, Some(("etag", "\"1\"")), ""), "");
    }

    #[test]
    fn refusals_of_aws_are_answers() {
        let refusal = "<ErrorResponse xmlns=\"x\"><Error><Code>C</Code></Error></ErrorResponse>";
        assert_eq!(fault(&query("CreateStack"), 400, None, refusal), "");
        let refusal = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code></Error>";
        assert_eq!(fault(&Asked::S3Put, 503, None, refusal), "");
        assert_eq!(fault(&Asked::Json, 400, None, "{\"__type\":\"C\"}"), "");
        assert_eq!(fault(&Asked::Json, 400, Some(("x-amzn-errortype", "C")), ""), "");
        assert_ne!(fault(&Asked::Json, 400, None, "no"), "");
    }

    #[test]
    fn the_request_shows_the_form_of_its_answer() {
        let mut request = HttpRequest::new(SdkBody::from("Action=CreateStack&Version=2010-05-15"));
        assert_eq!(Asked::of(&request), None);
        request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
        assert_eq!(Asked::of(&request), Some(query("CreateStack")));
        request.headers_mut().insert("x-amz-target", "AmazonSSM.GetParameter");
        assert_eq!(Asked::of(&request), Some(Asked::Json));
        let mut request = HttpRequest::new(SdkBody::empty());
        request.headers_mut().insert("authorization", "AWS4-HMAC-SHA256 Credential=A/1/r/s3/aws4_request");
        request.set_method("PUT").unwrap();
        assert_eq!(Asked::of(&request), Some(Asked::S3Put));
    }
}
