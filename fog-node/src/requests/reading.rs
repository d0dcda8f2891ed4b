//! Reading what was granted: from this node, and from every other node of the organisation that holds the data.
//!
//! ```text
//! order, signed by the person ─┬─▶ this node, if its organisation holds the data (`serving`)
//!                              └─▶ each other node of the holder's (`afar`) ─▶ package ─▶ opened with her key
//! ```
//!
//! What of a record is where depends on which node has served the sensors; so all are asked, and who did not answer is
//! named. Each gives its own receipt. A live view (`following`) is many such reads, and nothing else.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use fog_api::{AccessState, Disclosure, DisclosureReceipt, NotRead, ReadAccess};
use ledger_core::Digest;
use ledger_core::access::{self, Access, Resolution};
use tokio::task::JoinSet;

use super::afar::silent;
use super::said::Saying as _;
use super::serving::{Order, Served, not_here};
use super::shown::{span, stream};
use super::view::parse_handle;
use crate::clock::unix_millis;
use crate::disclosure::content::Content;
use crate::failure::Failure;
use crate::ingest::random_handle;
use crate::node::Node;
use crate::people::{Signed, locked};
use crate::readings::ReadingId;
use crate::vault::disclosures;

/// How long another node may keep who follows from what the others give.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one node gave.
pub(super) struct Given {
    pub(super) content: Content,
    pub(super) receipt: DisclosureReceipt,
}

impl Node {
    /// Shows a part of what was granted to the caller, once its receipts are durable.
    ///
    /// # Errors
    /// [`Failure`] `ACC-03` if it is not the caller's, `ACC-06` if nothing of it may be read now, `ACC-07` if no node
    /// that answers holds it, `ACC-08` if it is too much for one read, `ACC-09` if an earlier read cannot be shown
    /// again.
    pub async fn read_access(
        self: &Arc<Self>,
        handle: &str,
        asked: ReadAccess,
        signed: &Signed,
    ) -> Result<Disclosure, Failure> {
        let found = self.own_access(handle, signed).await?;
        let order = self.order(&found, asked)?;
        self.carry_out(&found, order, signed).await
    }

    /// Shows what an order of the caller's names, once its receipts are durable. To who follows, that may be nothing.
    ///
    /// # Errors
    /// As [`Node::read_access`], and `AUTH-03` if the session is not open any more.
    pub(super) async fn carry_out(
        self: &Arc<Self>,
        found: &Access,
        order: Order,
        signed: &Signed,
    ) -> Result<Disclosure, Failure> {
        let follows = order.since.is_some();
        let order = Arc::new(order);
        let mut shown = self.disclosure(&order, found);
        let mut refused = None;
        let own = self.member(&self.node_key)?.map(|own| own.organisation);
        if own == Some(found.asked.holder) {
            match self.serve(&order).await {
                Ok(served) => served
                    .into_iter()
                    .for_each(|served| add(&mut shown, self.given(served))),
                Err(failure) if failure.error.code == "ACC-07" => refused = Some(failure),
                Err(failure) => return Err(failure),
            }
        }
        let mut asking = JoinSet::new();
        let keys = self.people.keys(signed).ok_or_else(locked)?;
        let order = Arc::new(order.signed_by(&keys.signing()));
        let patience = if follows { PATIENCE } else { Duration::MAX };
        for member in self.active_members()? {
            if member.organisation == found.asked.holder && member.key != self.node_key {
                let (node, order) = (Arc::clone(self), Arc::clone(&order));
                let (secret, holder) = (keys.clone(), found.asked.holder);
                asking.spawn(async move {
                    let given = node.ask_for(&member, &order, &secret, holder);
                    let given = tokio::time::timeout(patience, given).await;
                    let late = |_| Err(silent(&member, &ErrorKind::TimedOut.into()));
                    let given = given.unwrap_or_else(late);
                    (member.name, given)
                });
            }
        }
        while let Some(asked) = asking.join_next().await {
            match asked.map_err(Failure::internal)? {
                (_, Ok(Some(given))) => add(&mut shown, given),
                (_, Ok(None)) => {}
                (node, Err(failure)) => {
                    shown.not_read.push(NotRead {
                        node,
                        why: failure.error.clone(),
                    });
                    refused = Some(failure);
                }
            }
        }
        if shown.receipts.is_empty() && !follows {
            let why =
                "No node of the organisation that holds the data knows the request's subject.";
            return Err(refused.unwrap_or_else(|| not_here(why)));
        }
        Ok(shown)
    }

    /// The proof file of a reading that an earlier read of the caller's has shown from this node.
    ///
    /// # Errors
    /// [`Failure`] as [`Node::read_access`], or `PROOF-01` and `PROOF-02`.
    pub async fn proof_of_read(
        self: &Arc<Self>,
        handle: &str,
        read: &str,
        reading: &str,
        signed: &Signed,
    ) -> Result<Vec<u8>, Failure> {
        let access = self.own_access(handle, signed).await?.asked.handle;
        let (read, id) = (parse_read(read)?, ReadingId::parse(reading)?);
        self.blocking(move |node| {
            let (found, readable) = node.readable_now(&access)?;
            let known = disclosures::of_read(&node.vault(), &node.master, &access, &read)?;
            let is_shown = found.asked.resolution == Resolution::Raw
                && known.is_some_and(|(disclosed, _)| disclosed.holds(id.stream, id.sequence));
            match is_shown && readable.contains(&node.stream(id)?.code) {
                true => Ok(node.prove(id)?.to_file()),
                false => Err(not_shown()),
            }
        })
        .await
    }

    /// A request of the caller's own, under which something may be read. Who may not see it is not told that there is
    /// one.
    pub(super) async fn own_access(
        self: &Arc<Self>,
        handle: &str,
        signed: &Signed,
    ) -> Result<Access, Failure> {
        let row = self.access(handle, signed).await?;
        if !row.is_own {
            let why = "It was granted to somebody else.";
            let next = "Ask for access in your own name.";
            return Err(Failure::new(409, "ACC-03", "Nothing was read.", why, next));
        }
        if !matches!(row.state, AccessState::Granted) {
            let next = "Look at the request; ask again if you still need it.";
            return Err(Failure::new(
                409,
                "ACC-06",
                "Nothing was read.",
                row.words,
                next,
            ));
        }
        let handle = parse_handle(&row.handle)?;
        let found = access::access(&self.replica.read()?, &handle).map_err(Failure::internal)?;
        found.ok_or_else(|| Failure::internal("a request that was there before is not"))
    }

    pub(super) fn order(&self, found: &Access, asked: ReadAccess) -> Result<Order, Failure> {
        Ok(Order {
            chain: self.chain,
            access: found.asked.handle,
            read: match &asked.read {
                Some(name) => parse_read(name)?,
                None => random_handle().map_err(Failure::internal)?,
            },
            metrics: match asked
                .metrics
                .iter()
                .all(|code| found.asked.metrics.contains(code))
            {
                true => asked.metrics,
                false => return Err(not_granted()),
            },
            from: asked.from,
            until: asked.until,
            since: None,
        })
    }

    /// A disclosure of nothing yet.
    fn disclosure(&self, order: &Order, found: &Access) -> Disclosure {
        let millis = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
        Disclosure {
            access: order.access.to_string(),
            read: order.read.to_string(),
            at: millis(unix_millis()),
            from: order
                .from
                .unwrap_or(i64::MIN)
                .max(millis(found.asked.from_millis)),
            until: order
                .until
                .unwrap_or(i64::MAX)
                .min(millis(found.asked.until_millis)),
            resolution: found.asked.resolution.word().to_owned(),
            receipts: Vec::new(),
            streams: Vec::new(),
            spans: Vec::new(),
            not_read: Vec::new(),
        }
    }

    /// What this node itself gave.
    fn given(&self, served: Served) -> Given {
        Given {
            content: served.content,
            receipt: DisclosureReceipt {
                node: self.node_key.to_string(),
                transaction: served.receipt.to_string(),
                commitment: served.disclosed.commitment.to_string(),
                readings: served.readings,
                proven: None,
            },
        }
    }
}

/// Adds what a node gave.
fn add(shown: &mut Disclosure, given: Given) {
    let Content { streams, spans } = given.content;
    shown.streams.extend(streams.into_iter().map(stream));
    shown.spans.extend(spans.into_iter().map(span));
    shown.receipts.push(given.receipt);
}

fn parse_read(name: &str) -> Result<Digest, Failure> {
    name.parse().map_err(|_| {
        let why = "A read's name has 64 hexadecimal digits.";
        let next = "Correct it, or leave it out: the node draws one.";
        Failure::new(400, "ACC-01", "Nothing was read.", why, next)
    })
}

fn not_granted() -> Failure {
    let why = "A metric was not asked for in the request.";
    let next = "Take metrics of the request, or ask for access to others.";
    Failure::new(400, "ACC-01", "Nothing was read.", why, next)
}

fn not_shown() -> Failure {
    Failure::not_found(
        "There is no such reading in this read.",
        "Take the read's name and the reading's from an answer that showed it.",
    )
}
