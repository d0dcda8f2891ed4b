//! What was granted, from another node: ordered with the person's signature, given as a package that only she opens,
//! checked on this node's own replica before she is shown it.
//!
//! ```text
//! order = postcard(order) ‖ key ‖ signature over "fogward/read/2" 00 order
//! the other: its node key, her key, the grant, on its replica ─▶ serve ─▶ package in chunks
//! here: keys unwrapped ─▶ segments opened ─▶ readings ─▶ batch ─▶ anchor on this replica
//!       content ─▶ commitment ─▶ receipt that the other has signed ─▶ promise durable ─▶ shown
//! ```
//!
//! The other node's channel proves its key, and this one's; a package holds nothing that anybody else could open. What
//! was cut off goes on with the chunks that are missing. A reading that does not lead to an anchor of the holder's
//! refuses the whole, and so does a receipt of anything else; a reading whose anchor this replica does not have (pruned,
//! or not final yet) is counted as not proven.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use fog_api::{ApiError, DisclosureReceipt};
use ledger_core::access;
use ledger_core::genesis::Member;
use ledger_core::reading::commitment;
use ledger_core::state::{StateKey, read};
use ledger_core::{
    AnchorBatch, Digest, OrganisationId, Payload, PublicKey, Reading, SignedTransaction, canonical,
};
use ledger_store::Snapshot;

use super::reading::Given;
use super::said::{Said, Saying, is_of_hers};
use super::serving::{Order, Served, ended};
use crate::disclosure::content::{Content, Shown, StreamPart};
use crate::disclosure::package::{Head, Incoming, MAX_PACKAGE_BYTES, Package, StreamHead};
use crate::failure::Failure;
use crate::node::Node;
use crate::people::passphrase::SecretKeys;

/// Longest order in bytes.
const MAX_ORDER_BYTES: usize = 4 << 10;
/// How often what was cut off is gone on with, and how long after.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);

impl Saying for Order {
    const TAG: &'static [u8] = b"fogward/read/2\0";
    const MAX_BYTES: usize = MAX_ORDER_BYTES;
}

/// What somebody at another node has ordered, and is given.
pub(crate) struct Ordered {
    order: Arc<Order>,
    /// Her X25519 key.
    sealing: [u8; 32],
    served: Served,
}

impl Node {
    /// Gives what a person of another node has ordered; `None` if nothing of it is here, or nothing new.
    ///
    /// # Errors
    /// [`Failure`] if the order is not a person's of that node's organisation whose grant it is, or as
    /// [`Node::serve`].
    pub(crate) async fn ordered(
        self: &Arc<Self>,
        signed: &[u8],
        peer: &PublicKey,
    ) -> Result<Option<Ordered>, Failure> {
        let signed = canonical::decode::<Said>(signed, MAX_ORDER_BYTES);
        let signed = signed.map_err(|_| not_ordered())?;
        let order = signed
            .open::<Order>()
            .filter(|order| order.chain == self.chain);
        let order = Arc::new(order.ok_or_else(not_ordered)?);
        let person = {
            let snapshot = self.replica.read()?;
            let person = access::person_of(&snapshot, &signed.key).map_err(Failure::internal)?;
            let found = access::access(&snapshot, &order.access).map_err(Failure::internal)?;
            let own = self.organisation(&snapshot)?;
            let found = found.filter(|found| own == Some(found.asked.holder));
            let person = person.filter(|person| {
                let handle = person.registered.handle;
                found.is_some_and(|found| found.person == handle)
            });
            person.ok_or_else(ended)?
        };
        if !is_of_hers(&self.active_members()?, peer, &person) {
            return Err(not_ordered());
        }
        let served = match self.serve(&order).await {
            Err(failure) if failure.error.code == "ACC-07" => return Ok(None),
            served => served?,
        };
        Ok(served.map(|served| Ordered {
            order,
            sealing: person.registered.keys.sealing,
            served,
        }))
    }

    /// Packs it; the package's bytes.
    ///
    /// # Errors
    /// [`Failure`] `ACC-08` if it is too large, or the vault cannot be read.
    pub(crate) async fn packed_order(
        self: &Arc<Self>,
        ordered: Ordered,
    ) -> Result<Vec<u8>, Failure> {
        self.blocking(move |node| {
            let Ordered {
                order,
                sealing,
                served,
            } = ordered;
            let names = (order.read, node.signed_receipt(&served.receipt)?);
            let what = (&served.disclosed, served.readings, &served.content);
            let package = node.packed(&sealing, &order.access, names, what)?;
            let bytes = canonical::encode(&package);
            match bytes.len() <= MAX_PACKAGE_BYTES {
                true => Ok(bytes),
                false => Err(too_large()),
            }
        })
        .await
    }

    /// Asks another node for what was granted. `None` if it has nothing of it, or nothing new.
    ///
    /// # Errors
    /// [`Failure`] if it does not answer, refuses, or what it gives is not what the ledger says.
    pub(super) async fn ask_for(
        self: &Arc<Self>,
        member: &Member,
        order: &Said,
        secret: &SecretKeys,
        holder: OrganisationId,
    ) -> Result<Option<Given>, Failure> {
        let Some(package) = self
            .fetch_package(member, &canonical::encode(order))
            .await?
        else {
            return Ok(None);
        };
        let (order, secret, member) = (order.open::<Order>(), secret.clone(), member.clone());
        let (order, key) = (order.ok_or_else(not_ordered)?, member.key);
        let opened = self.blocking(move |node| {
            let package = canonical::decode::<Package>(&package, MAX_PACKAGE_BYTES);
            let package = package.map_err(|error| unusable(&member, &error))?;
            if package.read != order.read {
                return Err(unusable(&member, &NotSo::Form));
            }
            let opened = package.open(secret.exchange(), &order.access);
            let (head, segments) = opened.map_err(|error| unusable(&member, &error))?;
            let snapshot = node.replica.read()?;
            let (content, proven) = put_together(&snapshot, &holder, &head, segments)
                .map_err(|error| unusable(&member, &error))?;
            let promised =
                node.promise(&snapshot, (&member.key, &order), package, (&head, &content))?;
            let promised = promised.ok_or_else(|| unusable(&member, &NotSo::OtherReceipt))?;
            Ok((promised, content, proven))
        });
        // What it promises is durable before anything of it is shown.
        let ((transaction, promise, receipt), content, proven) = opened.await?;
        self.keep_promise(transaction, &promise).await?;
        Ok(Some(Given {
            receipt: DisclosureReceipt {
                node: key.to_string(),
                transaction: transaction.to_string(),
                commitment: receipt.disclosed.to_string(),
                readings: receipt.readings,
                proven: Some(proven),
            },
            content,
        }))
    }

    /// Fetches a package, chunk by chunk; what was cut off goes on where it was.
    async fn fetch_package(
        &self,
        member: &Member,
        order: &[u8],
    ) -> Result<Option<Vec<u8>>, Failure> {
        let mut parts: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
        let mut tries = 0;
        loop {
            let asked = self.ask_in_turn(member, async |node| {
                let hashes = match node.order(order).await? {
                    None => return Ok(None),
                    Some(Err(why)) => return Ok(Some(Err(why))),
                    Some(Ok(hashes)) => hashes,
                };
                for hash in &hashes {
                    if !parts.contains_key(hash) {
                        let part = node.part(*hash).await?;
                        parts.insert(*hash, part.ok_or(ErrorKind::NotFound)?);
                    }
                }
                Ok(Some(Ok(hashes)))
            });
            match asked.await {
                Ok(None) => return Ok(None),
                Ok(Some(Err(why))) => return Err(refusal(&why, member)),
                Ok(Some(Ok(hashes))) => {
                    let parts = hashes.iter().filter_map(|hash| parts.get(hash));
                    return Ok(Some(parts.flatten().copied().collect()));
                }
                Err(error) => {
                    tries += 1;
                    if tries == TRIES {
                        return Err(silent(member, &error));
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Why a package is not what it should be.
#[derive(Debug, thiserror::Error)]
enum NotSo {
    #[error("its segments are of no stream that it names, or more than it says")]
    Form,
    #[error("a reading in it is not what was anchored on the ledger")]
    NotAnchored,
    #[error("the receipt that it has signed is not of what it gave")]
    OtherReceipt,
    #[error("the replica cannot be read")]
    Store,
}

/// The content of opened segments, and how many of its readings are anchored on this replica.
fn put_together(
    snapshot: &Snapshot<'_>,
    holder: &OrganisationId,
    head: &Head,
    segments: Vec<Incoming>,
) -> Result<(Content, u64), NotSo> {
    let mut segments = segments.into_iter().peekable();
    let (mut streams, mut proven) = (Vec::with_capacity(head.streams.len()), 0);
    for of in &head.streams {
        let mut readings = Vec::new();
        while let Some(next) = segments.next_if(|next| next.segment.stream == of.stream) {
            if is_anchored(snapshot, holder, of, &next)? {
                proven += next.records.len() as u64;
            }
            let numbered = (next.segment.first_sequence..).zip(next.records);
            readings.extend(numbered.map(|(sequence, record)| Shown {
                sequence,
                taken: record.host_time_millis,
                record,
            }));
        }
        if !of.before.is_empty() {
            if of.before.len() != readings.len() {
                return Err(NotSo::Form);
            }
            for (shown, before) in readings.iter_mut().zip(&of.before) {
                shown.taken = shown.taken.saturating_sub(*before);
            }
        }
        streams.push(StreamPart {
            stream: of.stream,
            code: of.code.clone(),
            unit: of.unit.clone(),
            readings,
        });
    }
    match segments.next() {
        None => Ok((
            Content {
                streams,
                spans: head.spans.clone(),
            },
            proven,
        )),
        Some(_) => Err(NotSo::Form),
    }
}

/// Whether the readings of a segment are in a batch that a node of the holder's has anchored; not known if this replica
/// does not have that transaction.
fn is_anchored(
    snapshot: &Snapshot<'_>,
    holder: &OrganisationId,
    of: &StreamHead,
    segment: &Incoming,
) -> Result<bool, NotSo> {
    let anchoring = &segment.anchoring;
    let stored = snapshot.transaction(&anchoring.transaction);
    let Some(stored) = stored.map_err(|_| NotSo::Store)? else {
        return Ok(false);
    };
    // Its node may have left the consortium since.
    let sender: Option<Member> =
        read(snapshot, &StateKey::member(&stored.sender)).map_err(|_| NotSo::Store)?;
    let is_of_holder = sender.is_some_and(|sender| sender.organisation == *holder);
    let anchor = anchor_of(&stored.bytes).filter(|_| is_of_holder);
    let anchor = anchor.ok_or(NotSo::NotAnchored)?;
    let first = segment.segment.first_sequence;
    let readings = (first..).zip(&segment.records).zip(&anchoring.salts);
    let commitments: Vec<_> = readings
        .map(|((sequence, record), salt)| {
            let reading = Reading {
                stream: of.stream,
                sequence,
                code: of.code.clone().into(),
                unit: of.unit.clone().into(),
                value: record.value.clone(),
                quality: record.quality,
                origin: record.origin,
                device_time_millis: record.device_time_millis,
                host_time_millis: record.host_time_millis,
            };
            commitment(salt, &canonical::encode(&reading))
        })
        .collect();
    let range = &anchoring.range;
    match range.verify(of.stream, first, &commitments, &anchor) {
        true => Ok(true),
        false => Err(NotSo::NotAnchored),
    }
}

fn anchor_of(bytes: &[u8]) -> Option<AnchorBatch> {
    let transaction = SignedTransaction::decode(bytes).ok()?;
    match transaction.body().ok()?.payload {
        Payload::AnchorBatch(anchor) => Some(anchor),
        _ => None,
    }
}

fn not_ordered() -> Failure {
    Failure::new(
        409,
        "ACC-06",
        "Nothing was read.",
        "The order is not signed by the person whose grant it is, at a node of her organisation.",
        "Read it in her own name, at a node of her organisation.",
    )
}

fn too_large() -> Failure {
    Failure::new(
        400,
        "ACC-08",
        "Nothing was read.",
        "It is more than is sent to another node at once.",
        "Read a shorter period, or fewer metrics at a time.",
    )
}

/// Why another node refused.
fn refusal(why: &[u8], member: &Member) -> Failure {
    let error: Option<ApiError> = serde_json::from_slice(why).ok();
    match error.filter(|error| error.code.starts_with("ACC-")) {
        Some(error) => Failure { status: 409, error },
        None => unusable(member, &"it refuses and does not say why"),
    }
}

pub(super) fn silent(member: &Member, error: &std::io::Error) -> Failure {
    Failure::new(
        503,
        "ACC-10",
        "Nothing was read from there.",
        format!("{} does not answer: {error}.", member.name),
        "Try again later, by the same name for the read.",
    )
}

fn unusable(member: &Member, error: &impl std::fmt::Display) -> Failure {
    tracing::warn!(node = %member.key, %error, "what a node gave cannot be shown");
    Failure::new(
        503,
        "ACC-11",
        "Nothing was read from there.",
        format!("What {} sent cannot be shown: {error}.", member.name),
        "Tell the people who run it; read it from them another way if it is urgent.",
    )
}

#[cfg(test)]
mod tests {
    //! Goal: an order is the person's who signed it, and no other order; the longest one is read. Method: every byte
    //! changed; as many streams as are followed at once, at their last sequences.

    use ledger_core::{ChainId, SecretKey, StreamId};

    use super::*;
    use crate::requests::following::MAX_STREAMS;

    fn order(metrics: usize, streams: usize) -> Order {
        let since = (0..streams).map(|number| {
            let mut id = [6; 16];
            id[..8].copy_from_slice(&number.to_be_bytes());
            (StreamId(id), u64::MAX)
        });
        Order {
            chain: ChainId(Digest([1; 32])),
            access: Digest([2; 32]),
            read: Digest([3; 32]),
            metrics: vec!["1234567890-12345".into(); metrics],
            from: Some(i64::MIN),
            until: None,
            since: Some(since.collect()),
        }
    }

    #[test]
    fn an_order_is_whose_who_signed_it() {
        let (order, key) = (order(1, 1), SecretKey::from_seed(&[5; 32]));
        let signed = order.signed_by(&key);
        assert_eq!(signed.open(), Some(order));
        let whole = canonical::encode(&signed);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            let changed = canonical::decode::<Said>(&changed, MAX_ORDER_BYTES);
            assert_eq!(
                changed.ok().and_then(|changed| changed.open::<Order>()),
                None,
                "byte {at}"
            );
        }
        // What was signed for something else is no order.
        let elsewhere = Said {
            signature: key.sign(&signed.what),
            ..signed
        };
        assert_eq!(elsewhere.open::<Order>(), None);
    }

    #[test]
    fn the_longest_order_is_read() {
        let order = order(access::MAX_METRICS, MAX_STREAMS);
        let bytes = canonical::encode(&order.signed_by(&SecretKey::from_seed(&[5; 32])));
        let read = canonical::decode::<Said>(&bytes, MAX_ORDER_BYTES).unwrap();
        assert_eq!(read.open(), Some(order));
    }
}
