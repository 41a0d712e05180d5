//! Gives every stack a unique id.

use std::collections::{HashMap, HashSet};

/// The candidates for an id, best first.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) display: String,
    pub(crate) artifact: String,
    /// The artifact id, after the nested assemblies that contain it.
    pub(crate) path: String,
}

/// Chooses the display name if only one stack has it, else the artifact's name, else the path. Stacks that
/// share a name all change to the next candidate, so that no id depends on their order.
pub(crate) fn unique(stacks: &[Names]) -> Vec<String> {
    let mut ids: Vec<String> = stacks.iter().map(|names| names.display.clone()).collect();
    for fallback in [|names: &Names| names.artifact.clone(), |names: &Names| names.path.clone()] {
        let mut count: HashMap<String, usize> = HashMap::new();
        for id in &ids {
            *count.entry(id.clone()).or_default() += 1;
        }
        for (id, names) in ids.iter_mut().zip(stacks) {
            if count.get(id.as_str()).is_some_and(|&count| count > 1) {
                *id = fallback(names);
            }
        }
    }
    // Names that still clash are unusual, such as a display name that is another stack's path.
    let mut taken: HashSet<String> = HashSet::new();
    for id in &mut ids {
        let base = id.clone();
        let mut number = 2;
        while !taken.insert(id.clone()) {
            *id = format!("{base}#{number}");
            number += 1;
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stacks: &[(&str, &str, &str)], expect: &[&str]) {
        let names: Vec<Names> = stacks
            .iter()
            .map(|&(display, artifact, path)| Names {
                display: display.to_owned(),
                artifact: artifact.to_owned(),
                path: path.to_owned(),
            })
            .collect();
        assert_eq!(unique(&names), expect);
    }

    #[test]
    fn a_display_name_that_is_unique_is_the_id() {
        check(&[("Stage/A", "StageA1", "s/StageA1"), ("B", "B", "B")], &["Stage/A", "B"]);
    }

    #[test]
    fn stacks_that_share_a_display_name_get_their_artifact_names() {
        check(&[("A", "A1", "A1"), ("A", "A2", "s/A2"), ("B", "B", "B")], &["A1", "A2", "B"]);
    }

    #[test]
    fn artifacts_that_share_a_name_get_their_paths() {
        check(&[("A", "A", "one/A"), ("A", "A", "two/A")], &["one/A", "two/A"]);
    }

    #[test]
    fn ids_are_unique_even_when_every_name_clashes() {
        check(&[("A", "A", "A"), ("A", "A", "A"), ("A#2", "B", "B")], &["A", "A#2", "A#2#2"]);
    }
}
