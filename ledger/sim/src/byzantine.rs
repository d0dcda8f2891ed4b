//! Validators that do not keep to the rules. Each runs the honest program and twists what leaves it.
//!
//! - **Equivocate**: as proposer, builds two valid blocks and tells one half of the nodes of one, the
//!   other half of the other; votes in each half for what that half was told, together with every other
//!   equivocator. This is the attack that forks a chain once there are more than f of them.
//! - **Withhold**: keeps back a part of what it should send, to each node another part.
//! - **Lie**: proposes blocks whose state root is wrong, boasts of blocks it does not have, and gives
//!   damaged ones to who asks.

use std::collections::BTreeMap;

use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::core::{NilOrVal, SignedMessage};
use arc_malachitebft_signing::Signer as _;
use arc_malachitebft_sync::Response;
use ledger_consortium::pure::{
    Chain, Proposal, ProposalPart, ProposalStart, ValueHash, Vote, split, stream_id,
};
use ledger_core::{Block, Digest, Height};

use crate::host::at_once;
use crate::message::Message;
use crate::network::NodeIndex;
use crate::node::Node;
use crate::random::Random;

/// How far ahead a liar says it is.
const BOAST: u64 = 1000;

/// How a validator breaks the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Behaviour {
    Equivocate,
    /// In so many of thousand cases.
    Withhold(u64),
    Lie,
}

/// The two blocks of one round.
#[derive(Clone)]
struct Twins {
    first: Digest,
    second: Digest,
    parts: Vec<StreamMessage<ProposalPart>>,
    /// The stream that the second block's parts take the place of.
    replaces: Vec<u8>,
}

/// All validators that break the rules, and what they have agreed on.
pub(crate) struct Deceivers {
    behaviours: BTreeMap<NodeIndex, Behaviour>,
    /// Which nodes are told the second story.
    second_story: Vec<bool>,
    twins: BTreeMap<(Height, i64), Twins>,
    random: Random,
    /// Twisted messages so far.
    pub twisted: u64,
}

impl Deceivers {
    /// Those of `behaviours`, among `nodes` nodes.
    pub(crate) fn new(
        behaviours: BTreeMap<NodeIndex, Behaviour>,
        nodes: usize,
        mut random: Random,
    ) -> Self {
        Self {
            behaviours,
            second_story: (0..nodes).map(|_| random.chance(500)).collect(),
            twins: BTreeMap::new(),
            random,
            twisted: 0,
        }
    }

    /// Whether a node keeps to the rules.
    pub(crate) fn is_correct(&self, node: NodeIndex) -> bool {
        !self.behaviours.contains_key(&node)
    }

    /// What `node` really sends to `to` when its program sends `message`.
    pub(crate) fn twist(&mut self, node: &Node, to: NodeIndex, message: &Message) -> Vec<Message> {
        let honest = || vec![message.clone()];
        match self.behaviours.get(&node.identity.index) {
            None => honest(),
            Some(Behaviour::Withhold(per_mille)) => {
                if self.random.chance(*per_mille) {
                    self.twisted += 1;
                    return Vec::new();
                }
                honest()
            }
            Some(Behaviour::Equivocate) => {
                let second = self.second_story.get(to).copied().unwrap_or(false);
                self.tell(node, second, false, message)
            }
            Some(Behaviour::Lie) => match message {
                Message::Status(status) => {
                    let mut status = status.clone();
                    status.tip_height.0.0 += BOAST;
                    self.twisted += 1;
                    vec![Message::Status(status)]
                }
                Message::Response(number, response) => vec![self.damage(*number, response)],
                _ => self.tell(node, true, true, message),
            },
        }
    }

    /// Tells one of two stories; the second is `invalid` or not.
    fn tell(
        &mut self,
        node: &Node,
        second: bool,
        invalid: bool,
        message: &Message,
    ) -> Vec<Message> {
        let honest = || vec![message.clone()];
        match message {
            Message::Part(part) => match &part.content {
                StreamContent::Data(ProposalPart::Start(start)) => {
                    let twins = self.twins_of(node, start, invalid);
                    match twins {
                        Some(twins) if second && twins.first == start.block => {
                            self.twisted += 1;
                            twins.parts.into_iter().map(Message::Part).collect()
                        }
                        _ => honest(),
                    }
                }
                StreamContent::Data(ProposalPart::Piece(_)) if second => {
                    let stream = part.stream_id.to_bytes();
                    let replaced = self.twins.values().any(|twins| twins.replaces == stream);
                    match replaced {
                        true => Vec::new(),
                        false => honest(),
                    }
                }
                _ => honest(),
            },
            Message::Consensus(SignedConsensusMsg::Proposal(proposal)) => {
                match self.story(
                    proposal.message.height.0,
                    proposal.message.round.as_i64(),
                    second,
                ) {
                    Some(block) => self.propose(node, proposal, block),
                    None => honest(),
                }
            }
            Message::Consensus(SignedConsensusMsg::Vote(vote)) => {
                match self.revote(node, vote, second) {
                    Some(vote) => vec![Message::Consensus(SignedConsensusMsg::Vote(vote))],
                    None => honest(),
                }
            }
            Message::Liveness(LivenessMsg::Vote(vote)) => match self.revote(node, vote, second) {
                Some(vote) => vec![Message::Liveness(LivenessMsg::Vote(vote))],
                None => honest(),
            },
            _ => honest(),
        }
    }

    /// What a round's story is for one half of the nodes, if there are two.
    fn story(&self, height: Height, round: i64, second: bool) -> Option<Digest> {
        let twins = self.twins.get(&(height, round))?;
        Some(if second { twins.second } else { twins.first })
    }

    fn propose(
        &mut self,
        node: &Node,
        proposal: &SignedMessage<Chain, Proposal>,
        block: Digest,
    ) -> Vec<Message> {
        let twisted = Proposal {
            value: ValueHash(block),
            ..proposal.message.clone()
        };
        let Some(Ok(signed)) = at_once(node.identity.signer.sign_proposal(twisted)) else {
            return Vec::new();
        };
        self.twisted += 1;
        vec![Message::Consensus(SignedConsensusMsg::Proposal(signed))]
    }

    fn revote(
        &mut self,
        node: &Node,
        vote: &SignedMessage<Chain, Vote>,
        second: bool,
    ) -> Option<SignedMessage<Chain, Vote>> {
        let told = &vote.message;
        let block = self.story(told.height.0, told.round.as_i64(), second)?;
        let value = NilOrVal::Val(ValueHash(block));
        if told.value == value {
            return None;
        }
        let twisted = Vote {
            value,
            ..told.clone()
        };
        let signed = at_once(node.identity.signer.sign_vote(twisted))?.ok()?;
        self.twisted += 1;
        Some(signed)
    }

    /// The twins of this node's own fresh proposal, made when it is first told.
    fn twins_of(&mut self, node: &Node, start: &ProposalStart, invalid: bool) -> Option<Twins> {
        let at = (start.height, start.round.as_i64());
        if let Some(twins) = self.twins.get(&at) {
            return Some(twins.clone());
        }
        let own = start.proposer == node.identity.key.public() && start.valid_round.is_nil();
        if !own {
            return None;
        }
        let kept = node.disk.kept_block(start.height, &start.block)?;
        let block = Block::decode(&kept.block).ok()?;
        let twin = match invalid {
            true => with_wrong_root(block),
            false => with_other_time(node, &block)?,
        };
        let (second, bytes) = (twin.header.hash(), twin.encode());
        let announced = ProposalStart {
            block: second,
            bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            ..*start
        };
        let stream = stream_id(start.height, start.round, &second);
        let parts = (0..).zip(split(announced, &bytes)).map(|(sequence, part)| {
            let id = StreamId::new(stream.clone().into());
            StreamMessage::new(id, sequence, StreamContent::Data(part))
        });
        let twins = Twins {
            first: start.block,
            second,
            parts: parts.collect(),
            replaces: stream_id(start.height, start.round, &start.block),
        };
        self.twins.insert(at, twins.clone());
        Some(twins)
    }

    /// One of the blocks, or of the certificates, with one bit turned.
    fn damage(&mut self, number: u64, response: &Response<Chain>) -> Message {
        let Response::ValueResponse(mut response) = response.clone();
        if let Some(value) = response.values.first_mut() {
            self.twisted += 1;
            if self.random.chance(500) {
                let mut bytes = value.value_bytes.to_vec();
                let at = self.random.below(bytes.len() as u64) as usize;
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1;
                }
                value.value_bytes = bytes.into();
            } else if let Some(commit) = value.certificate.commit_signatures.first_mut() {
                let at = self.random.below(64) as usize;
                if let Some(byte) = commit.signature.0.get_mut(at) {
                    *byte ^= 1;
                }
            }
        }
        Message::Response(number, Response::ValueResponse(response))
    }
}

fn with_wrong_root(mut block: Block) -> Block {
    block.header.state_root.0[0] ^= 1;
    block
}

/// A valid block of the same transactions, one millisecond later.
fn with_other_time(node: &Node, block: &Block) -> Option<Block> {
    let verified = block.transactions.iter().map(|bytes| {
        let transaction = ledger_core::SignedTransaction::decode(bytes).ok()?;
        transaction.verify(node.identity.chain).ok()
    });
    let transactions = verified.collect::<Option<Vec<_>>>()?;
    let (time, me) = (block.header.time_millis + 1, block.header.proposer);
    let prepared = node.disk.replica().prepare(transactions, time, me).ok()?;
    Some(prepared.block.block().clone())
}
