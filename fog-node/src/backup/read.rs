//! Restoring a backup into a new folder: all of it, or nothing is there.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use ledger_store::RestoredMark;

use super::sealed::Opener;
use super::{About, MAX_ABOUT_BYTES, MAX_FILES, VERSION, is_plain};
use crate::clock::now_millis;
use crate::keystore::create_private_dir;
use crate::node::LOCK_FILE;

/// Restores `file` into `data`, which must not exist or be empty. The folder appears with its last step;
/// what it holds is synced before. It carries the mark of a restored node; where the original is known to be gone, no
/// blocks have to show it.
///
/// # Errors
/// In words for a person. A wrong passphrase or an altered file is an [`io::Error`] of the kind
/// [`io::ErrorKind::InvalidData`] somewhere in the chain.
pub fn restore(
    file: &Path,
    data: &Path,
    passphrase: &str,
    is_original_gone: bool,
) -> anyhow::Result<About> {
    if data.exists() {
        let mut entries =
            fs::read_dir(data).with_context(|| format!("cannot read {}", data.display()))?;
        ensure!(
            entries.next().is_none(),
            "{} is not empty; choose a new folder",
            data.display()
        );
    }
    let backup = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let opener = Opener::new(BufReader::new(backup), passphrase)
        .with_context(|| format!("cannot open {}", file.display()))?;
    let parent = match data.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
    let whole = tempfile::Builder::new()
        .prefix(".restoring-")
        .tempdir_in(&parent)
        .context("cannot make a folder beside the new one")?;
    let folder = whole.path().join("data");
    create_private_dir(&folder)?;
    let about =
        unpack(opener, &folder).with_context(|| format!("cannot open {}", file.display()))?;
    let times = (about.made_at, now_millis());
    let mut mark = RestoredMark::new(times, about.validator_key.clone(), about.height);
    if is_original_gone {
        mark.watch_heights = 0;
    }
    mark.write(&folder)?;
    // A node's folder is told by its lock.
    File::create(folder.join(LOCK_FILE))?.sync_all()?;
    if data.exists() {
        fs::remove_dir(data)?;
    }
    fs::rename(&folder, data).with_context(|| format!("cannot create {}", data.display()))?;
    sync(&parent)?;
    Ok(about)
}

fn unpack(opener: impl Read, folder: &Path) -> anyhow::Result<About> {
    let mut from = zstd::stream::read::Decoder::new(opener)?;
    let length = u32::from_le_bytes(exactly(&mut from)?) as usize;
    ensure!(length <= MAX_ABOUT_BYTES, malformed());
    let mut text = vec![0; length];
    from.read_exact(&mut text)?;
    let about: About = serde_json::from_slice(&text).map_err(|_| malformed())?;
    ensure!(about.version == VERSION, malformed());
    for _ in 0..MAX_FILES {
        let length = usize::from(u16::from_le_bytes(exactly(&mut from)?));
        if length == 0 {
            // What follows the end is nothing; reading on makes sure that the last chunk was the last.
            ensure!(from.read(&mut [0])? == 0, malformed());
            sync(folder)?;
            return Ok(about);
        }
        let mut name = vec![0; length];
        from.read_exact(&mut name)?;
        let name = String::from_utf8(name).map_err(|_| malformed())?;
        ensure!(is_plain(&name), malformed());
        let length = u64::from_le_bytes(exactly(&mut from)?);
        unpack_file(&mut from, &folder.join(name), length)?;
    }
    bail!(malformed())
}

fn unpack_file(from: &mut impl Read, path: &Path, length: u64) -> anyhow::Result<()> {
    let parent = path.parent().unwrap_or(path);
    create_private_dir(parent)?;
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let copied = io::copy(&mut from.take(length), &mut file)?;
    ensure!(copied == length, malformed());
    file.sync_all()?;
    sync(parent)
}

fn exactly<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the backup's content is not of the expected form",
    )
}

/// Syncs a folder's entries, where a folder can be opened.
fn sync(folder: &Path) -> anyhow::Result<()> {
    if let Ok(folder) = File::open(folder) {
        folder.sync_all()?;
    }
    Ok(())
}
