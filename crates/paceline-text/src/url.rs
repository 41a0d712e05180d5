//! Texts in URLs.

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// The text as a part of a URL: all but letters, digits and `-._~` is percent-encoded.
pub fn in_url(text: &str) -> String {
    in_url_with(text, "")
}

/// The path as a part of a URL. Its slashes stay.
pub fn path_in_url(path: &str) -> String {
    in_url_with(path, "/")
}

/// The text as a part of a URL, in which these characters stay, too.
pub(crate) fn in_url_with(text: &str, kept: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            let [high, low] = [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
            out.extend(['%', high, low]);
        }
    }
    out
}

/// Decodes percent encoding. Invalid encoding stays as it is.
pub fn percent_decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let decoded = hex.and_then(|hex| {
            let (high, low) = (char::from(hex[0]).to_digit(16)?, char::from(hex[1]).to_digit(16)?);
            u8::try_from(high * 16 + low).ok()
        });
        if let Some(decoded) = decoded {
            out.push(decoded);
            at += 3;
        } else {
            out.push(if plus_is_space && byte == b'+' { b' ' } else { byte });
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_means_something_in_a_url_is_encoded() {
        assert_eq!(in_url("a&b = c+d/é~"), "a%26b%20%3D%20c%2Bd%2F%C3%A9~");
        assert_eq!(path_in_url("a b/c#1"), "a%20b/c%231");
    }

    #[test]
    fn invalid_encoding_stays_as_it_is() {
        assert_eq!(percent_decode("a%2", true), "a%2");
        assert_eq!(percent_decode("%zz%41+%+1", false), "%zzA+%+1");
        assert_eq!(percent_decode("a+b", true), "a b");
    }
}
