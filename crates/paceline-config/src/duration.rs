//! Durations as people write them.

use std::fmt::Write as _;
use std::time::Duration;

const UNITS: [(char, u64); 3] = [('h', 3600), ('m', 60), ('s', 1)];

/// Reads a duration of hours, minutes and seconds, such as `1h30m`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut total = 0u64;
    let mut number = String::new();
    for c in text.trim().chars() {
        if c.is_ascii_digit() {
            number.push(c);
        } else {
            let (_, seconds) = UNITS.iter().find(|(unit, _)| *unit == c)?;
            let value: u64 = number.parse().ok()?;
            total = total.checked_add(value.checked_mul(*seconds)?)?;
            number.clear();
        }
    }
    (number.is_empty() && !text.trim().is_empty()).then(|| Duration::from_secs(total))
}

/// The shortest text that [`parse_duration`] reads as this duration.
pub(crate) fn show_duration(time: Duration) -> String {
    let mut rest = time.as_secs();
    let mut text = String::new();
    for (unit, seconds) in UNITS {
        if rest >= seconds {
            let _ = write!(text, "{}{unit}", rest / seconds);
            rest %= seconds;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
