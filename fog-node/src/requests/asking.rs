//! What a caller asks for, read and completed: the holder, the metrics in order.

use std::collections::BTreeSet;

use fog_api::{AskAccess as Ask, Capability, GrantAccess as Give};
use ledger_core::access::{AskAccess, Period, Purpose, Relation, Resolution};
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

impl Node {
    /// The request that is asked for, without a relation and an emergency.
    ///
    /// # Errors
    /// [`Failure`] `ACC-01`.
    pub(super) fn request(
        &self,
        snapshot: &Snapshot<'_>,
        asked: &Ask,
        handle: Digest,
        signed: &Signed,
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
        let for_millis = asked.seconds.saturating_mul(1_000);
        let purpose = one_of("purpose", &asked.purpose, Purpose::ALL, Purpose::word)?;
        let is_own = own == Some(holder);
        let subject =
            self.subject_for(&asked.subject, purpose, is_own && knows_patients(signed))?;
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
            attestation: None,
            emergency: None,
        })
    }

    /// Whose data they are: a subject's handle on the ledger, or the id or number of a patient of this node's where she
    /// may be named so.
    fn subject_for(&self, text: &str, purpose: Purpose, may_name: bool) -> Result<Digest, Failure> {
        if let Ok(handle) = text.to_lowercase().parse() {
            return Ok(handle);
        }
        let known = may_name.then(|| self.patients.called(text).ok()).flatten();
        let month = Period::at(unix_millis());
        let handle = known.map(|patient| patient.handle(purpose, month));
        handle.ok_or_else(|| {
            unfit("A subject is a handle of 64 hexadecimal digits, or the id or number of a patient whom you may know here.")
        })
    }

    /// To whom something is given: a person's handle on the ledger, or the login of one of this node's.
    ///
    /// # Errors
    /// [`Failure`] `ACC-01` if it is neither.
    pub(crate) fn receiver(&self, person: &str) -> Result<Digest, Failure> {
        if let Ok(handle) = person.parse() {
            return Ok(handle);
        }
        let known = self.people.by_login(person);
        let pseudonym = known.and_then(|known| known.pseudonym);
        let handle = pseudonym.map(|pseudonym| pseudonym.handle);
        handle.ok_or_else(|| {
            let why = "A person is a handle of 64 hexadecimal digits, or the login of somebody whom the ledger knows by this node.";
            let next = "Correct it, and try again.";
            Failure::new(400, "ACC-01", "Nobody is known by that name.", why, next)
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

/// Whether somebody may know who the patients of this node are.
fn knows_patients(signed: &Signed) -> bool {
    let knows = [Capability::Assign, Capability::ReadRecords];
    knows.iter().any(|one| signed.may.contains(one))
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

/// What the asker says she is to the subject.
///
/// # Errors
/// [`Failure`] `ACC-01` if a word says nothing of that.
pub(super) fn relations(words: &[String]) -> Result<BTreeSet<Relation>, Failure> {
    let read = |word: &String| one_of("relation", word, Relation::ALL, Relation::word);
    words.iter().map(read).collect()
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
