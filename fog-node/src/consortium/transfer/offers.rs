//! The snapshots this node serves, as files in `DATA/consortium/offered/HEIGHT`.
//!
//! One is made when a peer asks and none is fresh, from one view of the replica, so that blocks are
//! appended meanwhile. Peers that are asked for the same height at the same time make the same chunks, of
//! which the asker can get each from any. *Volatile*: thrown away at the next start, and when nobody has
//! asked for long.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ledger_core::Digest;
use ledger_store::{Replica, SNAPSHOT_MANIFEST_FILE, TRUST_FILE};

use super::messages::Answer;
use crate::keystore::create_private_dir;

/// A snapshot is fresh until the tip is so many blocks further.
const FRESH_BLOCKS: u64 = 500;
/// Snapshots kept at a time.
const MAX_OFFERED: usize = 2;
/// A snapshot that nobody asked for goes after this time.
const MEMORY: Duration = Duration::from_secs(900);
/// How long it is waited for the height that was asked for, and how often looked.
const HEIGHT_PATIENCE: Duration = Duration::from_millis(1500);
const LOOK: Duration = Duration::from_millis(1);

struct Offered {
    folder: PathBuf,
    height: u64,
    manifest: Vec<u8>,
    trust: Vec<u8>,
    /// Hash and file of each chunk.
    chunks: Vec<(Digest, PathBuf)>,
    asked: Instant,
}

#[derive(Default)]
struct Inner {
    offered: Vec<Offered>,
    is_preparing: bool,
}

/// The snapshots.
pub(in crate::consortium) struct Offers {
    folder: PathBuf,
    inner: Mutex<Inner>,
}

impl Offers {
    /// None yet; what an earlier run left in `folder` is thrown away.
    pub(in crate::consortium) fn open(folder: PathBuf) -> anyhow::Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        Ok(Self {
            folder,
            inner: Mutex::default(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Each change below leaves the list whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers with a fresh snapshot, or has one made.
    pub(super) fn offer(self: &Arc<Self>, replica: &Arc<Replica>, at: u64) -> Answer {
        let tip = tip_of(replica);
        let mut inner = self.inner();
        let fresh = inner.offered.iter_mut().rev();
        let fresh = fresh
            .filter(|one| one.height.saturating_add(FRESH_BLOCKS) >= tip)
            .max_by_key(|one| one.height);
        if let Some(one) = fresh {
            one.asked = Instant::now();
            return Answer::Offer {
                manifest: one.manifest.clone(),
                trust: one.trust.clone(),
            };
        }
        if tip == 0 {
            return Answer::Unknown;
        }
        if !inner.is_preparing {
            inner.is_preparing = true;
            let (offers, replica) = (Arc::clone(self), Arc::clone(replica));
            tokio::task::spawn_blocking(move || offers.prepare(&replica, at));
        }
        Answer::Preparing
    }

    fn prepare(&self, replica: &Replica, at: u64) {
        let made = self.make(replica, at);
        let mut inner = self.inner();
        inner.is_preparing = false;
        match made {
            Ok(one) => {
                tracing::info!(height = one.height, "a snapshot is ready for a peer");
                inner.offered.push(one);
                while inner.offered.len() > MAX_OFFERED {
                    throw_away(&inner.offered.remove(0).folder);
                }
            }
            Err(error) => tracing::warn!(%error, "a snapshot for a peer was not made"),
        }
    }

    fn make(&self, replica: &Replica, at: u64) -> anyhow::Result<Offered> {
        let since = Instant::now();
        let view = loop {
            let view = replica.read()?;
            let height = view.tip().map_or(0, |tip| tip.height().0);
            if height >= at || since.elapsed() > HEIGHT_PATIENCE {
                break view;
            }
            drop(view);
            std::thread::sleep(LOOK);
        };
        let height = view.tip().map_or(0, |tip| tip.height().0);
        create_private_dir(&self.folder)?;
        let folder = self.folder.join(height.to_string());
        throw_away(&folder);
        let manifest = view.export_snapshot(&folder)?;
        drop(view);
        let chunks = manifest.headers.iter().chain(&manifest.state);
        let chunks = chunks.filter_map(|chunk| {
            let hash = chunk.sha256.parse().ok()?;
            Some((hash, folder.join(&chunk.name)))
        });
        Ok(Offered {
            height,
            manifest: std::fs::read(folder.join(SNAPSHOT_MANIFEST_FILE))?,
            trust: std::fs::read(folder.join(TRUST_FILE))?,
            chunks: chunks.collect(),
            asked: Instant::now(),
            folder,
        })
    }

    /// The chunk with this hash.
    pub(super) fn chunk(&self, hash: &Digest) -> Answer {
        let path = {
            let mut inner = self.inner();
            inner.offered.iter_mut().find_map(|one| {
                let found = one.chunks.iter().find(|(own, _)| own == hash)?;
                one.asked = Instant::now();
                Some(found.1.clone())
            })
        };
        let bytes = path.and_then(|path| std::fs::read(path).ok());
        bytes.map_or(Answer::Unknown, Answer::Chunk)
    }

    /// Throws away what nobody has asked for in a while.
    pub(in crate::consortium) fn tidy(&self) {
        let mut inner = self.inner();
        inner.offered.retain(|one| {
            let is_asked = one.asked.elapsed() < MEMORY;
            if !is_asked {
                throw_away(&one.folder);
            }
            is_asked
        });
    }
}

fn tip_of(replica: &Replica) -> u64 {
    let view = replica.read().ok();
    let tip = view.as_ref().and_then(|view| view.tip());
    tip.map_or(0, |tip| tip.height().0)
}

fn throw_away(folder: &Path) {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, "an old snapshot was not removed");
        }
        _ => {}
    }
}
