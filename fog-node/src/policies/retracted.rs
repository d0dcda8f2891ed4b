//! Which policies were in force and are not any more: of those that are, the state has the names; of these, the access
//! log only.
//!
//! Left out: what they said, which their histories tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use fog_api::{PolicyBlock, RetractedPolicies, RetractedPolicy};
use ledger_core::OrganisationId;
use ledger_store::Snapshot;

use super::history::{Put, each_put, in_force};
use crate::failure::Failure;
use crate::node::Node;

/// Most policies of an answer.
const MAX_RETRACTED: usize = 500;

impl Node {
    /// The policies of this node's organisation that were retracted, the last one first.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub async fn retracted_policies(self: &Arc<Self>) -> Result<RetractedPolicies, Failure> {
        self.blocking(|node| {
            let snapshot = node.replica.read()?;
            match node.organisation(&snapshot)? {
                Some(own) => retracted(&snapshot, own),
                None => Ok(RetractedPolicies {
                    policies: Vec::new(),
                    is_whole: true,
                }),
            }
        })
        .await
    }
}

fn retracted(snapshot: &Snapshot<'_>, own: OrganisationId) -> Result<RetractedPolicies, Failure> {
    let (mut newest, mut found) = (BTreeMap::new(), Vec::<RetractedPolicy>::new());
    let is_whole = each_put(snapshot, own, |name, put| {
        let at = *newest.entry(name.clone()).or_insert_with(|| {
            put.text.is_none().then(|| {
                found.push(RetractedPolicy {
                    name,
                    put: None,
                    retracted: block(&put),
                });
                found.len() - 1
            })
        });
        let row = at.and_then(|at| found.get_mut(at));
        if let Some(row) = row.filter(|row| row.put.is_none() && put.text.is_some()) {
            row.put = Some(block(&put));
        }
    })?;
    // It may have been put again by a transaction that this node does not hold.
    let mut policies = Vec::new();
    for row in found {
        let now = in_force(snapshot, own, &row.name).map_err(Failure::internal)?;
        if now.is_none() {
            policies.push(row);
        }
    }
    let is_whole = is_whole && policies.len() <= MAX_RETRACTED;
    policies.truncate(MAX_RETRACTED);
    Ok(RetractedPolicies { policies, is_whole })
}

const fn block(put: &Put) -> PolicyBlock {
    PolicyBlock {
        height: put.height.0,
        time: put.time_millis,
    }
}
