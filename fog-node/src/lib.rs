//! The fog node without a screen: sensors in, sealed and anchored readings out, and an API that shows
//! both.
//!
//! ```text
//! sensor ▶ ingest ▶ vault ▶ submitter ▶ consensus ▶ finality_log, live
//!                                 pairing, previews, readings, chain, proofs ◀ http ◀ console, programs
//! ```
//!
//! The desktop shell hosts a [`Node`] in process; `fogward run` hosts one without a screen. Left out:
//! what a valid block is (`ledger-core`), how bytes become measurements (`device-drivers`), how it
//! looks (`ui`).

pub mod audit;
pub mod backup;
pub mod bench;
mod bluetooth;
mod chain;
pub mod cli;
pub mod clock;
mod commissioning;
mod consents;
pub mod consortium;
mod demo;
mod device_life;
pub mod disclosure;
pub mod erasure;
mod failure;
mod finality_log;
pub mod fsck;
mod handover;
mod host;
pub mod http;
pub mod ingest;
pub mod keystore;
mod ledger_devices;
mod light;
mod live;
mod node;
mod outgoing;
mod pairing;
pub mod patients;
pub mod people;
mod place;
mod policies;
mod previews;
mod proofs;
mod provisioning;
mod readings;
mod relay;
mod requests;
mod restored;
mod retention;
mod roaming;
mod sensor;
mod status;
mod stretch;
mod submitter;
mod tell;
mod ticker;
mod time_taken;
pub mod vault;
mod xchacha;

pub use consortium::Announce;
pub use failure::Failure;
pub use finality_log::percentile;
pub use host::Host;
pub use ingest::BatchPolicy;
pub use node::{
    LOCK_FILE, Node, NodeConfig, REPLICA_FILE, SNAPSHOT_BEHIND, SerialDevice, lock_data_dir,
};
