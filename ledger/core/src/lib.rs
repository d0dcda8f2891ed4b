//! The pure ledger: what a byte string must be to count as a reading, a batch, a transaction, a block,
//! a certificate or a proof, and how a state follows from a block.
//!
//! This crate knows no clock, no randomness, no files, no network and no async; everything it needs is
//! an argument. It builds for wasm32, so the console verifies with the very code the validators run.
//!
//! ```text
//! Reading ──commitment──▶ stream tree ──▶ batch tree ──root──▶ AnchorBatch ──▶ SignedTransaction
//!                                                                                │ tx_root
//!                  Genesis ◀─validators─ Certificate ─block hash─▶ Header ◀──────┘
//! ```
//!
//! Left out on purpose: where keys are kept, how votes are exchanged (`ledger-consortium`), how a
//! replica is stored (`ledger-store`).

pub mod access;
pub mod batch;
pub mod block;
pub mod canonical;
pub mod certificate;
pub mod device;
pub mod digest;
pub mod genesis;
pub mod governance;
pub mod ids;
pub mod key;
pub mod light;
pub mod merkle;
pub mod parameters;
pub mod proof;
pub mod reading;
pub mod state;
pub mod state_proof;
pub mod state_tree;
pub mod transaction;
pub mod validators;

pub use batch::{
    AnchorBatch, BatchPart, BatchPath, BatchRange, BatchTree, StreamEntry, StreamLeaves,
};
pub use block::{Block, Header};
pub use certificate::Certificate;
pub use digest::Digest;
pub use genesis::Genesis;
pub use ids::{BatchNumber, ChainId, Height, Nonce, OrganisationId, ProposalNumber, StreamId};
pub use key::{PublicKey, SecretKey, Signature};
pub use light::{LightBlock, LightClient, LightError};
pub use proof::{Proof, Verdict};
pub use reading::{Decimal, Origin, Quality, Reading, Salt, SampledData, Value};
pub use transaction::{Payload, SignedTransaction, TransactionBody, VerifiedTransaction};
pub use validators::{Validator, ValidatorSet};
