//! Goal: a snapshot that arrives over the network is the chain's, whatever the peers do: one lies, one hangs
//! up in the middle, one is of another chain; and what this node held before is still there afterwards.
//! Method: real channels and real replicas over loopback; peers that misbehave in one way each.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledger_core::certificate::{Certificate, CommitSignature, VoteContent, VoteKind};
use ledger_core::governance::Node;
use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    ChainId, Digest, Genesis, Height, Nonce, OrganisationId, Payload, SecretKey, SignedTransaction,
    TransactionBody,
};
use ledger_store::{CheckedBlock, Replica, fsck};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::channel::Channel;
use super::fetch::Fetch;
use super::messages::{Answer, MAX_REQUEST_BYTES, Request};
use super::offers::Offers;
use super::progress::Progress;
use super::sources::Source;
use super::swap::take_over;
use crate::node::REPLICA_FILE;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn genesis(name: &str) -> Genesis {
    let node = Node::with_one_key(key(1).public(), "one".into());
    Genesis::of_one(
        name.into(),
        1,
        OrganisationId::default(),
        node,
        Digest::ZERO,
    )
    .unwrap()
}

/// A chain of so many blocks with five transactions each.
fn chain(folder: &Path, genesis: &Genesis, blocks: u64) -> Replica {
    let replica = Replica::open(folder.join(REPLICA_FILE)).unwrap();
    replica.found(genesis, &key(1)).unwrap();
    for number in 0..blocks {
        let signed = (number * 5..number * 5 + 5).map(|nonce| {
            let body = TransactionBody {
                chain: genesis.chain_id(),
                nonce: Nonce(nonce),
                payload: Payload::RegisterDevice(RegisterDevice {
                    handle: Digest::of(&nonce.to_be_bytes()),
                    key: None,
                    simulated: true,
                }),
            };
            let signed = SignedTransaction::sign(&body, &key(1));
            signed.verify(genesis.chain_id()).unwrap()
        });
        let signed: Vec<_> = signed.collect();
        let prepared = replica.prepare(&signed, 0, key(1).public()).unwrap();
        assert!(prepared.refused.is_empty());
        let block = prepared.block;
        let certificate = block.certify(certificate(&block)).unwrap();
        replica.append(&block, &certificate).unwrap();
    }
    replica
}

fn certificate(block: &CheckedBlock) -> Certificate {
    let header = block.header();
    let vote = VoteContent {
        kind: VoteKind::Precommit,
        chain: header.chain,
        height: header.height,
        round: 0,
        block: Some(block.hash()),
        validator: key(1).public(),
    };
    Certificate {
        height: header.height,
        round: 0,
        block: block.hash(),
        signatures: vec![CommitSignature {
            validator: 0,
            signature: key(1).sign(&vote.sign_bytes()),
        }],
    }
}

/// How a peer behaves.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Honest,
    /// Changes a byte of every chunk.
    Lies,
    /// Hangs up after so many chunks.
    HangsUp(usize),
}

/// A peer that serves `replica`, and how many chunks it has sent.
struct Peer {
    source: Source,
    sent: Arc<AtomicUsize>,
    _folder: TempDir,
}

async fn peer(seed: u8, chain: ChainId, replica: &Arc<Replica>, manner: Manner) -> Peer {
    let folder = tempfile::tempdir().unwrap();
    let offers = Arc::new(Offers::open(folder.path().join("offered")).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = Source {
        key: key(seed).public(),
        name: format!("peer-{seed}"),
        address: listener.local_addr().unwrap().to_string(),
    };
    let (replica, sent) = (Arc::clone(replica), Arc::<AtomicUsize>::default());
    let count = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 23];
            stream.read_exact(&mut head).await.unwrap();
            let accepted = Channel::accept(stream, chain, &key(seed), |_| true).await;
            let Ok(mut channel) = accepted else { continue };
            while let Ok(request) = channel.receive(MAX_REQUEST_BYTES).await {
                let mut answer = match Request::decode(&request).unwrap() {
                    Request::Offer { at } => offers.offer(&replica, at),
                    Request::Chunk(hash) => offers.chunk(&hash),
                    Request::Pairing(_)
                    | Request::Taken(_)
                    | Request::Hears(_)
                    | Request::Relay(_)
                    | Request::Order(_)
                    | Request::Part(_)
                    | Request::Attest(_) => Answer::Unknown,
                };
                if let Answer::Chunk(bytes) = &mut answer {
                    if manner == Manner::HangsUp(count.load(Ordering::Relaxed)) {
                        break;
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                    if manner == Manner::Lies {
                        *bytes.last_mut().unwrap() ^= 1;
                    }
                }
                if channel.send(&answer.encode()).await.is_err() {
                    break;
                }
            }
        }
    });
    Peer {
        source,
        sent,
        _folder: folder,
    }
}

/// A node's folder whose replica has the first blocks, and what it needs to get the rest.
struct Behind {
    folder: TempDir,
    genesis: Genesis,
    progress: Arc<Progress>,
}

impl Behind {
    fn new(genesis: &Genesis, blocks: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        drop(chain(folder.path(), genesis, blocks));
        Self {
            folder,
            genesis: genesis.clone(),
            progress: Arc::default(),
        }
    }

    async fn fetch(&self, sources: &[&Peer]) -> anyhow::Result<()> {
        let replica = Arc::new(Replica::open(self.folder.path().join(REPLICA_FILE)).unwrap());
        let above = replica.read().unwrap().tip().unwrap().height().0;
        let fetch = Fetch {
            data_dir: self.folder.path().to_owned(),
            genesis: self.genesis.clone(),
            own: key(9),
            replica,
            sources: sources.iter().map(|peer| peer.source.clone()).collect(),
            at: 0,
            above,
            progress: Arc::clone(&self.progress),
            chosen: Arc::new(|| {}),
        };
        Box::pin(fetch.run()).await
    }

    /// Starts again: the snapshot takes its place.
    fn taken_over(&self) -> Replica {
        assert!(take_over(self.folder.path()).unwrap());
        assert!(!take_over(self.folder.path()).unwrap());
        let path = self.folder.path().join(REPLICA_FILE);
        let report = fsck(&path).unwrap();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        Replica::open(path).unwrap()
    }

    fn refused(&self) -> Vec<String> {
        self.progress
            .view(0)
            .map_or_else(Vec::new, |view| view.refused)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_arrives_and_own_blocks_stay() {
    let (folder, genesis) = (tempfile::tempdir().unwrap(), genesis("one"));
    let full = Arc::new(chain(folder.path(), &genesis, 20));
    let id = genesis.chain_id();
    let peers = [
        peer(2, id, &full, Manner::Honest).await,
        peer(3, id, &full, Manner::Honest).await,
    ];
    let behind = Behind::new(&genesis, 4);
    behind.fetch(&[&peers[0], &peers[1]]).await.unwrap();
    for peer in &peers {
        assert!(peer.sent.load(Ordering::Relaxed) > 0, "several in turn");
    }
    assert_eq!(behind.refused(), Vec::<String>::new());
    let view = behind.progress.view(0).unwrap();
    assert_eq!((view.target, view.percent as u32), (20, 100));
    assert!(view.of_bytes > 0);
    let replica = behind.taken_over();
    let (got, all) = (replica.read().unwrap(), full.read().unwrap());
    assert_eq!(got.tip().unwrap().hash, all.tip().unwrap().hash);
    for height in 1..=4 {
        let block = got.block(Height(height)).unwrap();
        assert_eq!(block, all.block(Height(height)).unwrap(), "block {height}");
        assert!(block.is_some());
    }
    assert!(got.is_pruned(Height(5)).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_lies_is_named_and_left() {
    let (folder, genesis) = (tempfile::tempdir().unwrap(), genesis("one"));
    let full = Arc::new(chain(folder.path(), &genesis, 12));
    let id = genesis.chain_id();
    let liar = peer(2, id, &full, Manner::Lies).await;
    let honest = peer(3, id, &full, Manner::Honest).await;
    let behind = Behind::new(&genesis, 0);
    behind.fetch(&[&liar, &honest]).await.unwrap();
    let refused = behind.refused();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].starts_with("peer-2: "), "{refused:?}");
    assert!(refused[0].contains("its hash is another"), "{refused:?}");
    assert!(behind.progress.is_liar(&key(2).public()));
    assert_eq!(
        behind.taken_over().read().unwrap().next_height(),
        Height(13)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_short_goes_on_where_it_was() {
    let (folder, genesis) = (tempfile::tempdir().unwrap(), genesis("one"));
    let full = Arc::new(chain(folder.path(), &genesis, 12));
    let id = genesis.chain_id();
    let behind = Behind::new(&genesis, 0);
    let leaves = peer(2, id, &full, Manner::HangsUp(1)).await;
    let error = behind.fetch(&[&leaves]).await.unwrap_err();
    assert!(error.to_string().contains("gone"), "{error}");
    // A wholly new life; another peer has made the same chunks.
    let stays = peer(3, id, &full, Manner::Honest).await;
    let mut channel = stays.source.clone().connect(id, &key(9)).await.unwrap();
    channel.offer(0).await.unwrap();
    drop(channel);
    behind.fetch(&[&leaves, &stays]).await.unwrap();
    assert_eq!(leaves.sent.load(Ordering::Relaxed), 1);
    let view = behind.progress.view(0).unwrap();
    let chunks = stays.sent.load(Ordering::Relaxed);
    assert_eq!((view.percent as u32, chunks), (100, 1), "headers were here");
    assert_eq!(
        behind.taken_over().read().unwrap().next_height(),
        Height(13)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_is_refused_and_changes_nothing() {
    let (folder, genesis) = (tempfile::tempdir().unwrap(), genesis("one"));
    let other = Arc::new(chain(folder.path(), &self::genesis("another"), 12));
    let behind = Behind::new(&genesis, 2);
    let deceives = peer(2, genesis.chain_id(), &other, Manner::Honest).await;
    assert!(behind.fetch(&[&deceives]).await.is_err());
    let refused = behind.refused();
    assert!(refused[0].contains("another chain"), "{refused:?}");
    assert!(!take_over(behind.folder.path()).unwrap());
    let left = Replica::open(behind.folder.path().join(REPLICA_FILE)).unwrap();
    assert_eq!(left.read().unwrap().next_height(), Height(3));
}

/// Blocks are appended while a snapshot is made, and the snapshot is of one height.
#[tokio::test(flavor = "multi_thread")]
async fn making_a_snapshot_does_not_stop_the_chain() {
    let (folder, genesis) = (tempfile::tempdir().unwrap(), genesis("one"));
    let full = Arc::new(chain(folder.path(), &genesis, 5));
    let view = full.read().unwrap();
    let block = full.prepare(&[], 0, key(1).public()).unwrap().block;
    let certificate = block.certify(certificate(&block)).unwrap();
    full.append(&block, &certificate).unwrap();
    let into = folder.path().join("snapshot");
    assert_eq!(view.export_snapshot(&into).unwrap().height, 5);
    assert_eq!(full.read().unwrap().next_height(), Height(7));
}
