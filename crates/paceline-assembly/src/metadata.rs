//! The metadata of constructs: messages, construct paths, tags, and the assets of CDK v1.
//!
//! Entries of an unknown form are skipped, because apart from legacy assets they do not affect the
//! deployment.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::error::AssemblyError;
use crate::shape::{Shape, join};

/// An annotation that a construct added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub severity: Severity,
    /// The path of the construct, without a leading slash.
    pub path: String,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

/// An asset of a CDK v1 app. It is published to the bootstrap bucket or to the `aws-cdk/assets` repository,
/// and passed to the stack as parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyAsset {
    pub id: String,
    /// The file or folder.
    pub path: Utf8PathBuf,
    pub source_hash: String,
    pub packaging: LegacyPackaging,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyPackaging {
    /// A file, or a folder to be zipped.
    S3 { zip: bool, bucket_parameter: String, key_parameter: String, hash_parameter: String },
    Image {
        /// The parameter for the image's name. Newer apps state `repository` and `tag` instead.
        name_parameter: Option<String>,
        repository: Option<String>,
        tag: Option<String>,
        docker_file: Option<String>,
        target: Option<String>,
        build_args: BTreeMap<String, String>,
        network_mode: Option<String>,
        platform: Option<String>,
    },
}

/// The metadata of one stack artifact.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) messages: Vec<Message>,
    /// The construct paths by logical id.
    pub(crate) paths: BTreeMap<String, String>,
    /// The places in the app's source that made resources, by logical id.
    pub(crate) sources: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) legacy_assets: Vec<LegacyAsset>,
}

impl Metadata {
    /// Adds the metadata entries of constructs, by construct path. `dir` is the assembly's folder.
    pub(crate) fn add(&mut self, shape: &Shape<'_>, dir: &Utf8Path) -> Result<(), AssemblyError> {
        let Some(constructs) = shape.value.as_object() else {
            return Err(shape.error("expected a map of construct paths"));
        };
        for (construct, entries) in constructs {
            for (at, entry) in entries.as_array().into_iter().flatten().enumerate() {
                let data = entry.get("data");
                match entry.get("type").and_then(Value::as_str) {
                    Some("aws:cdk:logicalId") => {
                        if let Some(id) = data.and_then(Value::as_str) {
                            // The metadata also has the resources of nested stacks, which may use a logical
                            // id of the outer stack. The first one wins.
                            self.paths.entry(id.to_owned()).or_insert_with(|| trim(construct));
                            if let Some(source) = entry.get("trace").and_then(|trace| source(trace, dir)) {
                                self.sources.entry(id.to_owned()).or_insert(source);
                            }
                        }
                    }
                    Some("aws:cdk:info") => self.message(Severity::Info, construct, data),
                    Some("aws:cdk:warning") => self.message(Severity::Warning, construct, data),
                    Some("aws:cdk:error") => self.message(Severity::Error, construct, data),
                    Some("aws:cdk:stack-tags") => self.tags.extend(data.into_iter().flat_map(tags)),
                    Some("aws:cdk:asset") => {
                        if let Some(data) = data {
                            let place = format!("{}[{at}].data", join(&shape.place, construct));
                            let asset = legacy_asset(&Shape::new(data, shape.file, place), dir)?;
                            // Every construct that uses an asset states it again.
                            if !self.legacy_assets.contains(&asset) {
                                self.legacy_assets.push(asset);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn message(&mut self, severity: Severity, construct: &str, data: Option<&Value>) {
        let text = match data {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        self.messages.push(Message { severity, path: trim(construct), text });
    }
}

/// The first place of a stack trace that is in the app's own source. The trace is that of JavaScript: a frame is
/// `name (file:line:column)` or `file:line:column`.
fn source(trace: &Value, dir: &Utf8Path) -> Option<String> {
    const OF_OTHERS: [&str; 3] = ["node_modules/", "node:", "internal/"];
    let frames = trace.as_array()?.iter().filter_map(Value::as_str);
    let places = frames.filter_map(|frame| {
        let place = match frame.rsplit_once('(') {
            Some((_, place)) => place.strip_suffix(')')?,
            None => frame.trim().trim_start_matches("at "),
        };
        let (rest, column) = place.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_own = !OF_OTHERS.iter().any(|other| file.contains(other));
        (is_number(line) && is_number(column) && is_own && !file.is_empty()).then_some((file, line, column))
    });
    let (file, line, column) = places.into_iter().next()?;
    // The folder of the app, as far as it is the same machine.
    let app = dir.parent().and_then(|parent| Utf8Path::new(file).strip_prefix(parent).ok());
    Some(format!("{}:{line}:{column}", app.map_or(file, Utf8Path::as_str)))
}

fn trim(construct: &str) -> String {
    construct.trim_start_matches('/').to_owned()
}

/// Early versions of the CDK wrote the keys of tags with capital letters.
fn tags(data: &Value) -> impl Iterator<Item = (String, String)> {
    data.as_array().into_iter().flatten().filter_map(|tag| {
        let field =
            |lower: &str, upper: &str| tag.get(lower).or_else(|| tag.get(upper)).and_then(Value::as_str);
        Some((field("key", "Key")?.to_owned(), field("value", "Value")?.to_owned()))
    })
}

fn legacy_asset(data: &Shape<'_>, dir: &Utf8Path) -> Result<LegacyAsset, AssemblyError> {
    let id = data.required_string("id")?;
    let kind = data.require("packaging")?;
    let packaging = match kind.text()? {
        text @ ("zip" | "file") => LegacyPackaging::S3 {
            zip: text == "zip",
            bucket_parameter: data.required_string("s3BucketParameter")?,
            key_parameter: data.required_string("s3KeyParameter")?,
            hash_parameter: data.required_string("artifactHashParameter")?,
        },
        "container-image" => LegacyPackaging::Image {
            name_parameter: data.string("imageNameParameter")?,
            repository: data.string("repositoryName")?,
            tag: data.string("imageTag")?,
            docker_file: data.string("file")?,
            target: data.string("target")?,
            build_args: data.string_map("buildArgs")?.unwrap_or_default(),
            network_mode: data.string("networkMode")?,
            platform: data.string("platform")?,
        },
        other => return Err(kind.error(format!("`{other}` is not a known packaging"))),
    };
    Ok(LegacyAsset {
        path: dir.join(data.required_string("path")?),
        source_hash: data.string("sourceHash")?.unwrap_or_else(|| id.clone()),
        id,
        packaging,
    })
}
