//! Who the other nodes are and when they were last heard. A table behind a lock; times are passed in.
//!
//! Filled by [`crate::watch`] as the network reports, read by the application (is a quorum here?), by
//! the status and by [`crate::keeper`], which says hello and renews dead connections. Only nodes on the
//! allow-list and validators have a row: what others claim is dropped.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_malachitebft_app_channel::app::types::PeerId;
use ledger_core::{Height, PublicKey, ValidatorSet};

use crate::config::Peer;
use crate::hello::{ClockDifference, Echo, Hello, MAX_ECHOES, Samples};
use crate::network;
use crate::quorum::Quorum;

#[cfg(test)]
mod tests;

/// Own hellos remembered: those of the last two minutes.
const SAID: usize = 64;
/// How long another node under this node's key is remembered.
const DOUBLE_MEMORY: Duration = Duration::from_secs(60);
/// Who was not heard for so long counts as away. Everybody says hello every two seconds.
pub(crate) const SILENCE: Duration = Duration::from_secs(6);

/// Another node, as this one sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerStatus {
    /// The key it votes with and is connected under.
    pub key: PublicKey,
    /// Where it listens; none for a validator that is not on the list of peers.
    pub address: Option<SocketAddr>,
    /// How long the connection stands, in milliseconds; none while there is none.
    pub connected_millis: Option<u64>,
    /// When it was last heard, directly or through others: milliseconds ago.
    pub heard_millis_ago: Option<u64>,
    /// Its newest final block, as it says.
    pub height: Option<Height>,
    /// The way to it, one direction, in microseconds.
    pub delay_micros: Option<u64>,
    /// How its clock differs from this node's.
    pub clock: Option<ClockDifference>,
}

/// The node's clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The one that never jumps.
    pub steady: Instant,
    /// Unix microseconds.
    pub micros: u64,
}

impl Now {
    /// This moment.
    pub(crate) fn read() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self {
            steady: Instant::now(),
            micros: since.map_or(0, |since| {
                u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
            }),
        }
    }
}

#[derive(Default, Debug)]
struct Row {
    address: Option<SocketAddr>,
    connected: Option<Instant>,
    /// Heard at all, maybe through others.
    heard: Option<Instant>,
    /// Heard over the connection to it.
    heard_directly: Option<Instant>,
    renewed: Option<Instant>,
    /// When it said that it has not heard this node for long, or not at all.
    deaf: Option<Instant>,
    height: Option<Height>,
    last_hello: Option<(u64, Instant)>,
    samples: Samples,
}

#[derive(Default, Debug)]
struct Table {
    rows: BTreeMap<PublicKey, Row>,
    validators: BTreeSet<PublicKey>,
    /// When this node said hello last, by its own clock; the oldest first.
    said: VecDeque<u64>,
    /// When a peer last gave back a hello of this node that this node never said.
    double: Option<Instant>,
    /// Whether no further height is to begin.
    rests: bool,
}

/// The other nodes. Clones share one table.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    me: PublicKey,
    /// Whether this node counts as here, if it is a validator.
    signs: bool,
    table: Arc<Mutex<Table>>,
}

impl Peers {
    /// The table of the node `me` with these peers.
    pub(crate) fn new(me: PublicKey, signs: bool, peers: &[Peer]) -> Self {
        let new = Self {
            me,
            signs,
            table: Arc::default(),
        };
        new.list(peers);
        new
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Each change below leaves the table whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no further height is to begin.
    pub(crate) fn rest(&self, rests: bool) {
        self.table().rests = rests;
    }

    /// Whether no further height is to begin.
    pub(crate) fn rests(&self) -> bool {
        self.table().rests
    }

    /// The list of peers is this one now.
    pub(crate) fn list(&self, peers: &[Peer]) {
        let mut table = self.table();
        for row in table.rows.values_mut() {
            row.address = None;
        }
        for peer in peers.iter().filter(|peer| peer.key != self.me) {
            table.rows.entry(peer.key).or_default().address = Some(peer.address);
        }
        table.sweep();
    }

    /// The validators are these now.
    pub(crate) fn validators(&self, validators: &ValidatorSet) {
        let keys = validators.as_slice().iter().map(|one| one.key);
        let mut table = self.table();
        table.validators = keys.filter(|key| *key != self.me).collect();
        table.sweep();
    }

    /// A connection to `peer` stands.
    pub(crate) fn connected(&self, peer: &PeerId, now: Now) {
        self.change(peer, |row| {
            row.connected = Some(now.steady);
            row.heard = Some(now.steady);
            row.heard_directly = Some(now.steady);
            row.samples.clear();
        });
    }

    /// The last connection to `peer` is gone.
    pub(crate) fn disconnected(&self, peer: &PeerId) {
        self.change(peer, |row| {
            row.connected = None;
            row.heard = None;
            row.heard_directly = None;
            row.last_hello = None;
            row.deaf = None;
        });
    }

    /// Something came over the connection to `peer`.
    pub(crate) fn heard_directly(&self, peer: &PeerId, now: Now) {
        self.change(peer, |row| {
            row.heard = Some(now.steady);
            row.heard_directly = Some(now.steady);
        });
    }

    /// `peer` says how far it is.
    pub(crate) fn says_height(&self, peer: &PeerId, height: Height) {
        self.change(peer, |row| row.height = Some(height));
    }

    /// A hello that `peer` published and `from` passed on. What others pass on must be newer than all
    /// before it, so that nobody makes a dead node look alive by repeating it; the node itself may have
    /// set its clock back.
    pub(crate) fn hello(&self, peer: &PeerId, from: &PeerId, hello: &Hello, now: Now) {
        let echo = hello.echoes.iter().find(|echo| echo.peer == self.me);
        if let Some(echo) = echo {
            self.notice_double(echo, now);
        }
        self.change(peer, |row| {
            let last = row.last_hello.map_or(0, |(sent, _)| sent);
            let is_known = hello.sent_micros == last;
            if is_known || (peer != from && hello.sent_micros < last) {
                return;
            }
            row.heard = Some(now.steady);
            row.height = Some(hello.height);
            row.last_hello = Some((hello.sent_micros, now.steady));
            let hears =
                echo.is_some_and(|echo| u128::from(echo.held_micros) <= SILENCE.as_micros());
            row.deaf = (!hears).then_some(now.steady);
            if let Some(echo) = echo {
                row.samples.take(echo, hello.sent_micros, now.micros);
            }
        });
    }

    /// Notices a hello that was said under this node's key, after this node's first, by somebody else.
    fn notice_double(&self, echo: &Echo, now: Now) {
        let mut table = self.table();
        let after_start = table.said.front().is_some_and(|at| *at < echo.sent_micros);
        if after_start && !table.said.contains(&echo.sent_micros) {
            table.double = Some(now.steady);
        }
    }

    /// Whether another node says hello under this node's key.
    pub(crate) fn has_double(&self, now: Now) -> bool {
        let double = self.table().double;
        double.is_some_and(|at| now.steady - at < DOUBLE_MEMORY)
    }

    fn change(&self, peer: &PeerId, change: impl FnOnce(&mut Row)) {
        let Some(key) = network::key_of(peer) else {
            return;
        };
        let mut table = self.table();
        if table.validators.contains(&key) {
            change(table.rows.entry(key).or_default());
        } else if let Some(row) = table.rows.get_mut(&key) {
            change(row);
        }
    }

    /// What this node says to the others, at `height`.
    pub(crate) fn say_hello(&self, height: Height, now: Now) -> Hello {
        let mut table = self.table();
        if table.said.len() >= SAID {
            table.said.pop_front();
        }
        table.said.push_back(now.micros);
        let echoes = table.rows.iter().filter_map(|(key, row)| {
            let (sent_micros, came) = row.last_hello?;
            let held = now.steady.checked_duration_since(came)?;
            Some(Echo {
                peer: *key,
                sent_micros,
                held_micros: u64::try_from(held.as_micros()).ok()?,
            })
        });
        Hello {
            sent_micros: now.micros,
            height,
            echoes: echoes.take(MAX_ECHOES).collect(),
        }
    }

    /// The highest block any connected peer says it has.
    pub(crate) fn highest(&self) -> Option<Height> {
        let table = self.table();
        let connected = table.rows.values().filter(|row| row.connected.is_some());
        connected.filter_map(|row| row.height).max()
    }

    /// Whether anybody is connected.
    pub(crate) fn any_connected(&self) -> bool {
        self.newest_connection().is_some()
    }

    /// When the newest of the connections that stand was made. Each later one has a later time, also one
    /// in the place of another.
    pub(crate) fn newest_connection(&self) -> Option<Instant> {
        let rows = &self.table().rows;
        rows.values().filter_map(|row| row.connected).max()
    }

    /// Which of `validators` are here.
    pub(crate) fn quorum(&self, validators: &ValidatorSet, now: Now) -> Quorum {
        let table = self.table();
        Quorum::of(validators, |key| {
            let heard = table.rows.get(key).and_then(|row| row.heard);
            (*key == self.me && self.signs) || heard.is_some_and(|at| now.steady - at < SILENCE)
        })
    }

    /// The listed peers whose connection is to be renewed, each at most once in [`SILENCE`]: they are
    /// silent, or say that they do not hear this node. Of two connections to a peer one may be dead, and
    /// what is sent is lost on it, while everything comes in over the other.
    pub(crate) fn silent(&self, now: Now) -> Vec<Peer> {
        let mut table = self.table();
        let long_ago = |at: Option<Instant>| at.is_none_or(|at| now.steady - at >= SILENCE);
        let rows = table.rows.iter_mut();
        let silent = rows.filter_map(|(key, row)| {
            let address = row.address?;
            let is_new = now.steady - row.connected? < SILENCE;
            let is_deaf = !is_new && row.deaf.is_some();
            let due = (is_deaf || long_ago(row.heard_directly)) && long_ago(row.renewed);
            due.then(|| {
                row.renewed = Some(now.steady);
                row.deaf = None;
                Peer { key: *key, address }
            })
        });
        silent.collect()
    }

    /// All peers and validators but this node, by key.
    pub(crate) fn status(&self, now: Now) -> Vec<PeerStatus> {
        let table = self.table();
        let ago = |at: Option<Instant>| {
            let millis = now.steady.checked_duration_since(at?)?.as_millis();
            u64::try_from(millis).ok()
        };
        let rows = table.rows.iter().map(|(key, row)| {
            let best = row.samples.best();
            PeerStatus {
                key: *key,
                address: row.address,
                connected_millis: ago(row.connected),
                heard_millis_ago: ago(row.heard),
                height: row.height,
                delay_micros: best.map(|(_, delay)| delay),
                clock: best.map(|(clock, _)| clock),
            }
        });
        rows.collect()
    }
}

impl Table {
    /// Drops the rows of those who are neither peer nor validator any more.
    fn sweep(&mut self) {
        let validators = &self.validators;
        self.rows
            .retain(|key, row| row.address.is_some() || validators.contains(key));
    }
}
