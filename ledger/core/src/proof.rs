//! Proof files: one reading's whole way to the genesis, checked offline.
//!
//! A proof file is `"FWPROOF1"` followed by the postcard bytes of [`Proof`]; `docs/proof-format.md`
//! specifies it byte by byte. Every byte is covered: whichever is changed, a check fails.
//!
//! Not proven: that the sensor was right, or on the right person.

use serde::{Deserialize, Serialize};

use crate::batch::{AnchorBatch, BatchPath};
use crate::block::Header;
use crate::canonical::{self, DecodeError};
use crate::certificate::Certificate;
use crate::digest::Digest;
use crate::genesis::Genesis;
use crate::ids::ChainId;
use crate::key::PublicKey;
use crate::light::{LightError, check_commit};
use crate::merkle;
use crate::reading::{Reading, Salt, commitment};
use crate::transaction::{Payload, SignedTransaction};
use crate::validators::ValidatorSet;

/// First bytes of a proof file.
pub const PROOF_MAGIC: &[u8; 8] = b"FWPROOF1";
/// Longest proof file in bytes.
pub const MAX_PROOF_BYTES: usize = 1 << 20;

/// Everything a stranger needs, besides the genesis, to check one reading.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// The chain; must be the digest of the genesis the verifier trusts.
    pub chain: ChainId,
    /// The reading.
    pub reading: Reading,
    /// The salt of its commitment.
    pub salt: Salt,
    /// From the commitment to the batch root.
    pub batch_path: BatchPath,
    /// The encoded transaction that anchors the batch.
    pub transaction: Vec<u8>,
    /// The transaction's place in its block.
    pub transaction_index: u32,
    /// Siblings from the transaction's id to `tx_root`.
    pub transaction_path: Vec<Digest>,
    /// The block's header.
    pub header: Header,
    /// Why the header is final.
    pub certificate: Certificate,
    /// The blocks before it that changed the validators, oldest first.
    pub changes: Vec<ValidatorChange>,
}

/// A certified header that hands over to other validators.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ValidatorChange {
    /// A header whose next validators are not its own.
    pub header: Header,
    /// Its certificate, by the validators before the change.
    pub certificate: Certificate,
    /// The validators from the next height on.
    pub next: ValidatorSet,
}

/// The six checks, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The reading and its salt hash to the leaf.
    Commitment,
    /// The leaf leads to the batch root.
    Batch,
    /// The batch root is in a transaction its sender signed for this chain.
    Transaction,
    /// The transaction leads to the header's `tx_root`.
    Inclusion,
    /// More than two thirds of the power signed the header.
    Certificate,
    /// Those validators follow from the genesis.
    Genesis,
}

impl Check {
    /// All six, in order.
    pub const ALL: [Self; 6] = [
        Self::Commitment,
        Self::Batch,
        Self::Transaction,
        Self::Inclusion,
        Self::Certificate,
        Self::Genesis,
    ];
}

/// What one check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// Which check.
    pub check: Check,
    /// Whether it holds; `None` if it was not reached.
    pub holds: Option<bool>,
    /// The hash or id the check leads to, as hex.
    pub leads_to: String,
    /// What was done, or why it does not hold, in words.
    pub detail: String,
}

/// What a proof's verification found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether all six checks hold.
    pub valid: bool,
    /// The checks in order.
    pub checks: Vec<CheckOutcome>,
}

impl Proof {
    /// The bytes of a proof file.
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        let mut bytes = PROOF_MAGIC.to_vec();
        canonical::encode_into(self, &mut bytes);
        bytes
    }

    /// Reads a proof file; nothing is verified yet.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are none.
    pub fn from_file(bytes: &[u8]) -> Result<Self, DecodeError> {
        let body = bytes
            .strip_prefix(PROOF_MAGIC)
            .ok_or(DecodeError::Malformed)?;
        canonical::decode(body, MAX_PROOF_BYTES)
    }

    /// The commitment of the proof's reading and salt.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        commitment(&self.salt, &self.reading.encode())
    }

    /// Makes one of the six checks. Each takes the claims before it as given, so a proof is valid only
    /// if all hold; [`Proof::verify`] makes them all.
    #[must_use]
    pub fn check(&self, check: Check, genesis: &Genesis) -> CheckOutcome {
        let outcome = match check {
            Check::Commitment => self.check_commitment(),
            Check::Batch => self.check_batch(),
            Check::Transaction => self.check_transaction(),
            Check::Inclusion => self.check_inclusion(),
            Check::Certificate => self.check_certificate(genesis),
            Check::Genesis => self.check_genesis(genesis),
        };
        let (holds, (leads_to, detail)) = match outcome {
            Ok(found) => (Some(true), found),
            Err(why) => (Some(false), (String::new(), why)),
        };
        CheckOutcome {
            check,
            holds,
            leads_to,
            detail,
        }
    }

    /// Makes all six checks against a genesis the verifier trusts.
    #[must_use]
    pub fn verify(&self, genesis: &Genesis) -> Verdict {
        let checks: Vec<_> = Check::ALL
            .iter()
            .map(|check| self.check(*check, genesis))
            .collect();
        Verdict {
            valid: checks.iter().all(|outcome| outcome.holds == Some(true)),
            checks,
        }
    }

    fn check_commitment(&self) -> Found {
        if self.batch_path.entry.stream != self.reading.stream {
            return Err("The reading belongs to another stream than its leaf.".into());
        }
        let leaf = self.commitment();
        self.leads_to_stream(&leaf)
            .then(|| {
                let detail = "The value, its time and the salt hash to the leaf.".into();
                (leaf.to_string(), detail)
            })
            .ok_or_else(|| "The reading and its salt do not hash to the leaf.".into())
    }

    /// Whether `leaf` stands at the reading's place in the stream's tree.
    fn leads_to_stream(&self, leaf: &Digest) -> bool {
        let entry = &self.batch_path.entry;
        let index = self.reading.sequence.checked_sub(entry.first_sequence);
        index.is_some_and(|index| {
            merkle::verify(
                merkle::leaf_hash(&leaf.0),
                index,
                u64::from(entry.count),
                &self.batch_path.reading_path,
                &entry.root,
            )
        })
    }

    fn check_batch(&self) -> Found {
        let (_, anchor) = self.anchor()?;
        let path = &self.batch_path;
        let holds = path.verify(
            self.reading.stream,
            self.reading.sequence,
            &self.commitment(),
            &anchor,
        );
        let siblings = path.reading_path.len() + path.entry_path.len();
        holds
            .then(|| {
                let detail = format!("{siblings} sibling hashes lead to the batch root.");
                (anchor.root.to_string(), detail)
            })
            .ok_or_else(|| "The leaf does not lead to the batch root.".into())
    }

    fn check_transaction(&self) -> Found {
        let (sender, anchor) = self.anchor()?;
        let transaction = self.signed_transaction()?;
        let id = transaction.id();
        transaction
            .verify(self.chain)
            .map_err(|error| format!("The transaction does not hold: {error}."))?;
        let detail = format!(
            "Signed by {} over exactly these bytes: batch {} with {} readings.",
            sender.short(),
            anchor.batch,
            anchor.readings,
        );
        Ok((id.to_string(), detail))
    }

    fn check_inclusion(&self) -> Found {
        let id = self.signed_transaction()?.id();
        let holds = merkle::verify(
            merkle::leaf_hash(&id.0),
            u64::from(self.transaction_index),
            u64::from(self.header.tx_count),
            &self.transaction_path,
            &self.header.tx_root,
        );
        let detail = format!(
            "{} sibling hashes lead to the transactions root of block {}.",
            self.transaction_path.len(),
            self.header.height,
        );
        holds
            .then(|| (self.header.hash().to_string(), detail))
            .ok_or_else(|| "The transaction does not lead to the header.".into())
    }

    fn check_certificate(&self, genesis: &Genesis) -> Found {
        let validators = self.validators(genesis);
        certified(self.chain, &self.header, &self.certificate, validators)?;
        let detail = format!(
            "{} of {} validators signed; more than two thirds are needed.",
            self.certificate.signatures.len(),
            validators.as_slice().len(),
        );
        Ok((self.certificate.block.to_string(), detail))
    }

    fn check_genesis(&self, genesis: &Genesis) -> Found {
        follow(self.chain, &self.header, &self.changes, genesis)?;
        let detail = format!(
            "{} changes of validators since block 0, each approved by those before.",
            self.changes.len(),
        );
        Ok((self.chain.to_string(), detail))
    }

    /// The validators the proof claims for its block: the last change's, or the genesis'.
    fn validators<'a>(&'a self, genesis: &'a Genesis) -> &'a ValidatorSet {
        self.changes
            .last()
            .map_or(&genesis.validators, |change| &change.next)
    }

    fn signed_transaction(&self) -> Result<SignedTransaction, String> {
        SignedTransaction::decode(&self.transaction)
            .map_err(|error| format!("The transaction cannot be read: {error}."))
    }

    fn anchor(&self) -> Result<(PublicKey, AnchorBatch), String> {
        let transaction = self.signed_transaction()?;
        let body = transaction
            .body()
            .map_err(|error| format!("The transaction cannot be read: {error}."))?;
        match body.payload {
            Payload::AnchorBatch(anchor) => Ok((*transaction.sender(), anchor)),
            _ => Err("The transaction does not anchor a batch.".into()),
        }
    }
}

/// The validators of a header's height, if the `changes` before it follow from the genesis.
fn follow<'a>(
    chain: ChainId,
    header: &Header,
    changes: &'a [ValidatorChange],
    genesis: &'a Genesis,
) -> Result<&'a ValidatorSet, String> {
    if chain != genesis.chain_id() || header.chain != chain {
        return Err("The proof belongs to another chain than this genesis.".into());
    }
    let mut validators = &genesis.validators;
    let mut last = None;
    for change in changes {
        certified(chain, &change.header, &change.certificate, validators)?;
        let follows = change.header.chain == chain
            && change.header.next_validators_hash == change.next.hash()
            && change.next != *validators
            && last.is_none_or(|height| height < change.header.height)
            && change.header.height < header.height;
        if !follows {
            return Err("A change of validators does not follow from the one before.".into());
        }
        last = Some(change.header.height);
        validators = &change.next;
    }
    Ok(validators)
}

/// Whether a header is final by validators that follow from the genesis.
pub(crate) fn check_finality(
    chain: ChainId,
    header: &Header,
    certificate: &Certificate,
    changes: &[ValidatorChange],
    genesis: &Genesis,
) -> Result<(), String> {
    let validators = follow(chain, header, changes, genesis)?;
    certified(chain, header, certificate, validators)
}

/// What a check leads to and how, or why it does not hold.
type Found = Result<(String, String), String>;

fn certified(
    chain: ChainId,
    header: &Header,
    certificate: &Certificate,
    validators: &ValidatorSet,
) -> Result<(), String> {
    match check_commit(chain, header, certificate, validators) {
        Ok(_) => Ok(()),
        Err(LightError::OtherValidators) => {
            Err("The header names other validators than those that follow from the genesis.".into())
        }
        Err(error) => Err(error.to_string()),
    }
}
