//! A node's disk: what a crash leaves, and what a full disk refuses.
//!
//! | Part | Written | After a crash |
//! |---|---|---|
//! | replica | one block at a time, synced | the block is there or not, as a whole |
//! | proposals | one at a time, synced | the same |
//! | outbox | one transaction at a time, synced | the same |
//! | write-ahead log | appended, synced later | what was synced, and any number of the entries after it |
//!
//! Every write counts; a fault may let the node crash before any of them. A full disk refuses every
//! write, and whoever is refused stops.

use std::collections::BTreeMap;

use arc_malachitebft_app_channel::app::consensus::Input;
use arc_malachitebft_app_channel::app::engine::wal::{decode_entry, encode_entry};
use ledger_consortium::pure::{Chain, PostcardCodec, ProposalStart};
use ledger_core::state::StateKey;
use ledger_core::{BatchNumber, Digest, Height, Nonce, VerifiedTransaction};
use ledger_store::{CheckedBlock, MemoryReplica, StoreError, VerifiedCertificate};

use crate::random::Random;

/// Why a node stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// A fault of the schedule: the power went.
    Crashed,
    /// The disk is full.
    DiskFull,
    /// The node itself failed, which no correct node may.
    Failed(String),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The write-ahead log of votes and proposals.
#[derive(Default)]
struct Log {
    height: u64,
    entries: Vec<Vec<u8>>,
    synced: usize,
}

/// A proposal that is not decided yet.
#[derive(Clone)]
pub(crate) struct Kept {
    /// How it was announced.
    pub start: ProposalStart,
    /// The block's bytes.
    pub block: Vec<u8>,
}

/// What a node has accepted from its own users and must bring into the chain.
#[derive(Default)]
pub(crate) struct Outbox {
    /// In the order of their nonces.
    pub waiting: Vec<VerifiedTransaction>,
    /// The nonce of the next one.
    pub next_nonce: Nonce,
    /// The number of the next batch.
    pub next_batch: BatchNumber,
}

/// One node's disk.
pub(crate) struct Disk {
    replica: MemoryReplica,
    log: Log,
    kept: BTreeMap<(Height, u32, Digest), Kept>,
    outbox: Outbox,
    full: bool,
    crash_in: Option<u64>,
    /// Whether votes and proposals are lost although they were synced: a planted fault.
    pub forgets: bool,
}

impl Disk {
    /// A disk with a founded replica and nothing else.
    pub(crate) fn new(replica: MemoryReplica) -> Self {
        Self {
            replica,
            log: Log::default(),
            kept: BTreeMap::new(),
            outbox: Outbox::default(),
            full: false,
            crash_in: None,
            forgets: false,
        }
    }

    /// The replica.
    pub(crate) const fn replica(&self) -> &MemoryReplica {
        &self.replica
    }

    /// The outbox.
    pub(crate) const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Lets the node crash before the write after the next `writes` ones.
    pub(crate) const fn crash_in(&mut self, writes: u64) {
        self.crash_in = Some(writes);
    }

    /// Lets the node crash at no write any more.
    pub(crate) const fn crash_never(&mut self) {
        self.crash_in = None;
    }

    /// Fills the disk, or makes room.
    pub(crate) const fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// Whether nothing can be written.
    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }

    /// What the power failure leaves: of the log, what was synced and some of the rest.
    pub(crate) fn lose_power(&mut self, random: &mut Random) {
        self.crash_in = None;
        let unsynced = self.log.entries.len() - self.log.synced;
        let survives = random.below(unsynced as u64 + 1) as usize;
        self.log.entries.truncate(self.log.synced + survives);
        if self.forgets {
            self.log.entries.clear();
            self.kept.clear();
        }
        self.log.synced = self.log.entries.len();
    }

    fn write(&mut self) -> Result<(), Stop> {
        if self.full {
            return Err(Stop::DiskFull);
        }
        match &mut self.crash_in {
            Some(0) => Err(Stop::Crashed),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The log's entries of `height`; a log of another height is started anew.
    pub(crate) fn log_of(&mut self, height: Height) -> Result<Vec<Input<Chain>>, Stop> {
        if self.log.height != height.0 {
            self.restart_log(height)?;
        }
        let read = |bytes: &Vec<u8>| {
            decode_entry(&PostcardCodec, bytes.as_slice())
                .map_err(|error| Stop::Failed(format!("its log cannot be read: {error}")))
        };
        self.log.entries.iter().map(read).collect()
    }

    /// Starts the log anew.
    pub(crate) fn restart_log(&mut self, height: Height) -> Result<(), Stop> {
        self.write()?;
        self.log = Log {
            height: height.0,
            ..Log::default()
        };
        Ok(())
    }

    /// Appends to the log; not synced.
    pub(crate) fn append_log(&mut self, height: Height, entry: Input<Chain>) -> Result<(), Stop> {
        if self.log.height != height.0 {
            return Ok(());
        }
        self.write()?;
        let mut bytes = Vec::new();
        encode_entry(entry, &PostcardCodec, &mut bytes)
            .map_err(|error| Stop::Failed(format!("its log cannot be written: {error}")))?;
        self.log.entries.push(bytes);
        Ok(())
    }

    /// Syncs the log.
    pub(crate) fn sync_log(&mut self) -> Result<(), Stop> {
        if self.log.synced == self.log.entries.len() {
            return Ok(());
        }
        self.write()?;
        self.log.synced = self.log.entries.len();
        Ok(())
    }

    /// Keeps a proposal. Durable when this returns.
    pub(crate) fn keep(&mut self, kept: Kept) -> Result<(), Stop> {
        self.write()?;
        let start = &kept.start;
        let round = start.round.as_u32().unwrap_or(0);
        self.kept.insert((start.height, round, start.block), kept);
        Ok(())
    }

    /// The proposals kept for a round.
    pub(crate) fn kept_of_round(&self, height: Height, round: u32) -> impl Iterator<Item = &Kept> {
        let first = (height, round, Digest([0; 32]));
        let last = (height, round, Digest([0xff; 32]));
        self.kept.range(first..=last).map(|(_, kept)| kept)
    }

    /// The latest proposal of a block.
    pub(crate) fn kept_block(&self, height: Height, block: &Digest) -> Option<&Kept> {
        let of_height = (height, 0, Digest([0; 32]))..=(height, u32::MAX, Digest([0xff; 32]));
        let mut latest_first = self.kept.range(of_height).rev();
        latest_first.find_map(|((_, _, hash), kept)| (hash == block).then_some(kept))
    }

    /// Appends a block and forgets the proposals of its height. Durable when this returns.
    pub(crate) fn append(
        &mut self,
        block: &CheckedBlock,
        certificate: &VerifiedCertificate,
    ) -> Result<(), Stop> {
        self.write()?;
        self.replica.append(block, certificate)?;
        let height = block.header().height;
        self.kept.retain(|(of, _, _), _| *of > height);
        let ids: Vec<_> = block.ids().collect();
        self.outbox.waiting.retain(|own| !ids.contains(&own.id()));
        Ok(())
    }

    /// Takes a transaction of this node's users. Durable, and so accepted, when this returns.
    pub(crate) fn accept(&mut self, transaction: VerifiedTransaction) -> Result<(), Stop> {
        use ledger_core::Payload;
        self.write()?;
        let body = transaction.body();
        let failed = || Stop::Failed("a counter is at its end".into());
        self.outbox.next_nonce = body.nonce.next().ok_or_else(failed)?;
        if let Payload::AnchorBatch(anchor) = &body.payload {
            self.outbox.next_batch = anchor.batch.next().ok_or_else(failed)?;
        }
        self.outbox.waiting.push(transaction);
        Ok(())
    }

    /// Changes a state entry: a planted fault.
    pub(crate) fn spoil_entry(&mut self, key: StateKey, value: Vec<u8>) {
        self.replica.spoil_entry(key, value);
    }

    /// Loses the outbox: a planted fault.
    pub(crate) fn lose_outbox(&mut self) {
        self.outbox.waiting.clear();
    }
}
