//! The names of build images.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::setting::{Problem, Setting, SettingError, shown_as_written, text};

/// Where AWS keeps its own images for `CodeBuild`.
const OWN: &str = "aws/codebuild/";

/// The images of AWS for containers of Linux, without their versions (`CodeBuild` User Guide, "Docker images provided by
/// CodeBuild").
const FAMILIES: [&str; 5] = [
    "standard",
    "amazonlinux-x86_64-standard",
    "amazonlinux2-x86_64-standard",
    "amazonlinux-aarch64-standard",
    "amazonlinux2-aarch64-standard",
];

/// A build image by the name that `CodeBuild` knows it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Image(String);

/// Why a text names no build image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("`{0}` is not the name of an image")]
    Form(String),
    #[error("AWS has no build image `{0}`")]
    Family(String),
    #[error("`{0}` is not a version of a build image of AWS")]
    Version(String),
    #[error("`{0}` is for Lambda, Windows or macOS, where the generated buildspec does not run")]
    Platform(String),
}

impl ImageError {
    fn hint(&self) -> String {
        match self {
            Self::Form(_) => "write `standard:7.0`, or the full name with its registry and tag".to_owned(),
            Self::Family(_) => {
                format!("use one of {} with its version, as in `standard:7.0`", FAMILIES.join(", "))
            }
            Self::Version(_) => "write it as in `standard:7.0`".to_owned(),
            Self::Platform(_) => "use an image for Linux containers, such as `standard:7.0`".to_owned(),
        }
    }
}

impl From<ImageError> for SettingError {
    fn from(error: ImageError) -> Self {
        Self::new(error.to_string(), error.hint())
    }
}

impl Default for Image {
    fn default() -> Self {
        Self(format!("{OWN}standard:7.0"))
    }
}

impl FromStr for Image {
    type Err = ImageError;

    /// AWS's own images may leave out their `aws/codebuild/`.
    fn from_str(text: &str) -> Result<Self, ImageError> {
        if let Some(own) = text.strip_prefix(OWN) {
            check_own(own, text)?;
        } else if is_meant_as_own(text) {
            check_own(text, text)?;
            return Ok(Self(format!("{OWN}{text}")));
        }
        if is_reference(text) { Ok(Self(text.to_owned())) } else { Err(ImageError::Form(text.to_owned())) }
    }
}

/// Docker Hub has no image of these names.
fn is_meant_as_own(text: &str) -> bool {
    let name = text.split([':', '@']).next().unwrap_or_default();
    let is_family = |family: &&str| name.eq_ignore_ascii_case(family);
    let is_close = name.starts_with("standard") || (name.contains("linux") && name.ends_with("standard"));
    !text.contains('/') && (FAMILIES.iter().any(is_family) || is_close)
}

/// Whether AWS can have such an image. New versions come, so only their form is looked at.
fn check_own(own: &str, text: &str) -> Result<(), ImageError> {
    let (name, version) = own.split_once(':').unwrap_or((own, ""));
    if ["lambda", "windows", "macos", "ami/"].iter().any(|word| name.contains(word)) {
        return Err(ImageError::Platform(text.to_owned()));
    }
    if !FAMILIES.contains(&name) {
        return Err(ImageError::Family(text.to_owned()));
    }
    // `7.0`, or with the release that it is pinned to: `7.0-24.10.29`.
    let (version, release) = version.split_once('-').map_or((version, None), |(v, r)| (v, Some(r)));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = version.split('.').collect();
    let is_release = release.is_none_or(|release| release.split('.').all(is_number));
    if parts.len() == 2 && parts.into_iter().all(is_number) && is_release {
        Ok(())
    } else {
        Err(ImageError::Version(text.to_owned()))
    }
}

/// The grammar of Docker: a registry, a path, a tag and a digest, of which only the path has to be there.
fn is_reference(text: &str) -> bool {
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    let is_digest = |digest: &str| {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if !digest.is_none_or(is_digest) {
        return false;
    }
    let tag_at = rest.rfind(':').filter(|at| !rest[*at..].contains('/'));
    let (path, tag) = tag_at.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..])));
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_tag = |tag: &str| {
        tag.len() <= 128 && tag.starts_with(word) && tag.chars().all(|c| word(c) || matches!(c, '.' | '-'))
    };
    if !tag.is_none_or(is_tag) {
        return false;
    }
    let parts: Vec<&str> = path.split('/').collect();
    let is_registry = |part: &str| {
        let (host, port) = part.split_once(':').unwrap_or((part, "1"));
        let is_host = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        !host.is_empty() && is_host && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let has_registry = parts.len() > 1 && parts[0].contains(['.', ':']);
    let path = if has_registry { &parts[1..] } else { &parts[..] };
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_part = |part: &&str| {
        let inner = |c: char| edge(c) || matches!(c, '.' | '_' | '-');
        part.starts_with(edge) && part.ends_with(edge) && part.chars().all(inner)
    };
    (!has_registry || is_registry(parts[0])) && path.iter().all(is_part)
}

impl Image {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether AWS maintains it for `CodeBuild`.
    pub fn is_curated(&self) -> bool {
        self.0.starts_with(OWN)
    }

    /// Whether it is pulled from a private ECR repository, with the rights of the service role.
    pub fn is_private_ecr(&self) -> bool {
        self.0.split('/').next().is_some_and(|host| host.contains(".dkr.ecr."))
    }

    pub fn is_arm(&self) -> bool {
        self.0.contains("aarch64") || self.0.contains("arm64")
    }
}

impl Setting for Image {
    fn read(node: &paceline_yaml::Node) -> Result<Self, Problem> {
        text(node)?.parse().map_err(|error: ImageError| Problem::with(node.at, error.into()))
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }

    /// As a team would write it.
    fn shown(&self) -> Option<Value> {
        Some(self.0.strip_prefix(OWN).unwrap_or(&self.0).into())
    }
}

shown_as_written!(Image);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_people_write_them() {
        for (text, image) in [
            ("standard:7.0", "aws/codebuild/standard:7.0"),
            ("aws/codebuild/standard:8.0", "aws/codebuild/standard:8.0"),
            ("standard:7.0-24.10.29", "aws/codebuild/standard:7.0-24.10.29"),
            ("amazonlinux-x86_64-standard:5.0", "aws/codebuild/amazonlinux-x86_64-standard:5.0"),
            ("amazonlinux2-aarch64-standard:3.0", "aws/codebuild/amazonlinux2-aarch64-standard:3.0"),
            ("public.ecr.aws/x/y:1", "public.ecr.aws/x/y:1"),
            ("ubuntu:22.04", "ubuntu:22.04"),
            ("amazonlinux:2023", "amazonlinux:2023"),
            ("node", "node"),
            ("localhost:5000/build/cdk_tools:v1", "localhost:5000/build/cdk_tools:v1"),
        ] {
            assert_eq!(text.parse::<Image>().map(|image| image.0), Ok(image.to_owned()), "{text}");
        }
        let digest = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/a/b@sha256:{}", "0f".repeat(32));
        assert_eq!(digest.parse::<Image>().map(|image| image.0), Ok(digest));
    }

    #[test]
    fn what_is_no_image_says_why() {
        for text in [
            "",
            "a b",
            "node:",
            "node:22:alpine",
            "Node:22",
            "https://x.y/z:1",
            "x/:1",
            "a//b",
            "node@sha256:1",
            "-x",
            "node:.1",
        ] {
            assert_eq!(text.parse::<Image>(), Err(ImageError::Form(text.to_owned())), "{text}");
        }
        for text in [
            "standard:7:0",
            "standard:7",
            "standard",
            "standard:",
            "standard:latest",
            "standard:7.0.1",
            "aws/codebuild/standard:7:0",
            "amazonlinux-x86_64-standard:5-0",
            "standard:7.0-",
        ] {
            assert_eq!(text.parse::<Image>(), Err(ImageError::Version(text.to_owned())), "{text}");
        }
        for text in [
            "aws/codebuild/standrad:7.0",
            "standard7.0",
            "Standard:7.0",
            "amazonlinux3-standard:1.0",
            "aws/codebuild/node:22",
            "aws/codebuild/",
        ] {
            assert_eq!(text.parse::<Image>(), Err(ImageError::Family(text.to_owned())), "{text}");
        }
        for text in [
            "aws/codebuild/amazonlinux-x86_64-lambda-standard:nodejs22",
            "aws/codebuild/windows-base:2022-1.0",
        ] {
            assert_eq!(text.parse::<Image>(), Err(ImageError::Platform(text.to_owned())), "{text}");
        }
    }
}
