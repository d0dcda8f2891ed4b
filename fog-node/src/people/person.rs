//! A person as the node keeps one: who it is, what opens a session, and how it is sealed.
//!
//! ```text
//! people.sealed = XChaCha20-Poly1305(master key, 0x02 ‖ postcard(Person), aad = "person/" ‖ id)
//! ```
//!
//! The whole row is sealed, so that the file tells neither names nor roles, nor who mistyped how often. Rows of
//! version 1 end before the pseudonym, and are read as those of people who have none yet.

use std::collections::BTreeSet;
use std::fmt;

use fog_api::{PersonOnLedger, PersonStanding, Role};
use ledger_core::{Digest, canonical};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::guesses::Guesses;
use super::on_ledger::Pseudonym;
use super::passphrase::SealedKeys;
use super::second_factor::AppSecret;
use crate::Failure;
use crate::vault::VaultError;
use crate::vault::people::SealedPerson;
use crate::vault::seal::MasterKey;

const VERSION: u8 = 2;
const VERSION_WITHOUT_PSEUDONYM: u8 = 1;
/// Longest person, encoded.
const MAX_BYTES: usize = 16 << 10;
const MAX_LOGIN: usize = 32;
const MAX_NAME: usize = 64;

/// Sixteen random bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PersonId(pub [u8; 16]);

impl PersonId {
    /// Nobody's: the row that tries under unknown names are noted in.
    pub const NOBODY: Self = Self([0; 16]);
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonId({self})")
    }
}

impl std::str::FromStr for PersonId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).map(|()| Self(id))
    }
}

/// A registered person.
#[derive(Clone, Serialize, Deserialize)]
pub struct Person {
    /// Random.
    pub id: PersonId,
    /// What is typed to sign in.
    pub login: String,
    /// What is shown.
    pub name: String,
    /// What the person is here.
    pub roles: BTreeSet<Role>,
    /// When the person was registered, in Unix milliseconds.
    pub since: i64,
    /// When the person was revoked.
    pub revoked: Option<i64>,
    /// The keys, sealed under the passphrase.
    pub keys: SealedKeys,
    /// What the authenticator app knows.
    pub app: AppSecret,
    /// The newest step of the app that was accepted.
    pub last_step: u64,
    /// What is kept of the recovery codes that are not used.
    pub recovery: Vec<Digest>,
    /// Failed tries in a row.
    pub guesses: Guesses,
    /// What names the person on the ledger; none of who was registered by an earlier version, until it is drawn.
    pub pseudonym: Option<Pseudonym>,
}

/// Names nobody.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({})", self.id)
    }
}

impl Person {
    /// Seals the person for the vault.
    ///
    /// # Errors
    /// [`VaultError::Seal`] without randomness.
    pub fn seal(&self, master: &MasterKey) -> Result<SealedPerson, VaultError> {
        let mut content = Zeroizing::new(vec![VERSION]);
        content.append(&mut canonical::encode(self));
        let sealed = master.seal(&purpose(self.id), &content)?;
        Ok(SealedPerson {
            id: self.id,
            sealed,
        })
    }

    /// Opens what [`Person::seal`] sealed.
    ///
    /// # Errors
    /// [`VaultError`] if it was sealed under another key or for another row, or is of another form.
    pub fn open(sealed: &SealedPerson, master: &MasterKey) -> Result<Self, VaultError> {
        let content = master.open(&purpose(sealed.id), &sealed.sealed)?;
        let person = match content.split_first() {
            Some((&VERSION, rest)) => canonical::decode::<Self>(rest, MAX_BYTES).ok(),
            Some((&VERSION_WITHOUT_PSEUDONYM, rest)) => {
                // A last field that is not there is written as one zero.
                let with_none = Zeroizing::new([rest, &[0]].concat());
                canonical::decode::<Self>(&with_none, MAX_BYTES).ok()
            }
            _ => None,
        };
        let is_own = |person: &Self| person.id == sealed.id;
        person
            .filter(is_own)
            .ok_or(VaultError::Row { table: "people" })
    }

    /// Whether the person may sign in.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.revoked.is_none()
    }

    /// Whether the person may sign in and is an admin.
    #[must_use]
    pub fn is_active_admin(&self) -> bool {
        self.is_active() && self.roles.contains(&Role::Admin)
    }

    /// What callers are told, at `now` in Unix milliseconds.
    #[must_use]
    pub fn view(&self, now: i64, ledger: PersonOnLedger) -> fog_api::Person {
        fog_api::Person {
            id: self.id.to_string(),
            login: self.login.clone(),
            name: self.name.clone(),
            roles: self.roles.clone(),
            standing: match self.revoked {
                None => PersonStanding::Active,
                Some(_) => PersonStanding::Revoked,
            },
            since: self.since,
            signing_key: self.keys.signing.to_string(),
            exchange_key: hex::encode(self.keys.exchange),
            recovery_codes: u8::try_from(self.recovery.len()).unwrap_or(u8::MAX),
            closed_until: self.guesses.closed_until(now),
            ledger,
        }
    }
}

fn purpose(id: PersonId) -> Vec<u8> {
    [b"person/".as_slice(), &id.0].concat()
}

/// The login name as it is kept, if it can be one.
///
/// # Errors
/// [`Failure`] `PPL-01`.
pub fn checked_login(text: &str) -> Result<String, Failure> {
    let is_letter = |letter: char| letter.is_ascii_lowercase();
    let is_part =
        |letter: char| is_letter(letter) || letter.is_ascii_digit() || "._-".contains(letter);
    let is_login = (2..=MAX_LOGIN).contains(&text.len())
        && text.starts_with(is_letter)
        && text.chars().all(is_part);
    if is_login {
        return Ok(text.to_owned());
    }
    Err(unfit(format!(
        "A login name has 2 to {MAX_LOGIN} lowercase letters, digits, dots, hyphens and underscores, and \
         begins with a letter."
    )))
}

/// The name as it is kept, if it can be one.
///
/// # Errors
/// [`Failure`] `PPL-01`.
pub fn checked_name(text: &str) -> Result<String, Failure> {
    let name = text.trim();
    let is_shown = |letter: char| letter.is_alphanumeric() || " .,'’-()".contains(letter);
    if (1..=MAX_NAME).contains(&name.chars().count()) && name.chars().all(is_shown) {
        return Ok(name.to_owned());
    }
    Err(unfit(format!(
        "A name has 1 to {MAX_NAME} letters, digits, blanks, dots, commas, hyphens, apostrophes and brackets."
    )))
}

/// The roles, if there is one.
///
/// # Errors
/// [`Failure`] `PPL-01`.
pub fn checked_roles(roles: BTreeSet<Role>) -> Result<BTreeSet<Role>, Failure> {
    match roles.is_empty() {
        false => Ok(roles),
        true => Err(unfit("A person has at least one role.".to_owned())),
    }
}

fn unfit(why: String) -> Failure {
    let next = "Change that and try again.";
    Failure::new(400, "PPL-01", "This cannot be registered.", why, next)
}

#[cfg(test)]
pub(crate) mod tests {
    //! Goal: a row opens under its key and id alone and says nothing unopened; names are what a screen can
    //! show. Method: one person, sealed and opened, and names at their bounds.

    use super::*;
    use crate::people::second_factor::recovery_codes;

    /// Somebody who cannot sign in, for tests of what is kept.
    pub(crate) fn somebody(id: u8, login: &str, roles: &[Role]) -> Person {
        let id = PersonId([id; 16]);
        Person {
            id,
            login: login.to_owned(),
            name: format!("Name of {login}"),
            roles: roles.iter().copied().collect(),
            since: 1,
            revoked: None,
            keys: SealedKeys::nobodys().unwrap(),
            app: AppSecret::generate().unwrap(),
            last_step: 0,
            recovery: recovery_codes(id).unwrap().1,
            guesses: Guesses::default(),
            pseudonym: None,
        }
    }

    #[test]
    fn a_row_opens_under_its_key_and_id_alone() {
        let master = MasterKey::new([1; 32]);
        let person = somebody(3, "anna", &[Role::Nurse, Role::Admin]);
        let mut sealed = person.seal(&master).unwrap();
        let opened = Person::open(&sealed, &master).unwrap();
        assert_eq!(canonical::encode(&opened), canonical::encode(&person));
        assert!(!format!("{opened:?}").contains("anna"));
        assert!(Person::open(&sealed, &MasterKey::new([2; 32])).is_err());
        sealed.id = PersonId([4; 16]);
        assert!(Person::open(&sealed, &master).is_err());
        for content in [&[][..], &[1], &[2], &[1, 2, 3], &[2, 2, 3]] {
            let sealed = master.seal(&purpose(person.id), content).unwrap();
            let row = SealedPerson {
                id: person.id,
                sealed,
            };
            assert!(matches!(
                Person::open(&row, &master),
                Err(VaultError::Row { .. })
            ));
        }
    }

    /// A row of an earlier version ends before the pseudonym, and is read.
    #[test]
    fn a_row_without_a_pseudonym_is_read() {
        let master = MasterKey::new([1; 32]);
        let mut person = somebody(3, "anna", &[Role::Nurse]);
        let mut earlier = canonical::encode(&person);
        assert_eq!(earlier.pop(), Some(0));
        earlier.insert(0, 1);
        let row = SealedPerson {
            id: person.id,
            sealed: master.seal(&purpose(person.id), &earlier).unwrap(),
        };
        let opened = Person::open(&row, &master).unwrap();
        assert_eq!(canonical::encode(&opened), canonical::encode(&person));
        person.pseudonym = Some(Pseudonym::draw().unwrap());
        let opened = Person::open(&person.seal(&master).unwrap(), &master).unwrap();
        assert_eq!(canonical::encode(&opened), canonical::encode(&person));
    }

    #[test]
    fn names_are_what_a_screen_can_show() {
        for login in ["an", "anna.b-c_9", &"a".repeat(32)] {
            assert_eq!(checked_login(login).unwrap(), login);
        }
        for login in [
            "",
            "a",
            "Anna",
            "9anna",
            "anna b",
            "ännä",
            "anna\n",
            &"a".repeat(33),
        ] {
            assert_eq!(checked_login(login).unwrap_err().error.code, "PPL-01");
        }
        assert_eq!(
            checked_name("  Dr. Anna O’Neil (ward) ").unwrap(),
            "Dr. Anna O’Neil (ward)"
        );
        for name in ["", "  ", "a\u{202e}b", "<b>", "a\0", &"a".repeat(65)] {
            assert!(checked_name(name).is_err(), "{name:?}");
        }
        assert!(checked_roles(BTreeSet::new()).is_err());
    }
}
