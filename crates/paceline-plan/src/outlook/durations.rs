//! How long CloudFormation typically takes to create, update and delete a resource, by resource type.
//!
//! A plan is ordered by how long its stacks are expected to take, and a report compares what happened with
//! what was expected. Both need a figure for every resource type before anything was ever deployed: this is
//! it. The figures are rough, being averages over every configuration of a type.
//!
//! The table is `durations.csv`, in this folder. Most of its creates and updates are the historical
//! averages that the authors of [rain](https://github.com/aws-cloudformation/rain) measured (Apache-2.0); the
//! others, and the deletes, are estimates. The head of the table states which commit and why.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use paceline_assembly::{CUSTOM_TYPE, is_custom};
use serde::{Deserialize, Serialize};

/// Seconds to create, update and delete a resource of a type that is not in the table: the table's medians.
///
/// Medians, because the few slow types make the means (over a minute for a create) wrong for nearly every
/// type. They also err to the short side for types too new to be in the table: an unknown type then cannot
/// make a stack look like the longest of a plan.
const DEFAULT_SECONDS: [u32; 3] = [5, 2, 2];

/// The embedded table, read once.
static TYPICAL: LazyLock<Arc<Table>> = LazyLock::new(|| {
    Arc::new(parse(include_str!("durations.csv")).expect("the embedded table is valid: a test parses it"))
});

/// What CloudFormation does with a resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceOperation {
    /// The resource is new.
    Create,
    /// The resource changes in place. One that is replaced takes a create, and later a delete.
    Update,
    /// The resource goes away.
    Delete,
}

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Measured by the authors of rain.
    Rain,
    /// Our judgement, or set by [`Durations::with`].
    Estimate,
    /// The type is not in the table.
    Default,
}

/// A typical duration and where it comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
pub struct Typical {
    /// Whole seconds, rounded up.
    pub seconds: u32,
    /// Where the figure comes from.
    pub source: Source,
}

/// Typical durations by resource type and operation. Cheap to clone.
#[derive(Clone)]
pub struct Durations {
    table: Arc<Table>,
}

/// By resource type, the figures in the order of [`ResourceOperation`]; a type known by an override alone has gaps.
type Table = BTreeMap<String, [Option<Figure>; 3]>;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Figure {
    duration: Duration,
    source: Source,
}

impl Durations {
    /// The embedded table.
    pub fn typical() -> Self {
        Self { table: Arc::clone(&TYPICAL) }
    }

    /// How long `operation` typically takes for a resource of this type.
    pub fn of(&self, resource_type: &str, operation: ResourceOperation) -> Duration {
        self.figure(resource_type, operation).duration
    }

    /// As [`of`](Self::of), in whole seconds and with the source of the figure.
    pub fn lookup(&self, resource_type: &str, operation: ResourceOperation) -> Typical {
        let Figure { duration, source } = self.figure(resource_type, operation);
        let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
        Typical { seconds: u32::try_from(seconds).unwrap_or(u32::MAX), source }
    }

    /// The same durations but for one type and operation.
    ///
    /// Set for `AWS::CloudFormation::CustomResource`, it counts for each custom resource that has no row.
    #[must_use]
    pub fn with(mut self, resource_type: &str, operation: ResourceOperation, duration: Duration) -> Self {
        let row = Arc::make_mut(&mut self.table).entry(resource_type.to_owned()).or_default();
        row[operation as usize] = Some(Figure { duration, source: Source::Estimate });
        self
    }

    fn figure(&self, resource_type: &str, operation: ResourceOperation) -> Figure {
        let of = |row| self.table.get(row).and_then(|figures| figures[operation as usize]);
        // The row of custom resources stands for every one that has no row of its own.
        let shared = || is_custom(resource_type).then(|| of(CUSTOM_TYPE)).flatten();
        of(resource_type).or_else(shared).unwrap_or(Figure {
            duration: Duration::from_secs(DEFAULT_SECONDS[operation as usize].into()),
            source: Source::Default,
        })
    }
}

impl fmt::Debug for Durations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Durations").field("types", &self.table.len()).finish_non_exhaustive()
    }
}

/// Reads `type,create_s,update_s,delete_s,source` and an optional note, under comments and one line of names.
fn parse(text: &str) -> Result<Table, String> {
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| line.starts_with('#'));
    match lines.next() {
        Some((_, "type,create_s,update_s,delete_s,source,note")) => {}
        other => return Err(format!("expected the names of the columns, got {other:?}")),
    }
    let mut table = Table::new();
    for (index, line) in lines {
        let (resource_type, figures) = parse_row(line).map_err(|e| format!("line {}: {e}", index + 1))?;
        if table.insert(resource_type.to_owned(), figures.map(Some)).is_some() {
            return Err(format!("line {}: {resource_type} is there twice", index + 1));
        }
    }
    Ok(table)
}

fn parse_row(line: &str) -> Result<(&str, [Figure; 3]), String> {
    let fields: Vec<&str> = line.split(',').collect();
    let (&[resource_type, create, update, delete, source]
    | &[resource_type, create, update, delete, source, _]) = fields.as_slice()
    else {
        return Err(format!("{} fields instead of 5 or 6", fields.len()));
    };
    if resource_type.is_empty() {
        return Err("no resource type".to_owned());
    }
    let source = match source {
        "rain" => Source::Rain,
        "estimate" => Source::Estimate,
        other => return Err(format!("unknown source {other:?}")),
    };
    let figure = |seconds: &str, source| match seconds.parse::<u32>() {
        Ok(seconds) => Ok(Figure { duration: Duration::from_secs(seconds.into()), source }),
        Err(e) => Err(format!("{seconds:?} is not a number of seconds: {e}")),
    };
    // Deletes are estimates, whatever the row's source: see the head of the table.
    let figures = [figure(create, source)?, figure(update, source)?, figure(delete, Source::Estimate)?];
    Ok((resource_type, figures))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ResourceOperation; 3] =
        [ResourceOperation::Create, ResourceOperation::Update, ResourceOperation::Delete];

    fn rows() -> Vec<&'static str> {
        include_str!("durations.csv").lines().filter(|line| !line.starts_with('#')).skip(1).collect()
    }

    fn create(resource_type: &str) -> u32 {
        Durations::typical().lookup(resource_type, ResourceOperation::Create).seconds
    }

    #[test]
    fn the_embedded_table_parses() {
        let table = parse(include_str!("durations.csv")).unwrap();
        assert_eq!(table.len(), rows().len());
        assert!(table.len() > 800, "{} rows", table.len());
    }

    #[test]
    fn the_table_states_its_source() {
        let head: String =
            include_str!("durations.csv").lines().take_while(|line| line.starts_with('#')).collect();
        for part in ["aws-cloudformation/rain", "0a1c64b3e7092daca6af752f2809b0c20b56bfa1", "Apache-2.0"] {
            assert!(head.contains(part), "{part}");
        }
    }

    #[test]
    fn rows_are_sorted_without_duplicates() {
        let types: Vec<&str> = rows().iter().map(|row| row.split(',').next().unwrap()).collect();
        for pair in types.windows(2) {
            assert!(pair[0] < pair[1], "{} before {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn each_row_has_a_source_and_each_estimate_a_reason() {
        for row in rows() {
            let fields: Vec<&str> = row.split(',').collect();
            match fields[4] {
                "rain" => {}
                "estimate" => assert!(fields.get(5).is_some_and(|note| !note.is_empty()), "{row}"),
                other => panic!("{other}: {row}"),
            }
        }
    }

    #[test]
    fn durations_are_below_an_hour() {
        for (resource_type, figures) in TYPICAL.iter() {
            for figure in figures.iter().flatten() {
                assert!(figure.duration < Duration::from_hours(1), "{resource_type}");
            }
        }
    }

    #[test]
    fn defaults_are_the_medians_of_the_table() {
        for operation in ALL {
            let mut all: Vec<u64> = TYPICAL
                .values()
                .map(|figures| figures[operation as usize].unwrap().duration.as_secs())
                .collect();
            all.sort_unstable();
            assert_eq!(u64::from(DEFAULT_SECONDS[operation as usize]), all[all.len() / 2], "{operation:?}");
        }
    }

    #[test]
    fn an_unknown_type_takes_the_default() {
        let typical = Durations::typical().lookup("AWS::Nowhere::Nothing", ResourceOperation::Create);
        assert_eq!(typical, Typical { seconds: DEFAULT_SECONDS[0], source: Source::Default });
    }

    #[test]
    fn slow_types_take_longer_than_quick_ones() {
        for (slow, quick) in [
            ("AWS::EKS::Cluster", "AWS::S3::Bucket"),
            ("AWS::EKS::Cluster", "AWS::EKS::Nodegroup"),
            ("AWS::EKS::Nodegroup", "AWS::EKS::Addon"),
            ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster"),
            ("AWS::RDS::DBCluster", "AWS::RDS::DBSubnetGroup"),
            ("AWS::OpenSearchService::Domain", "AWS::RDS::DBInstance"),
            ("AWS::MSK::Cluster", "AWS::OpenSearchService::Domain"),
            ("AWS::EC2::NatGateway", "AWS::EC2::EIP"),
            ("AWS::EC2::TransitGateway", "AWS::EC2::TransitGatewayRoute"),
            ("AWS::CloudFront::Distribution", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
            ("AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::LaunchTemplate"),
            ("Custom::AWSCDK-EKS-Cluster", "Custom::Anything"),
        ] {
            assert!(create(slow) > create(quick), "{slow} {}, {quick} {}", create(slow), create(quick));
        }
    }

    #[test]
    fn deletes_are_estimates() {
        let durations = Durations::typical();
        assert_eq!(durations.lookup("AWS::EC2::NatGateway", ResourceOperation::Create).source, Source::Rain);
        let delete = durations.lookup("AWS::EC2::NatGateway", ResourceOperation::Delete);
        assert_eq!(delete.source, Source::Estimate);
        assert!(delete.seconds >= 30);
    }

    #[test]
    fn custom_resources_share_a_row() {
        let durations = Durations::typical();
        for operation in ALL {
            let shared = durations.lookup(CUSTOM_TYPE, operation);
            assert_eq!(durations.lookup("Custom::AWS", operation), shared);
            assert_eq!(shared.source, Source::Estimate);
        }
        let overridden = durations.with(CUSTOM_TYPE, ResourceOperation::Create, Duration::from_secs(77));
        assert_eq!(overridden.lookup("Custom::AWS", ResourceOperation::Create).seconds, 77);
    }

    #[test]
    fn an_override_counts_for_its_type_and_operation_alone() {
        let before = Durations::typical();
        let after =
            before.clone().with("AWS::S3::Bucket", ResourceOperation::Create, Duration::from_millis(1500));
        assert_eq!(after.of("AWS::S3::Bucket", ResourceOperation::Create), Duration::from_millis(1500));
        assert_eq!(after.lookup("AWS::S3::Bucket", ResourceOperation::Create).seconds, 2);
        assert_eq!(
            after.of("AWS::S3::Bucket", ResourceOperation::Update),
            before.of("AWS::S3::Bucket", ResourceOperation::Update)
        );
        assert_eq!(before.of("AWS::S3::Bucket", ResourceOperation::Create), Duration::from_secs(20));

        let unknown = before.with("Custom::Mine", ResourceOperation::Delete, Duration::ZERO);
        assert_eq!(unknown.of("Custom::Mine", ResourceOperation::Delete), Duration::ZERO);
        assert_eq!(
            unknown.of("Custom::Mine", ResourceOperation::Create),
            unknown.of(CUSTOM_TYPE, ResourceOperation::Create)
        );
    }

    #[test]
    fn bad_tables_are_refused() {
        let head = "# about\ntype,create_s,update_s,delete_s,source,note\n";
        for (rows, expected) in [
            ("A::B::C,1,2\n", "line 3: 3 fields instead of 5 or 6"),
            ("A::B::C,1,2,3,rain,a note, and more\n", "line 3: 7 fields instead of 5 or 6"),
            ("A::B::C,1,2,3,hearsay\n", "line 3: unknown source \"hearsay\""),
            (",1,2,3,rain\n", "line 3: no resource type"),
            ("A::B::C,1,2,3,rain\nA::B::C,1,2,3,rain\n", "line 4: A::B::C is there twice"),
        ] {
            assert_eq!(parse(&format!("{head}{rows}")).unwrap_err(), expected);
        }
        assert!(parse(&format!("{head}A::B::C,1,-2,3,rain\n")).unwrap_err().contains("\"-2\""));
        assert!(parse("A::B::C,1,2,3,rain\n").unwrap_err().contains("names of the columns"));
    }

    #[test]
    fn operations_are_lowercase_in_json() {
        assert_eq!(serde_json::to_string(&ALL).unwrap(), r#"["create","update","delete"]"#);
        assert_eq!(
            serde_json::from_str::<ResourceOperation>("\"delete\"").unwrap(),
            ResourceOperation::Delete
        );
    }
}
