//! Who could see what: every question that a role can put about some metrics, answered by the policies as they are
//! and as they would be. Left out: consents, which are about one subject.

use std::sync::Arc;

use fog_api::{
    PolicyDraft, PolicyOutcome, PolicySimulation, SimulatePolicies, SimulatedAccess,
    SimulatedDecision,
};
use ledger_core::OrganisationId;
use ledger_core::access::{self, Scope};
use ledger_policy::{
    CheckedPolicy, Contract, Decision, Purpose, Question, Relation, Resolution, Role, decide,
};
use ledger_store::Snapshot;

use super::{fault_of, faulty};
use crate::clock::now_millis;
use crate::failure::Failure;
use crate::node::Node;

/// Most metrics of a simulation.
const MAX_METRICS: usize = 8;
const HOUR_MILLIS: u64 = 3_600_000;
const DAY_MILLIS: u64 = 24 * HOUR_MILLIS;

/// What is asked, beside when.
struct Case<'a> {
    metric: &'a str,
    role: Role,
    relation: Option<Relation>,
    purpose: Purpose,
    resolution: Resolution,
    emergency: bool,
}

impl Node {
    /// Who could see what, now and with a draft in force.
    ///
    /// # Errors
    /// [`Failure`] if the question makes no sense, or the draft has faults.
    pub async fn simulate_policies(
        self: &Arc<Self>,
        asked: SimulatePolicies,
    ) -> Result<PolicySimulation, Failure> {
        self.blocking(move |node| {
            let snapshot = node.replica.read()?;
            let own = node.own_organisation(&snapshot)?;
            simulate(&asked, own, texts_of(&snapshot, own)?)
        })
        .await
    }
}

fn simulate(
    asked: &SimulatePolicies,
    own: OrganisationId,
    texts: Vec<(String, String)>,
) -> Result<PolicySimulation, Failure> {
    let are_fit =
        (1..=MAX_METRICS).contains(&asked.metrics.len()) && asked.hour.is_none_or(|hour| hour < 24);
    if !are_fit {
        return Err(Failure::new(
            400,
            "POL-03",
            "The question cannot be put.",
            format!("It is about 1 to {MAX_METRICS} metrics, and an hour from 0 to 23."),
            "Correct it, and ask again.",
        ));
    }
    let now = contract(&texts)?;
    let with_draft = |draft| contract(&with_draft(texts, draft));
    let then = asked.draft.as_ref().map(with_draft).transpose()?;
    let holder = own.to_string();
    let organisation = asked.organisation.as_ref().unwrap_or(&holder);
    let now_millis = time_of(asked.hour);
    let days = u64::from(asked.age_days.unwrap_or(1));
    let from_millis = now_millis.saturating_sub(days * DAY_MILLIS);
    let cases = cases(&asked.metrics);
    let mut rows = Vec::new();
    for case in &cases {
        let question = Question {
            person: "",
            organisation,
            roles: &[case.role].into(),
            subject: "",
            holder: &holder,
            metric: case.metric,
            purpose: case.purpose,
            relations: &case.relation.into_iter().collect(),
            resolution: case.resolution,
            emergency: case.emergency,
            now_millis,
            from_millis,
            until_millis: now_millis,
        };
        let answer = |contract| told(decide(&[contract], &question));
        let now = answer(&now);
        let then = then.as_ref().map_or_else(|| now.clone(), answer);
        if [&now, &then].iter().any(|told| allows(told.outcome)) {
            rows.push(case.answered(now, then));
        }
    }
    let asked = cases.len();
    Ok(PolicySimulation { asked, rows })
}

/// Now, or an hour of today.
fn time_of(hour: Option<u8>) -> u64 {
    let now = now_millis().unsigned_abs();
    let midnight = now / DAY_MILLIS * DAY_MILLIS;
    hour.map_or(now, |hour| midnight + u64::from(hour) * HOUR_MILLIS)
}

/// The names and texts of the policies that an organisation has in force.
fn texts_of(
    snapshot: &Snapshot<'_>,
    own: OrganisationId,
) -> Result<Vec<(String, String)>, Failure> {
    let found = access::policies(snapshot, &Scope::all_of(own)).map_err(Failure::internal)?;
    let texts = found.into_iter().map(|policy| policy.put);
    Ok(texts
        .filter_map(|put| Some((put.name, put.text?)))
        .collect())
}

fn with_draft(mut texts: Vec<(String, String)>, draft: &PolicyDraft) -> Vec<(String, String)> {
    texts.retain(|(name, _)| *name != draft.name);
    texts.extend(draft.text.clone().map(|text| (draft.name.clone(), text)));
    texts
}

fn contract(texts: &[(String, String)]) -> Result<Contract, Failure> {
    let read = |(name, text): &(String, String)| CheckedPolicy::read(name, text);
    let policies: Result<Vec<_>, Vec<_>> = texts.iter().map(read).collect();
    match policies {
        Ok(policies) => Ok(Contract::new(policies)),
        Err(faults) => Err(faults.into_iter().next().map_or_else(
            || Failure::internal("a policy is refused without a fault"),
            |fault| faulty(&fault_of(fault)),
        )),
    }
}

/// All that people of one role each can ask about these metrics.
fn cases(metrics: &[String]) -> Vec<Case<'_>> {
    let relations = || std::iter::once(None).chain(Relation::ALL.iter().copied().map(Some));
    let mut cases = Vec::new();
    for metric in metrics {
        for role in Role::ALL.iter().copied() {
            for relation in relations() {
                for purpose in Purpose::ALL.iter().copied() {
                    for resolution in Resolution::ALL.iter().copied() {
                        cases.extend([false, true].map(|emergency| Case {
                            metric,
                            role,
                            relation,
                            purpose,
                            resolution,
                            emergency,
                        }));
                    }
                }
            }
        }
    }
    cases
}

impl Case<'_> {
    fn answered(&self, now: SimulatedDecision, then: SimulatedDecision) -> SimulatedAccess {
        SimulatedAccess {
            metric: self.metric.to_owned(),
            role: self.role.word().to_owned(),
            relation: self.relation.map(|relation| relation.word().to_owned()),
            purpose: self.purpose.word().to_owned(),
            resolution: self.resolution.word().to_owned(),
            emergency: self.emergency,
            now,
            then,
        }
    }
}

fn told(decision: Decision) -> SimulatedDecision {
    let (outcome, by) = match decision {
        Decision::Permitted { by, needs_approval } => match needs_approval {
            true => (PolicyOutcome::NeedsApproval, by),
            false => (PolicyOutcome::Permitted, by),
        },
        Decision::Forbidden { by } | Decision::Failed { by } => (PolicyOutcome::Forbidden, by),
        Decision::NotPermitted => (PolicyOutcome::NotPermitted, Vec::new()),
    };
    SimulatedDecision { outcome, by }
}

const fn allows(outcome: PolicyOutcome) -> bool {
    matches!(
        outcome,
        PolicyOutcome::Permitted | PolicyOutcome::NeedsApproval
    )
}
