//! Secret parameter values in client tokens.
//!
//! Every event of a stack shows the client token to everyone who may read events, and a short secret can be
//! guessed from its plain digest. So tokens contain an HMAC of secret values. Its key is stored next to the
//! journals, because a resumed run must give the same tokens. If the key is lost, an operation of the
//! interrupted run counts as somebody else's. The run waits for it, and then reads the stack again.

use std::io::{self, ErrorKind, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use hmac::{Hmac, KeyInit as _, Mac as _};
use paceline_engine::private;
use paceline_text::hex;
use sha2::Sha256;

/// The name of the file in the folder of the runs.
const FILE: &str = "token-key";
/// The length in bytes: that of the digest, as RFC 2104 recommends.
const LENGTH: usize = 32;

/// The source of the key for secret parameter values in client tokens.
#[derive(Debug, Clone, Default)]
pub enum TokenKey {
    /// A random key that ends with this process.
    #[default]
    Process,
    /// A key in a file of this folder, next to the journals, so that the next process gives the same tokens.
    Kept(Utf8PathBuf),
    /// A constant key. Nobody else sees a simulated AWS, and the same seed must give the same tokens.
    Simulated,
}

/// The key for the HMAC of secret values.
#[derive(Clone)]
pub(crate) struct SecretKey([u8; LENGTH]);

impl SecretKey {
    pub(crate) fn new(key: &TokenKey) -> io::Result<Self> {
        match key {
            TokenKey::Process => Self::random(),
            TokenKey::Kept(runs) => Self::kept_in(runs),
            TokenKey::Simulated => Ok(Self([0; LENGTH])),
        }
    }

    fn random() -> io::Result<Self> {
        let mut key = [0; LENGTH];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self(key))
    }

    fn kept_in(runs: &Utf8Path) -> io::Result<Self> {
        let path = runs.join(FILE);
        if let Some(key) = read(&path)? {
            return Ok(key);
        }
        private::create_dir(runs.as_std_path())?;
        let Self(key) = Self::random()?;
        // A kill must not leave a part of a key. If two processes write a key, the first one counts.
        let mut new = tempfile::NamedTempFile::new_in(runs)?;
        new.write_all(&key)?;
        match new.persist_noclobber(&path) {
            Ok(_) => Ok(Self(key)),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => match read(&path)? {
                Some(key) => Ok(key),
                // The file does not contain a key.
                None => private::replace(path.as_std_path(), &key).map(|()| Self(key)),
            },
            Err(error) => Err(error.error),
        }
    }

    /// The HMAC of a value, which replaces the value in a digest.
    pub(super) fn digest(&self, value: &str) -> String {
        // A key may have any length.
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map(|mac| mac.chain_update(value).finalize());
        mac.map(|mac| hex(&mac.into_bytes())).unwrap_or_default()
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey")
    }
}

fn read(path: &Utf8Path) -> io::Result<Option<SecretKey>> {
    match fs_err::read(path) {
        Ok(bytes) => Ok(bytes.try_into().ok().map(SecretKey)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_gives_the_same_digests_and_another_key_others() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Utf8Path::from_path(folder.path()).unwrap().join("runs");
        let first = SecretKey::kept_in(&runs).unwrap().digest("hunter2");
        assert_eq!(SecretKey::kept_in(&runs).unwrap().digest("hunter2"), first);
        assert_ne!(SecretKey::kept_in(&runs).unwrap().digest("hunter3"), first);
        assert_ne!(SecretKey::random().unwrap().digest("hunter2"), first);
    }

    #[test]
    fn a_damaged_key_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::write(runs.join(FILE), "short").unwrap();
        let first = SecretKey::kept_in(runs).unwrap().digest("hunter2");
        assert_eq!(SecretKey::kept_in(runs).unwrap().digest("hunter2"), first);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let runs = Utf8Path::from_path(folder.path()).unwrap();
        SecretKey::kept_in(runs).unwrap();
        assert_eq!(runs.join(FILE).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
