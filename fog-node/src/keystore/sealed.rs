//! The node's keys as one sealed file, `DATA/keys/sealed.json`, in the place of one file each.
//!
//! ```text
//! sealed      = XChaCha20-Poly1305(opening key, node ‖ validator ‖ admin ‖ vault, aad = "keys/" ‖ postcard(opened_by))
//! opening key = 32 random bytes in the system's keyring        service "fogward", user = the entry's name
//!             | Argon2id(passphrase, salt, cost)                RFC 9106
//! ```
//!
//! The file is durable, and was opened once, before the key files go; while it is there, it is what counts, so that a
//! crash between leaves the keys in both forms and loses none. A node that starts by itself reads the passphrase from
//! the file that [`VARIABLE`] names, such as a credential of the service manager. Left out: backups, which hold the keys
//! as they are under a passphrase of their own, so that they open on another machine.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use ledger_core::canonical;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KEYS, random, write_private};
use crate::cli::first_line;
use crate::stretch::Cost;
use crate::vault::seal::MasterKey;

/// Name of the file in the folder of the keys.
pub const SEALED_FILE: &str = "sealed.json";
/// The variable that names the file whose first line is the passphrase.
pub const VARIABLE: &str = "FOGWARD_KEYS_PASSPHRASE_FILE";
/// Under which name the system's keyring has this program's secrets.
const SERVICE: &str = "fogward";
const VERSION: u32 = 1;
/// Longest sealed file, in bytes.
const MAX_BYTES: u64 = 4096;

/// How long the keyring may ask its user.
const PATIENCE: Duration = Duration::from_secs(120);

/// The bytes of all keys, in the order of [`KEYS`].
pub(super) type Keys = [Zeroizing<[u8; 32]>; KEYS.len()];

/// What opens sealed keys.
#[derive(Clone, Copy, Debug)]
pub enum SealWith<'a> {
    /// A secret in the keyring of the system's user.
    Keyring,
    /// A passphrase.
    Passphrase(&'a str),
}

/// What opens the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum OpenedBy {
    /// The entry's name.
    Keyring { entry: String },
    /// How the passphrase is stretched; the salt in hex.
    Passphrase { cost: Cost, salt: String },
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    version: u32,
    opened_by: OpenedBy,
    /// In hex.
    sealed: String,
}

impl OpenedBy {
    fn purpose(&self) -> Vec<u8> {
        [b"keys/".as_slice(), &canonical::encode(self)].concat()
    }

    /// The opening key; a passphrase is asked for only where one opens.
    fn opening_key(
        &self,
        passphrase: impl FnOnce() -> anyhow::Result<Zeroizing<String>>,
    ) -> anyhow::Result<MasterKey> {
        match self {
            Self::Keyring { entry } => kept(entry),
            Self::Passphrase { cost, salt } => {
                ensure!(
                    cost.is_bounded(),
                    "opening them would take more than any passphrase does"
                );
                let salt = hex::decode(salt).context("their salt is not of the expected form")?;
                let key = cost.stretch(&passphrase()?, &salt);
                let key = key.map_err(|error| anyhow::anyhow!("no key can be made: {error}"))?;
                Ok(MasterKey::new(*key))
            }
        }
    }
}

impl Sealed {
    /// The sealed file in a folder, if there is one.
    pub(super) fn read(dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = dir.join(SEALED_FILE);
        let file = match fs::File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes)?;
        let sealed: Self = serde_json::from_slice(&bytes)
            .ok()
            .filter(|sealed: &Self| sealed.version == VERSION)
            .with_context(|| format!("{} does not hold sealed keys", path.display()))?;
        Ok(Some(sealed))
    }

    /// Opens it, with the system's keyring or the passphrase of the service.
    pub(super) fn open(&self) -> anyhow::Result<Keys> {
        self.open_with(passphrase_of_service)
    }

    fn open_with(
        &self,
        passphrase: impl FnOnce() -> anyhow::Result<Zeroizing<String>>,
    ) -> anyhow::Result<Keys> {
        let key = self.opened_by.opening_key(passphrase)?;
        let sealed = hex::decode(&self.sealed).unwrap_or_default();
        let Ok(content) = key.open(&self.opened_by.purpose(), &sealed) else {
            bail!(match self.opened_by {
                OpenedBy::Passphrase { .. } =>
                    "the passphrase of the node's keys is another, or their file was altered",
                OpenedBy::Keyring { .. } =>
                    "the keyring's secret does not open the node's keys; one of them was altered",
            });
        };
        let mut keys = Keys::default();
        ensure!(
            content.len() == 32 * keys.len(),
            "the sealed keys are not of the expected form"
        );
        for (key, part) in keys.iter_mut().zip(content.chunks_exact(32)) {
            key.copy_from_slice(part);
        }
        Ok(keys)
    }

    /// Seals keys and writes the file; it has been opened once when this returns.
    pub(super) fn write(dir: &Path, keys: &Keys, with: SealWith<'_>) -> anyhow::Result<()> {
        let opened_by = match with {
            SealWith::Keyring => {
                let entry = format!("keys of node {}", hex::encode(random::<16>()?));
                keep(&entry, Zeroizing::new(random()?))?;
                OpenedBy::Keyring { entry }
            }
            SealWith::Passphrase(_) => OpenedBy::Passphrase {
                cost: Cost::default(),
                salt: hex::encode(random::<16>()?),
            },
        };
        let passphrase = || match with {
            SealWith::Passphrase(text) => Ok(Zeroizing::new(text.to_owned())),
            SealWith::Keyring => bail!("no passphrase opens them"),
        };
        let content = Zeroizing::new(keys.iter().flat_map(|key| **key).collect::<Vec<_>>());
        let key = opened_by.opening_key(passphrase)?;
        let sealed = Self {
            version: VERSION,
            sealed: hex::encode(key.seal(&opened_by.purpose(), &content)?),
            opened_by,
        };
        let text = serde_json::to_string_pretty(&sealed)?;
        write_private(&dir.join(SEALED_FILE), &text).context("cannot write the sealed keys")?;
        let written = Self::read(dir)?.context("the sealed keys are gone")?;
        ensure!(
            written.open_with(passphrase)? == *keys,
            "the sealed keys do not open as they should"
        );
        Ok(())
    }

    /// Removes the file and what the keyring has of it.
    pub(super) fn remove(&self, dir: &Path) -> anyhow::Result<()> {
        fs::remove_file(dir.join(SEALED_FILE)).context("cannot remove the sealed keys")?;
        if let OpenedBy::Keyring { entry } = &self.opened_by {
            // What is left in it opens nothing any more.
            if let Err(error) = in_keyring(entry, |entry| entry.delete_credential()) {
                tracing::warn!(%error, "the keyring keeps a secret that opens nothing any more");
            }
        }
        Ok(())
    }
}

/// The passphrase that the service manager gives.
fn passphrase_of_service() -> anyhow::Result<Zeroizing<String>> {
    let Some(path) = std::env::var_os(VARIABLE) else {
        bail!(
            "the node's keys are sealed under a passphrase; name the file it is in with the variable {VARIABLE}"
        );
    };
    first_line(Path::new(&path)).with_context(|| format!("{VARIABLE} names no passphrase"))
}

fn keep(entry: &str, secret: Zeroizing<[u8; 32]>) -> anyhow::Result<()> {
    in_keyring(entry, move |entry| entry.set_secret(&*secret)).context(
        "the system's keyring takes no secret; sign in to a desktop that has one, or use a passphrase",
    )
}

fn kept(entry: &str) -> anyhow::Result<MasterKey> {
    let secret = in_keyring(entry, keyring::Entry::get_secret).context(
        "the node's keys are sealed under a secret in the system's keyring, which does not give it; start the node \
         in the session of the user who has sealed them, or restore a backup",
    )?;
    let secret = Zeroizing::new(secret);
    let key = <[u8; 32]>::try_from(secret.as_slice());
    Ok(MasterKey::new(
        key.context("the keyring's secret is not a key")?,
    ))
}

/// Asks the keyring on a thread of its own: its client runs a loop of its own, which must not be within another one, and
/// it may wait for a person who is not there.
fn in_keyring<T: Send + 'static>(
    entry: &str,
    ask: impl FnOnce(&keyring::Entry) -> keyring::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let (entry, (tell, told)) = (entry.to_owned(), mpsc::channel());
    std::thread::spawn(move || {
        let asked = keyring::Entry::new(SERVICE, &entry).and_then(|entry| ask(&entry));
        // Whoever asked may have given up.
        let _ = tell.send(asked);
    });
    match told.recv_timeout(PATIENCE) {
        Ok(asked) => Ok(asked?),
        Err(_) => bail!("the keyring has not answered"),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: keys come back as they were under what sealed them and nothing else; every other file is refused in words.
    //! Method: passphrases at the real cost; the keyring itself is asked in `tests/it/sealed_keys.rs`.

    use super::*;

    fn words(text: &str) -> anyhow::Result<Zeroizing<String>> {
        Ok(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn keys_open_under_what_sealed_them() {
        let folder = tempfile::tempdir().unwrap();
        let keys = [1u8, 2, 3, 4].map(|seed| Zeroizing::new([seed; 32]));
        assert!(Sealed::read(folder.path()).unwrap().is_none());
        Sealed::write(folder.path(), &keys, SealWith::Passphrase("four words")).unwrap();
        let sealed = Sealed::read(folder.path()).unwrap().unwrap();
        assert_eq!(sealed.open_with(|| words("four words")).unwrap(), keys);
        let error = sealed.open_with(|| words("five words")).unwrap_err();
        assert!(error.to_string().contains("is another"), "{error}");

        let path = folder.path().join(SEALED_FILE);
        let text = fs::read_to_string(&path).unwrap();
        for (from, to, refusal) in [
            ("\"version\": 1", "\"version\": 2", "does not hold"),
            ("\"passes\": 3", "\"passes\": 17", "more than any"),
            ("\"passes\": 3", "\"passes\": 0", "no key can be made"),
            ("\"passes\": 3", "\"passes\": 2", "is another"),
            ("\"sealed\": \"", "\"sealed\": \"00", "is another"),
            ("\"sealed\": \"", "\"sealed\": \"x", "is another"),
            ("{", "[", "does not hold"),
            ("\"sealed\"", "\"more\": 1, \"sealed\"", "does not hold"),
        ] {
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            let opened = Sealed::read(folder.path())
                .and_then(|sealed| sealed.unwrap().open_with(|| words("four words")));
            let error = format!("{:#}", opened.unwrap_err());
            assert!(error.contains(refusal), "{to}: {error}");
        }
    }
}
