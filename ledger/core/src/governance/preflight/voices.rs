//! Who takes part, who must agree, and which rules are in force from then on.

use super::words::{count, small};
use super::{Code, Finding, Severity};
use crate::genesis::Member;
use crate::governance::proposal::Change;
use crate::governance::read::{
    nodes, open_proposals, organisation, organisation_ids, parameters, tally, thresholds,
};
use crate::governance::thresholds::Rule;
use crate::ids::OrganisationId;
use crate::parameters::Parameters;
use crate::state::{Overlay, StateKey, StateReadError, StateView, read};

type Findings = Result<Vec<Finding>, StateReadError>;

pub(super) fn findings<V: StateView + ?Sized>(
    view: &V,
    after: &Overlay<'_, V>,
    by: OrganisationId,
    change: &Change,
) -> Findings {
    let changes = |code, what: String| vec![Finding::new(Severity::Changes, code, what)];
    let name_of = |key| {
        let member: Option<Member> = read(view, &StateKey::member(key))?;
        Ok::<_, StateReadError>(member.map(|member| member.name).unwrap_or_default())
    };
    Ok(match change {
        Change::AdmitOrganisation(new) => {
            let voices = organisation_ids(after)?.active.len();
            let what = format!("{} gets one of {} voices.", new.name, small(voices));
            let mut findings = changes(Code::Organisation, what);
            findings.extend(must_agree(view, after)?);
            findings.extend(decided_too(view, after, change)?);
            findings
        }
        Change::RemoveOrganisation { id } => {
            let mut findings = removed(view, *id, *id == by)?;
            findings.extend(must_agree(view, after)?);
            findings.extend(decided_too(view, after, change)?);
            findings
        }
        Change::RotateAdmin {
            organisation: id, ..
        } => last_admin_key(after, id)?,
        Change::RemoveNode { key } => changes(
            Code::Node,
            format!(
                "{} may send no transactions any more. What it anchored stays provable.",
                name_of(key)?
            ),
        ),
        Change::RotateNode { old, .. } => changes(
            Code::Node,
            format!(
                "{} signs with its new keys from the next block on. What it signed before and is not \
                 final by then is refused.",
                name_of(old)?
            ),
        ),
        Change::SetParameters(new) => rules(&parameters(view)?, new),
        Change::SetThresholds(_) => {
            let mut findings = must_agree(view, after)?;
            findings.extend(decided_too(view, after, change)?);
            findings
        }
        Change::MoveNode { key, address } => {
            let name = name_of(key)?;
            let what = if address.is_empty() {
                format!("Peers open no connections to {name} any more; it opens them itself.")
            } else {
                format!("Peers look for {name} at {address}.")
            };
            changes(Code::Node, what)
        }
        Change::AdmitNode { .. }
        | Change::AdmitValidator { .. }
        | Change::RemoveValidator { .. } => Vec::new(),
    })
}

/// Whether the organisation is left with one admin key.
fn last_admin_key<V: StateView + ?Sized>(after: &Overlay<'_, V>, id: &OrganisationId) -> Findings {
    let Some(one) = organisation(after, id)?.filter(|one| one.admins.len() == 1) else {
        return Ok(Vec::new());
    };
    let what = format!(
        "{} has one admin key. If it is lost, the organisation has no voice any more.",
        one.name
    );
    let finding = Finding::new(Severity::Changes, Code::LastAdminKey, what);
    Ok(vec![
        finding.next("Add a second admin key that is kept elsewhere."),
    ])
}

fn removed<V: StateView + ?Sized>(view: &V, id: OrganisationId, is_own: bool) -> Findings {
    let name = organisation(view, &id)?.map(|one| one.name);
    let nodes = nodes(view, &id)?.len() as u64;
    let mut what = format!("{} keeps its data but no voice.", name.unwrap_or_default());
    if nodes > 0 {
        let nodes = count(nodes, "node", "nodes");
        what += &format!(" Its {nodes} may send no transactions any more.");
    }
    let finding = Finding::new(Severity::Changes, Code::Organisation, what);
    let next = "Only a vote of the others brings it back, under another id.";
    Ok(vec![if is_own { finding.next(next) } else { finding }])
}

/// How many voices each kind of change needs, where that differs.
fn must_agree<V: StateView + ?Sized>(view: &V, after: &Overlay<'_, V>) -> Findings {
    let voices = |state: usize| u32::try_from(state).unwrap_or(u32::MAX);
    let now = voices(organisation_ids(view)?.active.len());
    let then = voices(organisation_ids(after)?.active.len());
    let (before, after) = (thresholds(view)?, thresholds(after)?);
    let kinds = [
        (Rule::Organisations, "organisations"),
        (Rule::Validators, "validators"),
        (Rule::Nodes, "nodes of others"),
        (Rule::Parameters, "rules"),
        (Rule::Thresholds, "thresholds"),
    ];
    let mut findings = Vec::new();
    for (rule, kind) in kinds {
        let (was, is) = (before.needed(rule, now), after.needed(rule, then));
        if (was, now) == (is, then) {
            continue;
        }
        let of = |needed: u32, all: u32| {
            format!("{} of {}", small(needed as usize), small(all as usize))
        };
        let mut what = format!(
            "To change {kind}, {} must agree; until now {}.",
            of(is, then),
            of(was, now)
        );
        if is == then && then > 1 {
            what += " One that loses its keys blocks it for good.";
        }
        findings.push(Finding::new(Severity::Changes, Code::Voices, what));
    }
    Ok(findings)
}

/// Open proposals that would be decided by it.
fn decided_too<V: StateView + ?Sized>(
    view: &V,
    after: &Overlay<'_, V>,
    change: &Change,
) -> Findings {
    let mut findings = Vec::new();
    for proposal in open_proposals(view)? {
        if proposal.change == *change {
            continue;
        }
        let tally = tally(after, &proposal)?;
        let outcome = match (tally.has_passed(), tally.is_hopeless()) {
            (true, _) => "approved",
            (false, true) => "rejected",
            (false, false) => continue,
        };
        let what = format!(
            "Proposal {} would be {outcome} by it, too.",
            proposal.number
        );
        findings.push(Finding::new(Severity::Changes, Code::OtherProposal, what));
    }
    Ok(findings)
}

/// The rules that differ.
fn rules(old: &Parameters, new: &Parameters) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |differs: bool, what: String| {
        if differs {
            findings.push(Finding::new(Severity::Changes, Code::Parameter, what));
        }
    };
    let (was, is) = (old.max_block_bytes, new.max_block_bytes);
    let what = format!("Blocks hold up to {is} bytes of transactions, not {was}.");
    add(was != is, what);
    let (was, is) = (old.finality_limit_millis, new.finality_limit_millis);
    let what = format!("The alarm comes if finality takes longer than {is} ms, not {was} ms.");
    add(was != is, what);
    let (was, is) = (old.heartbeat_seconds, new.heartbeat_seconds);
    let what = format!("An idle ledger makes a block every {is} s, not every {was} s.");
    add(was != is, what);
    let (was, is) = (old.retention, new.retention);
    let kept = match (is.days, is.bytes) {
        (0, 0) => "All transactions are kept.".to_owned(),
        (days, 0) => format!(
            "Transactions are kept for {}.",
            count(days.into(), "day", "days")
        ),
        (0, bytes) => format!("Transactions are kept up to {bytes} bytes."),
        (days, bytes) => format!(
            "Transactions are kept for {}, up to {bytes} bytes.",
            count(days.into(), "day", "days")
        ),
    };
    let what = format!(
        "{kept} What was deleted before is not brought back; proofs issued before verify for ever."
    );
    add(was != is, what);
    findings
}
