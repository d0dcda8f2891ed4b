//! Policies: texts about the data that an organisation holds, or about one subject's among them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger_policy::{CheckedPolicy, Contract};
use serde::{Deserialize, Serialize};

use super::{AccessError, admin};
use crate::canonical;
use crate::digest::Digest;
use crate::genesis::Member;
use crate::governance::Standing;
use crate::ids::{Height, OrganisationId};
use crate::key::PublicKey;
use crate::state::{Clock, ExecutionError, Overlay, StateKey, StateReadError, StateView, read};

/// Longest name of a policy in bytes.
pub const MAX_POLICY_NAME_BYTES: usize = 48;
/// Most policies of an organisation about all data that it holds.
pub const MAX_POLICIES: usize = 4096;
/// Most policies about one subject.
pub const MAX_CONSENTS: usize = 32;
/// So many contracts are kept ready to decide.
const MAX_READY: usize = 256;
/// So many policies are kept read.
const MAX_READ: usize = 2 * MAX_POLICIES;

/// About which subject, by which name, which text.
type ReadAs = (Option<Digest>, String, String);

/// What was made lately, by all that it depends on: to remember it changes no outcome. Where there is no room for more,
/// it begins anew.
struct Lately<K, V> {
    made: Mutex<BTreeMap<K, V>>,
    most: usize,
}

impl<K: Ord, V: Clone> Lately<K, V> {
    const fn new(most: usize) -> Self {
        Self {
            made: Mutex::new(BTreeMap::new()),
            most,
        }
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<K, V>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, of: &K) -> Option<V> {
        self.made().get(of).cloned()
    }

    fn keep(&self, of: K, value: V) {
        let mut made = self.made();
        if made.len() >= self.most {
            made.clear();
        }
        made.insert(of, value);
    }
}

/// What a policy is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Scope {
    /// Who holds the data.
    pub holder: OrganisationId,
    /// Whose data they are; none if it is about all.
    pub subject: Option<Digest>,
}

impl Scope {
    /// All data that an organisation holds.
    #[must_use]
    pub const fn all_of(holder: OrganisationId) -> Self {
        Self {
            holder,
            subject: None,
        }
    }

    /// The bytes by which state entries name it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let subject = self.subject.map(|subject| subject.0);
        [
            &self.holder.0[..],
            subject.as_ref().map_or(&[], |subject| &subject[..]),
        ]
        .concat()
    }

    /// How decisions tell of its policy `name`.
    fn tell(&self, name: &str) -> String {
        match self.subject {
            None => name.to_owned(),
            Some(_) => format!("consent/{name}"),
        }
    }

    /// Reads a text as its policy `name`. One that was read lately is at hand, so that a change of one policy does not
    /// cost the reading of all.
    fn read(&self, name: &str, text: &str) -> Option<CheckedPolicy> {
        static READ: Lately<ReadAs, CheckedPolicy> = Lately::new(MAX_READ);
        let read_as = (self.subject, name.to_owned(), text.to_owned());
        if let Some(policy) = READ.find(&read_as) {
            return Some(policy);
        }
        let name = self.tell(name);
        let policy = match self.subject {
            None => CheckedPolicy::read(&name, text),
            Some(subject) => CheckedPolicy::read_of_subject(&name, text, &subject.to_string()),
        };
        let policy = policy.ok()?;
        READ.keep(read_as, policy.clone());
        Some(policy)
    }
}

/// Puts a policy in force, or out of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PutPolicy {
    /// What it is about.
    pub scope: Scope,
    /// Its name there; what had this name before does not hold any more.
    pub name: String,
    /// Its text in Cedar; none to put it out of force.
    pub text: Option<String>,
    /// A salted commitment to what it rests on: of a consent, the signed form.
    pub grounds: Option<Digest>,
}

/// What the ledger keeps of a policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// What was put last.
    pub put: PutPolicy,
    /// Who put it.
    pub by: PublicKey,
    /// In which block.
    pub changed: Height,
}

/// The policies in force of a scope, by name.
///
/// # Errors
/// [`StateReadError`].
pub fn policies<V: StateView + ?Sized>(
    view: &V,
    scope: &Scope,
) -> Result<Vec<Policy>, StateReadError> {
    let names: Vec<String> = read(view, &StateKey::policies(scope))?.unwrap_or_default();
    let policy = |name: &String| {
        let found = read(view, &StateKey::policy(scope, name))?;
        found.ok_or_else(|| StateReadError(format!("the policy {name} is missing")))
    };
    names.iter().map(policy).collect()
}

/// The scope's policy of this name, if it is in force.
///
/// # Errors
/// [`StateReadError`].
pub fn policy<V: StateView + ?Sized>(
    view: &V,
    scope: &Scope,
    name: &str,
) -> Result<Option<Policy>, StateReadError> {
    let found: Option<Policy> = read(view, &StateKey::policy(scope, name))?;
    Ok(found.filter(|policy| policy.put.text.is_some()))
}

/// Whether the scope had a policy of this name that was put out of force.
///
/// # Errors
/// [`StateReadError`].
pub fn was_retracted<V: StateView + ?Sized>(
    view: &V,
    scope: &Scope,
    name: &str,
) -> Result<bool, StateReadError> {
    let found: Option<Policy> = read(view, &StateKey::policy(scope, name))?;
    Ok(found.is_some_and(|policy| policy.put.text.is_none()))
}

/// The scope's policies, ready to decide. Of a revision that was asked for lately, they are at hand.
///
/// # Errors
/// [`StateReadError`].
pub(super) fn contract<V: StateView + ?Sized>(
    view: &V,
    scope: &Scope,
) -> Result<Arc<Contract>, StateReadError> {
    // A revision names its texts, whatever the chain.
    static READY: Lately<Digest, Arc<Contract>> = Lately::new(MAX_READY);
    let Some(revision) = revision(view, scope)? else {
        return Ok(Arc::default());
    };
    if let Some(contract) = READY.find(&revision) {
        return Ok(contract);
    }
    let read = |policy: Policy| {
        let PutPolicy { name, text, .. } = policy.put;
        let read = scope.read(&name, &text.unwrap_or_default());
        read.ok_or_else(|| StateReadError(format!("the policy {name} cannot be read")))
    };
    let read: Result<Vec<_>, _> = policies(view, scope)?.into_iter().map(read).collect();
    let contract = Arc::new(Contract::new(read?));
    READY.keep(revision, Arc::clone(&contract));
    Ok(contract)
}

fn revision<V: StateView + ?Sized>(
    view: &V,
    scope: &Scope,
) -> Result<Option<Digest>, StateReadError> {
    read(view, &StateKey::policy_revision(scope))
}

pub(super) fn put<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    clock: Clock,
    sender: PublicKey,
    asked: &PutPolicy,
) -> Result<(), ExecutionError> {
    let PutPolicy { scope, name, .. } = asked;
    if !may_put(state, &sender, scope)? {
        return Err(AccessError::NotYours.into());
    }
    if !is_policy_name(name) {
        return Err(AccessError::PolicyName.into());
    }
    let mut names: Vec<String> = state.read(&StateKey::policies(scope))?.unwrap_or_default();
    match (&asked.text, names.binary_search(name)) {
        (Some(text), found) => {
            scope.read(name, text).ok_or(AccessError::PolicyText)?;
            if let Err(at) = found {
                names.insert(at, name.clone());
            }
        }
        (None, Ok(at)) => drop(names.remove(at)),
        (None, Err(_)) => return Err(AccessError::NothingNew.into()),
    }
    let most = scope.subject.map_or(MAX_POLICIES, |_| MAX_CONSENTS);
    if names.len() > most {
        return Err(AccessError::TooManyPolicies.into());
    }
    let key = StateKey::policy(scope, name);
    let before: Option<Policy> = state.read(&key)?;
    if before.is_some_and(|before| before.put == *asked) {
        return Err(AccessError::NothingNew.into());
    }
    let policy = Policy {
        put: asked.clone(),
        by: sender,
        changed: clock.height,
    };
    let earlier = revision(state, scope)?.unwrap_or(Digest([0; 32]));
    let put = canonical::encode(&(scope, name, &asked.text));
    let next = Digest::tagged("fogward/policies/1", &[&earlier.0, &put]);
    state.write(key, &policy);
    state.write(StateKey::policies(scope), &names);
    state.write(StateKey::policy_revision(scope), &next);
    Ok(())
}

/// An organisation's admins put policies; a subject's consent is put by a node that looks after the subject, too.
fn may_put<V: StateView + ?Sized>(
    state: &Overlay<'_, V>,
    sender: &PublicKey,
    scope: &Scope,
) -> Result<bool, ExecutionError> {
    if scope.subject.is_some() && is_node_of(state, sender, &scope.holder)? {
        return Ok(true);
    }
    Ok(admin(state, sender)? == scope.holder)
}

/// Whether a key is of an active node of an organisation.
pub(super) fn is_node_of<V: StateView + ?Sized>(
    view: &V,
    key: &PublicKey,
    organisation: &OrganisationId,
) -> Result<bool, StateReadError> {
    let member: Option<Member> = read(view, &StateKey::member(key))?;
    Ok(member.is_some_and(|member| {
        member.organisation == *organisation && member.standing == Standing::Active
    }))
}

/// Whether a policy can have this name.
#[must_use]
pub fn is_policy_name(name: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_POLICY_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_fit)
}
