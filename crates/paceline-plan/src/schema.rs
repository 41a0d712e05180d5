//! The JSON Schema of `paceline.yaml`, for editors.
//!
//! It is written by hand beside [`Config`](crate::Config): several fields are read by code of their own, of which
//! a derived schema would know nothing. A test holds it against the configuration, field by field.

use serde_json::{Value, json};

/// The JSON Schema of the configuration, as `paceline schema` prints it.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "paceline.yaml",
        "description": "How Paceline deploys an AWS CDK app. Every field is optional.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "version": { "const": 1, "description": "The version of this format." },
            "app": text("The synthesized app (a `cdk.out` folder), relative to this file. `--app` overrides it."),
            "synth": text("What the generated buildspec runs to make the app, when it is not committed."),
            "multi-region": multi_region(),
            "phases": list("Named groups of stacks, in their order.", &phase()),
            "strategy": {
                "description": "What decides when a stack may start: its dependencies alone, or also the end of every earlier phase.",
                "enum": ["graph", "phases"],
                "default": "graph",
            },
            "edges": list("Dependencies that no file shows.", &edge()),
            "concurrency": concurrency(),
            "gates": list("Waiters between a stack and what depends on it.", &gate()),
            "commands": list("Scripts that the team supplies.", &command()),
            "on-failure": on_failure(),
            "codebuild": codebuild(),
            "runner": runner(),
        },
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "default": false, "description": description })
}

fn list(description: &str, items: &Value) -> Value {
    json!({ "type": "array", "items": items, "description": description })
}

fn object(description: &str, required: &[&str], properties: &Value) -> Value {
    json!({
        "type": "object",
        "description": description,
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn multi_region() -> Value {
    let properties = json!({
        "when": text("The environment variable that switches them on (`true`, `yes`, `on`, `1`)."),
        "primary": text("The region whose stacks are always deployed."),
    });
    object("How the secondary regions are switched on.", &["when", "primary"], &properties)
}

fn phase() -> Value {
    let stack = text("The id or the name of a stack; `*` and `?` match any text and any character.");
    let properties = json!({
        "name": text("What people call it."),
        "sequential": flag("Whether its stacks are deployed one after another."),
        "barrier": flag("Whether it waits for the whole of every phase before it."),
        "stacks": list("Its stacks.", &stack),
    });
    object("A named group of stacks.", &["name", "stacks"], &properties)
}

fn edge() -> Value {
    let properties = json!({
        "from": text("The stack that waits."),
        "to": text("The stack it waits for."),
        "because": text("Why, for whoever reads the plan."),
    });
    object("A dependency that no file shows.", &["from", "to", "because"], &properties)
}

fn concurrency() -> Value {
    let number = |description: &str, default: usize| json!({ "type": "integer", "minimum": 1, "default": default, "description": description });
    let properties = json!({
        "stacks": number("Stack operations at once.", 20),
        "assets": number("Uploads of file assets at once.", 8),
        "images": number("Builds of image assets at once.", 4),
    });
    object("How much happens at once.", &[], &properties)
}

fn gate() -> Value {
    let properties = json!({
        "after": text("The stack or stacks it follows; `*` and `?` match any text and any character."),
        "iam-roles": {
            "description": "Which IAM roles and instance profiles must be usable before anything that depends on the stack starts: all that it creates, or these, by logical id or name.",
            "oneOf": [{ "const": "all" }, { "type": "array", "items": { "type": "string" } }],
        },
    });
    object("A waiter between a stack and what depends on it.", &["after", "iam-roles"], &properties)
}

fn on_failure() -> Value {
    let properties = json!({
        "policy": {
            "description": "What becomes of the other stacks.",
            "enum": ["skip-dependents", "fail-fast"],
            "default": "skip-dependents",
        },
        "rollback": {
            "description": "What becomes of the failed stack: CloudFormation restores what was there before, or it is left as it is.",
            "enum": ["stack", "none"],
            "default": "stack",
        },
    });
    object("What happens when a stack fails.", &[], &properties)
}

fn command() -> Value {
    let properties = json!({
        "name": text("What people call it."),
        "after": text("The stack or stacks (ids or names, `*` and `?` allowed) it follows."),
        "run": text("What is given to the shell."),
        "dir": text("The folder it runs in, relative to the configuration."),
    });
    object("A script.", &["name", "after", "run"], &properties)
}

fn codebuild() -> Value {
    let properties = json!({
        "image": { "type": "string", "default": "standard:7.0", "description": "The build image; `standard:7.0` is short for `aws/codebuild/standard:7.0`." },
        "compute": { "type": "string", "default": "x-large", "description": "`small`, `medium`, `large`, `x-large` or `2x-large`." },
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

fn runner() -> Value {
    let properties = json!({
        "from": { "enum": ["s3", "https", "image"], "description": "How it is fetched; `image` means that it is in the build image." },
        "uri": text("Where it is."),
        "sha256": text("The SHA-256 of the file, in hexadecimal; a build with another file stops."),
    });
    object("Where the build gets the runner from.", &["from"], &properties)
}
