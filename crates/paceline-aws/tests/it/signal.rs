//! A wait condition gets one signal, which is not too long and is not sent forever.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use camino::Utf8Path;
use paceline_aws::{AwsError, ErrorKind, Signalled, Verdict, WaitHandle, Wire};
use serde_json::Value;
use tokio::time::Instant;

const URL: &str = "https://bucket.s3.amazonaws.com/stack/handle?Signature=secret";

/// Answers every request with one status, and keeps the requests.
#[derive(Debug, Clone)]
struct Bucket {
    status: u16,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl HttpClient for Bucket {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Bucket {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap().to_vec();
        self.bodies.lock().unwrap().push(String::from_utf8(body).unwrap());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(self.status.try_into().unwrap(), SdkBody::empty())))
    }
}

/// Signals to a bucket with this status. Returns the result and the sent bodies.
async fn signal(status: u16, verdict: &Verdict) -> (Result<Signalled, AwsError>, Vec<String>) {
    let bucket = Bucket { status, bodies: Arc::default() };
    let wire = Wire { http: Some(SharedHttpClient::new(bucket.clone())), ..Wire::default() };
    let marks = tempfile::tempdir().unwrap();
    let handle = WaitHandle::new(URL, None).unwrap();
    let signalled = handle.signal(&wire, Utf8Path::from_path(marks.path()).unwrap(), verdict).await;
    let bodies = bucket.bodies.lock().unwrap().clone();
    (signalled, bodies)
}

fn failure(reason: &str) -> Verdict {
    Verdict { success: false, reason: reason.to_owned(), data: "0 deployed".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_reason_is_cut_so_that_the_signal_is_not_too_long() {
    for part in ["word ", "\"\\", "ä", "\u{1F680}"] {
        let reason = part.repeat(5000);
        let (signalled, bodies) = signal(200, &failure(&reason)).await;
        assert_eq!(signalled, Ok(Signalled::Now));
        assert!(bodies[0].len() <= 4096, "{}", bodies[0].len());
        let body: Value = serde_json::from_str(&bodies[0]).unwrap();
        let told = body["Reason"].as_str().unwrap();
        let kept = told.strip_suffix('…').unwrap();
        assert!(reason.starts_with(kept) && kept.len() > 1500, "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_without_an_answer_is_repeated_for_half_a_minute() {
    let started = Instant::now();
    let (signalled, bodies) = signal(503, &failure("x")).await;
    let error = signalled.unwrap_err();
    assert_eq!((error.kind, bodies.len(), started.elapsed().as_secs()), (ErrorKind::Unreachable, 6, 31));
    assert_eq!(error.message, "HTTP status 503, with an empty body");
}

#[tokio::test(start_paused = true)]
async fn a_handle_has_the_same_id_for_every_signature() {
    let id = |url: &str, id: Option<&str>| format!("{:?}", WaitHandle::new(url, id).unwrap());
    let other = URL.replace("secret", "another");
    assert_eq!(id(URL, None), id(&other, None));
    assert_ne!(id(URL, None), id(&URL.replace("stack", "other"), None));
    assert_eq!(id(URL, Some("mine")), r#"WaitHandle { id: "mine", .. }"#);
}

#[test]
fn a_url_without_an_object_is_no_handle() {
    for url in [
        "https://bucket.s3.amazonaws.com",
        "https:///handle?Signature=x",
        "ftp://bucket/handle",
        "bucket/handle",
    ] {
        assert!(WaitHandle::new(url, None).is_none(), "{url}");
    }
}
