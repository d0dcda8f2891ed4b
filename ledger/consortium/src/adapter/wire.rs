//! The bytes nodes exchange and keep in the write-ahead log: plain structs for postcard, one per
//! message, and the conversions to and from Malachite's types.
//!
//! Golden bytes in the tests pin them. A round that does not exist is `None`; a height or a number of
//! bytes is a varint; keys, digests and signatures are raw.

use arc_malachitebft_app_channel::app::types::core::{
    NilOrVal, Round, RoundCertificateType, SignedMessage, Validity, VoteType,
};
use arc_malachitebft_app_channel::app::types::{ProposedValue, SignedConsensusMsg};
use ledger_core::certificate::VoteKind;
use ledger_core::{Digest, Height, PublicKey, Signature};
use serde::{Deserialize, Serialize};

use super::context::{
    Address, BlockHeight, Chain, Proposal, ProposalPart, ProposalStart, ValueHash, Vote,
};
use crate::hello::Hello;

/// `-1` has no place here: a round is there or not.
type MaybeRound = Option<u32>;

pub(super) fn nil_or(block: Option<Digest>) -> NilOrVal<ValueHash> {
    block.map_or(NilOrVal::Nil, |digest| NilOrVal::Val(ValueHash(digest)))
}

pub(crate) fn block_of(value: &NilOrVal<ValueHash>) -> Option<Digest> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(value) => Some(value.0),
    }
}

pub(super) const fn kind_of(kind: VoteType) -> VoteKind {
    match kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    }
}

pub(super) const fn type_of(kind: VoteKind) -> VoteType {
    match kind {
        VoteKind::Prevote => VoteType::Prevote,
        VoteKind::Precommit => VoteType::Precommit,
    }
}

/// A vote and its signature.
#[derive(Serialize, Deserialize)]
pub(super) struct SignedVote {
    kind: VoteKind,
    height: Height,
    round: MaybeRound,
    block: Option<Digest>,
    voter: PublicKey,
    signature: Signature,
}

impl From<&SignedMessage<Chain, Vote>> for SignedVote {
    fn from(vote: &SignedMessage<Chain, Vote>) -> Self {
        Self {
            kind: kind_of(vote.message.kind),
            height: vote.message.height.0,
            round: vote.message.round.as_u32(),
            block: block_of(&vote.message.value),
            voter: vote.message.voter.0,
            signature: vote.signature,
        }
    }
}

impl From<SignedVote> for SignedMessage<Chain, Vote> {
    fn from(vote: SignedVote) -> Self {
        let message = Vote {
            kind: type_of(vote.kind),
            height: BlockHeight(vote.height),
            round: Round::from(vote.round),
            value: nil_or(vote.block),
            voter: Address(vote.voter),
        };
        Self::new(message, vote.signature)
    }
}

/// A proposal and its signature.
#[derive(Serialize, Deserialize)]
pub(super) struct SignedProposal {
    height: Height,
    round: MaybeRound,
    pol_round: MaybeRound,
    block: Digest,
    proposer: PublicKey,
    signature: Signature,
}

/// What validators sign.
#[derive(Serialize, Deserialize)]
pub(super) enum Consensus {
    Vote(SignedVote),
    Proposal(SignedProposal),
}

impl From<&SignedConsensusMsg<Chain>> for Consensus {
    fn from(message: &SignedConsensusMsg<Chain>) -> Self {
        match message {
            SignedConsensusMsg::Vote(vote) => Self::Vote(vote.into()),
            SignedConsensusMsg::Proposal(proposal) => Self::Proposal(SignedProposal {
                height: proposal.message.height.0,
                round: proposal.message.round.as_u32(),
                pol_round: proposal.message.pol_round.as_u32(),
                block: proposal.message.value.0,
                proposer: proposal.message.proposer.0,
                signature: proposal.signature,
            }),
        }
    }
}

impl From<Consensus> for SignedConsensusMsg<Chain> {
    fn from(message: Consensus) -> Self {
        match message {
            Consensus::Vote(vote) => Self::Vote(vote.into()),
            Consensus::Proposal(signed) => {
                let proposal = Proposal {
                    height: BlockHeight(signed.height),
                    round: Round::from(signed.round),
                    value: ValueHash(signed.block),
                    pol_round: Round::from(signed.pol_round),
                    proposer: Address(signed.proposer),
                };
                Self::Proposal(SignedMessage::new(proposal, signed.signature))
            }
        }
    }
}

/// A value that was received whole, in the write-ahead log.
#[derive(Serialize, Deserialize)]
pub(super) struct Proposed {
    height: Height,
    round: MaybeRound,
    valid_round: MaybeRound,
    proposer: PublicKey,
    block: Digest,
    valid: bool,
}

impl From<&ProposedValue<Chain>> for Proposed {
    fn from(value: &ProposedValue<Chain>) -> Self {
        Self {
            height: value.height.0,
            round: value.round.as_u32(),
            valid_round: value.valid_round.as_u32(),
            proposer: value.proposer.0,
            block: value.value.0,
            valid: value.validity.is_valid(),
        }
    }
}

impl From<Proposed> for ProposedValue<Chain> {
    fn from(value: Proposed) -> Self {
        Self {
            height: BlockHeight(value.height),
            round: Round::from(value.round),
            valid_round: Round::from(value.valid_round),
            proposer: Address(value.proposer),
            value: ValueHash(value.block),
            validity: Validity::from_bool(value.valid),
        }
    }
}

/// A signature with its signer's key.
#[derive(Serialize, Deserialize)]
pub(super) struct Signed {
    pub(super) signer: PublicKey,
    pub(super) signature: Signature,
}

/// Signatures of one kind for one block: two thirds of prevotes, or a commit certificate.
#[derive(Serialize, Deserialize)]
pub(super) struct BlockSignatures {
    pub(super) height: Height,
    pub(super) round: MaybeRound,
    pub(super) block: Digest,
    pub(super) signatures: Vec<Signed>,
}

/// One vote of a round certificate.
#[derive(Serialize, Deserialize)]
pub(super) struct RoundVote {
    pub(super) kind: VoteKind,
    pub(super) block: Option<Digest>,
    pub(super) signed: Signed,
}

/// Why a round was entered.
#[derive(Serialize, Deserialize)]
pub(super) struct RoundVotes {
    pub(super) height: Height,
    pub(super) round: MaybeRound,
    /// Whether a third of the power is ahead, else two thirds precommitted in the round before.
    pub(super) skip: bool,
    pub(super) votes: Vec<RoundVote>,
}

impl RoundVotes {
    pub(super) const fn skip_of(kind: RoundCertificateType) -> bool {
        matches!(kind, RoundCertificateType::Skip)
    }

    pub(super) const fn type_of(skip: bool) -> RoundCertificateType {
        if skip {
            RoundCertificateType::Skip
        } else {
            RoundCertificateType::Precommit
        }
    }
}

/// What is repeated until a round gets on.
#[derive(Serialize, Deserialize)]
pub(super) enum Liveness {
    Vote(SignedVote),
    Polka(BlockSignatures),
    SkipRound(RoundVotes),
}

/// A piece of a proposal, transactions, or a sign of life.
#[derive(Serialize, Deserialize)]
pub(super) enum Part {
    Start {
        height: Height,
        round: MaybeRound,
        valid_round: MaybeRound,
        proposer: PublicKey,
        block: Digest,
        bytes: u32,
    },
    Piece(#[serde(with = "serde_bytes")] Vec<u8>),
    Transactions(#[serde(with = "ledger_core::canonical::byte_strings")] Vec<Vec<u8>>),
    Hello(Hello),
}

impl From<&ProposalPart> for Part {
    fn from(part: &ProposalPart) -> Self {
        match part {
            ProposalPart::Start(start) => Self::Start {
                height: start.height,
                round: start.round.as_u32(),
                valid_round: start.valid_round.as_u32(),
                proposer: start.proposer,
                block: start.block,
                bytes: start.bytes,
            },
            ProposalPart::Piece(bytes) => Self::Piece(bytes.clone()),
            ProposalPart::Transactions(transactions) => Self::Transactions(transactions.clone()),
            ProposalPart::Hello(hello) => Self::Hello(hello.clone()),
        }
    }
}

impl From<Part> for ProposalPart {
    fn from(part: Part) -> Self {
        match part {
            Part::Start {
                height,
                round,
                valid_round,
                proposer,
                block,
                bytes,
            } => Self::Start(ProposalStart {
                height,
                round: Round::from(round),
                valid_round: Round::from(valid_round),
                proposer,
                block,
                bytes,
            }),
            Part::Piece(bytes) => Self::Piece(bytes),
            Part::Transactions(transactions) => Self::Transactions(transactions),
            Part::Hello(hello) => Self::Hello(hello),
        }
    }
}

/// A part in its stream; without a part, the stream's end.
#[derive(Serialize, Deserialize)]
pub(super) struct Stream {
    pub(super) stream: Vec<u8>,
    pub(super) sequence: u64,
    pub(super) part: Option<Part>,
}

/// Proof that a network peer is a validator.
#[derive(Serialize, Deserialize)]
pub(super) struct Proof {
    pub(super) key: Vec<u8>,
    pub(super) peer: Vec<u8>,
    pub(super) signature: Signature,
}

/// How far a peer is.
#[derive(Serialize, Deserialize)]
pub(super) struct PeerStatus {
    pub(super) peer: Vec<u8>,
    pub(super) tip: Height,
    pub(super) oldest: Height,
}

/// Asks for the blocks of a range, both ends included.
#[derive(Serialize, Deserialize)]
pub(super) struct BlocksRequest {
    pub(super) first: Height,
    pub(super) last: Height,
}

/// A final block and its certificate.
#[derive(Serialize, Deserialize)]
pub(super) struct FinalBlock {
    #[serde(with = "serde_bytes")]
    pub(super) block: Vec<u8>,
    pub(super) certificate: BlockSignatures,
}

/// Final blocks, one after the other.
#[derive(Serialize, Deserialize)]
pub(super) struct BlocksResponse {
    pub(super) first: Height,
    pub(super) blocks: Vec<FinalBlock>,
}
