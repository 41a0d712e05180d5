//! The JSON Schema of a buildspec, for editors: what the reader asks for, with a word about each key.
//!
//! The form of it is recorded from the reader itself. Only the descriptions are written by hand, and a test
//! sees to it that every key has one and that none is of a key that is gone.

use serde_json::{Value, json};

use super::read::record;

/// The JSON Schema of a buildspec, as `paceline schema buildspec` prints it.
pub fn schema() -> Value {
    let mut schema = record().schema();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("AWS CodeBuild buildspec");
    schema["description"] = json!("What an AWS CodeBuild build runs, version 0.2 of the format.");
    schema
}

/// Every key of the grammar by the keys that lead there: `*` is a name of one's own, `[]` an item of a list.
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
