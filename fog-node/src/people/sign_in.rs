//! Signing in, locking, unlocking, showing the app's code anew, and going over to another person.
//!
//! Upon a try to sign in: a place in the queue, else 503; the name's wait is over, else 429; the try is
//! counted, durably; the passphrase is computed, for a name that nobody has as for any other; then the code.
//! Whatever was wrong, the answer is one and the same.
//!
//! A browser may hold the sessions of several people, of which the first is the current one; the others are
//! locked.

use std::collections::BTreeSet;
use std::time::Instant;

use fog_api::{
    Capability, OtherSession, SessionState, SessionView, SignIn, StepUp, SwitchSession, Unlock,
};
use zeroize::Zeroizing;

use super::person::{Person, PersonId};
use super::second_factor::find_recovery;
use super::sessions::SessionToken;
use super::{Brought, Caller, Signed, permissions};
use crate::clock::{now_millis, unix_millis};
use crate::failure::Failure;
use crate::node::Node;

/// Most sessions that one browser holds.
pub const MAX_BROUGHT: usize = 8;

impl Node {
    /// Who calls with these sessions, and what they may do.
    #[must_use]
    pub fn session(&self, brought: &Brought) -> SessionView {
        let caller = self.people.caller(brought);
        let (state, person, may) = match &caller {
            Caller::SetUp => (
                SessionState::SetUp,
                None,
                Capability::ALL.into_iter().collect(),
            ),
            Caller::Nobody => (SessionState::SignedOut, None, BTreeSet::new()),
            Caller::Locked(person, _) => (SessionState::Locked, Some(*person), BTreeSet::new()),
            Caller::Person(signed) => {
                let may = signed.may.clone();
                (SessionState::Open, Some(signed.person), may)
            }
        };
        let (now, people) = (now_millis(), &self.people);
        let seen = brought.0.first().and_then(|token| people.look(token));
        let after = |left: std::time::Duration| {
            now.saturating_add(i64::try_from(left.as_millis()).unwrap_or(i64::MAX))
        };
        let seen = seen.filter(|_| person.is_some());
        let lock_after = people.sessions().rules().lock_after;
        let fresh = seen.filter(|seen| seen.is_open && !seen.fresh_for.is_zero());
        SessionView {
            state,
            node: self.name.clone(),
            person: person.and_then(|id| Some(self.shown(&people.find(id)?))),
            may,
            ends_at: seen.map(|seen| after(seen.lasts)),
            lock_after_seconds: lock_after.as_secs(),
            fresh_until: fresh.map(|seen| after(seen.fresh_for)),
            others: self.others(brought),
        }
    }

    /// Whose sessions are brought beside the current one.
    fn others(&self, brought: &Brought) -> Vec<OtherSession> {
        let other = |token: &SessionToken| {
            let person = self.people.find(self.people.look(token)?.person)?;
            Some(OtherSession {
                person: person.id.to_string(),
                name: person.name,
            })
        };
        brought.0.iter().skip(1).filter_map(other).collect()
    }

    /// Signs in; answers with the sessions to bring from now on, the new one first.
    ///
    /// # Errors
    /// [`Failure`] `AUTH-02` if anything is wrong, `AUTH-06` if it is too early, `AUTH-07` if too many try,
    /// `AUTH-08` if nobody is registered.
    pub async fn sign_in(&self, asked: SignIn, brought: Brought) -> Result<Brought, Failure> {
        let passphrase = Zeroizing::new(asked.passphrase);
        if self.people.is_set_up() {
            return Err(nobody_registered());
        }
        let place = self.people.stretching.place()?;
        let tried = self.begin_try(&asked.login).await?;
        let keys = tried.keys.open(tried.id, passphrase, &place).await?;
        let keys = keys.ok_or_else(wrong)?;
        self.finish_try(tried.id, Some(&asked.code)).await?;
        let mut sessions = self.people.sessions();
        let token = sessions.begin(tried.id, keys, Instant::now())?;
        let mut now_brought = vec![token];
        for before in brought.0 {
            // One session of each person is enough for a browser.
            match sessions.look(&before, Instant::now()) {
                Some(seen) if seen.person == tried.id => sessions.end(&before),
                Some(_) if now_brought.len() < MAX_BROUGHT => {
                    sessions.lock(&before);
                    now_brought.push(before);
                }
                Some(_) => sessions.end(&before),
                None => {}
            }
        }
        Ok(Brought(now_brought))
    }

    /// Ends the current session; answers with those that are left, which are locked.
    #[must_use]
    pub fn sign_out(&self, brought: Brought) -> Brought {
        let mut left = brought.0.into_iter();
        if let Some(current) = left.next() {
            self.people.sessions().end(&current);
        }
        Brought(left.collect())
    }

    /// Locks the current session.
    ///
    /// # Errors
    /// [`Failure`] `AUTH-01` if there is none.
    pub fn lock_session(&self, brought: &Brought) -> Result<SessionView, Failure> {
        let token = self.current(brought)?.1;
        self.people.sessions().lock(&token);
        Ok(self.session(brought))
    }

    /// Opens the current session if the passphrase is its person's.
    ///
    /// # Errors
    /// As [`Node::sign_in`], or `AUTH-01` if there is no session.
    pub async fn unlock_session(
        &self,
        asked: Unlock,
        brought: &Brought,
    ) -> Result<SessionView, Failure> {
        let passphrase = Zeroizing::new(asked.passphrase);
        let (person, token) = self.current(brought)?;
        let place = self.people.stretching.place()?;
        let tried = self.begin_try(&person.login).await?;
        let keys = tried.keys.open(tried.id, passphrase, &place).await?;
        let keys = keys.ok_or_else(wrong)?;
        self.finish_try(tried.id, None).await?;
        let mut sessions = self.people.sessions();
        if !sessions.unlock(&token, tried.id, keys, Instant::now()) {
            return Err(signed_out());
        }
        drop(sessions);
        Ok(self.session(brought))
    }

    /// Notes that the current person has shown a code anew.
    ///
    /// # Errors
    /// As [`Node::sign_in`].
    pub async fn step_up(
        &self,
        asked: StepUp,
        signed: &Signed,
        brought: &Brought,
    ) -> Result<SessionView, Failure> {
        let person = self.people.find(signed.person).ok_or_else(signed_out)?;
        let tried = self.begin_try(&person.login).await?;
        self.finish_try(tried.id, Some(&asked.code)).await?;
        self.people
            .sessions()
            .freshen(&signed.token, Instant::now());
        Ok(self.session(brought))
    }

    /// Notes that somebody is there.
    pub fn act(&self, signed: &Signed) {
        self.people.sessions().act(&signed.token, Instant::now());
    }

    /// Goes over to another session that is brought; the current one is locked.
    ///
    /// # Errors
    /// [`Failure`] `AUTH-09` if there is none of that person.
    pub fn switch_session(
        &self,
        asked: &SwitchSession,
        brought: Brought,
    ) -> Result<Brought, Failure> {
        let is_asked = |token: &SessionToken| {
            let seen = self.people.look(token);
            seen.is_some_and(|seen| seen.person.to_string() == asked.person)
        };
        let Some(at) = brought.0.iter().position(is_asked) else {
            return Err(Failure::new(
                404,
                "AUTH-09",
                "This person has no session here any more.",
                "It has ended, or was another browser's.",
                "Sign in.",
            ));
        };
        let mut tokens = brought.0;
        if at > 0
            && let Some(current) = tokens.first()
        {
            self.people.sessions().lock(current);
        }
        let chosen = tokens.remove(at);
        tokens.insert(0, chosen);
        Ok(Brought(tokens))
    }

    /// Whose the current session is, open or locked.
    fn current(&self, brought: &Brought) -> Result<(Person, SessionToken), Failure> {
        let (id, token) = match self.people.caller(brought) {
            Caller::SetUp => return Err(nobody_registered()),
            Caller::Nobody => return Err(signed_out()),
            Caller::Locked(id, token) => (id, token),
            Caller::Person(signed) => (signed.person, signed.token),
        };
        let person = self.people.find(id).ok_or_else(signed_out)?;
        Ok((person, token))
    }

    /// Counts a try of whoever has this name, or of nobody; gives what it is to be checked with.
    pub(super) async fn begin_try(&self, login: &str) -> Result<Person, Failure> {
        let _turn = self.people.turn.lock().await;
        let (known, now) = (self.people.by_login(login), now_millis());
        if let Some(mut person) = known.filter(Person::is_active) {
            if let Some(until) = person.guesses.closed_until(now) {
                return Err(too_early(until - now));
            }
            person.guesses = person.guesses.tried(now);
            return self.keep_person(person).await;
        }
        // A name is as long as any may be before it is remembered.
        let login: String = login.chars().take(64).collect();
        let strangers = &self.people.strangers;
        let tried = strangers
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .try_at(&login, now);
        tried.map_err(|until| too_early(until - now))?;
        self.keep_person(self.nobody()?).await
    }

    /// Forgets the failed tries of somebody whose passphrase was right, if the code is, where one is asked for.
    pub(super) async fn finish_try(
        &self,
        id: PersonId,
        code: Option<&str>,
    ) -> Result<Person, Failure> {
        let _turn = self.people.turn.lock().await;
        let person = self.people.find(id).filter(Person::is_active);
        let mut person = person.ok_or_else(wrong)?;
        if let Some(code) = code {
            let (code, now) = (code.trim(), unix_millis() / 1000);
            if let Some(step) = person.app.step_of(code, now, person.last_step) {
                person.last_step = step;
            } else {
                let used = find_recovery(id, code, &person.recovery).ok_or_else(wrong)?;
                person.recovery.remove(used);
            }
        }
        person.guesses = super::guesses::Guesses::default();
        self.keep_person(person).await
    }

    /// Whose passphrase nobody knows. As large a row as anybody's, and written as theirs.
    fn nobody(&self) -> Result<Person, Failure> {
        let id = PersonId::NOBODY;
        Ok(Person {
            id,
            login: "nobody".to_owned(),
            name: "Nobody".to_owned(),
            roles: BTreeSet::new(),
            since: 0,
            revoked: Some(0),
            keys: self.people.nobody.clone(),
            app: super::second_factor::AppSecret::generate()?,
            last_step: 0,
            recovery: super::second_factor::recovery_codes(id)?.1,
            guesses: super::guesses::Guesses::default(),
            pseudonym: None,
        })
    }
}

impl Signed {
    /// Says no unless this may be done.
    ///
    /// # Errors
    /// [`Failure`] `AUTH-04`, which says who may.
    pub fn must(&self, any: &[Capability]) -> Result<(), Failure> {
        if any.is_empty() || any.iter().any(|one| self.may.contains(one)) {
            return Ok(());
        }
        let roles = any.iter().flat_map(|one| permissions::roles_that_may(*one));
        let roles: BTreeSet<_> = roles.copied().collect();
        Err(Failure::new(
            403,
            "AUTH-04",
            "You may not do this here.",
            format!(
                "It is for people who are {}. You are {}.",
                permissions::in_words(&roles),
                permissions::in_words(&self.roles)
            ),
            "Ask one of them, or ask an admin for the role.",
        ))
    }

    /// Says no unless the app's code was shown just now.
    ///
    /// # Errors
    /// [`Failure`] `AUTH-05`.
    pub fn must_be_fresh(&self) -> Result<(), Failure> {
        if self.is_fresh {
            return Ok(());
        }
        Err(Failure::new(
            403,
            "AUTH-05",
            "This needs a code of your authenticator app.",
            "It cannot be undone or concerns others, and your last code was shown a while ago.",
            "Enter the code that the app shows now.",
        ))
    }
}

/// The answer to whoever is not signed in.
pub(crate) fn signed_out() -> Failure {
    Failure::new(
        401,
        "AUTH-01",
        "Nobody is signed in.",
        "People are registered at this node, and this request comes from none of them: there is no session, \
         or it has ended.",
        "Sign in.",
    )
}

/// The answer to a session that is locked.
pub(crate) fn locked() -> Failure {
    Failure::new(
        401,
        "AUTH-03",
        "Your session is locked.",
        "Nobody has done anything here for a while, or you locked it.",
        "Enter your passphrase.",
    )
}

pub(super) fn wrong() -> Failure {
    Failure::new(
        401,
        "AUTH-02",
        "That is not right.",
        "Login name, passphrase or code is another, or the code was used before.",
        "Check all of them; wait for the app's next code.",
    )
}

fn too_early(wait_millis: i64) -> Failure {
    let seconds = wait_millis.saturating_add(999) / 1000;
    Failure::new(
        429,
        "AUTH-06",
        "Too many tries failed.",
        format!("The next one is heard in {seconds} s."),
        "Wait, then try again. An admin sees who waits on the People page.",
    )
}

fn nobody_registered() -> Failure {
    Failure::new(
        409,
        "AUTH-08",
        "There is nobody to sign in yet.",
        "Nobody is registered at this node, so all is open to who has its token.",
        "Register the first administrator.",
    )
}
