//! Consents: what patients agreed to, written down by staff before a witness or signed with their own keys, in force on
//! the ledger until it is withdrawn or over.
//!
//! ```text
//! given ─▶ vault, durable ─┐                       ┌─▶ put under this month's handles, and near its end the next's
//! withdrawn ─▶ vault ──────┼─▶ compare with ledger ┤
//! its time is over ────────┘                       └─▶ retracted under all handles of the months that still count
//! ```
//!
//! The row is the wish; upon each change, at the start and every minute it is compared with what the ledger has, and
//! what is missing is told by the node's outbox. So a kill loses neither a consent nor a withdrawal. The next month's
//! handles are put at a time of each consent's own within the month's last three days, so that no two patients' are put
//! together for it. What the ledger has retracted of a consent that holds by its row was withdrawn, and the vault is older
//! than the ledger, as after a restore; the row follows. Left out:
//! taking them along to another node.

pub(crate) mod consent;
mod own;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fog_api::{ConsentRow, ConsentStanding, GiveConsent, GiveOwnConsent};
use ledger_core::access::{self, AccessError, Period, Purpose, PutPolicy, Scope};
use ledger_core::{Digest, Payload};
use ledger_policy::Rule;
use rusqlite::Connection;
use tokio::sync::watch;

use self::consent::{Consent, ConsentSecret, Form, check};
use crate::clock::{now_millis, unix_millis};
use crate::failure::Failure;
use crate::ingest::Item;
use crate::keystore::random;
use crate::node::Node;
use crate::patients::patient::{Patient, PatientId};
use crate::people::Signed;
use crate::vault::seal::MasterKey;
use crate::vault::{VaultError, consents};

/// How often consents are compared with the ledger without a change.
const LOOK: Duration = Duration::from_secs(60);
/// Most consents of a patient.
const MAX_OF_ONE: usize = 8;
/// Longest words of a form, in characters.
const MAX_WORDS: usize = 2_000;
const MAX_NAME: usize = 80;
const DAY_MILLIS: i64 = 86_400_000;
/// Longest time of a consent in days.
const MAX_DAYS: u32 = 36_500;
/// By whom a consent was withdrawn whose withdrawal only the ledger knows; no login name.
const THE_LEDGER: &str = "(ledger)";
/// The next month's handles are put within so long before it begins.
const AHEAD_MILLIS: u64 = 3 * 86_400_000;

type Id = [u8; 16];
/// Where something is on the ledger, and its name there.
pub type InForce = (Scope, String);

/// The consents of a node.
pub(crate) struct Consents {
    register: Mutex<BTreeMap<Id, Consent>>,
    changed: watch::Sender<()>,
    /// Held while something is changed or told.
    turn: tokio::sync::Mutex<()>,
}

impl Consents {
    /// The consents of a vault.
    ///
    /// # Errors
    /// [`VaultError`] if a row does not open.
    pub(crate) fn open(vault: &Connection, master: &MasterKey) -> Result<Self, VaultError> {
        let mut register = BTreeMap::new();
        for row in consents::all(vault)? {
            register.insert(row.id, Consent::open(&row, master)?);
        }
        Ok(Self {
            register: Mutex::new(register),
            changed: watch::Sender::new(()),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// Knows a patient's consents no more, once their rows are gone.
    pub(crate) fn forget(&self, patient: &PatientId) {
        self.register().retain(|_, one| one.patient != *patient);
    }

    /// How many consents of a patient hold.
    fn hold_of(&self, patient: &PatientId) -> usize {
        let register = self.register();
        let own = register.values().filter(|one| one.patient == *patient);
        own.filter(|one| one.holds(now_millis())).count()
    }

    fn register(&self) -> MutexGuard<'_, BTreeMap<Id, Consent>> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the ledger and the vault together until the node is gone.
pub(crate) async fn keep(node: Weak<Node>) {
    let Some(mut changed) = node.upgrade().map(|node| node.consents.changed.subscribe()) else {
        return;
    };
    loop {
        changed.mark_unchanged();
        let Some(strong) = node.upgrade() else { return };
        if let Err(failure) = strong.tell_consents().await {
            tracing::debug!(%failure, "consents wait for the ledger");
        }
        drop(strong);
        // A change or the time: either is reason to look again.
        if let Ok(Err(_)) = tokio::time::timeout(LOOK, changed.changed()).await {
            return;
        }
    }
}

impl Node {
    /// Writes down what a patient agreed to; answered once it is durable and told, final or not.
    ///
    /// # Errors
    /// [`Failure`] `CON-01` if it cannot be one, `CON-02` if there are too many, or there is no such patient.
    pub async fn give_consent(
        self: &Arc<Self>,
        patient: &str,
        asked: GiveConsent,
        signed: &Signed,
    ) -> Result<ConsentRow, Failure> {
        let patient = self.patients.named(patient)?;
        let GiveConsent {
            words,
            text,
            purposes,
            witness,
            days,
        } = asked;
        if !fits(&witness, MAX_NAME) || witness.chars().any(char::is_control) {
            return Err(unfit(
                "A witness's name has 1 to 80 characters, on one line.",
            ));
        }
        let asked = GiveOwnConsent {
            words,
            text,
            purposes,
            days,
        };
        let form = self.form(asked, witness.trim(), signed)?;
        self.keep_new_consent(&patient, form, None).await
    }

    /// Keeps a new consent, signed by who gives it herself, if she does.
    async fn keep_new_consent(
        self: &Arc<Self>,
        patient: &Patient,
        form: Form,
        herself: Option<&Signed>,
    ) -> Result<ConsentRow, Failure> {
        let turn = self.consents.turn.lock().await;
        if self.consents.hold_of(&patient.id) >= MAX_OF_ONE {
            return Err(Failure::new(
                409,
                "CON-02",
                "The consent was not written down.",
                format!("{MAX_OF_ONE} consents of this patient hold already."),
                "Withdraw one that this one replaces.",
            ));
        }
        let id: Id = random().map_err(Failure::internal)?;
        let secret = ConsentSecret(random().map_err(Failure::internal)?);
        let mut consent = Consent::new(id, secret, patient.id, form);
        if let Some(signed) = herself {
            let statement = |person: &Digest| consent.statement(self.chain, person);
            consent.given_by_her = Some(self.sign_as_oneself(signed, statement)?);
        }
        self.keep_consent(consent).await?;
        drop(turn);
        self.told_consent(id).await
    }

    /// Withdraws a consent; answered once that is durable and told, final or not.
    ///
    /// # Errors
    /// [`Failure`] if there is no such consent.
    pub async fn withdraw_consent(
        self: &Arc<Self>,
        patient: &str,
        id: &str,
        signed: &Signed,
    ) -> Result<ConsentRow, Failure> {
        let patient = self.patients.named(patient)?;
        self.end_consent(&patient, id, signed, false).await
    }

    /// Withdraws a consent of a patient's; `is_herself` if it is she who does.
    async fn end_consent(
        self: &Arc<Self>,
        patient: &Patient,
        id: &str,
        signed: &Signed,
        is_herself: bool,
    ) -> Result<ConsentRow, Failure> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(id, &mut bytes).map_err(|_| no_consent())?;
        let turn = self.consents.turn.lock().await;
        let found = self.consents.register().get(&bytes).cloned();
        let mut consent = found
            .filter(|consent| consent.patient == patient.id)
            .ok_or_else(no_consent)?;
        if consent.withdrawn.is_none() {
            consent.withdrawn = Some((now_millis(), self.login_of(signed)?));
            if is_herself {
                let statement = |person: &Digest| consent.withdrawal(self.chain, person);
                consent.withdrawn_by_her = Some(self.sign_as_oneself(signed, statement)?);
            }
            self.keep_consent(consent).await?;
        }
        drop(turn);
        self.told_consent(bytes).await
    }

    /// A patient's consents, the last one first.
    ///
    /// # Errors
    /// [`Failure`] if there is no such patient, or the replica cannot be read.
    pub fn consents_of(&self, patient: &str) -> Result<Vec<ConsentRow>, Failure> {
        let patient = self.patients.named(patient)?.id;
        let mut own: Vec<_> = self.consents.register().values().cloned().collect();
        own.retain(|consent| consent.patient == patient);
        own.sort_by_key(|consent| std::cmp::Reverse((consent.form.since, consent.id)));
        own.iter()
            .map(|consent| self.consent_row(consent))
            .collect()
    }

    /// A patient's consents, and what is in force by them.
    pub(crate) fn all_consents(
        &self,
        patient: &Patient,
    ) -> Result<(Vec<Id>, Vec<InForce>), Failure> {
        let mut own: Vec<_> = self.consents.register().values().cloned().collect();
        own.retain(|consent| consent.patient == patient.id);
        let snapshot = self.replica.read()?;
        let holder = self.organisation(&snapshot)?;
        let mut in_force = Vec::new();
        for consent in holder.iter().flat_map(|_| &own) {
            let places = consent.places(patient, holder, Period::at(unix_millis()));
            for (_, _, scope, name) in places {
                let found = access::policy(&snapshot, &scope, &name);
                if found.map_err(Failure::internal)?.is_some() {
                    in_force.push((scope, name));
                }
            }
        }
        Ok((own.iter().map(|consent| consent.id).collect(), in_force))
    }

    /// What is agreed to, as it is kept, before this witness.
    fn form(&self, asked: GiveOwnConsent, witness: &str, signed: &Signed) -> Result<Form, Failure> {
        let now = now_millis();
        if !fits(&asked.words, MAX_WORDS) {
            return Err(unfit("What was agreed to has 1 to 2,000 characters."));
        }
        if asked
            .days
            .is_some_and(|days| !(1..=MAX_DAYS).contains(&days))
        {
            return Err(unfit("A consent lasts at least a day and at most 36,500."));
        }
        check(&asked.text).map_err(|fault| unfit(&format!("In its policy: {}.", fault.message)))?;
        let purposes = purposes(&asked)?;
        Ok(Form {
            words: asked.words.trim().to_owned(),
            text: asked.text,
            purposes,
            captured_by: self.login_of(signed)?,
            witness: witness.to_owned(),
            since: now,
            until: asked
                .days
                .map(|days| now.saturating_add(i64::from(days) * DAY_MILLIS)),
        })
    }

    fn login_of(&self, signed: &Signed) -> Result<String, Failure> {
        let person = self.people.find(signed.person);
        let person = person.ok_or_else(|| Failure::internal("a person who is gone"))?;
        Ok(person.login.clone())
    }

    async fn keep_consent(&self, consent: Consent) -> Result<(), Failure> {
        let sealed = consent.seal(&self.master)?;
        self.until_durable(|done| Item::Consent(sealed, done))
            .await?;
        self.consents.register().insert(consent.id, consent);
        Ok(())
    }

    /// Tells the ledger at once; the row as it is then.
    async fn told_consent(self: &Arc<Self>, id: Id) -> Result<ConsentRow, Failure> {
        self.consents.changed.send_replace(());
        if let Err(failure) = self.tell_consents().await {
            tracing::debug!(%failure, "a consent waits for the ledger");
        }
        let found = self.consents.register().get(&id).cloned();
        self.consent_row(&found.ok_or_else(no_consent)?)
    }

    /// Tells the ledger what is missing there, and waits until that is final.
    async fn tell_consents(&self) -> Result<(), Failure> {
        let _turn = self.consents.turn.lock().await;
        let all: Vec<_> = self.consents.register().values().cloned().collect();
        let mut told = Vec::new();
        for mut consent in all {
            if consent.holds(now_millis()) && self.was_retracted(&consent)? {
                consent.withdrawn = Some((now_millis(), THE_LEDGER.to_owned()));
                self.keep_consent(consent.clone()).await?;
            }
            for payload in self.untold(&consent)? {
                match self.void_of(self.node_key, &payload)? {
                    None => told.push(self.tell_ledger(payload, None).await?),
                    Some(AccessError::NothingNew) => {}
                    Some(error) => tracing::warn!(%error, "a consent is not taken by the ledger"),
                }
            }
        }
        for told in told {
            self.until_final(told).await?;
        }
        Ok(())
    }

    /// Whether the ledger has retracted a consent somewhere: while one holds, none is.
    fn was_retracted(&self, consent: &Consent) -> Result<bool, Failure> {
        let Some(patient) = self.patients.find(&consent.patient) else {
            return Ok(false);
        };
        let snapshot = self.replica.read()?;
        let holder = self.organisation(&snapshot)?;
        for (_, _, scope, name) in consent.places(&patient, holder, Period::at(unix_millis())) {
            let was = access::was_retracted(&snapshot, &scope, &name);
            if was.map_err(Failure::internal)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the ledger is still to be told of a consent.
    fn untold(&self, consent: &Consent) -> Result<Vec<Payload>, Failure> {
        let Some(patient) = self.patients.find(&consent.patient) else {
            return Ok(Vec::new());
        };
        let snapshot = self.replica.read()?;
        let Some(holder) = self.organisation(&snapshot)? else {
            return Ok(Vec::new());
        };
        let wished = self.wished(consent, unix_millis());
        let mut payloads = Vec::new();
        let places = consent.places(&patient, Some(holder), Period::at(unix_millis()));
        for (month, handle, scope, name) in places {
            let is_there = access::policy(&snapshot, &scope, &name);
            let is_there = is_there.map_err(Failure::internal)?.is_some();
            // One that was put in an earlier month stays there as long as it holds.
            let text = match (is_there, consent.holds(now_millis())) {
                (false, true) if wished.contains(&month) => Some(consent.text(&handle)),
                (true, false) => None,
                _ => continue,
            };
            payloads.push(Payload::PutPolicy(PutPolicy {
                grounds: text.is_some().then(|| consent.grounds(&handle)),
                scope,
                name,
                text,
            }));
        }
        Ok(payloads)
    }

    /// The months under whose handles a consent is to be on the ledger.
    fn wished(&self, consent: &Consent, now: u64) -> Vec<Period> {
        if !consent.holds(i64::try_from(now).unwrap_or(i64::MAX)) {
            return Vec::new();
        }
        let month = Period::at(now);
        let next = month.next();
        // A moment of its own: nobody who reads the ledger can tell which are of one patient by when they come.
        let own = consent.grounds(&Digest([0; 32])).0;
        let ahead = AHEAD_MILLIS * (1 + u64::from(own[0])) / 256;
        match now.saturating_add(ahead) >= next.begin_millis() {
            true => vec![month, next],
            false => vec![month],
        }
    }

    fn consent_row(&self, consent: &Consent) -> Result<ConsentRow, Failure> {
        let now = now_millis();
        let snapshot = self.replica.read()?;
        let holder = self.organisation(&snapshot)?;
        let mut is_there = false;
        if let Some(patient) = self.patients.find(&consent.patient) {
            let places = consent.places(&patient, holder, Period::at(unix_millis()));
            for (_, _, scope, name) in places {
                let found = access::policy(&snapshot, &scope, &name);
                is_there |= found.map_err(Failure::internal)?.is_some();
            }
        }
        let form = &consent.form;
        Ok(ConsentRow {
            id: hex::encode(consent.id),
            words: form.words.clone(),
            text: form.text.clone(),
            rule: Rule::from_text(&form.text).map(|rule| rule.words(str::to_owned)),
            purposes: form
                .purposes
                .iter()
                .map(|one| one.word().to_owned())
                .collect(),
            captured_by: form.captured_by.clone(),
            witness: form.witness.clone(),
            signature: self.given_by_her(&snapshot, consent)?,
            since: form.since,
            until: form.until,
            standing: match (consent.holds(now), is_there) {
                (true, true) => ConsentStanding::InForce,
                (true, false) => ConsentStanding::Waiting,
                (false, true) => ConsentStanding::Ending,
                (false, false) => ConsentStanding::Ended,
            },
            withdrawn: consent.withdrawn.as_ref().map(|(at, _)| *at),
            withdrawn_by: consent.withdrawn.as_ref().map(|(_, by)| by.clone()),
            withdrawal_signature: self.withdrawn_by_her(&snapshot, consent)?,
        })
    }
}

/// For what a consent is: what was asked for, else what its policy speaks of, else everything.
fn purposes(asked: &GiveOwnConsent) -> Result<BTreeSet<Purpose>, Failure> {
    let read = |word: &String| {
        Purpose::from_word(word).ok_or_else(|| unfit(&format!("There is no purpose {word}.")))
    };
    let named: BTreeSet<_> = asked.purposes.iter().map(read).collect::<Result<_, _>>()?;
    if !named.is_empty() {
        return Ok(named);
    }
    let spoken = Rule::from_text(&asked.text).map(|rule| rule.purposes);
    let spoken = spoken.filter(|purposes| !purposes.is_empty());
    Ok(spoken.unwrap_or_else(|| Purpose::ALL.iter().copied().collect()))
}

/// Whether a text has something to say, and at most so many characters.
fn fits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.trim().chars().count())
}

fn unfit(why: &str) -> Failure {
    let what = "The consent was not written down.";
    Failure::new(400, "CON-01", what, why, "Correct it, and give it again.")
}

fn no_consent() -> Failure {
    Failure::not_found(
        "There is no such consent.",
        "Take the consent's id from the patient's list of consents.",
    )
}
