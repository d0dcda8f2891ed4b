//! What somebody is to a subject, attested by a node of the organisation that holds the data: by this one, or by another
//! that is asked in her name.
//!
//! ```text
//! claim = postcard(claim) ‖ key ‖ signature over "fogward/claim/1" 00 claim
//! the other: its node key, her key, her organisation, on its replica ─▶ patient's team ─▶ attestation, or nothing
//! ```
//!
//! A node attests of a physician or nurse of its own organisation that she treats the patient, because she says so in
//! what she signs; of the patient herself, who is signed in; of everybody else what the patient's team says. Of a patient
//! whom it does not know and of a person whom her team does not name it says the same: nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger_core::access::{self, AskAccess, Attestation, Person as Known, Purpose, Relation, Role};
use ledger_core::{ChainId, Digest, PublicKey, canonical};
use serde::{Deserialize, Serialize};

use super::said::{Said, Saying, is_of_hers};
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::{Signed, locked};

/// Longest claim in bytes.
const MAX_CLAIM_BYTES: usize = 1 << 10;
/// Longest attestation in bytes.
const MAX_ATTESTATION_BYTES: usize = 1 << 10;
/// An attestation holds longer than request and grant by this, for clocks differ.
const LEEWAY_MILLIS: u64 = 5 * 60_000;

/// What somebody says she is to a subject.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Claim {
    chain: ChainId,
    subject: Digest,
    purpose: Purpose,
    relations: BTreeSet<Relation>,
    /// Until when it is to hold, in Unix milliseconds.
    until_millis: u64,
}

impl Saying for Claim {
    const TAG: &'static [u8] = b"fogward/claim/1\0";
    const MAX_BYTES: usize = MAX_CLAIM_BYTES;
}

impl Node {
    /// What the asker is to the subject of her request, attested; `None` if she says nothing of it.
    ///
    /// # Errors
    /// [`Failure`] `ACC-05` if no node of the holder's attests it.
    pub(super) async fn attestation(
        self: &Arc<Self>,
        asked: &AskAccess,
        relations: BTreeSet<Relation>,
        (signed, asker): (&Signed, &Known),
    ) -> Result<Option<Attestation>, Failure> {
        if relations.is_empty() {
            return Ok(None);
        }
        let until = unix_millis()
            .saturating_add(asked.for_millis.saturating_mul(2))
            .saturating_add(LEEWAY_MILLIS);
        let own = self.organisation(&self.replica.read()?)?;
        if own == Some(asked.holder) {
            let until = self.knows(asked, &relations, (signed, asker), until)?;
            return Ok(Some(self.attest(asker, &asked.subject, relations, until)));
        }
        let keys = self.people.keys(signed).ok_or_else(locked)?;
        let claim = Claim {
            chain: self.chain,
            subject: asked.subject,
            purpose: asked.purpose,
            relations: relations.clone(),
            until_millis: until,
        };
        let claim = canonical::encode(&claim.signed_by(&keys.signing()));
        let attested = self.attested_afar(asked, &claim).await?;
        let is_it = |one: &Attestation| one.relations == relations;
        attested.filter(is_it).map(Some).ok_or_else(|| {
            refused(
                "No node of the organisation that holds the data knows you as that to this patient.",
                "Ask those who look after her there to enter you in her team, by your handle; or ask without the relation.",
            )
        })
    }

    /// Until when the asker is that to the subject, as far as this node knows.
    fn knows(
        &self,
        asked: &AskAccess,
        relations: &BTreeSet<Relation>,
        (signed, asker): (&Signed, &Known),
        until: u64,
    ) -> Result<u64, Failure> {
        let person = &asker.registered.handle;
        let about = (asked.purpose, &asked.subject);
        let roles = &asker.registered.roles;
        let treats = roles.contains(&Role::Physician) || roles.contains(&Role::Nurse);
        let mut latest = until;
        for relation in relations {
            let is_known = match relation {
                Relation::Treating => treats,
                Relation::Oneself => self.is_oneself(signed, asked.purpose, &asked.subject),
                Relation::Guardian => false,
            };
            if is_known {
                continue;
            }
            let says = self.team_says(person, &[*relation].into(), about);
            let says = says.ok_or_else(|| unknown(*relation))?;
            latest = latest.min(u64::try_from(says).unwrap_or(0));
        }
        Ok(latest)
    }

    fn attest(
        &self,
        person: &Known,
        subject: &Digest,
        relations: BTreeSet<Relation>,
        until: u64,
    ) -> Attestation {
        let (node, person) = (&self.requests.attesting, person.registered.handle);
        Attestation::sign(node, &person, subject, relations, until)
    }

    /// Asks the nodes of the holder's, one after the other.
    async fn attested_afar(
        self: &Arc<Self>,
        asked: &AskAccess,
        claim: &[u8],
    ) -> Result<Option<Attestation>, Failure> {
        let mut silent = None;
        for member in self.active_members()? {
            if member.organisation != asked.holder {
                continue;
            }
            match self
                .ask_in_turn(&member, async |node| node.attest(claim).await)
                .await
            {
                Ok(Some(bytes)) => {
                    let attested = canonical::decode::<Attestation>(&bytes, MAX_ATTESTATION_BYTES);
                    let attested = attested.ok().filter(|one| one.node == member.key);
                    if attested.is_some() {
                        return Ok(attested);
                    }
                }
                Ok(None) => {}
                Err(error) => silent = Some((member.name, error)),
            }
        }
        match silent {
            None => Ok(None),
            Some((name, error)) => Err(refused(
                &format!("{name} does not answer: {error}."),
                "Try again when it does, or ask without the relation.",
            )),
        }
    }

    /// Attests what a person of another node's organisation claims; `None` if there is nothing to attest.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub(crate) fn attest_claim(
        &self,
        claim: &[u8],
        peer: &PublicKey,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let signed = canonical::decode::<Said>(claim, MAX_CLAIM_BYTES).ok();
        let claimed = signed.and_then(|signed| Some((signed.open::<Claim>()?, signed.key)));
        let Some((claim, key)) = claimed.filter(|(claim, _)| claim.chain == self.chain) else {
            return Ok(None);
        };
        let person = access::person_of(&self.replica.read()?, &key).map_err(Failure::internal)?;
        let members = self.active_members()?;
        let is_hers = |person: &Known| is_of_hers(&members, peer, person);
        let Some(person) = person.filter(is_hers) else {
            return Ok(None);
        };
        let about = (claim.purpose, &claim.subject);
        let says = self.team_says(&person.registered.handle, &claim.relations, about);
        Ok(says.filter(|_| !claim.relations.is_empty()).map(|says| {
            let until = claim.until_millis.min(u64::try_from(says).unwrap_or(0));
            let attested = self.attest(&person, &claim.subject, claim.relations, until);
            canonical::encode(&attested)
        }))
    }
}

fn unknown(relation: Relation) -> Failure {
    let why = match relation {
        Relation::Treating => {
            "That somebody treats the patient is attested of physicians, nurses, and those in her team."
        }
        Relation::Oneself => {
            "It is attested of a patient who is signed in, of her own handles for the purpose only."
        }
        Relation::Guardian => "Her team does not say that you act for her by law.",
    };
    refused(why, "Ask without the relation, or be entered in her team.")
}

fn refused(why: &str, next: &str) -> Failure {
    Failure::new(409, "ACC-05", "The relation is not attested.", why, next)
}

#[cfg(test)]
mod tests {
    //! Goal: a claim is the person's who signed it, and no other claim. Method: every byte changed.

    use ledger_core::SecretKey;

    use super::*;

    #[test]
    fn a_claim_is_whose_who_signed_it() {
        let claim = Claim {
            chain: ChainId(Digest([1; 32])),
            subject: Digest([2; 32]),
            purpose: Purpose::Treatment,
            relations: [Relation::Treating].into(),
            until_millis: 3,
        };
        let signed = claim.signed_by(&SecretKey::from_seed(&[5; 32]));
        assert_eq!(signed.open(), Some(claim));
        let whole = canonical::encode(&signed);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            let read = canonical::decode::<Said>(&changed, MAX_CLAIM_BYTES).ok();
            assert_eq!(
                read.and_then(|read| read.open::<Claim>()),
                None,
                "byte {at}"
            );
        }
    }
}
