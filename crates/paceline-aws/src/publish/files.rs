//! Publishes file assets: uploads them to S3, and zips them before if the manifest says so.

use std::io::Read as _;

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use bytes::Bytes;
use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{FileAsset, FileDestination, FileSource, Packaging, open_regular};
use paceline_engine::{Ended, Outcome};
use paceline_host::{SYNTHESIZE, flaws, run_tool, zip};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::bucket::{Body, Bucket};
use super::listing::BucketListing;
use super::{AssetTarget, MissingFiles, already_there, size};
use crate::error::AwsError;

/// The size of an archive without entries. The CDK once uploaded such archives for missing sources.
const EMPTY_ARCHIVE: i64 = 22;
/// The content of a pretended file.
const STAND_IN: &[u8] = b"This stands in for an asset whose source is not there.";

/// Uploads a file asset, unless it exists. `listing` is that of its bucket, if there is one.
pub(crate) async fn publish_file(
    place: &AssetTarget,
    asset: &FileAsset,
    destination: &FileDestination,
    missing: MissingFiles,
    listing: Option<&BucketListing>,
) -> Result<Ended, AwsError> {
    let target = &place.target;
    let (bucket, key) = (target.resolve(&destination.bucket), target.resolve(&destination.key));
    let bucket = Bucket::new(&place.config, &place.caller, &bucket);
    if let Some(listing) = listing
        && listing.shows(&bucket, &key, least(&asset.source)).await
    {
        return Ok(already_there());
    }
    upload_or_pretend(&bucket, &key, &asset.source, missing).await
}

/// Uploads a file, unless it exists. If its source is missing, the file may only be pretended.
pub(super) async fn upload_or_pretend(
    bucket: &Bucket<'_>,
    key: &str,
    source: &FileSource,
    missing: MissingFiles,
) -> Result<Ended, AwsError> {
    if missing == MissingFiles::Pretended {
        let why = match source {
            FileSource::Executable(_) => Some("the command that makes it is not run"),
            FileSource::Path { path, packaging } => {
                (!flaws(path, *packaging).is_empty()).then_some("its source cannot be read")
            }
        };
        if let Some(why) = why {
            return pretend(bucket, key, why).await;
        }
    }
    let reading = match missing {
        MissingFiles::Refused => Reading::InThreads,
        MissingFiles::Pretended => Reading::Here,
    };
    Ok(match upload(bucket, key, source, reading).await? {
        Some(length) => Ended::new(Outcome::Deployed).with_detail(size(length)),
        None => already_there(),
    })
}

/// Uploads a stand-in. Readers of the code must find an object that is not an empty archive.
async fn pretend(bucket: &Bucket<'_>, key: &str, why: &str) -> Result<Ended, AwsError> {
    if bucket.has(key, EMPTY_ARCHIVE + 1).await? {
        return Ok(already_there());
    }
    bucket.put(Body::Bytes(Bytes::from_static(STAND_IN)), |put| put.key(key)).await?;
    Ok(Ended::new(Outcome::Deployed).with_detail(format!("pretended: {why}")))
}

/// Returns whether a file asset is at its destination.
pub(crate) async fn file_is_there(
    place: &AssetTarget,
    asset: &FileAsset,
    destination: &FileDestination,
) -> Result<bool, AwsError> {
    let AssetTarget { target, config, caller } = place;
    let (bucket, key) = (target.resolve(&destination.bucket), target.resolve(&destination.key));
    is_there(&Bucket::new(config, caller, &bucket), &key, &asset.source).await
}

/// Returns whether an object exists that may have been made from this source.
pub(super) async fn is_there(bucket: &Bucket<'_>, key: &str, source: &FileSource) -> Result<bool, AwsError> {
    bucket.has(key, least(source)).await
}

/// The least number of bytes of an object that was made from this source.
fn least(source: &FileSource) -> i64 {
    match source {
        FileSource::Path { packaging: Packaging::File, .. } => 0,
        _ => EMPTY_ARCHIVE + 1,
    }
}

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// In other threads, and in parts while they are sent.
    InThreads,
    /// In a simulation: here and as a whole. On virtual time, another thread would end at a random moment.
    Here,
}

/// Uploads a file, unless it exists. Returns its length, or `None` if it exists.
async fn upload(
    bucket: &Bucket<'_>,
    key: &str,
    source: &FileSource,
    reading: Reading,
) -> Result<Option<u64>, AwsError> {
    if bucket.has(key, least(source)).await? {
        return Ok(None);
    }
    let content = match source {
        FileSource::Path { path, packaging } => Content::of(path, *packaging, reading).await?,
        FileSource::Executable(command) => Content::made_by(command).await?,
    };
    let (path, content_type) = (content.path().to_owned(), content.content_type());
    let (length, checksum) = reading.blocking(move || digest(&path)).await?;
    let put =
        |put: PutObjectFluentBuilder| put.key(key).checksum_sha256(&checksum).content_type(content_type);
    let body = match reading {
        Reading::InThreads => Body::File(content.path()),
        Reading::Here => Body::Bytes(read(content.path())?),
    };
    bucket.put(body, put).await?;
    Ok(Some(length))
}

/// Uploads a text whose name is its digest, unless it exists.
pub(crate) async fn upload_text(bucket: &Bucket<'_>, key: &str, text: String) -> Result<(), AwsError> {
    if bucket.has(key, 0).await? {
        return Ok(());
    }
    bucket.put(Body::Bytes(Bytes::from(text)), |put| put.key(key).content_type("application/json")).await
}

/// The file to upload: a file of the assembly, or a file that was made for the upload.
enum Content {
    AsIs(Utf8PathBuf),
    Zipped(TempUtf8Path),
    /// Made by the command of the asset, which prints this path.
    Made(Utf8PathBuf),
}

/// A temporary file and its path. Dropping this deletes the file.
struct TempUtf8Path {
    path: Utf8PathBuf,
    _file: NamedTempFile,
}

impl Content {
    async fn of(path: &Utf8Path, packaging: Packaging, reading: Reading) -> Result<Self, AwsError> {
        if !path.exists() {
            return Err(AwsError::setup(format!("the asset's source is not there: {path}")).hint(SYNTHESIZE));
        }
        if packaging == Packaging::File {
            return Ok(Self::AsIs(path.to_owned()));
        }
        let source = path.to_owned();
        let zipped = reading.blocking(move || zip(&source)).await?;
        let path = Utf8PathBuf::try_from(zipped.path().to_owned());
        let path = path.map_err(|error| AwsError::setup(format!("the temporary folder: {error}")))?;
        Ok(Self::Zipped(TempUtf8Path { path, _file: zipped }))
    }

    async fn made_by(command: &[String]) -> Result<Self, AwsError> {
        let Some((program, arguments)) = command.split_first() else {
            return Err(AwsError::setup("the asset's command is empty"));
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Ok(Self::Made(run_tool(program, &arguments, None, None).await?.into()))
    }

    fn path(&self) -> &Utf8Path {
        match self {
            Self::AsIs(path) | Self::Made(path) => path,
            Self::Zipped(zipped) => &zipped.path,
        }
    }

    fn content_type(&self) -> &'static str {
        match self {
            Self::Zipped(_) | Self::Made(_) => "application/zip",
            Self::AsIs(path) => match path.extension() {
                Some("json") => "application/json",
                Some("yaml" | "yml") => "application/yaml",
                Some("html") => "text/html",
                Some("zip") => "application/zip",
                _ => "application/octet-stream",
            },
        }
    }
}

/// The length of a file, and its SHA-256 in the form that S3 requires.
fn digest(path: &Utf8Path) -> std::io::Result<(u64, String)> {
    let mut file = open_regular(path)?;
    let (mut hash, mut length, mut chunk) = (Sha256::new(), 0, vec![0; 64 * 1024]);
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok((length, aws_smithy_types::base64::encode(hash.finalize())));
        }
        length += read as u64;
        hash.update(&chunk[..read]);
    }
}

fn read(path: &Utf8Path) -> Result<Bytes, AwsError> {
    fs_err::read(path).map(Bytes::from).map_err(|error| AwsError::setup(error.to_string()))
}

impl Reading {
    async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, AwsError> {
        let done = match self {
            Self::Here => Ok(work()),
            Self::InThreads => tokio::task::spawn_blocking(work).await,
        };
        match done {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(AwsError::setup(error.to_string())),
            Err(error) => Err(AwsError::setup(format!("the work was ended: {error}"))),
        }
    }
}
