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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_means_something_in_a_url_is_encoded() {
        assert_eq!(in_url("a&b = c+d/é~"), "a%26b%20%3D%20c%2Bd%2F%C3%A9~");
        assert_eq!(path_in_url("a b/c#1"), "a%20b/c%231");
    }
}
