//! Reads every object that the simulated AWS keeps.

use crate::unsigned::send;

/// The objects of a bucket, as key and content.
pub(crate) fn objects(address: &str, bucket: &str) -> Vec<(String, String)> {
    let listed = get(address, &format!("/{bucket}?list-type=2"));
    assert!(listed.contains("<IsTruncated>false</IsTruncated>"), "{listed}");
    let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
    keys.map(|key| (key.to_owned(), get(address, &format!("/{bucket}/{key}")))).collect()
}

fn get(address: &str, path: &str) -> String {
    let (head, body) = send(address, "s3", &format!("GET {path}"), &[], "");
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
    body
}
