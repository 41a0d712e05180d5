//! Names for groups of stacks, from the words of their ids.

use std::collections::{BTreeMap, BTreeSet};

/// Words that say which of two forms a stack is, or nothing.
const FORMS: &[&str] = &["primary", "secondary", "main", "dr", "failover", "standby", "replica"];
const EMPTY: &[&str] = &["stack", "stacks", "cdk", "app", "aws"];

/// The words of a stack's id: `app/NetworkRoutesMain` is network, routes, main.
pub(crate) fn words(id: &str) -> Vec<String> {
    let name = id.rsplit('/').next().unwrap_or_default();
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(at + 1);
        // `VPCStack` is two words, and `S3Replica` too.
        let starts = c.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_numeric())
                || (before.is_some_and(char::is_uppercase) && after.is_some_and(|a| a.is_lowercase())));
        if starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The words without those that tell the forms of a stack apart, and the region's.
pub(crate) fn family(id: &str, region: Option<&str>) -> Vec<String> {
    let region: BTreeSet<String> = region.into_iter().flat_map(words).collect();
    let joined: String = region.iter().map(String::as_str).collect();
    let mut common = words(id);
    common.retain(|word| !FORMS.contains(&word.as_str()) && !region.contains(word) && *word != joined);
    common
}

/// Whether the name says that it is the other form of a stack.
pub(crate) fn is_secondary(id: &str) -> bool {
    words(id)
        .iter()
        .any(|word| FORMS.contains(&word.as_str()) && !matches!(word.as_str(), "primary" | "main"))
}

/// A name for stacks that belong together, if one suggests itself: the word that most of them start with, or all
/// of the name if there is only one.
pub(crate) fn for_group<'a>(ids: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut families: Vec<Vec<String>> = ids.into_iter().map(|id| family(id, None)).collect();
    for words in &mut families {
        words.retain(|word| !EMPTY.contains(&word.as_str()));
    }
    families.sort();
    families.dedup();
    if let [only] = &families[..] {
        return (!only.is_empty()).then(|| only.join("-"));
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for words in &families {
        // What starts with a number or is one is no name.
        if let Some(first) = words.first().filter(|word| word.starts_with(char::is_alphabetic)) {
            *counts.entry(first).or_default() += 1;
        }
    }
    let (word, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 2 > families.len()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        for (id, expected) in [
            ("pets/NetworkRoutesMain", "network routes main"),
            ("S3Replica", "s3 replica"),
            ("VPCStack", "vpc stack"),
            ("dev-data_lake", "dev data lake"),
            ("", ""),
        ] {
            assert_eq!(words(id).join(" "), expected);
        }
    }

    #[test]
    fn a_group_is_named_after_the_words_of_its_stacks() {
        for (ids, name) in [
            (&["Services", "ServicesSecondary"][..], Some("services")),
            (&["NetworkRoutesMain", "NetworkRoutesSecondary", "NetworkPeering"], Some("network")),
            (&["A", "B"], None),
            (&["VscodeServerStack"], Some("vscode-server")),
            (&["Stack"], None),
            (&[], None),
        ] {
            assert_eq!(for_group(ids.iter().copied()).as_deref(), name, "{ids:?}");
        }
    }
}
