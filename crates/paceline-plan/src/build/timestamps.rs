//! Times of synthesis in templates: they differ on every synthesis, so a stack that has one is never unchanged.

use std::borrow::Cow;

/// Milliseconds since 1970 that a synthesis may state: from 2014 to 2049.
const MILLISECONDS: std::ops::Range<u64> = 1_388_534_400_000..2_500_000_000_000;
/// Digits of such a number.
const DIGITS: usize = 13;
/// The form of `Date.toISOString()`, with `0` for a digit; the milliseconds may be left out.
const ISO: &str = "0000-00-00T00:00:00";
/// Stands for a time.
const TIME: &str = "(time)";

/// Whether the text holds a time of synthesis, as `Date.now()` or `toISOString()` give it.
pub fn has_time(text: &str) -> bool {
    find(text).is_some()
}

/// The text with the same word for every time, so that two texts can be compared without them.
pub fn without_times(text: &str) -> Cow<'_, str> {
    let Some(mut at) = find(text) else { return Cow::Borrowed(text) };
    let (mut out, mut rest) = (String::new(), text);
    loop {
        out.push_str(&rest[..at.start]);
        out.push_str(TIME);
        rest = &rest[at.end..];
        match find(rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn find(text: &str) -> Option<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == DIGITS && text[at..at + DIGITS].parse().is_ok_and(|time| MILLISECONDS.contains(&time)) {
            return Some(at..at + DIGITS);
        }
        if let Some(length) = iso(&bytes[at..]) {
            return Some(at..at + length);
        }
        at += digits;
    }
    None
}

/// The length of the time that the bytes begin with.
fn iso(bytes: &[u8]) -> Option<usize> {
    let form = ISO.as_bytes();
    let is_it = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    if bytes.len() <= form.len() || !bytes.iter().zip(form).all(is_it) {
        return None;
    }
    let fraction = match bytes[form.len()] {
        b'.' => 1 + bytes[form.len() + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let end = form.len() + fraction;
    (bytes.get(end) == Some(&b'Z')).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(without_times(text), expected);
        assert_eq!(has_time(text), text != expected);
    }

    #[test]
    fn milliseconds_and_iso_times_are_times() {
        check(r#"{"id":"1795401174659"}"#, r#"{"id":"(time)"}"#);
        check("a 1795401174659, 1795401174660", "a (time), (time)");
        check("2026-11-23T10:32:54.659Z", "(time)");
        check("at 2026-11-23T10:32:54Z.", "at (time).");
        check("é1795401174659é", "é(time)é");
    }

    #[test]
    fn other_numbers_and_dates_are_none() {
        for text in [
            "",
            "2012-10-17",
            "111111111111",
            "17954011746590",
            "0000000000001",
            "2026-11-23T10:32:54",
            "2026-11-23T10:32:54.",
            "2026-11-23T1",
            "arn:aws:iam::111111111111:role/x",
        ] {
            check(text, text);
        }
    }
}
