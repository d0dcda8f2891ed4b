//! When the next height begins: the held answer is given
//!
//! - **at once** when a validator's vote or proposal for a later height was heard, or when a peer says
//!   that it has later blocks (a peer's word is taken every [`BELIEF_INTERVAL`] at most, unless the last
//!   block did come from a peer: whoever says so for nothing costs an empty block now and then);
//! - **when a quorum is here**, or after [`QUORUM_PATIENCE`], if a transaction could go into a block, a
//!   block is due, or this node has just started. What is proposed before others are connected is lost
//!   to them and costs a round; a node that does not begin tells nobody how far it is, and could not
//!   help others to catch up;
//! - a block is **due** when the heartbeat in force has passed since the last one, when validator changes
//!   wait for their turn, and when a proposal's time runs out;
//! - **not at all** while the node rests, because it takes over a snapshot;
//! - **not at all** otherwise: an idle chain makes no blocks. The only validator without anybody
//!   connected has nothing to tell and waits, also after its start.

use std::time::Duration;

use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::core::{Proposal as _, Vote as _};
use ledger_core::Height;
use ledger_core::governance::{self, Wakeup};
use ledger_store::StoreError;
use tokio::time::Instant;

use super::{Application, End, Held, max_encoded, now_millis};
use crate::adapter::signing::is_signed;
use crate::peers::Now;
use crate::watch::Heard;

/// How long a validator with something to propose waits for enough others to be connected.
const QUORUM_PATIENCE: Duration = Duration::from_secs(3);
/// How often a peer's word that it has later blocks begins a height.
const BELIEF_INTERVAL: Duration = Duration::from_secs(2);
/// How long a proposal may be over before a block says so.
const EXPIRY_PATIENCE: Duration = Duration::from_millis(250);
/// Votes for heights further ahead are not looked at; how far others are is in what they say.
const LOOK_AHEAD: u64 = 2;

/// What is known about the begin of the next height.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// The latest height a validator was heard to work on.
    at_work: Option<Height>,
    /// Since when there is something to propose.
    wanted: Option<Instant>,
    /// When a peer's word was last taken.
    believed: Option<Instant>,
    /// When the state has something to do although nothing is submitted.
    wakeup: Option<Instant>,
}

impl Application {
    /// Takes what was heard on the network.
    pub(super) fn heard(&mut self, heard: Heard) {
        let Heard::Signed(message) = heard else {
            return;
        };
        if let SignedConsensusMsg::Vote(vote) = &message {
            self.late.hear(self.chain, self.tip, vote);
        }
        let height = message.height().0;
        let ahead = height.0.saturating_sub(self.tip.0);
        let known = self.due.at_work.is_some_and(|known| known >= height);
        if ahead == 0 || ahead > LOOK_AHEAD || known {
            return;
        }
        let signer = match &message {
            SignedConsensusMsg::Vote(vote) => vote.validator_address().0,
            SignedConsensusMsg::Proposal(proposal) => proposal.validator_address().0,
        };
        let speaks = self.validators.find(&signer).is_some();
        if speaks && is_signed(self.chain, &message) {
            self.due.at_work = Some(height);
        }
    }

    /// Whether the held answer is to be given now.
    pub(super) fn is_due(&mut self) -> bool {
        let Some(peers) = &self.peers else {
            return self.mempool.is_ready() || self.is_block_due();
        };
        if peers.rests() {
            return false;
        }
        if self.due.at_work.is_some_and(|height| height > self.tip) {
            return true;
        }
        let now = Instant::now();
        if peers.highest().is_some_and(|height| height > self.tip) {
            let patient = self.due.believed;
            let patient = patient.is_some_and(|at| now - at < BELIEF_INTERVAL);
            if self.synced == Some(self.tip) || !patient {
                self.due.believed = Some(now);
                return true;
            }
        }
        let alone = self.is_only_validator() && !peers.any_connected();
        let starts = matches!(self.held, Some(Held::First(_))) && !alone;
        if !(starts || self.mempool.is_ready() || self.is_block_due()) {
            self.due.wanted = None;
            return false;
        }
        let since = *self.due.wanted.get_or_insert(now);
        self.validators.find(&self.me).is_none()
            || now - since >= QUORUM_PATIENCE
            || peers.quorum(&self.validators, Now::read()).is_reached()
    }

    /// Whether this node is the only validator of the next height.
    pub(super) fn is_only_validator(&self) -> bool {
        self.validators
            .as_slice()
            .iter()
            .all(|one| one.key == self.me)
    }

    /// Whether a block is due although nothing was submitted.
    fn is_block_due(&self) -> bool {
        Instant::now() >= self.block_due()
    }

    /// When a block is due although nothing is submitted.
    pub(super) fn block_due(&self) -> Instant {
        let seconds = u64::from(self.parameters.heartbeat_seconds.max(1));
        let heartbeat = self.last_block + Duration::from_secs(seconds);
        self.due
            .wakeup
            .map_or(heartbeat, |wakeup| wakeup.min(heartbeat))
    }

    /// Reads what the state says about blocks: how large, how often, and whether one is due.
    pub(super) fn read_rules(&mut self) -> Result<(), End> {
        let snapshot = self.replica.read()?;
        let parameters = governance::parameters(&snapshot).map_err(StoreError::from)?;
        let wakeup = governance::next_wakeup(&snapshot).map_err(StoreError::from)?;
        drop(snapshot);
        self.parameters = parameters;
        let bytes = parameters.max_block_bytes as usize;
        self.mempool.limit_transactions(bytes);
        self.assembler.limit_blocks(max_encoded(bytes));
        let wait = wakeup.map(|wakeup| match wakeup {
            Wakeup::Now => Duration::ZERO,
            Wakeup::At(millis) => {
                let wait = Duration::from_millis(millis.saturating_sub(now_millis()));
                // A proposer whose clock is behind makes a block that is too early.
                wait.max(EXPIRY_PATIENCE)
            }
        });
        self.due.wakeup = wait.and_then(|wait| Instant::now().checked_add(wait));
        Ok(())
    }

    /// The answer was given.
    pub(super) fn begun(&mut self) {
        self.due.wanted = None;
    }
}
