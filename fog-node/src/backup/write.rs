//! Making a backup, of a stopped or a running node.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use ledger_core::PublicKey;
use ledger_store::{Replica, Snapshot};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::noted;
use super::sealed::Sealer;
use super::{About, MAX_DEPTH, MAX_FILES, MIN_PASSPHRASE, VERSION, is_plain};
use crate::clock::now_millis;
use crate::keystore::{self, Keystore};
use crate::node::{LOCK_FILE, REPLICA_FILE};
use crate::vault::{self, VAULT_FILE, outbox};

/// How often the two databases are looked at until their views fit together, and the wait between.
const ATTEMPTS: u32 = 100;
const WAIT: Duration = Duration::from_millis(20);
const LEVEL: i32 = 3;
/// What belongs to this machine, or is made anew: names, and ends of names.
const LEFT_OUT: [&str; 3] = [LOCK_FILE, "api.token", ledger_store::RESTORED_FILE];
const LEFT_OUT_ENDS: [&str; 4] = ["-wal", "-shm", ".import", ".new"];

/// Writes a backup of the node in `data` to the new file `output`, sealed under `passphrase`.
///
/// # Errors
/// In words for a person; the file is not there then, or is no backup.
pub fn backup(data: &Path, output: &Path, passphrase: &str) -> anyhow::Result<About> {
    ensure!(
        passphrase.chars().count() >= MIN_PASSPHRASE,
        "the passphrase must have at least {MIN_PASSPHRASE} characters"
    );
    ensure!(
        data.join(LOCK_FILE).exists(),
        "{} is not a node's data folder",
        data.display()
    );
    ensure!(!output.exists(), "{} is there already", output.display());
    let keys = Keystore::open_existing(data)?;
    // Before anything is read, so that a node restored from it knows of it; if it fails, that it is named harms nobody.
    noted::note(data, now_millis()).context("cannot note the backup")?;
    // Consensus' log first: what it holds beyond the replica's copy would be a vote that is not known.
    let mut files = Vec::new();
    collect(data, "", 0, &mut files)?;
    // However they are kept here, so that they open elsewhere; the backup itself is sealed.
    files.retain(|(name, _)| !name.starts_with("keys/"));
    files.extend(keystore::as_files(data)?);
    let copies = tempfile::tempdir_in(data).context("cannot make a folder for the copies")?;
    let node = keys.node.public();
    let about = copy_databases(data, copies.path(), node, &keys)?;
    let partial = output.with_extension("partial");
    let written = write_all(&partial, passphrase, &about, data, &files, copies.path());
    if let Err(error) = written {
        // The first error is the one to tell.
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    fs::rename(&partial, output).with_context(|| format!("cannot write {}", output.display()))?;
    Ok(about)
}

/// The plain files below a folder, by their names in the backup, with what they hold now.
fn collect(
    data: &Path,
    below: &str,
    depth: usize,
    files: &mut Vec<(String, Vec<u8>)>,
) -> anyhow::Result<()> {
    let folder = data.join(below);
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let own = entry.file_name();
        let own = own.to_str().unwrap_or_default();
        let name = match below {
            "" => own.to_owned(),
            below => format!("{below}/{own}"),
        };
        let left_out =
            LEFT_OUT.contains(&own) || LEFT_OUT_ENDS.iter().any(|end| own.ends_with(end));
        let kind = entry.file_type()?;
        if left_out || !is_plain(&name) || name == REPLICA_FILE || name == VAULT_FILE {
            continue;
        }
        if kind.is_dir() && depth + 1 < MAX_DEPTH {
            collect(data, &name, depth + 1, files)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            files.push((name, bytes));
        }
        ensure!(files.len() < MAX_FILES, "the folder has too many files");
    }
    Ok(())
}

/// Copies replica and vault as they were at one moment.
fn copy_databases(
    data: &Path,
    to: &Path,
    node: PublicKey,
    keys: &Keystore,
) -> anyhow::Result<About> {
    let replica =
        Replica::open_read_only(data.join(REPLICA_FILE)).context("cannot open the replica")?;
    let vault = vault::open_read_only(&data.join(VAULT_FILE)).context("cannot open the vault")?;
    for _ in 0..ATTEMPTS {
        vault.execute_batch("BEGIN")?;
        let next = outbox::next_nonce(&vault)?;
        let snapshot = replica.read()?;
        if fit_together(&vault, next, &snapshot, node)? {
            snapshot.copy_to(&to.join(REPLICA_FILE))?;
            let mut copy = Connection::open(to.join(VAULT_FILE))?;
            let copying = Backup::new(&vault, &mut copy)?;
            while let StepResult::More = copying.step(1000)? {}
            drop(copying);
            return Ok(About {
                version: VERSION,
                made_at: now_millis(),
                chain_id: snapshot.chain()?.0.to_string(),
                node_id: node.to_string(),
                validator_key: keys.validator.public().to_string(),
                height: snapshot.tip().map_or(0, |tip| tip.height().0),
            });
        }
        drop(snapshot);
        vault.execute_batch("ROLLBACK")?;
        std::thread::sleep(WAIT);
    }
    bail!("the node is too busy to be backed up at one moment; try again, or stop it first")
}

/// Whether each own transaction is in the vault's outbox or on the replica's chain, and none on the chain
/// is unknown to the vault.
fn fit_together(
    vault: &Connection,
    next: u64,
    replica: &Snapshot<'_>,
    node: PublicKey,
) -> anyhow::Result<bool> {
    let executed = replica.account(&node)?.next_nonce.0;
    let first = outbox::list(vault)?.first().map_or(next, |row| row.nonce);
    Ok(first <= executed && executed <= next)
}

fn write_all(
    partial: &Path,
    passphrase: &str,
    about: &About,
    data: &Path,
    files: &[(String, Vec<u8>)],
    copies: &Path,
) -> anyhow::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options
        .open(partial)
        .with_context(|| format!("cannot write {}", partial.display()))?;
    let sealer = Sealer::new(BufWriter::new(file), passphrase)?;
    let mut out = zstd::stream::write::Encoder::new(sealer, LEVEL)?;
    let description = serde_json::to_vec(about)?;
    out.write_all(&(description.len() as u32).to_le_bytes())?;
    out.write_all(&description)?;
    for (name, bytes) in files {
        write_file(&mut out, name, bytes.len() as u64, &mut bytes.as_slice())?;
    }
    for name in [REPLICA_FILE, VAULT_FILE] {
        let path: PathBuf = copies.join(name);
        let mut file = File::open(&path)?;
        let length = file.metadata()?.len();
        write_file(&mut out, name, length, &mut file)
            .with_context(|| format!("cannot copy {name} of {}", data.display()))?;
    }
    out.write_all(&0u16.to_le_bytes())?;
    let file = out.finish()?.finish()?;
    file.into_inner()?.sync_all()?;
    Ok(())
}

fn write_file(
    out: &mut impl Write,
    name: &str,
    length: u64,
    from: &mut dyn std::io::Read,
) -> anyhow::Result<()> {
    out.write_all(&u16::try_from(name.len())?.to_le_bytes())?;
    out.write_all(name.as_bytes())?;
    out.write_all(&length.to_le_bytes())?;
    let copied = std::io::copy(from, out)?;
    ensure!(copied == length, "a file changed while it was copied");
    Ok(())
}
