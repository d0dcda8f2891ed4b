//! Roaming: the nodes of an organisation choose among themselves which of them serves a wireless device.
//!
//! ```text
//! each node, every 2 s:  what it hears, its load, its power ──▶ the other nodes of its organisation
//! the serving node:      compares ([`choice`]); the same node better twice in a row ──▶ hand-over on the ledger
//! that node:             sees it is to serve ──▶ takes the pairing, reads
//! ```
//!
//! Runs where it was switched on (`fogward run --roam`), and costs nothing before there is another node of the
//! organisation. What a node hears goes to its own organisation's nodes only, over the channel on which each
//! proves its key; the ledger gets the hand-over and not the reasons. A device that moves for signal moves at
//! once; of those that move for load or power one at a time, so that two nodes do not swap their wards.
//!
//! Left out: devices on a wire, which a person moves, and devices that the system has bonded with: the bond is in
//! one host's system, and the sensor refuses every other host.

mod choice;
mod power;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use device_drivers::ble::pairing::{BondState, bond_state};
use fog_api::{Device, DeviceAuthentication, DeviceSource, DeviceStanding, HandOver};
use futures_util::stream::{self, StreamExt as _};
use ledger_core::genesis::Member;
use ledger_core::{Digest, PublicKey, canonical};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::failure::Failure;
use crate::node::Node;
use choice::{Host, Needs, Reach, choose};

/// How often a node looks.
const LOOK: Duration = Duration::from_secs(2);
/// How often it tells the others, while nothing changes.
const TELL: Duration = Duration::from_secs(10);
/// What another node told counts for so long.
const FRESH: Duration = Duration::from_secs(15);
/// How long telling one node may take.
const TELLING: Duration = Duration::from_secs(5);
/// Devices told of at the most; the strongest are told.
const MAX_HEARD: usize = 150;
/// Devices that are handed over, or taken, at once: one that waits holds up no other.
const AT_ONCE: usize = 8;
/// Longest of what a node tells, in bytes.
pub(crate) const MAX_HEARING_BYTES: usize = 4 << 10;

/// What a node tells the others of its organisation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Hearing {
    host: Host,
    /// The devices it hears and does not serve, by their paths, and how strongly in dBm.
    heard: Vec<(String, i16)>,
}

/// What the node knows for placing devices.
#[derive(Default)]
pub(crate) struct Roaming {
    /// Devices it has places for; none where roaming is switched off.
    places: Option<u16>,
    /// What the other nodes told, by their keys, and when.
    told: Mutex<BTreeMap<PublicKey, (Instant, Hearing)>>,
}

impl Roaming {
    /// With so many places; switched off without.
    pub(crate) fn with_places(places: Option<u16>) -> Self {
        Self {
            places,
            ..Self::default()
        }
    }

    fn told(&self) -> MutexGuard<'_, BTreeMap<PublicKey, (Instant, Hearing)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node was given one more; it tells so itself soon.
    fn note_given(&self, node: &PublicKey) {
        if let Some((_, hearing)) = self.told().get_mut(node) {
            hearing.host.served = hearing.host.served.saturating_add(1);
        }
    }

    /// What other nodes told lately.
    fn fresh(&self) -> Vec<(PublicKey, Hearing)> {
        let mut told = self.told();
        told.retain(|_, (at, _)| at.elapsed() < FRESH);
        let fresh = told
            .iter()
            .map(|(key, (_, hearing))| (*key, hearing.clone()));
        fresh.collect()
    }
}

impl Hearing {
    fn reach(&self, device: &Device) -> Reach {
        reach(device, None, &self.heard)
    }
}

/// How a node reaches a device: by its connection, if it has one with this signal, or by what it hears.
fn reach(device: &Device, connected: Option<i16>, heard: &[(String, i16)]) -> Reach {
    match device.source {
        DeviceSource::Simulated => Reach::NoRadio,
        DeviceSource::Serial => Reach::None,
        DeviceSource::Bluetooth => {
            let found = || heard.iter().find(|(path, _)| *path == device.path);
            let signal = connected.or_else(|| found().map(|(_, dbm)| *dbm));
            signal.map_or(Reach::None, Reach::Signal)
        }
    }
}

/// Who was chosen at the last look, by the devices' ids.
type Chosen = BTreeMap<String, PublicKey>;

/// Places devices as long as the node is there. What it hears is told beside that: to move many devices takes
/// longer than what another node told counts.
pub(crate) async fn keep(node: Weak<Node>) {
    let is_on = |node: Arc<Node>| node.roaming.places.is_some();
    if node.upgrade().is_some_and(is_on) {
        tokio::join!(keep_telling(&node), keep_placing(&node));
    }
}

async fn keep_telling(node: &Weak<Node>) {
    let mut looks = looks();
    let mut told: Option<(Instant, Hearing)> = None;
    loop {
        looks.tick().await;
        let Some(node) = node.upgrade() else { return };
        let colleagues = match node.colleagues() {
            Ok(colleagues) => colleagues,
            Err(failure) => {
                tracing::warn!(%failure, "the other nodes could not be told");
                continue;
            }
        };
        if colleagues.is_empty() {
            continue;
        }
        let hearing = node.hearing();
        let is_told = |(at, of): &(Instant, Hearing)| at.elapsed() < TELL && *of == hearing;
        if !told.as_ref().is_some_and(is_told) {
            node.tell_colleagues(&colleagues, &hearing).await;
            told = Some((Instant::now(), hearing));
        }
    }
}

async fn keep_placing(node: &Weak<Node>) {
    let mut looks = looks();
    let (mut chosen, mut wired) = (Chosen::new(), BTreeSet::new());
    loop {
        looks.tick().await;
        let Some(node) = node.upgrade() else { return };
        let colleagues = match node.colleagues() {
            Ok(colleagues) if colleagues.is_empty() => continue,
            Ok(colleagues) => colleagues,
            Err(failure) => {
                tracing::warn!(%failure, "devices could not be placed");
                continue;
            }
        };
        node.keep_scanning();
        let (taken, placed) = tokio::join!(
            node.take_what_comes(&colleagues, &mut wired),
            node.place(&colleagues, &mut chosen),
        );
        if let Err(failure) = taken.and(placed) {
            tracing::warn!(%failure, "devices could not be placed");
        }
    }
}

fn looks() -> Interval {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

impl Node {
    /// The other active nodes of this node's organisation.
    fn colleagues(&self) -> Result<Vec<Member>, Failure> {
        let members = self.active_members()?;
        let here = members.iter().find(|one| one.key == self.node_key);
        let Some(organisation) = here.map(|here| here.organisation) else {
            return Ok(Vec::new());
        };
        let is_colleague =
            |one: &Member| one.organisation == organisation && one.key != self.node_key;
        Ok(members.into_iter().filter(is_colleague).collect())
    }

    /// How this node is, and what it hears.
    fn hearing(&self) -> Hearing {
        let paired = self.devices();
        let served = paired.iter().filter(|device| is_placed(device)).count();
        let mut heard = self.bluetooth.heard();
        heard.retain(|(path, _)| paired.iter().all(|device| device.path != *path));
        heard.truncate(MAX_HEARD);
        Hearing {
            host: Host {
                served: u16::try_from(served).unwrap_or(u16::MAX),
                places: self.roaming.places.unwrap_or_default(),
                on_battery: power::on_battery(),
            },
            heard,
        }
    }

    async fn tell_colleagues(&self, colleagues: &[Member], hearing: &Hearing) {
        let bytes = canonical::encode(hearing);
        let tell = |to: &Member| {
            let (to, bytes) = (to.clone(), bytes.clone());
            async move {
                let told = self.ask_node(&to, async |node| node.hears(bytes).await);
                match tokio::time::timeout(TELLING, told).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "a node could not be told"),
                    Err(_) => tracing::debug!("a node was not told in time"),
                }
            }
        };
        futures_util::future::join_all(colleagues.iter().map(tell)).await;
    }

    /// Notes what another node tells; false if it is not of this node's organisation, or not understood.
    pub(crate) fn note_hearing(&self, asker: &PublicKey, bytes: &[u8]) -> Result<bool, Failure> {
        let colleagues = self.colleagues()?;
        let from = colleagues.iter().find(|one| one.vote_key == *asker);
        let hearing = canonical::decode::<Hearing>(bytes, MAX_HEARING_BYTES);
        let (Some(from), Ok(mut hearing)) = (from, hearing) else {
            return Ok(false);
        };
        hearing.heard.truncate(MAX_HEARD);
        let mut told = self.roaming.told();
        told.insert(from.key, (Instant::now(), hearing));
        Ok(true)
    }

    /// Takes the devices that were handed to this node by one of its organisation.
    async fn take_what_comes(
        self: &Arc<Self>,
        colleagues: &[Member],
        wired: &mut BTreeSet<Digest>,
    ) -> Result<(), Failure> {
        let mut handed = self.incoming_handles()?;
        handed.retain(|(handle, by)| {
            let is_own = colleagues.iter().any(|one| one.key == *by);
            is_own && !wired.contains(handle)
        });
        let taken = handed
            .into_iter()
            .map(|(handle, _)| async move { (handle, self.take_wireless(handle).await) });
        let mut taken = stream::iter(taken).buffer_unordered(AT_ONCE);
        while let Some((handle, taken)) = taken.next().await {
            match taken {
                Ok(true) => {}
                Ok(false) => drop(wired.insert(handle)),
                Err(failure) => tracing::debug!(%failure, "a device was not taken yet"),
            }
        }
        Ok(())
    }

    /// Hands devices over to the nodes that serve them better.
    async fn place(
        self: &Arc<Self>,
        colleagues: &[Member],
        chosen: &mut Chosen,
    ) -> Result<(), Failure> {
        let mut others = self.roaming.fresh();
        others.retain(|(key, _)| colleagues.iter().any(|one| one.key == *key));
        let (heard, host) = (self.bluetooth.heard(), self.hearing().host);
        let before = std::mem::take(chosen);
        let mut moves = Vec::new();
        for device in self.devices().into_iter().filter(is_placed) {
            let reach = reach(&device, device.signal_dbm, &heard);
            if !moves.is_empty() && reach != Reach::None {
                continue;
            }
            let candidates = others
                .iter()
                .map(|(_, hearing)| (hearing.host, hearing.reach(&device)));
            let best = choose((host, reach), candidates, needs_of(&device));
            let Some(key) = best.and_then(|at| others.get(at)).map(|(key, _)| *key) else {
                continue;
            };
            if before.get(&device.id) != Some(&key) {
                chosen.insert(device.id, key);
                continue;
            }
            if self.is_bonded(&device).await {
                continue;
            }
            moves.push((device.id, key));
        }
        let moves = moves.into_iter().map(|(id, key)| async move {
            let to = key.to_string();
            (key, self.hand_over(&id, HandOver { to }).await)
        });
        let mut moves = stream::iter(moves).buffer_unordered(AT_ONCE);
        while let Some((key, moved)) = moves.next().await {
            match moved {
                Ok(_) => self.roaming.note_given(&key),
                Err(failure) => tracing::debug!(%failure, "a device was not handed over yet"),
            }
        }
        Ok(())
    }

    /// Whether the system keeps a bond with the device. One that cannot be asked may.
    async fn is_bonded(&self, device: &Device) -> bool {
        match self.bluetooth.config_at(&device.path) {
            None => false,
            Some(config) => !matches!(bond_state(&config).await, Ok(BondState::NotBonded)),
        }
    }
}

/// Whether a device is one that is placed: of those without a wire, one that this node serves.
fn is_placed(device: &Device) -> bool {
    let is_free = matches!(
        device.source,
        DeviceSource::Bluetooth | DeviceSource::Simulated
    );
    is_free
        && matches!(
            device.standing,
            DeviceStanding::InService | DeviceStanding::Suspended
        )
}

fn needs_of(device: &Device) -> Needs {
    Needs {
        signs: device.about.authentication == Some(DeviceAuthentication::Signature),
        battery: device.about.battery_percent,
    }
}
