//! Whether another copy of this node lives: what a restored node must know before it signs anything.
//!
//! A validator that is restored while its original still runs signs everything twice, and that is what
//! [`crate::Offence`]s are made of. So a restored node first watches as an observer, over blocks that are
//! made after its start: whoever proposed one or signed one with its key, in time or late, is another
//! copy, and so is whoever says hello to its peers under its key. (Two nodes under one key share what is
//! sent to that key, so that each hears only a part; the hellos come through all the same.) Enough blocks without it also mean that every height this node may have voted on before is
//! decided, so that the votes its backup does not know of can do no harm.
//!
//! On a chain that needs this very validator no block is made while it watches. Then somebody must decide who knows
//! that the original is gone, by asking for no blocks: it only listens for greetings, and catches up. What the original
//! may have voted for at the height that is not decided is not known then. That height needs this validator, and so
//! was decided nowhere without it; the others keep to what they have locked, and a second vote of it is at worst
//! evidence against itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ledger_core::{Height, PublicKey};
use ledger_store::StoreError;
use tokio::time::Instant;

use crate::consortium::Consortium;
use crate::participation::{MAX_HEIGHTS, Signed};

/// How long a late signature may take.
const LATE: Duration = Duration::from_secs(1);
/// How long greetings are listened for where no blocks are asked for; everybody says hello every two seconds.
const GREETINGS: Duration = Duration::from_secs(8);
/// How often the blocks are looked at.
const INTERVAL: Duration = Duration::from_millis(200);

/// What watching came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnKey {
    /// So many blocks were made without it as were asked for: it may sign.
    Silent,
    /// Another copy signed or proposed this block: it must not sign.
    Signs(Height),
    /// Another copy says hello to the peers: it must not sign.
    Greets,
    /// Only so many blocks were made in time: not known.
    TooFew(u64),
}

pub(crate) async fn watch(
    consortium: &Consortium,
    key: PublicKey,
    heights: u64,
    patience: Duration,
) -> Result<OwnKey, StoreError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since_millis = since.map_or(0, |since| since.as_millis());
    let begun = Instant::now();
    let deadline = begun + patience;
    let from = consortium.status().height;
    let mut enough_since = None;
    loop {
        let status = consortium.status();
        if status.has_double {
            return Ok(OwnKey::Greets);
        }
        let tip = status.height;
        // Blocks from before are history that this node is catching up with.
        let oldest = tip.0.saturating_sub(MAX_HEIGHTS - 1);
        let new = consortium
            .participation(Height(oldest.max(from.0.saturating_add(1))), tip)?
            .into_iter()
            .filter(|block| u128::from(block.time_millis) >= since_millis);
        let mut made = 0;
        for block in new {
            made += 1;
            let signed = block.validators.iter();
            let mut signed = signed.filter(|(_, signed)| *signed != Signed::NotSeen);
            if block.proposer == key || signed.any(|(signer, _)| *signer == key) {
                return Ok(OwnKey::Signs(block.height));
            }
        }
        let furthest = status.peers.iter().filter_map(|peer| peer.height).max();
        let has_caught_up = furthest.is_some_and(|height| height <= tip);
        let is_enough = match heights {
            0 => has_caught_up && begun.elapsed() >= GREETINGS,
            _ => made >= heights,
        };
        if is_enough {
            let since = *enough_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= LATE {
                return Ok(OwnKey::Silent);
            }
        } else if Instant::now() >= deadline {
            return Ok(OwnKey::TooFew(made));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
