//! The users of the simulated nodes: each brings a transaction now and then, as long as blocks are
//! wanted. All transactions are simulated.

use std::time::Duration;

use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    AnchorBatch, ChainId, Digest, Payload, SecretKey, SignedTransaction, TransactionBody,
    VerifiedTransaction,
};

use crate::disk::Outbox;
use crate::random::Random;

/// Milliseconds between two transactions of one node.
const PAUSE_MILLIS: (u64, u64) = (20, 600);
/// A user waits while so many of the node's transactions wait.
const PATIENCE: usize = 64;

/// How long until a node's users bring the next transaction.
pub(crate) fn pause(random: &mut Random) -> Duration {
    Duration::from_millis(random.between(PAUSE_MILLIS.0, PAUSE_MILLIS.1))
}

/// The next transaction of a node's users; none while too many wait.
pub(crate) fn transaction(
    chain: ChainId,
    key: &SecretKey,
    outbox: &Outbox,
    random: &mut Random,
) -> Option<VerifiedTransaction> {
    if outbox.waiting.len() >= PATIENCE {
        return None;
    }
    let handle = Digest::of(&[random.next().to_be_bytes(), random.next().to_be_bytes()].concat());
    let payload = match random.chance(800) {
        true => Payload::AnchorBatch(AnchorBatch {
            batch: outbox.next_batch,
            root: handle,
            streams: 1,
            readings: 1 + random.below(4096) as u32,
        }),
        false => Payload::RegisterDevice(RegisterDevice {
            handle,
            key: None,
            simulated: true,
        }),
    };
    let body = TransactionBody {
        chain,
        nonce: outbox.next_nonce,
        payload,
    };
    SignedTransaction::sign(&body, key).verify(chain).ok()
}
