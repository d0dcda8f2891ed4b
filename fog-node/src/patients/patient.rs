//! A patient as the node keeps one: what the clinic calls her, and the secret that the ledger's names for her are
//! made of.
//!
//! ```text
//! patients.sealed = XChaCha20-Poly1305(master key, 0x02 ‖ postcard(Patient), aad = "patient/" ‖ id)
//! ```
//!
//! The id is random and stays in this organisation's vaults and consoles; the ledger hears of no id and no name. Rows
//! of version 1 end before account and team, and are read as those of patients who have neither.

use std::fmt;

use fog_api::DescribePatient;
use ledger_core::access::{Period, Purpose, Relation, erasure_handle, subject_handle};
use ledger_core::{Digest, canonical};
use serde::{Deserialize, Serialize};
use time::{Date, Month};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::failure::Failure;
use crate::keystore::random;
use crate::people::person::PersonId;
use crate::vault::VaultError;
use crate::vault::patients::SealedPatient;
use crate::vault::seal::{MasterKey, SealError};

const VERSION: u8 = 2;
const VERSION_WITHOUT_ACCOUNT: u8 = 1;
/// Longest patient, encoded.
const MAX_BYTES: usize = 16 << 10;
/// Longest name in characters.
pub(crate) const MAX_NAME: usize = 80;
/// Longest number in characters.
const MAX_NUMBER: usize = 32;
/// Nobody who is treated was born before.
const FIRST_YEAR: i32 = 1850;

/// Sixteen random bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PatientId(pub [u8; 16]);

impl fmt::Display for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Says nothing of itself: a log refers to no patient.
impl fmt::Debug for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientId(…)")
    }
}

impl std::str::FromStr for PatientId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).map(|()| Self(id))
    }
}

/// Thirty-two random bytes that all handles of a patient on the ledger are made of.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ZeroizeOnDrop)]
struct SubjectSecret([u8; 32]);

/// The account with which a patient signs in at this node.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose.
    pub person: PersonId,
    /// When it was linked, in Unix milliseconds.
    pub since: i64,
    /// Login of who linked it.
    pub by: String,
}

/// Somebody who treats a patient, or acts for her by law.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// Who, by her handle on the ledger; she may be another organisation's.
    pub person: Digest,
    /// What she is to the patient.
    pub relation: Relation,
    /// What she is called here.
    pub name: String,
    /// When it was said, in Unix milliseconds.
    pub since: i64,
    /// Until when it holds, if that is known.
    pub until: Option<i64>,
    /// Login of who said so.
    pub by: String,
}

/// Somebody whom the clinic treats.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// Random.
    pub id: PatientId,
    secret: SubjectSecret,
    /// What the clinic calls her.
    pub name: String,
    /// The clinic's own number of her; nobody else has it.
    pub number: Option<String>,
    /// Day of birth, `YYYY-MM-DD`.
    pub born: Option<String>,
    /// When she was added, in Unix milliseconds.
    pub since: i64,
    /// When what she is called was changed last: of two nodes' versions, the later one holds.
    pub changed: i64,
    /// With which account she sees her own record, if with one. Of this node only: accounts do not travel.
    pub account: Option<Account>,
    /// Who treats her, or acts for her by law.
    pub team: Vec<Related>,
}

/// Names nobody.
impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patient(…)")
    }
}

impl Patient {
    /// Somebody new, called so, at `now` in Unix milliseconds.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn new(called: Called, now: i64) -> Result<Self, SealError> {
        let Called { name, number, born } = called;
        Ok(Self {
            id: PatientId(random().map_err(|_| SealError::Randomness)?),
            secret: SubjectSecret(random().map_err(|_| SealError::Randomness)?),
            name,
            number,
            born,
            since: now,
            changed: now,
            account: None,
            team: Vec::new(),
        })
    }

    /// The same patient, called differently from now on.
    #[must_use]
    pub fn renamed(self, called: Called, now: i64) -> Self {
        let Called { name, number, born } = called;
        Self {
            name,
            number,
            born,
            changed: now.max(self.changed.saturating_add(1)),
            ..self
        }
    }

    /// The same patient, with this account from now on.
    #[must_use]
    pub fn linked(self, account: Option<Account>) -> Self {
        Self { account, ..self }
    }

    /// The same patient, with this team from `now` on.
    #[must_use]
    pub fn looked_after(self, team: Vec<Related>, now: i64) -> Self {
        Self {
            team,
            changed: now.max(self.changed.saturating_add(1)),
            ..self
        }
    }

    /// Under which handle the ledger knows her for this purpose in this period.
    #[must_use]
    pub fn handle(&self, purpose: Purpose, period: Period) -> Digest {
        subject_handle(&self.secret.0, purpose, period)
    }

    /// Under which name the ledger hears that she was erased.
    #[must_use]
    pub fn erasure_handle(&self) -> Digest {
        erasure_handle(&self.secret.0)
    }

    /// Refuses a patient of another node's that this one would not write down so.
    ///
    /// # Errors
    /// [`Failure`] `PAT-01`.
    pub fn check(&self, now: i64) -> Result<(), Failure> {
        let asked = DescribePatient {
            name: self.name.clone(),
            number: self.number.clone(),
            born: self.born.clone(),
        };
        Called::checked(&asked, now)?;
        super::team::check(&self.team)
    }

    /// Seals her for the vault.
    ///
    /// # Errors
    /// [`VaultError::Seal`] without randomness.
    pub fn seal(&self, master: &MasterKey) -> Result<SealedPatient, VaultError> {
        let mut content = Zeroizing::new(vec![VERSION]);
        canonical::encode_into(self, &mut content);
        let sealed = master.seal(&purpose_of(self.id), &content)?;
        Ok(SealedPatient {
            id: self.id,
            sealed,
        })
    }

    /// Opens what [`Patient::seal`] sealed.
    ///
    /// # Errors
    /// [`VaultError`] if it was sealed under another key or for another row, or is of another form.
    pub fn open(sealed: &SealedPatient, master: &MasterKey) -> Result<Self, VaultError> {
        let content = master.open(&purpose_of(sealed.id), &sealed.sealed)?;
        let patient = match content.split_first() {
            Some((&VERSION, rest)) => canonical::decode::<Self>(rest, MAX_BYTES).ok(),
            Some((&VERSION_WITHOUT_ACCOUNT, rest)) => {
                // No account and nobody in the team are a zero each.
                let with_none = Zeroizing::new([rest, &[0, 0]].concat());
                canonical::decode::<Self>(&with_none, MAX_BYTES).ok()
            }
            _ => None,
        };
        patient
            .filter(|patient| patient.id == sealed.id)
            .ok_or(VaultError::Row { table: "patients" })
    }

    /// Whether a part of her name, or of her number, is `words`; those are in lowercase.
    pub(crate) fn is_found_by(&self, words: &str) -> bool {
        let number = self.number.as_deref().unwrap_or_default();
        self.name.to_lowercase().contains(words) || number.to_lowercase().contains(words)
    }
}

fn purpose_of(id: PatientId) -> Vec<u8> {
    [b"patient/".as_slice(), &id.0].concat()
}

/// What a clinic calls a patient, as it may be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Called {
    name: String,
    number: Option<String>,
    born: Option<String>,
}

impl Called {
    /// What is asked for, without blanks around it.
    ///
    /// # Errors
    /// [`Failure`] `PAT-01`, which repeats nothing of it.
    pub fn checked(asked: &DescribePatient, now: i64) -> Result<Self, Failure> {
        let filled = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim).unwrap_or_default();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let is_text = |text: &str, most: usize| {
            (1..=most).contains(&text.chars().count()) && !text.chars().any(is_unprintable)
        };
        let (name, number) = (asked.name.trim(), filled(&asked.number));
        if !is_text(name, MAX_NAME) {
            return Err(unfit(format!(
                "What she is called has 1 to {MAX_NAME} printable characters."
            )));
        }
        if number
            .as_ref()
            .is_some_and(|number| !is_text(number, MAX_NUMBER))
        {
            return Err(unfit(format!(
                "A number has 1 to {MAX_NUMBER} printable characters."
            )));
        }
        let born = filled(&asked.born);
        if born.as_ref().is_some_and(|born| !is_birth_date(born, now)) {
            return Err(unfit(format!(
                "A date of birth is a day of the calendar from {FIRST_YEAR} to today, such as 1957-03-14."
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            number,
            born,
        })
    }

    /// One known by a pseudonym alone, as versions before this table had it.
    #[must_use]
    pub const fn pseudonym(name: String) -> Self {
        Self {
            name,
            number: None,
            born: None,
        }
    }
}

/// Control characters, and those that turn the direction of the text around them (Unicode, UAX 9).
fn is_unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether it is a day, not after the one of `now`.
fn is_birth_date(text: &str, now: i64) -> bool {
    let digits = |part: &str, count: usize| {
        let are_digits = part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        are_digits.then(|| part.parse::<u16>().ok()).flatten()
    };
    let mut parts = text.splitn(3, '-');
    let mut part = |count| parts.next().and_then(|part| digits(part, count));
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else {
        return false;
    };
    let month = u8::try_from(month)
        .ok()
        .and_then(|month| Month::try_from(month).ok());
    let (Some(month), Ok(day)) = (month, u8::try_from(day)) else {
        return false;
    };
    let born = Date::from_calendar_date(i32::from(year), month, day);
    let today = time::OffsetDateTime::from_unix_timestamp(now.div_euclid(1_000));
    // Where it is tomorrow already, she may be born tomorrow.
    let last = today.ok().and_then(|today| today.date().next_day());
    born.is_ok_and(|born| born.year() >= FIRST_YEAR && last.is_none_or(|last| born <= last))
}

fn unfit(why: String) -> Failure {
    let next = "Change that and try again.";
    Failure::new(
        400,
        "PAT-01",
        "The patient was not written down.",
        why,
        next,
    )
}

#[cfg(test)]
pub(crate) mod tests {
    //! Goal: a row opens under its key and id alone and says nothing unopened; what is kept can be shown. Method:
    //! one patient, sealed and opened, and names, numbers and dates at their bounds.

    use super::*;

    /// 2026-11-27, noon.
    const NOW: i64 = 1_795_780_800_000;

    /// Somebody of this name.
    pub(crate) fn somebody(name: &str) -> Patient {
        Patient::new(Called::pseudonym(name.to_owned()), 1).unwrap()
    }

    fn described(name: &str, number: Option<&str>, born: Option<&str>) -> DescribePatient {
        DescribePatient {
            name: name.to_owned(),
            number: number.map(str::to_owned),
            born: born.map(str::to_owned),
        }
    }

    #[test]
    fn a_row_opens_under_its_key_and_id_alone() {
        let master = MasterKey::new([1; 32]);
        let patient = somebody("Zacharias");
        let mut sealed = patient.seal(&master).unwrap();
        assert_eq!(Patient::open(&sealed, &master).unwrap(), patient);
        assert!(!sealed.sealed.windows(9).any(|part| part == b"Zacharias"));
        assert!(Patient::open(&sealed, &MasterKey::new([2; 32])).is_err());
        sealed.id = PatientId([4; 16]);
        assert!(Patient::open(&sealed, &master).is_err());
        for content in [&[][..], &[1], &[2], &[3], &[1, 2, 3], &[2, 2, 3]] {
            let row = SealedPatient {
                id: patient.id,
                sealed: master.seal(&purpose_of(patient.id), content).unwrap(),
            };
            let opened = Patient::open(&row, &master);
            assert!(matches!(opened, Err(VaultError::Row { .. })));
        }
        let said = format!("{patient:?} {:?}", patient.id);
        assert!(!said.contains("Zacharias") && !said.contains(&patient.id.to_string()));
    }

    /// A row of an earlier version ends before the account, and is read.
    #[test]
    fn a_row_without_an_account_is_read() {
        let master = MasterKey::new([1; 32]);
        let patient = somebody("P-1");
        let mut earlier = canonical::encode(&patient);
        assert_eq!([earlier.pop(), earlier.pop()], [Some(0); 2]);
        earlier.insert(0, 1);
        let row = SealedPatient {
            id: patient.id,
            sealed: master.seal(&purpose_of(patient.id), &earlier).unwrap(),
        };
        assert_eq!(Patient::open(&row, &master).unwrap(), patient);
        let linked = patient.linked(Some(Account {
            person: PersonId([7; 16]),
            since: 2,
            by: "nina".into(),
        }));
        let opened = Patient::open(&linked.seal(&master).unwrap(), &master);
        assert_eq!(opened.unwrap(), linked);
    }

    #[test]
    fn a_name_changes_and_the_handles_stay() {
        let patient = somebody("P-1");
        let (purpose, period) = (Purpose::Treatment, Period::at(0));
        let handle = patient.handle(purpose, period);
        let renamed = patient.clone().renamed(Called::pseudonym("P-2".into()), 0);
        assert_eq!(
            (renamed.handle(purpose, period), renamed.id),
            (handle, patient.id)
        );
        assert!(
            renamed.changed > patient.changed,
            "also with a clock set back"
        );
        assert_ne!(somebody("P-1").handle(purpose, period), handle);
    }

    #[test]
    fn what_is_kept_can_be_shown() {
        let check = |asked: &DescribePatient| Called::checked(asked, NOW);
        let kept = check(&described(" Ana  Ö. ", Some(" "), Some("2024-02-29"))).unwrap();
        assert!(kept.number.is_none() && kept.name == "Ana  Ö.");
        assert!(check(&described(&"a".repeat(80), Some("P-4417/x"), None)).is_ok());
        for (name, number, born) in [
            ("", None, None),
            (" ", None, None),
            ("a\u{202e}b", None, None),
            ("a\nb", None, None),
            (&*"a".repeat(81), None, None),
            ("a", Some("1\t2"), None),
            ("a", Some(&*"1".repeat(33)), None),
            ("a", None, Some("2026-11-29")),
            ("a", None, Some("1849-12-31")),
            ("a", None, Some("2023-02-29")),
            ("a", None, Some("2023-2-9")),
            ("a", None, Some("2023-02-09-1")),
            ("a", None, Some("+023-02-09")),
            ("a", None, Some("1957-13-01")),
        ] {
            let refused = check(&described(name, number, born)).err().unwrap();
            assert_eq!(refused.error.code, "PAT-01", "{name:?} {number:?} {born:?}");
        }
        for born in ["1850-01-01", "2026-11-28"] {
            assert!(check(&described("a", None, Some(born))).is_ok(), "{born}");
        }
    }
}
