//! Strings of which parts may only be known at deployment.

/// Marks a part of a [`Text`] that is only known at deployment.
pub const UNKNOWN: char = '\u{FFFC}';

/// The number of letters and digits of a name that must be known to tell it apart from others.
const LITERAL: usize = 3;

/// A string of a template, with its intrinsics resolved as far as possible.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(String);

impl Text {
    /// A string that is completely unknown.
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

    /// The string for people, with `…` for each unknown part.
    pub fn shown(&self) -> String {
        self.0.replace(UNKNOWN, "…")
    }

    /// The string with [`UNKNOWN`] for each unknown part, for further parsing.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether both may be the same string, judged by their known parts. The answer is no if they have too
    /// little in common.
    pub fn could_be(&self, other: &Self) -> bool {
        match (self.is_known(), other.is_known()) {
            (true, true) => self == other,
            (false, true) => self.fits(&other.0),
            (true, false) => other.fits(&self.0),
            // The same known parts in the same order.
            (false, false) => self.literal() >= LITERAL && self.0.split(UNKNOWN).eq(other.0.split(UNKNOWN)),
        }
    }

    /// The number of known letters and digits.
    fn literal(&self) -> usize {
        self.0.chars().filter(|c| c.is_alphanumeric()).count()
    }

    /// Whether this may be the known string `known`: the known parts appear in it in order, with at least one
    /// character for each unknown part.
    fn fits(&self, known: &str) -> bool {
        // Less than half of a name is too little evidence.
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

    /// Makes a text from a part of a [`raw`](Self::raw) string.
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
    fn a_name_fits_a_pattern_when_every_known_part_appears_in_order() {
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
    fn two_patterns_fit_when_their_known_parts_are_equal() {
        check("…-vpc", "…-vpc", true);
        check("…-vpc", "…-vpc-…", false);
    }

    #[test]
    fn a_text_that_is_hardly_known_fits_nothing() {
        check("…", "prod-vpc", false);
        check("…-a", "x-a", false);
        check("…-vpc", "us-east-1-vpc", false);
    }
}
