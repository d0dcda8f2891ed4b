//! Starting and stopping Malachite.

use std::fs::TryLockError;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arc_malachitebft_app_channel::app::engine::network::NetworkEvent;
use arc_malachitebft_app_channel::app::types::Keypair;
use arc_malachitebft_app_channel::{
    Channels, ConsensusContext, EngineBuilder, EngineHandle, NetworkIdentity, RequestContext,
    SyncContext, WalContext,
};
use arc_malachitebft_codec::Codec as _;
use arc_malachitebft_signing::Signer as _;
use ledger_core::{ChainId, PublicKey};
use ledger_store::StoreError;
use ractor::ActorRef;
use tokio::sync::mpsc;

use crate::adapter::signing::{ChainSigner, ChainVerifier};
use crate::adapter::{Address, Chain, PostcardCodec};
use crate::config::ConsortiumConfig;
use crate::error::StartError;
use crate::evidence::EvidenceBook;
use crate::network::{self, Settings};
use crate::participation::LateVotes;
use crate::peers::Peers;
use crate::watch::{self, HEARD, Heard};

/// Requests to the engine that may wait.
const REQUESTS: usize = 16;
/// How long the engine may take to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// The voter of a node that only watches: a key that nobody holds, so that it is never a validator's.
pub(crate) const NOBODY: PublicKey = PublicKey([0xff; 32]);

/// A running engine and what it was started for.
pub(crate) struct Engine {
    pub chain: ChainId,
    /// The key it votes with, or [`NOBODY`].
    pub voter: PublicKey,
    pub channels: Channels<Chain>,
    pub handle: EngineHandle,
    /// The write-ahead log.
    pub log: PathBuf,
    /// What validators did wrong.
    pub evidence: EvidenceBook,
    /// Who signed late.
    pub late: LateVotes,
    /// The network, unless this node listens nowhere.
    pub network: Option<Ear>,
}

/// What is heard on the network beside consensus.
pub(crate) struct Ear {
    /// Who is there.
    pub peers: Peers,
    /// What may be a reason to start a height.
    pub heard: mpsc::Receiver<Heard>,
    watch: ActorRef<NetworkEvent<Chain>>,
}

/// Starts the engine over the replica's chain. If it is not to sign, it follows as an observer does,
/// whether the node is a validator or not.
pub(crate) async fn start(config: &ConsortiumConfig, signs: bool) -> Result<Engine, StartError> {
    let (chain, validators) = {
        let snapshot = config.replica.read()?;
        let (chain, _) = snapshot.chain()?;
        let validators = snapshot.validators_at(snapshot.next_height())?;
        (chain, validators.ok_or(StoreError::Unfounded)?)
    };
    let me = config.validator_key.public();
    let alone = config.peers.is_empty() && validators.as_slice().iter().all(|one| one.key == me);
    if !alone && config.listen.is_none() {
        return Err(StartError::ListenMissing(validators.as_slice().len()));
    }
    let home = |source| StartError::Home {
        path: config.home.clone(),
        source,
    };
    std::fs::create_dir_all(&config.home).map_err(home)?;
    let log = config.home.join("consensus.wal");
    if !is_free(&log).map_err(home)? {
        return Err(StartError::InUse(log));
    }
    crate::log::mend(&log, alone)?;
    let evidence = EvidenceBook::open(&config.home).map_err(home)?;
    let settings = Settings::new(&me, config)?;
    let signer = ChainSigner {
        chain,
        key: config.validator_key.clone(),
    };
    let wal = WalContext::new(log.clone(), PostcardCodec);
    let verifier = Box::new(ChainVerifier { chain });
    let voter = if signs { me } else { NOBODY };
    let consensus = if signs {
        ConsensusContext::new_validator(Address(voter), verifier, Box::new(signer.clone()))
    } else {
        ConsensusContext::new_full_node(Address(voter), verifier)
    };
    let builder = EngineBuilder::new(Chain, settings.clone())
        .with_default_wal(wal)
        .with_default_consensus(consensus)
        .with_default_request(RequestContext::new(REQUESTS));
    let (started, network) = if config.listen.is_none() {
        let (network, publish) = network::start_alone().await?;
        let builder = builder.with_custom_network(network, publish).with_no_sync();
        (builder.build().await, None)
    } else {
        let identity = network_identity(me, &signer, network::identity(&config.validator_key)?);
        let (network, publish) = network::start(&settings, identity.await?).await?;
        let (tell, heard) = mpsc::channel(HEARD);
        let peers = Peers::new(me, signs, &config.peers);
        let watch = watch::start(&network, peers.clone(), tell).await?;
        let builder = builder
            .with_custom_network(network.clone(), publish)
            .with_default_sync(SyncContext::new(PostcardCodec));
        let built = builder.build().await;
        if built.is_err() {
            network.stop(None);
            watch.stop(None);
        }
        let ear = Ear {
            peers,
            heard,
            watch,
        };
        (built, Some(ear))
    };
    let (channels, handle) = started.map_err(|error| StartError::Engine(format!("{error:#}")))?;
    Ok(Engine {
        chain,
        voter,
        channels,
        handle,
        log,
        evidence,
        late: LateVotes::default(),
        network,
    })
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.watch.stop(None);
    }
}

/// The node's identity for its peers, with the proof that it is the validator it says.
pub(crate) async fn network_identity(
    me: PublicKey,
    signer: &ChainSigner,
    keypair: Keypair,
) -> Result<NetworkIdentity, StartError> {
    let peer_id = network::peer_id(&me)?.to_bytes();
    let proof = signer
        .sign_validator_proof(me.0.to_vec(), peer_id)
        .await
        .map_err(|error| StartError::Engine(error.to_string()))?;
    let proof = PostcardCodec
        .encode(&proof)
        .map_err(|error| StartError::Engine(error.to_string()))?;
    Ok(NetworkIdentity::new_validator(
        me.short(),
        keypair,
        me.to_string(),
        proof,
    ))
}

/// Whether no engine has the write-ahead log open, in this process or another.
fn is_free(log: &Path) -> std::io::Result<bool> {
    match std::fs::File::open(log) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Stops the engine: first its parts, so that the write-ahead log is closed, then their supervisor.
/// The log has a thread of its own, which ends a moment after its actor.
pub(crate) async fn stop(handle: EngineHandle, log: &Path) {
    let node = handle.actor.get_cell();
    node.stop_children_and_wait(None, Some(STOP_PATIENCE)).await;
    if node.stop_and_wait(None, Some(STOP_PATIENCE)).await.is_err() {
        tracing::debug!("the consensus engine had stopped before it was asked to");
    }
    let deadline = Instant::now() + STOP_PATIENCE;
    while !is_free(log).unwrap_or(true) {
        if Instant::now() > deadline {
            tracing::warn!("the consensus engine still holds its write-ahead log");
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
