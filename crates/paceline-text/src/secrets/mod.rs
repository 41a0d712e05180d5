//! Keeps secrets out of everything that leaves the program: events, logs, reports, messages.
//!
//! There is one list of secret values for the whole process, because each of them may appear anywhere: AWS repeats
//! parameters in its errors, and commands print their environment. Whoever learns of a secret adds it with [`hide`] or
//! [`hide_named`], and every place where text leaves the program sends it through [`redacted`]. A text that comes line by
//! line goes through [`Lines`], and one that comes in pieces is cut at [`cut`].
//!
//! Three rules find secrets:
//!
//! 1. **Known values.** Each occurrence of a value on the list is replaced, also in JSON, in a URL and in base64. A value
//!    counts only if it has at least eight characters and is no common word of a deployment: a number, a region, an ARN, a
//!    switch. `test`, `admin` or `true` as a value would otherwise make every message unreadable, and hide nothing that
//!    cannot be guessed.
//! 2. **Lines of known values.** A private key may be printed line by line ([`lines`]).
//! 3. **Known forms.** What stands in a text as `user:secret@` in a URL, as the value of a secret parameter of a URL, or
//!    after a name like `API_TOKEN=`, is replaced although the value was never seen before ([`rules`]).

mod forms;
mod lines;
mod names;
mod rules;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

pub use self::lines::Lines;
pub use self::names::is_secret_name;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";
/// The fewest characters of a value that is replaced wherever it occurs.
const SHORTEST: usize = 8;
/// The greatest length in bytes of a secret that is recognised by what stands around it, and that [`cut`] keeps whole.
const LONGEST_UNKNOWN: usize = 512;
/// `base64` and OpenSSL write so many characters in a line.
const LINES_OF_BASE64: [usize; 2] = [76, 64];

static KNOWN: RwLock<Known> = RwLock::new(Known { values: Vec::new(), of_lines: Vec::new() });

/// The secrets of this process.
#[derive(Debug)]
struct Known {
    /// The values in all forms, the longest first.
    values: Vec<String>,
    /// The lines of values that have several.
    of_lines: Vec<Vec<String>>,
}

/// Hides a value from now on, in every text of this process. Also hides the lines of a value, such as those of a private
/// key, and the forms that the value has in JSON, in a URL and in base64.
pub fn hide(value: &str) {
    let value = value.trim();
    if !counts(value) {
        return;
    }
    let mut forms = forms::forms(value);
    let encoded = crate::base64::base64(value.as_bytes());
    let wrapped = LINES_OF_BASE64.map(|width| in_lines(&encoded, width));
    let of_lines: Vec<Vec<String>> =
        wrapped.iter().map(String::as_str).chain([value]).filter_map(lines::of).collect();
    forms.extend(of_lines.iter().flatten().filter(|line| line.chars().count() >= lines::LONG).cloned());
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for form in forms {
        if counts(&form) && !known.values.contains(&form) {
            known.values.push(form);
        }
    }
    for lines in of_lines {
        if !known.of_lines.contains(&lines) {
            known.of_lines.push(lines);
        }
    }
    known.values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
}

/// The text in lines of so many characters.
fn in_lines(text: &str, width: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(width).map(|line| line.iter().collect::<String>()).collect::<Vec<_>>().join("\n")
}

/// Hides the value of a variable if its name says that it is secret, or if it is a credential of AWS.
pub fn hide_named(name: &str, value: &str) {
    let is_credential = matches!(name, "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "AWS_SESSION_TOKEN");
    if is_credential || is_secret_name(name) && is_literal(value) {
        hide(value);
    }
}

/// The text without secrets.
pub fn redacted(text: &str) -> Cow<'_, str> {
    let mut found = known(text);
    found.extend(rules::all(text).into_iter().map(|found| found.secret));
    replaced(text, found)
}

/// The number of bytes at the start of an unfinished text that can be shown now, without cutting a secret in two. The rest
/// belongs before what follows. Zero if the text has to be longer first.
pub fn cut(text: &str) -> usize {
    let longest = KNOWN.read().unwrap_or_else(PoisonError::into_inner).values.first().map_or(0, String::len);
    let mut at = text.floor_char_boundary(text.len().saturating_sub(longest.max(LONGEST_UNKNOWN)));
    // A name and its value, or a URL, belong together.
    let is_between = |c: char| c.is_whitespace() || "\"'`<>,;".contains(c);
    if let Some((place, between)) = text[..at].char_indices().rfind(|(_, c)| is_between(*c)) {
        at = place + between.len_utf8();
    }
    let mut whole = known(text);
    whole.extend(rules::all(text).into_iter().map(|found| found.whole));
    whole.sort_by_key(|range| std::cmp::Reverse(range.end));
    for range in whole {
        if range.start < at && at < range.end {
            at = range.start;
        }
    }
    at
}

/// The places of known values in a text.
fn known(text: &str) -> Vec<Range<usize>> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut found = Vec::new();
    for value in &known.values {
        found.extend(text.match_indices(value.as_str()).map(|(start, value)| start..start + value.len()));
    }
    if !known.of_lines.is_empty() && text.contains('\n') {
        found.extend(lines::found(text, &known.of_lines));
    }
    found
}

/// The text with something else at these places. Places that overlap are one.
fn replaced(text: &str, mut places: Vec<Range<usize>>) -> Cow<'_, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    places.sort_by_key(|place| (place.start, place.end));
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut hidden) = (0, 0..0);
    for place in places {
        if place.start < hidden.end {
            hidden.end = hidden.end.max(place.end);
            copied = hidden.end;
            continue;
        }
        out.push_str(&text[copied..place.start]);
        out.push_str(HIDDEN);
        copied = place.end;
        hidden = place;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Whether a value is replaced wherever it occurs.
fn counts(value: &str) -> bool {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b':'));
    value.chars().count() >= SHORTEST
        && !is_number
        && !is_region(value)
        && !value.starts_with("arn:")
        && !value.starts_with("AWS::")
        && !matches!(value.to_ascii_lowercase().as_str(), "disabled" | "undefined" | "password" | "changeme")
}

/// Whether a value is the name of a region or of an availability zone, such as `ap-southeast-2` or `us-gov-west-1a`. Other
/// values of words and a digit may be passwords.
fn is_region(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let (area, direction, last) = match parts[..] {
        [area, direction, last] => (area, direction, last),
        [area, partition, direction, last] if partition == "gov" || partition.starts_with("iso") => {
            (area, direction, last)
        }
        _ => return false,
    };
    let is_side = |text: &str| matches!(text, "" | "east" | "west" | "central");
    let is_direction = is_side(direction)
        || ["north", "south"].iter().any(|start| direction.strip_prefix(start).is_some_and(is_side));
    let is_small = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = last.starts_with(|c: char| c.is_ascii_digit()) && last.len() <= 2 && is_small(&last[1..]);
    area.len() == 2 && is_small(area) && !direction.is_empty() && is_direction && is_number
}

/// Whether a value can be the secret itself: no reference, no path, no number, no variable, not hidden already.
fn is_literal(value: &str) -> bool {
    let value = value.trim();
    // A reference such as {{resolve:secretsmanager:TOKEN:SecretString:key}} names a secret.
    let reference = "SecretString";
    let starts = ["$", "{{", "<", "[", "/", "./", "arn:", "ssm:", "s3://", "file:", reference, HIDDEN];
    !starts.iter().any(|start| value.starts_with(start)) && counts(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list is that of the whole process, so each test has values of its own.
    #[test]
    fn a_hidden_value_is_replaced_wherever_and_however_it_stands() {
        hide("pla\"nt ed/8f31");
        for text in [
            "pla\"nt ed/8f31",
            r#"{"a":"pla\"nt ed/8f31"}"#,
            r#"{"a":"{\"b\":\"pla\\\"nt ed/8f31\"}"}"#,
            "https://h/?q=pla%22nt%20ed%2F8f31",
            "https://h/?q=pla%22nt%20ed%2f8f31",
            "q=pla%22nt+ed%2F8f31&r=1",
            "encodeURI keeps pla%22nt%20ed/8f31",
        ] {
            let text = redacted(text);
            assert!(text.contains("***") && !text.contains("8f31"), "{text}");
        }
        hide("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----");
        assert_eq!(redacted("line MIIEvQIBADANBgkqhkiG9w0B"), "line ***");
    }

    #[test]
    fn a_hidden_value_is_replaced_in_base64() {
        hide("hunter-0815/€~~~");
        for (encoded, expected) in [
            // By itself, in a login, with a line end, with the alphabet of URLs, and in a URL. The last character of the
            // latter two has bits of what follows, too.
            ("aHVudGVyLTA4MTUv4oKsfn5+", "***"),
            ("cm9ib3Q6aHVudGVyLTA4MTUv4oKsfn5+", "cm9ib3Q6***"),
            ("aHVudGVyLTA4MTUv4oKsfn5+Cg==", "***Cg=="),
            ("dXNlcjpodW50ZXItMDgxNS_igqx-fn4", "dXNlcjp***4"),
            ("?q=dXNlcjpodW50ZXItMDgxNS%2Figqx%2Bfn4", "?q=dXNlcjp***4"),
        ] {
            assert_eq!(redacted(encoded), expected);
        }
    }

    /// `base64` breaks its lines.
    #[test]
    fn a_long_value_is_replaced_in_each_line_of_its_base64_encoding() {
        let value = (0..70).map(|n| n.to_string()).collect::<Vec<_>>().join(".x");
        hide(&value);
        let encoded = crate::base64::base64(value.as_bytes());
        for width in LINES_OF_BASE64 {
            let lines = in_lines(&encoded, width);
            assert!(lines.lines().count() > 3);
            assert!(redacted(&lines).lines().all(|line| line == HIDDEN), "{}", redacted(&lines));
        }
    }

    #[test]
    fn a_text_in_pieces_is_cut_at_no_secret() {
        hide("cut-me-not-0815");
        let check = |text: &str| {
            let at = cut(text);
            assert!(at > 0 && text.len() - at < 3 * LONGEST_UNKNOWN, "{at} of {}", text.len());
            (redacted(&text[..at]).into_owned(), redacted(&text[at..]).into_owned())
        };
        for secret in
            ["cut-me-not-0815", "https://u:s3cr3tpart@h/", "?sig=s3cr3tpart", "A_TOKEN=\"s3cr3tpart\""]
        {
            for filler in ["x".repeat(700), "x ".repeat(350), "\"é\",".repeat(200)] {
                // The secret begins, ends or is cut off at every place around the cut.
                for more in (0..LONGEST_UNKNOWN + 60).step_by(3) {
                    let more = "y ".repeat(more).chars().take(more).collect::<String>();
                    let (shown, rest) = check(&format!("{filler} {secret} {more}"));
                    let all = shown + &rest;
                    assert!(!all.contains("s3cr3t") && !all.contains("me-not"), "{all}");
                }
                for part in (0..secret.len()).map(|end| &secret[..end]) {
                    let text = format!("{filler} {part}");
                    let rest = &text[cut(&text)..];
                    assert!(rest.ends_with(part), "{part}: {rest}");
                }
            }
        }
    }

    #[test]
    fn values_that_overlap_are_one() {
        hide("first-half-middle");
        hide("middle-second-half");
        assert_eq!(redacted("<first-half-middle-second-half>"), "<***>");
    }

    #[test]
    fn short_and_common_values_stay_readable() {
        for value in [
            "1",
            "true",
            "test",
            "eu-west-1",
            "us-gov-west-1a",
            "111111111111",
            "arn:aws:iam::1:role/x",
            "1.2.3.4.5",
        ] {
            hide(value);
            hide_named("API_TOKEN", value);
            let text = format!("the value {value} is shown");
            assert_eq!(redacted(&text), text);
        }
    }

    #[test]
    fn words_with_a_digit_are_hidden_unless_they_are_a_region() {
        for value in ["correct-horse-1", "us-abc-east-1", "ab-north-pole-7", "eu-west-12", "eu-west-1ä"] {
            assert!(counts(value), "{value}");
        }
        for value in ["eu-west-1", "ap-southeast-2b", "us-gov-west-1", "us-isob-east-1", "il-central-1"] {
            assert!(!counts(value), "{value}");
        }
    }

    /// A search that begins again at each place would take minutes for this text.
    #[test]
    fn a_long_line_is_searched_once() {
        let parts = ["://", "://a:", "?", "&a", "TOKEN", "TOKEN= ", "A_TOKEN\"", "%", "é"];
        for part in parts {
            let text = part.repeat(200_000);
            assert_eq!(redacted(&text), text);
        }
    }

    #[test]
    fn the_longest_value_is_replaced_first() {
        hide("nested-value");
        hide("nested-value-and-more");
        assert_eq!(redacted("nested-value-and-more, nested-value"), "***, ***");
    }

    #[test]
    fn logins_and_tokens_in_urls_are_replaced() {
        for (text, expected) in [
            ("clone https://u:s3cr3t@host/x.git", "clone https://u:***@host/x.git"),
            ("clone https://ghp_abc@host/x.git.", "clone https://***@host/x.git."),
            ("ssh://git@host/x", "ssh://git@host/x"),
            ("https://h/a?X-Amz-Signature=ab12&x=1", "https://h/a?X-Amz-Signature=***&x=1"),
            ("see https://h/a?access_token=ab12, then", "see https://h/a?access_token=*** then"),
            ("mail me@host or https://h/@scope/x", "mail me@host or https://h/@scope/x"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn values_after_a_name_of_a_secret_are_replaced() {
        for (text, expected) in [
            ("export GITHUB_TOKEN=abcdefgh1 && x", "export GITHUB_TOKEN=*** && x"),
            (r#"{"AWS_SECRET_ACCESS_KEY": "abcd/efgh+1"}"#, r#"{"AWS_SECRET_ACCESS_KEY": "***"}"#),
            ("DB_SECRET_ARN=arn:aws:secretsmanager:x", "DB_SECRET_ARN=arn:aws:secretsmanager:x"),
            ("API_TOKEN: /shop/token", "API_TOKEN: /shop/token"),
            ("TOKEN=$OTHER_TOKEN and TOKEN", "TOKEN=$OTHER_TOKEN and TOKEN"),
            ("{{resolve:secretsmanager:Shop:SecretString}}", "{{resolve:secretsmanager:Shop:SecretString}}"),
            (
                "{{resolve:secretsmanager:DB_PASSWORD:SecretString:password::}}",
                "{{resolve:secretsmanager:DB_PASSWORD:SecretString:password::}}",
            ),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn texts_with_letters_of_several_bytes_are_whole() {
        for text in ["ÄÖ://é@ü?ß=é&SECRET_TOKEN=ééééééééé", "://", "?", "://@", "TOKEN=", "é://é:é@é"]
        {
            assert!(std::str::from_utf8(redacted(text).as_bytes()).is_ok());
        }
    }
}
