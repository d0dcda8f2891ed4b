//! Joining a consortium with an invitation, while the node is stopped. A running node joins by `online.rs`,
//! with the same steps.
//!
//! In order: make the node's keys, knock, check the genesis against the invitation, put an own chain
//! aside, begin the replica with block 0, note the peers. Killed at any point, the same command goes on:
//! whoever was proposed before is welcomed again, and a chain that was put aside stays there whole.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use ledger_core::governance::is_address;
use ledger_core::{ChainId, canonical};
use ledger_store::Replica;
use tokio::net::TcpStream;

use super::invitation::Invitation;
use super::joining::{JoinAnswer, JoinRequest, Joiner, Welcome};
use super::noise;
use super::peers::resolve;
use super::pending::{Invited, Place, try_first_block};
use crate::clock::unix_millis;
use crate::keystore::{Keystore, create_private_dir};
use crate::node::{REPLICA_FILE, lock_data_dir};
use crate::vault::VAULT_FILE;

/// How long the door may take: it waits for the proposal to be final.
const PATIENCE: Duration = Duration::from_secs(60);
/// Folder below the data folder for chains the node has left, one folder each, named by the chain.
const LEFT_CHAINS: &str = "left";
/// What belongs to a chain, and goes aside with it.
const OF_A_CHAIN: [&str; 8] = [
    REPLICA_FILE,
    "replica.db-wal",
    "replica.db-shm",
    VAULT_FILE,
    "vault.db-wal",
    "vault.db-shm",
    "consensus",
    "consortium",
];

/// How to join.
#[derive(Clone, Debug)]
pub struct JoinOptions {
    /// The data folder; made if missing.
    pub data_dir: PathBuf,
    /// The invitation.
    pub invitation: String,
    /// The organisation's name.
    pub organisation: String,
    /// The node's name; made of its key if absent.
    pub node: Option<String>,
    /// Where the node listens for peers.
    pub listen: SocketAddr,
    /// Where others reach it, `host:port`, if that is another address.
    pub address: Option<String>,
    /// Put aside the chain that the folder holds.
    pub leave_own_chain: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Joined {
    /// The chain.
    pub chain_id: String,
    /// The consortium's name.
    pub consortium: String,
    /// Number of the proposal to admit this node.
    pub proposal: u64,
    /// Whether it has passed already.
    pub admitted: bool,
    /// Where the own chain was put aside, if there was one.
    pub own_chain: Option<PathBuf>,
}

/// Joins.
///
/// # Errors
/// In words for a person. A door that refuses says why.
pub async fn join(options: &JoinOptions) -> anyhow::Result<Joined> {
    let invitation: Invitation = options.invitation.parse()?;
    let now = unix_millis();
    if invitation.has_expired(now) {
        bail!("the invitation has expired; ask for a new one");
    }
    let advertised = options
        .address
        .clone()
        .unwrap_or_else(|| options.listen.to_string());
    if !is_address(&advertised) {
        bail!("{advertised} is no address; expected HOST:PORT");
    }
    let data_dir = &options.data_dir;
    create_private_dir(data_dir)?;
    let _lock = lock_data_dir(data_dir)?;
    let keys = Keystore::open(data_dir)?;
    let chain = invitation.terms.chain;
    let own = own_chain(data_dir)?.filter(|own| *own != chain);
    if own.is_some() && !options.leave_own_chain {
        bail!(
            "{} holds a chain of its own. Joining puts it aside, whole, below {}/{LEFT_CHAINS}: its records \
             stay readable and provable there, no device is read into it any more, and devices are paired \
             anew. Say so with --leave-own-chain.",
            data_dir.display(),
            data_dir.display()
        );
    }
    let short = keys.node.public().short();
    let joiner = Joiner {
        organisation: options.organisation.clone(),
        admin: keys.admin.public(),
        node: keys.node.public(),
        vote: keys.validator.public(),
        name: options
            .node
            .clone()
            .unwrap_or_else(|| format!("fog-{short}")),
        address: advertised,
    };
    let welcome = knock(&invitation, joiner, &keys).await?;
    let invited = Invited::check(welcome, chain)?;
    try_first_block(&invited)?;
    let own_chain = own.map(|own| put_aside(data_dir, own)).transpose()?;
    let place = Place {
        node: options.node.clone(),
        listen: options.listen,
        address: options.address.clone(),
    };
    invited.begin(data_dir, &place)?;
    let Invited {
        genesis, welcome, ..
    } = invited;
    Ok(Joined {
        chain_id: chain.to_string(),
        consortium: genesis.name,
        proposal: welcome.proposal,
        admitted: welcome.is_admitted,
        own_chain,
    })
}

/// The chain that a folder holds.
pub(super) fn own_chain(data_dir: &Path) -> anyhow::Result<Option<ChainId>> {
    let path = data_dir.join(REPLICA_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let replica = Replica::open(path).context("cannot open the replica")?;
    let snapshot = replica.read()?;
    match snapshot.tip() {
        Some(_) => Ok(Some(snapshot.chain()?.0)),
        None => Ok(None),
    }
}

pub(super) async fn knock(
    invitation: &Invitation,
    joiner: Joiner,
    keys: &Keystore,
) -> anyhow::Result<Welcome> {
    let terms = &invitation.terms;
    let secrets = [&keys.admin, &keys.node, &keys.validator];
    let request = JoinRequest::sign(joiner, terms.chain, &terms.id, secrets);
    let away = || {
        format!(
            "{} at {} does not answer; is its node running, and can it be reached from here?",
            terms.inviter, terms.door
        )
    };
    let asked = async {
        let address = resolve(&terms.door).await.with_context(away)?;
        let stream = TcpStream::connect(address).await.with_context(away)?;
        let request = canonical::encode(&request);
        noise::ask(stream, &terms.id, &terms.door_key, &terms.token, &request)
            .await
            .context(
                "the door did not open: the invitation was used, revoked, or is not of this door",
            )
    };
    let answer = tokio::time::timeout(PATIENCE, asked)
        .await
        .ok()
        .with_context(away)??;
    match JoinAnswer::open(&answer).context("the answer has an unknown form")? {
        JoinAnswer::Asked(welcome) => Ok(welcome),
        JoinAnswer::Refused(no) => Err(no.into()),
    }
}

/// Moves what belongs to a chain aside, whole.
pub(super) fn put_aside(data_dir: &Path, chain: ChainId) -> anyhow::Result<PathBuf> {
    let aside = data_dir.join(LEFT_CHAINS).join(chain.0.short());
    create_private_dir(&aside)?;
    drop(lock_data_dir(&aside)?);
    // The folder is a data folder of its own, with the keys that open it.
    let keys = aside.join("keys");
    create_private_dir(&keys)?;
    for entry in std::fs::read_dir(data_dir.join("keys"))? {
        let from = entry?.path();
        if let Some(name) = from.file_name() {
            std::fs::copy(&from, keys.join(name)).context("cannot copy a key")?;
        }
    }
    std::fs::File::open(&keys)?.sync_all()?;
    // The replica last: while it is here, the move is not done.
    for name in OF_A_CHAIN.iter().rev() {
        let (from, to) = (data_dir.join(name), aside.join(name));
        if from.exists() {
            std::fs::rename(&from, &to)
                .with_context(|| format!("cannot move {}", from.display()))?;
        }
    }
    for folder in [&aside, data_dir] {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(aside)
}
