//! Consents that a patient gives and withdraws herself: signed with the key in her open session, and verified whenever
//! they are shown.
//!
//! Upon a consent of hers: her key signs the form with its id, the patient and the chain ([`Consent::statement`]), and
//! the ledger gets a commitment to both. A signature counts if it is over what is shown, and if the ledger says that
//! the key is that person's: also once she has another key, for a key has one owner for good.
//!
//! Left out: a key that this node never has. Her key lies sealed under her passphrase in the vault and open in her
//! session, so a node that lies could sign in her name while she is signed in.

use std::sync::Arc;

use fog_api::{ConsentRow, ConsentSignature, GiveOwnConsent};
use ledger_core::Digest;
use ledger_core::state::{StateKey, read};
use ledger_store::Snapshot;
use zeroize::Zeroizing;

use super::consent::{Consent, OwnSignature};
use crate::failure::Failure;
use crate::node::Node;
use crate::people::{Signed, locked};

impl Node {
    /// Gives a consent of the caller's own; answered once it is durable and told, final or not.
    ///
    /// # Errors
    /// [`Failure`] `PAT-06` if she is no patient of this node, `ACC-02` if the ledger does not know her key, `CON-01` if
    /// it cannot be a consent, `CON-02` if there are too many.
    pub async fn give_own_consent(
        self: &Arc<Self>,
        asked: GiveOwnConsent,
        signed: &Signed,
    ) -> Result<ConsentRow, Failure> {
        let patient = self.oneself(signed)?;
        let form = self.form(asked, "", signed)?;
        self.keep_new_consent(&patient, form, Some(signed)).await
    }

    /// Withdraws a consent about the caller, whoever wrote it down; answered once that is durable and told.
    ///
    /// # Errors
    /// [`Failure`] `PAT-06` or `ACC-02` as above, or if she has no such consent.
    pub async fn withdraw_own_consent(
        self: &Arc<Self>,
        id: &str,
        signed: &Signed,
    ) -> Result<ConsentRow, Failure> {
        let patient = self.oneself(signed)?;
        self.end_consent(&patient, id, signed, true).await
    }

    /// Signs a statement with the caller's key.
    pub(super) fn sign_as_oneself(
        &self,
        signed: &Signed,
        statement: impl FnOnce(&Digest) -> Zeroizing<Vec<u8>>,
    ) -> Result<OwnSignature, Failure> {
        let person = {
            let snapshot = self.replica.read()?;
            self.participant(&snapshot, signed)?.handle()
        };
        let keys = self.people.keys(signed).ok_or_else(locked)?;
        Ok(OwnSignature::sign(&keys.signing(), person, statement))
    }

    /// Her signature where she gave it, as it is shown.
    pub(super) fn given_by_her(
        &self,
        snapshot: &Snapshot<'_>,
        consent: &Consent,
    ) -> Result<Option<ConsentSignature>, Failure> {
        let told = consent.given_by_her.as_ref().map(|own| {
            let statement = consent.statement(self.chain, &own.person);
            told(snapshot, own, &statement)
        });
        told.transpose()
    }

    /// Her signature where she withdrew it, as it is shown.
    pub(super) fn withdrawn_by_her(
        &self,
        snapshot: &Snapshot<'_>,
        consent: &Consent,
    ) -> Result<Option<ConsentSignature>, Failure> {
        let told = consent.withdrawn_by_her.as_ref().map(|own| {
            let statement = consent.withdrawal(self.chain, &own.person);
            told(snapshot, own, &statement)
        });
        told.transpose()
    }
}

/// A signature, verified.
fn told(
    snapshot: &Snapshot<'_>,
    own: &OwnSignature,
    statement: &[u8],
) -> Result<ConsentSignature, Failure> {
    let owner: Option<Digest> =
        read(snapshot, &StateKey::person_key(&own.key)).map_err(Failure::internal)?;
    Ok(ConsentSignature {
        person: own.person.to_string(),
        key: own.key.to_string(),
        is_valid: own.is_of(statement) && owner == Some(own.person),
    })
}
