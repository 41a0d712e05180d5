//! Where a build gets the runner from.

use crate::setting::{SettingError, choices, settings};

settings! {
    /// Where a build gets the runner from, which is the program `paceline`.
    pub struct Runner {
        /// How a build gets it: with the packages that the lock file of npm pins, from an object in S3, from an HTTPS
        /// address, or with the build image, which has it.
        pub from: RunnerFrom,
        /// The address: `s3://bucket/key`, or `https://host/path`. Only for `s3` and `url`.
        pub uri: Option<String>,
        /// The SHA-256 of the file in hexadecimal. A build that gets another file stops. Only for `s3` and `url`.
        pub sha256: Option<String>,
        /// The version that the build image must have. A build whose image has another version stops. Only for `image`.
        /// Without it, the version that generated the buildspec.
        pub version: Option<String>,
    }
}

choices! {
    /// How a build gets the runner.
    pub enum RunnerFrom: "a way to get the runner" {
        /// From the npm package `paceline` in the version that the lock file of npm pins.
        Npm = "npm",
        /// From an S3 object.
        S3 = "s3",
        /// From an HTTPS address.
        Url = "url",
        /// The same as `url`.
        Https = "https",
        /// It is in the build image.
        Image = "image",
    }
}

impl Runner {
    /// A setting that does not go with `from`, with its place.
    pub(crate) fn contradiction(&self) -> Option<(&'static str, SettingError)> {
        let from = self.from;
        let is_fetched = matches!(from, RunnerFrom::S3 | RunnerFrom::Url | RunnerFrom::Https);
        let needless = match from {
            RunnerFrom::Npm => "remove it: the lock file pins the version and its integrity hash",
            RunnerFrom::Image => "remove it: the build image has the runner",
            _ => "remove it: `sha256` pins the file",
        };
        for (setting, name, is_set, is_allowed) in [
            ("runner.uri", "uri", self.uri.is_some(), is_fetched),
            ("runner.sha256", "sha256", self.sha256.is_some(), is_fetched),
            ("runner.version", "version", self.version.is_some(), from == RunnerFrom::Image),
        ] {
            if is_set && !is_allowed {
                let message = format!("`{name}` has no effect with `from: {from}`");
                return Some((setting, SettingError::new(message, needless)));
            }
        }
        None
    }
}
