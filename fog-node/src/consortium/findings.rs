//! The preflight: what the ledger says a change would do, with what this node sees of the others.

use std::collections::BTreeMap;

use fog_api::PreflightFinding;
use ledger_core::OrganisationId;
use ledger_core::governance::{Change, Finding, Observed, Seen, preflight};

use super::view::People;
use crate::failure::Failure;
use crate::node::Node;

impl Node {
    /// What `change` would do, proposed by this node's organisation.
    pub(super) fn findings(&self, change: &Change) -> Result<Vec<PreflightFinding>, Failure> {
        let snapshot = self.replica.read()?;
        let people = People::read(&snapshot)?;
        let by = people.voice_of(&self.membership.admin());
        // Without a voice nothing is anybody's own affair.
        let by = by.map_or(OrganisationId([0; 16]), |own| own.id);
        self.count_attendance()?;
        let found = preflight(&snapshot, by, change, &self.observed())?;
        Ok(found.into_iter().map(finding).collect())
    }

    /// How the other nodes look from here.
    fn observed(&self) -> Observed {
        let status = self.consortium.status();
        let (tip, attendance) = (status.height, self.membership.attendance());
        let others = status.peers.iter().map(|peer| {
            let seen = Seen {
                is_reachable: peer.connected_millis.is_some(),
                behind_blocks: peer.height.map(|height| tip.0.saturating_sub(height.0)),
                clock_offset_millis: peer.clock.map(|clock| clock.ahead_micros / 1000),
                last_signed: attendance.last_signed(&peer.key),
            };
            (peer.key, seen)
        });
        let here = Seen {
            is_reachable: true,
            behind_blocks: Some(0),
            clock_offset_millis: Some(0),
            last_signed: attendance.last_signed(&self.vote_key),
        };
        let nodes: BTreeMap<_, _> = others.chain([(self.vote_key, here)]).collect();
        Observed { tip, nodes }
    }
}

fn finding(found: Finding) -> PreflightFinding {
    PreflightFinding {
        severity: name(&found.severity),
        code: name(&found.code),
        what: found.what,
        next: found.next,
        halts: found.halts,
    }
}

/// The name of a variant, as JSON has it.
fn name(variant: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(variant).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
