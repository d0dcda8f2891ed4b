//! What a caller asks for, read and completed: the holder, the metrics in order, the attested relation.

use std::collections::BTreeSet;

use fog_api::{AskAccess as Ask, GrantAccess as Give};
use ledger_core::access::{
    AskAccess, Attestation, Person as Known, Purpose, Relation, Resolution, Role,
};
use ledger_core::genesis::Member;
use ledger_core::state::{StateKey, read};
use ledger_core::{Digest, OrganisationId};
use ledger_store::Snapshot;

use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::Signed;

/// Longest reason, in characters.
const MAX_REASON: usize = 500;
/// An attestation holds longer than request and grant by this, for clocks differ.
const LEEWAY_MILLIS: u64 = 5 * 60_000;

impl Node {
    /// The request that is asked for, without an emergency.
    ///
    /// # Errors
    /// [`Failure`] `ACC-01`, or `ACC-05` if the relation cannot be attested here.
    pub(super) fn request(
        &self,
        snapshot: &Snapshot<'_>,
        asked: &Ask,
        handle: Digest,
        (signed, asker): (&Signed, &Known),
    ) -> Result<AskAccess, Failure> {
        let own = self.organisation(snapshot)?;
        let holder = match &asked.holder {
            None => {
                own.ok_or_else(|| unfit("This node is of no organisation of the consortium."))?
            }
            Some(id) => {
                let id = id.parse::<OrganisationId>();
                id.map_err(|_| unfit("An organisation's id has 32 hexadecimal digits."))?
            }
        };
        let subject = asked.subject.parse::<Digest>();
        let subject =
            subject.map_err(|_| unfit("A subject's handle has 64 hexadecimal digits."))?;
        let for_millis = asked.seconds.saturating_mul(1_000);
        let relations = relations(&asked.relations)?;
        let purpose = one_of("purpose", &asked.purpose, Purpose::ALL, Purpose::word)?;
        let attestation = match relations.is_empty() {
            true => None,
            false => {
                refuse_unattested(&relations, asker, own == Some(holder))?;
                let is_oneself = relations.contains(&Relation::Oneself);
                if is_oneself && !self.is_oneself(signed, purpose, &subject) {
                    return Err(unattested(
                        "It is attested of a patient who is signed in, of her own handles for the purpose only.",
                    ));
                }
                let until = unix_millis()
                    .saturating_add(for_millis.saturating_mul(2))
                    .saturating_add(LEEWAY_MILLIS);
                let (node, person) = (&self.requests.attesting, asker.registered.handle);
                Some(Attestation::sign(node, &person, &subject, relations, until))
            }
        };
        let metrics: BTreeSet<_> = asked.metrics.iter().cloned().collect();
        Ok(AskAccess {
            handle,
            holder,
            subject,
            metrics: metrics.into_iter().collect(),
            from_millis: asked.from,
            until_millis: asked.until,
            resolution: one_of(
                "resolution",
                &asked.resolution,
                Resolution::ALL,
                Resolution::word,
            )?,
            purpose,
            for_millis,
            attestation,
            emergency: None,
        })
    }

    /// To whom something is given: a person's handle on the ledger, or the login of one of this node's.
    ///
    /// # Errors
    /// [`Failure`] `ACC-01` if it is neither.
    pub(super) fn receiver(&self, person: &str) -> Result<Digest, Failure> {
        if let Ok(handle) = person.parse() {
            return Ok(handle);
        }
        let known = self.people.by_login(person);
        let pseudonym = known.and_then(|known| known.pseudonym);
        let handle = pseudonym.map(|pseudonym| pseudonym.handle);
        handle.ok_or_else(|| {
            unfit("A person is a handle of 64 hexadecimal digits, or the login of somebody whom the ledger knows by this node.")
        })
    }

    /// The organisation that this node is of, once it is admitted.
    pub(crate) fn organisation(
        &self,
        snapshot: &Snapshot<'_>,
    ) -> Result<Option<OrganisationId>, Failure> {
        let member = read(snapshot, &StateKey::member(&self.node_key));
        let member: Option<Member> = member.map_err(Failure::internal)?;
        Ok(member.map(|member| member.organisation))
    }
}

/// What is given, as it would have been asked for.
pub(super) fn unasked(given: Give) -> Ask {
    Ask {
        subject: given.subject,
        holder: None,
        metrics: given.metrics,
        from: given.from,
        until: given.until,
        resolution: given.resolution,
        purpose: given.purpose,
        seconds: given.seconds,
        relations: Vec::new(),
    }
}

fn relations(words: &[String]) -> Result<BTreeSet<Relation>, Failure> {
    let read = |word: &String| one_of("relation", word, Relation::ALL, Relation::word);
    words.iter().map(read).collect()
}

/// A node attests that a physician or nurse treats a patient of its own organisation, since she says so in what she
/// signs, and of whom it has linked that she is the patient herself; it knows of no other relation.
fn refuse_unattested(
    relations: &BTreeSet<Relation>,
    asker: &Known,
    is_own: bool,
) -> Result<(), Failure> {
    let roles = &asker.registered.roles;
    let treats = roles.contains(&Role::Physician) || roles.contains(&Role::Nurse);
    let why = if !is_own {
        "A node of the organisation that holds the data must attest it, and cannot be asked from here."
    } else if relations.contains(&Relation::Guardian) {
        "That somebody acts for the patient by law is not attested."
    } else if relations.contains(&Relation::Treating) && !treats {
        "It is attested of physicians and nurses only that they treat the patient."
    } else {
        return Ok(());
    };
    Err(unattested(why))
}

fn unattested(why: &str) -> Failure {
    let next = "Ask without the relation, or at a node of that organisation.";
    let what = "The relation is not attested.";
    Failure::new(409, "ACC-05", what, why, next)
}

/// The one of these with this word.
fn one_of<T: Copy>(
    what: &str,
    word: &str,
    all: &[T],
    word_of: impl Fn(T) -> &'static str,
) -> Result<T, Failure> {
    let found = all.iter().copied().find(|one| word_of(*one) == word);
    found.ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|one| word_of(*one)).collect();
        unfit(&format!("The {what} is one of {}.", words.join(", ")))
    })
}

/// The reason as it is kept, if it can be one.
///
/// # Errors
/// [`Failure`] `ACC-01`.
pub(super) fn checked_reason(text: &str) -> Result<&str, Failure> {
    let text = text.trim();
    let is_fit = (1..=MAX_REASON).contains(&text.chars().count());
    match is_fit && !text.chars().any(char::is_control) {
        true => Ok(text),
        false => Err(unfit("A reason has 1 to 500 characters, on one line.")),
    }
}

fn unfit(why: &str) -> Failure {
    let what = "This cannot be asked.";
    Failure::new(400, "ACC-01", what, why, "Correct it, and ask again.")
}
