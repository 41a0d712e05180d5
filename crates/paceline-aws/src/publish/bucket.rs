//! A bucket for files: checks for objects and uploads them.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::{ByteStream, ByteStreamError};
use aws_sdk_s3::types::Object;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use camino::Utf8Path;

use crate::call::{Caller, Upload};
use crate::error::{AwsError, ErrorKind, code};
use crate::sdk::{s3_is_path_style, upload_timeouts};

/// A bucket and the caller for it.
#[derive(Debug)]
pub(crate) struct Bucket<'a> {
    client: Client,
    /// The client for uploads, which may take any time.
    uploader: Client,
    caller: &'a Caller,
    name: String,
}

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) key: String,
    /// Changes with the content.
    pub(crate) etag: String,
    /// When it was last written, in seconds.
    pub(crate) written: i64,
    /// Its size in bytes.
    pub(crate) size: i64,
}

impl Listed {
    fn of(object: &Object) -> Option<Self> {
        let written = object.last_modified().map(aws_sdk_s3::primitives::DateTime::secs).unwrap_or_default();
        let etag = object.e_tag().unwrap_or_default().to_owned();
        let size = object.size().unwrap_or_default();
        Some(Self { key: object.key()?.to_owned(), etag, written, size })
    }
}

/// What must be true of an object so that it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It does not exist.
    New,
    /// It has this entity tag.
    Unchanged(String),
}

/// The content of an object.
#[derive(Debug, Clone)]
pub(super) enum Body<'a> {
    File(&'a Utf8Path),
    Bytes(Bytes),
}

impl Body<'_> {
    async fn stream(self) -> Result<ByteStream, ByteStreamError> {
        match self {
            Self::File(path) => ByteStream::from_path(path).await,
            Self::Bytes(bytes) => Ok(ByteStream::from(bytes)),
        }
    }
}

impl<'a> Bucket<'a> {
    pub(crate) fn new(config: &SdkConfig, caller: &'a Caller, name: &str) -> Self {
        let settings = aws_sdk_s3::config::Builder::from(config).force_path_style(s3_is_path_style(config));
        let client = Client::from_conf(settings.clone().build());
        let uploader = Client::from_conf(settings.timeout_config(upload_timeouts()).build());
        Self { client, uploader, caller, name: name.to_owned() }
    }

    /// Returns whether a bucket of this name exists, in any account and region: names are those of the whole partition
    /// (API reference, `HeadBucket`).
    pub(crate) async fn exists(&self) -> Result<bool, AwsError> {
        let send = || async {
            match self.client.head_bucket().bucket(&self.name).send().await {
                // It belongs to another account or region. The answer has no body, and so no code.
                Err(SdkError::ServiceError(answer))
                    if answer.raw().status().as_u16() == 403
                        || answer.raw().headers().contains_key("x-amz-bucket-region") =>
                {
                    Ok(())
                }
                answer => answer.map(drop),
            }
        };
        match self.caller.call("HeadBucket", send).await {
            Ok(()) => Ok(true),
            Err(error) if error.is(code::NOT_FOUND) || error.is(code::NO_SUCH_BUCKET) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns whether the object exists and has at least `least` bytes. After a `HeadObject` of a missing
    /// object, S3 could report it as missing to CloudFormation even after the upload (aws/aws-cdk#6430). So
    /// the object is searched for by listing.
    pub(super) async fn has(&self, key: &str, least: i64) -> Result<bool, AwsError> {
        let send = || self.client.list_objects_v2().bucket(&self.name).prefix(key).max_keys(1).send();
        let answer = self.caller.call("ListObjectsV2", send).await.map_err(|error| self.explain(error))?;
        let is_it =
            |object: &Object| object.key() == Some(key) && object.size().is_none_or(|size| size >= least);
        Ok(answer.contents().iter().any(is_it))
    }

    /// Uploads an object. Each attempt gets a new body.
    pub(super) async fn put(
        &self,
        body: Body<'_>,
        with: impl Fn(PutObjectFluentBuilder) -> PutObjectFluentBuilder,
    ) -> Result<(), AwsError> {
        let send = || {
            let (body, put) = (body.clone(), with(self.uploader.put_object().bucket(&self.name)));
            async move {
                let body = body.stream().await.map_err(SdkError::construction_failure)?;
                Upload::watch(body, |body| put.body(body).send()).await
            }
        };
        let put = self.caller.call("PutObject", send).await;
        put.map(drop).map_err(|error| self.explain(error))
    }

    /// The keys of all objects that begin with a prefix.
    pub(crate) async fn keys(&self, prefix: &str) -> Result<Vec<String>, AwsError> {
        let found = self.list(prefix, None).await?;
        Ok(found.into_iter().map(|object| object.key).collect())
    }

    /// All objects whose keys begin with a prefix and come after another key, in the order of their keys.
    pub(crate) async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, AwsError> {
        self.list_pages(prefix, after, usize::MAX).await
    }

    /// The same, but only the first pages, which have up to 1,000 objects each.
    pub(super) async fn list_pages(
        &self,
        prefix: &str,
        after: Option<&str>,
        pages: usize,
    ) -> Result<Vec<Listed>, AwsError> {
        let (mut found, mut next) = (Vec::new(), None::<String>);
        for _ in 0..pages {
            let send = || {
                let call = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
                let call = call.set_start_after(after.map(str::to_owned));
                call.set_continuation_token(next.clone()).send()
            };
            let answer =
                self.caller.call("ListObjectsV2", send).await.map_err(|error| self.explain(error))?;
            found.extend(answer.contents().iter().filter_map(Listed::of));
            next = answer.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Reads a small object, with its entity tag. `None` if it does not exist.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<(Bytes, String)>, AwsError> {
        // The body is a part of the answer. One that breaks off, and the page of a proxy, are answers that were lost.
        let lost = |why: BoxError| SdkError::dispatch_failure(ConnectorError::io(why));
        let send = || async {
            let answer = self.client.get_object().bucket(&self.name).key(key).send().await?;
            let (etag, length) = (answer.e_tag().map(str::to_owned), answer.content_length());
            let body = answer.body.collect().await.map_err(|error| lost(error.into()))?.into_bytes();
            let is_whole =
                length.is_none_or(|length| usize::try_from(length).is_ok_and(|it| it == body.len()));
            match etag {
                Some(etag) if is_whole => Ok((body, etag)),
                Some(_) => Err(lost("the answer breaks off".into())),
                None => Err(lost("the answer is not that of S3".into())),
            }
        };
        match self.caller.call("GetObject", send).await {
            Err(error) if error.is(code::NO_SUCH_KEY) => Ok(None),
            answer => answer.map(Some).map_err(|error| self.explain(error)),
        }
    }

    /// Writes an object if the condition holds, and returns whether it did. S3 checks the condition and writes in one step
    /// (Amazon S3 User Guide, "Add preconditions to S3 operations with conditional requests").
    pub(crate) async fn put_if(
        &self,
        key: &str,
        content: Vec<u8>,
        condition: &Condition,
    ) -> Result<bool, AwsError> {
        let content = Bytes::from(content);
        let with = |put: PutObjectFluentBuilder| match condition {
            Condition::New => put.key(key).if_none_match("*"),
            Condition::Unchanged(etag) => put.key(key).if_match(etag),
        };
        match self.put(Body::Bytes(content.clone()), with).await {
            Ok(()) => Ok(true),
            // The answer to an earlier attempt may have been lost. Then the object has this content already.
            Err(error)
                if error.is(code::PRECONDITION_FAILED)
                    || error.is(code::CONDITIONAL_CONFLICT)
                    || error.is(code::NO_SUCH_KEY) =>
            {
                Ok(self.get(key).await?.is_some_and(|(there, _)| there == content))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes an object without content.
    pub(crate) async fn put_empty(&self, key: &str) -> Result<(), AwsError> {
        self.put_bytes(key, Vec::new()).await
    }

    /// Writes a small object, or replaces it.
    pub(crate) async fn put_bytes(&self, key: &str, content: Vec<u8>) -> Result<(), AwsError> {
        self.put(Body::Bytes(Bytes::from(content)), |put| put.key(key)).await
    }

    /// Deletes an object. An object that does not exist is deleted, too.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), AwsError> {
        let send = || self.client.delete_object().bucket(&self.name).key(key).send();
        let done = self.caller.call("DeleteObject", send).await;
        done.map(drop).map_err(|error| self.explain(error))
    }

    fn explain(&self, error: AwsError) -> AwsError {
        let place = error.place.as_ref().map(|place| format!("{place} in s3://{}", self.name));
        let error = AwsError { place, ..error };
        match error.kind {
            ErrorKind::Refused if error.is(code::NO_SUCH_BUCKET) => error.hint(
                "bootstrap the environment (cdk bootstrap), or deploy the stack that creates the bucket",
            ),
            _ => error,
        }
    }
}
