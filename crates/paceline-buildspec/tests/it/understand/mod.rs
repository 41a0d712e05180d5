//! Tests of the understanding of hand-written buildspecs.

mod follows;
mod robust;
mod shown;

use paceline_buildspec::understand::{NoSourceTree, Understanding, understand};

/// The understanding of a buildspec whose build phase has these items.
pub(super) fn build(items: &[&str]) -> Understanding {
    understand(crate::lint::commands(items).as_bytes(), &NoSourceTree)
}
