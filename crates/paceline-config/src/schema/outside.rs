//! The schema of who waits outside.

use serde_json::{Value, json};

use super::object;

pub(super) fn signal() -> Value {
    let properties = json!({
        "wait-handle": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_]+$",
            "default": "WAIT_HANDLE_URL",
            "description": "The environment variable that has the presigned URL of the wait condition handle. Without the variable nobody waits.",
        },
        "id": {
            "type": "string",
            "pattern": "^[A-Za-z0-9]{1,64}$",
            "description": "What CloudFormation tells signals apart by, when a wait condition counts those of several deployments.",
        },
        "when-interrupted": {
            "type": "boolean",
            "description": "Whether an interrupted deployment, which could be gone on with, is signalled as a failure. Without this it is in CodeBuild, where nobody goes on with it.",
        },
    });
    let what = "The CloudFormation wait condition that is signalled once, when a deployment has ended well or badly. A process that is killed, or that panics, signals nothing: the wait condition then ends by its own timeout.";
    object(what, &[], &properties)
}
