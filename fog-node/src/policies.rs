//! The organisation's policies: what is in force, what a text would mean, and what it would change.
//!
//! ```text
//! text ──check──▶ faults at their words
//!      ──simulate▶ every question that a role can put, as it is answered now and as it would be
//!      ──put─────▶ signed with the organisation's admin key ─▶ outbox, durable ─▶ in force once it is final
//! ```
//!
//! It leaves out consents, which are about one subject, and deciding requests, which the ledger does.

mod difference;
mod history;
mod retracted;
mod simulation;

use std::sync::Arc;

use fog_api::{
    CheckPolicy, PoliciesView, PolicyChecked, PolicyEffect, PolicyFault, PolicyRow,
    PutPolicy as Asked,
};
use ledger_core::access::{self, PutPolicy, Scope};
use ledger_core::governance;
use ledger_core::{OrganisationId, Payload};
use ledger_policy::{CheckedPolicy, ENGINE, Effect, Fault, Rule, schema_text};
use ledger_store::Snapshot;

use crate::failure::Failure;
use crate::node::Node;

/// Words that stand in the API where a policy's name does: nobody could take such a policy out of force.
const TAKEN: [&str; 2] = ["check", "simulate"];

impl Node {
    /// The policies of all organisations, this one's first.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub fn policies(&self) -> Result<PoliciesView, Failure> {
        let snapshot = self.replica.read()?;
        let own = self.voice(&snapshot)?;
        let organisations = governance::organisations(&snapshot).map_err(Failure::internal)?;
        let (ours, others): (Vec<_>, Vec<_>) = organisations
            .into_iter()
            .partition(|one| Some(one.id) == own);
        let mut rows = Vec::new();
        for organisation in ours.iter().chain(&others) {
            let scope = Scope::all_of(organisation.id);
            let found = access::policies(&snapshot, &scope).map_err(Failure::internal)?;
            rows.extend(found.into_iter().filter_map(|policy| {
                let is_own = Some(organisation.id) == own;
                row_of(policy, organisation.name.clone(), is_own)
            }));
        }
        Ok(PoliciesView {
            engine: ENGINE.to_owned(),
            schema: schema_text().to_owned(),
            policies: rows,
        })
    }

    /// What is to be said of a text.
    #[must_use]
    pub fn check_policy(&self, asked: &CheckPolicy) -> PolicyChecked {
        check(&asked.text)
    }

    /// Puts a policy in force; answers once that is final.
    ///
    /// # Errors
    /// [`Failure`] if it has faults, or the ledger does not take it.
    pub async fn put_policy(self: &Arc<Self>, asked: Asked) -> Result<PolicyRow, Failure> {
        if let Some(fault) = check(&asked.text).faults.first() {
            return Err(faulty(fault));
        }
        if TAKEN.contains(&asked.name.as_str()) {
            return Err(Failure::new(
                400,
                "POL-02",
                "The policy was not changed.",
                "By this name the API checks and simulates.",
                "Give it another name.",
            ));
        }
        self.put(&asked.name, Some(asked.text)).await?;
        let snapshot = self.replica.read()?;
        let own = self.own_organisation(&snapshot)?;
        let policy = access::policy(&snapshot, &Scope::all_of(own), &asked.name);
        let row = policy.map_err(Failure::internal)?.and_then(|policy| {
            let organisation = governance::organisation(&snapshot, &own).ok()??;
            row_of(policy, organisation.name, true)
        });
        row.ok_or_else(|| not_put("Another change of this policy came first."))
    }

    /// Puts a policy out of force; answers once that is final.
    ///
    /// # Errors
    /// [`Failure`] if there is no such policy, or the ledger does not take it.
    pub async fn retract_policy(self: &Arc<Self>, name: &str) -> Result<(), Failure> {
        let is_known = {
            let snapshot = self.replica.read()?;
            let scope = Scope::all_of(self.own_organisation(&snapshot)?);
            let known = access::policy(&snapshot, &scope, name);
            known.map_err(Failure::internal)?.is_some()
        };
        if !is_known {
            return Err(Failure::not_found(
                "There is no such policy.",
                "The organisation's policies are listed by name on the policies page.",
            ));
        }
        self.put(name, None).await
    }

    async fn put(self: &Arc<Self>, name: &str, text: Option<String>) -> Result<(), Failure> {
        let put = Payload::PutPolicy(PutPolicy {
            scope: Scope::all_of(self.own_organisation(&self.replica.read()?)?),
            name: name.to_owned(),
            text,
            grounds: None,
        });
        if let Some(error) = self.void_of(self.membership.admin(), &put)? {
            return Err(not_put(&format!("On the ledger, {error}.")));
        }
        self.send(put).await.map(drop)
    }

    /// The organisation whose policies this node puts.
    fn own_organisation(&self, snapshot: &Snapshot<'_>) -> Result<OrganisationId, Failure> {
        self.voice(snapshot)?.ok_or_else(|| {
            not_put("This node's organisation has no voice in the consortium, or not yet.")
        })
    }
}

/// What is to be said of a text.
pub(crate) fn check(text: &str) -> PolicyChecked {
    match CheckedPolicy::read("draft", text) {
        Ok(policy) => PolicyChecked {
            faults: Vec::new(),
            effect: Some(effect_of(policy.effect())),
            needs_approval: policy.needs_approval(),
            words: words_of(text),
        },
        Err(faults) => PolicyChecked {
            faults: faults.into_iter().map(fault_of).collect(),
            effect: None,
            needs_approval: false,
            words: None,
        },
    }
}

fn fault_of(fault: Fault) -> PolicyFault {
    PolicyFault {
        message: fault.message,
        help: fault.help,
        from: fault.span.0,
        to: fault.span.1,
    }
}

fn row_of(policy: access::Policy, organisation: String, is_own: bool) -> Option<PolicyRow> {
    let PutPolicy { name, text, .. } = policy.put;
    let text = text?;
    let checked = check(&text);
    Some(PolicyRow {
        name,
        organisation,
        is_own,
        effect: checked.effect?,
        needs_approval: checked.needs_approval,
        words: checked.words,
        text,
        height: policy.changed.0,
    })
}

/// A text in plain words; metrics by their codes, for whoever shows it knows their names.
fn words_of(text: &str) -> Option<String> {
    Some(Rule::from_text(text)?.words(str::to_owned))
}

const fn effect_of(effect: Effect) -> PolicyEffect {
    match effect {
        Effect::Permit => PolicyEffect::Permit,
        Effect::Forbid => PolicyEffect::Forbid,
    }
}

fn faulty(fault: &PolicyFault) -> Failure {
    let at = format!("At byte {}: {}.", fault.from, fault.message);
    Failure::new(
        400,
        "POL-01",
        "The policy has faults.",
        at,
        fault
            .help
            .as_deref()
            .unwrap_or("Check it; every fault is told with its place."),
    )
}

fn not_put(why: &str) -> Failure {
    Failure::new(
        409,
        "POL-02",
        "The policy was not changed.",
        why,
        "Look at the policies page, which shows what is in force.",
    )
}
