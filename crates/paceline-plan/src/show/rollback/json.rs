//! What a rollback would do, as JSON. `paceline schema rollback` prints the JSON Schema.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_text::{Nullable, document_schema, documented, json_document};
use serde_json::Value;

use super::deletes;
use crate::build::rollback::Rollback;
use crate::model::Loss;
use crate::show::json::seconds;

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

documented! {
    /// What `paceline rollback` would do. Stacks are named by their ids. A newer version may add fields.
    struct RollbackDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The run to undo.
        run: &'a str,
        /// How long the rollback takes, in seconds.
        expected_s: u64,
        /// The stacks to restore or to delete, in the order in which they are undone.
        stacks: Vec<UndoneDocument<'a>>,
        /// The stacks that the run changed and that stay as they are.
        stays: Vec<StaysDocument<'a>>,
        /// What the rollback cannot undo, or may not be able to.
        losses: Vec<LossDocument>,
    }

    /// A stack that is undone.
    struct UndoneDocument<'a> {
        /// The hierarchical id.
        id: &'a str,
        /// The name of the CloudFormation stack.
        name: &'a str,
        /// The account, if it is known.
        account: Nullable<&'a str>,
        /// The region, if it is known.
        region: Nullable<&'a str>,
        /// restore, or delete if the run created it.
        effect: &'static str,
        /// The stacks that must be undone before.
        after: Vec<&'a str>,
    }

    /// A stack that stays as it is.
    struct StaysDocument<'a> {
        /// The id of the stack.
        stack: &'a str,
        /// The stack, why it stays, and what would change that.
        sentence: String,
    }

    /// Something that is not undone.
    struct LossDocument {
        /// Whether that is certain. If not, the rollback tries to undo it.
        certain: bool,
        /// What it is.
        sentence: String,
    }
}

/// The same as [`rollback`](super::rollback), as JSON with a line break at its end.
pub fn rollback_json(rollback: &Rollback, total: Duration) -> String {
    let plan = &rollback.plan;
    let stacks = plan.stacks.iter().enumerate().map(|(number, stack)| UndoneDocument {
        id: &stack.id,
        name: &stack.name,
        account: Nullable(stack.account.as_deref()),
        region: Nullable(stack.region.as_deref()),
        effect: if deletes(plan, number) { "delete" } else { "restore" },
        after: stack
            .depends_on
            .iter()
            .map(|edge| edge.to.as_str())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    });
    let stays = rollback.stays.iter();
    let loss = |loss: &Loss| LossDocument { certain: loss.is_certain(), sentence: loss.to_string() };
    json_document(&RollbackDocument {
        schema: SCHEMA,
        run: plan.undoes.as_deref().unwrap_or_default(),
        expected_s: seconds(total),
        stacks: stacks.collect(),
        stays: stays.map(|it| StaysDocument { stack: &it.stack, sentence: it.to_string() }).collect(),
        losses: rollback.losses.iter().map(loss).collect(),
    })
}

/// The JSON Schema of the document.
pub fn rollback_schema() -> Value {
    document_schema::<RollbackDocument<'_>>("What paceline rollback would do", SCHEMA)
}
