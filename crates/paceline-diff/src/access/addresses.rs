//! Address ranges.

use std::net::IpAddr;

/// A range of addresses, as in `10.0.0.0/16`.
#[derive(Debug, Clone, Copy)]
struct Range {
    is_v6: bool,
    bits: u128,
    length: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let (address, length) = (address.parse::<IpAddr>().ok()?, length.parse().ok()?);
        // The bits are at the upper end for both versions.
        let (is_v6, bits, longest) = match address {
            IpAddr::V4(address) => (false, u128::from(address.to_bits()) << 96, 32),
            IpAddr::V6(address) => (true, address.to_bits(), 128),
        };
        (length <= longest).then_some(Self { is_v6, bits, length })
    }

    fn first_bits(&self, length: u32) -> u128 {
        self.bits.checked_shr(128 - length).unwrap_or(0)
    }
}

/// Whether an address range has all addresses of another one. A text that is no range is only the same as itself.
pub(super) fn has_all(range: &str, of: &str) -> bool {
    if range == of {
        return true;
    }
    let (Some(outer), Some(inner)) = (Range::parse(range), Range::parse(of)) else { return false };
    outer.is_v6 == inner.is_v6
        && outer.length <= inner.length
        && outer.first_bits(outer.length) == inner.first_bits(outer.length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_the_ranges_inside_of_it() {
        for (outer, inner, expected) in [
            ("10.0.0.0/8", "10.1.2.0/24", true),
            ("10.0.0.0/8", "11.0.0.0/24", false),
            ("10.1.0.0/16", "10.0.0.0/8", false),
            ("0.0.0.0/0", "203.0.113.7/32", true),
            ("0.0.0.0/0", "::/0", false),
            ("2001:db8::/32", "2001:db8:1::/48", true),
            ("${Range}", "${Range}", true),
            ("${Range}", "10.0.0.0/8", false),
            ("10.0.0.0/99", "10.0.0.0/100", false),
        ] {
            assert_eq!(has_all(outer, inner), expected, "{outer} {inner}");
        }
    }
}
