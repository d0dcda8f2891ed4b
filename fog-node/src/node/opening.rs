//! Opening what is on disk: the folder, its settings, what the last life has left, the replica.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use ledger_core::{Genesis, SecretKey};
use ledger_store::{Replica, RestoredMark};

use super::{LOCK_FILE, NodeConfig, REPLICA_FILE};
use crate::consortium::settings::{FOLDER, NetworkSettings};
use crate::consortium::{Names, finish_joining, found_in, take_over};
use crate::keystore::Keystore;
use crate::restored::catch_up;
use crate::vault::renew::renew;
use crate::vault::seal::MasterKey;
use crate::vault::{self, VAULT_FILE};

/// Locks the data folder for one process; the lock ends with the process, however it ends.
///
/// # Errors
/// If another node runs in the folder.
pub fn lock_data_dir(data_dir: &Path) -> anyhow::Result<File> {
    let path = data_dir.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        bail!(
            "another node is running in {}; stop it first, or choose another folder with --data",
            data_dir.display()
        );
    }
    Ok(file)
}

/// Where the node listens: what it is told, else what it was told last.
pub(super) fn network_settings(config: &NodeConfig) -> anyhow::Result<NetworkSettings> {
    let before = NetworkSettings::load(&config.data_dir)?;
    let mut settings = before.clone();
    settings.listen = config.listen.or(settings.listen);
    settings.address = config.address.clone().or(settings.address);
    if settings != before {
        settings.save(&config.data_dir)?;
    }
    Ok(settings)
}

/// Puts in its place what the last life has left for it: a joined chain, a snapshot.
pub(super) fn finish_last_life(config: &mut NodeConfig) -> anyhow::Result<()> {
    if finish_joining(&config.data_dir)?.is_some() {
        // What was said when joining counts from now on, not what this program was started with.
        (config.name, config.listen, config.address) = (None, None, None);
    }
    take_over(&config.data_dir)?;
    Ok(())
}

/// Has the vault follow the ledger before anything is signed: what waits is signed with the node's key, if that was
/// rotated, and a vault of before goes on where the ledger is. The mark of a restore goes then.
pub(super) fn follow_ledger(
    data_dir: &Path,
    replica: &Replica,
    keys: (&MasterKey, &SecretKey),
    mark: Option<&RestoredMark>,
) -> anyhow::Result<()> {
    let vault = vault::open(&data_dir.join(VAULT_FILE));
    let mut vault = vault.context("cannot open the vault")?;
    renew(&mut vault, &data_dir.join(FOLDER), &replica.read()?, keys.1)?;
    catch_up(&mut vault, replica, keys, mark).context("the vault cannot follow the ledger")?;
    if mark.is_some() {
        RestoredMark::clear(data_dir).context("cannot take the mark of the restore away")?;
    }
    Ok(())
}

/// Opens the replica, founding a consortium of one if it is empty.
pub(crate) fn open_replica(
    data_dir: &Path,
    keys: &Keystore,
    name: &str,
    settings: &NetworkSettings,
) -> anyhow::Result<(Arc<Replica>, Genesis)> {
    let replica = Replica::open(data_dir.join(REPLICA_FILE)).context("cannot open the replica")?;
    if replica.read()?.tip().is_none() {
        let names = Names {
            consortium: format!("Consortium of {name}"),
            organisation: name.to_owned(),
            node: name,
            address: settings.advertised().unwrap_or_default(),
        };
        found_in(&replica, keys, names)?;
    }
    let genesis = replica.read()?.chain()?.1.clone();
    Ok((Arc::new(replica), genesis))
}
