//! `Fn::Cidr`: smaller address blocks out of a larger one.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

/// This many blocks out of a block, each with this many host bits. `None` if they do not fit.
pub(super) fn blocks(block: &str, count: &str, bits: Option<&str>) -> Option<Value> {
    let (address, _) = block.split_once('/')?;
    let (count, bits): (u32, u32) = (count.parse().ok()?, bits.unwrap_or("8").parse().ok()?);
    if !(1..=256).contains(&count) {
        return None;
    }
    let texts: Vec<Value> = if let Ok(address) = address.parse::<Ipv4Addr>() {
        let size = 1_u32.checked_shl(bits).filter(|_| bits <= 31)?;
        let start = |index: u32| u32::from(address).wrapping_add(index.wrapping_mul(size));
        (0..count).map(|index| text(&Ipv4Addr::from(start(index)), 32 - bits)).collect()
    } else {
        let address: Ipv6Addr = address.parse().ok()?;
        let size = 1_u128.checked_shl(bits).filter(|_| bits <= 127)?;
        let start = |index: u32| u128::from(address).wrapping_add(u128::from(index).wrapping_mul(size));
        (0..count).map(|index| text(&Ipv6Addr::from(start(index)), 128 - bits)).collect()
    };
    Some(Value::Array(texts))
}

fn text(address: &impl ToString, prefix: u32) -> Value {
    Value::String(format!("{}/{prefix}", address.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_are_consecutive_in_both_address_families() {
        for (block, count, bits, expected) in [
            ("10.0.0.0/16", "2", Some("8"), Some(json!(["10.0.0.0/24", "10.0.1.0/24"]))),
            ("2600:1f18::/56", "2", Some("64"), Some(json!(["2600:1f18::/64", "2600:1f18:0:1::/64"]))),
            ("10.0.0.0/16", "1", None, Some(json!(["10.0.0.0/24"]))),
            ("10.0.0.0/16", "1", Some("32"), None),
            ("2600:1f18::/56", "1", Some("128"), None),
            ("10.0.0.0/16", "257", None, None),
            ("vpc-1", "1", None, None),
        ] {
            assert_eq!(blocks(block, count, bits), expected, "{block} {count} {bits:?}");
        }
    }
}
