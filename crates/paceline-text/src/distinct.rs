//! Each item once.

use std::collections::HashSet;
use std::hash::Hash;

/// The items without repetitions, each at its first place.
pub fn distinct<T: Hash + Eq + Copy>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut known = HashSet::new();
    items.into_iter().filter(|&item| known.insert(item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_that_are_repeated_later_count_once_too() {
        assert_eq!(distinct(["b", "a", "b", "c", "a"]), ["b", "a", "c"]);
    }
}
