//! When backups were made of a node: a certificate of erasure names those of before, which it does not reach.
//!
//! Beside the vault and not in it, since a stopped node is backed up by another process than its own. Bounded; the
//! oldest go first. Left out: where the backups are, and whether they still are.

use std::path::Path;

use crate::keystore::write_private_bytes;

/// Name of the file in the data folder.
const FILE: &str = "backups.json";
/// Most backups that are noted.
const MAX_NOTED: usize = 500;
/// Longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Notes a backup that was made then, in Unix milliseconds.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn note(data: &Path, made_at: i64) -> anyhow::Result<()> {
    let mut all = noted(data);
    all.push(u64::try_from(made_at).unwrap_or_default());
    let surplus = all.len().saturating_sub(MAX_NOTED);
    all.drain(..surplus);
    write_private_bytes(&data.join(FILE), &serde_json::to_vec(&all)?)
}

/// When backups were made, in Unix milliseconds, the oldest first; none where the file is missing or no such list.
pub(crate) fn noted(data: &Path) -> Vec<u64> {
    let path = data.join(FILE);
    let is_short = std::fs::metadata(&path).is_ok_and(|file| file.len() <= MAX_FILE_BYTES);
    let bytes = is_short.then(|| std::fs::read(&path).ok()).flatten();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    //! Goal: backups are noted, and the file stays bounded whatever is in it. Method: more than fit, and no list.

    use super::*;

    #[test]
    fn backups_are_noted_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(noted(folder.path()), Vec::<u64>::new());
        for made_at in 0..MAX_NOTED as i64 + 3 {
            note(folder.path(), made_at).unwrap();
        }
        let all = noted(folder.path());
        assert_eq!((all.len(), all[0]), (MAX_NOTED, 3));
        std::fs::write(folder.path().join(FILE), "no list").unwrap();
        note(folder.path(), 7).unwrap();
        assert_eq!(noted(folder.path()), [7]);
    }
}
