//! A patient who signs in: with which account she sees her own record, and hers alone.
//!
//! ```text
//! staff ── link ──▶ patient's row (vault, sealed) ── account ──▶ person of this node, registered as a patient
//! unlink ──▶ row, durable ──▶ what she asked for as the patient herself is ended on the ledger
//! ```
//!
//! Upon a request of hers the record is looked up by who is signed in; she names none. One account opens one record,
//! and one record is opened by one account that may sign in. The ledger hears of none of it: what it is told is that
//! somebody is the patient herself, of a request for one handle ([`crate::requests`]).
//!
//! Left out: accounts at other nodes of the organisation, which link their own; guardians.

use std::sync::Arc;

use fog_api::{Capability, LinkPerson, LinkedPerson, PatientView};
use ledger_core::access::{AccessDecision, AccessState, DecideAccess, Purpose, Relation};
use ledger_core::{Digest, Payload};

use super::handle_months;
use super::patient::{Account, Patient};
use crate::clock::{now_millis, unix_millis};
use crate::erasure::all_handles;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::Signed;
use crate::people::permissions::may;
use crate::people::person::Person;

/// Whether an account opens the record that it is linked with.
fn opens(person: &Person) -> bool {
    person.is_active() && may(&person.roles).contains(&Capability::OwnRecord)
}

impl Node {
    /// Links an account with a patient, or none any more; answered once that is durable. With none, what was asked for
    /// or granted because she is the patient herself is ended.
    ///
    /// # Errors
    /// [`Failure`] `PAT-05` if the account cannot open her record, or there is no such patient.
    pub async fn link_person(
        self: &Arc<Self>,
        id: &str,
        asked: &LinkPerson,
        signed: &Signed,
    ) -> Result<PatientView, Failure> {
        let turn = self.patients.turn().await;
        let patient = self.patients.named(id)?;
        let account = match &asked.login {
            Some(login) => Some(self.account(&patient, login, signed)?),
            None => None,
        };
        let is_unlinked = account.is_none();
        let linked = Patient::clone(&patient).linked(account);
        self.put_patient(linked).await?;
        drop(turn);
        if is_unlinked {
            self.end_resting(patient, Relation::Oneself, None).await?;
        }
        self.patient(id.to_owned()).await
    }

    /// The account of this login, if it can be linked with the patient.
    fn account(&self, patient: &Patient, login: &str, by: &Signed) -> Result<Account, Failure> {
        let found = self.people.by_login(login.trim()).filter(opens);
        let person = found.ok_or_else(|| {
            let next = "Ask an admin to register her as a patient, and take the login from there.";
            unfit(
                "Nobody who may sign in here as a patient has this login.",
                next,
            )
        })?;
        let of_person = self.patients.of_person(person.id);
        if of_person.is_some_and(|other| other.id != patient.id) {
            let next = "Look whether it is the right login; unlink it from the other one first.";
            return Err(unfit("The account opens another patient’s record.", next));
        }
        let other = patient.account.as_ref().map(|account| account.person);
        let other = other.filter(|other| *other != person.id);
        if other.is_some_and(|other| self.people.find(other).is_some_and(|other| opens(&other))) {
            let next = "Unlink that one first, if it is not hers.";
            return Err(unfit("Another account opens her record.", next));
        }
        let by = self.people.find(by.person);
        let by = by.ok_or_else(|| Failure::internal("a person who is gone"))?;
        Ok(Account {
            person: person.id,
            since: now_millis(),
            by: by.login.clone(),
        })
    }

    /// The account with which a patient signs in, as it is shown; none that is not of this node.
    pub(super) fn linked_person(&self, patient: &Patient) -> Option<LinkedPerson> {
        let account = patient.account.as_ref()?;
        let person = self.people.find(account.person)?;
        Some(LinkedPerson {
            is_open: opens(&person),
            login: person.login.clone(),
            name: person.name.clone(),
            since: account.since,
            by: account.by.clone(),
        })
    }

    /// The patient that the caller is.
    ///
    /// # Errors
    /// [`Failure`] `PAT-06` if her account is linked with none.
    pub fn oneself(&self, signed: &Signed) -> Result<Arc<Patient>, Failure> {
        let own = self.patients.of_person(signed.person);
        own.filter(|_| signed.may.contains(&Capability::OwnRecord))
            .ok_or_else(|| {
                Failure::new(
                    404,
                    "PAT-06",
                    "Nothing is shown.",
                    "Your account is not linked with a record.",
                    "Ask those who look after you to link it, at this node.",
                )
            })
    }

    /// Whether the caller is the patient whom the ledger knows by this handle, for this purpose.
    pub(crate) fn is_oneself(&self, signed: &Signed, purpose: Purpose, subject: &Digest) -> bool {
        let is_hers = |own: Arc<Patient>| {
            let mut months = handle_months(unix_millis());
            months.any(|month| own.handle(purpose, month) == *subject)
        };
        self.oneself(signed).is_ok_and(is_hers)
    }

    /// Ends what waits or is granted because somebody, or only this person, was that to the patient. It goes on by itself
    /// once it is told.
    pub(super) async fn end_resting(
        self: &Arc<Self>,
        patient: Arc<Patient>,
        relation: Relation,
        person: Option<Digest>,
    ) -> Result<(), Failure> {
        let resting = move |node: &Self| node.resting(&patient, relation, person);
        let open = self.blocking(move |node| resting(node)).await?;
        let mut told = Vec::new();
        for access in open {
            let payload = Payload::DecideAccess(DecideAccess {
                access,
                decision: AccessDecision::End,
            });
            if self.void_of(self.node_key, &payload)?.is_none() {
                told.push(self.tell_ledger(payload, None).await?);
            }
        }
        for told in told {
            if let Err(failure) = self.until_final(told).await {
                tracing::debug!(%failure, "the end of a request waits for the ledger");
            }
        }
        Ok(())
    }

    /// Requests for her data that rest on what somebody is to her, and are open.
    fn resting(
        &self,
        patient: &Patient,
        relation: Relation,
        person: Option<Digest>,
    ) -> Result<Vec<Digest>, Failure> {
        let snapshot = self.replica.read()?;
        let own = self.organisation(&snapshot)?;
        let handles = all_handles(patient);
        let mut found = Vec::new();
        snapshot.for_each_access(|access| {
            let asked = &access.asked;
            let attested = asked.attestation.as_ref();
            let rests = attested.is_some_and(|one| one.relations.contains(&relation))
                && person.is_none_or(|person| person == access.person);
            let is_open = matches!(access.state, AccessState::Waiting | AccessState::Granted);
            if rests && is_open && own == Some(asked.holder) && handles.contains(&asked.subject) {
                found.push(asked.handle);
            }
        })?;
        Ok(found)
    }
}

fn unfit(why: &str, next: &str) -> Failure {
    Failure::new(409, "PAT-05", "The account was not linked.", why, next)
}
