//! Files beside the replica: written whole or not at all, and synced.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file under a temporary name, syncs it, and gives it its name.
pub(crate) fn write_synced(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!("{name}.new"));
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(name))?;
    sync_folder(folder)
}

/// Syncs a folder's entries. A folder cannot be opened everywhere; where it cannot, nothing is done.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder).map_or(Ok(()), |folder| folder.sync_all())
}

/// Makes a folder if it is missing; whether it is empty.
pub(crate) fn is_empty_folder(folder: &Path) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    Ok(fs::read_dir(folder)?.next().is_none())
}
