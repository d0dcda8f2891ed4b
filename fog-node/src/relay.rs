//! Device to device through the fog: what a source measures goes to each device that may hear it.
//!
//! ```text
//! ledger: interactions ──after each block that changed any──▶ grants
//! source's task ──reading──▶ Relays::hear ──▶ queue of the asker's line       (and then to ingest)
//! ```
//!
//! A reading is relayed before it is durable: the asker wants it now, and the record is the vault's. A grant
//! holds here while the ledger says so at the newest block, and no longer than this host's clock shows its end,
//! since an idle ledger makes no blocks. Upon a block whose time is beyond the end it is closed, too. If the
//! ledger cannot be read, all are closed. Where another node reads the source, the asker's node opens a channel
//! to it ([`remote`]), whose queue stands for the asker's line there; each node looks at its own replica. What
//! came of a grant is counted since the node's start.

mod remote;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use device_drivers::event::Event;
use device_drivers::{Grant, RelayQueue};
use fog_api::{Relay, RelayState};
use ledger_core::device::{self, Interaction};
use ledger_core::{Digest, Height, PublicKey};
use ledger_store::Snapshot;
use tokio::sync::watch;

use crate::clock::now_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::tell::block_clock;
pub(crate) use remote::{Relaying, keep};

/// Who hears whom at this node.
#[derive(Debug, Default)]
pub struct Relays {
    /// Whether there is any grant: while there is none, a reading costs one look at this.
    is_any_open: AtomicBool,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The lines of the devices that are read here, by handle; gone when the device is stopped.
    lines: BTreeMap<Digest, Weak<RelayQueue>>,
    /// By interaction, also those that ended, for their counts.
    granted: BTreeMap<Digest, Granted>,
    /// The handles of who hears, by the handle of who is heard: what is open.
    routes: BTreeMap<Digest, Vec<(Digest, Arc<Grant>)>>,
    /// How many changes of devices the ledger had seen when it was looked at last.
    changes: u64,
    /// The newest block time seen.
    block_millis: u64,
    /// Which devices here hear devices of which other node.
    afar: watch::Sender<BTreeSet<Afar>>,
    /// Those of them whose channel is open.
    reached: BTreeSet<Afar>,
}

/// A device here, and the node that reads what it hears.
type Afar = (Digest, PublicKey);

#[derive(Debug)]
struct Granted {
    /// The block that granted it: another one is another grant.
    changed: Height,
    until_millis: u64,
    grant: Arc<Grant>,
}

impl Relays {
    /// The end of the device with this handle.
    #[must_use]
    pub fn end_of(self: &Arc<Self>, handle: Digest) -> RelayEnd {
        RelayEnd {
            relays: Arc::clone(self),
            handle,
        }
    }

    /// These interactions hold, and no others, as the ledger says after so many changes at a block time; `afar`:
    /// which devices here hear devices of which other node by them. An older look than the last one is passed over.
    fn look(&self, changes: u64, block_millis: u64, holding: &[Interaction], afar: BTreeSet<Afar>) {
        let mut held = self.held();
        if changes < held.changes {
            return;
        }
        held.changes = changes;
        held.reached.retain(|of| afar.contains(of));
        held.afar.send_if_modified(|before| {
            let is_new = *before != afar;
            *before = afar;
            is_new
        });
        for interaction in holding {
            held.grant(interaction);
        }
        let is_holding = |id: &Digest| holding.iter().any(|of| of.asked.id() == *id);
        let ended = held.granted.iter().filter(|(id, _)| !is_holding(id));
        ended.for_each(|(_, granted)| granted.grant.close());
        held.routes = BTreeMap::new();
        for interaction in holding {
            let granted = held.granted.get(&interaction.asked.id());
            if let Some(grant) = granted.map(|granted| Arc::clone(&granted.grant)) {
                let askers = held.routes.entry(interaction.asked.source).or_default();
                askers.push((interaction.asked.asker, grant));
            }
        }
        self.is_any_open
            .store(!held.routes.is_empty(), Ordering::Relaxed);
        drop(held);
        self.expire(block_millis);
    }

    /// A block of this time is final: closes what is over by it.
    pub fn expire(&self, block_millis: u64) {
        let mut held = self.held();
        held.block_millis = held.block_millis.max(block_millis);
        let now = held.block_millis;
        let over = held.granted.values().filter(|of| of.until_millis <= now);
        over.for_each(|granted| granted.grant.close());
    }

    /// Closes all, until it is looked again.
    pub fn close_all(&self) {
        let held = self.held();
        held.granted
            .values()
            .for_each(|granted| granted.grant.close());
    }

    /// Whether anything may be open.
    #[must_use]
    pub fn is_any_open(&self) -> bool {
        self.is_any_open.load(Ordering::Relaxed)
    }

    /// How an interaction is carried out here; the source is served by `node`.
    #[must_use]
    pub fn shown(&self, interaction: &Interaction, node: Option<PublicKey>) -> Relay {
        let held = self.held();
        let line = |handle| held.lines.get(handle).and_then(Weak::upgrade);
        let asker = interaction.asked.asker;
        let is_reached = line(&interaction.asked.source).is_some()
            || node.is_some_and(|node| held.reached.contains(&(asker, node)));
        let asker = line(&asker).filter(|_| is_reached);
        let granted = held.granted.get(&interaction.asked.id());
        let counts = granted.map(|granted| granted.grant.counts());
        let counts = counts.unwrap_or_default();
        let is_open = granted.is_some_and(|granted| granted.grant.holds(now_millis()));
        Relay {
            state: match asker {
                None => RelayState::Elsewhere,
                Some(asker) if !asker.is_hearing() => RelayState::CannotHear,
                Some(_) if is_open => RelayState::Open,
                Some(_) => RelayState::Closed,
            },
            relayed: counts.relayed,
            dropped: counts.dropped,
            unsuited: counts.unsuited,
        }
    }

    fn hear(&self, source: &Digest, events: &[Event]) {
        let now = now_millis();
        let held = self.held();
        let askers = held.routes.get(source).into_iter().flatten();
        let hearing = askers.filter_map(|(asker, grant)| {
            let queue = held.lines.get(asker)?.upgrade()?;
            Some((queue, Arc::clone(grant)))
        });
        let hearing: Vec<_> = hearing.collect();
        drop(held);
        for event in events {
            if let Event::Measurement(measurement) = event {
                for (queue, grant) in &hearing {
                    queue.send(grant, measurement, now);
                }
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Opens the grant of an interaction that holds; a new one, if it was granted anew.
    fn grant(&mut self, interaction: &Interaction) {
        let id = interaction.asked.id();
        let before = self.granted.get(&id);
        if before.is_none_or(|before| before.changed != interaction.changed) {
            if let Some(before) = before {
                before.grant.close();
            }
            let granted = Granted {
                changed: interaction.changed,
                until_millis: interaction.until_millis,
                grant: Arc::new(Grant::new(name_on_wire(&interaction.asked.source))),
            };
            self.granted.insert(id, granted);
        }
        if let Some(granted) = self.granted.get(&id) {
            let until = i64::try_from(granted.until_millis).unwrap_or(i64::MAX);
            granted.grant.open_until(until);
        }
    }
}

/// How a device is called on the wire: by the first four bytes of its handle.
fn name_on_wire(handle: &Digest) -> [u8; 4] {
    *handle.0.first_chunk().unwrap_or(&[0; 4])
}

/// One device's end: where it hears others, and where it is heard.
#[derive(Clone, Debug)]
pub struct RelayEnd {
    relays: Arc<Relays>,
    handle: Digest,
}

impl RelayEnd {
    /// From now on the device is read here, and hears through this queue until it is stopped.
    pub fn attach(&self, queue: &Arc<RelayQueue>) {
        let mut held = self.relays.held();
        held.lines.retain(|_, line| line.strong_count() > 0);
        held.lines.insert(self.handle, Arc::downgrade(queue));
    }

    /// Relays what the device measured to those that may hear it now.
    pub fn hear(&self, events: &[Event]) {
        if self.relays.is_any_open() {
            self.relays.hear(&self.handle, events);
        }
    }
}

impl Node {
    /// Looks which interactions hold between devices that this node serves.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub(crate) fn look_at_grants(
        &self,
        snapshot: &Snapshot<'_>,
        changes: u64,
    ) -> Result<(), Failure> {
        let now = block_clock(snapshot)?.time_millis;
        let (mut holding, mut afar) = (Vec::new(), BTreeSet::new());
        for interaction in snapshot.interactions()? {
            let asked = &interaction.asked;
            let may_hear = device::may_hear(snapshot, &asked.id(), now);
            if !may_hear.map_err(Failure::internal)? {
                continue;
            }
            let asker = serving(snapshot, &asked.asker)?;
            let source = serving(snapshot, &asked.source)?;
            if asker == Some(self.node_key) || source == Some(self.node_key) {
                holding.push(interaction);
            }
            if asker == Some(self.node_key) {
                let elsewhere = source.filter(|source| *source != self.node_key);
                afar.extend(elsewhere.map(|source| (asked.asker, source)));
            }
        }
        self.relays.look(changes, now, &holding, afar);
        Ok(())
    }
}

/// The node that serves a device.
pub(crate) fn serving(
    snapshot: &Snapshot<'_>,
    handle: &Digest,
) -> Result<Option<PublicKey>, Failure> {
    let life = device::life(snapshot, handle).map_err(Failure::internal)?;
    Ok(life.map(|life| life.node))
}

#[cfg(test)]
mod tests {
    //! Goal: a grant holds exactly as long as the newest look, the clocks and the replica allow. Method: a
    //! table of what the hub is told, with what must hold after each step.

    use ledger_core::device::{AskInteraction, InteractionState};

    use super::*;

    /// In 2096: by this host's clock, no grant of the table is over.
    const UNTIL: u64 = 4_000_000_000_000;

    fn granted_at(height: u64) -> Interaction {
        Interaction {
            asked: AskInteraction {
                asker: Digest([1; 32]),
                source: Digest([0xab; 32]),
                for_millis: 1_000,
            },
            state: InteractionState::Granted,
            until_millis: UNTIL,
            changed: Height(height),
        }
    }

    fn grant(relays: &Relays) -> Arc<Grant> {
        let held = relays.held();
        Arc::clone(&held.granted[&granted_at(0).asked.id()].grant)
    }

    fn look(hub: &Relays, changes: u64, block_millis: u64, holding: &[Interaction]) {
        hub.look(changes, block_millis, holding, BTreeSet::new());
    }

    #[test]
    fn a_grant_holds_as_the_newest_look_says() {
        let first = [granted_at(5)];
        let again = [Interaction {
            until_millis: UNTIL + 9,
            ..granted_at(8)
        }];
        type Step<'a> = (&'a str, &'a dyn Fn(&Relays), bool);
        let steps: [Step<'_>; 11] = [
            ("granted", &|hub| look(hub, 1, 100, &first), true),
            ("an older look", &|hub| look(hub, 0, 100, &[]), true),
            ("out of service", &|hub| look(hub, 2, 100, &[]), false),
            ("in service again", &|hub| look(hub, 3, 100, &first), true),
            ("unreadable", &Relays::close_all, false),
            ("read again", &|hub| look(hub, 3, 100, &first), true),
            ("almost over", &|hub| hub.expire(UNTIL - 1), true),
            ("over", &|hub| hub.expire(UNTIL), false),
            ("an older time", &|hub| look(hub, 3, 100, &first), false),
            ("granted anew", &|hub| look(hub, 4, UNTIL, &again), true),
            ("ended", &|hub| look(hub, 5, UNTIL, &[]), false),
        ];
        let hub = Relays::default();
        for (what, step, is_open) in steps {
            step(&hub);
            assert_eq!(grant(&hub).holds(now_millis()), is_open, "{what}");
        }
        assert!(!hub.is_any_open(), "a reading is not looked at any more");
    }

    #[test]
    fn counts_go_on_after_a_pause_and_start_with_a_new_grant() {
        let hub = Relays::default();
        look(&hub, 1, 100, &[granted_at(5)]);
        let first = grant(&hub);
        look(&hub, 2, 100, &[]);
        look(&hub, 3, 100, &[granted_at(5)]);
        assert!(Arc::ptr_eq(&first, &grant(&hub)));
        look(&hub, 4, 100, &[granted_at(6)]);
        assert!(!Arc::ptr_eq(&first, &grant(&hub)));
        assert!(!first.holds(now_millis()), "what waits under it is stopped");
    }
}
