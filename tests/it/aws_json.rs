//! Calls the simulated AWS as a service that speaks JSON.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::harness::Sim;

/// Calls CodeBuild.
pub(crate) fn codebuild(sim: &Sim, operation: &str, body: &Value) -> Value {
    ask(sim, "codebuild", &format!("CodeBuild_20161006.{operation}"), body)
}

/// Calls EventBridge.
pub(crate) fn events(sim: &Sim, operation: &str, body: &Value) -> Value {
    ask(sim, "events", &format!("AWSEvents.{operation}"), body)
}

fn ask(sim: &Sim, service: &str, target: &str, body: &Value) -> Value {
    let host = sim.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let body = body.to_string();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nAuthorization: {scope}\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: {target}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).expect(&answer)
}
