//! By what an organisation says who a person on the ledger is: a credential, and what the ledger has of it.
//!
//! ```text
//! body       = postcard(CredentialBody)
//! signature  = Ed25519(organisation's admin key, "fogward/credential/1" ‖ body)
//! commitment = tagged("fogward/credential-commitment/1", salt[32] ‖ admin key[32] ‖ signature[64] ‖ body)
//! ```
//!
//! The commitment stands in the person's registration; the credential and its salt lie in the person's sealed row.
//! Whoever is shown all three can check that this name is behind that handle; without the salt, nobody can try
//! names. It says who she was when she was registered: roles and keys of now are on the ledger.
//!
//! Left out: showing it to somebody.

use std::collections::BTreeSet;
use std::fmt;

use ledger_core::access::{PersonKeys, Role};
use ledger_core::{ChainId, Digest, OrganisationId, PublicKey, SecretKey, Signature, canonical};
use serde::{Deserialize, Serialize};

use crate::keystore::random;
use crate::vault::seal::SealError;

/// What is signed begins with this.
const SIGNED_TAG: &[u8] = b"fogward/credential/1";
const COMMITMENT_TAG: &str = "fogward/credential-commitment/1";

/// Who a person is, as her organisation says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialBody {
    /// On which chain.
    pub chain: ChainId,
    /// Which organisation says so.
    pub organisation: OrganisationId,
    /// Her name on the ledger.
    pub handle: Digest,
    /// Her id at her node.
    pub person: [u8; 16],
    /// Her name.
    pub name: String,
    /// What she is.
    pub roles: BTreeSet<Role>,
    /// Her keys.
    pub keys: PersonKeys,
    /// When this was signed, in Unix milliseconds.
    pub issued: i64,
}

/// A signed credential, and the salt of its commitment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What is signed.
    pub body: CredentialBody,
    /// The organisation's admin key.
    pub signer: PublicKey,
    /// Its signature.
    pub signature: Signature,
    salt: Digest,
}

/// Names nobody.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

impl Credential {
    /// Signs a credential.
    ///
    /// # Errors
    /// [`SealError::Randomness`] without a salt.
    pub fn sign(body: CredentialBody, organisation: &SecretKey) -> Result<Self, SealError> {
        let salt = random::<32>().map_err(|_| SealError::Randomness)?;
        Ok(Self::salted(body, organisation, Digest(salt)))
    }

    fn salted(body: CredentialBody, organisation: &SecretKey, salt: Digest) -> Self {
        Self {
            signature: organisation.sign(&signed(&body)),
            signer: organisation.public(),
            body,
            salt,
        }
    }

    /// What the ledger has of it.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        let body = canonical::encode(&self.body);
        let parts: [&[u8]; 4] = [&self.salt.0, &self.signer.0, &self.signature.0, &body];
        Digest::tagged(COMMITMENT_TAG, &parts)
    }

    /// Whether it says this, whenever that was, in the name of this key.
    #[must_use]
    pub fn says(&self, body: &CredentialBody, signer: &PublicKey) -> bool {
        let issued = self.body.issued;
        let same = CredentialBody {
            issued,
            ..body.clone()
        };
        self.body == same && self.signer == *signer
    }

    /// Whether its signer has signed it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        let signed = signed(&self.body);
        self.signer.verify(&signed, &self.signature).is_ok()
    }
}

fn signed(body: &CredentialBody) -> Vec<u8> {
    [SIGNED_TAG, &canonical::encode(body)].concat()
}

#[cfg(test)]
mod tests {
    //! Goal: a credential's bytes are those of the document, and its commitment follows from every part of it.
    //! Method: golden bytes written down by hand, and one change at a time.

    use super::*;

    fn body() -> CredentialBody {
        CredentialBody {
            chain: ChainId(Digest([1; 32])),
            organisation: OrganisationId([2; 16]),
            handle: Digest([3; 32]),
            person: [4; 16],
            name: "Anna B.".to_owned(),
            roles: [Role::Physician, Role::Nurse].into(),
            keys: PersonKeys {
                signing: PublicKey([5; 32]),
                sealing: [6; 32],
            },
            issued: 1_000,
        }
    }

    #[test]
    fn the_bytes_are_fixed() {
        let expected = [
            "01".repeat(32),
            "02".repeat(16),
            "03".repeat(32),
            "04".repeat(16),
            // Seven bytes of a name; two roles by their numbers; 1,000 in zigzag.
            "07416e6e6120422e".to_owned(),
            "020102".to_owned(),
            "05".repeat(32),
            "06".repeat(32),
            "d00f".to_owned(),
        ];
        assert_eq!(
            hex::encode(canonical::encode(&body())),
            expected.concat(),
            "the document says otherwise"
        );
    }

    #[test]
    fn every_part_is_committed_to() {
        let organisation = SecretKey::from_seed(&[7; 32]);
        let made = Credential::salted(body(), &organisation, Digest([8; 32]));
        assert!(made.is_signed());
        let renamed = CredentialBody {
            name: "Anna C.".to_owned(),
            ..body()
        };
        assert!(made.says(&body(), &organisation.public()));
        assert!(!made.says(&renamed, &organisation.public()));
        assert!(!made.says(&body(), &SecretKey::from_seed(&[9; 32]).public()));
        let resalted = Credential::salted(body(), &organisation, Digest([9; 32]));
        let other = Credential::salted(body(), &SecretKey::from_seed(&[9; 32]), Digest([8; 32]));
        let mut altered = made.clone();
        altered.body = renamed;
        assert!(!altered.is_signed());
        for one in [resalted, other, altered] {
            assert_ne!(one.commitment(), made.commitment());
        }
        // By the definition, with SHA-256 told apart by the tag's length and text.
        let parts = [
            [8; 32].as_slice(),
            &made.signer.0,
            &made.signature.0,
            &canonical::encode(&body()),
        ];
        assert_eq!(
            made.commitment(),
            Digest::tagged("fogward/credential-commitment/1", &[&parts.concat()])
        );
    }
}
