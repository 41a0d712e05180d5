//! The SHA-256 of every file, in the format of `sha256sum`.

use crate::digest::sha256;

/// The name of the file. A folder with it was written by this task.
pub(super) const FILE: &str = "SHA256SUMS";

/// The sums of files, sorted by name: `sha256sum --check SHA256SUMS` reads them.
pub(super) fn of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut lines: Vec<_> =
        files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect();
    lines.sort_by(|a, b| a[64..].cmp(&b[64..]));
    lines.concat().into_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn sums_are_sorted_by_name() {
        let file = |name: &str| (name.to_owned(), Vec::new());
        // The digest of nothing, from FIPS 180-4.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let sums = String::from_utf8(super::of(&[file("b"), file("a")])).unwrap();
        assert_eq!(sums, format!("{empty}  a\n{empty}  b\n"));
    }
}
