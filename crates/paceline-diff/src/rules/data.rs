//! Which resources hold data, and what becomes of it.

use paceline_assembly::{Resource, holds_data};

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
    resource.properties.is_some_and(|it| it.get("EmptyOnDelete").is_some_and(|empties| empties == true))
}

#[cfg(test)]
mod tests {
    use paceline_assembly::Template;
    use serde_json::{Value, json};

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
}
