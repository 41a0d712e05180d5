//! An amount of money.

use std::fmt;

use paceline_yaml::Node;
use serde_json::{Value, json};

use crate::setting::{Problem, Setting, text};

/// Millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(u64);

impl Setting for Dollars {
    fn read(node: &Node) -> Result<Self, Problem> {
        let text = text(node)?;
        let hint = "write the US dollars of a minute, such as 0.08";
        let dollars = text.parse().ok().filter(|dollars| (0.0..=1000.0).contains(dollars));
        let dollars: f64 =
            dollars.ok_or_else(|| Problem::at(node.at, format!("`{text}` is not a price"), hint))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is within 0 and 10^9"
        )]
        Ok(Self((dollars * 1e6).round() as u64))
    }

    fn schema() -> Value {
        json!({ "type": "number", "minimum": 0, "maximum": 1000 })
    }
}

impl Dollars {
    /// From millionths of a US dollar.
    pub const fn from_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// So many times the amount, up to the largest.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// Without rounding: a minute may cost half a cent.
    pub fn exact(self) -> String {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        let zeros = text.chars().rev().take_while(|c| *c == '0').count().min(4);
        format!("${}", &text[..text.len() - zeros])
    }

    /// As a number.
    pub fn as_f64(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "prices are far smaller than what is lost")]
        let millionths = self.0 as f64;
        millionths / 1e6
    }
}

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${:.2}", self.as_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::Dollars;

    #[test]
    fn a_price_is_shown_to_its_last_digit_and_at_least_to_the_cent() {
        for (millionths, expected) in
            [(5_000, "$0.005"), (100_000, "$0.10"), (3_000_000, "$3.00"), (1, "$0.000001")]
        {
            assert_eq!(Dollars(millionths).exact(), expected);
        }
    }
}
