//! `fogward backup` and `fogward restore`: a whole node as one sealed file, and back.

use std::path::PathBuf;

use super::Outcome;
use super::output::{bytes_words, complain, print, print_json};
use super::passphrase::Passphrase;
use crate::backup::{About, backup, restore};

/// `fogward backup`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The file holds the node's keys, consensus' log, the replica and the vault, all as of one \
                        moment, sealed under the passphrase. Without the passphrase nobody can open it, \
                        neither can you."
)]
pub(super) struct Backup {
    /// The node's data folder; the node may be running.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The new file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

/// `fogward restore`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Never run a restored node while the original still runs: two nodes with one key can vote \
                        twice. The restored node is marked, so that it watches before it signs."
)]
pub(super) struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The new data folder; must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Say that the node the backup is of is destroyed, or will never be started again. Needed for a validator
    /// without which the others make no blocks, since it cannot see by them that it is alone.
    #[arg(long)]
    original_is_gone: bool,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let passphrase = self.passphrase.read()?;
        let about = backup(&self.data, &self.output, &passphrase)?;
        let bytes = std::fs::metadata(&self.output)?.len();
        say(&about, "backed up", Some(bytes), self.json)
    }
}

impl Restore {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let passphrase = self.passphrase.read()?;
        match restore(&self.file, &self.data, &passphrase, self.original_is_gone) {
            Ok(about) => say(&about, "restored", None, self.json),
            Err(error) if is_refused(&error) => {
                complain(&error);
                Ok(Outcome::No)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether the file does not open, which is a no; all else is left open.
fn is_refused(error: &anyhow::Error) -> bool {
    let kinds = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    let refused = [
        std::io::ErrorKind::InvalidData,
        std::io::ErrorKind::UnexpectedEof,
    ];
    kinds
        .into_iter()
        .any(|cause| refused.contains(&cause.kind()))
}

fn say(about: &About, did: &str, bytes: Option<u64>, json: bool) -> anyhow::Result<Outcome> {
    if json {
        let mut answer = serde_json::to_value(about)?;
        if let Some(bytes) = bytes {
            answer["bytes"] = bytes.into();
        }
        print_json(&answer)?;
    } else {
        let size = bytes.map(|bytes| format!(", {}", bytes_words(bytes)));
        print(&format!(
            "{did} node {} at height {}{}\n",
            about.node_id,
            about.height,
            size.unwrap_or_default()
        ))?;
    }
    Ok(Outcome::Yes)
}
