//! Which resources hold data, and what becomes of it.

use paceline_assembly::{Resource, holds_data};
use serde_json::Value;

use crate::model::{DataLoss, Effect, Fate};

/// Types that their service does not delete while something is in them.
const ONLY_IF_EMPTY: [&str; 7] = [
    "AWS::Backup::BackupVault",
    "AWS::ECR::Repository",
    "AWS::Route53::HostedZone",
    "AWS::S3::Bucket",
    "AWS::S3Express::DirectoryBucket",
    "AWS::S3Tables::TableBucket",
    "AWS::S3Vectors::VectorBucket",
];

/// Tags of resources that a custom resource of the CDK empties before they are deleted, if it says `true`: those of
/// `autoDeleteObjects` and `autoDeleteImages`.
const EMPTIED: [&str; 2] = ["aws-cdk:auto-delete-objects", "aws-cdk:auto-delete-images"];

/// What happens to the data of a resource. `None` if it holds none, or if it stays.
///
/// The policy of the base counts for a deletion, and that of the app for a replacement (CloudFormation Template
/// Reference, `DeletionPolicy` and `UpdateReplacePolicy`).
pub(crate) fn data_loss(
    before: Option<&Resource<'_>>,
    after: Option<&Resource<'_>>,
    effect: Effect,
) -> Option<DataLoss> {
    let before = before?;
    if !holds_data(before.resource_type) {
        return None;
    }
    let (policy, is_certain) = match effect {
        Effect::Remove => (&before.body["DeletionPolicy"], true),
        Effect::Replace => (&after?.body["UpdateReplacePolicy"], true),
        Effect::MayReplace => (&after?.body["UpdateReplacePolicy"], false),
        _ => return None,
    };
    let fate = match policy.as_str() {
        Some("Retain" | "RetainExceptOnCreate") => Fate::Retained,
        Some("Snapshot") => Fate::Snapshot,
        None if effect == Effect::Remove && has_snapshot_by_default(before) => Fate::Snapshot,
        _ if ONLY_IF_EMPTY.contains(&before.resource_type) && !empties(before) => Fate::DeletedIfEmpty,
        _ => Fate::Deleted,
    };
    Some(DataLoss { is_certain, fate })
}

/// CloudFormation Template Reference, `DeletionPolicy`: the default for these is `Snapshot`.
fn has_snapshot_by_default(resource: &Resource<'_>) -> bool {
    let is_in_cluster = || resource.properties.is_some_and(|it| it.get("DBClusterIdentifier").is_some());
    match resource.resource_type {
        "AWS::RDS::DBCluster" => true,
        "AWS::RDS::DBInstance" => !is_in_cluster(),
        _ => false,
    }
}

/// Whether the resource is emptied when it is deleted.
fn empties(resource: &Resource<'_>) -> bool {
    let Some(properties) = resource.properties else { return false };
    let mut tags = properties["Tags"].as_array().into_iter().flatten();
    let is_mark = |tag: &Value| EMPTIED.iter().any(|key| tag["Key"] == *key) && tag["Value"] == "true";
    properties["EmptyOnDelete"] == true || tags.any(is_mark)
}

#[cfg(test)]
mod tests {
    use paceline_assembly::Template;
    use serde_json::json;

    use super::*;

    fn fate(body: &Value, effect: Effect) -> Option<Fate> {
        let template = Template::from_value(json!({ "Resources": { "R": body } })).unwrap();
        let resource = template.resource("R").unwrap();
        data_loss(Some(&resource), Some(&resource), effect).map(|it| it.fate)
    }

    #[test]
    fn a_retained_table_is_kept() {
        let table = |policy: &str, value: &str| json!({ "Type": "AWS::DynamoDB::Table", policy: value });
        assert_eq!(fate(&table("DeletionPolicy", "Retain"), Effect::Remove), Some(Fate::Retained));
        assert_eq!(fate(&table("DeletionPolicy", "Retain"), Effect::Replace), Some(Fate::Deleted));
        assert_eq!(fate(&table("UpdateReplacePolicy", "Retain"), Effect::Replace), Some(Fate::Retained));
        assert_eq!(fate(&table("UpdateReplacePolicy", "Retain"), Effect::Update), None);
    }

    #[test]
    fn databases_have_a_snapshot_by_default_and_buckets_must_be_empty() {
        assert_eq!(fate(&json!({ "Type": "AWS::RDS::DBCluster" }), Effect::Remove), Some(Fate::Snapshot));
        let in_cluster =
            json!({ "Type": "AWS::RDS::DBInstance", "Properties": { "DBClusterIdentifier": "c" } });
        assert_eq!(fate(&in_cluster, Effect::Remove), Some(Fate::Deleted));
        assert_eq!(fate(&json!({ "Type": "AWS::S3::Bucket" }), Effect::Remove), Some(Fate::DeletedIfEmpty));
        assert_eq!(fate(&json!({ "Type": "AWS::SNS::Topic" }), Effect::Remove), None);
    }

    #[test]
    fn what_is_emptied_when_it_is_deleted_is_lost() {
        let marked = |key: &str, value: &str| {
            let bucket = json!({ "Type": "AWS::S3::Bucket", "Properties": { "Tags": [{ "Key": key, "Value": value }] } });
            fate(&bucket, Effect::Remove)
        };
        assert_eq!(marked("aws-cdk:auto-delete-objects", "true"), Some(Fate::Deleted));
        assert_eq!(marked("aws-cdk:auto-delete-objects", "false"), Some(Fate::DeletedIfEmpty));
        assert_eq!(marked("team", "true"), Some(Fate::DeletedIfEmpty));
        let repository = json!({ "Type": "AWS::ECR::Repository", "Properties": { "EmptyOnDelete": true } });
        assert_eq!(fate(&repository, Effect::Remove), Some(Fate::Deleted));
    }
}
