//! Where a build gets the runner from.

use crate::setting::{choices, settings};

settings! {
    /// Where a build gets the runner from, which is the program `paceline`.
    pub struct Runner {
        /// How a build gets it: from an object in S3, from an HTTPS address, or with the build image, which has it.
        pub from: RunnerFrom,
        /// The address: `s3://bucket/key`, or `https://host/path`.
        pub uri: Option<String>,
        /// The SHA-256 of the file in hexadecimal. A build that gets another file stops.
        pub sha256: Option<String>,
    }
}

choices! {
    /// How a build gets the runner.
    pub enum RunnerFrom: "a way to get the runner" {
        /// From an S3 object.
        S3 = "s3",
        /// From an HTTPS address.
        Https = "https",
        /// It is in the build image.
        Image = "image",
    }
}
