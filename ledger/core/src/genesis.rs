//! The document a chain starts from. Its digest is the chain's id.
//!
//! A genesis file is `"FWGENES1"` followed by the postcard bytes of [`Genesis`]. It says who is there at
//! the start; who is there now is in the state.

use serde::{Deserialize, Serialize};

use crate::canonical::{self, DecodeError};
use crate::digest::Digest;
use crate::governance::{self, GovernanceError, Node, Organisation, Standing, Thresholds};
use crate::ids::{ChainId, OrganisationId};
use crate::key::PublicKey;
pub use crate::parameters::{Parameters, Retention};
use crate::validators::{Validator, ValidatorSet};

/// First bytes of a genesis file.
pub const GENESIS_MAGIC: &[u8; 8] = b"FWGENES1";
/// Longest genesis file in bytes.
pub const MAX_GENESIS_BYTES: usize = 1 << 20;

/// A node that may send transactions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// The key it signs transactions with; names the node on chain.
    pub key: PublicKey,
    /// The key it is known to its peers by, and votes with while it is a validator.
    pub vote_key: PublicKey,
    /// Its name, for people.
    pub name: String,
    /// Where it listens for its peers, `host:port`; empty if they cannot open connections to it.
    pub address: String,
    /// Whose node it is.
    pub organisation: OrganisationId,
    /// Whether it still is one.
    pub standing: Standing,
}

impl Member {
    /// An active node of `organisation`.
    #[must_use]
    pub fn of(node: Node, organisation: OrganisationId) -> Self {
        Self {
            key: node.key,
            vote_key: node.vote_key,
            name: node.name,
            address: node.address,
            organisation,
            standing: Standing::Active,
        }
    }

    /// An active node of `organisation` that has one key for everything.
    #[must_use]
    pub fn with_one_key(key: PublicKey, name: String, organisation: OrganisationId) -> Self {
        Self::of(Node::with_one_key(key, name), organisation)
    }
}

/// What a chain starts from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Genesis {
    /// The consortium's name.
    pub name: String,
    /// When it was founded, in Unix milliseconds.
    pub time_millis: u64,
    /// The first validators.
    pub validators: ValidatorSet,
    /// The organisations, each with one voice.
    pub organisations: Vec<Organisation>,
    /// The nodes that may send transactions.
    pub members: Vec<Member>,
    /// How many voices each kind of change needs, until a vote changes it.
    pub thresholds: Thresholds,
    /// The rules, until a vote changes them.
    pub parameters: Parameters,
    /// Random bytes that keep two consortia of the same name and time apart.
    pub nonce: Digest,
    /// What decides about access: which version of the language of policies, and which schema.
    pub policy_engine: String,
}

impl Genesis {
    /// A consortium of one organisation with one node, which validates and whose key for transactions
    /// is the organisation's first admin key. The organisation bears the node's name.
    ///
    /// # Errors
    /// [`GovernanceError`] if [`Genesis::check`] would refuse it.
    pub fn of_one(
        name: String,
        time_millis: u64,
        id: OrganisationId,
        node: Node,
        nonce: Digest,
    ) -> Result<Self, GovernanceError> {
        let validator = Validator {
            key: node.vote_key,
            power: 1,
            name: node.name.clone(),
        };
        let genesis = Self {
            name,
            time_millis,
            validators: ValidatorSet::new(vec![validator]).map_err(|_| GovernanceError::Power)?,
            organisations: vec![Organisation::new(id, node.name.clone(), vec![node.key])],
            members: vec![Member::of(node, id)],
            thresholds: Thresholds::default(),
            parameters: Parameters::default(),
            nonce,
            policy_engine: ledger_policy::ENGINE.into(),
        };
        genesis.check()?;
        Ok(genesis)
    }

    /// Checks everything a document must be to found a chain: names, keys that each have one owner
    /// and one place, an organisation at least, validators of one unit of power that are nodes of an
    /// organisation, rules within their bounds, and the policy engine that this program has.
    ///
    /// # Errors
    /// [`GovernanceError`], the first that is found.
    pub fn check(&self) -> Result<(), GovernanceError> {
        governance::check_genesis(self)
    }

    /// The chain this document starts.
    #[must_use]
    pub fn chain_id(&self) -> ChainId {
        ChainId(Digest::tagged(
            "fogward/genesis/1",
            &[&canonical::encode(self)],
        ))
    }

    /// The bytes of a genesis file.
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        let mut bytes = GENESIS_MAGIC.to_vec();
        canonical::encode_into(self, &mut bytes);
        bytes
    }

    /// Reads a genesis file.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are none.
    pub fn from_file(bytes: &[u8]) -> Result<Self, DecodeError> {
        let body = bytes
            .strip_prefix(GENESIS_MAGIC)
            .ok_or(DecodeError::Malformed)?;
        canonical::decode(body, MAX_GENESIS_BYTES)
    }
}
