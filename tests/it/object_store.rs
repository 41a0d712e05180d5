//! Reads every object that the simulated AWS keeps.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// The objects of a bucket, as key and content.
pub(crate) fn objects(address: &str, bucket: &str) -> Vec<(String, String)> {
    let listed = get(address, &format!("/{bucket}?list-type=2"));
    assert!(listed.contains("<IsTruncated>false</IsTruncated>"), "{listed}");
    let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
    keys.map(|key| (key.to_owned(), get(address, &format!("/{bucket}/{key}")))).collect()
}

/// Asks an S3 that checks no signature.
fn get(address: &str, path: &str) -> String {
    let host = address.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {scope}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
    body.to_owned()
}
