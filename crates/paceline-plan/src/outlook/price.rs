//! What a build costs, by its compute type.

use std::time::Duration;

use paceline_config::Dollars;

/// When the table was made.
pub(crate) const DATE: &str = "2026-11";

/// US dollars for a minute of each compute type, on-demand Linux x86 in us-east-1, in thousandths.
///
/// AWS publishes its prices where no program may rely on them, so these are from what others noted down. For
/// small to large their notes agree; for x-large they have 0.08 to 0.1002 and for 2x-large there is one old
/// note: of those the higher ones count. `codebuild.price-per-minute` replaces them.
const TABLE: [(&str, u64); 5] =
    [("small", 5), ("medium", 10), ("large", 20), ("x-large", 100), ("2x-large", 250)];

/// The compute type that is enough for a build that only waits for CloudFormation.
const SMALLER: &str = "medium";

/// What a minute of a build costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The compute type.
    pub compute: String,
    /// For a minute.
    pub per_minute: Dollars,
    /// Whether the team gave it.
    pub is_configured: bool,
}

impl Price {
    /// Of a compute type; what the team gives replaces the table. `None` for a type that is in no table.
    pub fn of(compute: &str, configured: Option<Dollars>) -> Option<Self> {
        let listed = TABLE
            .iter()
            .find(|(name, _)| *name == compute)
            .map(|(_, price)| Dollars::from_millionths(price * 1000));
        let per_minute = configured.or(listed)?;
        Some(Self { compute: compute.to_owned(), per_minute, is_configured: configured.is_some() })
    }

    /// Of the compute type that would do for a build that only waits, if that is a smaller one and the price is
    /// that of the table.
    pub fn of_smaller(&self) -> Option<Self> {
        let smaller = Self::of(SMALLER, None)?;
        (!self.is_configured && smaller.per_minute < self.per_minute).then_some(smaller)
    }

    /// What a build of this length costs: every minute that has begun counts.
    pub fn for_time(&self, time: Duration) -> Dollars {
        let minutes = u64::try_from(time.as_millis().div_ceil(60_000)).unwrap_or(u64::MAX);
        self.per_minute.times(minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(compute: &str) -> Price {
        Price::of(compute, None).unwrap()
    }

    #[test]
    fn every_minute_that_has_begun_costs() {
        for (compute, seconds, expected) in [
            ("x-large", 3600, "$6.00"),
            ("x-large", 3601, "$6.10"),
            ("small", 60, "$0.01"),
            ("small", 0, "$0.00"),
        ] {
            let cost = price(compute).for_time(Duration::from_secs(seconds));
            assert_eq!(cost.to_string(), expected, "{compute}, {seconds} s");
        }
    }

    #[test]
    fn a_price_of_the_teams_replaces_the_table() {
        let given = Some(Dollars::from_millionths(80_000));
        assert_eq!(
            Price::of("x-large", given).unwrap().for_time(Duration::from_hours(1)).to_string(),
            "$4.80"
        );
        assert!(Price::of("huge", None).is_none());
        assert!(Price::of("huge", given).unwrap().is_configured);
    }

    #[test]
    fn a_smaller_type_is_compared_with_only_where_it_is_cheaper_by_the_same_table() {
        assert_eq!(price("x-large").of_smaller().unwrap().compute, "medium");
        assert_eq!(price("medium").of_smaller(), None);
        assert_eq!(Price::of("x-large", Some(Dollars::from_millionths(1))).unwrap().of_smaller(), None);
    }
}
