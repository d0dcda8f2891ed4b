//! Who is what to a patient: those who treat her, in this hospital or another one, and who acts for her by law.
//!
//! ```text
//! staff ── relate ──▶ patient's row (vault, sealed) ──▶ a node of hers attests it, of one handle (`crate::requests`)
//! end ──▶ row, durable ──▶ what the person asked for as that is ended on the ledger
//! ```
//!
//! People are named by their handles on the ledger, so that another organisation's can be. The ledger hears nothing of a
//! team; that somebody treats a patient it is told of a request for one of her handles. A team travels with the patient
//! to the other nodes of the organisation, the version that was changed last.
//!
//! Left out: who signs in as the patient herself (`super::account`).

use std::collections::BTreeSet;
use std::sync::Arc;

use fog_api::{EndRelation, PatientView, RelatePerson, RelatedPerson};
use ledger_core::Digest;
use ledger_core::access::{self, Purpose, Relation};
use ledger_store::Snapshot;

use super::patient::{Patient, Related};
use crate::clock::now_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::Signed;

/// Most people in a patient's team.
const MAX_TEAM: usize = 32;
/// Longest name of one, in characters.
const MAX_NAME: usize = 60;

/// Refuses a team of another node's that this one would not write down so.
///
/// # Errors
/// [`Failure`] `PAT-07`.
pub(super) fn check(team: &[Related]) -> Result<(), Failure> {
    let is_fit = |one: &Related| is_name(&one.name) && one.relation != Relation::Oneself;
    match team.len() <= MAX_TEAM && team.iter().all(is_fit) {
        true => Ok(()),
        false => Err(unfit(
            "A team has at most 32 people, each with a name of at most 60 characters.",
        )),
    }
}

fn is_name(name: &str) -> bool {
    name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control)
}

/// Until when a person is all of that to the patient; `None` if she is not now.
fn until(patient: &Patient, person: &Digest, all: &BTreeSet<Relation>, now: i64) -> Option<i64> {
    let until = |relation: &Relation| {
        let mut team = patient.team.iter();
        let found = team.find(|one| one.person == *person && one.relation == *relation);
        let until = found?.until.unwrap_or(i64::MAX);
        (until > now).then_some(until)
    };
    let all: Option<Vec<_>> = all.iter().map(until).collect();
    all?.into_iter().min()
}

impl Node {
    /// Writes down that somebody treats a patient, or acts for her by law; answered once that is durable.
    ///
    /// # Errors
    /// [`Failure`] `PAT-07` if it cannot be, or there is no such patient.
    pub async fn relate_person(
        self: &Arc<Self>,
        id: &str,
        asked: &RelatePerson,
        signed: &Signed,
    ) -> Result<PatientView, Failure> {
        let now = now_millis();
        self.patients.named(id)?;
        let related = self.related(asked, signed, now)?;
        let _turn = self.patients.turn().await;
        let patient = Patient::clone(&*self.patients.named(id)?);
        let mut team = patient.team.clone();
        team.retain(|one| (one.person, one.relation) != (related.person, related.relation));
        team.push(related);
        check(&team)?;
        self.put_patient(patient.looked_after(team, now)).await?;
        self.patient(id.to_owned()).await
    }

    fn related(&self, asked: &RelatePerson, by: &Signed, now: i64) -> Result<Related, Failure> {
        let person = self.receiver(&asked.person)?;
        let known = access::person(&self.replica.read()?, &person).map_err(Failure::internal)?;
        if known.is_none() {
            return Err(unfit("The ledger knows nobody by this handle."));
        }
        let relation = match asked.relation.as_str() {
            "treating" => Relation::Treating,
            "guardian" => Relation::Guardian,
            _ => return Err(unfit("Somebody is “treating” or “guardian” to a patient.")),
        };
        if asked.until.is_some_and(|until| until <= now) {
            return Err(unfit("That it ends must be in the future."));
        }
        let name = asked.name.as_deref().unwrap_or_default().trim();
        let name = match name.is_empty() {
            true => asked.person.chars().take(MAX_NAME).collect(),
            false => name.to_owned(),
        };
        if !is_name(&name) {
            return Err(unfit("A name has at most 60 characters, on one line."));
        }
        let by = self.people.find(by.person);
        let by = by.ok_or_else(|| Failure::internal("a person who is gone"))?;
        Ok(Related {
            person,
            relation,
            name,
            since: now,
            until: asked.until,
            by: by.login.clone(),
        })
    }

    /// Writes down that somebody is that to a patient no more; answered once that is durable, and what she asked for or
    /// was granted as that is ended.
    ///
    /// # Errors
    /// [`Failure`] `PAT-07` if she was not, or there is no such patient.
    pub async fn end_relation(
        self: &Arc<Self>,
        id: &str,
        asked: &EndRelation,
    ) -> Result<PatientView, Failure> {
        let turn = self.patients.turn().await;
        let patient = self.patients.named(id)?;
        let is_it = |one: &Related| {
            one.person.to_string() == asked.person && one.relation.word() == asked.relation
        };
        let found = patient.team.iter().find(|one| is_it(one));
        let Some(ended) = found.cloned() else {
            return Err(unfit("She is not that to the patient."));
        };
        let team = patient.team.iter().filter(|one| !is_it(one));
        let team = team.cloned().collect();
        let changed = Patient::clone(&patient).looked_after(team, now_millis());
        self.put_patient(changed).await?;
        drop(turn);
        self.end_resting(patient, ended.relation, Some(ended.person))
            .await?;
        self.patient(id.to_owned()).await
    }

    /// Until when a person is all of that to the patient whom the ledger knows by this handle, as her team says.
    pub(crate) fn team_says(
        &self,
        person: &Digest,
        relations: &BTreeSet<Relation>,
        (purpose, subject): (Purpose, &Digest),
    ) -> Option<i64> {
        let now = now_millis();
        let at = u64::try_from(now).unwrap_or(0);
        let patient = self.patients.of_handle(purpose, subject, at)?;
        until(&patient, person, relations, now)
    }

    /// A patient's team, as it is shown.
    pub(super) fn team(
        &self,
        snapshot: &Snapshot<'_>,
        patient: &Patient,
    ) -> Result<Vec<RelatedPerson>, Failure> {
        let shown = |one: &Related| {
            let known = access::person(snapshot, &one.person).map_err(Failure::internal)?;
            Ok(RelatedPerson {
                person: one.person.to_string(),
                organisation: known.map(|known| known.organisation.to_string()),
                name: one.name.clone(),
                relation: one.relation.word().to_owned(),
                since: one.since,
                until: one.until,
                by: one.by.clone(),
            })
        };
        patient.team.iter().map(shown).collect()
    }
}

fn unfit(why: &str) -> Failure {
    let what = "The team was not changed.";
    Failure::new(
        409,
        "PAT-07",
        what,
        why,
        "Correct it; fogward patient show lists the team.",
    )
}

#[cfg(test)]
mod tests {
    //! Goal: a relation holds for the person, as all that is asked, until it ends. Method: a table.

    use super::*;
    use crate::patients::patient::Called;

    #[test]
    fn a_relation_holds_until_it_ends() {
        let named = fog_api::DescribePatient {
            name: "P".into(),
            number: None,
            born: None,
        };
        let patient = Patient::new(Called::checked(&named, 0).unwrap(), 0).unwrap();
        let related = |person: u8, relation, until| Related {
            person: Digest([person; 32]),
            relation,
            name: String::new(),
            since: 0,
            until,
            by: String::new(),
        };
        let team = vec![
            related(1, Relation::Treating, None),
            related(1, Relation::Guardian, Some(50)),
            related(2, Relation::Treating, Some(20)),
        ];
        let patient = patient.looked_after(team, 1);
        let cases: [(u8, &[Relation], i64, Option<i64>); 7] = [
            (1, &[Relation::Treating], 10, Some(i64::MAX)),
            (1, &[Relation::Treating, Relation::Guardian], 10, Some(50)),
            (1, &[Relation::Treating, Relation::Guardian], 50, None),
            (2, &[Relation::Treating], 19, Some(20)),
            (2, &[Relation::Treating], 20, None),
            (2, &[Relation::Guardian], 10, None),
            (3, &[Relation::Treating], 10, None),
        ];
        for (person, relations, now, expected) in cases {
            let relations = relations.iter().copied().collect();
            let found = until(&patient, &Digest([person; 32]), &relations, now);
            assert_eq!(found, expected, "{person} {relations:?} {now}");
        }
    }
}
