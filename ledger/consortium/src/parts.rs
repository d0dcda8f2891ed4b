//! Blocks in pieces: how a proposal travels, and how it is put together again. Pure.
//!
//! ```text
//! sequence 0      Start { height, round, valid round, proposer, block hash, bytes }
//! sequence 1 … n  Piece, 128 kB each, the last one shorter
//! ```
//!
//! - Pieces may come in any order and from any neighbour; they belong together by who published them
//!   and by stream.
//! - A stream is complete when the announced bytes are here. Whether they hash to the announced block
//!   is for the caller to check, with everything else.
//! - Bounded: bytes per stream by what a block may have, streams per publisher by
//!   [`MAX_STREAMS_PER_PUBLISHER`], where the oldest gives way, all of them by [`MAX_OPEN_BYTES`].

#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use arc_malachitebft_app_channel::app::types::core::Round;
use ledger_core::{Digest, Height, PublicKey};

use crate::adapter::context::{ProposalPart, ProposalStart};

/// Bytes of a piece.
pub const PIECE_BYTES: usize = 128 * 1024;
/// Streams one publisher may have open.
pub const MAX_STREAMS_PER_PUBLISHER: usize = 4;

/// Bytes of all open streams together. Beyond it all are dropped; honest ones are sent again.
pub const MAX_OPEN_BYTES: usize = 64 << 20;

/// A proposal put together: the announcement and the block's bytes, unchecked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assembled {
    /// What was announced.
    pub start: ProposalStart,
    /// The block's bytes.
    pub block: Vec<u8>,
}

/// The parts of a proposal, in order.
pub fn split(start: ProposalStart, block: &[u8]) -> Vec<ProposalPart> {
    let pieces = block
        .chunks(PIECE_BYTES)
        .map(|piece| ProposalPart::Piece(piece.to_vec()));
    std::iter::once(ProposalPart::Start(start))
        .chain(pieces)
        .collect()
}

/// The stream of a proposal: which block of which height, in which round.
pub fn stream_id(height: Height, round: Round, block: &Digest) -> Vec<u8> {
    let round = round.as_i64().to_be_bytes();
    [&height.0.to_be_bytes()[..], &round[..], &block.0[..8]].concat()
}

/// The announcement of this node's own proposal.
pub fn announce(
    height: Height,
    round: Round,
    valid_round: Round,
    proposer: PublicKey,
    block: Digest,
    bytes: usize,
) -> ProposalStart {
    ProposalStart {
        height,
        round,
        valid_round,
        proposer,
        block,
        bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
    }
}

#[derive(Debug, Default)]
struct Stream {
    start: Option<ProposalStart>,
    pieces: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
}

impl Stream {
    fn pieces_of(bytes: usize) -> u64 {
        bytes.div_ceil(PIECE_BYTES) as u64
    }

    /// The whole, if every piece is here; `Err` if it can never be whole.
    fn finish(&mut self) -> Result<Option<Assembled>, ()> {
        let Some(start) = self.start else {
            return Ok(None);
        };
        let expected = start.bytes as usize;
        if self.bytes > expected {
            return Err(());
        }
        if self.bytes < expected || self.pieces.len() as u64 != Self::pieces_of(expected) {
            return Ok(None);
        }
        let last = self.pieces.keys().next_back().copied().unwrap_or(0);
        if last != Self::pieces_of(expected) {
            return Err(());
        }
        let pieces = std::mem::take(&mut self.pieces);
        Ok(Some(Assembled {
            start,
            block: pieces.into_values().collect::<Vec<_>>().concat(),
        }))
    }
}

/// Streams on their way, by publisher.
#[derive(Debug)]
pub struct Assembler {
    max_block_bytes: usize,
    streams: BTreeMap<Vec<u8>, VecDeque<(Vec<u8>, Stream)>>,
}

impl Assembler {
    /// For blocks of up to `max_block_bytes`, all encoded.
    pub const fn new(max_block_bytes: usize) -> Self {
        Self {
            max_block_bytes,
            streams: BTreeMap::new(),
        }
    }

    /// Blocks have up to `max_block_bytes` from now on, all encoded.
    pub const fn limit_blocks(&mut self, max_block_bytes: usize) {
        self.max_block_bytes = max_block_bytes;
    }

    /// Takes one part. Returns the proposal if this was its last missing part.
    pub fn take(
        &mut self,
        publisher: &[u8],
        stream: &[u8],
        sequence: u64,
        part: ProposalPart,
    ) -> Option<Assembled> {
        if self.bytes() + PIECE_BYTES > MAX_OPEN_BYTES {
            self.streams.clear();
        }
        let streams = self.streams.entry(publisher.to_vec()).or_default();
        let at = streams.iter().position(|(id, _)| id == stream);
        let at = at.unwrap_or_else(|| {
            if streams.len() >= MAX_STREAMS_PER_PUBLISHER {
                streams.pop_front();
            }
            streams.push_back((stream.to_vec(), Stream::default()));
            streams.len() - 1
        });
        let (_, open) = streams.get_mut(at)?;
        let fits = match (sequence, part) {
            (0, ProposalPart::Start(start)) => {
                open.start.get_or_insert(start);
                start.bytes as usize <= self.max_block_bytes
            }
            (1.., ProposalPart::Piece(piece)) => {
                let length = piece.len();
                if let Entry::Vacant(vacant) = open.pieces.entry(sequence) {
                    vacant.insert(piece);
                    open.bytes += length;
                }
                length <= PIECE_BYTES
                    && length > 0
                    && open.bytes <= self.max_block_bytes
                    && sequence <= Stream::pieces_of(self.max_block_bytes)
            }
            _ => false,
        };
        let finished = if fits { open.finish() } else { Err(()) };
        if !matches!(finished, Ok(None)) {
            streams.remove(at);
        }
        if streams.is_empty() {
            self.streams.remove(publisher);
        }
        finished.ok().flatten()
    }

    /// Bytes of all open streams.
    pub fn bytes(&self) -> usize {
        let streams = self.streams.values().flatten();
        streams.map(|(_, open)| open.bytes).sum()
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Drops what was announced for `height` or before.
    pub fn forget(&mut self, height: Height) {
        for streams in self.streams.values_mut() {
            streams.retain(|(_, open)| open.start.is_none_or(|start| start.height > height));
        }
        self.streams.retain(|_, streams| !streams.is_empty());
    }
}
