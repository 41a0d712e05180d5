//! Finds the bucket, the object and the operation of a request.

use crate::wire::{Request, percent_decode};

/// Finds the operation of a request, and rewrites its path to `/bucket/key`.
pub(super) fn recognise(request: &mut Request) {
    if let Some(bucket) = bucket_of_host(&request.host) {
        request.path = format!("/{bucket}{}", request.path);
    }
    let (bucket, key) = address(&request.path);
    let query = &request.query;
    let name = match (request.method.as_str(), bucket.is_empty(), key.is_empty()) {
        ("GET", true, _) => "ListBuckets",
        ("HEAD", false, true) => "HeadBucket",
        ("GET", false, true) if query.has("location") => "GetBucketLocation",
        ("GET", false, true) if query.has("encryption") => "GetBucketEncryption",
        ("GET", false, true) if query.raw("list-type") == Some("2") => "ListObjectsV2",
        ("HEAD", false, false) => "HeadObject",
        ("GET", false, false) => "GetObject",
        ("DELETE", false, false) if query.has("uploadId") => "AbortMultipartUpload",
        ("DELETE", false, false) => "DeleteObject",
        ("PUT", false, false) if query.has("uploadId") => "UploadPart",
        ("PUT", false, false) if request.header("x-amz-copy-source").is_none() => "PutObject",
        ("POST", false, false) if query.has("uploads") => "CreateMultipartUpload",
        ("POST", false, false) if query.has("uploadId") => "CompleteMultipartUpload",
        (method, ..) => method,
    };
    request.operation = name.to_owned();
}

/// The bucket in a virtual-host style host name. An IP address or a single label names no bucket.
fn bucket_of_host(host: &str) -> Option<&str> {
    let name = host.split(':').next().unwrap_or(host);
    ["s3.", "s3-"]
        .iter()
        .filter_map(|service| name.find(&format!(".{service}")))
        .min()
        .map(|at| &name[..at])
        .filter(|_| paceline_assembly::is_host_of_aws(name))
}

pub(super) fn address(path: &str) -> (String, String) {
    let (bucket, key) =
        path.strip_prefix('/').unwrap_or(path).split_once('/').unwrap_or((path.trim_matches('/'), ""));
    (percent_decode(bucket, false), percent_decode(key, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_found_in_host_names() {
        assert_eq!(bucket_of_host("b.s3.us-east-1.amazonaws.com"), Some("b"));
        assert_eq!(bucket_of_host("my.bucket.s3.amazonaws.com:443"), Some("my.bucket"));
        assert_eq!(bucket_of_host("s3.us-east-1.amazonaws.com"), None);
        assert_eq!(bucket_of_host("127.0.0.1:4566"), None);
    }
}
