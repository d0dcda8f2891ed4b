//! The parts of consensus that know no clock, network, disk or thread: what the simulated consortium
//! of `ledger-sim` runs on, so that it simulates this program and not a model of it.
//!
//! For that crate only; nothing here is promised to anybody else. Left out: the application's loop,
//! which lives on tokio and SQLite.

pub use crate::adapter::codec::{CodecError, PostcardCodec};
pub use crate::adapter::context::{
    Address, BlockHeight, Chain, Proposal, ProposalPart, ProposalStart, Validators, ValueHash,
    Vote, proposer_index,
};
pub use crate::adapter::signing::{ChainSigner, ChainVerifier, Ed25519};
pub use crate::application::TIMEOUTS;
pub use crate::application::blocks::{certificate_of, decided_value};
pub use crate::network::peer_id;
pub use crate::parts::{Assembled, Assembler, PIECE_BYTES, announce, split, stream_id};
pub use crate::proposals::MAX_CLOCK_AHEAD_MILLIS;
