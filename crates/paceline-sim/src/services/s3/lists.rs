//! Lists of buckets and of objects.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::write::xml;
use crate::wire::Request;
use crate::world::{World, written};

pub(super) fn list_buckets(world: &World, request: &Request) -> Response<Bytes> {
    let buckets: Vec<Value> = world
        .buckets
        .buckets
        .iter()
        .filter(|(_, bucket)| bucket.place.account == request.place.account)
        .map(|(name, _)| json!({"Name": name, "CreationDate": written(world.now)}))
        .collect();
    xml("ListAllMyBucketsResult", &json!({"Buckets": {"Bucket": buckets}}))
}

pub(super) fn list_objects(world: &World, request: &Request, bucket: &str) -> Response<Bytes> {
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
    )
}
