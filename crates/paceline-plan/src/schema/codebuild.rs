//! The schema of `codebuild` and `runner`.

use serde_json::{Value, json};

use super::{object, text};

pub(super) fn codebuild() -> Value {
    let properties = json!({
        "image": { "type": "string", "default": "standard:7.0", "description": "The build image; `standard:7.0` is short for `aws/codebuild/standard:7.0`." },
        "compute": { "type": "string", "default": "x-large", "description": "`small`, `medium`, `large`, `x-large` or `2x-large`." },
        "price-per-minute": { "type": "number", "minimum": 0, "maximum": 1000, "description": "What a minute of that costs, in US dollars; for the estimate of the plan." },
        "timeout": { "type": "string", "pattern": "^([0-9]+[hms])+$", "default": "240m", "description": "How long a build may take, such as `240m` or `4h`." },
        "queued-timeout": { "type": "string", "pattern": "^([0-9]+[hms])+$", "default": "480m", "description": "How long a build may wait for its turn." },
        "source": { "enum": ["codepipeline", "github", "codecommit", "s3", "gitlab", "bitbucket"], "default": "codepipeline", "description": "Where the source comes from." },
        "location": text("The address of the source; a pipeline brings its own."),
        "artifacts-bucket": text("The bucket that keeps the run's journal and reports, also of a build that fails."),
        "service-role": text("The ARN of a role of yours for the build, instead of one that the template makes."),
        "cache": { "type": "array", "items": { "type": "string" }, "default": ["docker-layer"], "description": "Which of CodeBuild's caches are on." },
        // A reader of YAML 1.1 takes `yes` and `no` for booleans.
        "privileged": { "enum": ["auto", "yes", "no", true, false], "default": "auto", "description": "Whether builds may run Docker: `auto`, `yes` or `no`." },
    });
    object("The CodeBuild project.", &[], &properties)
}

pub(super) fn runner() -> Value {
    let properties = json!({
        "from": { "enum": ["s3", "https", "image"], "description": "How it is fetched; `image` means that it is in the build image." },
        "uri": text("Where it is."),
        "sha256": text("The SHA-256 of the file, in hexadecimal; a build with another file stops."),
    });
    object("Where the build gets the runner from.", &["from"], &properties)
}
