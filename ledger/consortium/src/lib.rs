//! Consensus over the replica: from a signed transaction to a final block on disk.
//!
//! ```text
//! submit ─▶ mempool ─reap─▶ proposal ─parts─▶ peers        Malachite (Tendermint) decides
//!              ▲               │ kept before it is told           │
//!              └── gossip ─────┘                                  ▼
//! Submission ◀── Finality ◀── FinalizedBlock ◀── one SQLite transaction ◀── block + certificate
//! ```
//!
//! **Volatile**: the mempool and the submissions waiting. Who submits keeps a transaction until it is
//! final and submits it again after a restart; the same transaction twice ends at the same place.
//! **Durable**: proposals before they are told to anybody, votes before they are sent (Malachite's
//! write-ahead log), blocks before they are acknowledged. **Final**: whatever [`Finality`] or a
//! [`FinalizedBlock`] names; it is on this node's disk with a certificate and never changes.
//!
//! A node that listens nowhere runs on the same engine, with the network replaced by none. With an
//! address to listen at the network is up from the start, also for a consortium of one, so that peers,
//! observers and validators come and go without a restart. Blocks are made on demand: while nothing
//! waits, the engine rests between two heights and no timer of consensus runs but the heartbeat. What the application answers the engine upon which message stands at the
//! head of the module `application`.
//!
//! What it costs, alone: eight fsyncs a block (proposal and block in the replica, six of the engine's
//! log) and about 2 ms of CPU, whatever the number of transactions up to some hundreds; nothing
//! measurable while idle. `cargo bench -p ledger-consortium` measures it on this machine.
//!
//! Left out: an outbox (the submitter has it), the choice of validators (the state machine's), light
//! clients (`ledger-core`).

mod adapter;
mod application;
mod config;
mod consortium;
mod engine;
mod error;
mod evidence;
mod finality;
mod hello;
mod keeper;
mod log;
pub mod mempool;
mod network;
mod own_key;
mod participation;
mod parts;
mod peers;
mod proposals;
#[doc(hidden)]
pub mod pure;
mod quorum;
mod waiting;
mod watch;

pub use config::{ConsortiumConfig, Peer};
pub use consortium::Consortium;
pub use error::{PeersError, StartError};
pub use evidence::{DoubleProposal, Evidence, Offence, ProposedBlock};
pub use finality::{EngineState, Finality, FinalizedBlock, Status, Submission, SubmitError};
pub use hello::ClockDifference;
pub use own_key::OwnKey;
pub use participation::{Participation, Signed};
pub use peers::PeerStatus;
pub use quorum::{MissingValidator, Quorum};
