//! Resources that hold data: deleting one loses what cannot be deployed again.

use serde::{Deserialize, Serialize};

use crate::template::{Resource, Template};

/// The types whose resources hold data, keys, messages or log entries, or have addresses that others know, in order.
///
/// The source is the list of stateful types of the CloudFormation linter (cfn-lint, rule I3011). By our own judgement, it
/// also has newer types of the same services, and types whose contents or addresses cannot be deployed again, such as
/// repositories, clusters, archives and Elastic IP addresses.
const STATEFUL: &[&str] = &[
    "AWS::ACMPCA::CertificateAuthority",
    "AWS::AmazonMQ::Broker",
    "AWS::Backup::BackupVault",
    "AWS::Cassandra::Keyspace",
    "AWS::Cassandra::Table",
    "AWS::CodeArtifact::Repository",
    "AWS::CodeCommit::Repository",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::DAX::Cluster",
    "AWS::DSQL::Cluster",
    "AWS::DocDB::DBCluster",
    "AWS::DocDB::DBInstance",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EC2::EIP",
    "AWS::EC2::Volume",
    "AWS::ECR::PublicRepository",
    "AWS::ECR::Repository",
    "AWS::EFS::FileSystem",
    "AWS::EKS::Cluster",
    "AWS::EMR::Cluster",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::Elasticsearch::Domain",
    "AWS::Events::Archive",
    "AWS::FSx::FileSystem",
    "AWS::FSx::Volume",
    "AWS::Glue::Database",
    "AWS::KMS::Key",
    "AWS::KMS::ReplicaKey",
    "AWS::Kinesis::Stream",
    "AWS::Lightsail::Bucket",
    "AWS::Lightsail::Database",
    "AWS::Logs::LogGroup",
    "AWS::MSK::Cluster",
    "AWS::MSK::ServerlessCluster",
    "AWS::MemoryDB::Cluster",
    "AWS::Neptune::DBCluster",
    "AWS::Neptune::DBInstance",
    "AWS::NeptuneGraph::Graph",
    "AWS::OpenSearchServerless::Collection",
    "AWS::OpenSearchService::Domain",
    "AWS::Organizations::Account",
    "AWS::QLDB::Ledger",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::RDS::GlobalCluster",
    "AWS::Redshift::Cluster",
    "AWS::RedshiftServerless::Namespace",
    "AWS::Route53::HostedZone",
    "AWS::S3::Bucket",
    "AWS::S3Express::DirectoryBucket",
    "AWS::S3Tables::Table",
    "AWS::S3Tables::TableBucket",
    "AWS::S3Vectors::Index",
    "AWS::S3Vectors::VectorBucket",
    "AWS::SDB::Domain",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::Timestream::Database",
    "AWS::Timestream::InfluxDBInstance",
    "AWS::Timestream::Table",
    "AWS::WorkSpaces::Workspace",
];

/// Returns whether resources of this type hold data.
pub fn holds_data(resource_type: &str) -> bool {
    STATEFUL.binary_search(&resource_type).is_ok()
}

/// A resource that must not be deleted without being named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Precious {
    /// The logical id. In a nested stack, the ids of the nested stacks come first, with slashes.
    pub id: String,
    /// The type, such as `AWS::DynamoDB::Table`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Whether its template says that it stays when its stack is deleted.
    pub retained: bool,
}

impl Resource<'_> {
    /// Returns whether the resource stays when its stack is deleted.
    pub fn is_retained(&self) -> bool {
        matches!(self.body["DeletionPolicy"].as_str(), Some("Retain" | "RetainExceptOnCreate"))
    }
}

impl Template {
    /// The resources that hold data or are retained, ordered by logical id.
    pub fn precious(&self) -> impl Iterator<Item = Precious> {
        let precious = self.resources().filter(|(_, it)| it.is_retained() || holds_data(it.resource_type));
        precious.map(|(id, resource)| Precious {
            id: id.to_owned(),
            resource_type: resource.resource_type.to_owned(),
            retained: resource.is_retained(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_data_or_is_retained_is_precious_and_nothing_else() {
        let template = Template::parse(
            r#"{"Resources": {
                "Table": {"Type": "AWS::DynamoDB::Table"},
                "Topic": {"Type": "AWS::SNS::Topic"},
                "Kept": {"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain"}}}"#,
        )
        .unwrap();
        let found: Vec<(String, bool)> = template.precious().map(|it| (it.id, it.retained)).collect();
        assert_eq!(found, [("Kept".to_owned(), true), ("Table".to_owned(), false)]);
    }

    #[test]
    fn the_types_are_in_order_and_none_is_listed_twice() {
        assert!(STATEFUL.is_sorted_by(|a, b| a < b));
    }
}
