//! The part of S3 that publishes assets and reads templates.

mod address;
mod lists;
mod upload;
mod write;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use http::{Method, Response};
use serde_json::json;

use self::address::address;
use self::lists::{list_buckets, list_objects};
use self::upload::payload;
use self::write::{NAMESPACE, xml};
use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Protocol, Request, respond, set_header};
use crate::world::{AccountRegion, Object, World, etag};

/// Simple Storage Service.
pub(super) struct S3;

impl Service for S3 {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Rest
    }

    fn recognise(&self, request: &mut Request) {
        address::recognise(request);
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        match perform(world, request) {
            Err(fault) if request.method == Method::HEAD => {
                Ok(Answer::Response(head_fault(world, request, &fault)))
            }
            answer => answer.map(Answer::Response),
        }
    }
}

/// An error in answer to `HEAD`, which has no body and so no code. If the bucket is in another region, a header says so
/// (API reference, `HeadBucket`).
fn head_fault(world: &mut World, request: &Request, fault: &Fault) -> Response<Bytes> {
    let mut response = respond(fault.status, "application/xml", Bytes::new());
    let (bucket, _) = address(&request.path);
    if let Some(place) = world.bucket_owner(&bucket) {
        set_header(&mut response, "x-amz-bucket-region", &place.region);
    }
    response
}

fn perform(world: &mut World, request: &Request) -> Result<Response<Bytes>, Fault> {
    let (bucket, key) = address(&request.path);
    if request.operation == "ListBuckets" {
        return Ok(list_buckets(world, request));
    }
    let bucket_place = enter(world, request, &bucket)?;
    let now = world.now;
    let keep = world.options.keep_objects_up_to;
    let upload_id = request.query.text("uploadId").map(str::to_owned);
    let part: u32 = request.query.text("partNumber").and_then(|text| text.parse().ok()).unwrap_or(1);
    let empty = |status| respond(status, "application/xml", Bytes::new());
    match request.operation.as_str() {
        "HeadBucket" => {
            let mut response = empty(200);
            set_header(&mut response, "x-amz-bucket-region", &bucket_place.region);
            Ok(response)
        }
        "GetBucketLocation" => {
            let region = if &*bucket_place.region == "us-east-1" { "" } else { &*bucket_place.region };
            let text = format!("<LocationConstraint xmlns=\"{NAMESPACE}\">{region}</LocationConstraint>");
            Ok(respond(200, "application/xml", text))
        }
        "GetBucketEncryption" => Ok(xml(
            "ServerSideEncryptionConfiguration",
            &json!({"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": false}}),
        )),
        "ListObjectsV2" => Ok(list_objects(world, request, &bucket)),
        "HeadObject" | "GetObject" => {
            let object = world.buckets.object(&bucket, &key).cloned().ok_or_else(|| no_such_key(request))?;
            get_object(&object, request.method == Method::HEAD)
        }
        "PutObject" => {
            let body = payload(request)?;
            check_condition(world, request, &bucket, &key)?;
            let kind = request.header("content-type").map(str::to_owned);
            let etag = world.buckets.put(&bucket, &key, &body, kind, now, keep);
            let mut response = empty(200);
            set_header(&mut response, "etag", &etag);
            set_header(&mut response, "x-amz-server-side-encryption", "AES256");
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
            Ok(xml("InitiateMultipartUploadResult", &result))
        }
        "UploadPart" => {
            let body = payload(request)?;
            let parts =
                upload_id.and_then(|id| world.buckets.uploads.get_mut(&id)).ok_or_else(no_such_upload)?;
            let etag = etag(&body);
            parts.insert(part, body);
            let mut response = empty(200);
            set_header(&mut response, "etag", &etag);
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
            Ok(xml("CompleteMultipartUploadResult", &result))
        }
        "AbortMultipartUpload" => {
            upload_id.and_then(|id| world.buckets.uploads.remove(&id)).ok_or_else(no_such_upload)?;
            Ok(empty(204))
        }
        _ => Err(unknown_operation(request)),
    }
}

/// Checks that a bucket exists, belongs to the owner that the caller expects, and is in the region that the
/// request was signed for.
fn enter(world: &mut World, request: &Request, bucket: &str) -> Result<AccountRegion, Fault> {
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

/// Checks the headers `If-None-Match` and `If-Match` of a write.
fn check_condition(world: &World, request: &Request, bucket: &str, key: &str) -> Result<(), Fault> {
    let etag = world.buckets.object(bucket, key).map(|object| object.etag.as_str());
    let refused = match (request.header("if-none-match"), request.header("if-match")) {
        (Some("*"), _) => etag.is_some(),
        (_, Some(wanted)) => match etag {
            Some(etag) => etag.trim_matches('"') != wanted.trim_matches('"'),
            None => return Err(no_such_key(request)),
        },
        _ => false,
    };
    if !refused {
        return Ok(());
    }
    let message = "At least one of the pre-conditions you specified did not hold";
    Err(Fault::new(412, "PreconditionFailed", message))
}

fn no_such_key(request: &Request) -> Fault {
    let code = if request.method == Method::HEAD { "NotFound" } else { "NoSuchKey" };
    Fault::new(404, code, "The specified key does not exist.")
}

fn no_such_upload() -> Fault {
    Fault::new(404, "NoSuchUpload", "The specified upload does not exist.")
}

fn get_object(object: &Object, head: bool) -> Result<Response<Bytes>, Fault> {
    let body = match (&object.body, head) {
        (_, true) => Bytes::new(),
        (Some(body), false) => body.clone(),
        (None, false) => {
            return Err(Fault::new(501, "NotImplemented", "Only the size of this object was kept."));
        }
    };
    let kind = object.content_type.as_deref().unwrap_or("binary/octet-stream");
    let mut response = respond(200, kind, body);
    set_header(&mut response, "etag", &object.etag);
    set_header(
        &mut response,
        "last-modified",
        &object.modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    );
    set_header(&mut response, "content-length", &object.size.to_string());
    Ok(response)
}
