//! Policies that hold together, and what they decide.

use std::collections::BTreeMap;

use cedar_policy::{Authorizer, EntityUid, PolicyId, PolicySet};

use crate::on_own_stack;
use crate::policy::{self, CheckedPolicy};
use crate::question::Question;

/// Policies that hold together, ready to decide.
///
/// They are kept apart by whom they are about, and by what: what names another person, role or organisation than the
/// asker's, or other metrics only, is not even looked at.
#[derive(Clone, Default, Debug)]
pub struct Contract {
    about: BTreeMap<Option<EntityUid>, Part>,
    len: usize,
}

/// Policies about the same people.
#[derive(Clone, Default, Debug)]
struct Part {
    /// Those about some metrics only, under each of them.
    metrics: BTreeMap<String, PolicySet>,
    /// The others.
    others: PolicySet,
}

/// What a contract says to a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// At least one policy permits it, none forbids it.
    Permitted {
        /// The policies that permit it, by name, in order.
        by: Vec<String>,
        /// Whether each of them wants a person's approval.
        needs_approval: bool,
    },
    /// At least one policy forbids it.
    Forbidden {
        /// The policies that do, by name, in order.
        by: Vec<String>,
    },
    /// No policy permits it.
    NotPermitted,
    /// A policy could not be evaluated, for a number became too large; so nothing is allowed.
    Failed {
        /// The policies that could not, by name, in order.
        by: Vec<String>,
    },
}

impl Contract {
    /// A contract of these policies. Of two with one name, the later one holds.
    #[must_use]
    pub fn new(policies: impl IntoIterator<Item = CheckedPolicy>) -> Self {
        let named = policies
            .into_iter()
            .map(|checked| (checked.policy.id().clone(), checked));
        let named: BTreeMap<_, _> = named.collect();
        let len = named.len();
        let mut about: BTreeMap<_, Part> = BTreeMap::new();
        for CheckedPolicy { policy, place } in named.into_values() {
            let part = about.entry(place.whom).or_default();
            // Names differ, so nothing is refused.
            let Some(metrics) = place.metrics else {
                let _ = part.others.add(policy);
                continue;
            };
            for metric in metrics {
                let _ = part.metrics.entry(metric).or_default().add(policy.clone());
            }
        }
        Self { about, len }
    }

    /// How many policies it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none, and so permits nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// What all `contracts` together say to a question, as if they were one.
#[must_use]
pub fn decide(contracts: &[&Contract], question: &Question<'_>) -> Decision {
    on_own_stack(|| decided(contracts, question))
}

fn decided(contracts: &[&Contract], question: &Question<'_>) -> Decision {
    let Some((request, entities)) = question.asked() else {
        return Decision::NotPermitted;
    };
    let groups: Vec<_> = std::iter::once(None)
        .chain(question.principals().map(Some))
        .collect();
    let (mut permits, mut forbids, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let mut needs_approval = true;
    for contract in contracts {
        let parts = groups.iter().filter_map(|group| contract.about.get(group));
        let sets = parts.flat_map(|part| {
            part.metrics
                .get(question.metric)
                .into_iter()
                .chain([&part.others])
        });
        for set in sets {
            let response = Authorizer::new().is_authorized(&request, set, &entities);
            let named = |id: &PolicyId| id.to_string();
            failed.extend(response.diagnostics().errors().map(|error| match error {
                cedar_policy::AuthorizationError::PolicyEvaluationError(error) => {
                    named(error.policy_id())
                }
            }));
            // The reasons for an allowance are the permits that apply, for a refusal the prohibitions.
            for id in response.diagnostics().reason() {
                let Some(policy) = set.policy(id) else {
                    continue;
                };
                match policy.effect() {
                    cedar_policy::Effect::Permit => {
                        needs_approval &= policy::needs_approval(policy);
                        permits.push(named(id));
                    }
                    cedar_policy::Effect::Forbid => forbids.push(named(id)),
                }
            }
        }
    }
    for names in [&mut permits, &mut forbids, &mut failed] {
        names.sort_unstable();
        names.dedup();
    }
    match (failed.is_empty(), forbids.is_empty(), permits.is_empty()) {
        (false, ..) => Decision::Failed { by: failed },
        (true, false, _) => Decision::Forbidden { by: forbids },
        (true, true, false) => Decision::Permitted {
            by: permits,
            needs_approval,
        },
        (true, true, true) => Decision::NotPermitted,
    }
}
