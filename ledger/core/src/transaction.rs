//! Transactions: a signed envelope over the exact bytes that were signed.
//!
//! ```text
//! SignedTransaction { body: bytes, sender: key, signature }      postcard
//!   signature over  "fogward/tx/1" ‖ 0x00 ‖ body
//!   id   = tagged("fogward/tx-id/1", sender ‖ signature ‖ body)
//!   body = postcard(TransactionBody { chain, nonce, payload })
//! ```
//!
//! Checked in three stages: [`SignedTransaction::decode`] and [`SignedTransaction::verify`] need no
//! state, [`crate::state::Executor::apply`] checks against the state and executes. What passed the second stage
//! has a type of its own, [`VerifiedTransaction`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::{
    AskAccess, ChangePerson, DecideAccess, GrantAccess, PutPolicy, ReadLog, Receipt,
    RegisterPerson, Tombstone,
};
use crate::batch::AnchorBatch;
use crate::canonical::{self, DecodeError};
use crate::device::{AskInteraction, ChangeDevice, DecideInteraction};
use crate::digest::Digest;
use crate::genesis::{Genesis, MAX_GENESIS_BYTES};
use crate::governance::{Propose, Vote};
use crate::ids::{ChainId, Nonce};
use crate::key::{PublicKey, SecretKey, Signature, SignatureBatch, SignatureError};

/// Longest transaction in bytes, save the genesis.
pub const MAX_TRANSACTION_BYTES: usize = 64 * 1024;
const SIGNING_TAG: &[u8] = b"fogward/tx/1\0";

/// A device as the ledger knows it: no name, no patient, no serial number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegisterDevice {
    /// Random handle under which the ledger knows the device.
    pub handle: Digest,
    /// The device's own key, if it signs for itself.
    pub key: Option<PublicKey>,
    /// Whether the device is simulated.
    pub simulated: bool,
}

/// What a transaction does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Payload {
    /// Starts the chain; only at height 0.
    Genesis(Genesis),
    /// Makes a device known.
    RegisterDevice(RegisterDevice),
    /// Anchors a batch of readings.
    AnchorBatch(AnchorBatch),
    /// Proposes a change of the consortium; signed with an organisation's admin key.
    Propose(Propose),
    /// Votes on a proposal; signed with an organisation's admin key.
    Vote(Vote),
    /// Changes a device: assigned, suspended, retired, handed over, its key rotated.
    ChangeDevice(ChangeDevice),
    /// Asks that one device may hear another.
    AskInteraction(AskInteraction),
    /// Grants, refuses or ends what was asked.
    DecideInteraction(DecideInteraction),
    /// Makes a person known; signed with an organisation's admin key.
    RegisterPerson(RegisterPerson),
    /// Changes a person: her roles, her keys, or that she does not take part any more.
    ChangePerson(ChangePerson),
    /// Puts a policy in force, or out of it.
    PutPolicy(PutPolicy),
    /// Asks for a part of somebody's data; signed with a person's key.
    AskAccess(AskAccess),
    /// Grants, refuses, ends or reviews what was asked.
    DecideAccess(DecideAccess),
    /// Says what was served under a grant.
    Receipt(Receipt),
    /// Says that somebody reads the access log; signed with a person's key.
    ReadLog(ReadLog),
    /// Says that keys were destroyed.
    Tombstone(Tombstone),
    /// Gives somebody a part of somebody's data; signed with a person's key.
    GrantAccess(GrantAccess),
}

impl Payload {
    /// The kind's name, for tables and screens.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::RegisterDevice(_) => "register_device",
            Self::AnchorBatch(_) => "anchor_batch",
            Self::Propose(_) => "propose",
            Self::Vote(_) => "vote",
            Self::ChangeDevice(_) => "change_device",
            Self::AskInteraction(_) => "ask_interaction",
            Self::DecideInteraction(_) => "decide_interaction",
            Self::RegisterPerson(_) => "register_person",
            Self::ChangePerson(_) => "change_person",
            Self::PutPolicy(_) => "put_policy",
            Self::AskAccess(_) => "ask_access",
            Self::DecideAccess(_) => "decide_access",
            Self::Receipt(_) => "receipt",
            Self::ReadLog(_) => "read_log",
            Self::Tombstone(_) => "tombstone",
            Self::GrantAccess(_) => "grant_access",
        }
    }
}

/// The signed part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TransactionBody {
    /// The chain it is meant for.
    pub chain: ChainId,
    /// The sender's next nonce.
    pub nonce: Nonce,
    /// What it does.
    pub payload: Payload,
}

/// A transaction as it travels and is stored. Not verified.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedTransaction {
    #[serde(with = "serde_bytes")]
    body: Vec<u8>,
    sender: PublicKey,
    signature: Signature,
}

/// Why a transaction was refused before the state was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Not a transaction's bytes.
    #[error("not a transaction: {0}")]
    Decode(#[from] DecodeError),
    /// The signature does not fit.
    #[error("transaction: {0}")]
    Signature(#[from] SignatureError),
    /// Meant for another chain.
    #[error("the transaction is meant for another chain")]
    OtherChain,
}

impl SignedTransaction {
    /// Signs `body`.
    #[must_use]
    pub fn sign(body: &TransactionBody, key: &SecretKey) -> Self {
        let body = canonical::encode(body);
        Self {
            signature: key.sign(&[SIGNING_TAG, &body].concat()),
            sender: key.public(),
            body,
        }
    }

    /// Reads a transaction's bytes.
    ///
    /// # Errors
    /// [`TransactionError::Decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionError> {
        Ok(canonical::decode(bytes, MAX_GENESIS_BYTES + 1024)?)
    }

    /// The bytes as they travel and are stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// The transaction's id.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::tagged(
            "fogward/tx-id/1",
            &[&self.sender.0, &self.signature.0, &self.body],
        )
    }

    /// Who signed it, if the signature holds.
    #[must_use]
    pub const fn sender(&self) -> &PublicKey {
        &self.sender
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The body, undecoded.
    ///
    /// # Errors
    /// [`TransactionError::Decode`] if the signed bytes are no body.
    pub fn body(&self) -> Result<TransactionBody, TransactionError> {
        let body: TransactionBody = canonical::decode(&self.body, MAX_GENESIS_BYTES)?;
        if !matches!(body.payload, Payload::Genesis(_)) && self.body.len() > MAX_TRANSACTION_BYTES {
            return Err(TransactionError::Decode(DecodeError::TooLong {
                actual: self.body.len(),
                limit: MAX_TRANSACTION_BYTES,
            }));
        }
        Ok(body)
    }

    /// Checks form, chain and signature.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn verify(self, chain: ChainId) -> Result<VerifiedTransaction, TransactionError> {
        let formed = self.formed(chain)?;
        self.sender.verify(&self.signed(), &self.signature)?;
        Ok(formed)
    }

    /// Checks many as [`SignedTransaction::verify`] checks each, with the same outcome for each; where
    /// all signatures hold, in about a third of the time.
    #[must_use]
    pub fn verify_all(
        transactions: Vec<Self>,
        chain: ChainId,
    ) -> Vec<Result<VerifiedTransaction, TransactionError>> {
        let (mut batch, mut seed) = (SignatureBatch::default(), Vec::new());
        let mut outcomes = Vec::with_capacity(transactions.len());
        for transaction in &transactions {
            let formed = transaction.formed(chain);
            if let Ok(formed) = &formed {
                batch.add(
                    &transaction.sender,
                    &transaction.signed(),
                    &transaction.signature,
                );
                seed.extend(formed.id().0);
            }
            outcomes.push(formed);
        }
        // The ids stand for all keys, signatures and signed bytes.
        if batch.holds(Digest::tagged("fogward/signature-batch/1", &[&seed])) {
            return outcomes;
        }
        let alone = transactions.into_iter().map(|one| one.verify(chain));
        alone.collect()
    }

    /// The bytes that are signed.
    fn signed(&self) -> Vec<u8> {
        [SIGNING_TAG, &self.body].concat()
    }

    /// What it is once its signature is known to hold: form and chain are checked here.
    fn formed(&self, chain: ChainId) -> Result<VerifiedTransaction, TransactionError> {
        let body = self.body()?;
        if body.chain != chain {
            return Err(TransactionError::OtherChain);
        }
        Ok(VerifiedTransaction(Arc::new(Verified {
            id: self.id(),
            sender: self.sender,
            bytes: self.encode(),
            body,
        })))
    }
}

/// A transaction whose form, chain and signature hold. A clone shares its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedTransaction(Arc<Verified>);

#[derive(PartialEq, Eq, Debug)]
struct Verified {
    id: Digest,
    sender: PublicKey,
    body: TransactionBody,
    bytes: Vec<u8>,
}

impl VerifiedTransaction {
    /// The transaction's id.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.0.id
    }

    /// Who signed it.
    #[must_use]
    pub fn sender(&self) -> PublicKey {
        self.0.sender
    }

    /// What was signed.
    #[must_use]
    pub fn body(&self) -> &TransactionBody {
        &self.0.body
    }

    /// The encoded [`SignedTransaction`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }
}
