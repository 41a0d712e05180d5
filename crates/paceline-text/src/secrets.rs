//! Keeps secrets out of everything that leaves the program: events, logs, reports, messages.
//!
//! There is one list of secret values for the whole process, because each of them may appear anywhere: AWS repeats
//! parameters in its errors, and commands print their environment. Whoever learns of a secret adds it with [`hide`] or
//! [`hide_named`], and every place where text leaves the program sends it through [`redacted`].
//!
//! Two rules find secrets:
//!
//! 1. **Known values.** Each occurrence of a value on the list is replaced. A value counts only if it has at least eight
//!    characters and is no common word of a deployment: a number, a region, an ARN, a switch. `test`, `admin` or `true` as
//!    a value would otherwise make every message unreadable, and hide nothing that cannot be guessed.
//! 2. **Known forms.** What stands in a text as `user:secret@` in a URL, as the value of a secret parameter of a URL, or
//!    after a name like `API_TOKEN=`, is replaced although the value was never seen before.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::{PoisonError, RwLock};

/// What stands in the place of a secret.
const HIDDEN: &str = "***";
/// The fewest characters of a value that is replaced wherever it occurs.
const SHORTEST: usize = 8;
/// Ends of names whose values refer to a secret or describe it.
const ABOUT: &[&str] = &[
    "_ARN",
    "_NAME",
    "_ID",
    "_PATH",
    "_FILE",
    "_URL",
    "_URI",
    "_PARAM",
    "_PARAMETER",
    "_REGION",
    "_TTL",
    "_LENGTH",
    "_VERSION",
    "_BUCKET",
    "_ENDPOINT",
    "_HOST",
    "_USER",
    "_USERNAME",
    "_PREFIX",
    "_ALIAS",
    "_ENABLED",
    "_EXPIRY",
    "_TYPE",
    "_KMS_KEY",
    "_DIR",
    "_POLICY",
    "_ISSUER",
    "_AUDIENCE",
    "_COUNT",
    "_LIMIT",
    "_BUDGET",
];

/// The secret values of this process, the longest first: a value may contain another one.
static VALUES: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Whether the name of a variable suggests that its value is secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    if ABOUT.iter().any(|end| name.ends_with(end)) || name.starts_with("PUBLIC_") {
        return false;
    }
    let words: Vec<&str> = name.split('_').collect();
    let has = |word: &str| words.contains(&word);
    let pair = |one: &str, other: &str| words.windows(2).any(|pair| pair == [one, other]);
    ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "PWD", "APIKEY", "CREDENTIALS"]
        .into_iter()
        .any(has)
        && name != "PWD"
        && name != "OLDPWD"
        || pair("API", "KEY")
        || pair("ACCESS", "KEY")
        || pair("PRIVATE", "KEY")
        || pair("SIGNING", "KEY")
        || pair("ENCRYPTION", "KEY")
}

/// Hides a value from now on, in every text of this process. Also hides the lines of a longer value, such as those of a
/// private key, and the forms that the value has in JSON and in a URL.
pub fn hide(value: &str) {
    let value = value.trim();
    let (json, url) = (in_json(value), in_url(value));
    // JSON may be a text in other JSON. Programs write the digits of `%2F` in either case, and a space in a form as `+`.
    let forms_of_url = [url.replace("%20", "+"), with_small_digits(&url)];
    let mut forms = vec![value.to_owned(), in_json(&json), json, url];
    forms.extend(forms_of_url);
    // Base64 and hexadecimal lines of keys are long. Short lines are words like `{` or `-----END`.
    let lines =
        value.lines().map(str::trim).filter(|line| value.contains('\n') && line.len() >= 2 * SHORTEST);
    forms.extend(lines.map(str::to_owned));
    let mut values = VALUES.write().unwrap_or_else(PoisonError::into_inner);
    for form in forms {
        if counts(&form) && !values.contains(&form) {
            values.push(form);
        }
    }
    values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
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
    let values = VALUES.read().unwrap_or_else(PoisonError::into_inner);
    let mut text = Cow::Borrowed(text);
    for value in values.iter() {
        if text.contains(value.as_str()) {
            text = Cow::Owned(text.replace(value.as_str(), HIDDEN));
        }
    }
    drop(values);
    for find in [login, in_query, assigned] {
        if let Some(without) = without(&text, find) {
            text = Cow::Owned(without);
        }
    }
    text
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

/// A place in a text that holds a secret, and where the search goes on.
struct Found {
    secret: Option<std::ops::Range<usize>>,
    next: usize,
}

/// The text without what a search finds. `None` if it finds nothing.
fn without(text: &str, find: fn(&str, usize) -> Option<Found>) -> Option<String> {
    let (mut out, mut at, mut copied) = (String::new(), 0, 0);
    while let Some(Found { secret, next }) = find(text, at) {
        if let Some(secret) = secret {
            out.push_str(&text[copied..secret.start]);
            out.push_str(HIDDEN);
            copied = secret.end;
        }
        at = next;
    }
    (copied > 0).then(|| out + &text[copied..])
}

/// The login of a URL: `https://user:secret@host`, `https://token@host`.
fn login(text: &str, from: usize) -> Option<Found> {
    let start = from + text.get(from..)?.find("://")? + 3;
    let rest = &text[start..];
    let end = rest.find(|c: char| c.is_whitespace() || "/?#\"'`<>\\".contains(c)).unwrap_or(rest.len());
    let login = rest[..end].rfind('@');
    Some(match login.map(|at| &rest[..at]) {
        // The name of a user is no secret, but a token may stand alone.
        Some(login) => {
            let secret = login.find(':').map_or(0, |colon| colon + 1);
            let is_user = secret == 0 && matches!(login, "git" | "ssh" | "user" | "AWS");
            let range = start + secret..start + login.len();
            let secret = (!is_user && !range.is_empty() && text[range.clone()] != *HIDDEN).then_some(range);
            Found { secret, next: start + end }
        }
        None => Found { secret: None, next: start },
    })
}

/// The value of a secret parameter in a URL: `?X-Amz-Signature=…`, `&access_token=…`.
fn in_query(text: &str, from: usize) -> Option<Found> {
    let start = from + text.get(from..)?.find(['?', '&'])? + 1;
    let rest = &text[start..];
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
    let name = rest[..end].to_ascii_lowercase();
    let is_secret = is_secret_name(&name)
        || ["x-amz-signature", "x-amz-security-token", "x-amz-credential", "signature", "sig", "code"]
            .contains(&name.as_str());
    if !is_secret || !rest[end..].starts_with('=') {
        return Some(Found { secret: None, next: start });
    }
    let value = start + end + 1;
    let is_end = |c: char| c.is_whitespace() || "&#\"'`<>)\\".contains(c);
    let length = text[value..].find(is_end).unwrap_or(text.len() - value);
    let range = value..value + length;
    let secret = (length > 0 && text[range.clone()] != *HIDDEN).then_some(range);
    Some(Found { secret, next: value + length })
}

/// The value after a name in capitals that says it is secret: `API_TOKEN=…`, `"AWS_SECRET_ACCESS_KEY": "…"`.
fn assigned(text: &str, from: usize) -> Option<Found> {
    let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let start = from + text.get(from..)?.find(|c: char| c.is_ascii_uppercase())?;
    let length = text[start..].find(|c: char| !is_upper(c)).unwrap_or(text.len() - start);
    let end = start + length;
    let nothing = Some(Found { secret: None, next: end });
    if !is_secret_name(&text[start..end]) {
        return nothing;
    }
    let rest = text[end..].trim_start_matches(['"', '\'', '\\', ' ']);
    let Some(rest) = rest.strip_prefix(['=', ':']) else { return nothing };
    let rest = rest.trim_start_matches(['"', '\'', '\\', ' ']);
    let value = text.len() - rest.len();
    let is_end = |c: char| c.is_whitespace() || "\"'`,;)}\\".contains(c);
    let length = rest.find(is_end).unwrap_or(rest.len());
    let secret = is_literal(&rest[..length]).then_some(value..value + length);
    Some(Found { secret, next: value + length })
}

/// The value as it stands in a JSON string.
fn in_json(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out
}

/// The value as it stands in a URL.
fn in_url(value: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A text in the form of a URL, with small hexadecimal digits.
fn with_small_digits(url: &str) -> String {
    let (mut out, mut digits) = (String::with_capacity(url.len()), 0_u8);
    for c in url.chars() {
        out.push(if digits > 0 { c.to_ascii_lowercase() } else { c });
        digits = if c == '%' { 2 } else { digits.saturating_sub(1) };
    }
    out
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
        ] {
            let text = redacted(text);
            assert!(text.contains("***") && !text.contains("8f31"), "{text}");
        }
        hide("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----");
        assert_eq!(redacted("line MIIEvQIBADANBgkqhkiG9w0B"), "line ***");
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
