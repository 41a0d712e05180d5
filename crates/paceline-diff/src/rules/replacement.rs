//! Which changes replace a resource.
//!
//! The table is `replacement.csv`, in this folder. A property that it does not have counts as changed in place.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::model::Effect;

/// The embedded table, read once.
static TABLE: LazyLock<HashMap<&str, Row>> = LazyLock::new(|| {
    let lines = include_str!("replacement.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.filter_map(Row::read).collect()
});

/// A resource type.
#[derive(Debug)]
struct Row {
    /// The property that gives the physical name.
    name: Option<&'static str>,
    /// The properties, with the effect of a change.
    properties: Vec<(&'static str, Rule)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Replaces,
    MayReplace,
    /// Except for a new item of the list.
    EditMayReplace,
}

impl Row {
    fn read(line: &'static str) -> Option<(&'static str, Self)> {
        let mut columns = line.split(',');
        let resource_type = columns.next()?;
        let mut words = || columns.next().unwrap_or_default().split_whitespace();
        let name = words().next();
        let mut properties: Vec<(&str, Rule)> = name.map(|name| (name, Rule::Replaces)).into_iter().collect();
        for rule in [Rule::Replaces, Rule::MayReplace, Rule::EditMayReplace] {
            properties.extend(words().map(|property| (property, rule)));
        }
        Some((resource_type, Self { name, properties }))
    }
}

/// The property that gives resources of a type their physical name.
pub(crate) fn name_property(resource_type: &str) -> Option<&'static str> {
    TABLE.get(resource_type)?.name
}

/// What a change of a property does to a resource. `path` begins with `Properties.`.
pub(crate) fn effect(
    resource_type: &str,
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Effect {
    let Some(row) = TABLE.get(resource_type) else { return Effect::Update };
    let Some(path) = path.strip_prefix("Properties.") else { return Effect::Update };
    let property = without_indexes(path);
    let rules = row.properties.iter().filter(|(listed, _)| match listed.strip_prefix(property.as_str()) {
        Some("") => true,
        // The change is that of a map around the listed property.
        Some(inner) => inner.strip_prefix('.').is_some_and(|inner| at(before, inner) != at(after, inner)),
        None => property.strip_prefix(listed).is_some_and(|rest| rest.starts_with('.')),
    });
    let effects = rules.map(|(_, rule)| match rule {
        Rule::Replaces => Effect::Replace,
        Rule::EditMayReplace if before.is_none() && path.ends_with(']') => Effect::Update,
        Rule::MayReplace | Rule::EditMayReplace => Effect::MayReplace,
    });
    effects.max().unwrap_or(Effect::Update)
}

/// `Volumes[0].Host` becomes `Volumes.Host`.
fn without_indexes(path: &str) -> String {
    let parts = path.split('.').map(|part| part.split('[').next().unwrap_or_default());
    parts.collect::<Vec<_>>().join(".")
}

fn at<'v>(value: Option<&'v Value>, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value?, |value, key| value.get(key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(resource_type: &str, path: &str, expected: Effect) {
        let (before, after) = (json!("a"), json!("b"));
        assert_eq!(
            effect(resource_type, path, Some(&before), Some(&after)),
            expected,
            "{resource_type} {path}"
        );
    }

    #[test]
    fn a_listed_property_replaces_the_resource() {
        check("AWS::S3::Bucket", "Properties.BucketName", Effect::Replace);
        check("AWS::DynamoDB::Table", "Properties.KeySchema[0].AttributeName", Effect::Replace);
        check("AWS::EC2::VPC", "Properties.InstanceTenancy", Effect::MayReplace);
        check("AWS::ECR::Repository", "Properties.EncryptionConfiguration.KmsKey", Effect::Replace);
    }

    #[test]
    fn other_properties_and_unknown_types_are_changed_in_place() {
        check("AWS::S3::Bucket", "Properties.VersioningConfiguration.Status", Effect::Update);
        check("AWS::S3::Bucket", "Properties.BucketNameSuffix", Effect::Update);
        check("AWS::S3::Bucket", "Metadata.BucketName", Effect::Update);
        check("Custom::Thing", "Properties.Name", Effect::Update);
    }

    #[test]
    fn a_map_around_a_listed_property_replaces_only_if_that_property_differs() {
        let of = |before: Value, after: Value| {
            effect("AWS::EKS::Cluster", "Properties.KubernetesNetworkConfig", Some(&before), Some(&after))
        };
        assert_eq!(of(json!({"IpFamily": "ipv4"}), json!({"IpFamily": "ipv6"})), Effect::Replace);
        assert_eq!(of(json!({"IpFamily": "ipv4"}), json!({"IpFamily": "ipv4", "Other": 1})), Effect::Update);
    }

    #[test]
    fn a_new_attribute_of_a_table_changes_it_in_place() {
        let new = json!({"AttributeName": "a"});
        let path = "Properties.AttributeDefinitions[1]";
        assert_eq!(effect("AWS::DynamoDB::Table", path, None, Some(&new)), Effect::Update);
        assert_eq!(effect("AWS::DynamoDB::Table", path, Some(&new), None), Effect::MayReplace);
        check("AWS::DynamoDB::Table", "Properties.AttributeDefinitions[0].AttributeType", Effect::MayReplace);
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let types = include_str!("replacement.csv").lines().filter(|line| line.starts_with("AWS::"));
        assert_eq!(types.count(), TABLE.len());
        for (resource_type, row) in &*TABLE {
            assert!(!row.properties.is_empty(), "{resource_type}");
        }
        assert_eq!(name_property("AWS::Lambda::Function"), Some("FunctionName"));
        assert_eq!(name_property("AWS::EC2::VPC"), None);
    }
}
