//! Digests of templates.

use std::fmt;
use std::io;

use paceline_text::hex;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The SHA-256 of a value's canonical JSON, in hexadecimal.
pub(crate) fn of_value(value: &Value) -> String {
    let mut hash = Hash(Sha256::new());
    write_canonical(value, &mut hash);
    hex(&hash.0.finalize())
}

/// The SHA-256 of a text, in hexadecimal.
pub(crate) fn of_text(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Keys are sorted here, because the order of the map is not reliable: another crate in a build can turn on
/// `serde_json/preserve_order`, and digests must not change because of it.
fn write_canonical(value: &Value, out: &mut Hash) {
    match value {
        Value::Array(items) => {
            out.0.update(b"[");
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.0.update(b",");
                }
                write_canonical(item, out);
            }
            out.0.update(b"]");
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            out.0.update(b"{");
            for (at, (key, field)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.0.update(b",");
                }
                write_scalar(key, out);
                out.0.update(b":");
                write_canonical(field, out);
            }
            out.0.update(b"}");
        }
        scalar => write_scalar(scalar, out),
    }
}

fn write_scalar(scalar: &(impl Serialize + ?Sized), out: &mut Hash) {
    let written = serde_json::to_writer(out, scalar);
    debug_assert!(written.is_ok(), "hashing a scalar cannot fail");
}

struct Hash(Sha256);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash")
    }
}
