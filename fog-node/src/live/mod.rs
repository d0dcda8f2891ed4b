//! What everybody may see of the devices now: newest values, link states, gap ledgers.
//!
//! Changes are noted at once and told only while somebody listens: values and links at once, but at most
//! once in [`TELL_PACE`], however many devices there are; counters with them, or after [`TELL_EVERY`] at the
//! latest. Values are told once they are durable. Waves go out as they come.

mod device;
mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use device_drivers::event::DeviceInfo;
use device_drivers::link::LinkState;
use device_drivers::measurement::Measurement;
use fog_api::{ApiError, BlockRow, Device, DeviceStanding, Event, Gap, Place, Wave};
use tokio::sync::{Notify, broadcast, watch};

use crate::ingest::{AnchoredOf, DeviceIndex, WATCHED_COMMIT_AGE};
use crate::vault::gaps::Kind;
pub use device::LiveDevice;
use shown::about_of;
pub use shown::{state_of, vital_of, wave_of};

/// Longest time until a change is told that is neither a value nor a link's state.
pub const TELL_EVERY: Duration = Duration::from_millis(250);
/// Least time between two tellings of changes. Shorter than that between two commits
/// ([`WATCHED_COMMIT_AGE`]), or the tellings would fall behind the commits: by the most that any
/// commit was ever late, for a pace of the same length never makes it up.
pub const TELL_PACE: Duration = Duration::from_millis(10);
const _: () = assert!(TELL_PACE.as_millis() < WATCHED_COMMIT_AGE.as_millis());
/// Events a slow listener may fall behind before it misses some: those of 20 s of commits, of 10 s at the least.
const EVENT_BACKLOG: usize = 1024;
/// Waves a slow listener may fall behind.
const WAVE_BACKLOG: usize = 512;
/// Blocks told at once at the most; a listener that was away asks for the rest.
const MAX_BLOCKS_TOLD: usize = 50;

/// The live view of all devices.
pub struct LiveView {
    inner: Mutex<Inner>,
    events: broadcast::Sender<Arc<Event>>,
    waves: broadcast::Sender<Arc<Wave>>,
    /// Is notified of values and links, which are not to wait.
    news: Arc<Notify>,
}

#[derive(Default)]
struct Inner {
    devices: BTreeMap<DeviceIndex, LiveDevice>,
    changed: BTreeSet<DeviceIndex>,
    blocks: Vec<BlockRow>,
    trouble: Option<ApiError>,
    received: u64,
    /// Readings of devices that are not shown any more, anchored but not final.
    left: u64,
}

/// What the ledger says of a device, whose it is, and where.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct DeviceLook {
    /// Whether its data count.
    pub standing: DeviceStanding,
    /// The id of the patient it is assigned to.
    pub assigned_to: Option<String>,
    /// Where it is used, as staff said.
    pub place: Option<Place>,
    /// The block that changed it last; none if it was not changed since it was registered.
    pub changed_height: Option<u64>,
}

impl Default for LiveView {
    fn default() -> Self {
        Self {
            inner: Mutex::default(),
            events: broadcast::Sender::new(EVENT_BACKLOG),
            waves: broadcast::Sender::new(WAVE_BACKLOG),
            news: Arc::default(),
        }
    }
}

impl LiveView {
    /// Shows a device.
    pub fn open(&self, index: DeviceIndex, device: LiveDevice) {
        self.lock().devices.insert(index, device);
        self.tell(Event::DevicesChanged);
    }

    /// Shows a device no more. All its readings are anchored.
    pub fn close(&self, index: DeviceIndex) {
        let mut inner = self.lock();
        if let Some(closed) = inner.devices.remove(&index) {
            inner.left += closed.in_flight;
        }
        drop(inner);
        self.tell(Event::DevicesChanged);
    }

    /// Devices that were removed before the node started left so many readings that are not final.
    pub fn left(&self, readings: u64) {
        self.lock().left += readings;
    }

    /// All devices, in the order they were paired.
    #[must_use]
    pub fn devices(&self) -> Vec<Device> {
        self.lock()
            .devices
            .values()
            .map(LiveDevice::snapshot)
            .collect()
    }

    /// One device and its index.
    #[must_use]
    pub fn device(&self, id: &str) -> Option<(DeviceIndex, Device)> {
        let inner = self.lock();
        let found = inner
            .devices
            .iter()
            .find(|(_, device)| device.base.id == id);
        found.map(|(index, device)| (*index, device.snapshot()))
    }

    /// The index of the device with this id.
    #[must_use]
    pub fn index_of(&self, id: &str) -> Option<DeviceIndex> {
        let inner = self.lock();
        let mut devices = inner.devices.iter();
        let found = devices.find(|(_, device)| device.base.id == id);
        found.map(|(index, _)| *index)
    }

    /// The gap ledgers of all devices together.
    #[must_use]
    pub fn gap(&self) -> Gap {
        let inner = self.lock();
        inner
            .devices
            .values()
            .map(LiveDevice::gap)
            .fold(Gap::default(), |sum, gap| Gap {
                expected: sum.expected + gap.expected,
                received: sum.received + gap.received,
                rejected: sum.rejected + gap.rejected,
                sealed: sum.sealed + gap.sealed,
                anchored: sum.anchored + gap.anchored,
                finalized: sum.finalized + gap.finalized,
            })
    }

    /// Durable readings that are not final yet, those of removed devices included.
    #[must_use]
    pub fn backlog(&self) -> u64 {
        let gap = self.gap();
        gap.received.saturating_sub(gap.finalized) + self.lock().left
    }

    /// Readings made durable since the node started.
    #[must_use]
    pub fn received_since_start(&self) -> u64 {
        self.lock().received
    }

    /// Why the node does not seal or anchor, if so.
    #[must_use]
    pub fn trouble(&self) -> Option<ApiError> {
        self.lock().trouble.clone()
    }

    /// The newest of a device's own sequence numbers that is durable, as it changes.
    #[must_use]
    pub fn durable_sequence(&self, index: DeviceIndex) -> Option<watch::Receiver<Option<u64>>> {
        let inner = self.lock();
        inner
            .devices
            .get(&index)
            .map(|device| device.durable_sequence.subscribe())
    }

    /// The newest of a device's own sequence numbers that is final, as it changes.
    #[must_use]
    pub fn final_sequence(&self, index: DeviceIndex) -> Option<watch::Receiver<Option<u64>>> {
        let inner = self.lock();
        let device = inner.devices.get(&index);
        device.map(|device| device.final_sequence.subscribe())
    }

    /// All that was received before is in batches whose transactions are durable.
    pub fn flushed(&self) {
        for device in self.lock().devices.values_mut() {
            device.note_flushed();
        }
    }

    /// Whether a device's data count, as it changes.
    #[must_use]
    pub fn standing(&self, index: DeviceIndex) -> Option<watch::Receiver<DeviceStanding>> {
        let inner = self.lock();
        let device = inner.devices.get(&index);
        device.map(|device| device.standing.subscribe())
    }

    /// What the ledger says of devices now, by their ids.
    pub fn lives(&self, looks: &BTreeMap<String, DeviceLook>) {
        for device in self.lock().devices.values_mut() {
            if let Some(look) = looks.get(&device.base.id) {
                device.base.assigned_to.clone_from(&look.assigned_to);
                device.base.place.clone_from(&look.place);
                device.base.changed_height = look.changed_height;
                device.base.standing = look.standing;
                device.standing.send_replace(look.standing);
            }
        }
        self.tell(Event::DevicesChanged);
    }

    /// Shows no values of the devices with these handles until they measure again.
    pub fn forget_values(&self, handles: &BTreeSet<String>) {
        for device in self.lock().devices.values_mut() {
            if handles.contains(&device.base.handle) {
                device.vitals.clear();
            }
        }
        self.tell(Event::DevicesChanged);
    }

    /// A device's registration became final.
    pub fn registered(&self, handle: &str, height: u64) {
        for device in self.lock().devices.values_mut() {
            if device.base.handle == handle {
                device.base.registered_height = Some(height);
            }
        }
        self.tell(Event::DevicesChanged);
    }

    /// Readings are durable. They are told soon once [`LiveView::tell_soon`] follows.
    pub fn received(&self, index: DeviceIndex, measurements: Vec<Measurement>) {
        let mut inner = self.lock();
        let count = measurements.len() as u64;
        inner.received += count;
        let Some(device) = inner.devices.get_mut(&index) else {
            return;
        };
        *device
            .counters
            .entry((Kind::Received, String::new()))
            .or_default() += count;
        device.base.last_heard = measurements
            .last()
            .map(|last| last.host_time_millis)
            .or(device.base.last_heard);
        let newest = measurements
            .iter()
            .filter_map(|measurement| measurement.sequence)
            .max();
        if newest.is_some() {
            device.durable_sequence.send_if_modified(|known| {
                let is_newer = *known < newest;
                *known = newest.max(*known);
                is_newer
            });
        }
        for measurement in measurements {
            match wave_of(&device.base.id, &measurement) {
                Some(wave) => {
                    if !device.base.waves.contains(&wave.code) {
                        device.base.waves.push(wave.code.clone());
                    }
                    // Nobody listens most of the time.
                    let _ = self.waves.send(Arc::new(wave));
                }
                None => {
                    device
                        .vitals
                        .insert(measurement.metric, vital_of(&measurement));
                }
            }
        }
        device.refresh_contact();
        inner.changed.insert(index);
    }

    /// Something was counted in a device's gap ledger, durably.
    pub fn counted(&self, index: DeviceIndex, kind: Kind, reason: &str, count: u64) {
        let mut inner = self.lock();
        if let Some(device) = inner.devices.get_mut(&index) {
            *device
                .counters
                .entry((kind, reason.to_owned()))
                .or_default() += count;
            inner.changed.insert(index);
        }
    }

    /// Readings are in a batch whose transaction is durable.
    pub fn anchored(&self, readings: &[AnchoredOf]) {
        let mut inner = self.lock();
        for (index, count) in readings {
            if let Some(index) = index
                && let Some(device) = inner.devices.get_mut(index)
            {
                *device
                    .counters
                    .entry((Kind::Anchored, String::new()))
                    .or_default() += count;
                device.in_flight += count;
                inner.changed.insert(*index);
            }
        }
    }

    /// Readings are final.
    pub fn finalized(&self, readings: &[AnchoredOf]) {
        let mut inner = self.lock();
        for (index, count) in readings {
            if let Some(index) = index
                && let Some(device) = inner.devices.get_mut(index)
            {
                device.in_flight = device.in_flight.saturating_sub(*count);
                device.note_final();
                inner.changed.insert(*index);
            } else {
                inner.left = inner.left.saturating_sub(*count);
            }
        }
    }

    /// A device's link changed.
    pub fn link_changed(&self, index: DeviceIndex, link: &LinkState) {
        let mut inner = self.lock();
        let Some(device) = inner.devices.get_mut(&index) else {
            return;
        };
        device.base.state = state_of(link);
        device.clear_reason();
        if let Some(reason) = link.reason() {
            device.base.reason = Some(format!("{} {}", reason.what, reason.why));
            device.base.next_step = Some(reason.next.clone());
            device.base.reason_code = Some(reason.code.to_string());
        }
        device.refresh_contact();
        inner.changed.insert(index);
        self.tell_soon();
    }

    /// A device's signal is this strong, or there is none.
    pub fn signal(&self, index: DeviceIndex, dbm: Option<i16>) {
        let mut inner = self.lock();
        if let Some(device) = inner.devices.get_mut(&index) {
            device.base.signal_dbm = dbm;
            inner.changed.insert(index);
        }
    }

    /// A device says this of itself.
    pub fn about(&self, index: DeviceIndex, info: &DeviceInfo) {
        let mut inner = self.lock();
        if let Some(device) = inner.devices.get_mut(&index) {
            device.base.about = about_of(info);
            drop(inner);
            self.tell(Event::DevicesChanged);
        }
    }

    /// A block is final.
    pub fn block(&self, row: BlockRow) {
        let mut inner = self.lock();
        if inner.blocks.len() == MAX_BLOCKS_TOLD {
            inner.blocks.remove(0);
        }
        inner.blocks.push(row);
    }

    /// The vault cannot be written, or can again.
    pub fn set_vault_trouble(&self, why: Option<String>) {
        self.set_trouble(why.map(|why| ApiError {
            code: "NODE-01".into(),
            what: "Readings cannot be sealed now; none is lost as long as the sensors wait.".into(),
            why,
            next: "Free space on the node's disk and see that its folder can be written. It goes on by itself.".into(),
        }), "NODE-01");
    }

    /// Consensus does not take transactions, or does again.
    pub fn set_ledger_trouble(&self, why: Option<String>) {
        self.set_trouble(
            why.map(|why| ApiError {
                code: "NODE-02".into(),
                what: "Readings are sealed, but cannot be anchored now.".into(),
                why,
                next: "Restart the node. What is sealed is anchored then.".into(),
            }),
            "NODE-02",
        );
    }

    /// Sets the trouble, or clears it if it is the one with this code.
    fn set_trouble(&self, trouble: Option<ApiError>, code: &str) {
        let mut inner = self.lock();
        let is_other = inner.trouble.as_ref().is_some_and(|now| now.code != code);
        if trouble.is_some() || !is_other {
            inner.trouble = trouble;
        }
    }

    /// Events from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// Waves of all devices from now on.
    #[must_use]
    pub fn waves(&self) -> broadcast::Receiver<Arc<Wave>> {
        self.waves.subscribe()
    }

    /// Whether anybody listens.
    #[must_use]
    pub fn has_listeners(&self) -> bool {
        self.events.receiver_count() > 0
    }

    /// Tells an event at once.
    pub fn tell(&self, event: Event) {
        // Nobody listens most of the time.
        let _ = self.events.send(Arc::new(event));
    }

    /// Tells a wave at once.
    pub fn tell_wave(&self, wave: Wave) {
        let _ = self.waves.send(Arc::new(wave));
    }

    /// What was noted until now is not to wait for the next round of telling. Said once of a whole commit:
    /// said of its first reading, the others would wait for the pace.
    pub fn tell_soon(&self) {
        self.news.notify_one();
    }

    /// Is notified when something changed that is not to wait for the next round of telling.
    #[must_use]
    pub fn news(&self) -> Arc<Notify> {
        Arc::clone(&self.news)
    }

    /// Tells what changed since the last call. True if anything did.
    pub fn tell_changes(&self) -> bool {
        let (live, blocks) = {
            let mut inner = self.lock();
            let changed = std::mem::take(&mut inner.changed);
            let live: Vec<_> = changed
                .iter()
                .filter_map(|index| inner.devices.get(index).map(LiveDevice::live))
                .collect();
            (live, std::mem::take(&mut inner.blocks))
        };
        let is_anything = !live.is_empty() || !blocks.is_empty();
        if !live.is_empty() {
            self.tell(Event::Live(live));
        }
        if !blocks.is_empty() {
            self.tell(Event::Blocks(blocks));
        }
        is_anything
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
