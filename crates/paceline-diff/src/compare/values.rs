//! The places at which two values differ.

use paceline_assembly::Intrinsic;
use serde_json::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::equality::Equality;

/// A place at which two values differ.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(crate) path: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// The places at which two values differ. A function differs as a whole; lists are aligned first, so that a new item
/// does not change those behind it.
pub(crate) fn differences(
    before: Option<&Value>,
    after: Option<&Value>,
    path: &str,
    equality: Equality,
) -> Vec<Difference> {
    let mut found = Vec::new();
    Walk { equality, found: &mut found }.one(before, after, path);
    found
}

struct Walk<'f> {
    equality: Equality,
    found: &'f mut Vec<Difference>,
}

impl Walk<'_> {
    fn one(&mut self, before: Option<&Value>, after: Option<&Value>, path: &str) {
        let (before, after) = match (before, after) {
            (None, None) => return,
            (Some(before), Some(after)) => (before, after),
            (before, after) => return self.leaf(before, after, path),
        };
        if self.equality.values(before, after) {
            return;
        }
        match (before, after) {
            _ if Intrinsic::of(before).is_some() || Intrinsic::of(after).is_some() => {
                self.leaf(Some(before), Some(after), path);
            }
            (Value::Object(own), Value::Object(new)) => {
                let is_same = |a: &str, b: &str| self.equality.texts(a, b);
                // Keys that CloudFormation has stored otherwise.
                let renamed: Vec<(&String, &String)> = new
                    .keys()
                    .filter(|key| !own.contains_key(*key))
                    .filter_map(|key| {
                        Some((own.keys().find(|old| !new.contains_key(*old) && is_same(old, key))?, key))
                    })
                    .collect();
                for (key, value) in own {
                    if !renamed.iter().any(|(old, _)| *old == key) {
                        self.one(Some(value), new.get(key), &below(path, key));
                    }
                }
                for (key, value) in new.iter().filter(|(key, _)| !own.contains_key(*key)) {
                    let old = renamed.iter().find(|(_, new)| *new == key).and_then(|(old, _)| own.get(*old));
                    self.one(old, Some(value), &below(path, key));
                }
            }
            (Value::Array(own), Value::Array(new)) => self.items(own, new, path),
            _ => self.leaf(Some(before), Some(after), path),
        }
    }

    fn items(&mut self, before: &[Value], after: &[Value], path: &str) {
        let (numbers, others) = self.numbered(before, after);
        for op in capture_diff_slices(Algorithm::Myers, &numbers, &others) {
            let (from, from_len, to, to_len) = match op {
                DiffOp::Equal { .. } => continue,
                DiffOp::Delete { old_index, old_len, new_index } => (old_index, old_len, new_index, 0),
                DiffOp::Insert { old_index, new_index, new_len } => (old_index, 0, new_index, new_len),
                DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                    (old_index, old_len, new_index, new_len)
                }
            };
            for at in 0..from_len.max(to_len) {
                let old = (at < from_len).then(|| &before[from + at]);
                let new = (at < to_len).then(|| &after[to + at]);
                let index = if new.is_some() { to + at } else { from + at };
                self.one(old, new, &format!("{path}[{index}]"));
            }
        }
    }

    /// A number for each item; equal items have the same.
    fn numbered(&self, before: &[Value], after: &[Value]) -> (Vec<usize>, Vec<usize>) {
        let mut known: Vec<&Value> = Vec::new();
        let mut old = Vec::with_capacity(before.len());
        for item in before {
            let at = known.iter().position(|it| *it == item).unwrap_or(known.len());
            if at == known.len() {
                known.push(item);
            }
            old.push(at);
        }
        let first_new = known.len();
        let mut new = Vec::with_capacity(after.len());
        for item in after {
            let own = known[..first_new].iter().position(|it| self.equality.values(it, item));
            let at =
                own.or_else(|| known[first_new..].iter().position(|it| *it == item).map(|at| first_new + at));
            let at = at.unwrap_or(known.len());
            if at == known.len() {
                known.push(item);
            }
            new.push(at);
        }
        (old, new)
    }

    fn leaf(&mut self, before: Option<&Value>, after: Option<&Value>, path: &str) {
        self.found.push(Difference { path: path.to_owned(), before: before.cloned(), after: after.cloned() });
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(before: &Value, after: &Value, expected: &[&str]) {
        check_with(Equality::default(), before, after, expected);
    }

    #[track_caller]
    fn check_with(equality: Equality, before: &Value, after: &Value, expected: &[&str]) {
        let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "-".to_owned(), Value::to_string);
        let found = differences(Some(before), Some(after), "P", equality);
        let found: Vec<String> = found
            .iter()
            .map(|it| format!("{} {} {}", it.path, shown(&it.before), shown(&it.after)))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_place_is_named() {
        check(
            &json!({"a": {"b": 1, "c": 2}}),
            &json!({"a": {"b": 1, "c": 3}, "d": 4}),
            &["P.a.c 2 3", "P.d - 4"],
        );
        check(&json!({"a": 1}), &json!({}), &["P.a 1 -"]);
        check(&json!("80"), &json!(80), &[r#"P "80" 80"#]);
    }

    #[test]
    fn a_new_item_does_not_change_those_behind_it() {
        check(&json!([1, 2, 3]), &json!([0, 1, 2, 3]), &["P[0] - 0"]);
        check(&json!([1, 2, 3]), &json!([1, 3]), &["P[1] 2 -"]);
        check(&json!([{"a": 1, "b": 1}, 2]), &json!([{"a": 1, "b": 5}, 2]), &["P[0].b 1 5"]);
        check(&json!([1, 2]), &json!([2, 1]), &["P[0] - 2", "P[1] 2 -"]);
    }

    #[test]
    fn a_function_differs_as_a_whole() {
        check(
            &json!({"Fn::Join": ["", ["a", "b"]]}),
            &json!({"Fn::Join": ["", ["a", "c"]]}),
            &[r#"P {"Fn::Join":["",["a","b"]]} {"Fn::Join":["",["a","c"]]}"#],
        );
    }

    #[test]
    fn characters_that_cloudformation_replaces_are_no_difference() {
        let equality = Equality { is_stored: true, ignores_times: false };
        let stored = json!({"k": ["Gr??e", {"M??": 1}]});
        check_with(equality, &stored, &json!({"k": ["Größe", {"Mäö": 1}]}), &[]);
        // The two keys have another order there.
        let (stored_keys, keys) = (json!({"M??": 1, "Mz": 2}), json!({"Mz": 2, "Mäö": 1}));
        assert!(equality.values(&stored_keys, &keys));
        check_with(equality, &stored_keys, &keys, &[]);
        check_with(equality, &json!({"M?": 1}), &json!({"M?": 1, "Mä": 1}), &["P.Mä - 1"]);
        check_with(equality, &stored, &json!({"k": ["Größe", {"Mäö": 2}]}), &["P.k[1].Mäö 1 2"]);
        check_with(equality, &stored, &json!({"k": ["Grösse", {"Mäö": 1}]}), &[r#"P.k[0] "Gr??e" "Grösse""#]);
    }

    #[test]
    fn times_are_no_difference_if_they_are_ignored() {
        let (before, after) = (json!("x-1795401174659"), json!("x-1795401999999"));
        check(&before, &after, &[r#"P "x-1795401174659" "x-1795401999999""#]);
        check_with(Equality { is_stored: false, ignores_times: true }, &before, &after, &[]);
    }
}
