//! What IAM policies and security groups newly allow.

mod addresses;
mod iam;
mod security_groups;
mod statement;

use paceline_assembly::Resource;

use crate::model::Access;

/// What a resource allows in the app and not in the base.
pub(crate) fn widened(before: Option<&Resource<'_>>, after: &Resource<'_>) -> Vec<Access> {
    let mut found = iam::widened(before, after);
    found.extend(security_groups::widened(before, after));
    found
}
