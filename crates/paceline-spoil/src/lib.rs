//! Spoils valid input, for tests of everything that reads files or answers. The same seed spoils it in the same way.

use std::fmt::Write as _;
use std::ops::Range;

/// Parts of hostile inputs: other types, other structures, names that are not what they say.
const PARTS: &[&str] = &[
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\\u001b[31m",
    "\u{202e}txt.exe\u{200b}",
    "\u{0}",
    "99999999999999999999999999999999999999",
    "-1",
    "1e999",
    "0.1e-999999999",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "[[[[",
    "{\"a\":{\"a\":",
    "- - - - ",
    "? : ",
    "&a [*a, *a]",
    "<<: *a",
    "!!binary x",
    "%YAML 9.9\n---\n",
    "---\n...\n---\n",
    "\t",
    "\r\n",
    "${",
    "$((",
    "$(",
    "`",
    "'",
    "\"",
    "<<EOF\n",
    "((((((",
    "{{resolve:ssm:",
    "Fn::Sub",
    "Ref",
    "AWS::NoValue",
    "é",
];

/// A seeded source of spoiled inputs.
#[derive(Debug)]
pub struct Spoiler(fastrand::Rng);

impl Spoiler {
    /// A spoiler whose changes all follow from the seed.
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// The input after a few changes. Most leave its structure recognisable, so that readers come far.
    pub fn spoil(&mut self, input: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..self.0.usize(1..=4) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let range = self.range(bytes);
        match self.0.u8(0..10) {
            0 => bytes[range].fill_with(|| self.0.u8(..)),
            1 => drop(bytes.drain(range)),
            2 => {
                let copy = bytes[range.clone()].to_vec();
                drop(bytes.splice(range.end..range.end, copy));
            }
            // A line twice: a key twice.
            3 => {
                let line = line(bytes, range.start);
                let copy = bytes[line.clone()].to_vec();
                drop(bytes.splice(line.end..line.end, copy));
            }
            4 => drop(bytes.drain(line(bytes, range.start))),
            5 => bytes.truncate(range.start),
            6 => {
                let value = self.value(bytes);
                drop(bytes.splice(value, self.part()));
            }
            7 => {
                let depth = self.0.usize(1..3000);
                let open = *self.0.choice(&["[", "{\"a\":", "(", "- ", "$("]).unwrap_or(&"[");
                drop(bytes.splice(range.start..range.start, open.repeat(depth).into_bytes()));
            }
            8 => {
                let at = value_start(bytes, range.start);
                drop(bytes.splice(at..at, self.part()));
            }
            _ => drop(bytes.splice(range.start..range.start, self.part())),
        }
    }

    fn part(&mut self) -> Vec<u8> {
        self.0.choice(PARTS).copied().unwrap_or_default().as_bytes().to_vec()
    }

    /// A short range of the input.
    fn range(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.0.usize(0..=bytes.len());
        let longest = (bytes.len() - start).min(40);
        start..start + self.0.usize(0..=longest)
    }

    /// A value: what stands between two separators.
    fn value(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = value_start(bytes, self.0.usize(0..=bytes.len()));
        let is_end = |byte: &u8| b",\n]}".contains(byte);
        let length = bytes[start..].iter().position(is_end).unwrap_or(bytes.len() - start);
        start..start + length
    }
}

fn line(bytes: &[u8], at: usize) -> Range<usize> {
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1);
    start..end
}

fn value_start(bytes: &[u8], from: usize) -> usize {
    let is_start = |byte: &u8| b":[,".contains(byte);
    bytes[from..].iter().position(is_start).map_or(bytes.len(), |at| from + at + 1)
}

/// YAML in which each alias stands for ten of the one before: ten to the power of `levels` values.
pub fn alias_bomb(levels: usize) -> String {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..levels {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        // Writing to a string does not fail.
        let _ = writeln!(text, "a{level}: &a{level} [{before}]");
    }
    text
}
