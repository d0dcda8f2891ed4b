//! What a joiner says at the door, and what it is answered.

use fog_api::ApiError;
use ledger_core::governance::{is_address, is_name};
use ledger_core::{ChainId, PublicKey, SecretKey, Signature, canonical};
use serde::{Deserialize, Serialize};

use super::noise::{MAX_ANSWER_BYTES, MAX_REQUEST_BYTES};

const SIGNING_TAG: &[u8] = b"fogward/join/1\0";

/// A node that asks to be admitted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Joiner {
    /// Name of its organisation; not used where it joins the inviter's.
    pub(crate) organisation: String,
    /// Its organisation's admin key.
    pub(crate) admin: PublicKey,
    /// The key it signs transactions with.
    pub(crate) node: PublicKey,
    /// The key it votes with and is reached under.
    pub(crate) vote: PublicKey,
    /// Its name.
    pub(crate) name: String,
    /// Where it listens for peers, or nothing.
    pub(crate) address: String,
}

/// The request: a joiner, and that it holds the keys it names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct JoinRequest {
    pub(crate) joiner: Joiner,
    signatures: [Signature; 3],
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum JoinAnswer {
    /// The consortium has been asked to admit the joiner.
    Asked(Welcome),
    /// It has not.
    Refused(Refusal),
}

/// What the joiner needs to follow the chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Welcome {
    /// Number of the proposal to admit it.
    pub(crate) proposal: u64,
    /// Whether it has passed already.
    pub(crate) is_admitted: bool,
    /// The genesis file.
    pub(crate) genesis: Vec<u8>,
    /// Block 0, encoded.
    pub(crate) first_block: Vec<u8>,
    /// Where the nodes of the consortium listen, by the key they are reached under.
    pub(crate) peers: Vec<(PublicKey, String)>,
}

/// Why not, for a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{what} {why} {next} ({code})")]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) what: String,
    pub(crate) why: String,
    pub(crate) next: String,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let ApiError {
            code,
            what,
            why,
            next,
        } = error;
        Self {
            code,
            what,
            why,
            next,
        }
    }
}

impl From<&Refusal> for ApiError {
    fn from(refusal: &Refusal) -> Self {
        Self {
            code: refusal.code.clone(),
            what: refusal.what.clone(),
            why: refusal.why.clone(),
            next: refusal.next.clone(),
        }
    }
}

impl JoinRequest {
    /// Signs as `joiner` with the keys it names: admin, node and vote.
    pub(crate) fn sign(
        joiner: Joiner,
        chain: ChainId,
        invitation: &[u8; 16],
        keys: [&SecretKey; 3],
    ) -> Self {
        let bytes = signed_bytes(&joiner, chain, invitation);
        Self {
            signatures: keys.map(|key| key.sign(&bytes)),
            joiner,
        }
    }

    /// Reads a request and checks that its sender holds the keys it names, for this chain and this
    /// invitation, and that its names can be shown.
    pub(crate) fn open(bytes: &[u8], chain: ChainId, invitation: &[u8; 16]) -> Option<Joiner> {
        let Self { joiner, signatures } = canonical::decode(bytes, MAX_REQUEST_BYTES).ok()?;
        let signed = signed_bytes(&joiner, chain, invitation);
        let keys = [&joiner.admin, &joiner.node, &joiner.vote];
        let holds = keys
            .iter()
            .zip(&signatures)
            .all(|(key, signature)| key.verify(&signed, signature).is_ok());
        let is_shown = is_name(&joiner.organisation) && is_name(&joiner.name);
        (holds && is_shown && is_address(&joiner.address)).then_some(joiner)
    }
}

impl JoinAnswer {
    /// Reads an answer.
    pub(crate) fn open(bytes: &[u8]) -> Option<Self> {
        canonical::decode(bytes, MAX_ANSWER_BYTES).ok()
    }
}

fn signed_bytes(joiner: &Joiner, chain: ChainId, invitation: &[u8; 16]) -> Vec<u8> {
    let said = canonical::encode(joiner);
    [SIGNING_TAG, &chain.0.0, invitation, &said].concat()
}

#[cfg(test)]
mod tests {
    //! Goal: a request speaks only for keys its sender holds, at one door. Method: one request, changed.
    use super::*;
    use ledger_core::Digest;

    #[test]
    fn a_request_counts_at_its_door_with_its_keys_only() {
        let keys = [1, 2, 3].map(|seed| SecretKey::from_seed(&[seed; 32]));
        let joiner = Joiner {
            organisation: "Eastmoor Clinic".into(),
            admin: keys[0].public(),
            node: keys[1].public(),
            vote: keys[2].public(),
            name: "eastmoor-1".into(),
            address: "192.0.2.8:7401".into(),
        };
        let chain = ChainId(Digest([9; 32]));
        let [admin, node, vote] = &keys;
        let request = JoinRequest::sign(joiner.clone(), chain, &[4; 16], [admin, node, vote]);
        let bytes = canonical::encode(&request);
        assert_eq!(
            JoinRequest::open(&bytes, chain, &[4; 16]),
            Some(joiner.clone())
        );
        assert_eq!(
            JoinRequest::open(&bytes, chain, &[5; 16]),
            None,
            "another door"
        );
        let other = ChainId(Digest([8; 32]));
        assert_eq!(
            JoinRequest::open(&bytes, other, &[4; 16]),
            None,
            "another chain"
        );
        let stolen = JoinRequest::sign(joiner, chain, &[4; 16], [admin, node, node]);
        let stolen = canonical::encode(&stolen);
        assert_eq!(
            JoinRequest::open(&stolen, chain, &[4; 16]),
            None,
            "a key of somebody else"
        );
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(
                JoinRequest::open(&changed, chain, &[4; 16]),
                None,
                "byte {at}"
            );
        }
    }
}
