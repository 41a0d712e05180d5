//! What would be deleted, as JSON. `paceline schema destroy` prints the JSON Schema.

use std::time::Duration;

use paceline_assembly::Assembly;
use paceline_text::{Nullable, document_schema, documented, json_document};
use serde_json::Value;

use super::{is_protected, retained, waits_for};
use crate::build::destroy::Destruction;
use crate::model::PlannedStack;
use crate::show::json::{LeftOutOf, seconds};

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

documented! {
    /// What `paceline destroy` would delete. Stacks are named by their ids. A newer version may add fields.
    struct DestructionDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// How long the deletion takes, in seconds.
        expected_s: u64,
        /// The stacks to delete if they are there, in the order in which they can go.
        stacks: Vec<DoomedDocument<'a>>,
        /// The stacks that are not deleted.
        left_out: Vec<LeftOutOf<'a>>,
        /// The warnings, one sentence each.
        warnings: Vec<String>,
    }

    /// A stack to delete.
    struct DoomedDocument<'a> {
        /// The hierarchical id.
        id: &'a str,
        /// The name of the CloudFormation stack.
        name: &'a str,
        /// The account, if the app names one.
        account: Nullable<&'a str>,
        /// The region, if the app names one.
        region: Nullable<&'a str>,
        /// The number of its resources.
        resources: usize,
        /// Whether the app protects it from deletion.
        termination_protection: bool,
        /// The stacks that must be gone before.
        after: Vec<&'a str>,
        /// The resources that stay, those of nested stacks too.
        keeps: Vec<KeptResourceDocument<'a>>,
    }

    /// A resource that stays when its stack is deleted.
    struct KeptResourceDocument<'a> {
        /// The logical id.
        logical_id: &'a str,
        /// The type.
        resource_type: &'a str,
    }
}

/// The same as [`destruction`](super::destruction), as JSON with a line break at its end.
pub fn destruction_json(destruction: &Destruction, assembly: &Assembly, total: Duration) -> String {
    let plan = &destruction.plan;
    json_document(&DestructionDocument {
        schema: SCHEMA,
        expected_s: seconds(total),
        stacks: plan.stacks.iter().map(|stack| DoomedDocument::of(stack, assembly)).collect(),
        left_out: plan.left_out.iter().map(LeftOutOf::of).collect(),
        warnings: plan.warnings.iter().map(ToString::to_string).collect(),
    })
}

/// The JSON Schema of the document.
pub fn destruction_schema() -> Value {
    document_schema::<DestructionDocument<'_>>("What paceline destroy would delete", SCHEMA)
}

impl<'a> DoomedDocument<'a> {
    fn of(stack: &'a PlannedStack, assembly: &'a Assembly) -> Self {
        let kept = assembly.stack(&stack.id).into_iter().flat_map(retained);
        Self {
            id: &stack.id,
            name: &stack.name,
            account: Nullable(stack.account.as_deref()),
            region: Nullable(stack.region.as_deref()),
            resources: stack.resources,
            termination_protection: is_protected(stack, assembly),
            after: waits_for(stack).into_iter().collect(),
            keeps: kept
                .map(|(logical_id, resource_type)| KeptResourceDocument { logical_id, resource_type })
                .collect(),
        }
    }
}
