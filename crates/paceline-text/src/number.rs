//! Counts and durations in words.

use std::time::Duration;

/// `1 stack`, `2 stacks`, `0 stacks`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {}", plural(noun)) }
}

/// The plural of a noun, by the regular rules and that of `synthesis`.
pub fn plural(noun: &str) -> String {
    let ends_in = |ends: &[&str]| ends.iter().any(|end| noun.ends_with(end));
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if ends_in(&["sis"]) => format!("{}es", noun.trim_end_matches("is")),
        _ if ends_in(&["s", "x", "ch", "sh"]) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// A duration in words: `3.2 s`, `14 s`, `2 min 37 s`, `1 h 2 min`.
///
/// Two units at the most: nobody needs the seconds of an hour. Tenths are shown where they matter, below ten seconds.
pub fn duration(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    if tenths < 100 && !tenths.is_multiple_of(10) {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = (duration.as_millis() + 500) / 1000;
    if seconds < 3600 {
        return match (seconds / 60, seconds % 60) {
            (0, seconds) => format!("{seconds} s"),
            (minutes, 0) => format!("{minutes} min"),
            (minutes, seconds) => format!("{minutes} min {seconds} s"),
        };
    }
    let minutes = (seconds + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Seconds rounded to the millisecond, for a document or a metric.
pub fn to_the_millisecond(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words() {
        for (ms, expected) in [
            (0, "0 s"),
            (49, "0 s"),
            (400, "0.4 s"),
            (3_000, "3 s"),
            (3_240, "3.2 s"),
            (9_960, "10 s"),
            (59_000, "59 s"),
            (59_600, "1 min"),
            (125_000, "2 min 5 s"),
            (750_000, "12 min 30 s"),
            (3_599_600, "1 h"),
            (3_725_000, "1 h 2 min"),
            (3_755_000, "1 h 3 min"),
            (7_199_000, "2 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(ms)), expected, "{ms} ms");
        }
    }

    #[test]
    fn seconds_are_rounded_to_the_millisecond() {
        let rounded = [1.234_4, 1.234_6, 7.0].map(|it| to_the_millisecond(it).to_string());
        assert_eq!(rounded, ["1.234", "1.235", "7"]);
    }

    #[test]
    fn a_count_has_the_plural_of_its_noun() {
        assert_eq!(
            [count(0, "stack"), count(1, "stack"), count(2, "stack")],
            ["0 stacks", "1 stack", "2 stacks"]
        );
        for (noun, expected) in [
            ("gateway", "gateways"),
            ("repository", "repositories"),
            ("synthesis", "syntheses"),
            ("alias", "aliases"),
            ("branch", "branches"),
        ] {
            assert_eq!(plural(noun), expected);
        }
    }
}
