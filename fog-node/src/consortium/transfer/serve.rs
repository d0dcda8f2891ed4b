//! Serving snapshots, devices that were handed over, and what was granted, to peers, over the door's port.
//!
//! Only active nodes of the consortium are answered, [`AT_ONCE`] answers at a time to each, who else asks waits;
//! together they get no more than [`PACE_BYTES`] a second, so that consensus has the rest of the line and of the disk.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use ledger_core::{PublicKey, canonical};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::super::view::People;
use super::channel::Channel;
use super::messages::{Answer, MAX_REQUEST_BYTES, Request};
use super::turns::Turns;
use crate::clock::now_millis;
use crate::node::Node;
use crate::relay::Relaying;

/// Answers that are made and sent to one node at a time.
const AT_ONCE: usize = 2;
/// Connections that one node may have; a relay is none of them.
const CONNECTIONS: usize = 32;
/// Bytes a second for all of them.
const PACE_BYTES: u64 = 64 << 20;
/// How long the handshake may take.
const ARRIVAL: Duration = Duration::from_secs(5);
/// How long a peer may be silent, or not take what it asked for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a node that has nothing to relay shows that it is there.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// Bytes of a part; what travels between two waits of the pace.
const PART_BYTES: usize = 60_000;

/// Bounds what is served.
pub(in crate::consortium) struct Pace {
    answers: Turns,
    connections: Turns,
    /// When the next part may leave.
    next: Mutex<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            answers: Turns::new(AT_ONCE),
            connections: Turns::new(CONNECTIONS),
            next: Mutex::new(Instant::now()),
        }
    }
}

impl Pace {
    /// Waits until `bytes` more may leave.
    async fn wait(&self, bytes: usize) {
        let takes = Duration::from_nanos(bytes as u64 * 1_000_000_000 / PACE_BYTES);
        let mut next = self.next.lock().await;
        let leaves = (*next).max(Instant::now());
        *next = leaves + takes;
        drop(next);
        tokio::time::sleep_until(leaves).await;
    }
}

/// Serves one peer whose head was read, until it hangs up; says once it is known to be one.
pub(in crate::consortium) async fn serve(
    node: Weak<Node>,
    stream: TcpStream,
    is_known: &AtomicBool,
) -> io::Result<()> {
    let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    stream.set_nodelay(true)?;
    let running = node.upgrade().ok_or_else(gone)?;
    let transfer = Arc::clone(&running.membership.transfer);
    let chain = running.chain;
    let members = running.voting_keys()?;
    drop(running);
    let accepted = Channel::accept(stream, chain, &transfer.vote, |asker| {
        members.contains(asker)
    });
    let mut channel = tokio::time::timeout(ARRIVAL, accepted)
        .await
        .map_err(late)??;
    is_known.store(true, Ordering::Relaxed);
    let connections = transfer.pace.connections.of(&channel.peer);
    let Ok(connection) = connections.try_acquire_owned() else {
        return Err(io::ErrorKind::WouldBlock.into());
    };
    let answers = transfer.pace.answers.of(&channel.peer);
    loop {
        let asked = channel.receive(MAX_REQUEST_BYTES);
        let request = tokio::time::timeout(PATIENCE, asked)
            .await
            .map_err(late)??;
        let request = Request::decode(&request).ok_or(io::ErrorKind::InvalidData)?;
        let turn = answers.acquire().await.map_err(io::Error::other)?;
        let running = node.upgrade().ok_or_else(gone)?;
        if !running.voting_keys()?.contains(&channel.peer) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let offers = Arc::clone(&transfer.offers);
        let answer = match request {
            Request::Offer { at } => offers.offer(&running.replica, at),
            Request::Chunk(hash) => {
                drop(running);
                let chunk = tokio::task::spawn_blocking(move || offers.chunk(&hash));
                chunk.await.map_err(io::Error::other)?
            }
            Request::Pairing(handle) => running.give_pairing(handle, channel.peer).await,
            Request::Taken(handle) => running.forget_pairing(handle, channel.peer).await,
            Request::Order(order) => running.answer_order(order, channel.peer).await,
            Request::Part(hash) => match transfer.packages.chunk(&channel.peer, &hash) {
                Some(chunk) => Answer::Chunk(chunk),
                None => Answer::Unknown,
            },
            Request::Attest(claim) => running.answer_claim(&claim, &channel.peer),
            Request::Hears(hearing) => running.hear_colleague(&hearing, &channel.peer),
            Request::Relay(handle) => match running.relay_to(&handle, &channel.peer)? {
                None => Answer::Unknown,
                Some(relaying) => {
                    drop((running, connection, turn));
                    return relay(&node, channel, relaying).await;
                }
            },
        };
        let sent = send(&mut channel, &answer, &transfer.pace);
        tokio::time::timeout(PATIENCE, sent).await.map_err(late)??;
        drop(turn);
    }
}

/// Passes on what a device of the other node may hear, until it may hear nothing any more, or nobody listens.
async fn relay(
    node: &Weak<Node>,
    mut channel: Channel<TcpStream>,
    relaying: Relaying,
) -> io::Result<()> {
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    channel.send(&Answer::Relaying.encode()).await?;
    while node.upgrade().is_some_and(|node| node.may_relay(&relaying)) {
        let next = tokio::time::timeout(SIGN_OF_LIFE, relaying.queue.next()).await;
        let message = match &next {
            Ok(waiting) if waiting.is_due(now_millis()) => canonical::encode(&waiting.relayed),
            Ok(waiting) => {
                waiting.count_dropped();
                continue;
            }
            Err(_) => Vec::new(),
        };
        let sent = tokio::time::timeout(ARRIVAL, channel.send(&message));
        sent.await.map_err(late)??;
        if let Ok(waiting) = next {
            waiting.count_relayed();
        }
    }
    Ok(())
}

async fn send(channel: &mut Channel<TcpStream>, answer: &Answer, pace: &Pace) -> io::Result<()> {
    let bytes = answer.encode();
    channel.begin(bytes.len()).await?;
    for part in bytes.chunks(PART_BYTES) {
        pace.wait(part.len()).await;
        channel.send_part(part).await?;
    }
    Ok(())
}

impl Node {
    /// The keys of the active nodes.
    fn voting_keys(&self) -> io::Result<Vec<PublicKey>> {
        let view = self.replica.read().map_err(io::Error::other)?;
        let people = People::read(&view).map_err(io::Error::other)?;
        Ok(people.members().iter().map(|one| one.vote_key).collect())
    }
}
