//! Founding a consortium: one organisation with one node, which others are invited to.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use ledger_core::governance::{self, Organisation};
use ledger_core::{ChainId, Digest, Genesis, OrganisationId};
use ledger_store::Replica;

use super::settings::NetworkSettings;
use crate::clock::unix_millis;
use crate::keystore::{Keystore, create_private_dir, random};
use crate::node::{REPLICA_FILE, lock_data_dir};

/// A consortium that is to be founded in a data folder without a chain.
#[derive(Clone, Debug)]
pub struct Founding {
    /// The data folder; made if missing.
    pub data_dir: PathBuf,
    /// The consortium's name.
    pub consortium: String,
    /// The founding organisation's name.
    pub organisation: String,
    /// The node's name; made of its key if absent.
    pub node: Option<String>,
    /// Where the node listens for peers.
    pub listen: Option<SocketAddr>,
    /// Where others reach it, `host:port`, if that is another address.
    pub address: Option<String>,
}

/// Names for a genesis.
pub(crate) struct Names<'a> {
    pub(crate) consortium: String,
    pub(crate) organisation: String,
    pub(crate) node: &'a str,
    pub(crate) address: String,
}

/// Founds a consortium of one organisation. Durable when this returns.
///
/// # Errors
/// In words for a person: the folder has a chain already, a name cannot be shown, or nothing can be
/// written.
pub fn found(founding: &Founding) -> anyhow::Result<ChainId> {
    create_private_dir(&founding.data_dir)?;
    let _lock = lock_data_dir(&founding.data_dir)?;
    let keys = Keystore::open(&founding.data_dir)?;
    let replica = Replica::open(founding.data_dir.join(REPLICA_FILE))?;
    if let Some(tip) = replica.read()?.tip() {
        bail!(
            "{} holds a chain already, {} blocks long; a consortium is founded in a new folder, or choose \
             another with --data",
            founding.data_dir.display(),
            tip.height().0 + 1
        );
    }
    let settings = NetworkSettings {
        node: founding.node.clone(),
        listen: founding.listen,
        address: founding.address.clone(),
        ..NetworkSettings::default()
    };
    settings.save(&founding.data_dir)?;
    let short = keys.node.public().short();
    let node = founding
        .node
        .clone()
        .unwrap_or_else(|| format!("fog-{short}"));
    let names = Names {
        consortium: founding.consortium.clone(),
        organisation: founding.organisation.clone(),
        node: &node,
        address: settings.advertised().unwrap_or_default(),
    };
    Ok(found_in(&replica, &keys, names)?.chain_id())
}

/// Founds a chain in an empty replica.
pub(crate) fn found_in(
    replica: &Replica,
    keys: &Keystore,
    names: Names<'_>,
) -> anyhow::Result<Genesis> {
    let node = governance::Node {
        key: keys.node.public(),
        vote_key: keys.validator.public(),
        name: names.node.to_owned(),
        address: names.address,
    };
    let id = OrganisationId(random()?);
    let now = unix_millis();
    let mut genesis = Genesis::of_one(names.consortium, now, id, node, Digest(random()?))?;
    genesis.organisations = vec![Organisation::new(
        id,
        names.organisation,
        vec![keys.admin.public()],
    )];
    genesis.check()?;
    replica
        .found(&genesis, &keys.node)
        .context("cannot found the chain")?;
    Ok(genesis)
}
