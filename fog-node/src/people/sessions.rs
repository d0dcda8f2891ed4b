//! Sessions: who is signed in, since when, and with open keys or without.
//!
//! ```text
//!             sign in                 idle for lock_after, lock
//!  (nobody) ──────────▶ open ────────────────────────────────▶ locked
//!      ▲                  │ ▲              passphrase             │
//!      └──────────────────┘ └─────────────────────────────────────┘
//!   sign out, revoked, `lasts` over, node stopped (from both)
//! ```
//!
//! Only a digest of a session's token is kept, and only in memory. The secret keys lie in an open session and
//! are overwritten when it locks or ends. An act is what changes something or says that somebody is there;
//! asking is none, since a page asks by itself. Time is told by the caller. Left out: who may sign in
//! (`sign_in.rs`).

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use ledger_core::Digest;
use tokio::sync::watch;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::passphrase::SecretKeys;
use super::person::PersonId;
use crate::keystore::random;
use crate::vault::seal::SealError;

/// Most sessions of one person; the oldest ends for one more.
const MAX_OF_ONE: usize = 16;

/// How long things last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionRules {
    /// A session, from signing in on.
    pub lasts: Duration,
    /// An open session without an act.
    pub lock_after: Duration,
    /// A code of the app, for what asks for a fresh one.
    pub fresh_for: Duration,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            lasts: Duration::from_secs(12 * 60 * 60),
            lock_after: Duration::from_secs(5 * 60),
            fresh_for: Duration::from_secs(2 * 60),
        }
    }
}

/// What a caller shows for its session: 256 random bits.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SessionToken([u8; 32]);

impl SessionToken {
    /// The digits that are sent.
    #[must_use]
    pub fn digits(&self) -> String {
        hex::encode(self.0)
    }

    fn digest(&self) -> Digest {
        Digest::tagged("fogward session", &[&self.0])
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

impl std::str::FromStr for SessionToken {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map(|()| Self(bytes))
    }
}

struct Session {
    person: PersonId,
    began: Instant,
    acted: Instant,
    fresh_until: Instant,
    /// `None` while it is locked.
    keys: Option<SecretKeys>,
    is_open: watch::Sender<bool>,
}

/// What a session is, as seen now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Whose.
    pub person: PersonId,
    /// Whether it is open.
    pub is_open: bool,
    /// How long the app's code counts as fresh still.
    pub fresh_for: Duration,
    /// How long the session lasts still.
    pub lasts: Duration,
}

/// All sessions.
pub struct Sessions {
    rules: SessionRules,
    by_token: BTreeMap<Digest, Session>,
}

impl Sessions {
    pub(super) const fn new(rules: SessionRules) -> Self {
        Self {
            rules,
            by_token: BTreeMap::new(),
        }
    }

    pub(super) const fn rules(&self) -> &SessionRules {
        &self.rules
    }

    /// Begins an open session of somebody who has just shown a code of the app.
    pub(super) fn begin(
        &mut self,
        person: PersonId,
        keys: SecretKeys,
        now: Instant,
    ) -> Result<SessionToken, SealError> {
        self.sweep(now);
        let token = SessionToken(random().map_err(|_| SealError::Randomness)?);
        let own = self.by_token.iter().filter(|(_, one)| one.person == person);
        if own.clone().count() >= MAX_OF_ONE {
            let oldest = own.min_by_key(|(_, one)| one.began);
            if let Some(oldest) = oldest.map(|(digest, _)| *digest) {
                self.by_token.remove(&oldest);
            }
        }
        let session = Session {
            person,
            began: now,
            acted: now,
            fresh_until: now + self.rules.fresh_for,
            keys: Some(keys),
            is_open: watch::Sender::new(true),
        };
        self.by_token.insert(token.digest(), session);
        Ok(token)
    }

    /// Ends what has lasted long enough, and locks where nobody acted.
    pub(super) fn sweep(&mut self, now: Instant) {
        let rules = self.rules;
        self.by_token
            .retain(|_, session| now.duration_since(session.began) < rules.lasts);
        for session in self.by_token.values_mut() {
            if now.duration_since(session.acted) >= rules.lock_after {
                session.lock();
            }
        }
    }

    /// What this token's session is, if there is one.
    pub(super) fn look(&mut self, token: &SessionToken, now: Instant) -> Option<Seen> {
        self.sweep(now);
        let session = self.by_token.get(&token.digest())?;
        let ends = session.began + self.rules.lasts;
        Some(Seen {
            person: session.person,
            is_open: session.keys.is_some(),
            fresh_for: session.fresh_until.saturating_duration_since(now),
            lasts: ends.saturating_duration_since(now),
        })
    }

    /// Notes that somebody is there.
    pub(super) fn act(&mut self, token: &SessionToken, now: Instant) {
        self.sweep(now);
        if let Some(session) = self.by_token.get_mut(&token.digest()) {
            session.acted = now;
        }
    }

    pub(super) fn lock(&mut self, token: &SessionToken) {
        if let Some(session) = self.by_token.get_mut(&token.digest()) {
            session.lock();
        }
    }

    /// Opens a locked session of this person; whether there still is one.
    pub(super) fn unlock(
        &mut self,
        token: &SessionToken,
        person: PersonId,
        keys: SecretKeys,
        now: Instant,
    ) -> bool {
        self.sweep(now);
        let session = self.by_token.get_mut(&token.digest());
        let Some(session) = session.filter(|session| session.person == person) else {
            return false;
        };
        session.acted = now;
        session.keys = Some(keys);
        session.is_open.send_replace(true);
        true
    }

    /// Notes that the person has shown a code of the app now.
    pub(super) fn freshen(&mut self, token: &SessionToken, now: Instant) {
        let fresh_for = self.rules.fresh_for;
        if let Some(session) = self.by_token.get_mut(&token.digest()) {
            session.acted = now;
            session.fresh_until = now + fresh_for;
        }
    }

    pub(super) fn end(&mut self, token: &SessionToken) {
        self.by_token.remove(&token.digest());
    }

    pub(super) fn end_all_of(&mut self, person: PersonId) {
        self.by_token.retain(|_, session| session.person != person);
    }

    pub(super) fn lock_all_of(&mut self, person: PersonId) {
        let all = self.by_token.values_mut();
        all.filter(|session| session.person == person)
            .for_each(Session::lock);
    }

    pub(super) fn lock_all(&mut self) {
        self.by_token.values_mut().for_each(Session::lock);
    }

    /// Follows whether the session is open; its sender is gone once the session has ended.
    pub(super) fn follow(&self, token: &SessionToken) -> Option<watch::Receiver<bool>> {
        let session = self.by_token.get(&token.digest())?;
        Some(session.is_open.subscribe())
    }

    /// The person's keys, while the session is open.
    pub(super) fn keys(&mut self, token: &SessionToken, now: Instant) -> Option<SecretKeys> {
        self.sweep(now);
        self.by_token.get(&token.digest())?.keys.clone()
    }
}

impl Session {
    fn lock(&mut self) {
        // Dropping the keys overwrites them.
        self.keys = None;
        self.is_open.send_if_modified(std::mem::take);
    }
}

#[cfg(test)]
mod tests {
    //! Goal: sessions lock, end and stay fresh as the rules say, to the millisecond, and what follows them
    //! is told. Method: a clock that is told.

    use super::*;
    use crate::people::passphrase::SealedKeys;
    use crate::people::passphrase::Stretching;

    const ANNA: PersonId = PersonId([1; 16]);
    const BORIS: PersonId = PersonId([2; 16]);

    async fn some_keys() -> SecretKeys {
        let stretching = Stretching::default();
        let place = stretching.place().unwrap();
        let words = || zeroize::Zeroizing::new("some passphrase".to_owned());
        let sealed = SealedKeys::seal(ANNA, None, words(), &place).await.unwrap();
        sealed.open(ANNA, words(), &place).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn sessions_lock_and_end_on_time() {
        let rules = SessionRules::default();
        let (mut sessions, keys) = (Sessions::new(rules), some_keys().await);
        let start = Instant::now();
        let after = |millis: u64| start + Duration::from_millis(millis);
        let token = sessions.begin(ANNA, keys.clone(), start).unwrap();
        let mut is_open = sessions.follow(&token).unwrap();
        assert_eq!(token.digits().parse::<SessionToken>().unwrap(), token);
        let seen = sessions.look(&token, after(119_999)).unwrap();
        assert_eq!((seen.person, seen.is_open), (ANNA, true));
        assert_eq!(seen.fresh_for, Duration::from_millis(1));
        let seen = sessions.look(&token, after(120_000)).unwrap();
        assert_eq!(seen.fresh_for, Duration::ZERO);
        sessions.freshen(&token, after(200_000));
        assert!(sessions.look(&token, after(499_999)).unwrap().is_open);
        sessions.act(&token, after(499_999));
        assert!(sessions.look(&token, after(799_998)).unwrap().is_open);
        assert!(!is_open.has_changed().unwrap());
        assert!(sessions.keys(&token, after(799_998)).is_some());
        assert!(!sessions.look(&token, after(799_999)).unwrap().is_open);
        assert!(!*is_open.borrow_and_update());
        assert!(sessions.keys(&token, after(799_999)).is_none());
        sessions.act(&token, after(800_000));
        assert!(
            !sessions.look(&token, after(800_000)).unwrap().is_open,
            "an act opens nothing"
        );

        assert!(!sessions.unlock(&token, BORIS, keys.clone(), after(900_000)));
        assert!(sessions.unlock(&token, ANNA, keys.clone(), after(900_000)));
        assert!(sessions.look(&token, after(900_000)).unwrap().is_open);
        let last = 12 * 60 * 60 * 1000 - 1;
        assert!(!sessions.look(&token, after(last)).unwrap().is_open);
        assert!(sessions.look(&token, after(last + 1)).is_none());
        assert!(!sessions.unlock(&token, ANNA, keys, after(last + 1)));
        assert!(
            is_open.changed().await.is_ok() && is_open.changed().await.is_err(),
            "it ended"
        );
    }

    #[tokio::test]
    async fn one_person_has_some_sessions_and_all_of_them_end_at_once() {
        let (mut sessions, keys) = (Sessions::new(SessionRules::default()), some_keys().await);
        let start = Instant::now();
        let mut begin = |person, at: u64| {
            let now = start + Duration::from_millis(at);
            sessions.begin(person, keys.clone(), now).unwrap()
        };
        let others = begin(BORIS, 0);
        let own: Vec<_> = (1..=17).map(|at| begin(ANNA, at)).collect();
        let now = start + Duration::from_secs(1);
        let open =
            |sessions: &mut Sessions, token| sessions.look(token, now).map(|seen| seen.is_open);
        assert_eq!(open(&mut sessions, &own[0]), None, "the oldest made room");
        assert_eq!(open(&mut sessions, &own[1]), Some(true));
        sessions.lock_all_of(ANNA);
        assert_eq!(open(&mut sessions, &own[1]), Some(false));
        sessions.end(&own[2]);
        assert_eq!(open(&mut sessions, &own[2]), None);
        sessions.end_all_of(ANNA);
        assert_eq!(open(&mut sessions, &own[1]), None);
        assert_eq!(open(&mut sessions, &others), Some(true));
        assert!(!format!("{others:?}").contains(&others.digits()[..8]));
    }
}
