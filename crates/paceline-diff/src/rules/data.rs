//! Which resources hold data, and what becomes of it.

use paceline_assembly::Resource;

use crate::model::{DataLoss, Effect, Fate};

/// Types whose resources hold what nothing can make again: data, keys, addresses that others know. Our judgement.
const HOLDS_DATA: [&str; 41] = [
    "AWS::AmazonMQ::Broker",
    "AWS::Backup::BackupVault",
    "AWS::Cassandra::Keyspace",
    "AWS::Cassandra::Table",
    "AWS::CodeArtifact::Repository",
    "AWS::CodeCommit::Repository",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::DocDB::DBCluster",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EC2::EIP",
    "AWS::EC2::Volume",
    "AWS::ECR::Repository",
    "AWS::EFS::FileSystem",
    "AWS::EKS::Cluster",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::Elasticsearch::Domain",
    "AWS::Events::Archive",
    "AWS::FSx::FileSystem",
    "AWS::Glue::Database",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Logs::LogGroup",
    "AWS::MSK::Cluster",
    "AWS::MemoryDB::Cluster",
    "AWS::Neptune::DBCluster",
    "AWS::OpenSearchService::Domain",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::RDS::GlobalCluster",
    "AWS::Redshift::Cluster",
    "AWS::Route53::HostedZone",
    "AWS::S3::Bucket",
    "AWS::SDB::Domain",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::Timestream::Database",
    "AWS::Timestream::Table",
];

/// Types that their service does not delete while something is in them.
const ONLY_IF_EMPTY: [&str; 4] =
    ["AWS::Backup::BackupVault", "AWS::ECR::Repository", "AWS::Route53::HostedZone", "AWS::S3::Bucket"];

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
    if HOLDS_DATA.binary_search(&before.resource_type).is_err() {
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
    fn types_are_found_by_bisection() {
        assert!(HOLDS_DATA.is_sorted());
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
