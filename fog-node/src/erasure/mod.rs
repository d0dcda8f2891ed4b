//! Erasure: all that this node holds of a patient, or the readings of a device, destroyed for good.
//!
//! ```text
//! survey ─▶ one commit of the vault: other keys, rows gone, certificate, tombstone in the outbox ─▶ log emptied
//!                                                                            │ final
//! every node of the organisation ◀── tombstones of the ledger, in order ◀────┘
//!      └─ still has a patient or device of this name? erases it, too
//! ```
//!
//! Upon a tombstone of the own organisation (before anything is served after a start, then with each block): a node
//! that holds a patient or device whose name it is erases it, with a certificate of its own. So do nodes to which a
//! patient came with a device, nodes that were away, and nodes restored from a backup of before. What is destroyed and
//! how is in [`destroy`], what is said of it in [`certificate`].
//!
//! Killed at any moment, either nothing was erased or all was, and the tombstone is in the outbox, which is told until
//! it is final.
//!
//! Left out: what is not on this organisation's nodes. Backups, and what was disclosed before, are named in the
//! certificate.

pub mod certificate;
pub mod destroy;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fog_api::{Erase, ErasureView};
use ledger_core::Digest;
use ledger_core::access::{self, AccessState, Period, Purpose};
use tokio::sync::broadcast::error::RecvError;

use self::certificate::{Erasure, view_of};
use self::destroy::{Survey, Target};
use crate::clock::unix_millis;
use crate::consents::InForce;
use crate::failure::Failure;
use crate::ingest::Item;
use crate::node::Node;
use crate::patients::patient::Patient;
use crate::tell::block_clock;
use crate::vault::erasures::{self, ErasureRow};
use crate::vault::{self, VAULT_FILE, devices};

/// Pause before it is tried again to erase what could not be erased.
const RETRY: Duration = Duration::from_secs(1);

/// What the vault's writer is to erase.
#[derive(Debug)]
pub struct EraseOrder {
    /// Of what all.
    pub target: Target,
    /// Requests for the patient's data, by their handles: their reasons go.
    pub requests: Vec<Digest>,
    /// Those of them that are ended.
    pub ended: Vec<Digest>,
    /// Those of them under which something was served.
    pub disclosed: Vec<Digest>,
    /// The patient's consents, by their ids: their rows go.
    pub consents: Vec<[u8; 16]>,
    /// What is in force by them.
    pub in_force: Vec<InForce>,
    /// When backups were made, in Unix milliseconds, as far as it is known.
    pub backups: Vec<u64>,
    /// Where the readings are, as far as it was looked.
    pub survey: Survey,
}

/// What was erased.
#[derive(Clone, Debug)]
pub struct Erased {
    /// What the certificate says.
    pub erasure: Erasure,
    /// The certificate, and the tombstone's transaction.
    pub row: ErasureRow,
}

/// The tombstones of this node's organisation, as far as they were followed.
#[derive(Default)]
pub(crate) struct Tombstones {
    followed: Mutex<Followed>,
    /// Held while they are followed.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Followed {
    next: u64,
    handles: BTreeSet<Digest>,
}

impl Tombstones {
    fn followed(&self) -> MutexGuard<'_, Followed> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the organisation has said that it has erased this patient.
    pub(crate) fn has(&self, patient: &Patient) -> bool {
        let handle = patient.erasure_handle();
        self.followed().handles.contains(&handle)
    }
}

/// Erases what other nodes of the organisation have erased, as long as there is a node.
pub(crate) async fn follow(node: Weak<Node>) {
    let Some(mut blocks) = node.upgrade().map(|node| node.consortium.subscribe()) else {
        return;
    };
    loop {
        let Some(strong) = node.upgrade() else { return };
        let erased = strong.follow_tombstones().await;
        drop(strong);
        let next = blocks.recv();
        match erased {
            Ok(()) => {
                if matches!(next.await, Err(RecvError::Closed)) {
                    return;
                }
            }
            Err(failure) => {
                tracing::error!(%failure, "what another node erased could not be erased here yet");
                // A block or the pause: either is reason to try again.
                if let Ok(Err(RecvError::Closed)) = tokio::time::timeout(RETRY, next).await {
                    return;
                }
            }
        }
    }
}

impl Node {
    /// Erases all that this node holds of a patient; answers once that is durable. The ledger and the other nodes of
    /// the organisation hear of it by themselves.
    ///
    /// # Errors
    /// [`Failure`] if there is no such patient, `ERA-01` if the id was not typed once more.
    pub async fn erase_patient(
        self: &Arc<Self>,
        id: &str,
        asked: &Erase,
    ) -> Result<ErasureView, Failure> {
        let patient = self.patients.named(id)?.id;
        confirmed(id, asked)?;
        self.erase(Target::Patient(patient)).await
    }

    /// Erases all readings that this node holds of a device, and whose it was before; whose it is stays. Answers once
    /// that is durable.
    ///
    /// # Errors
    /// [`Failure`] if there never was such a device, `ERA-01` if the id was not typed once more.
    pub async fn erase_device(
        self: &Arc<Self>,
        id: &str,
        asked: &Erase,
    ) -> Result<ErasureView, Failure> {
        self.check_was_paired(id)?;
        confirmed(id, asked)?;
        self.erase(Target::Device(id.to_owned())).await
    }

    /// The certificates of what was erased at this node, the newest first.
    ///
    /// # Errors
    /// [`Failure`] if vault or replica cannot be read.
    pub async fn erasures(self: &Arc<Self>) -> Result<Vec<ErasureView>, Failure> {
        self.blocking(|node| {
            let rows = erasures::all(&node.vault())?;
            let view = |row: &ErasureRow| {
                let erasure = row.signed.verify().map_err(Failure::internal)?;
                node.erasure_view(&erasure, row)
            };
            rows.iter().map(view).collect()
        })
        .await
    }

    fn erasure_view(&self, erasure: &Erasure, row: &ErasureRow) -> Result<ErasureView, Failure> {
        let found = self.replica.read()?.transaction(&row.tx)?;
        let height = found.map(|found| found.height.0);
        Ok(view_of(erasure, &row.signed, &row.tx, height))
    }

    async fn erase(self: &Arc<Self>, target: Target) -> Result<ErasureView, Failure> {
        let node = Arc::clone(self);
        // Whoever asked may go away meanwhile; what is gone from the vault must not stay in memory.
        let erasing = tokio::spawn(async move { node.erase_whole(target).await });
        erasing.await.map_err(Failure::internal)?
    }

    async fn erase_whole(self: &Arc<Self>, target: Target) -> Result<ErasureView, Failure> {
        let _turn = self.patients.turn().await;
        let wanted = target.clone();
        let order = self.blocking(move |node| node.erase_order(wanted)).await?;
        let erased = self.until_durable(|done| Item::Erase(Box::new(order), done));
        let Erased { erasure, row } = erased.await?.map_err(|_| gone())?;
        if let Target::Patient(id) = &target {
            self.patients.forget(id);
            self.consents.forget(id);
        }
        // What was seen last of a device may have been hers.
        let touched = erasure.streams.iter().map(|of| of.device.to_string());
        self.live.forget_values(&touched.collect());
        self.look_again(&mut None)?;
        let readings = erasure.readings();
        tracing::info!(handle = %erasure.handle, readings, "erased for good");
        self.erasure_view(&erasure, &row)
    }

    /// What is to be done, as far as it can be told beside the writer.
    fn erase_order(&self, target: Target) -> Result<EraseOrder, Failure> {
        // Not the node's own connection: this may take long.
        let vault = vault::open_read_only(&self.data_dir.join(VAULT_FILE))?;
        let mut order = EraseOrder {
            requests: Vec::new(),
            ended: Vec::new(),
            disclosed: Vec::new(),
            consents: Vec::new(),
            in_force: Vec::new(),
            backups: crate::backup::noted(&self.data_dir),
            survey: Survey::default(),
            target,
        };
        order.survey.look(&vault, &self.master, &order.target)?;
        if let Target::Patient(id) = &order.target {
            let patient = self.patients.find(id).ok_or_else(gone)?;
            self.add_requests(&patient, &mut order)?;
            (order.consents, order.in_force) = self.all_consents(&patient)?;
        }
        Ok(order)
    }

    /// Adds the requests for a patient's data that the ledger has.
    fn add_requests(&self, patient: &Patient, order: &mut EraseOrder) -> Result<(), Failure> {
        let snapshot = self.replica.read()?;
        let Some(own) = self.organisation(&snapshot)? else {
            return Ok(());
        };
        let (handles, now) = (all_handles(patient), block_clock(&snapshot)?.time_millis);
        let mut hers = Vec::new();
        snapshot.for_each_access(|access| {
            if access.asked.holder == own && handles.contains(&access.asked.subject) {
                hers.push(access);
            }
        })?;
        for found in hers {
            let handle = found.asked.handle;
            order.requests.push(handle);
            let is_open = matches!(found.state, AccessState::Granted | AccessState::Waiting);
            if is_open && now < found.until_millis {
                order.ended.push(handle);
            }
            let served = access::receipts(&snapshot, &handle).map_err(Failure::internal)?;
            if served.count > 0 {
                order.disclosed.push(handle);
            }
        }
        Ok(())
    }

    /// Erases what the organisation's tombstones name and this node still has.
    pub(crate) async fn follow_tombstones(self: &Arc<Self>) -> Result<(), Failure> {
        let _turn = self.tombstones.turn.lock().await;
        let new = self.new_tombstones()?;
        if new.is_empty() {
            return Ok(());
        }
        let mut named = self.erasable()?;
        for handle in new {
            if let Some(target) = named.remove(&handle) {
                match self.erase(target).await {
                    Ok(_) => named = self.erasable()?,
                    // Somebody has erased it here meanwhile.
                    Err(failure) if failure.error.code == GONE => {}
                    Err(failure) => return Err(failure),
                }
            }
            let mut followed = self.tombstones.followed();
            followed.next += 1;
            followed.handles.insert(handle);
        }
        Ok(())
    }

    /// The names of those that were not followed yet, in order.
    fn new_tombstones(&self) -> Result<Vec<Digest>, Failure> {
        let snapshot = self.replica.read()?;
        let Some(own) = self.organisation(&snapshot)? else {
            return Ok(Vec::new());
        };
        let all = access::tombstones(&snapshot, &own).map_err(Failure::internal)?;
        let next = self.tombstones.followed().next;
        let handle = |number| {
            let kept = access::tombstone(&snapshot, &own, number).map_err(Failure::internal)?;
            let kept = kept.ok_or_else(|| Failure::internal("a tombstone is missing"))?;
            Ok(kept.tombstone.handle)
        };
        (next..all).map(handle).collect()
    }

    /// What this node has, by the names under which it would be erased.
    fn erasable(&self) -> Result<BTreeMap<Digest, Target>, Failure> {
        let mut named: BTreeMap<_, _> = self.patients.by_erasure_handle();
        let vault = self.vault();
        for (id, _) in devices::handles(&vault)? {
            let target = Target::Device(id);
            let handle = target.handle(&vault, &self.master)?;
            named.extend(handle.map(|handle| (handle, target)));
        }
        Ok(named)
    }
}

/// All handles under which a patient may have been asked for: of each purpose, from the month before she was added to
/// the next one.
pub(crate) fn all_handles(patient: &Patient) -> BTreeSet<Digest> {
    const MONTH_MILLIS: u64 = 31 * 24 * 3_600_000;
    let since = u64::try_from(patient.since).unwrap_or(0);
    let (mut period, last) = (
        Period::at(since.saturating_sub(MONTH_MILLIS)),
        Period::at(unix_millis()).next(),
    );
    let mut handles = BTreeSet::new();
    while period <= last {
        let of_purpose = |purpose: &Purpose| patient.handle(*purpose, period);
        handles.extend(Purpose::ALL.iter().map(of_purpose));
        period = period.next();
    }
    handles
}

/// Refuses what was not typed once more.
fn confirmed(id: &str, asked: &Erase) -> Result<(), Failure> {
    if asked.confirm == id {
        return Ok(());
    }
    Err(Failure::new(
        400,
        "ERA-01",
        "Nothing was erased.",
        "The id was not typed once more, exactly as it is.",
        "Make sure that it is meant, and type the id.",
    ))
}

/// Code of what is not there to be erased.
const GONE: &str = "ERA-02";

fn gone() -> Failure {
    Failure::new(
        404,
        GONE,
        "There is nothing to erase.",
        "This node has no such patient or device any more.",
        "Look at the certificates with fogward erase --list.",
    )
}
