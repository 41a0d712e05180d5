//! Names that nothing else has yet.

use std::collections::BTreeSet;

/// The name if it is free, or else the name with the first number that makes it free: `web-2`. The result is then taken.
pub fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}-{number}");
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_the_first_free_number() {
        let mut taken = BTreeSet::from(["web-2".to_owned()]);
        let found = ["web", "web", "web", "web-2"].map(|name| free_name(name, &mut taken));
        assert_eq!(found, ["web", "web-3", "web-4", "web-2-2"]);
    }
}
