//! The forms in which a value stands in other texts: JSON, URLs, base64.

use crate::base64::base64;
use crate::url::{in_url, in_url_with};

/// The characters that `encodeURIComponent` and `encodeURI` of JavaScript do not encode.
const KEPT: [&str; 2] = ["!'()*", "!'()*;,/?:@&=+$#"];

/// The value and its other forms.
pub(super) fn forms(value: &str) -> Vec<String> {
    let json = in_json(value);
    // JSON may be a text in other JSON.
    let mut forms = vec![value.to_owned(), in_json(&json), json];
    forms.extend(urls(value));
    for start in 0..3 {
        let encoded = inner_base64(value, start);
        forms.extend([encoded.replace('+', "-").replace('/', "_"), in_url(&encoded), encoded]);
    }
    // The last characters and the padding depend on nothing else if nothing follows the value.
    forms.push(base64(value.as_bytes()));
    forms
}

/// The value in URLs. Programs encode different characters, write the digits of `%2F` in either case, and write a space
/// in a form as `+`.
fn urls(value: &str) -> Vec<String> {
    let mut urls = vec![in_url(value)];
    urls.extend(KEPT.map(|kept| in_url_with(value, kept)));
    let others: Vec<String> =
        urls.iter().flat_map(|url| [url.replace("%20", "+"), with_small_digits(url)]).collect();
    urls.extend(others);
    urls
}

/// The value as it stands in a JSON string.
fn in_json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
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

/// The base64 characters that the value alone decides, if so many bytes stand before it since the last group of three.
fn inner_base64(value: &str, start: usize) -> String {
    let mut bytes = vec![0; start];
    bytes.extend(value.as_bytes());
    let encoded = base64(&bytes);
    // A character stands for six bits.
    encoded[(start * 8).div_ceil(6)..bytes.len() * 8 / 6].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_base64_whatever_stands_around_it() {
        let value = "s3cr€t/+value";
        for before in 0..7 {
            for after in 0..4 {
                let text = format!("{}{value}{}", "u".repeat(before), ":".repeat(after));
                let inner = inner_base64(value, before % 3);
                assert!(base64(text.as_bytes()).contains(&inner), "{before} {after}");
                assert!(inner.len() >= value.len() * 8 / 6 - 1);
            }
        }
    }
}
