//! A chain that waits to take the place of a running node's own.
//!
//! Upon the door's answer, while the node runs: check it, and keep it in `DATA/join.pending`. Upon the next
//! start: put the own chain aside, begin the replica with block 0, note the peers, remove the file. Killed
//! at any point, the next start goes on: what is aside stays there, and the file goes last.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use ledger_core::governance::is_address;
use ledger_core::{Block, ChainId, Genesis, PublicKey, canonical};
use ledger_store::Replica;
use serde::{Deserialize, Serialize};

use super::join::{own_chain, put_aside};
use super::joining::Welcome;
use super::noise::MAX_ANSWER_BYTES;
use super::settings::{JoinNote, NetworkSettings};
use crate::keystore::write_private_bytes;
use crate::node::REPLICA_FILE;

/// Name of the file in the data folder.
pub(crate) const PENDING_FILE: &str = "join.pending";

/// Where and as whom the node takes part.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its name; made of its key if absent.
    pub(super) node: Option<String>,
    /// Where it listens for peers.
    pub(super) listen: SocketAddr,
    /// Where others reach it, if that is another address.
    pub(super) address: Option<String>,
}

/// A chain whose genesis is the invited one, and what its door has said.
#[derive(Clone, Debug)]
pub(super) struct Invited {
    pub(super) genesis: Genesis,
    pub(super) first_block: Block,
    pub(super) welcome: Welcome,
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Pending {
    chain: ChainId,
    node: Option<String>,
    listen: String,
    address: Option<String>,
    proposal: u64,
    is_admitted: bool,
    genesis: Vec<u8>,
    first_block: Vec<u8>,
    peers: Vec<(PublicKey, String)>,
}

impl Invited {
    /// The invited chain, if `welcome` is of it.
    pub(super) fn check(welcome: Welcome, chain: ChainId) -> anyhow::Result<Self> {
        let genesis = Genesis::from_file(&welcome.genesis).ok();
        let genesis = genesis.filter(|genesis| genesis.chain_id() == chain).context(
            "the genesis is not the one the invitation promises; do not join, and tell who invited you",
        )?;
        genesis.check()?;
        let first_block = Block::decode(&welcome.first_block).context("block 0 cannot be read")?;
        Ok(Self {
            genesis,
            first_block,
            welcome,
        })
    }

    /// Keeps it until the next start. Durable when this returns.
    pub(super) fn keep(&self, data_dir: &Path, place: &Place) -> anyhow::Result<()> {
        let pending = Pending {
            chain: self.genesis.chain_id(),
            node: place.node.clone(),
            listen: place.listen.to_string(),
            address: place.address.clone(),
            proposal: self.welcome.proposal,
            is_admitted: self.welcome.is_admitted,
            genesis: self.welcome.genesis.clone(),
            first_block: self.welcome.first_block.clone(),
            peers: self.welcome.peers.clone(),
        };
        write_private_bytes(&data_dir.join(PENDING_FILE), &canonical::encode(&pending))
            .context("cannot write the door's answer")
    }

    /// Begins the replica and notes the peers, in a folder without a chain, or with this one.
    pub(super) fn begin(&self, data_dir: &Path, place: &Place) -> anyhow::Result<()> {
        let named = self.welcome.peers.iter();
        let named = named.filter(|(_, address)| is_address(address));
        let settings = NetworkSettings {
            node: place.node.clone(),
            listen: Some(place.listen),
            address: place.address.clone(),
            peers: named
                .map(|(key, address)| (key.to_string(), address.clone()))
                .collect(),
            joined: Some(JoinNote {
                consortium: self.genesis.name.clone(),
                proposal: self.welcome.proposal,
            }),
        };
        settings.save(data_dir)?;
        let replica = Replica::open(data_dir.join(REPLICA_FILE))?;
        if replica.read()?.tip().is_none() {
            replica
                .join(&self.genesis, &self.first_block)
                .context("block 0 is not that of the genesis")?;
        }
        Ok(())
    }
}

/// Whether the block 0 of a chain follows from its genesis: tried before anything is kept.
pub(super) fn try_first_block(invited: &Invited) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("cannot make a folder for a moment")?;
    let replica = Replica::open(folder.path().join(REPLICA_FILE))?;
    replica
        .join(&invited.genesis, &invited.first_block)
        .context("block 0 is not that of the genesis")?;
    Ok(())
}

/// Finishes what the last run began: the node is in the invited chain then. The folder must be locked.
/// Returns where the node listens, if a chain waited.
///
/// # Errors
/// In words for a person; nothing is lost, and the next start tries again.
pub(crate) fn finish_joining(data_dir: &Path) -> anyhow::Result<Option<SocketAddr>> {
    let path = data_dir.join(PENDING_FILE);
    let bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let unreadable = || {
        format!(
            "{} is not as it was written; remove it, and join again",
            path.display()
        )
    };
    let pending: Pending = canonical::decode(&bytes, MAX_ANSWER_BYTES + (64 << 10))
        .ok()
        .with_context(unreadable)?;
    let listen = pending.listen.parse().ok().with_context(unreadable)?;
    let place = Place {
        node: pending.node,
        listen,
        address: pending.address,
    };
    let welcome = Welcome {
        proposal: pending.proposal,
        is_admitted: pending.is_admitted,
        genesis: pending.genesis,
        first_block: pending.first_block,
        peers: pending.peers,
    };
    let invited = Invited::check(welcome, pending.chain)?;
    if let Some(own) = own_chain(data_dir)?.filter(|own| *own != pending.chain) {
        put_aside(data_dir, own)?;
    }
    invited.begin(data_dir, &place)?;
    std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    std::fs::File::open(data_dir)?.sync_all()?;
    Ok(Some(listen))
}

#[cfg(test)]
mod tests {
    //! Goal: what was kept is finished by the next start, also by one after a kill, and a chain that is not
    //! the invited one is refused before anything is touched. Method: real folders and chains.
    use ledger_core::governance::Node;
    use ledger_core::{Digest, Height, OrganisationId, SecretKey};

    use super::*;
    use crate::keystore::Keystore;

    /// A chain and what its door would say of it.
    fn door(name: &str) -> (ChainId, Welcome) {
        let key = SecretKey::from_seed(&[1; 32]);
        let node = Node::with_one_key(key.public(), "one".into());
        let id = OrganisationId::default();
        let genesis = Genesis::of_one(name.into(), 1, id, node, Digest::ZERO).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let replica = Replica::open(folder.path().join(REPLICA_FILE)).unwrap();
        replica.found(&genesis, &key).unwrap();
        let first = replica.read().unwrap().block(Height(0)).unwrap().unwrap();
        let welcome = Welcome {
            proposal: 4,
            is_admitted: false,
            genesis: genesis.to_file(),
            first_block: first.encode(),
            peers: vec![(key.public(), "192.0.2.7:7401".into())],
        };
        (genesis.chain_id(), welcome)
    }

    fn place() -> Place {
        Place {
            node: Some("clinic-1".into()),
            listen: "127.0.0.1:7401".parse().unwrap(),
            address: None,
        }
    }

    /// A folder with keys and a chain of its own.
    fn own_folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keystore::open(folder.path()).unwrap();
        let settings = NetworkSettings::default();
        drop(crate::node::open_replica(folder.path(), &keys, "own", &settings).unwrap());
        folder
    }

    #[test]
    fn a_kept_answer_is_finished_at_the_next_start() {
        let (chain, welcome) = door("one");
        let folder = own_folder();
        let own = own_chain(folder.path()).unwrap().unwrap();
        let invited = Invited::check(welcome, chain).unwrap();
        try_first_block(&invited).unwrap();
        invited.keep(folder.path(), &place()).unwrap();
        assert_eq!(own_chain(folder.path()).unwrap(), Some(own), "not yet");
        // A start that was killed when the own chain was aside and nothing else done.
        put_aside(folder.path(), own).unwrap();
        let listen = finish_joining(folder.path()).unwrap();
        assert_eq!(listen, Some(place().listen));
        assert_eq!(own_chain(folder.path()).unwrap(), Some(chain));
        assert_eq!(finish_joining(folder.path()).unwrap(), None, "once");
        let left = folder.path().join("left").join(own.0.short());
        assert_eq!(own_chain(&left).unwrap(), Some(own));
        let settings = NetworkSettings::load(folder.path()).unwrap();
        assert_eq!(settings.joined.unwrap().proposal, 4);
        assert_eq!(settings.peers.len(), 1);
    }

    #[test]
    fn another_chain_is_refused_before_anything_is_touched() {
        let (chain, _) = door("one");
        let (_, mut welcome) = door("another");
        let error = Invited::check(welcome.clone(), chain).unwrap_err();
        assert!(error.to_string().contains("do not join"), "{error}");
        // The right genesis with another chain's block 0.
        welcome.genesis = door("one").1.genesis;
        let invited = Invited::check(welcome, chain).unwrap();
        assert!(try_first_block(&invited).is_err());
    }
}
