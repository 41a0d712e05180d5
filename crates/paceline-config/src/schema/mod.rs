//! The JSON Schema of `paceline.yaml`, for editors.
//!
//! It is written by hand beside [`Config`](crate::Config): several fields are read by code of their own, of which
//! a derived schema would know nothing. A test holds it against the configuration, field by field.

mod codebuild;
mod outside;

use serde_json::{Value, json};

use codebuild::{codebuild, runner};

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
            "apps": {
                "type": "object",
                "description": "The apps of a deployment of several, by name. With them, the id of a stack is `app/stack`.",
                "additionalProperties": app(),
            },
            "install": text("Installs what `synth` needs. Skipped while a lock file of Node's is the one that was installed from; the generated buildspec always runs it."),
            "synth": text(
                "The shell command that makes the app, when it is not committed, from the folder that Paceline runs \
                 in: the root of the repository in a build. `paceline deploy` runs it before it deploys, unless it is \
                 given --no-synth or --app; the generated buildspec runs it once.",
            ),
            "multi-region": multi_region(),
            "phases": list("Named groups of stacks, in their order.", &phase()),
            "strategy": {
                "description": "What decides when a stack may start: its dependencies alone, or also the end of every earlier phase.",
                "enum": ["graph", "phases"],
                "default": "graph",
            },
            "edges": list("Dependencies that no file shows, and what is enough of those that files show.", &edge()),
            "concurrency": concurrency(),
            "gates": list("Waiters between a stack and what depends on it.", &gate()),
            "commands": list("Scripts that the team supplies.", &command()),
            "unchanged": object("Which differences between a stack and its template leave it unchanged.", &[], &json!({
                "ignore-timestamps": flag("Times of synthesis, such as a physical id that is `Date.now()`. What they make run again on every deployment then runs only when something else has changed too."),
            })),
            "on-failure": on_failure(),
            "signal": outside::signal(),
            "codebuild": codebuild(),
            "runner": runner(),
        },
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn names(description: &str) -> Value {
    json!({ "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }], "description": description })
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

fn app() -> Value {
    let texts = |description: &str| json!({ "type": "object", "additionalProperties": { "type": "string" }, "description": description });
    let properties = json!({
        "dir": text("The folder of the app, relative to this file."),
        "assembly": { "type": "string", "default": "cdk.out", "description": "The folder of its assembly, relative to its own." },
        "install": text("Installs what it needs. Skipped while a lock file of Node's is the one that was installed from."),
        "build": text("Compiles it."),
        "synth": text("Synthesizes it, once for each run. Without it, the assembly is made elsewhere."),
        "context": texts("Context of the CDK for the synthesis."),
        "refresh-context": list("Keys of `cdk.context.json`, or names of parameters in it, that are looked up again in every run: before it, and when a stack that makes the parameter has been deployed.", &json!({ "type": "string" })),
        "recorded": text("The folder of an assembly, relative to the app's own, as the app is when it is synthesized again in the middle of a run: what simulations go on with, which run no commands."),
        "env": texts("Environment variables for all three."),
    });
    object("A CDK app: its folder, and how it is synthesized.", &["dir"], &properties)
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
        "reason": { "enum": ["manifest", "import", "output", "ssm", "secret", "cross-region", "image", "asset", "synth"], "description": "With `relax` or `until`: the kind of edge that is meant; without it, all that templates show. `manifest` can be relaxed." },
        "relax": { "enum": ["when-present"], "description": "Drops the edges when every parameter that is read is there before the run starts, or for `reason: manifest` the stack that is waited for. On a fresh account they stay, unless no order were possible with them." },
        "until": { "enum": ["stack", "resource"], "default": "stack", "description": "How long the edges that templates show wait: until the whole stack is complete, or until the parameters or repositories that are read are." },
    });
    object(
        "A dependency that no file shows, or what is enough of one that files show.",
        &["from", "to", "because"],
        &properties,
    )
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
        "after": names("What it follows: stacks (ids or names, `*` and `?` allowed), `phase:NAME` or `command:NAME`."),
        "before": names("What waits for it: stacks or `phase:NAME`."),
        "run": text("What is given to the shell."),
        "dir": text("The folder it runs in, relative to the configuration."),
        "shell": { "type": "string", "default": "sh", "description": "The shell, which takes `-c` and the script." },
        "env": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Environment variables on top of Paceline's own." },
        "timeout": { "type": "string", "pattern": "^([0-9]+[hms])+$", "description": "After so long it is ended, and has failed." },
        "retries": { "type": "integer", "minimum": 0, "default": 0, "description": "How often it is run again when it fails." },
    });
    object("A script. It needs `after`, `before` or both.", &["name", "run"], &properties)
}
