//! Strings of which a part may only be known at deployment.

/// Stands in a [`Text`] where a part is only known at deployment.
pub const UNKNOWN: char = '\u{FFFC}';

/// At least so many letters and digits of a name must be known for it to be told from others.
const LITERAL: usize = 3;

/// A string of a template with its intrinsics resolved, as far as they can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(String);

impl Text {
    /// A string of which nothing is known.
    pub fn unknown() -> Self {
        Self(UNKNOWN.to_string())
    }

    /// The whole string, if every part of it is known.
    pub fn known(self) -> Option<String> {
        self.is_known().then_some(self.0)
    }

    /// Whether every part of the string is known.
    pub fn is_known(&self) -> bool {
        !self.0.contains(UNKNOWN)
    }

    /// The string with `…` for each part that is not known, for people.
    pub fn shown(&self) -> String {
        self.0.replace(UNKNOWN, "…")
    }

    /// The string with a placeholder for each part that is not known, to be parsed further.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether the two may come to the same string, by what is known of both. Too little in common to say so
    /// is a no.
    pub fn could_be(&self, other: &Self) -> bool {
        match (self.is_known(), other.is_known()) {
            (true, true) => self == other,
            (false, true) => self.fits(&other.0),
            (true, false) => other.fits(&self.0),
            // The same known parts in the same order.
            (false, false) => self.literal() >= LITERAL && self.0.split(UNKNOWN).eq(other.0.split(UNKNOWN)),
        }
    }

    /// How many letters and digits of it are known.
    fn literal(&self) -> usize {
        self.0.chars().filter(|c| c.is_alphanumeric()).count()
    }

    /// Whether a known string may be what this comes to: its known parts are there, in order, with something
    /// in the place of each part that is not known.
    fn fits(&self, known: &str) -> bool {
        // Less than half of a name says too little.
        let enough = known.chars().filter(|c| c.is_alphanumeric()).count().div_ceil(2).max(LITERAL);
        if self.literal() < enough {
            return false;
        }
        let mut parts = self.0.split(UNKNOWN).peekable();
        let Some(mut rest) = parts.next().and_then(|first| known.strip_prefix(first)) else { return false };
        while let Some(part) = parts.next() {
            let mut something = rest.chars();
            if something.next().is_none() {
                return false;
            }
            let after = something.as_str();
            let found = match parts.peek() {
                Some(_) => after.split_once(part).map(|(_, found)| found),
                None => after.ends_with(part).then_some(""),
            };
            let Some(found) = found else { return false };
            rest = found;
        }
        true
    }

    /// The part of a parsed [`raw`](Self::raw) string as a text again.
    pub fn from_raw(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: bool) {
        let text = |pattern: &str| Text::from(pattern.replace('…', &UNKNOWN.to_string()));
        assert_eq!(text(a).could_be(&text(b)), expected, "{a} and {b}");
        assert_eq!(text(b).could_be(&text(a)), expected, "{b} and {a}");
    }

    #[test]
    fn a_name_fits_a_pattern_when_every_known_part_is_there_in_order() {
        check("network-…-vpc", "network-prod-vpc", true);
        check("network-…-vpc-…", "network-prod-vpc-1", true);
        check("network-…-vpc", "network-vpc", false);
        check("network-…-vpc", "network-prod-subnet", false);
        check("network-…", "network-", false);
        check("…-network", "-network", false);
        check("…éüö…", "aéüöb", true);
        check("éüö…", "éüö", false);
    }

    #[test]
    fn two_patterns_fit_when_they_know_the_same() {
        check("…-vpc", "…-vpc", true);
        check("…-vpc", "…-vpc-…", false);
    }

    #[test]
    fn what_is_hardly_known_fits_nothing() {
        check("…", "prod-vpc", false);
        check("…-a", "x-a", false);
        check("…-vpc", "us-east-1-vpc", false);
    }
}
