//! Clearing up why a promised receipt did not come: whoever audits asks the people who run the other node, and writes
//! down what it was. It is kept with the promise; nobody is named for it any more.

use std::sync::Arc;

use fog_api::{PromisedReceipt, Settlement};
use ledger_core::Digest;

use super::super::asking::checked_reason;
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::ingest::Item;
use crate::node::Node;
use crate::people::Signed;
use crate::vault::promises::{self, Finding, Promise, Settled};

impl Node {
    /// Settles the receipt with this transaction.
    ///
    /// # Errors
    /// [`Failure`] `ACC-01` if the reason cannot be one, `AUD-04` if nothing is to be cleared up.
    pub(crate) async fn settle_promise(
        self: &Arc<Self>,
        transaction: &str,
        reason: &str,
        signed: &Signed,
    ) -> Result<PromisedReceipt, Failure> {
        let reason = checked_reason(reason)?.to_owned();
        let receipt: Digest = transaction.parse().map_err(|_| unknown())?;
        let _changing = self.requests.changing.lock().await;
        let promise = self
            .blocking(move |node| Ok(promises::find(&node.vault(), &node.master, &receipt)?))
            .await?
            .ok_or_else(unknown)?;
        if !promise.is_open() {
            return Err(nothing_to_settle(&promise));
        }
        let settled = Settled {
            was_passed_over: promise.finding == Some(Finding::PassedOver),
            by: signed.person,
            at_millis: unix_millis(),
            reason,
        };
        let promise = Promise {
            finding: Some(Finding::Settled(settled)),
            ..promise
        };
        let row = promise.seal(&self.master, receipt)?;
        self.until_durable(|done| Item::Judged(row, done)).await?;
        self.note_untold()?;
        let rows = self.blocking(move |node| node.promised_receipts(|one| *one == promise));
        rows.await?.pop().ok_or_else(unknown)
    }

    /// How a promise was settled, for people.
    pub(super) fn settlement(&self, promise: &Promise) -> Option<Settlement> {
        let Some(Finding::Settled(settled)) = &promise.finding else {
            return None;
        };
        let by = self.people.find(settled.by);
        Some(Settlement {
            by: by.map_or_else(|| "Somebody".to_owned(), |person| person.name),
            at: settled.at_millis,
            reason: settled.reason.clone(),
        })
    }
}

fn unknown() -> Failure {
    Failure::not_found(
        "No node has promised this receipt, or it has come by now.",
        "Read the audit page again: it lists what was promised and never told.",
    )
}

fn nothing_to_settle(promise: &Promise) -> Failure {
    let why = match promise.finding {
        None => "The receipt may still come: nothing is known against its node.",
        Some(_) => "Somebody has settled it already.",
    };
    let next = "Read the audit page again: it tells how the receipt stands.";
    Failure::new(409, "AUD-04", "Nothing was settled.", why, next)
}
