//! Serves light clients: light blocks of any height and proofs of the newest state. Nothing here asks to
//! be believed; `docs/light-client.md` says how it is verified. And [`follow`] verifies it, with all
//! cores, for the command line.

use std::sync::Arc;

use fog_api::light::MAX_LIGHT_BLOCKS;
use fog_api::{LightPage, LightQuery, StateAnswer, StateQuery};
use ledger_core::light::{LightBlock, Step};
use ledger_core::state::StateKey;
use ledger_core::{Height, LightClient, LightError};
use ledger_store::Snapshot;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::clock::now_millis;
use crate::failure::Failure;
use crate::node::Node;

/// Longest state key that is looked up, in bytes; the ledger's own are below 64.
const MAX_KEY_BYTES: usize = 256;

impl Node {
    /// Light blocks, oldest first.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read, or does not hold the first of these blocks' certificates.
    pub async fn light_blocks(self: &Arc<Self>, query: LightQuery) -> Result<LightPage, Failure> {
        self.blocking(move |node| {
            let from = query.from.unwrap_or(1).max(1);
            let to = query.to.unwrap_or(u64::MAX);
            let limit = query.limit.unwrap_or(MAX_LIGHT_BLOCKS);
            let limit = u64::from(limit.clamp(1, MAX_LIGHT_BLOCKS));
            let count = (to.saturating_add(1).saturating_sub(from)).min(limit);
            node.light_page(
                Height(from),
                u32::try_from(count).unwrap_or(MAX_LIGHT_BLOCKS),
            )
        })
        .await
    }

    /// The light block of one height.
    ///
    /// # Errors
    /// [`Failure`] if there is none: above the tip, at 0, and where the certificate is not held.
    pub async fn light_block(self: &Arc<Self>, height: u64) -> Result<LightPage, Failure> {
        let page = self
            .blocking(move |node| node.light_page(Height(height), 1))
            .await?;
        if page.blocks.iter().any(|block| block.height == height) {
            return Ok(page);
        }
        Err(Failure::not_found(
            "There is no certified block at this height.",
            "Heights start at 1; the newest is on the chain page.",
        ))
    }

    /// What the newest state holds under a key, with its proof.
    ///
    /// # Errors
    /// [`Failure`] if the key cannot be read, or another state than the newest is asked for.
    pub async fn light_state(self: &Arc<Self>, query: StateQuery) -> Result<StateAnswer, Failure> {
        let key = hex::decode(&query.key).ok();
        let key = key.filter(|key| key.len() <= MAX_KEY_BYTES);
        let key = StateKey(key.ok_or_else(bad_key)?);
        self.blocking(move |node| {
            let snapshot = node.replica.read()?;
            let (height, proof) = snapshot.prove_state(&key)?;
            if query.height.is_some_and(|asked| asked != height.0) {
                return Err(not_newest());
            }
            Ok(StateAnswer {
                height: height.0,
                proof: hex::encode(proof.encode()),
            })
        })
        .await
    }

    fn light_page(&self, from: Height, limit: u32) -> Result<LightPage, Failure> {
        let snapshot = self.replica.read()?;
        let tip = snapshot.tip().map_or(0, |tip| tip.height().0);
        let blocks = if limit == 0 || from.0 > tip {
            Vec::new()
        } else {
            let blocks = snapshot.light_blocks(from, limit)?;
            if blocks.is_empty() && from.0 > 0 {
                return Err(never_here(&snapshot, from)?);
            }
            blocks
        };
        Ok(LightPage::of(&blocks, tip, now_millis()))
    }
}

/// Follows blocks in order and without a hole, their signatures verified on all cores.
///
/// # Errors
/// [`LightError`] of the first block that is refused; the client stays at the one before.
pub(crate) fn follow(
    blocks: Vec<LightBlock>,
    client: &mut LightClient,
    now_millis: u64,
    mut stepped: impl FnMut(Step),
) -> Result<(), LightError> {
    let chain = client.chain();
    let certified: Vec<_> = blocks
        .into_par_iter()
        .map(|block| (block.header.height, block.certify(chain)))
        .collect();
    for (height, block) in certified {
        let wanted = Height(client.height().0.saturating_add(1));
        if height != wanted {
            return Err(LightError::MissingBlock { height: wanted });
        }
        stepped(client.accept(block?, now_millis)?);
    }
    Ok(())
}

/// This node went on from a snapshot, and never had the certificate of this block.
fn never_here(snapshot: &Snapshot<'_>, height: Height) -> Result<Failure, Failure> {
    let first = snapshot.certified_from()?;
    Ok(Failure::new(
        404,
        "API-10",
        &format!("This node does not hold the certificate of block {height}."),
        format!(
            "It started from a snapshot; without a hole it holds certificates from block {first} on."
        ),
        "Ask a node that has followed the chain from the start, or put an archive of the old blocks back.",
    ))
}

fn bad_key() -> Failure {
    Failure::new(
        400,
        "API-06",
        "The state key cannot be read.",
        "A key is at most 256 bytes, written as hexadecimal digits.",
        "See docs/light-client.md for the keys there are.",
    )
}

fn not_newest() -> Failure {
    Failure::new(
        409,
        "API-09",
        "Only the newest state can be proven.",
        "The node keeps the state after its newest block, and there is another block by now or not yet.",
        "Ask without a height; the answer says after which block the state is so.",
    )
}
