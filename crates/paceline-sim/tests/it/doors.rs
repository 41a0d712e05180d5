//! The two ways to call the simulator: as an HTTP client of the SDK, and over a socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use paceline_sim::{Faults, SimHttpClient, SimOptions, Simulator, VirtualClock, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SCOPE: &str = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/sts/aws4_request, Signature=0";

fn clock() -> VirtualClock {
    VirtualClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap())
}

async fn ask(client: &SimHttpClient) -> Result<HttpResponse, ConnectorError> {
    let mut request = HttpRequest::new(SdkBody::from("Action=GetCallerIdentity&Version=2011-06-15"));
    request.set_method("POST").unwrap();
    request.set_uri("https://sts.us-east-1.amazonaws.com/").unwrap();
    request.headers_mut().insert("authorization", SCOPE);
    client.call(request).await
}

#[tokio::test(start_paused = true)]
async fn a_request_takes_only_virtual_time() {
    let real = std::time::Instant::now();
    let sim = Simulator::new(SimOptions::default());
    let clock = clock();
    let client = SimHttpClient::new(sim.clone(), clock).with_latency(Duration::from_hours(1));
    let response = ask(&client).await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(clock.now().to_string(), "2026-01-01T01:00:00Z");
    assert_eq!(sim.calls()[0].at, clock.now());
    assert!(real.elapsed() < Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_reply_is_lost_is_carried_out() {
    let faults = Faults { lost_replies: 1.0, ..Faults::default() };
    let sim = Simulator::new(SimOptions { faults, ..SimOptions::default() });
    let error = ask(&SimHttpClient::new(sim.clone(), clock())).await.unwrap_err();
    assert!(error.is_io(), "{error:?}");
    assert_eq!(sim.calls()[0].status, 200);
}

#[tokio::test]
async fn the_simulator_answers_on_a_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log: serve::AccessLog = {
        let lines = Arc::clone(&lines);
        Arc::new(move |call| lines.lock().unwrap().push(call.to_string()))
    };
    let sim = Simulator::new(SimOptions::default());
    let server = tokio::spawn(serve::serve(listener, sim.clone(), clock(), Some(log)));
    let ask = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let body = "Action=GetCallerIdentity";
        let head =
            format!("POST / HTTP/1.1\r\nhost: localhost\r\nauthorization: {SCOPE}\r\nconnection: close\r\n");
        let length = format!("content-length: {}\r\n\r\n{body}", body.len());
        stream.write_all((head + &length).as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = ask().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("<Account>111111111111</Account>"));
    assert!(lines.lock().unwrap()[0].ends_with("Z sts GetCallerIdentity us-east-1 200"));
    sim.set_faults(Faults { lost_replies: 1.0, ..Faults::default() });
    assert_eq!(ask().await, "", "the connection closes without an answer");
    server.abort();
}
