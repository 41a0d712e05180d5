//! Randomness that a seed repeats.
//!
//! There are two kinds, kept apart. Faults draw from one stream, so their draws depend on the order of
//! requests. Everything else (physical ids, lags, jitter) draws by key, so that a resource gets the same id
//! and the same duration however the stacks of a run interleave.

/// The splitmix64 generator: small, fast, and good enough for faults and names.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator that depends only on the seed and these words.
    pub(crate) fn keyed(seed: u64, words: &[&str]) -> Self {
        // FNV-1a, with a separator so that ["ab", "c"] and ["a", "bc"] differ.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for word in words {
            for byte in word.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Self(hash)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 (included) to 1 (excluded).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability. A certain outcome draws nothing, so that turning one fault off does not
    /// change the draws of the others.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && (probability >= 1.0 || self.unit() < probability)
    }

    /// A number below `bound`, which must not be 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or(0)
    }

    /// Random characters of an alphabet.
    pub(crate) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    pub(crate) fn upper(&mut self, length: usize) -> String {
        self.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", length)
    }

    pub(crate) fn mixed(&mut self, length: usize) -> String {
        self.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", length)
    }

    pub(crate) fn hex(&mut self, length: usize) -> String {
        self.text(b"0123456789abcdef", length)
    }

    pub(crate) fn uuid(&mut self) -> String {
        format!("{}-{}-4{}-a{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_always_gives_the_same_draws() {
        let draw = |seed, words: &[&str]| Random::keyed(seed, words).uuid();
        assert_eq!(draw(1, &["a", "b"]), draw(1, &["a", "b"]));
        assert_ne!(draw(1, &["a", "b"]), draw(2, &["a", "b"]));
        assert_ne!(draw(1, &["ab", "c"]), draw(1, &["a", "bc"]));
    }

    #[test]
    fn certain_outcomes_draw_nothing() {
        let mut random = Random::new(7);
        let before = random.clone().next();
        assert!(!random.chance(0.0));
        assert!(random.chance(1.0));
        assert_eq!(random.next(), before);
    }
}
