//! The JSON Schema of a buildspec for editors: the keys that the reader asks for, with a description of each.
//!
//! The form is recorded from the reader itself. Only the descriptions are written by hand. A test ensures
//! that every key has a description, and that every description belongs to a key.

use serde_json::{Value, json};

use super::read::record;

/// The JSON Schema of a buildspec, which `paceline schema buildspec` prints.
pub fn schema() -> Value {
    let mut schema = record().schema();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("AWS CodeBuild buildspec");
    schema["description"] =
        json!("The commands and settings of an AWS CodeBuild build, in version 0.2 of the format.");
    schema
}

/// The paths of all keys of the grammar. `*` is a name that the author chooses, and `[]` is an item of a
/// list.
pub fn key_paths() -> Vec<String> {
    record().paths
}

#[cfg(test)]
mod tests {
    use super::super::descriptions::{DESCRIPTIONS, description, is_at};
    use super::*;

    #[test]
    fn every_key_has_a_description_and_every_description_a_key() {
        let paths = key_paths();
        let undescribed: Vec<_> = paths.iter().filter(|path| description(path).is_none()).collect();
        assert_eq!(undescribed, [""; 0]);
        for (pattern, _) in DESCRIPTIONS {
            assert!(paths.iter().any(|path| is_at(path, pattern)), "there is no key {pattern}");
        }
    }
}
