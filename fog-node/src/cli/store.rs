//! What is done with a stopped node's replica: `fogward prune`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ledger_store::{KEPT_BLOCKS, Policy, Replica};

use super::Outcome;
use super::output::{bytes_words, print, print_json};
use crate::clock::unix_millis;
use crate::keystore::Keystore;
use crate::node::{LOCK_FILE, REPLICA_FILE, lock_data_dir};
use crate::retention::{awaited, log};
use crate::vault::{self, VAULT_FILE};

/// `fogward prune`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Headers, certificates, the state and the ids of all transactions stay. Proofs made \
                        before still verify; new proofs of readings whose transactions are gone need the \
                        archive: export one first with fogward archive export. Both limits may be given; \
                        what either lets go is deleted."
)]
pub(super) struct Prune {
    /// The node's data folder; the node must be stopped.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Delete the transactions of blocks older than this: 90d, 12h, 30m, 45s or 500ms.
    #[arg(long, value_name = "AGE", value_parser = parse_age, required_unless_present = "keep_bytes")]
    older_than: Option<u64>,
    /// Delete the oldest transactions beyond so many bytes.
    #[arg(long, value_name = "BYTES")]
    keep_bytes: Option<u64>,
    /// But none of the newest blocks, so many.
    #[arg(long, value_name = "N", default_value_t = KEPT_BLOCKS, value_parser = clap::value_parser!(u64).range(1..))]
    keep_blocks: u64,
    /// But none that this node sent, so that it can always prove its own readings.
    #[arg(long)]
    keep_own: bool,
    /// First archive, in this new folder, what will be deleted.
    #[arg(long, value_name = "FOLDER")]
    archive: Option<PathBuf>,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

impl Prune {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let _lock = lock_stopped(&self.data)?;
        let keys = Keystore::open_existing(&self.data)?;
        let replica = open(&self.data)?;
        let vault =
            vault::open_read_only(&self.data.join(VAULT_FILE)).context("cannot open the vault")?;
        let policy = Policy {
            older_than_millis: self.older_than,
            keep_bytes: self.keep_bytes,
            keep_blocks: self.keep_blocks,
            keep_from: awaited(&vault, &replica)?,
            keep_sender: self.keep_own.then(|| keys.node.public()),
        };
        let now = unix_millis();
        if let Some(folder) = &self.archive {
            let snapshot = replica.read()?;
            let whole = snapshot.whole_from()?;
            match snapshot.prunable(&policy, now)? {
                Some(last) if last >= whole => {
                    snapshot
                        .export_archive(folder, None, Some(last))
                        .context("nothing was deleted, for it could not be archived")?;
                }
                _ => {}
            }
        }
        let pruned = replica
            .prune(&policy, now)
            .context("cannot prune the replica")?;
        let tip = replica.read()?.tip().map_or(0, |tip| tip.height().0);
        log::note(&self.data, &pruned, tip, now)?;
        if self.json {
            print_json(&pruned)?;
        } else {
            print(&format!(
                "deleted {} transactions of {} blocks\n{} before, {} after: {} freed\n",
                pruned.transactions,
                pruned.blocks,
                bytes_words(pruned.bytes_before),
                bytes_words(pruned.bytes_after),
                bytes_words(pruned.bytes_freed),
            ))?;
        }
        Ok(Outcome::Yes)
    }
}

/// Locks the folder of a node that must be stopped.
pub(super) fn lock_stopped(data: &Path) -> anyhow::Result<std::fs::File> {
    if !data.join(LOCK_FILE).exists() {
        bail!("{} is not a node's data folder", data.display());
    }
    lock_data_dir(data)
}

/// Opens a node's replica for writing.
pub(super) fn open(data: &Path) -> anyhow::Result<Replica> {
    Replica::open(data.join(REPLICA_FILE)).context("cannot open the replica")
}

/// An age in milliseconds.
fn parse_age(text: &str) -> anyhow::Result<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => bail!("expected a number and one of d, h, m, s, ms, such as 90d"),
    };
    let number: u64 = number.parse().context("expected a number first")?;
    number.checked_mul(unit).context("the age is too large")
}

#[cfg(test)]
mod tests {
    //! Goal: ages are what they say. Method: examples.

    use super::parse_age;

    #[test]
    fn ages_are_read_with_their_units() {
        let read = |text: &str| parse_age(text).ok();
        assert_eq!(read("90d"), Some(90 * 86_400_000));
        assert_eq!(read("12h"), Some(43_200_000));
        assert_eq!(read("3m"), Some(180_000));
        assert_eq!(read("0s"), Some(0));
        assert_eq!(read("500ms"), Some(500));
        for wrong in [
            "",
            "5",
            "d",
            "-1d",
            "1.5h",
            "1 d",
            "1y",
            "99999999999999999999d",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read("18446744073709551615d"), None);
    }
}
