//! `on-failure`: `ABORT`, `CONTINUE`, `RETRY`, `RETRY-<count>`, `RETRY-<regex>`, `RETRY-<count>-<regex>`.

use std::fmt;
use std::str::FromStr;

/// The reaction of CodeBuild to the failure of a phase. A retry runs the build again, so every command of the
/// build has to work twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnFailure {
    Abort,
    Continue,
    /// Without a count, three retries. Without a pattern, retries after every error.
    Retry {
        count: Option<u8>,
        pattern: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnFailureError {
    #[error("`{0}` is not ABORT, CONTINUE, RETRY, RETRY-count, RETRY-pattern or RETRY-count-pattern")]
    Form(String),
    #[error("`{0}` retries more than the 100 times that CodeBuild allows")]
    Count(String),
}

impl OnFailure {
    /// The accepted values, as far as a regular expression can describe them.
    pub(super) const PATTERN: &'static str =
        "^([Aa][Bb][Oo][Rr][Tt]|[Cc][Oo][Nn][Tt][Ii][Nn][Uu][Ee]|[Rr][Ee][Tt][Rr][Yy](-.+)?)$";
}

impl FromStr for OnFailure {
    type Err = OnFailureError;

    fn from_str(text: &str) -> Result<Self, OnFailureError> {
        let form = || OnFailureError::Form(text.to_owned());
        if text.eq_ignore_ascii_case("ABORT") {
            return Ok(Self::Abort);
        }
        if text.eq_ignore_ascii_case("CONTINUE") {
            return Ok(Self::Continue);
        }
        let (word, rest) = text.split_at_checked("RETRY".len()).ok_or_else(form)?;
        if !word.eq_ignore_ascii_case("RETRY") {
            return Err(form());
        }
        if rest.is_empty() {
            return Ok(Self::Retry { count: None, pattern: None });
        }
        let rest = rest.strip_prefix('-').filter(|rest| !rest.is_empty()).ok_or_else(form)?;
        // Digits up to the end or the next dash are a count. `RETRY-4xx` therefore has a pattern and no
        // count.
        let (first, pattern) = match rest.split_once('-') {
            Some((first, pattern)) => (first, Some(pattern)),
            None => (rest, None),
        };
        if first.is_empty() || !first.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self::Retry { count: None, pattern: Some(rest.to_owned()) });
        }
        let count = first.parse().ok().filter(|count| *count <= 100);
        let count = count.ok_or_else(|| OnFailureError::Count(text.to_owned()))?;
        match pattern {
            Some("") => Err(form()),
            pattern => Ok(Self::Retry { count: Some(count), pattern: pattern.map(str::to_owned) }),
        }
    }
}

impl fmt::Display for OnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abort => f.write_str("ABORT"),
            Self::Continue => f.write_str("CONTINUE"),
            Self::Retry { count, pattern } => {
                f.write_str("RETRY")?;
                if let Some(count) = count {
                    write!(f, "-{count}")?;
                }
                pattern.as_ref().map_or(Ok(()), |pattern| write!(f, "-{pattern}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_in_any_case_and_written_in_upper_case() {
        let retry =
            |count, pattern: Option<&str>| OnFailure::Retry { count, pattern: pattern.map(str::to_owned) };
        for (text, expected, written) in [
            ("abort", OnFailure::Abort, "ABORT"),
            ("Continue", OnFailure::Continue, "CONTINUE"),
            ("RETRY", retry(None, None), "RETRY"),
            ("Retry-4", retry(Some(4), None), "RETRY-4"),
            ("retry-100", retry(Some(100), None), "RETRY-100"),
            ("RETRY-invalid+", retry(None, Some("invalid+")), "RETRY-invalid+"),
            ("Retry-3-Thrott.*-ed", retry(Some(3), Some("Thrott.*-ed")), "RETRY-3-Thrott.*-ed"),
            ("RETRY-4xx", retry(None, Some("4xx")), "RETRY-4xx"),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
            assert_eq!(text.parse::<OnFailure>().unwrap().to_string(), written);
        }
        for text in ["", "STOP", "RETRYING", "RETRY-", "RETRY-101", "RETRY-3-", "ABORT-1", "rétry"] {
            assert!(text.parse::<OnFailure>().is_err(), "{text}");
        }
    }
}
