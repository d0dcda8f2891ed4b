//! The node's secrets: one file per key in `DATA/keys`, readable by its owner only.
//!
//! | File | Key |
//! |---|---|
//! | `node.key` | signs transactions |
//! | `validator.key` | signs votes |
//! | `admin.key` | votes for the organisation |
//! | `vault.key` | seals the keys of streams and devices |
//!
//! Each file holds 32 bytes as hex. They are made on first start from the system's randomness, written
//! to a temporary name, synced and renamed, so that a crash leaves either no key or a whole one.
//! Asked to, they become one file that opens under a passphrase or a secret in the system's keyring ([`sealed`]); why
//! not by themselves is in `docs/adr/0011-keys-in-private-files.md`.

pub mod sealed;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use ledger_core::SecretKey;
use zeroize::Zeroizing;

use self::sealed::{Keys, SealWith, Sealed};
use crate::vault::seal::MasterKey;

/// Name of the folder of the keys below the data folder.
const FOLDER: &str = "keys";
/// Names of their files.
const KEYS: [&str; 4] = ["node.key", "validator.key", "admin.key", "vault.key"];

/// The node's keys.
pub struct Keystore {
    /// Signs transactions.
    pub node: SecretKey,
    /// Signs votes.
    pub validator: SecretKey,
    /// Votes for the organisation.
    pub admin: SecretKey,
    /// Seals the vault's keys.
    pub vault: MasterKey,
}

impl Keystore {
    /// Opens the keys below `data_dir`, making those that do not exist.
    ///
    /// # Errors
    /// If a file cannot be read or written, or does not hold a key, or the keys are sealed and do not open.
    pub fn open(data_dir: &Path) -> anyhow::Result<Self> {
        let dir = data_dir.join(FOLDER);
        create_private_dir(&dir)?;
        if let Some(sealed) = Sealed::read(&dir)? {
            let keys = sealed.open()?;
            // Those that a crash while they were sealed has left.
            remove_files(&dir)?;
            return Ok(Self::of(&keys));
        }
        for name in KEYS {
            make_missing(&dir.join(name))?;
        }
        Self::open_existing(data_dir)
    }

    /// Opens the keys below `data_dir` if all are there; makes none.
    ///
    /// # Errors
    /// If a key is missing or unreadable, or the keys are sealed and do not open.
    pub fn open_existing(data_dir: &Path) -> anyhow::Result<Self> {
        Ok(Self::of(&read_all(&data_dir.join(FOLDER))?))
    }

    fn of([node, validator, admin, vault]: &Keys) -> Self {
        Self {
            node: SecretKey::from_seed(node),
            validator: SecretKey::from_seed(validator),
            admin: SecretKey::from_seed(admin),
            vault: MasterKey::new(**vault),
        }
    }
}

/// Seals the keys of a stopped node; its key files are gone when this returns.
///
/// # Errors
/// If they are sealed already, cannot be read, or what is to open them is not there; nothing is changed then.
pub fn seal(data_dir: &Path, with: SealWith<'_>) -> anyhow::Result<()> {
    let dir = data_dir.join(FOLDER);
    if Sealed::read(&dir)?.is_some() {
        bail!("the keys are sealed already; unseal them first to have something else open them");
    }
    Sealed::write(&dir, &read_all(&dir)?, with)?;
    remove_files(&dir)
}

/// Puts the sealed keys of a stopped node back into files of their own.
///
/// # Errors
/// If they are not sealed, or do not open; nothing is changed then.
pub fn unseal(data_dir: &Path) -> anyhow::Result<()> {
    let dir = data_dir.join(FOLDER);
    let Some(sealed) = Sealed::read(&dir)? else {
        bail!("the keys are not sealed");
    };
    for (name, key) in KEYS.iter().zip(sealed.open()?) {
        write_key(&dir.join(name), &key)?;
    }
    sealed.remove(&dir)
}

/// The keys as files, by their names below the data folder: what a backup holds of them, however they are kept.
///
/// # Errors
/// As [`Keystore::open_existing`].
pub(crate) fn as_files(data_dir: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let keys = read_all(&data_dir.join(FOLDER))?;
    let files = KEYS.iter().zip(keys);
    Ok(files
        .map(|(name, key)| (format!("{FOLDER}/{name}"), hex::encode(*key).into_bytes()))
        .collect())
}

fn read_all(dir: &Path) -> anyhow::Result<Keys> {
    if let Some(sealed) = Sealed::read(dir)? {
        return sealed.open();
    }
    let mut keys = Keys::default();
    for (key, name) in keys.iter_mut().zip(KEYS) {
        *key = load(&dir.join(name))?;
    }
    Ok(keys)
}

/// Removes the key files; what they held is overwritten first, as far as the disk does so.
fn remove_files(dir: &Path) -> anyhow::Result<()> {
    for name in KEYS {
        let path = dir.join(name);
        if path.exists() {
            let removed = fs::write(&path, [b'0'; 64]).and_then(|()| fs::remove_file(&path));
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Random bytes from the system.
///
/// # Errors
/// If the system has none to give.
pub fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

/// Creates a folder that only its owner may enter.
///
/// # Errors
/// If it cannot be created.
pub fn create_private_dir(dir: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .with_context(|| format!("cannot create the folder {}", dir.display()))
}

fn make_missing(path: &Path) -> anyhow::Result<()> {
    match path.exists() {
        true => Ok(()),
        false => write_key(path, &Zeroizing::new(random()?)),
    }
}

fn write_key(path: &Path, key: &[u8; 32]) -> anyhow::Result<()> {
    write_private(path, &Zeroizing::new(hex::encode(key)))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn load(path: &Path) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let text = Zeroizing::new(
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?,
    );
    let mut key = Zeroizing::new([0; 32]);
    if hex::decode_to_slice(text.trim(), &mut *key).is_err() {
        bail!(
            "{} does not hold a key of 64 hexadecimal digits",
            path.display()
        );
    }
    Ok(key)
}

/// Writes a file that only its owner may read: all of it or nothing.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    write_private_bytes(path, text.as_bytes())
}

/// Writes a file that only its owner may read: all of it or nothing. Durable when this returns.
pub(crate) fn write_private_bytes(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    if let Some(parent) = path.parent() {
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}
