//! Signing and verifying for Malachite, with the ledger's keys and the ledger's bytes.
//!
//! A vote signs [`VoteContent`]; a proposal signs
//!
//! ```text
//! postcard( "fogward/proposal/1", chain, height, round, pol_round: Option<u32>, block, proposer )
//! ```
//!
//! and the proof that a network peer is a validator signs Malachite's own bytes. The three begin
//! differently, so that no signature can be passed off as one of another kind.

use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::core::{
    SignedMessage, SigningScheme, ValidatorProof, VoteExtensionScope,
};
use arc_malachitebft_signing::{Error, Signer, VerificationResult, Verifier};
use async_trait::async_trait;
use ledger_core::canonical;
use ledger_core::certificate::VoteContent;
use ledger_core::{ChainId, Digest, Height, PublicKey, SecretKey, Signature};

use super::context::{Chain, Proposal, Vote};
use super::wire;

/// Ed25519 as `ledger-core` does it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ed25519;

/// The bytes have the wrong length.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a key has 32 bytes, a signature 64")]
pub struct LengthError;

impl SigningScheme for Ed25519 {
    type DecodingError = LengthError;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = SecretKey;

    fn decode_signature(bytes: &[u8]) -> Result<Signature, LengthError> {
        bytes.try_into().map(Signature).map_err(|_| LengthError)
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.0.to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, LengthError> {
        bytes.try_into().map(PublicKey).map_err(|_| LengthError)
    }

    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.0.to_vec()
    }
}

/// A vote in the ledger's words; none for a vote without a round, which is never cast.
pub(crate) fn vote_content(chain: ChainId, vote: &Vote) -> Option<VoteContent> {
    Some(VoteContent {
        kind: wire::kind_of(vote.kind),
        chain,
        height: vote.height.0,
        round: vote.round.as_u32()?,
        block: wire::block_of(&vote.value),
        validator: vote.voter.0,
    })
}

/// The bytes a vote signs.
fn vote_bytes(chain: ChainId, vote: &Vote) -> Option<Vec<u8>> {
    vote_content(chain, vote).map(|content| content.sign_bytes())
}

/// The bytes a proposal signs; see the module.
pub(crate) fn proposal_sign_bytes(
    chain: ChainId,
    height: Height,
    round: u32,
    pol_round: Option<u32>,
    block: Digest,
    proposer: PublicKey,
) -> Vec<u8> {
    canonical::encode(&(
        "fogward/proposal/1",
        chain,
        height,
        round,
        pol_round,
        block,
        proposer,
    ))
}

fn proposal_bytes(chain: ChainId, proposal: &Proposal) -> Option<Vec<u8>> {
    Some(proposal_sign_bytes(
        chain,
        proposal.height.0,
        proposal.round.as_u32()?,
        proposal.pol_round.as_u32(),
        proposal.value.0,
        proposal.proposer.0,
    ))
}

/// Whether the signature of a vote or proposal is its signer's.
pub(crate) fn is_signed(chain: ChainId, message: &SignedConsensusMsg<Chain>) -> bool {
    match message {
        SignedConsensusMsg::Vote(vote) => is_signed_vote(chain, vote),
        SignedConsensusMsg::Proposal(proposal) => {
            let bytes = proposal_bytes(chain, &proposal.message);
            let key = proposal.message.proposer.0;
            checked(bytes, &proposal.signature, &key).is_valid()
        }
    }
}

/// Whether the signature of a vote is its voter's.
pub(crate) fn is_signed_vote(chain: ChainId, vote: &SignedMessage<Chain, Vote>) -> bool {
    let bytes = vote_bytes(chain, &vote.message);
    checked(bytes, &vote.signature, &vote.message.voter.0).is_valid()
}

fn checked(bytes: Option<Vec<u8>>, signature: &Signature, key: &PublicKey) -> VerificationResult {
    let holds = bytes.is_some_and(|bytes| key.verify(&bytes, signature).is_ok());
    VerificationResult::from_bool(holds)
}

/// Checks what others signed.
#[derive(Clone, Copy, Debug)]
pub struct ChainVerifier {
    /// The chain that votes must be meant for.
    pub chain: ChainId,
}

#[async_trait]
impl Verifier<Chain> for ChainVerifier {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(checked(vote_bytes(self.chain, vote), signature, key))
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let bytes = proposal_bytes(self.chain, proposal);
        Ok(checked(bytes, signature, key))
    }

    /// There are no vote extensions on this chain: whoever sends one is wrong.
    async fn verify_signed_vote_extension(
        &self,
        _: &VoteExtensionScope<Chain>,
        (): &(),
        _: &Signature,
        _: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid)
    }

    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<Chain>,
    ) -> Result<VerificationResult, Error> {
        let key = proof.decoded_public_key().map_err(Error::from_source)?;
        Ok(checked(Some(proof.preimage()), &proof.signature, &key))
    }
}

/// Signs for this node.
#[derive(Clone, Debug)]
pub struct ChainSigner {
    /// The chain this node votes on.
    pub chain: ChainId,
    /// The key it votes with.
    pub key: SecretKey,
}

#[async_trait]
impl Signer<Chain> for ChainSigner {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedMessage<Chain, Vote>, Error> {
        let bytes = vote_bytes(self.chain, &vote).ok_or_else(Error::new)?;
        Ok(SignedMessage::new(vote, self.key.sign(&bytes)))
    }

    async fn sign_proposal(
        &self,
        proposal: Proposal,
    ) -> Result<SignedMessage<Chain, Proposal>, Error> {
        let bytes = proposal_bytes(self.chain, &proposal).ok_or_else(Error::new)?;
        Ok(SignedMessage::new(proposal, self.key.sign(&bytes)))
    }

    async fn sign_vote_extension(
        &self,
        _: VoteExtensionScope<Chain>,
        (): (),
    ) -> Result<SignedMessage<Chain, ()>, Error> {
        Err(Error::new())
    }

    async fn sign_validator_proof(
        &self,
        public_key: Vec<u8>,
        peer_id: Vec<u8>,
    ) -> Result<ValidatorProof<Chain>, Error> {
        let bytes = ValidatorProof::<Chain>::signing_bytes(&public_key, &peer_id);
        let signature = self.key.sign(&bytes);
        Ok(ValidatorProof::new(public_key, peer_id, signature))
    }
}
