//! What a simulation leaves for the checkers: what was seen from outside, and each node's disk at the
//! end. It holds no state of consensus and no verdict.

use std::collections::{BTreeMap, BTreeSet};

use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::core::VoteType;
use ledger_consortium::pure::Chain;
use ledger_core::{ChainId, Digest, Genesis, Height};
use ledger_store::MemoryBlock;

use crate::network::NodeIndex;
use crate::time::Moment;

/// Which signature of a validator: for at most one content each it may be given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Voice {
    Proposal,
    Prevote,
    Precommit,
}

/// A correct validator signed two different things.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Doubled {
    pub node: NodeIndex,
    pub voice: Voice,
    pub height: Height,
    pub round: i64,
}

/// A node found less on its disk than it had said was final.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Forgot {
    pub node: NodeIndex,
    pub height: Height,
}

/// A node as it is at the end.
pub(crate) struct NodeRecord {
    pub correct: bool,
    pub blocks: Vec<MemoryBlock>,
    /// The state root, computed anew from its entries.
    pub root_of_entries: Digest,
}

/// All of it.
pub(crate) struct Record {
    pub chain: ChainId,
    pub genesis: Genesis,
    pub nodes: Vec<NodeRecord>,
    /// Blocks that a node said were final, in order.
    pub commits: Vec<(NodeIndex, Height, Digest)>,
    /// Transactions that were ever given to a node.
    pub submitted: BTreeSet<Digest>,
    /// Those that a correct node accepted.
    pub accepted: BTreeMap<Digest, NodeIndex>,
    pub doubled: Vec<Doubled>,
    pub forgot: Vec<Forgot>,
    /// Correct nodes that failed by themselves, and of what.
    pub failed: Vec<(NodeIndex, Height, String)>,
    /// When everything was healed.
    pub healed: Moment,
    /// When all correct nodes had what they were to have; none if they never had.
    pub reached: Option<Moment>,
    /// Whether it was ended for it had more events than any history that gets somewhere.
    pub endless: bool,
    /// When they were to have it.
    pub deadline: Moment,
    /// The height they were to have.
    pub goal: Height,
}

impl Record {
    /// At how many heights of the longest chain the validators changed.
    pub(crate) fn validator_changes(&self) -> u64 {
        let chains = self.nodes.iter().map(|node| node.blocks.as_slice());
        let longest = chains.max_by_key(|blocks| blocks.len()).unwrap_or_default();
        let headers = longest.iter().map(|block| &block.block.header);
        let changes =
            headers.filter(|header| header.validators_hash != header.next_validators_hash);
        changes.count() as u64
    }
}

/// Watches what correct validators sign.
#[derive(Default)]
pub(crate) struct Voices(BTreeMap<(NodeIndex, Voice, Height, i64), Option<Digest>>);

impl Voices {
    /// Notes what a correct node sent; tells when it contradicts what it sent before.
    pub(crate) fn heard(
        &mut self,
        node: NodeIndex,
        message: &SignedConsensusMsg<Chain>,
    ) -> Option<Doubled> {
        use arc_malachitebft_app_channel::app::types::core::NilOrVal;
        let (voice, block) = match message {
            SignedConsensusMsg::Proposal(signed) => {
                // Whoever locked a value repeats the proposal of another.
                (Voice::Proposal, Some(signed.message.value.0))
            }
            SignedConsensusMsg::Vote(signed) => {
                let voice = match signed.message.kind {
                    VoteType::Prevote => Voice::Prevote,
                    VoteType::Precommit => Voice::Precommit,
                };
                let block = match &signed.message.value {
                    NilOrVal::Nil => None,
                    NilOrVal::Val(value) => Some(value.0),
                };
                (voice, block)
            }
        };
        let (height, round) = (message.height().0, message.round().as_i64());
        let before = self.0.entry((node, voice, height, round)).or_insert(block);
        (*before != block).then_some(Doubled {
            node,
            voice,
            height,
            round,
        })
    }
}
