//! `fogward keys`: what opens the keys of a stopped node.

use std::path::PathBuf;

use anyhow::ensure;

use super::Outcome;
use super::output::{print, print_json};
use super::passphrase::Passphrase;
use super::store::lock_stopped;
use crate::backup::MIN_PASSPHRASE;
use crate::keystore::sealed::{SealWith, VARIABLE};
use crate::keystore::{seal, unseal};

/// `fogward keys`
#[derive(Debug, clap::Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Seal the keys of node, validator, admin and vault, so that a copy of the disk opens nothing.
    ///
    /// Make a backup first: without what opens the keys, nobody can open the vault again.
    Seal(Seal),
    /// Put sealed keys back into files that only the node's user can read.
    Unseal(Unseal),
}

#[derive(Debug, clap::Args)]
struct Seal {
    /// The data folder of a node that is stopped.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Have a secret in the keyring of this system's user open them: Secret Service, Keychain, Credential Manager.
    /// The node then starts only where that user is signed in.
    #[arg(long, conflicts_with = "passphrase_file")]
    keyring: bool,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Unseal {
    /// The data folder of a node that is stopped. A passphrase is in the file that the variable
    /// FOGWARD_KEYS_PASSPHRASE_FILE names.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

impl Keys {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            Command::Seal(seal) => seal.run(),
            Command::Unseal(unseal) => unseal.run(),
        }
    }
}

impl Seal {
    fn run(&self) -> anyhow::Result<Outcome> {
        let _lock = lock_stopped(&self.data)?;
        if self.keyring {
            seal(&self.data, SealWith::Keyring)?;
            return say("keyring", "sealed; the keyring opens them", self.json);
        }
        let passphrase = self.passphrase.ask_new("Passphrase for the keys")?;
        ensure!(
            passphrase.chars().count() >= MIN_PASSPHRASE,
            "the passphrase must have at least {MIN_PASSPHRASE} characters"
        );
        seal(&self.data, SealWith::Passphrase(&passphrase))?;
        let words = format!(
            "sealed; start the node with {VARIABLE} naming a file that holds the passphrase"
        );
        say("passphrase", &words, self.json)
    }
}

impl Unseal {
    fn run(&self) -> anyhow::Result<Outcome> {
        let _lock = lock_stopped(&self.data)?;
        unseal(&self.data)?;
        say(
            "files",
            "back in files that only this user can read",
            self.json,
        )
    }
}

fn say(kept_by: &str, words: &str, json: bool) -> anyhow::Result<Outcome> {
    match json {
        true => print_json(&serde_json::json!({ "opened_by": kept_by }))?,
        false => print(&format!("the node's keys are {words}\n"))?,
    }
    Ok(Outcome::Yes)
}
