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
//! Left out: passphrases and the system's keyring; see `docs/adr/0011-keys-in-private-files.md`.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use ledger_core::SecretKey;
use zeroize::Zeroizing;

use crate::vault::seal::MasterKey;

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
    /// If a file cannot be read or written, or does not hold a key.
    pub fn open(data_dir: &Path) -> anyhow::Result<Self> {
        let dir = data_dir.join("keys");
        create_private_dir(&dir)?;
        Ok(Self {
            node: SecretKey::from_seed(&*load_or_make(&dir, "node.key")?),
            validator: SecretKey::from_seed(&*load_or_make(&dir, "validator.key")?),
            admin: SecretKey::from_seed(&*load_or_make(&dir, "admin.key")?),
            vault: MasterKey::new(*load_or_make(&dir, "vault.key")?),
        })
    }

    /// Opens the keys below `data_dir` if all are there; makes none.
    ///
    /// # Errors
    /// If a key is missing or unreadable.
    pub fn open_existing(data_dir: &Path) -> anyhow::Result<Self> {
        let dir = data_dir.join("keys");
        Ok(Self {
            node: SecretKey::from_seed(&*load(&dir, "node.key")?),
            validator: SecretKey::from_seed(&*load(&dir, "validator.key")?),
            admin: SecretKey::from_seed(&*load(&dir, "admin.key")?),
            vault: MasterKey::new(*load(&dir, "vault.key")?),
        })
    }
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

fn load_or_make(dir: &Path, name: &str) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let path = dir.join(name);
    if !path.exists() {
        let key = Zeroizing::new(random::<32>()?);
        write_private(&path, &Zeroizing::new(hex::encode(*key)))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    load(dir, name)
}

fn load(dir: &Path, name: &str) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let path = dir.join(name);
    let text = Zeroizing::new(
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?,
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
