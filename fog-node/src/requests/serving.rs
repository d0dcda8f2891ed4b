//! Serving what was granted: looked up on this node's own replica, cut out of the record, told by a receipt.
//!
//! ```text
//! granted now? ─▶ whose handle? ─▶ cut: metrics, period, resolution ─▶ row and receipt durable ─▶ given
//!                                                                            └─▶ ledger, by itself
//! ```
//!
//! Nothing is given before its receipt is durable in the outbox, which tells the ledger whatever happens to this
//! process. A receipt whose answer was lost is made good: the same read, asked for again by its name, is given again
//! under the same receipt, for as long as the grant holds. So there is neither a read without its receipt nor a
//! receipt of what could not be read. Who follows and is given nothing new, of that the ledger is not told.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_core::access::{self, Access, Receipt, Resolution};
use ledger_core::{ChainId, Digest, Payload, StreamId};
use serde::{Deserialize, Serialize};

use crate::clock::unix_millis;
use crate::disclosure::content::{Content, StreamPart};
use crate::disclosure::cut::{Cut, places};
use crate::failure::Failure;
use crate::ingest::Item;
use crate::keystore::random;
use crate::node::Node;
use crate::patients::patient::Patient;
use crate::tell::block_clock;
use crate::vault::disclosures::{self, Disclosed};
use crate::vault::outbox;

/// What is to be read of what was granted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The chain of the request.
    pub(crate) chain: ChainId,
    /// The request's handle.
    pub(crate) access: Digest,
    /// The read's random name.
    pub(crate) read: Digest,
    /// Only these metrics; all that may be read if there is none.
    pub(crate) metrics: Vec<String>,
    /// Only from this moment on, in Unix milliseconds.
    pub(crate) from: Option<i64>,
    /// Only until before this one.
    pub(crate) until: Option<i64>,
    /// Of who follows: only what is new, and no receipt if nothing is. Of the streams that gave something before, what
    /// begins at these sequences; of others all.
    pub(crate) since: Option<BTreeMap<StreamId, u64>>,
}

/// What is given by one read; its receipt is durable.
pub(crate) struct Served {
    /// What it discloses, as it is kept.
    pub(crate) disclosed: Disclosed,
    /// How many readings that is made of.
    pub(crate) readings: u64,
    /// It.
    pub(crate) content: Content,
    /// The transaction of its receipt.
    pub(crate) receipt: Digest,
}

/// What is about to be given by one read.
struct Drawn {
    disclosed: Disclosed,
    readings: u64,
    content: Content,
    /// Its receipt's transaction, if it was given before.
    receipt: Option<Digest>,
}

impl Node {
    /// Gives what an order names of what was granted, once its receipt is durable; `None` to who follows, if nothing is
    /// new. Who may order it, the caller has seen to.
    ///
    /// # Errors
    /// [`Failure`] `ACC-06` if nothing of it may be read now, `ACC-07` if this node does not hold it, `ACC-08` if it
    /// is too much for one read, `ACC-09` if an earlier read cannot be given again.
    pub(crate) async fn serve(
        self: &Arc<Self>,
        order: &Arc<Order>,
    ) -> Result<Option<Served>, Failure> {
        // Twice: the same read may come twice at once, and the other one be first.
        for _ in 0..2 {
            let asked = Arc::clone(order);
            let drawn = self.blocking(move |node| node.draw(&asked)).await?;
            let receipt = match drawn.receipt {
                Some(receipt) => receipt,
                None if order.since.is_some() && drawn.readings == 0 => return Ok(None),
                None => match self.keep_disclosure(order, &drawn).await? {
                    Some(receipt) => receipt,
                    None => continue,
                },
            };
            return Ok(Some(Served {
                disclosed: drawn.disclosed,
                readings: drawn.readings,
                content: drawn.content,
                receipt,
            }));
        }
        let why = "There is a read of this name under another request.";
        let next = "Read by another name.";
        Err(Failure::new(409, "ACC-09", "Nothing was read.", why, next))
    }

    /// Keeps what is about to be shown, with its receipt; its transaction, unless there is a read of this name.
    async fn keep_disclosure(
        &self,
        order: &Order,
        drawn: &Drawn,
    ) -> Result<Option<Digest>, Failure> {
        let receipt = Receipt {
            access: order.access,
            readings: drawn.readings,
            disclosed: drawn.disclosed.commitment,
        };
        if let Some(error) = self.void_of(self.node_key, &Payload::Receipt(receipt))? {
            return Err(not_here(&format!("On the ledger, {error}.")));
        }
        let row = drawn
            .disclosed
            .seal(&self.master, order.access, order.read)?;
        let kept = self.until_durable(|done| Item::Disclose(row, receipt, done));
        Ok(kept.await?.ok())
    }

    /// The transaction of a receipt, as this node has signed it: what a reader's node can hold it to.
    ///
    /// # Errors
    /// [`Failure`] `ACC-09` if it is here no more, since it is final and pruned.
    pub(super) fn signed_receipt(&self, receipt: &Digest) -> Result<Vec<u8>, Failure> {
        let waiting = outbox::find(&self.vault(), receipt)?;
        let bytes = match waiting {
            Some(bytes) => Some(bytes),
            None => {
                let stored = self.replica.read()?.transaction(receipt)?;
                stored.map(|stored| stored.bytes)
            }
        };
        bytes.ok_or_else(not_as_it_was)
    }

    /// A request and the metrics of it that may be read now.
    pub(super) fn readable_now(&self, access: &Digest) -> Result<(Access, Vec<String>), Failure> {
        let snapshot = self.replica.read()?;
        let now = unix_millis().max(block_clock(&snapshot)?.time_millis);
        let metrics = access::readable(&snapshot, access, now).map_err(Failure::internal)?;
        let found = access::access(&snapshot, access).map_err(Failure::internal)?;
        let found = found.filter(|_| !metrics.is_empty());
        Ok((found.ok_or_else(ended)?, metrics))
    }

    fn draw(&self, order: &Order) -> Result<Drawn, Failure> {
        let (access, read) = (order.access, order.read);
        let (found, metrics) = self.readable_now(&access)?;
        let resolution = found.asked.resolution;
        let before = disclosures::of_read(&self.vault(), &self.master, &access, &read)?;
        if let Some((disclosed, receipt)) = before {
            return self.draw_again(order, resolution, &metrics, disclosed, receipt);
        }
        let patient = self.subject(&found)?;
        let cut = part_of(&found, &metrics, order);
        let parts = self.cut(&patient.id, &cut)?;
        let streams = places(&parts);
        let (readings, content) = content(parts, resolution, (cut.from, cut.until));
        let salt = random().map_err(Failure::internal)?;
        let disclosed = Disclosed {
            commitment: content.commitment(&access, &read, &salt),
            salt,
            at_millis: unix_millis(),
            from: cut.from,
            until: cut.until,
            streams,
        };
        Ok(Drawn {
            disclosed,
            readings,
            content,
            receipt: None,
        })
    }

    /// The patient whom a request is about, if this node holds her data.
    fn subject(&self, found: &Access) -> Result<Arc<Patient>, Failure> {
        let asked = &found.asked;
        let known = self
            .patients
            .of_handle(asked.purpose, &asked.subject, unix_millis());
        known.ok_or_else(|| not_here("No patient of this node is known by the request's handle."))
    }

    /// Puts together what an earlier read has shown, as it was.
    fn draw_again(
        &self,
        order: &Order,
        resolution: Resolution,
        metrics: &[String],
        disclosed: Disclosed,
        receipt: Digest,
    ) -> Result<Drawn, Failure> {
        let parts = self.cut_again(&disclosed)?.unwrap_or_default();
        if !parts.iter().all(|part| metrics.contains(&part.code)) {
            return Err(ended());
        }
        let (readings, content) = content(parts, resolution, (disclosed.from, disclosed.until));
        match content.commitment(&order.access, &order.read, &disclosed.salt)
            == disclosed.commitment
        {
            true => Ok(Drawn {
                disclosed,
                readings,
                content,
                receipt: Some(receipt),
            }),
            false => Err(not_as_it_was()),
        }
    }
}

fn not_as_it_was() -> Failure {
    Failure::new(
        409,
        "ACC-09",
        "It cannot be shown again.",
        "What was read then is not here as it was any more.",
        "Read it by a new name.",
    )
}

/// Which part of what may be read is asked for.
fn part_of(found: &Access, metrics: &[String], order: &Order) -> Cut {
    let millis = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
    let is_asked = |code: &&String| order.metrics.is_empty() || order.metrics.contains(code);
    let [from, until] = [found.asked.from_millis, found.asked.until_millis].map(millis);
    Cut {
        metrics: metrics.iter().filter(is_asked).cloned().collect(),
        from: order.from.map_or(from, |asked| asked.max(from)),
        until: order.until.map_or(until, |asked| asked.min(until)),
        since: order.since.clone().unwrap_or_default(),
    }
}

/// What is shown of these readings, and how many they are.
fn content(
    parts: Vec<StreamPart>,
    resolution: Resolution,
    (from, until): (i64, i64),
) -> (u64, Content) {
    let readings = Content::readings(&parts);
    let content = match resolution {
        Resolution::Aggregate => Content::aggregate(&parts, from, until),
        Resolution::Raw => Content {
            streams: parts,
            spans: Vec::new(),
        },
    };
    (readings, content)
}

pub(super) fn ended() -> Failure {
    Failure::new(
        409,
        "ACC-06",
        "Nothing was read.",
        "Nothing of what was granted may be read any more: it ended, or the policies do not permit it now.",
        "Look at the request; ask again if you still need it.",
    )
}

pub(super) fn not_here(why: &str) -> Failure {
    let next = "Read it at the node that holds the data.";
    Failure::new(409, "ACC-07", "Nothing was read.", why, next)
}
