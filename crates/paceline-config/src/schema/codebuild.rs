//! The schema of `codebuild` and `runner`.

use serde_json::{Value, json};

use super::{list, object, text};

pub(super) fn codebuild() -> Value {
    let properties = json!({
        "image": { "type": "string", "default": "standard:7.0", "description": "The build image; `standard:7.0` is short for `aws/codebuild/standard:7.0`." },
        "compute": { "type": "string", "default": "x-large", "description": "`small`, `medium`, `large`, `x-large` or `2x-large`." },
        "price-per-minute": { "type": "number", "minimum": 0, "maximum": 1000, "description": "What a minute of that costs, in US dollars; for the estimate of the plan." },
        "timeout": { "type": "string", "pattern": "^([0-9]+[hms])+$", "default": "240m", "description": "How long a build may take, such as `240m` or `4h`." },
        "queued-timeout": duration("How long a build may wait for its turn; eight hours, or what is left of what waits outside."),
        "timeouts": timeouts(),
        "source": { "enum": ["codepipeline", "github", "codecommit", "s3", "gitlab", "bitbucket"], "default": "codepipeline", "description": "Where the source comes from." },
        "location": text("The address of the source; a pipeline brings its own."),
        "artifacts-bucket": text("The bucket that keeps the run's journal and reports, also of a build that fails. Of a pipeline it is the pipeline's own bucket, which builds read their source from."),
        "kms-keys": list("The ARNs of KMS keys of yours that builds need: those of the pipeline's bucket, of the runner's, of the cache.", &json!({ "type": "string" })),
        "service-role": text("The ARN of a role of yours for the build, instead of one that the template makes."),
        "cache": list("Which of CodeBuild's caches are on: `docker-layer`, `source`, `custom`, or an `s3://bucket/prefix`. Without it, Docker layers when the app has images and the build can keep them.", &json!({ "type": "string" })),
        // A reader of YAML 1.1 takes `yes` and `no` for booleans.
        "privileged": { "enum": ["auto", "yes", "no", true, false], "default": "auto", "description": "Whether builds may run Docker: `auto`, `yes` or `no`." },
        "docker-server": { "enum": ["small", "medium", "large", "x-large", "2x-large"], "description": "The size of a Docker server that keeps layers between builds, in place of the build's own daemon." },
        "vpc": vpc(),
        "log-retention-days": { "type": "integer", "minimum": 1, "default": 30, "description": "For how many days the logs of builds are kept." },
        "tags": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Tags of the project." },
        "batch": { "enum": ["regions", "images"], "description": "A build for each part of the deployment, beside the one for all of it." },
    });
    object("The CodeBuild project.", &[], &properties)
}

fn duration(description: &str) -> Value {
    json!({ "type": "string", "pattern": "^([0-9]+[hms])+$", "description": description })
}

fn timeouts() -> Value {
    let properties = json!({
        "stack": duration("How long the creation or the update of a stack may take before CloudFormation is told to take it back; without it, as long as it takes. It counts wherever the runner runs."),
        "runner": duration("How long the runner may take before it stops in good order; what the build leaves it, if not given."),
        "outside": duration("How long whoever started the build waits for it: a pipeline, a wait condition."),
    });
    let about =
        "The limits inside and outside the build's own. Each has to leave time for the next larger one.";
    object(about, &[], &properties)
}

fn vpc() -> Value {
    let properties = json!({
        "id": text("Its id."),
        "subnets": list("The ids of its subnets, which need a way to AWS.", &json!({ "type": "string" })),
        "security-groups": list("The ids of the security groups of the builds.", &json!({ "type": "string" })),
    });
    object("The network that builds run in.", &["id", "subnets", "security-groups"], &properties)
}

pub(super) fn runner() -> Value {
    let properties = json!({
        "from": { "enum": ["s3", "https", "image"], "description": "How it is fetched; `image` means that it is in the build image." },
        "uri": text("Where it is."),
        "sha256": text("The SHA-256 of the file, in hexadecimal; a build with another file stops."),
    });
    object("Where the build gets the runner from.", &["from"], &properties)
}
