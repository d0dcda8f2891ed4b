//! Who signed which block: from the certificates on disk, and from the votes that came too late for them.
//!
//! A certificate needs more than two thirds, and a block does not wait for the rest. Whoever is a little
//! further away than the others would look absent for ever, so precommits that come after the decision
//! are counted as well: their signatures are checked, and they are kept in memory for the last
//! [`MAX_LATE_HEIGHTS`] heights. After a restart only the certificates are left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_malachitebft_app_channel::app::types::core::{SignedMessage, VoteType};
use ledger_core::{ChainId, Digest, Height, PublicKey};
use ledger_store::{Replica, StoreError};

use crate::adapter::Chain;
use crate::adapter::context::Vote;
use crate::adapter::signing::is_signed_vote;
use crate::adapter::wire::block_of;

/// Most heights in one answer.
pub(crate) const MAX_HEIGHTS: u64 = 1000;
/// Heights whose late votes are kept.
const MAX_LATE_HEIGHTS: usize = 2000;
/// Votes for heights further back or ahead than this are not looked at.
const WINDOW: u64 = 4;
/// Most voters looked at for one height.
const MAX_VOTERS: usize = 512;

/// How a validator took part in a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signed {
    /// Its signature is in the certificate.
    InTime,
    /// Its signature came after the decision.
    Late,
    /// This node has not seen its signature.
    NotSeen,
}

/// Who took part in one block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Participation {
    /// The block's height.
    pub height: Height,
    /// Its time, in Unix milliseconds.
    pub time_millis: u64,
    /// Who proposed it.
    pub proposer: PublicKey,
    /// The round it was decided in; each one before it cost a timeout.
    pub round: u32,
    /// Each validator of the height, in the order of their keys.
    pub validators: Vec<(PublicKey, Signed)>,
}

#[derive(Default, Debug)]
struct Book {
    /// Precommits of heights that are being decided, unchecked.
    open: BTreeMap<Height, BTreeMap<PublicKey, SignedMessage<Chain, Vote>>>,
    /// Blocks decided lately.
    decided: BTreeMap<Height, Digest>,
    /// Whose precommits came late.
    late: BTreeMap<Height, BTreeSet<PublicKey>>,
}

/// Late votes. Clones share them.
#[derive(Clone, Default, Debug)]
pub(crate) struct LateVotes(Arc<Mutex<Book>>);

impl LateVotes {
    fn lock(&self) -> MutexGuard<'_, Book> {
        // Each change below leaves the book whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A vote was heard while the newest block was `tip`.
    pub(crate) fn hear(&self, chain: ChainId, tip: Height, vote: &SignedMessage<Chain, Vote>) {
        let (height, voter) = (vote.message.height.0, vote.message.voter.0);
        if vote.message.kind != VoteType::Precommit || height.0.abs_diff(tip.0) > WINDOW {
            return;
        }
        let mut book = self.lock();
        if height > tip {
            let votes = book.open.entry(height).or_default();
            if votes.len() < MAX_VOTERS {
                votes.insert(voter, vote.clone());
            }
        } else {
            book.take(chain, vote);
        }
    }

    /// The block `block` was decided at `height`, certified by `signers`.
    pub(crate) fn decided(
        &self,
        chain: ChainId,
        height: Height,
        block: Digest,
        signers: &BTreeSet<PublicKey>,
    ) {
        let mut book = self.lock();
        book.decided.insert(height, block);
        let later = book.open.split_off(&Height(height.0.saturating_add(1)));
        let votes = std::mem::replace(&mut book.open, later).remove(&height);
        for (voter, vote) in votes.unwrap_or_default() {
            if !signers.contains(&voter) {
                book.take(chain, &vote);
            }
        }
        while book.decided.len() as u64 > WINDOW + 1 {
            book.decided.pop_first();
        }
        while book.late.len() > MAX_LATE_HEIGHTS {
            book.late.pop_first();
        }
    }
}

impl Book {
    /// Takes a precommit for a decided block, if it is one.
    fn take(&mut self, chain: ChainId, vote: &SignedMessage<Chain, Vote>) {
        let (height, voter) = (vote.message.height.0, vote.message.voter.0);
        let block = block_of(&vote.message.value);
        let is_for_it = block.is_some() && block == self.decided.get(&height).copied();
        let voters = self.late.get(&height).map_or(0, BTreeSet::len);
        if is_for_it && voters < MAX_VOTERS && is_signed_vote(chain, vote) {
            self.late.entry(height).or_default().insert(voter);
        }
    }
}

/// Who signed the blocks from `from` to `to`, as far as they are here; at most [`MAX_HEIGHTS`].
pub(crate) fn participation(
    replica: &Replica,
    late: &LateVotes,
    from: Height,
    to: Height,
) -> Result<Vec<Participation>, StoreError> {
    let from = from.0.max(1);
    let to = to.0.min(from.saturating_add(MAX_HEIGHTS - 1));
    let snapshot = replica.read()?;
    let mut found = Vec::new();
    for height in (from..=to).map(Height) {
        let (header, certificate, validators) = (
            snapshot.header(height)?,
            snapshot.certificate(height)?,
            snapshot.validators_at(height)?,
        );
        let (Some(header), Some(certificate), Some(validators)) = (header, certificate, validators)
        else {
            break;
        };
        let in_time = certificate.signatures.iter().map(|one| one.validator);
        let in_time: BTreeSet<_> = in_time.map(usize::from).collect();
        let late = late.lock().late.get(&height).cloned().unwrap_or_default();
        let all = validators.as_slice().iter().enumerate();
        let validators = all.map(|(place, validator)| {
            let signed = match (in_time.contains(&place), late.contains(&validator.key)) {
                (true, _) => Signed::InTime,
                (false, true) => Signed::Late,
                (false, false) => Signed::NotSeen,
            };
            (validator.key, signed)
        });
        found.push(Participation {
            height,
            time_millis: header.time_millis,
            proposer: header.proposer,
            round: certificate.round,
            validators: validators.collect(),
        });
    }
    Ok(found)
}
