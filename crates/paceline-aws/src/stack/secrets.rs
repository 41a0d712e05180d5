//! Secret parameter values in client tokens.
//!
//! A client token is shown with every event of a stack, to everyone who may read them, and a short secret can be guessed
//! from its plain digest. So tokens hold an HMAC of secret values. Its key is kept next to the journals, since a run that
//! is resumed has to give the same tokens. If the key is lost, an operation of the interrupted run counts as
//! somebody else's: it is waited for, and the stack is then looked at again.

use std::io::{self, ErrorKind, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use hmac::{Hmac, KeyInit as _, Mac as _};
use paceline_engine::private;
use paceline_text::hex;
use sha2::Sha256;

/// The name of the file in the folder of the runs.
const FILE: &str = "token-key";
/// In bytes: as long as the digest, as RFC 2104 recommends.
const LENGTH: usize = 32;

/// Where the key comes from that client tokens digest secret parameter values with.
#[derive(Debug, Clone, Default)]
pub enum TokenKey {
    /// It ends with this process.
    #[default]
    Process,
    /// It is kept in this folder, next to the journals, so that the next process gives the same tokens.
    Kept(Utf8PathBuf),
    /// It is always the same: nobody else sees a simulated AWS, and the same seed is to give the same tokens.
    Simulated,
}

/// The key that secret values are digested with.
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
        // A kill must not leave a part of a key, and of two processes the first one's key counts.
        let mut new = tempfile::NamedTempFile::new_in(runs)?;
        new.write_all(&key)?;
        match new.persist_noclobber(&path) {
            Ok(_) => Ok(Self(key)),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => match read(&path)? {
                Some(key) => Ok(key),
                // Whatever it holds, it is no key.
                None => private::replace(path.as_std_path(), &key).map(|()| Self(key)),
            },
            Err(error) => Err(error.error),
        }
    }

    /// Stands for a value in a digest.
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
