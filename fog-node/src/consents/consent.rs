//! A consent: what a patient agreed to, in words and as a policy, and under which names the ledger knows it. Pure.
//!
//! ```text
//! for each purpose and month: handle of the patient ─▶ name    = HMAC(secret, "name" ‖ handle), 32 hex digits
//!                                                   ─▶ salt    = HMAC(secret, "salt" ‖ handle)
//!                                                   ─▶ grounds = tagged("fogward/consent/1", salt ‖ postcard(form))
//! ```
//!
//! So what the ledger has of one consent under two handles has nothing in common but its text, and the node needs to
//! remember nothing of what it has put.
//!
//! One that she gave herself is signed with her own key, and its grounds commit to the signature, too:
//!
//! ```text
//! given     = signature over "fogward/own-consent/1" ‖ 00 ‖ postcard(chain, person, id, patient, form)
//! withdrawn = signature over "fogward/own-withdrawal/1" ‖ 00 ‖ postcard(chain, person, id, patient, form, when)
//! grounds   = tagged("fogward/consent/2", salt ‖ postcard(form, given))
//! ```

use std::collections::BTreeSet;
use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use ledger_core::access::{Period, Purpose, Scope};
use ledger_core::{ChainId, Digest, OrganisationId, PublicKey, SecretKey, Signature, canonical};
use ledger_policy::{CheckedPolicy, Fault, Rule};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::patients::patient::{Patient, PatientId};
use crate::vault::VaultError;
use crate::vault::consents::SealedConsent;
use crate::vault::seal::{MasterKey, SealError};

/// Longest sealed consent in bytes.
const MAX_BYTES: usize = 64 << 10;
const VERSION: u8 = 2;
/// Rows of this version end before the signatures.
const VERSION_UNSIGNED: u8 = 1;
/// What stands for the patient's handle in a text.
const PATIENT: &str = "Subject::\"patient\"";
/// Months back in which something may be granted still that rests on a consent: a grant lasts at most a year.
const MONTHS: usize = 13;

/// Thirty-two random bytes of one consent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ZeroizeOnDrop)]
pub(crate) struct ConsentSecret(pub(crate) [u8; 32]);

/// What was agreed to, as it was signed or told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Form {
    /// In words.
    pub(crate) words: String,
    /// The policy in Cedar; where it names the patient, she is [`PATIENT`].
    pub(crate) text: String,
    /// For what.
    pub(crate) purposes: BTreeSet<Purpose>,
    /// Who wrote it down, by login.
    pub(crate) captured_by: String,
    /// Who was there; nobody, where she gave it herself.
    pub(crate) witness: String,
    /// When, in Unix milliseconds.
    pub(crate) since: i64,
    /// Until before this moment; none if it lasts until it is withdrawn.
    pub(crate) until: Option<i64>,
}

/// What a patient says with her own key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnSignature {
    /// By which handle the ledger knows her as a person.
    pub(crate) person: Digest,
    pub(crate) key: PublicKey,
    signature: Signature,
}

impl OwnSignature {
    /// Signs a statement that names the person.
    pub(crate) fn sign(
        key: &SecretKey,
        person: Digest,
        statement: impl FnOnce(&Digest) -> Zeroizing<Vec<u8>>,
    ) -> Self {
        Self {
            person,
            key: key.public(),
            signature: key.sign(&statement(&person)),
        }
    }

    /// Whether it is over this statement.
    pub(crate) fn is_of(&self, statement: &[u8]) -> bool {
        self.key.verify(statement, &self.signature).is_ok()
    }
}

/// A consent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub(crate) id: [u8; 16],
    pub(crate) patient: PatientId,
    secret: ConsentSecret,
    pub(crate) form: Form,
    /// When it was withdrawn, in Unix milliseconds, and by whom that was written down.
    pub(crate) withdrawn: Option<(i64, String)>,
    /// Her signature, where she gave it herself.
    pub(crate) given_by_her: Option<OwnSignature>,
    /// Her signature, where she withdrew it herself.
    pub(crate) withdrawn_by_her: Option<OwnSignature>,
}

/// Names nobody.
impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Consent(…)")
    }
}

impl Consent {
    pub(crate) const fn new(
        id: [u8; 16],
        secret: ConsentSecret,
        patient: PatientId,
        form: Form,
    ) -> Self {
        Self {
            id,
            patient,
            secret,
            form,
            withdrawn: None,
            given_by_her: None,
            withdrawn_by_her: None,
        }
    }

    /// Whether it holds at `now`, in Unix milliseconds.
    pub(crate) fn holds(&self, now: i64) -> bool {
        self.withdrawn.is_none() && self.form.until.is_none_or(|until| now < until)
    }

    /// Its name under a handle.
    pub(crate) fn name(&self, handle: &Digest) -> String {
        let name = self.derive(b"name", handle);
        name.to_string().chars().take(32).collect()
    }

    /// The commitment to its form under a handle.
    pub(crate) fn grounds(&self, handle: &Digest) -> Digest {
        let salt = self.derive(b"salt", handle);
        let (tag, form) = match &self.given_by_her {
            None => ("fogward/consent/1", canonical::encode(&self.form)),
            Some(given) => ("fogward/consent/2", canonical::encode(&(&self.form, given))),
        };
        Digest::tagged(tag, &[&salt.0, &Zeroizing::new(form)])
    }

    /// What she signs who gives it herself, a person of this handle.
    pub(crate) fn statement(&self, chain: ChainId, person: &Digest) -> Zeroizing<Vec<u8>> {
        let said = (chain, person, &self.id, self.patient, &self.form);
        tagged(b"fogward/own-consent/1\0", &said)
    }

    /// What she signs who withdraws it herself.
    pub(crate) fn withdrawal(&self, chain: ChainId, person: &Digest) -> Zeroizing<Vec<u8>> {
        let at = self.withdrawn.as_ref().map_or(0, |(at, _)| *at);
        let said = (chain, person, &self.id, self.patient, &self.form, at);
        tagged(b"fogward/own-withdrawal/1\0", &said)
    }

    /// Its text under a handle.
    pub(crate) fn text(&self, handle: &Digest) -> String {
        text_for(&self.form.text, handle)
    }

    /// Where it may be on the ledger, in a month: handle, scope and name, for each purpose and each month in which
    /// something that rests on it may be granted still.
    pub(crate) fn places(
        &self,
        patient: &Patient,
        holder: Option<OrganisationId>,
        now: Period,
    ) -> Vec<(Period, Digest, Scope, String)> {
        let Some(holder) = holder else {
            return Vec::new();
        };
        let place = |month, purpose: &Purpose| {
            let handle = patient.handle(*purpose, month);
            let subject = Some(handle);
            (month, handle, Scope { holder, subject }, self.name(&handle))
        };
        let all = months(now).flat_map(|month| {
            let purposes = self.form.purposes.iter();
            purposes.map(move |purpose| place(month, purpose))
        });
        all.collect()
    }

    fn derive(&self, what: &[u8], handle: &Digest) -> Digest {
        // HMAC takes keys of every length.
        let keyed = Hmac::<Sha256>::new_from_slice(&self.secret.0);
        let mut mac = keyed.unwrap_or_else(|_| Hmac::new(&Default::default()));
        mac.update(what);
        mac.update(&handle.0);
        Digest(mac.finalize().into_bytes().into())
    }

    /// Seals it for the vault.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub(crate) fn seal(&self, master: &MasterKey) -> Result<SealedConsent, SealError> {
        let mut content = Zeroizing::new(vec![VERSION]);
        canonical::encode_into(self, &mut content);
        Ok(SealedConsent {
            id: self.id,
            sealed: master.seal(&purpose_of(&self.id), &content)?,
        })
    }

    /// Opens what [`Consent::seal`] sealed.
    ///
    /// # Errors
    /// [`VaultError`] if it was sealed under another key or for another row, or is of another form.
    pub(crate) fn open(row: &SealedConsent, master: &MasterKey) -> Result<Self, VaultError> {
        let content = master.open(&purpose_of(&row.id), &row.sealed)?;
        let consent = match content.split_first() {
            Some((&VERSION, rest)) => canonical::decode::<Self>(rest, MAX_BYTES).ok(),
            Some((&VERSION_UNSIGNED, rest)) => {
                // Each of the last two fields that is not there is written as one zero.
                let unsigned = Zeroizing::new([rest, &[0, 0]].concat());
                canonical::decode::<Self>(&unsigned, MAX_BYTES).ok()
            }
            _ => None,
        };
        let consent = consent.filter(|consent| consent.id == row.id);
        consent.ok_or(VaultError::Row { table: "consents" })
    }
}

fn purpose_of(id: &[u8; 16]) -> Vec<u8> {
    [b"consent/".as_slice(), id].concat()
}

fn tagged(tag: &[u8], said: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(tag.to_vec());
    canonical::encode_into(said, &mut bytes);
    bytes
}

/// The months in which something that rests on a consent may be granted still: the next, this and the twelve before.
fn months(now: Period) -> impl Iterator<Item = Period> {
    std::iter::successors(Some(now.next()), |month| month.previous()).take(MONTHS + 1)
}

/// A text of a consent as the ledger has it under a handle: what is written as a policy about everybody's data is about
/// her data, and where she is named, she is named by the handle.
fn text_for(text: &str, handle: &Digest) -> String {
    let subject = format!("Subject::\"{handle}\"");
    match Rule::from_text(text) {
        // A rule has one head, and nothing else in it ends so.
        Some(_) => text.replacen(
            "action, resource)",
            &format!("action, resource in {subject})"),
            1,
        ),
        None => text.replace(PATIENT, &subject),
    }
}

/// Why a text cannot be a consent.
///
/// # Errors
/// Its first [`Fault`].
pub(crate) fn check(text: &str) -> Result<(), Fault> {
    let handle = Digest([0; 32]);
    let checked =
        CheckedPolicy::read_of_subject("draft", &text_for(text, &handle), &handle.to_string());
    match checked {
        Ok(_) => Ok(()),
        Err(faults) => Err(faults.into_iter().next().unwrap_or(Fault {
            message: "it cannot be read".into(),
            help: None,
            span: (0, 0),
        })),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: what the ledger has of a consent under two handles has nothing in common but its text, and a text is about
    //! one patient's data whichever way it is written. Method: examples, sealed and opened.

    use super::*;

    fn consent(text: &str) -> Consent {
        let form = Form {
            words: "Researchers may see my pulse.".into(),
            text: text.into(),
            purposes: [Purpose::Research, Purpose::Quality].into(),
            captured_by: "nina".into(),
            witness: "Paul P.".into(),
            since: 10,
            until: Some(20),
        };
        Consent::new([3; 16], ConsentSecret([4; 32]), PatientId([5; 16]), form)
    }

    const RULE: &str = "permit(principal in Role::\"researcher\", action, resource)\nwhen {\n    \
        [\"8867-4\"].contains(resource.metric)\n};\n";

    #[test]
    fn handles_have_nothing_in_common() {
        let consent = consent(RULE);
        let [one, other] = [[1; 32], [2; 32]].map(Digest);
        assert_ne!(consent.name(&one), consent.name(&other));
        assert_ne!(consent.grounds(&one), consent.grounds(&other));
        assert_eq!(consent.name(&one).len(), 32);
        assert!(ledger_core::access::is_policy_name(&consent.name(&one)));
        let master = MasterKey::new([9; 32]);
        let sealed = consent.seal(&master).unwrap();
        assert_eq!(Consent::open(&sealed, &master).unwrap(), consent);
        let moved = SealedConsent {
            id: [1; 16],
            ..sealed
        };
        assert!(Consent::open(&moved, &master).is_err());
        assert_eq!(
            [9, 10, 19, 20].map(|now| consent.holds(now)),
            [true, true, true, false]
        );
    }

    /// A row of an earlier version ends before the signatures, and is read.
    #[test]
    fn a_row_without_signatures_is_read() {
        let (consent, master) = (consent(RULE), MasterKey::new([9; 32]));
        let mut earlier = canonical::encode(&consent);
        assert!(earlier.ends_with(&[0, 0]));
        earlier.truncate(earlier.len() - 2);
        earlier.insert(0, 1);
        let row = SealedConsent {
            id: consent.id,
            sealed: master.seal(&purpose_of(&consent.id), &earlier).unwrap(),
        };
        assert_eq!(Consent::open(&row, &master).unwrap(), consent);
    }

    /// What she signed holds for that consent, on that ledger and as that person only, whatever of it is changed.
    #[test]
    fn a_signature_is_of_one_consent() {
        let key = SecretKey::from_seed(&[6; 32]);
        let (chain, person) = (ChainId(Digest([1; 32])), Digest([2; 32]));
        let mut given = consent(RULE);
        let own = OwnSignature::sign(&key, person, |person| given.statement(chain, person));
        let plain = given.grounds(&Digest([3; 32]));
        given.given_by_her = Some(own.clone());
        assert_ne!(given.grounds(&Digest([3; 32])), plain, "it is committed to");
        let holds = |consent: &Consent, chain, person: &Digest| {
            own.is_of(&consent.statement(chain, person))
        };
        assert!(holds(&given, chain, &person));
        assert!(!own.is_of(&given.withdrawal(chain, &person)));
        assert!(!holds(&given, ChainId(Digest([9; 32])), &person));
        assert!(!holds(&given, chain, &Digest([9; 32])));
        let changes: [fn(&mut Consent); 7] = [
            |one| one.id[0] ^= 1,
            |one| one.patient = PatientId([9; 16]),
            |one| one.form.words.push('.'),
            |one| one.form.text.push(' '),
            |one| one.form.purposes = [Purpose::Payment].into(),
            |one| one.form.since += 1,
            |one| one.form.until = None,
        ];
        for change in changes {
            let mut changed = given.clone();
            change(&mut changed);
            assert!(!holds(&changed, chain, &person));
        }
        let master = MasterKey::new([9; 32]);
        let opened = Consent::open(&given.seal(&master).unwrap(), &master);
        assert_eq!(opened.unwrap(), given);
    }

    #[test]
    fn a_text_is_about_her_data_only() {
        assert_eq!(check(RULE), Ok(()));
        let written = consent(RULE).text(&Digest([0xab; 32]));
        let subject = format!("resource in Subject::\"{}\"", "ab".repeat(32));
        assert!(written.contains(&subject), "{written}");
        let by_hand = "forbid(principal, action, resource in Subject::\"patient\") unless { \
            principal in Organisation::\"00\" };";
        assert_eq!(check(by_hand), Ok(()));
        for wrong in [
            "",
            "permit(principal, action, resource) when { 1 < 2 };",
            "permit(principal, action, resource in Subject::\"somebody\");",
            "permit(principal in Role::\"king\", action, resource in Subject::\"patient\");",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_withdrawal_reaches_a_year_back_and_a_month_ahead() {
        let now = Period::at(1_800_000_000_000);
        let all: Vec<_> = months(now).collect();
        assert_eq!(all.len(), 14);
        assert_eq!(all[0], now.next());
        assert_eq!(all[1], now);
        assert!(all.is_sorted_by(|later, earlier| earlier < later));
    }
}
