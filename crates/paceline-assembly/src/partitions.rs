//! The partitions of AWS: their regions, and the domains of their endpoints.

/// The partition of every region that no other partition claims.
const STANDARD: (&str, &str) = ("aws", "amazonaws.com");

/// The prefix of a partition's regions, its name, and its domain.
///
/// Source: the `partitions.json` by which the AWS SDKs find endpoints, version 1.1, from `endpoint_lib` of
/// the AWS SDK for Rust (`aws-sdk-cloudformation` 1.136).
const PARTITIONS: [(&str, &str, &str); 7] = [
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
];

/// The partition of a region, which is the value of `AWS::Partition`.
pub fn partition(region: &str) -> &'static str {
    of(region).0
}

/// The domain of a region's endpoints, which is the value of `AWS::URLSuffix`.
pub fn url_suffix(region: &str) -> &'static str {
    of(region).1
}

/// Whether a host is in the domain of any partition.
pub fn is_host_of_aws(host: &str) -> bool {
    let mut domains = PARTITIONS.iter().map(|(_, _, domain)| *domain).chain([STANDARD.1]);
    domains.any(|domain| host.strip_suffix(domain).is_some_and(|name| name.ends_with('.')))
}

fn of(region: &str) -> (&'static str, &'static str) {
    let found = PARTITIONS.iter().find(|(prefix, ..)| region.starts_with(prefix));
    found.map_or(STANDARD, |(_, name, domain)| (name, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(region: &str, name: &str, domain: &str) {
        assert_eq!((partition(region), url_suffix(region)), (name, domain), "{region}");
        assert!(is_host_of_aws(&format!("s3.{region}.{domain}")));
    }

    #[test]
    fn every_partition_is_recognised_by_its_regions() {
        check("us-east-1", "aws", "amazonaws.com");
        check("eu-central-1", "aws", "amazonaws.com");
        check("cn-northwest-1", "aws-cn", "amazonaws.com.cn");
        check("us-gov-west-1", "aws-us-gov", "amazonaws.com");
        check("eusc-de-east-1", "aws-eusc", "amazonaws.eu");
        check("us-iso-west-1", "aws-iso", "c2s.ic.gov");
        check("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov");
        check("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk");
        check("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov");
        check("of-no-partition-that-is-known-1", "aws", "amazonaws.com");
    }

    #[test]
    fn only_whole_domains_are_hosts_of_aws() {
        for host in ["localhost", "amazonaws.com", "s3.notamazonaws.com", "s3.amazonaws.com.example.org"] {
            assert!(!is_host_of_aws(host), "{host}");
        }
    }
}
