//! Sends requests to the simulated AWS, which checks no signature but reads from it which service is meant.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// The head and the body of the answer of a service. `request` is the method and the path.
pub(crate) fn send(
    address: &str,
    service: &str,
    request: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (String, String) {
    let host = address.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {scope}\r\n{headers}Content-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
    (head.to_owned(), body.to_owned())
}
