//! A batch of readings under one root, grouped by stream so that one stream's part can be proven and
//! disclosed alone.
//!
//! ```text
//! batch root ─ RFC 6962 over stream entries, in the order of their stream ids
//!   └ stream entry = tagged("fogward/stream/1", postcard(StreamEntry))
//!        StreamEntry { salt, stream, first_sequence, count, root }
//!                                                            └ RFC 6962 over reading commitments
//! ```
//!
//! Only the batch root and two counts go on chain ([`AnchorBatch`]): no stream, device or value.

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::Digest;
use crate::ids::{BatchNumber, StreamId};
use crate::merkle;
use crate::reading::Salt;

/// Most streams one batch may hold.
pub const MAX_STREAMS: u32 = 1 << 16;
/// Most readings one batch may hold.
pub const MAX_READINGS: u32 = 1 << 24;

/// What an anchor transaction puts on chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AnchorBatch {
    /// The node's number for the batch.
    pub batch: BatchNumber,
    /// Root over the stream entries.
    pub root: Digest,
    /// How many stream entries the root stands for.
    pub streams: u32,
    /// How many readings the entries stand for, together.
    pub readings: u32,
}

/// One stream's part of a batch; hashed into the batch tree, disclosed in a proof.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StreamEntry {
    /// Hides the entry from those it is not disclosed to.
    pub salt: Salt,
    /// The stream.
    pub stream: StreamId,
    /// Sequence of the first reading; the others follow without a hole.
    pub first_sequence: u64,
    /// How many readings.
    pub count: u32,
    /// Root over their commitments.
    pub root: Digest,
}

impl StreamEntry {
    /// The entry's leaf hash in the batch tree.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        let entry = Digest::tagged("fogward/stream/1", &[&canonical::encode(self)]);
        merkle::leaf_hash(&entry.0)
    }
}

/// The commitments of one stream's readings, in sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamLeaves {
    /// The stream.
    pub stream: StreamId,
    /// Salt of the stream's entry.
    pub salt: Salt,
    /// Sequence of the first reading.
    pub first_sequence: u64,
    /// [`merkle::leaf_hash`] of each commitment.
    pub leaves: Vec<Digest>,
}

impl StreamLeaves {
    /// The stream's entry in the batch.
    #[must_use]
    pub fn entry(&self) -> StreamEntry {
        StreamEntry {
            salt: self.salt,
            stream: self.stream,
            first_sequence: self.first_sequence,
            // More than fit are refused with the batch.
            count: u32::try_from(self.leaves.len()).unwrap_or(u32::MAX),
            root: merkle::root(&self.leaves),
        }
    }
}

/// One stream's part of a batch, as the batch's tree is built of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BatchPart {
    /// With all commitments: paths to its readings can be made.
    Leaves(StreamLeaves),
    /// The entry alone, of a stream whose readings are erased: the other streams' paths go past it.
    Entry(StreamEntry),
}

/// A batch's whole tree, on the node that made it.
#[derive(Clone, Debug)]
pub struct BatchTree {
    parts: Vec<BatchPart>,
    entries: Vec<StreamEntry>,
    leaves: Vec<Digest>,
    readings: u32,
}

/// What a batch cannot be built of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// No stream, or a stream without a reading.
    #[error("a batch and each stream in it hold at least one reading")]
    Empty,
    /// More streams or readings than allowed.
    #[error("a batch holds at most {MAX_STREAMS} streams and {MAX_READINGS} readings")]
    TooLarge,
    /// The same stream twice.
    #[error("a stream may appear once in a batch")]
    DuplicateStream,
}

impl BatchTree {
    /// Builds the tree; the streams may come in any order.
    ///
    /// # Errors
    /// [`BatchError`] if a stream is empty or named twice, or there are too many.
    pub fn build(streams: Vec<StreamLeaves>) -> Result<Self, BatchError> {
        Self::rebuild(streams.into_iter().map(BatchPart::Leaves).collect())
    }

    /// Builds the same tree of what is left of it; the parts may come in any order.
    ///
    /// # Errors
    /// [`BatchError`] as [`BatchTree::build`].
    pub fn rebuild(parts: Vec<BatchPart>) -> Result<Self, BatchError> {
        let entry = |part: &BatchPart| match part {
            BatchPart::Leaves(leaves) => leaves.entry(),
            BatchPart::Entry(entry) => entry.clone(),
        };
        let mut parts: Vec<_> = parts.into_iter().map(|part| (entry(&part), part)).collect();
        if parts.is_empty() || parts.iter().any(|(entry, _)| entry.count == 0) {
            return Err(BatchError::Empty);
        }
        let readings: u64 = parts.iter().map(|(entry, _)| u64::from(entry.count)).sum();
        if parts.len() > MAX_STREAMS as usize || readings > u64::from(MAX_READINGS) {
            return Err(BatchError::TooLarge);
        }
        parts.sort_by_key(|(entry, _)| entry.stream);
        if parts
            .array_windows()
            .any(|[(one, _), (next, _)]| one.stream == next.stream)
        {
            return Err(BatchError::DuplicateStream);
        }
        let (entries, parts): (Vec<_>, _) = parts.into_iter().unzip();
        let leaves = entries.iter().map(StreamEntry::leaf).collect();
        Ok(Self {
            parts,
            entries,
            leaves,
            readings: readings as u32,
        })
    }

    /// What goes on chain for this tree.
    #[must_use]
    pub fn anchor(&self, batch: BatchNumber) -> AnchorBatch {
        AnchorBatch {
            batch,
            root: merkle::root(&self.leaves),
            streams: self.entries.len() as u32,
            readings: self.readings,
        }
    }

    /// The path from one reading to the batch root, or `None` if the batch does not hold it, or only its stream's
    /// entry any more.
    #[must_use]
    pub fn path(&self, stream: StreamId, sequence: u64) -> Option<BatchPath> {
        let at = self
            .entries
            .binary_search_by_key(&stream, |entry| entry.stream)
            .ok()?;
        let BatchPart::Leaves(leaves) = self.parts.get(at)? else {
            return None;
        };
        let index = sequence.checked_sub(leaves.first_sequence)?;
        Some(BatchPath {
            reading_path: merkle::path(&leaves.leaves, usize::try_from(index).ok()?)?,
            entry: self.entries.get(at)?.clone(),
            entry_index: at as u32,
            entry_path: merkle::path(&self.leaves, at)?,
        })
    }
}

/// The way from a reading's commitment to a batch root.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchPath {
    /// Siblings from the commitment up to the stream's root.
    pub reading_path: Vec<Digest>,
    /// The stream's entry.
    pub entry: StreamEntry,
    /// The entry's place among the batch's streams.
    pub entry_index: u32,
    /// Siblings from the entry up to the batch root.
    pub entry_path: Vec<Digest>,
}

impl BatchPath {
    /// Whether the reading `sequence` of `stream` with this `commitment` is in `anchor`'s batch.
    #[must_use]
    pub fn verify(
        &self,
        stream: StreamId,
        sequence: u64,
        commitment: &Digest,
        anchor: &AnchorBatch,
    ) -> bool {
        let Some(index) = sequence.checked_sub(self.entry.first_sequence) else {
            return false;
        };
        self.entry.stream == stream
            && self.entry.count <= anchor.readings
            && merkle::verify(
                merkle::leaf_hash(&commitment.0),
                index,
                u64::from(self.entry.count),
                &self.reading_path,
                &self.entry.root,
            )
            && merkle::verify(
                self.entry.leaf(),
                u64::from(self.entry_index),
                u64::from(anchor.streams),
                &self.entry_path,
                &anchor.root,
            )
    }
}

/// The way from the commitments of readings that follow each other in one stream to a batch root.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchRange {
    /// Hashes beside the commitments up to the stream's root, as [`merkle::range_path`] gives them.
    pub siblings: Vec<Digest>,
    /// The stream's entry.
    pub entry: StreamEntry,
    /// The entry's place among the batch's streams.
    pub entry_index: u32,
    /// Siblings from the entry up to the batch root.
    pub entry_path: Vec<Digest>,
}

impl BatchTree {
    /// The path from readings of a stream that follow each other to the batch root, or `None` if the batch does not
    /// hold them all.
    #[must_use]
    pub fn range(&self, stream: StreamId, first_sequence: u64, count: u32) -> Option<BatchRange> {
        let at = self
            .entries
            .binary_search_by_key(&stream, |entry| entry.stream)
            .ok()?;
        let BatchPart::Leaves(leaves) = self.parts.get(at)? else {
            return None;
        };
        let first = first_sequence.checked_sub(leaves.first_sequence)?;
        let first = usize::try_from(first).ok()?;
        Some(BatchRange {
            siblings: merkle::range_path(&leaves.leaves, first, count as usize)?,
            entry: self.entries.get(at)?.clone(),
            entry_index: at as u32,
            entry_path: merkle::path(&self.leaves, at)?,
        })
    }
}

impl BatchRange {
    /// Whether readings of `stream` from `first_sequence` on with these `commitments` are in `anchor`'s batch.
    #[must_use]
    pub fn verify(
        &self,
        stream: StreamId,
        first_sequence: u64,
        commitments: &[Digest],
        anchor: &AnchorBatch,
    ) -> bool {
        let Some(first) = first_sequence.checked_sub(self.entry.first_sequence) else {
            return false;
        };
        let leaves: Vec<_> = commitments
            .iter()
            .map(|commitment| merkle::leaf_hash(&commitment.0))
            .collect();
        let count = u64::from(self.entry.count);
        let root = merkle::root_from_range(&leaves, first, count, &self.siblings);
        self.entry.stream == stream
            && self.entry.count <= anchor.readings
            && root == Some(self.entry.root)
            && merkle::verify(
                self.entry.leaf(),
                u64::from(self.entry_index),
                u64::from(anchor.streams),
                &self.entry_path,
                &anchor.root,
            )
    }
}
