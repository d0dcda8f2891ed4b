//! Registering people, giving roles, revoking, and enrolling anew.
//!
//! The first person is an admin, and at least one admin stays. Whom a change concerns starts again: who is
//! revoked or enrolled anew has no session any more; who gets other roles finds the sessions locked, so that
//! what is on a screen is asked for again under the new roles.

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::qr::QRBuilder;
use fog_api::{AddPerson, ChangePassphrase, Enrol, Enrolment, GiveRoles, Role};
use zeroize::Zeroizing;

use super::guesses::Guesses;
use super::on_ledger::Pseudonym;
use super::passphrase::{SealedKeys, checked};
use super::person::{Person, PersonId, checked_login, checked_name, checked_roles};
use super::second_factor::{AppSecret, recovery_codes};
use super::sign_in::{signed_out, wrong};
use super::{MAX_PEOPLE, Signed};
use crate::clock::now_millis;
use crate::failure::Failure;
use crate::keystore::random;
use crate::node::Node;

impl Node {
    /// Everybody who is or was registered, by login name.
    #[must_use]
    pub fn people(&self) -> Vec<fog_api::Person> {
        let mut all = self.shown_all();
        all.sort_by(|one, other| one.login.cmp(&other.login));
        all
    }

    /// Registers a person; answered once that is durable. Who is not signed in registers the first one only.
    ///
    /// # Errors
    /// [`Failure`] `PPL-01` if something cannot be, `PPL-02` if the login name is taken, `PPL-03` if the first
    /// person is no admin, `PPL-05` if there are too many.
    pub async fn add_person(
        &self,
        asked: AddPerson,
        by: Option<&Signed>,
    ) -> Result<Enrolment, Failure> {
        let passphrase = checked(asked.passphrase)?;
        let login = checked_login(&asked.login)?;
        let (name, roles) = (checked_name(&asked.name)?, checked_roles(asked.roles)?);
        let id = PersonId(random().map_err(Failure::internal)?);
        let place = self.people.stretching.place()?;
        let keys = SealedKeys::seal(id, None, passphrase, &place).await?;
        let (shown, recovery) = recovery_codes(id)?;
        let person = Person {
            id,
            login,
            name,
            roles,
            since: now_millis(),
            revoked: None,
            keys,
            app: AppSecret::generate()?,
            last_step: 0,
            recovery,
            guesses: Guesses::default(),
            pseudonym: Some(Pseudonym::draw()?),
        };
        let _turn = self.people.turn.lock().await;
        if by.is_none() && !self.people.is_set_up() {
            // Somebody else was first meanwhile.
            return Err(signed_out());
        }
        if self.people.by_login(&person.login).is_some() {
            return Err(Failure::new(
                409,
                "PPL-02",
                "This login name is taken.",
                "Somebody has it or had it; names are not used twice, so that a record names one person.",
                "Choose another.",
            ));
        }
        if self.people.is_set_up() && !person.roles.contains(&Role::Admin) {
            return Err(Failure::new(
                409,
                "PPL-03",
                "The first person must be an admin.",
                "From now on everybody must sign in, and only an admin can register others.",
                "Register an admin first; an admin may have other roles, too.",
            ));
        }
        if self.people.register().len() >= MAX_PEOPLE {
            let why = format!("A node registers at most {MAX_PEOPLE}.");
            let what = "There is no room for another person.";
            return Err(Failure::new(409, "PPL-05", what, why, "Use another node."));
        }
        let person = self.keep_person(person).await?;
        self.enrolment(&person, shown)
    }

    /// What is shown once of a person's secrets.
    fn enrolment(&self, person: &Person, codes: Vec<String>) -> Result<Enrolment, Failure> {
        let issuer = format!("Fogward {}", self.name);
        let otpauth = person.app.address(&issuer, &person.login);
        let otpauth = otpauth.map_err(Failure::internal)?;
        let code = QRBuilder::new(otpauth.as_str())
            .build()
            .map_err(|error| Failure::internal(format!("{error:?}")))?;
        Ok(Enrolment {
            person: self.shown(person),
            otpauth,
            qr: SvgBuilder::default().to_str(&code),
            recovery_codes: codes,
        })
    }

    /// Gives a person these roles and no others.
    ///
    /// # Errors
    /// [`Failure`] if there is nobody of this id, `PPL-04` if no admin would be left.
    pub async fn give_roles(&self, id: &str, asked: GiveRoles) -> Result<fog_api::Person, Failure> {
        let roles = checked_roles(asked.roles)?;
        let _turn = self.people.turn.lock().await;
        let mut person = self.active(id)?;
        if !roles.contains(&Role::Admin) {
            self.must_leave_an_admin(person.id)?;
        }
        person.roles = roles;
        let person = self.keep_person(person).await?;
        self.people.sessions().lock_all_of(person.id);
        Ok(self.shown(&person))
    }

    /// Revokes a person, for good.
    ///
    /// # Errors
    /// As [`Node::give_roles`].
    pub async fn revoke_person(&self, id: &str) -> Result<fog_api::Person, Failure> {
        let _turn = self.people.turn.lock().await;
        let mut person = self.active(id)?;
        self.must_leave_an_admin(person.id)?;
        person.revoked = Some(now_millis());
        // What opens nothing any more is not kept.
        person.recovery.clear();
        person.keys = person.keys.destroyed()?;
        person.app = AppSecret::generate()?;
        let person = self.keep_person(person).await?;
        self.people.sessions().end_all_of(person.id);
        Ok(self.shown(&person))
    }

    /// Enrols a person anew: another secret for the app, other recovery codes, and, if asked for, another
    /// passphrase and other keys.
    ///
    /// # Errors
    /// [`Failure`] if there is nobody of this id, `PPL-01` if the passphrase cannot be one.
    pub async fn enrol(&self, id: &str, asked: Enrol) -> Result<Enrolment, Failure> {
        let passphrase = asked.passphrase.map(checked).transpose()?;
        let id = self.active(id)?.id;
        let keys = match passphrase {
            Some(passphrase) => {
                let place = self.people.stretching.place()?;
                Some(SealedKeys::seal(id, None, passphrase, &place).await?)
            }
            None => None,
        };
        let enrolment = self.enrol_with(id, keys).await?;
        self.people.sessions().end_all_of(id);
        Ok(enrolment)
    }

    /// Enrols the caller anew, whose session goes on.
    ///
    /// # Errors
    /// [`Failure`] if the caller was revoked meanwhile.
    pub async fn enrol_oneself(&self, signed: &Signed) -> Result<Enrolment, Failure> {
        self.enrol_with(signed.person, None).await
    }

    async fn enrol_with(
        &self,
        id: PersonId,
        keys: Option<SealedKeys>,
    ) -> Result<Enrolment, Failure> {
        let (shown, recovery) = recovery_codes(id)?;
        let _turn = self.people.turn.lock().await;
        let mut person = self.active(&id.to_string())?;
        person.keys = keys.unwrap_or(person.keys);
        person.app = AppSecret::generate()?;
        person.last_step = 0;
        person.recovery = recovery;
        person.guesses = Guesses::default();
        let person = self.keep_person(person).await?;
        self.enrolment(&person, shown)
    }

    /// Changes the caller's passphrase, and the keys if asked for. The caller's sessions are locked.
    ///
    /// # Errors
    /// [`Failure`] as signing in has them, or `PPL-01` if the new passphrase cannot be one.
    pub async fn change_passphrase(
        &self,
        asked: ChangePassphrase,
        signed: &Signed,
    ) -> Result<fog_api::Person, Failure> {
        let old = Zeroizing::new(asked.passphrase);
        let new = checked(asked.new_passphrase)?;
        let login = self.active(&signed.person.to_string())?.login;
        let place = self.people.stretching.place()?;
        let tried = self.begin_try(&login).await?;
        let keys = tried.keys.open(tried.id, old, &place).await?;
        let keys = keys.ok_or_else(wrong)?;
        self.finish_try(tried.id, None).await?;
        let keys = (!asked.new_keys).then_some(keys);
        let sealed = SealedKeys::seal(tried.id, keys, new, &place).await?;
        let _turn = self.people.turn.lock().await;
        let mut person = self.active(&tried.id.to_string())?;
        person.keys = sealed;
        let person = self.keep_person(person).await?;
        self.people.sessions().lock_all_of(person.id);
        Ok(self.shown(&person))
    }

    fn active(&self, id: &str) -> Result<Person, Failure> {
        let found = id.parse().ok().and_then(|id| self.people.find(id));
        let Some(person) = found else {
            let next = "See who is registered with GET /api/people.";
            return Err(Failure::not_found("There is no such person.", next));
        };
        if person.is_active() {
            return Ok(person);
        }
        Err(Failure::new(
            409,
            "PPL-06",
            "This person was revoked.",
            "That is for good, so that nobody comes back unseen.",
            "Register the person under another login name.",
        ))
    }

    fn must_leave_an_admin(&self, without: PersonId) -> Result<(), Failure> {
        let is_other_admin = |person: &Person| person.id != without && person.is_active_admin();
        if self.people.register().values().any(is_other_admin) {
            return Ok(());
        }
        Err(Failure::new(
            409,
            "PPL-04",
            "No admin would be left.",
            "Only an admin can register and revoke people, and this is the last one.",
            "Make somebody else an admin first.",
        ))
    }
}
