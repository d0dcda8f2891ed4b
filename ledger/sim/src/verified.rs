//! Signatures that were found to hold, remembered for all nodes of one simulation.
//!
//! Whether a signature holds depends on nothing but its bytes, so the nodes may share what one of them
//! has found out: it halves the time of a simulation and changes nothing else. Only what holds is
//! remembered, under everything the check depends on. The checkers take no part in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_malachitebft_app_channel::app::types::core::{
    NilOrVal, ValidatorProof, VoteExtensionScope, VoteType,
};
use arc_malachitebft_signing::{Error, VerificationResult, Verifier};
use async_trait::async_trait;
use ledger_consortium::pure::{Chain, ChainVerifier, Proposal, Vote};
use ledger_core::{Digest, PublicKey, Signature, SignedTransaction, VerifiedTransaction};

/// A vote with its signature, and the key it was checked with.
type CheckedVote = (
    (u64, i64, bool, Option<Digest>),
    (PublicKey, PublicKey, Signature),
);

#[derive(Default)]
struct Memory {
    votes: BTreeSet<CheckedVote>,
    transactions: BTreeMap<Digest, VerifiedTransaction>,
}

/// Checks as [`ChainVerifier`] does, each signature once.
#[derive(Clone)]
pub(crate) struct SharedVerifier {
    verifier: ChainVerifier,
    memory: Arc<Mutex<Memory>>,
}

impl SharedVerifier {
    pub(crate) fn new(verifier: ChainVerifier) -> Self {
        Self {
            verifier,
            memory: Arc::default(),
        }
    }

    /// The transaction, if its form, chain and signature hold.
    pub(crate) fn verify(&self, transaction: SignedTransaction) -> Option<VerifiedTransaction> {
        let id = transaction.id();
        let known = self.with(|memory| memory.transactions.get(&id).cloned());
        if known.is_some() {
            return known;
        }
        let verified = transaction.verify(self.verifier.chain).ok()?;
        self.with(|memory| memory.transactions.insert(id, verified.clone()));
        Some(verified)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Memory) -> T) -> T {
        act(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn remembered(vote: &Vote, signature: &Signature, key: &PublicKey) -> CheckedVote {
    let block = match &vote.value {
        NilOrVal::Nil => None,
        NilOrVal::Val(value) => Some(value.0),
    };
    let is_precommit = vote.kind == VoteType::Precommit;
    (
        (vote.height.0.0, vote.round.as_i64(), is_precommit, block),
        (vote.voter.0, *key, *signature),
    )
}

#[async_trait]
impl Verifier<Chain> for SharedVerifier {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let checked = remembered(vote, signature, key);
        if self.with(|memory| memory.votes.contains(&checked)) {
            return Ok(VerificationResult::Valid);
        }
        let found = self
            .verifier
            .verify_signed_vote(vote, signature, key)
            .await?;
        if found.is_valid() {
            self.with(|memory| memory.votes.insert(checked));
        }
        Ok(found)
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let verifier = &self.verifier;
        verifier
            .verify_signed_proposal(proposal, signature, key)
            .await
    }

    async fn verify_signed_vote_extension(
        &self,
        scope: &VoteExtensionScope<Chain>,
        (): &(),
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let verifier = &self.verifier;
        verifier
            .verify_signed_vote_extension(scope, &(), signature, key)
            .await
    }

    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<Chain>,
    ) -> Result<VerificationResult, Error> {
        self.verifier.verify_validator_proof(proof).await
    }
}
