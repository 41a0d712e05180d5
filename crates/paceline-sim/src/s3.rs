//! S3, as far as publishing assets and reading templates needs it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use http::{Method, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::answer::{Fault, Lists, element, respond};
use crate::request::{Request, percent_decode};
use crate::simulator::unknown_operation;
use crate::world::{Place, World, written};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Every bucket of the partition: their names are global.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buckets {
    buckets: BTreeMap<String, Bucket>,
    uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
}

#[derive(Debug, Clone)]
struct Bucket {
    place: Place,
    objects: BTreeMap<String, Object>,
}

#[derive(Debug, Clone)]
struct Object {
    size: usize,
    etag: String,
    modified: Timestamp,
    content_type: Option<String>,
    /// None for large objects, of which only the size is kept.
    body: Option<Bytes>,
}

/// Works out which operation a request is, and brings its path into the form `/bucket/key`.
pub(crate) fn name_operation(request: &mut Request) {
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

/// The bucket in a virtual-host style host name. An address or a lone name has none.
fn bucket_of_host(host: &str) -> Option<&str> {
    let name = host.split(':').next().unwrap_or(host);
    ["s3.", "s3-"]
        .iter()
        .filter_map(|service| name.find(&format!(".{service}")))
        .min()
        .map(|at| &name[..at])
        .filter(|_| paceline_assembly::is_host_of_aws(name))
}

fn address(path: &str) -> (String, String) {
    let (bucket, key) =
        path.strip_prefix('/').unwrap_or(path).split_once('/').unwrap_or((path.trim_matches('/'), ""));
    (percent_decode(bucket, false), percent_decode(key, false))
}

pub(crate) fn perform(world: &mut World, request: &Request, id: &str) -> Result<Response<Bytes>, Fault> {
    let (bucket, key) = address(&request.path);
    if request.operation == "ListBuckets" {
        return Ok(list_buckets(world, request, id));
    }
    let bucket_place = enter(world, request, &bucket)?;
    let now = world.now;
    let keep = world.options.keep_objects_up_to;
    let upload_id = request.query.text("uploadId").map(str::to_owned);
    let part: u32 = request.query.text("partNumber").and_then(|text| text.parse().ok()).unwrap_or(1);
    let empty = |status| respond(status, "application/xml", id, Bytes::new());
    match request.operation.as_str() {
        "HeadBucket" => {
            let mut response = empty(200);
            set(&mut response, "x-amz-bucket-region", &bucket_place.region);
            Ok(response)
        }
        "GetBucketLocation" => {
            let region = if &*bucket_place.region == "us-east-1" { "" } else { &*bucket_place.region };
            let text = format!("<LocationConstraint xmlns=\"{NAMESPACE}\">{region}</LocationConstraint>");
            Ok(respond(200, "application/xml", id, text))
        }
        "GetBucketEncryption" => Ok(xml(
            "ServerSideEncryptionConfiguration",
            &json!({"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": false}}),
            id,
        )),
        "ListObjectsV2" => Ok(list_objects(world, request, &bucket, id)),
        "HeadObject" | "GetObject" => {
            let object = world.buckets.object(&bucket, &key).cloned().ok_or_else(|| no_such_key(request))?;
            get_object(&object, request.method == Method::HEAD, id)
        }
        "PutObject" => {
            let body = payload(request)?;
            let kind = request.header("content-type").map(str::to_owned);
            let etag = world.buckets.put(&bucket, &key, &body, kind, now, keep);
            let mut response = empty(200);
            set(&mut response, "etag", &etag);
            set(&mut response, "x-amz-server-side-encryption", "AES256");
            Ok(response)
        }
        "DeleteObject" => {
            if let Some(bucket) = world.buckets.buckets.get_mut(&bucket) {
                bucket.objects.remove(&key);
            }
            Ok(empty(204))
        }
        "CreateMultipartUpload" => {
            let upload = world.random.mixed(64);
            world.buckets.uploads.insert(upload.clone(), BTreeMap::new());
            let result = json!({"Bucket": bucket, "Key": key, "UploadId": upload});
            Ok(xml("InitiateMultipartUploadResult", &result, id))
        }
        "UploadPart" => {
            let body = payload(request)?;
            let parts =
                upload_id.and_then(|id| world.buckets.uploads.get_mut(&id)).ok_or_else(no_such_upload)?;
            let etag = etag(&body);
            parts.insert(part, body);
            let mut response = empty(200);
            set(&mut response, "etag", &etag);
            Ok(response)
        }
        "CompleteMultipartUpload" => {
            let parts =
                upload_id.and_then(|id| world.buckets.uploads.remove(&id)).ok_or_else(no_such_upload)?;
            let mut body = BytesMut::new();
            for part in parts.values() {
                body.extend_from_slice(part);
            }
            let etag = world.buckets.put(&bucket, &key, &body, None, now, keep);
            let result = json!({"Bucket": bucket, "Key": key, "ETag": etag});
            Ok(xml("CompleteMultipartUploadResult", &result, id))
        }
        "AbortMultipartUpload" => {
            upload_id.and_then(|id| world.buckets.uploads.remove(&id)).ok_or_else(no_such_upload)?;
            Ok(empty(204))
        }
        _ => Err(unknown_operation(request)),
    }
}

/// Checks that a bucket is there, belongs to whom the caller expects, and is in the region the
/// request was signed for.
fn enter(world: &mut World, request: &Request, bucket: &str) -> Result<Place, Fault> {
    let place = world
        .bucket_owner(bucket)
        .ok_or_else(|| Fault::new(404, "NoSuchBucket", "The specified bucket does not exist"))?;
    let owner = request.header("x-amz-expected-bucket-owner");
    if owner.is_some_and(|owner| owner != &*place.account) || place.account != request.place.account {
        return Err(Fault::new(403, "AccessDenied", "Access Denied"));
    }
    if place.region != request.place.region && request.operation != "GetBucketLocation" {
        return Err(Fault::new(
            400,
            "AuthorizationHeaderMalformed",
            format!(
                "The authorization header is malformed; the region '{}' is wrong; expecting '{}'",
                request.place.region, place.region
            ),
        ));
    }
    Ok(place)
}

fn no_such_key(request: &Request) -> Fault {
    let code = if request.method == Method::HEAD { "NotFound" } else { "NoSuchKey" };
    Fault::new(404, code, "The specified key does not exist.")
}

fn no_such_upload() -> Fault {
    Fault::new(404, "NoSuchUpload", "The specified upload does not exist.")
}

fn get_object(object: &Object, head: bool, id: &str) -> Result<Response<Bytes>, Fault> {
    let body = match (&object.body, head) {
        (_, true) => Bytes::new(),
        (Some(body), false) => body.clone(),
        (None, false) => {
            return Err(Fault::new(501, "NotImplemented", "Only the size of this object was kept."));
        }
    };
    let kind = object.content_type.as_deref().unwrap_or("binary/octet-stream");
    let mut response = respond(200, kind, id, body);
    set(&mut response, "etag", &object.etag);
    set(&mut response, "last-modified", &object.modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    set(&mut response, "content-length", &object.size.to_string());
    Ok(response)
}

fn list_buckets(world: &World, request: &Request, id: &str) -> Response<Bytes> {
    let buckets: Vec<Value> = world
        .buckets
        .buckets
        .iter()
        .filter(|(_, bucket)| bucket.place.account == request.place.account)
        .map(|(name, _)| json!({"Name": name, "CreationDate": written(world.now)}))
        .collect();
    xml("ListAllMyBucketsResult", &json!({"Buckets": {"Bucket": buckets}}), id)
}

fn list_objects(world: &World, request: &Request, bucket: &str, id: &str) -> Response<Bytes> {
    let prefix = request.query.text("prefix").unwrap_or_default();
    let most =
        request.query.text("max-keys").and_then(|text| text.parse().ok()).unwrap_or(1000_usize).min(1000);
    let after = request.query.text("continuation-token").or_else(|| request.query.text("start-after"));
    let mut entries = world
        .buckets
        .buckets
        .get(bucket)
        .into_iter()
        .flat_map(|bucket| bucket.objects.range(prefix.to_owned()..))
        .take_while(|(key, _)| key.starts_with(prefix))
        .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after))
        .peekable();
    let mut contents = Vec::new();
    let mut last = None;
    while contents.len() < most {
        let Some((key, object)) = entries.next() else { break };
        contents.push(json!({
            "Key": key, "Size": object.size, "ETag": object.etag,
            "LastModified": written(object.modified), "StorageClass": "STANDARD",
        }));
        last = Some(key);
    }
    let more = entries.peek().is_some();
    xml(
        "ListBucketResult",
        &json!({
            "Name": bucket, "Prefix": prefix, "MaxKeys": most, "KeyCount": contents.len(), "IsTruncated": more,
            "NextContinuationToken": if more { json!(last) } else { Value::Null }, "Contents": contents,
        }),
        id,
    )
}

fn xml(name: &str, value: &Value, id: &str) -> Response<Bytes> {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
    let mut inner = String::new();
    element(&mut inner, name, value, Lists::Flat);
    let opened = format!("<{name}");
    let _ = write!(text, "{opened} xmlns=\"{NAMESPACE}\"{}", inner.strip_prefix(&opened).unwrap_or_default());
    respond(200, "application/xml", id, text)
}

fn set(response: &mut Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}

/// Real `ETag`s are MD5 of the content; any tag that follows from the content serves.
fn etag(body: &[u8]) -> String {
    let hash = Sha256::digest(body);
    let mut text = String::from("\"");
    for byte in hash.iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('"');
    text
}

/// The content of an upload, without the framing that `aws-chunked` puts around it.
///
/// Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring
/// Payload in Multiple Chunks": `size-in-hex[;chunk-signature=…]\r\n data \r\n`, then trailers.
fn payload(request: &Request) -> Result<Bytes, Fault> {
    let chunked = request.header("content-encoding").is_some_and(|value| value.contains("aws-chunked"))
        || request.header("x-amz-content-sha256").is_some_and(|value| value.starts_with("STREAMING-"));
    if !chunked {
        return Ok(request.body.clone());
    }
    let broken = || Fault::bad("IncompleteBody", "The request body terminated unexpectedly");
    let mut rest = &request.body[..];
    let mut body = BytesMut::with_capacity(rest.len());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").ok_or_else(broken)?;
        let line = std::str::from_utf8(&rest[..end]).map_err(|_| broken())?;
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(|_| broken())?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Ok(body.freeze());
        }
        body.extend_from_slice(rest.get(..size).ok_or_else(broken)?);
        rest = rest.get(size..).and_then(|rest| rest.strip_prefix(b"\r\n")).ok_or_else(broken)?;
    }
}

impl World {
    /// Whose bootstrap bucket a name would be, if that environment is bootstrapped.
    fn bootstrap_bucket(&self, name: &str) -> Option<Place> {
        let rest = name.strip_prefix("cdk-")?;
        let (at, account) = rest
            .split('-')
            .scan(0, |at, word| {
                let start = *at;
                *at += word.len() + 1;
                Some((start, word))
            })
            .find(|(_, word)| self.is_account(word))?;
        let region = rest.get(at + account.len() + 1..)?;
        let place = Place::new(account, region);
        (!region.is_empty() && self.is_bootstrapped(&place)).then_some(place)
    }

    /// The content of an object that the simulator can read: none if it is absent or too large.
    pub(crate) fn object(&mut self, bucket: &str, key: &str) -> Option<Bytes> {
        self.buckets.object(bucket, key)?.body.clone()
    }

    /// Whose bucket this is, and where.
    pub(crate) fn bucket_owner(&mut self, bucket: &str) -> Option<Place> {
        self.buckets.find(self.bootstrap_bucket(bucket), bucket)
    }

    /// Whether an object is there. Buckets that nobody simulates are given the benefit of the doubt.
    pub(crate) fn has_object(&self, bucket: &str, key: &str) -> bool {
        if self.bootstrap_bucket(bucket).is_none() && !self.buckets.buckets.contains_key(bucket) {
            return true;
        }
        self.buckets.object(bucket, key).is_some()
    }
}

impl Buckets {
    fn find(&mut self, bootstrap: Option<Place>, name: &str) -> Option<Place> {
        if let Some(bucket) = self.buckets.get(name) {
            return Some(bucket.place.clone());
        }
        let place = bootstrap?;
        self.create(name, place.clone());
        Some(place)
    }

    /// Creates a bucket; false if its name is taken.
    pub(crate) fn create(&mut self, name: &str, place: Place) -> bool {
        if self.buckets.contains_key(name) {
            return false;
        }
        self.buckets.insert(name.to_owned(), Bucket { place, objects: BTreeMap::new() });
        true
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.buckets.contains_key(name)
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.buckets.remove(name);
    }

    fn object(&self, bucket: &str, key: &str) -> Option<&Object> {
        self.buckets.get(bucket)?.objects.get(key)
    }

    fn put(
        &mut self,
        bucket: &str,
        key: &str,
        body: &[u8],
        kind: Option<String>,
        now: Timestamp,
        keep: usize,
    ) -> String {
        let etag = etag(body);
        let object = Object {
            size: body.len(),
            etag: etag.clone(),
            modified: now,
            content_type: kind,
            // A copy, because the request's buffer may be larger than the object.
            body: (body.len() <= keep).then(|| Bytes::copy_from_slice(body)),
        };
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.objects.insert(key.to_owned(), object);
        }
        etag
    }
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

    #[test]
    fn bootstrap_buckets_name_their_environment() {
        let world = World::new(crate::SimOptions::default());
        let found = world.bootstrap_bucket("cdk-hnb659fds-assets-222222222222-eu-west-1");
        assert_eq!(found, Some(Place::new("222222222222", "eu-west-1")));
        assert_eq!(world.bootstrap_bucket("cdk-hnb659fds-assets-2-eu-west-1"), None);
        assert_eq!(world.bootstrap_bucket("my-222222222222-eu-west-1"), None);
    }
}
