//! What hand-written buildspecs are understood to do.

mod follows;
mod robust;
mod shown;

use paceline_buildspec::understand::{NoSourceTree, Understanding, understand};

/// What the items of a build phase are understood to do.
pub(super) fn build(items: &[&str]) -> Understanding {
    understand(crate::lint::commands(items).as_bytes(), &NoSourceTree)
}
