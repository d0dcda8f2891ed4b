//! What a node promises with what it gives, checked before anything is shown, and as people are told of it.

use fog_api::{PromisedReceipt, ReceiptStanding, Settlement};
use ledger_core::access::{self, Receipt, Resolution};
use ledger_core::genesis::Member;
use ledger_core::state::{StateKey, read};
use ledger_core::{ChainId, Digest, Payload, PublicKey, SignedTransaction};
use ledger_store::Snapshot;

use super::super::Names;
use super::super::serving::{Order, ended};
use super::Owed;
use crate::cli::output::time_words;
use crate::clock::unix_millis;
use crate::disclosure::content::Content;
use crate::disclosure::package::{Head, Package};
use crate::failure::Failure;
use crate::node::Node;
use crate::vault::promises::{self, Finding, Promise};

/// The most transactions of a node that may be executed before one that it promises: those of two weeks in which it is
/// cut off. Who names a later turn could put it off for ever.
const MAX_AHEAD: u64 = 1 << 14;

/// The transaction of a receipt, if the node with this key has signed it for this chain, it says exactly this, and its
/// turn is not further away than [`MAX_AHEAD`] of the node's next one.
pub(super) fn receipt_says(
    transaction: &[u8],
    chain: ChainId,
    (node, next): (&PublicKey, u64),
    says: &Receipt,
) -> Option<Digest> {
    let signed = SignedTransaction::decode(transaction).ok()?;
    let verified = signed.verify(chain).ok()?;
    let body = verified.body();
    let is_said = matches!(body.payload, Payload::Receipt(receipt) if receipt == *says);
    let is_near = body.nonce.0 <= next.saturating_add(MAX_AHEAD);
    (verified.sender() == *node && is_said && is_near).then(|| verified.id())
}

impl Node {
    /// Whose promised receipt has not come though it should have, as far as this node has found out. Told on from here
    /// to those who look at the node's status.
    pub(super) fn note_untold(&self) -> Result<(), Failure> {
        let mut names: Vec<String> = self
            .promised_receipts(Promise::is_open)?
            .into_iter()
            .map(|row| format!("{} ({})", row.node_name, row.organisation))
            .collect();
        names.sort_unstable();
        names.dedup();
        self.requests.set_untold(names);
        Ok(())
    }

    /// Those promises that are wanted, for people; in the order in which something was given.
    ///
    /// # Errors
    /// [`Failure`] if the vault or the replica cannot be read.
    pub(crate) fn promised_receipts(
        &self,
        is_wanted: impl Fn(&Promise) -> bool,
    ) -> Result<Vec<PromisedReceipt>, Failure> {
        let mut owed = promises::all(&self.vault(), &self.master)?;
        owed.retain(|(_, promise)| is_wanted(promise));
        owed.sort_by_key(|(receipt, promise)| (promise.at_millis, *receipt));
        let snapshot = self.replica.read()?;
        let names = Names {
            snapshot: &snapshot,
            people: self.people.names_by_handle(),
        };
        owed.iter()
            .map(|(receipt, promise)| {
                let settled = self.settlement(promise);
                row_of(&snapshot, &names, (receipt, promise), settled)
            })
            .collect()
    }

    /// What the node with this key promises with what it gives; nothing if that is not what it gives.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub(in crate::requests) fn promise(
        &self,
        snapshot: &Snapshot<'_>,
        (node, order): (&PublicKey, &Order),
        package: Package,
        (head, content): (&Head, &Content),
    ) -> Result<Option<(Digest, Promise, Receipt)>, Failure> {
        let receipt = Receipt {
            access: order.access,
            readings: head.readings,
            disclosed: content.commitment(&order.access, &order.read, &head.salt),
        };
        let asked = access::access(snapshot, &order.access).map_err(Failure::internal)?;
        let asked = asked.ok_or_else(ended)?.asked;
        let next = snapshot.account(node)?.next_nonce.0;
        let signed = receipt_says(&package.receipt, self.chain, (node, next), &receipt);
        let signed = signed.filter(|_| is_made_of(content, asked.resolution, head.readings));
        let Some(transaction) = signed else {
            return Ok(None);
        };
        let promise = Promise {
            access: order.access,
            read: order.read,
            transaction: package.receipt,
            at_millis: unix_millis(),
            logged_from: self.first_entry(snapshot, &transaction)?,
            finding: None,
        };
        Ok(Some((transaction, promise, receipt)))
    }

    /// The first entry of the access log that may tell of a receipt.
    fn first_entry(&self, snapshot: &Snapshot<'_>, receipt: &Digest) -> Result<u64, Failure> {
        // What is read again may have been told long ago, and its transaction be pruned here.
        let height = match snapshot.transaction(receipt)? {
            Some(stored) => Some(stored.height),
            None => snapshot.pruned_height_of(receipt)?,
        };
        let header = height.map(|height| snapshot.header(height)).transpose()?;
        match header.flatten() {
            Some(header) => Ok(snapshot.log_at(header.time_millis)?),
            None => Ok(access::log_head(snapshot).map_err(Failure::internal)?.count),
        }
    }
}

/// Whether content can be made of so many readings: of exactly these, where they are shown as they are.
fn is_made_of(content: &Content, resolution: Resolution, readings: u64) -> bool {
    let counts = content.spans.iter().map(|span| span.count);
    match resolution {
        Resolution::Raw => {
            content.spans.is_empty() && Content::readings(&content.streams) == readings
        }
        Resolution::Aggregate => counts.fold(0, u64::saturating_add) <= readings,
    }
}

fn row_of(
    snapshot: &Snapshot<'_>,
    names: &Names<'_>,
    (receipt, promise): (&Digest, &Promise),
    settled: Option<Settlement>,
) -> Result<PromisedReceipt, Failure> {
    let owed = Owed::of(promise)?;
    let member = read(snapshot, &StateKey::member(&owed.by)).map_err(Failure::internal)?;
    let member: Option<Member> = member;
    let organisation = member.as_ref().map(|member| &member.organisation);
    let organisation = organisation.map(|id| names.organisation(id)).transpose()?;
    let mut row = PromisedReceipt {
        access: promise.access.to_string(),
        read: promise.read.to_string(),
        node: owed.by.to_string(),
        node_name: member.map_or_else(|| owed.by.short(), |member| member.name),
        organisation: organisation.unwrap_or_default(),
        transaction: receipt.to_string(),
        commitment: owed.receipt.disclosed.to_string(),
        readings: owed.receipt.readings,
        at: promise.at_millis,
        standing: match &promise.finding {
            None => ReceiptStanding::Waiting,
            Some(Finding::Settled(settled)) if settled.was_passed_over => {
                ReceiptStanding::PassedOver
            }
            Some(Finding::Silent | Finding::Settled(_)) => ReceiptStanding::Silent,
            Some(Finding::PassedOver) => ReceiptStanding::PassedOver,
        },
        settled,
        words: String::new(),
    };
    row.words = words(&row);
    Ok(row)
}

/// What is known of a promised receipt, and what to do.
fn words(row: &PromisedReceipt) -> String {
    let (node, of) = (&row.node_name, &row.organisation);
    let at = time_words(i64::try_from(row.at).unwrap_or(i64::MAX));
    let gave = format!("{node} ({of}) gave {} readings at {at}", row.readings);
    let known = match row.standing {
        ReceiptStanding::Waiting => {
            return format!("{gave}; its receipt is signed, and not final yet.");
        }
        ReceiptStanding::Silent => {
            "and does not tell the ledger, though it takes part in the consortium"
        }
        ReceiptStanding::PassedOver => {
            "and has told the ledger something else in the place of the receipt, which cannot come any more"
        }
    };
    if let Some(Settlement { by, at, reason }) = &row.settled {
        let at = time_words(i64::try_from(*at).unwrap_or(i64::MAX));
        return format!("{gave} {known}: promised, never told. {by} settled it at {at}: {reason}");
    }
    format!(
        "{gave} {known}: promised, never told. Call {of} and ask the people who run {node} what became of transaction {}. \
         They have signed it; this node keeps it.",
        row.transaction
    )
}
