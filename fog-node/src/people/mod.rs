//! People who sign in at a node: who they are, how they show it, and what they may do.
//!
//! ```text
//! person ── login, passphrase, code ──▶ sign_in ──▶ session ──▶ capability ──▶ route
//!              │ guesses: slowed, locked    │          │             ▲
//!              ▼                            ▼          ▼             │
//!           vault: people, sealed      secret keys, while open   permissions
//! ```
//!
//! While nobody is registered, the node is being set up: whoever has its token may do everything. From the
//! first person on, who is an admin, each route asks for a session and a capability (`http/gate.rs`).
//!
//! The people are held in memory as the vault holds them; one change is made at a time, and what it changes
//! is durable before it counts. It follows to the ledger by itself (`on_ledger.rs`). Left out: the system's keyring.

pub mod credential;
pub mod guesses;
mod on_ledger;
pub mod passphrase;
pub mod permissions;
pub mod person;
mod registering;
pub mod second_factor;
pub mod sessions;
mod sign_in;

pub use on_ledger::Pseudonym;
pub(crate) use on_ledger::{follow, roles_here};
pub(crate) use sign_in::{MAX_BROUGHT, locked, signed_out};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::{Duration, Instant};

use fog_api::{Capability, Role};
use ledger_core::Digest;
use rusqlite::Connection;
use tokio::sync::watch;

use self::guesses::Strangers;
use self::on_ledger::Following;
use self::passphrase::{SealedKeys, SecretKeys, Stretching};
use self::person::{Person, PersonId};
use self::sessions::{Seen, SessionRules, SessionToken, Sessions};
use crate::clock::now_millis;
use crate::failure::Failure;
use crate::ingest::Item;
use crate::node::Node;
use crate::vault::VaultError;
use crate::vault::people;
use crate::vault::seal::MasterKey;

/// Most people of a node.
const MAX_PEOPLE: usize = 5_000;
/// How often it is looked whether a session is to be locked.
const LOOK: Duration = Duration::from_secs(1);

/// The people of a node, and their sessions.
pub struct People {
    register: RwLock<BTreeMap<PersonId, Person>>,
    /// Held while something is changed.
    turn: tokio::sync::Mutex<()>,
    sessions: Mutex<Sessions>,
    stretching: Stretching,
    strangers: Mutex<Strangers>,
    /// What a try under a name that nobody has is checked with.
    nobody: SealedKeys,
    /// Whether nobody is registered.
    is_set_up: watch::Sender<bool>,
    following: Following,
}

/// The sessions that a request brings, the current one first.
#[derive(Clone, Default, Debug)]
pub struct Brought(pub Vec<SessionToken>);

/// Who calls.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Nobody is registered yet.
    SetUp,
    /// Nobody is signed in.
    Nobody,
    /// Somebody whose session is locked.
    Locked(PersonId, SessionToken),
    /// Somebody.
    Person(Signed),
}

/// Somebody with an open session.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Who.
    pub person: PersonId,
    /// What they may do.
    pub may: BTreeSet<Capability>,
    /// Their roles.
    pub roles: BTreeSet<Role>,
    /// Whether they have shown a code of the app just now.
    pub is_fresh: bool,
    /// Their session.
    pub token: SessionToken,
}

impl People {
    /// The people of a vault.
    ///
    /// # Errors
    /// [`VaultError`] if a row does not open.
    pub fn open(
        vault: &Connection,
        master: &MasterKey,
        rules: SessionRules,
    ) -> Result<Self, VaultError> {
        let mut register = BTreeMap::new();
        for row in people::all(vault)? {
            if row.id != PersonId::NOBODY {
                register.insert(row.id, Person::open(&row, master)?);
            }
        }
        Ok(Self {
            is_set_up: watch::Sender::new(register.is_empty()),
            register: RwLock::new(register),
            turn: tokio::sync::Mutex::default(),
            sessions: Mutex::new(Sessions::new(rules)),
            stretching: Stretching::default(),
            strangers: Mutex::default(),
            nobody: SealedKeys::nobodys()?,
            following: Following::default(),
        })
    }

    /// Whether nobody is registered.
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        *self.is_set_up.borrow()
    }

    fn register(&self) -> RwLockReadGuard<'_, BTreeMap<PersonId, Person>> {
        self.register.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, id: PersonId) -> Option<Person> {
        self.register().get(&id).cloned()
    }

    pub(crate) fn by_login(&self, login: &str) -> Option<Person> {
        let register = self.register();
        let mut people = register.values();
        people.find(|person| person.login == login).cloned()
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, token: &SessionToken) -> Option<Seen> {
        self.sessions().look(token, Instant::now())
    }

    /// Who calls with these sessions.
    #[must_use]
    pub fn caller(&self, brought: &Brought) -> Caller {
        if self.is_set_up() {
            return Caller::SetUp;
        }
        let seen = brought.0.first().and_then(|token| {
            let seen = self.look(token)?;
            let person = self.find(seen.person).filter(Person::is_active)?;
            Some((seen, person, token.clone()))
        });
        match seen {
            None => Caller::Nobody,
            Some((seen, _, token)) if !seen.is_open => Caller::Locked(seen.person, token),
            Some((seen, person, token)) => Caller::Person(Signed {
                person: person.id,
                may: permissions::may(&person.roles),
                roles: person.roles,
                is_fresh: !seen.fresh_for.is_zero(),
                token,
            }),
        }
    }

    /// Resolves when what this caller follows must end: its session is locked or over, or, while the node is
    /// set up, somebody is registered.
    pub async fn dismissed(self: Arc<Self>, caller: Caller) {
        let (mut follows, holds) = match &caller {
            Caller::SetUp => (self.is_set_up.subscribe(), true),
            Caller::Person(signed) => match self.sessions().follow(&signed.token) {
                Some(is_open) => (is_open, true),
                None => return,
            },
            Caller::Nobody | Caller::Locked(..) => return,
        };
        // An error says that the session is gone.
        let _ = follows.wait_for(|now| *now != holds).await;
    }

    /// The names of those whom the ledger may know, by their handles there.
    #[must_use]
    pub fn names_by_handle(&self) -> BTreeMap<Digest, String> {
        let register = self.register();
        let named = register.values().filter_map(|person| {
            let pseudonym = person.pseudonym.as_ref()?;
            Some((pseudonym.handle, person.name.clone()))
        });
        named.collect()
    }

    /// The secret keys of the caller, which lie here while the session is open.
    #[must_use]
    pub fn keys(&self, signed: &Signed) -> Option<SecretKeys> {
        self.sessions().keys(&signed.token, Instant::now())
    }
}

impl Node {
    /// Stores a person; what is in memory follows once it is durable. Called with the turn held.
    async fn keep_person(&self, person: Person) -> Result<Person, Failure> {
        let sealed = person.seal(&self.master)?;
        self.until_durable(|done| Item::Person(sealed, done))
            .await?;
        if person.id != PersonId::NOBODY {
            let register = &self.people.register;
            let mut register = register.write().unwrap_or_else(PoisonError::into_inner);
            register.insert(person.id, person.clone());
            drop(register);
            self.people.is_set_up.send_if_modified(std::mem::take);
            self.people.following.stir();
        }
        Ok(person)
    }
}

/// Locks sessions where nobody acts, as long as there is a node. A machine that slept has let nobody act, and
/// its monotonic clock stood still: all are locked.
pub(crate) async fn keep(node: Weak<Node>) {
    let mut last = (Instant::now(), now_millis());
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(node) = node.upgrade() else { return };
        let now = (Instant::now(), now_millis());
        let passed = now.0.duration_since(last.0);
        let by_clock = Duration::from_millis(u64::try_from(now.1 - last.1).unwrap_or(0));
        let mut sessions = node.people.sessions();
        if by_clock.saturating_sub(passed) >= sessions.rules().lock_after {
            sessions.lock_all();
        }
        sessions.sweep(now.0);
        last = now;
    }
}
