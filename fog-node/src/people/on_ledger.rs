//! Who is registered here follows to the ledger: registration, roles, keys, revocation.
//!
//! ```text
//! person's row ── what the ledger should have ─┐
//!                                              ├─▶ next step ─▶ organisation's outbox ─▶ final ─▶ look again
//! state        ── what the ledger has ─────────┘
//! ```
//!
//! The row is the wish: it is durable in one commit with the change itself, and names the person's handle. Upon a
//! change of somebody, at the start, and every second while something is still to be told: compare, tell the next
//! step with the organisation's admin key, revocations first, and compare again once it is final. A kill loses
//! nothing, since what is on disk is compared anew; a registration that has happened is found under its handle; and
//! a handle is registered once, whatever is sent twice. While the node is cut off or not admitted, people wait.
//!
//! Left out: what others change about a person on the ledger is shown, and not fought.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fog_api::{LedgerStanding, PersonOnLedger};
use ledger_core::access::{
    self, ChangePerson, Person as Known, PersonChange, PersonKeys, RegisterPerson, Role,
};
use ledger_core::{Digest, OrganisationId, Payload, PublicKey};
use ledger_store::Snapshot;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Signed;
use super::credential::{Credential, CredentialBody};
use super::person::{Person, PersonId};
use crate::clock::now_millis;
use crate::failure::Failure;
use crate::ingest::random_handle;
use crate::node::Node;

/// Pause before it is tried again to tell what could not be told.
const RETRY: Duration = Duration::from_secs(1);
/// Most steps that one person can be behind: registered, other roles, other keys, revoked.
const STEPS: usize = 4;

/// What names a person on the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pseudonym {
    /// Random.
    pub handle: Digest,
    /// What she is registered with, once that was tried.
    pub credential: Option<Credential>,
}

impl Pseudonym {
    /// A fresh one.
    ///
    /// # Errors
    /// [`Failure`] without randomness.
    pub fn draw() -> Result<Self, Failure> {
        Ok(Self {
            handle: random_handle().map_err(Failure::internal)?,
            credential: None,
        })
    }
}

/// What the ledger should have of a person.
#[derive(Clone, PartialEq, Eq)]
struct Wish {
    handle: Option<Digest>,
    keys: PersonKeys,
    roles: BTreeSet<Role>,
    is_active: bool,
}

/// What was told, and what keeps the rest.
#[derive(Default)]
pub(super) struct Following {
    changed: watch::Sender<u64>,
    waits: Mutex<Waits>,
}

/// Why people wait.
#[derive(Default)]
struct Waits {
    /// All who do.
    all: Option<String>,
    /// One of them.
    one: BTreeMap<PersonId, String>,
}

/// Why something is not told.
enum Trouble {
    /// About this person nothing can be told as it is.
    Person(String),
    /// About nobody, for now.
    Ledger(String),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Ledger(failure.error.why)
    }
}

impl Following {
    /// Says that somebody was changed.
    pub(super) fn stir(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Roles as the ledger names them.
fn roles_of(person: &Person) -> BTreeSet<Role> {
    let role = |role: &fog_api::Role| match role {
        fog_api::Role::Admin => Role::Admin,
        fog_api::Role::Physician => Role::Physician,
        fog_api::Role::Nurse => Role::Nurse,
        fog_api::Role::Technician => Role::Technician,
        fog_api::Role::Researcher => Role::Researcher,
        fog_api::Role::Auditor => Role::Auditor,
        fog_api::Role::Patient => Role::Patient,
    };
    person.roles.iter().map(role).collect()
}

/// Roles as this node names them.
pub(crate) fn roles_here(roles: &BTreeSet<Role>) -> BTreeSet<fog_api::Role> {
    let role = |role: &Role| match role {
        Role::Admin => fog_api::Role::Admin,
        Role::Physician => fog_api::Role::Physician,
        Role::Nurse => fog_api::Role::Nurse,
        Role::Technician => fog_api::Role::Technician,
        Role::Researcher => fog_api::Role::Researcher,
        Role::Auditor => fog_api::Role::Auditor,
        Role::Patient => fog_api::Role::Patient,
    };
    roles.iter().map(role).collect()
}

const fn keys_of(person: &Person) -> PersonKeys {
    PersonKeys {
        signing: person.keys.signing,
        sealing: person.keys.exchange,
    }
}

fn wish_of(person: &Person) -> Wish {
    Wish {
        handle: person.pseudonym.as_ref().map(|name| name.handle),
        keys: keys_of(person),
        roles: roles_of(person),
        is_active: person.is_active(),
    }
}

/// What is to be told of a person.
enum Step {
    Register,
    Change(PersonChange),
}

/// What is to be told next, if anything is.
fn next_step(wish: &Wish, known: Option<&Known>) -> Option<Step> {
    let Some(known) = known else {
        // Who was revoked before anybody heard of her is nobody's business.
        return wish.is_active.then_some(Step::Register);
    };
    let change = match known.is_active {
        false => return None,
        true if !wish.is_active => PersonChange::Revoke,
        true if known.registered.roles != wish.roles => PersonChange::Roles(wish.roles.clone()),
        true if known.registered.keys != wish.keys => PersonChange::Rotate(wish.keys),
        true => return None,
    };
    Some(Step::Change(change))
}

/// Tells the ledger of people as long as there is a node.
pub(crate) async fn follow(node: Weak<Node>) {
    let Some(mut changed) = node.upgrade().map(|node| {
        let following = &node.people.following;
        following.changed.subscribe()
    }) else {
        return;
    };
    let mut told = BTreeMap::new();
    loop {
        changed.mark_unchanged();
        let Some(strong) = node.upgrade() else { return };
        let trouble = strong.tell_people(&mut told).await.err();
        let waits = trouble.is_some() || !strong.people.following.waits().one.is_empty();
        strong.people.following.waits().all = trouble;
        drop(strong);
        if waits {
            // Either of them is reason to look again.
            let _ = tokio::time::timeout(RETRY, changed.changed()).await;
        } else if changed.changed().await.is_err() {
            return;
        }
    }
}

impl Node {
    /// A person as callers see one, with what the ledger knows.
    pub(super) fn shown(&self, person: &Person) -> fog_api::Person {
        let snapshot = self.replica.read().map_err(Failure::from);
        person.view(now_millis(), self.on_ledger(person, snapshot.as_ref().ok()))
    }

    /// The caller's public key, and what the ledger knows of her.
    pub(crate) fn key_of(&self, signed: &Signed) -> Option<(PublicKey, PersonOnLedger)> {
        let person = self.people.find(signed.person)?;
        let snapshot = self.replica.read().map_err(Failure::from);
        let ledger = self.on_ledger(&person, snapshot.as_ref().ok());
        Some((person.keys.signing, ledger))
    }

    /// Everybody as callers see them.
    pub(super) fn shown_all(&self) -> Vec<fog_api::Person> {
        let snapshot = self.replica.read().map_err(Failure::from);
        let (snapshot, now) = (snapshot.as_ref().ok(), now_millis());
        let register = self.people.register();
        let view = |person: &Person| person.view(now, self.on_ledger(person, snapshot));
        register.values().map(view).collect()
    }

    /// What the ledger knows of a person; without a snapshot, nothing.
    fn on_ledger(&self, person: &Person, ledger: Option<&Snapshot<'_>>) -> PersonOnLedger {
        let handle = person.pseudonym.as_ref().map(|name| name.handle);
        let known = handle.zip(ledger).and_then(|(handle, ledger)| {
            let known = access::person(ledger, &handle).map_err(Failure::internal);
            known.ok().flatten()
        });
        let standing = match (&known, next_step(&wish_of(person), known.as_ref())) {
            (_, Some(_)) => LedgerStanding::Waiting,
            (None, None) => LedgerStanding::Never,
            (Some(known), None) if known.is_active => LedgerStanding::OnLedger,
            (Some(_), None) => LedgerStanding::Revoked,
        };
        let waits = self.people.following.waits();
        let why = waits.one.get(&person.id).or(waits.all.as_ref()).cloned();
        PersonOnLedger {
            handle: handle.map(|handle| handle.to_string()),
            standing,
            why_not: why.filter(|_| standing == LedgerStanding::Waiting),
        }
    }

    /// Tells the ledger what it does not know yet. An error says what keeps all who wait.
    async fn tell_people(
        self: &Arc<Self>,
        told: &mut BTreeMap<PersonId, Wish>,
    ) -> Result<(), String> {
        let mut tried = BTreeSet::new();
        while let Some(id) = self.people.next_to_tell(told, &tried) {
            tried.insert(id);
            let outcome = self.tell_person(id).await;
            let following = &self.people.following;
            match outcome {
                Ok(wish) => {
                    following.waits().one.remove(&id);
                    told.insert(id, wish);
                }
                Err(Trouble::Person(why)) => {
                    following.waits().one.insert(id, why);
                }
                Err(Trouble::Ledger(why)) => return Err(why),
            }
        }
        Ok(())
    }

    /// Tells what the ledger does not know of one person; what it knows then.
    async fn tell_person(self: &Arc<Self>, id: PersonId) -> Result<Wish, Trouble> {
        for _ in 0..=STEPS {
            // What is on its way counts; only then is it known what is missing.
            self.until_clear().await?;
            let (person, handle) = self.named(id).await?;
            let wish = wish_of(&person);
            let step = {
                let snapshot = self.replica.read().map_err(Failure::from)?;
                let known = access::person(&snapshot, &handle).map_err(Failure::internal)?;
                next_step(&wish, known.as_ref())
            };
            let payload = match step {
                None => return Ok(wish),
                Some(Step::Change(change)) => {
                    Payload::ChangePerson(ChangePerson { handle, change })
                }
                Some(Step::Register) => self.registration(person, handle).await?,
            };
            self.refuse_untold(&payload)?;
            self.send(payload).await?;
        }
        let why = "The ledger took something else than what it was told.";
        Err(Trouble::Person(why.to_owned()))
    }

    /// A person who has a handle: who was registered by an earlier version gets one now.
    async fn named(&self, id: PersonId) -> Result<(Person, Digest), Failure> {
        let _turn = self.people.turn.lock().await;
        let person = self.people.find(id);
        let mut person = person.ok_or_else(|| Failure::internal("a person who is gone"))?;
        if let Some(name) = &person.pseudonym {
            let handle = name.handle;
            return Ok((person, handle));
        }
        let name = Pseudonym::draw()?;
        let handle = name.handle;
        person.pseudonym = Some(name);
        Ok((self.keep_person(person).await?, handle))
    }

    /// How a person is registered; her credential is durable before anybody hears of it. Called while no earlier
    /// registration is on its way.
    async fn registration(&self, person: Person, handle: Digest) -> Result<Payload, Trouble> {
        let body = CredentialBody {
            chain: self.chain,
            organisation: self.registrar()?,
            handle,
            person: person.id.0,
            name: person.name.clone(),
            roles: roles_of(&person),
            keys: keys_of(&person),
            issued: now_millis(),
        };
        let signer = self.membership.admin();
        let kept = person.pseudonym.and_then(|name| name.credential);
        let credential = match kept.filter(|kept| kept.says(&body, &signer)) {
            Some(kept) => kept,
            None => {
                let made = self.membership.vouch(body.clone()).map_err(Failure::from)?;
                self.keep_credential(person.id, made.clone()).await?;
                made
            }
        };
        Ok(Payload::RegisterPerson(RegisterPerson {
            handle,
            keys: body.keys,
            roles: body.roles,
            credential: credential.commitment(),
        }))
    }

    async fn keep_credential(&self, id: PersonId, credential: Credential) -> Result<(), Failure> {
        let _turn = self.people.turn.lock().await;
        let person = self.people.find(id);
        let mut person = person.ok_or_else(|| Failure::internal("a person who is gone"))?;
        if let Some(name) = &mut person.pseudonym {
            name.credential = Some(credential);
        }
        self.keep_person(person).await.map(drop)
    }

    /// The organisation in whose name this node registers people.
    fn registrar(&self) -> Result<OrganisationId, Trouble> {
        let snapshot = self.replica.read().map_err(Failure::from)?;
        self.voice(&snapshot)?.ok_or_else(|| {
            let why = "This node has no admin key of an organisation of the consortium, or is not admitted yet.";
            Trouble::Ledger(why.to_owned())
        })
    }

    fn refuse_untold(&self, payload: &Payload) -> Result<(), Trouble> {
        self.registrar()?;
        match self.void_of(self.membership.admin(), payload)? {
            None => Ok(()),
            Some(error) => Err(Trouble::Person(format!("On the ledger, {error}."))),
        }
    }
}

impl super::People {
    /// Somebody of whom the ledger is to be told: who was revoked first, since that cannot wait.
    fn next_to_tell(
        &self,
        told: &BTreeMap<PersonId, Wish>,
        tried: &BTreeSet<PersonId>,
    ) -> Option<PersonId> {
        let register = self.register();
        let is_open = |person: &&Person| {
            !tried.contains(&person.id) && told.get(&person.id) != Some(&wish_of(person))
        };
        let open = register.values().filter(is_open);
        open.min_by_key(|person| (person.is_active(), person.since, person.id))
            .map(|person| person.id)
    }
}

#[cfg(test)]
mod tests {
    //! Goal: whatever a person and the ledger's entry are, the steps told lead from one to the other and then stop,
    //! and nobody comes back. Method: every pair of a few wishes and entries, and a ledger that does what it is told.

    use ledger_core::Height;

    use super::*;

    fn wish(keys: u8, roles: &[Role], is_active: bool) -> Wish {
        Wish {
            handle: Some(Digest([1; 32])),
            keys: PersonKeys {
                signing: PublicKey([keys; 32]),
                sealing: [keys; 32],
            },
            roles: roles.iter().copied().collect(),
            is_active,
        }
    }

    fn entry(of: &Wish) -> Known {
        Known {
            registered: RegisterPerson {
                handle: Digest([1; 32]),
                keys: of.keys,
                roles: of.roles.clone(),
                credential: Digest([2; 32]),
            },
            organisation: OrganisationId([3; 16]),
            is_active: of.is_active,
            changed: Height(1),
        }
    }

    #[test]
    fn steps_lead_to_what_is_wished() {
        let mut wishes = Vec::new();
        for keys in [4, 5] {
            for roles in [&[Role::Nurse][..], &[Role::Nurse, Role::Admin]] {
                wishes.extend([true, false].map(|is_active| wish(keys, roles, is_active)));
            }
        }
        let entries = wishes.iter().map(|wish| Some(entry(wish))).chain([None]);
        for (before, wished) in
            entries.flat_map(|one| wishes.iter().map(move |to| (one.clone(), to)))
        {
            let mut known = before.clone();
            let mut steps = 0;
            while let Some(step) = next_step(wished, known.as_ref()) {
                steps += 1;
                assert!(steps <= STEPS, "it ends");
                let change = match (step, &mut known) {
                    (Step::Change(change), Some(known)) => (change, known),
                    (Step::Register, None) => {
                        known = Some(entry(wished));
                        continue;
                    }
                    _ => panic!("it cannot be told"),
                };
                match change {
                    (PersonChange::Revoke, known) => known.is_active = false,
                    (PersonChange::Roles(roles), known) => known.registered.roles = roles,
                    (PersonChange::Rotate(keys), known) => known.registered.keys = keys,
                }
            }
            let was_active = before.as_ref().is_none_or(|known| known.is_active);
            match known {
                None => assert!(before.is_none() && !wished.is_active),
                Some(known) if was_active && wished.is_active => assert!(known == entry(wished)),
                Some(known) => assert!(!known.is_active, "nobody comes back"),
            }
        }
    }
}
