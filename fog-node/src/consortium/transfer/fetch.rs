//! Getting a snapshot from peers: choose one, get its chunks from several peers in turn, take each over.
//!
//! Upon the start: go on with the one that was begun in `DATA/catch-up`, or ask the peers and take the one
//! that most of them offer alike. Upon a chunk: it has the hash the manifest says, or its sender is named
//! and left; it is taken over on disk. Upon a lie that the manifest covers: whoever offered that manifest
//! is named, all is thrown away. Killed at any moment, the next call goes on with the chunk it was at.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use ledger_core::{ChainId, Genesis, PublicKey, SecretKey};
use ledger_store::{
    Replica, SNAPSHOT_MANIFEST_FILE, SnapshotChunk, SnapshotError, SnapshotImport,
    SnapshotManifest, TRUST_FILE,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::CATCH_UP;
use super::progress::Progress;
use super::sources::{Connected, Source};
use super::swap::{GOT_FILE, make_next, put_own_blocks_back};
use crate::keystore::{create_private_dir, write_private_bytes};

/// Peers that are asked at a time.
const MAX_SOURCES: usize = 4;
/// How long the others may take once one has offered a snapshot.
const OTHERS: Duration = Duration::from_secs(2);
/// Chunks that wait to be taken over.
const AHEAD: usize = 2;
/// File with the keys of those who offered the snapshot.
const OFFERED_BY: &str = "offered-by";
const HALF_FILE: &str = "half.db";

/// What is needed to get a snapshot.
pub(in crate::consortium) struct Fetch {
    pub(in crate::consortium) data_dir: PathBuf,
    pub(in crate::consortium) genesis: Genesis,
    pub(in crate::consortium) own: SecretKey,
    pub(in crate::consortium) replica: Arc<Replica>,
    /// The peers, those not refused before.
    pub(in crate::consortium) sources: Vec<Source>,
    /// The height to ask for.
    pub(in crate::consortium) at: u64,
    /// A snapshot that is not above this height is of no use.
    pub(in crate::consortium) above: u64,
    pub(in crate::consortium) progress: Arc<Progress>,
    /// Is called once a snapshot is chosen that validators have certified.
    pub(in crate::consortium) chosen: Arc<dyn Fn() + Send + Sync>,
}

/// No peer serves snapshots now.
#[derive(Debug, thiserror::Error)]
#[error("no peer answers")]
pub(in crate::consortium) struct NobodyAnswers;

/// A snapshot that peers offer alike.
struct Offer {
    /// Whose trust file was not refused, and its files.
    by: Vec<(PublicKey, String)>,
    manifest: Vec<u8>,
    trust: Vec<u8>,
    parsed: SnapshotManifest,
}

impl Fetch {
    /// Gets a snapshot and makes it the next replica; the node must be started again then.
    ///
    /// # Errors
    /// In words for the log. What is there stays for the next call, unless it was false.
    pub(in crate::consortium) async fn run(self) -> anyhow::Result<()> {
        self.progress.begin("Asks the peers for a snapshot.");
        let folder = self.data_dir.join(CATCH_UP);
        create_private_dir(&folder)?;
        if !folder.join(GOT_FILE).exists() {
            let mut connected = self.connect().await;
            if connected.is_empty() {
                return Err(NobodyAnswers.into());
            }
            let (import, offered_by) = match self.begun(&folder).await? {
                Some(begun) => begun,
                None => self.choose(&folder, &mut connected).await?,
            };
            (self.chosen)();
            self.take(&folder, import, connected, &offered_by).await?;
        }
        self.progress.say("Puts this node's own blocks back.");
        let (own, data_dir) = (Arc::clone(&self.replica), self.data_dir.clone());
        blocking(move || {
            put_own_blocks_back(&own, &data_dir.join(CATCH_UP))?;
            make_next(&data_dir)
        })
        .await?;
        self.progress
            .say("The snapshot is there; the node starts again.");
        Ok(())
    }

    fn chain(&self) -> ChainId {
        self.genesis.chain_id()
    }

    /// Connects to the peers, all at once.
    async fn connect(&self) -> VecDeque<Connected> {
        let mut connecting = JoinSet::new();
        for source in self.sources.iter().take(MAX_SOURCES).cloned() {
            let (chain, own) = (self.chain(), self.own.clone());
            connecting.spawn(async move { source.connect(chain, &own).await });
        }
        let mut connected = VecDeque::new();
        while let Some(one) = connecting.join_next().await {
            match one {
                Ok(Ok(one)) => connected.push_back(one),
                Ok(Err(error)) => tracing::debug!(%error, "a peer serves no snapshot"),
                Err(_) => {}
            }
        }
        connected
    }

    /// The snapshot that an earlier call began, if it can be gone on with.
    async fn begun(
        &self,
        folder: &Path,
    ) -> anyhow::Result<Option<(SnapshotImport, Vec<PublicKey>)>> {
        let (folder, genesis, above) = (folder.to_owned(), self.genesis.clone(), self.above);
        blocking(move || {
            let read = |name: &str| std::fs::read(folder.join(name));
            let (Ok(manifest), Ok(trust)) = (read(SNAPSHOT_MANIFEST_FILE), read(TRUST_FILE)) else {
                SnapshotImport::discard(&folder.join(HALF_FILE))?;
                return Ok(None);
            };
            let keys = std::fs::read_to_string(folder.join(OFFERED_BY)).unwrap_or_default();
            let keys = keys.lines().filter_map(|line| line.parse().ok()).collect();
            let half = folder.join(HALF_FILE);
            match SnapshotImport::open(&half, &genesis, &manifest, &trust) {
                Ok(import) if import.manifest().height > above => return Ok(Some((import, keys))),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "a snapshot that was begun cannot be gone on with");
                }
            }
            throw_away(&folder)?;
            Ok(None)
        })
        .await
    }

    /// Asks for offers and begins the best.
    async fn choose(
        &self,
        folder: &Path,
        connected: &mut VecDeque<Connected>,
    ) -> anyhow::Result<(SnapshotImport, Vec<PublicKey>)> {
        let mut offers = self.offers(connected).await;
        while let Some(best) = best(&offers) {
            let offer = offers.swap_remove(best);
            let (key, name) = offer.by.first().cloned().context("an offer of nobody")?;
            let files = folder.to_owned();
            let genesis = self.genesis.clone();
            let keys: Vec<PublicKey> = offers
                .iter()
                .filter(|one| is_alike(one, &offer))
                .flat_map(|one| one.by.iter().map(|(key, _)| *key))
                .chain([key])
                .collect();
            let offered_by = keys.clone();
            let opened = blocking(move || begin(&files, &genesis, &offer, &keys)).await?;
            match opened {
                Ok(import) => {
                    // Only those who offer it have its chunks.
                    connected.retain(|one| offered_by.contains(&one.source.key));
                    return Ok((import, offered_by));
                }
                Err(error) => self.judge(error, &[(key, name)])?,
            }
        }
        bail!("no peer offers a snapshot that helps")
    }

    /// What the connected peers offer; those that offer nothing are left out.
    async fn offers(&self, connected: &mut VecDeque<Connected>) -> Vec<Offer> {
        self.progress
            .say("Waits for a peer to make a snapshot of the state.");
        let (mut asking, at) = (JoinSet::new(), self.at);
        for mut one in connected.drain(..) {
            asking.spawn(async move {
                let offer = one.offer(at).await;
                (one, offer)
            });
        }
        let (mut offers, mut until) = (Vec::new(), None);
        loop {
            let next = asking.join_next();
            let next = match until {
                None => next.await,
                Some(until) => tokio::time::timeout_at(until, next).await.unwrap_or(None),
            };
            match next {
                None => return offers,
                Some(Ok((one, Ok(Some((manifest, trust)))))) => {
                    if let Some(offer) = self.read(&one.source, manifest, trust) {
                        offers.push(offer);
                        connected.push_back(one);
                        until.get_or_insert_with(|| tokio::time::Instant::now() + OTHERS);
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Reads an offer; it proves nothing yet.
    fn read(&self, source: &Source, manifest: Vec<u8>, trust: Vec<u8>) -> Option<Offer> {
        match SnapshotManifest::read(&manifest) {
            Ok(parsed) if parsed.height > self.above => Some(Offer {
                by: vec![(source.key, source.name.clone())],
                manifest,
                trust,
                parsed,
            }),
            Ok(_) => None,
            Err(error) => {
                self.progress
                    .refuse(source.key, &source.name, &error.to_string());
                None
            }
        }
    }

    /// Takes all chunks over.
    async fn take(
        &self,
        folder: &Path,
        mut import: SnapshotImport,
        connected: VecDeque<Connected>,
        offered_by: &[PublicKey],
    ) -> anyhow::Result<()> {
        self.progress.say("Takes over a snapshot of the state.");
        let target = import.manifest().height;
        let told = |import: &SnapshotImport| {
            let now = import.progress();
            self.progress.bytes(target, now.bytes, now.of_bytes);
        };
        told(&import);
        let names: Vec<_> = offered_by
            .iter()
            .map(|key| (*key, self.name_of(key)))
            .collect();
        let (chunks, mut arriving) = mpsc::channel(AHEAD);
        let downloading = download(connected, import.left(), chunks, Arc::clone(&self.progress));
        let downloading = tokio::spawn(downloading);
        while let Some(bytes) = arriving.recv().await {
            let (returned, outcome) = tokio::task::spawn_blocking(move || {
                let outcome = import.offer(&bytes);
                (import, outcome)
            })
            .await?;
            import = returned;
            if let Err(error) = outcome {
                downloading.abort();
                drop(import);
                return self.false_all_along(folder, error, &names);
            }
            told(&import);
        }
        match downloading.await? {
            Ended::Complete => {}
            Ended::Lost => bail!("the peers are gone before all of the snapshot was here"),
            Ended::Forgotten => {
                drop(import);
                throw_away(folder)?;
                bail!("no peer has the rest of the snapshot any more");
            }
        }
        self.progress.say("Checks the state as a whole.");
        let got = folder.join(GOT_FILE);
        let finished = tokio::task::spawn_blocking(move || import.finish(&got)).await?;
        match finished {
            Ok(()) => Ok(()),
            Err(error) => self.false_all_along(folder, error, &names),
        }
    }

    /// A snapshot whose manifest covers a lie: it goes, and who offered it is not asked again.
    fn false_all_along(
        &self,
        folder: &Path,
        error: SnapshotError,
        by: &[(PublicKey, String)],
    ) -> anyhow::Result<()> {
        let why = error.to_string();
        self.judge(error, by)?;
        throw_away(folder)?;
        bail!("the snapshot was false: {why}")
    }

    /// Names the peers of a refused snapshot; what this machine could not do is nobody's fault.
    fn judge(&self, error: SnapshotError, by: &[(PublicKey, String)]) -> anyhow::Result<()> {
        match error {
            SnapshotError::Store(_)
            | SnapshotError::File { .. }
            | SnapshotError::Exists(_)
            | SnapshotError::Incomplete
            | SnapshotError::OtherSnapshot => Err(error.into()),
            refused => {
                for (key, name) in by {
                    self.progress.refuse(*key, name, &refused.to_string());
                }
                Ok(())
            }
        }
    }

    fn name_of(&self, key: &PublicKey) -> String {
        let known = self.sources.iter().find(|one| one.key == *key);
        known.map_or_else(|| key.short(), |one| one.name.clone())
    }
}

/// How a download ended.
enum Ended {
    Complete,
    /// The peers hung up.
    Lost,
    /// The peers answer, and have it no more.
    Forgotten,
}

/// Gets the chunks in order, from the peers in turn.
async fn download(
    mut peers: VecDeque<Connected>,
    wanted: Vec<SnapshotChunk>,
    chunks: mpsc::Sender<Vec<u8>>,
    progress: Arc<Progress>,
) -> Ended {
    let mut was_lost = peers.is_empty();
    for chunk in wanted {
        loop {
            let Some(mut peer) = peers.pop_front() else {
                return if was_lost {
                    Ended::Lost
                } else {
                    Ended::Forgotten
                };
            };
            match peer.chunk(&chunk).await {
                Ok(Some(bytes)) => match chunk.check(&bytes) {
                    Ok(()) => {
                        progress.came_from(&peer.source.name);
                        peers.push_back(peer);
                        if chunks.send(bytes).await.is_err() {
                            return Ended::Lost;
                        }
                        break;
                    }
                    Err(error) => {
                        let Source { key, name, .. } = &peer.source;
                        progress.refuse(*key, name, &error.to_string());
                        was_lost = true;
                    }
                },
                Ok(None) => {}
                Err(_) => was_lost = true,
            }
        }
    }
    Ended::Complete
}

/// The offer that most peers make alike; of those, the highest.
fn best(offers: &[Offer]) -> Option<usize> {
    let alike = |offer: &Offer| offers.iter().filter(|one| is_alike(one, offer)).count();
    let numbered = offers.iter().enumerate();
    let best = numbered.max_by_key(|(_, offer)| (alike(offer), offer.parsed.height));
    best.map(|(at, _)| at)
}

/// Whether two offers have the same chunks; their certificates may have other signatures.
fn is_alike(one: &Offer, other: &Offer) -> bool {
    let (one, other) = (&one.parsed, &other.parsed);
    one.block == other.block
        && one.headers == other.headers
        && one.state == other.state
        && (one.transactions, one.readings) == (other.transactions, other.readings)
}

/// Begins an import and notes what it is of, so that it can be gone on with.
fn begin(
    folder: &Path,
    genesis: &Genesis,
    offer: &Offer,
    by: &[PublicKey],
) -> anyhow::Result<Result<SnapshotImport, SnapshotError>> {
    let half = folder.join(HALF_FILE);
    SnapshotImport::discard(&half)?;
    let import = match SnapshotImport::open(&half, genesis, &offer.manifest, &offer.trust) {
        Ok(import) => import,
        Err(error) => return Ok(Err(error)),
    };
    let keys: Vec<_> = by.iter().map(PublicKey::to_string).collect();
    write_private_bytes(&folder.join(OFFERED_BY), keys.join("\n").as_bytes())?;
    write_private_bytes(&folder.join(TRUST_FILE), &offer.trust)?;
    write_private_bytes(&folder.join(SNAPSHOT_MANIFEST_FILE), &offer.manifest)?;
    Ok(Ok(import))
}

fn throw_away(folder: &Path) -> anyhow::Result<()> {
    std::fs::remove_dir_all(folder).context("cannot throw a refused snapshot away")?;
    create_private_dir(folder)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await?
}
