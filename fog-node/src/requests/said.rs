//! What a person says to another node, signed with her key: an order of what she was granted, or a claim of what she is
//! to a subject.
//!
//! ```text
//! said = postcard(bytes of it, key [32], signature [64] over its tag ‖ the bytes)
//! ```

use ledger_core::access::Person;
use ledger_core::genesis::Member;
use ledger_core::{PublicKey, SecretKey, Signature, canonical};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Something that a person says to another node.
pub(super) trait Saying: Serialize + DeserializeOwned {
    /// What its signature begins with, so that it is no other thing's.
    const TAG: &'static [u8];
    /// Longest form of it in bytes, signed or not.
    const MAX_BYTES: usize;

    /// Signs it.
    fn signed_by(&self, key: &SecretKey) -> Said {
        let what = canonical::encode(self);
        Said {
            signature: key.sign(&[Self::TAG, &what].concat()),
            key: key.public(),
            what,
        }
    }
}

/// It, with the signature of who says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Said {
    #[serde(with = "serde_bytes")]
    pub(super) what: Vec<u8>,
    pub(super) key: PublicKey,
    pub(super) signature: Signature,
}

impl Said {
    /// What is said, if it is this and its signature holds.
    pub(super) fn open<T: Saying>(&self) -> Option<T> {
        let message = [T::TAG, &self.what].concat();
        self.key.verify(&message, &self.signature).ok()?;
        canonical::decode(&self.what, T::MAX_BYTES).ok()
    }
}

/// Whether the node with this key is of the person's organisation: in other hands, what she has signed is stolen.
pub(super) fn is_of_hers(members: &[Member], peer: &PublicKey, person: &Person) -> bool {
    let mut peers = members.iter().filter(|member| member.vote_key == *peer);
    peers.any(|member| member.organisation == person.organisation)
}
