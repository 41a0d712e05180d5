//! Places in templates, as the scan finds them.

use paceline_assembly::Stack;

use crate::model::{Section, TemplatePlace};

/// Stands in names and places for a part that is not known.
pub(in crate::build) const ELLIPSIS: &str = "…";

/// Fills in the construct. The assembly knows those of the stack's own template. Only for resources do they say more
/// than the logical id.
pub(in crate::build) fn construct_of(place: &mut TemplatePlace, stack: &Stack) {
    if !(place.nested.is_empty() && place.section == Section::Resources) {
        return;
    }
    let path = stack.construct_paths.get(&place.logical_id);
    // The last parts are the same for most: the resource of a construct is its `Resource`.
    let short = |path: &String| {
        let path = path.strip_suffix("/Default").unwrap_or(path);
        path.strip_suffix("/Resource").unwrap_or(path).to_owned()
    };
    place.construct = path.map(short);
}
