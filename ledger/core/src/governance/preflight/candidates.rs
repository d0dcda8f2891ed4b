//! Whether nodes that come, or get new keys, are ready for it.

use super::words::count;
use super::{Code, Finding, MAX_BEHIND_BLOCKS, MAX_CLOCK_OFFSET_MILLIS, Observed, Severity};
use crate::genesis::Member;
use crate::governance::proposal::Change;
use crate::governance::read::key_use;
use crate::key::PublicKey;
use crate::state::{StateKey, StateReadError, StateView, read};

pub(super) fn findings<V: StateView + ?Sized>(
    view: &V,
    change: &Change,
    observed: &Observed,
) -> Result<Vec<Finding>, StateReadError> {
    let mut findings = Vec::new();
    match change {
        Change::AdmitValidator { node } => {
            let member: Option<Member> = read(view, &StateKey::member(node))?;
            if let Some(member) = member {
                findings.extend(readiness(&member, observed));
                let keys = [member.key, member.vote_key];
                findings.extend(double_use(view, &member.name, keys, &[])?);
            }
        }
        Change::AdmitNode { node, .. } => {
            let keys = [node.key, node.vote_key];
            findings.extend(double_use(view, &node.name, keys, &[])?);
        }
        Change::AdmitOrganisation(new) => {
            for node in &new.nodes {
                let keys = [node.key, node.vote_key];
                findings.extend(double_use(view, &node.name, keys, &new.admins)?);
            }
        }
        Change::RotateNode {
            old,
            new,
            new_vote_key,
        } => {
            let member: Option<Member> = read(view, &StateKey::member(old))?;
            let name = member.map(|member| member.name).unwrap_or_default();
            findings.extend(double_use(view, &name, [*new, *new_vote_key], &[])?);
        }
        _ => {}
    }
    Ok(findings)
}

/// Whether a node could sign the next block.
fn readiness(node: &Member, observed: &Observed) -> Vec<Finding> {
    let name = &node.name;
    let breaks = |code, what: String, next: &str| {
        vec![Finding::new(Severity::Breaks, code, what).next(next)]
    };
    let seen = observed.nodes.get(&node.vote_key).copied();
    let Some(seen) = seen.filter(|seen| seen.is_reachable) else {
        return breaks(
            Code::Unreachable,
            format!("{name} does not answer. As a validator it would count as silent."),
            "Let it run where this node reaches it, then look again.",
        );
    };
    let mut findings = Vec::new();
    if let Some(behind) = seen
        .behind_blocks
        .filter(|behind| *behind > MAX_BEHIND_BLOCKS)
    {
        let blocks = count(behind, "block", "blocks");
        findings.extend(breaks(
            Code::Behind,
            format!("{name} is {blocks} behind. It cannot sign before it has caught up."),
            "Wait until it has caught up.",
        ));
    }
    let offset = seen.clock_offset_millis.map(i64::unsigned_abs);
    if let Some(offset) = offset.filter(|offset| *offset > MAX_CLOCK_OFFSET_MILLIS) {
        findings.extend(breaks(
            Code::Clock,
            format!(
                "The clock of {name} is {offset} ms off. At most {MAX_CLOCK_OFFSET_MILLIS} ms do no \
                 harm."
            ),
            "Let it take its time from a time server.",
        ));
    }
    if findings.is_empty() {
        let clock = match offset {
            Some(_) => format!("its clock is within {MAX_CLOCK_OFFSET_MILLIS} ms"),
            None => "its clock has not been compared yet".to_owned(),
        };
        let what = format!("{name} answers and is in step; {clock}.");
        findings.push(Finding::new(Severity::Holds, Code::Ready, what));
    }
    findings
}

/// Keys that serve more than one purpose.
fn double_use<V: StateView + ?Sized>(
    view: &V,
    name: &str,
    keys: [PublicKey; 2],
    new_admins: &[PublicKey],
) -> Result<Vec<Finding>, StateReadError> {
    let mut findings = Vec::new();
    let mut add = |what: String| {
        let finding = Finding::new(Severity::Changes, Code::KeyUsedTwice, what);
        findings.push(finding.next("Rotate to keys of their own when there is time."));
    };
    if keys[0] == keys[1] {
        add(format!(
            "One key of {name} signs its transactions and its votes. Who steals it has both."
        ));
    }
    for key in keys {
        if key_use(view, &key)?.is_admin || new_admins.contains(&key) {
            add(format!(
                "A key of {name} is an admin key, too. Who steals the node's keys has the \
                 organisation's voice."
            ));
            break;
        }
    }
    Ok(findings)
}
