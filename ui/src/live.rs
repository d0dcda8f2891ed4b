//! The live store: what the node says, as signals, each as fine as what shows it.
//!
//! One stream of events feeds everything. Events are folded ([`crate::live_model`]) and applied once
//! per animation frame, so 100 devices at 4 Hz cost one update per device and frame. When the stream
//! breaks, the state says so, and on return everything is asked for again; nothing is guessed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use fog_api::{
    BlockRow, Capability, Device, DeviceLive, DeviceState, Event, Gap, Port, Preview, ProfileInfo,
    Provisioning, Status, Vital, Wave,
};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::failure::Failure;
use crate::live_model::{Pending, join_blocks};
use crate::oxygen::{self, LowOxygen};
use crate::session::Session;
use crate::spark::{BUCKET_MILLIS, Spark};
use crate::transport::{self, Signal as Report, Stream};
use crate::words::number::natural;

/// Blocks kept in the list.
const BLOCKS: usize = 200;
/// A stream that has said nothing for so long is looked after, in milliseconds.
const QUIET_MILLIS: i64 = 10_000;
/// Longest wait between two tries to open the stream, in milliseconds.
const LONGEST_WAIT: u64 = 8_000;

/// How the connection to the node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Being opened for the first time.
    Connecting,
    /// Events arrive.
    Online,
    /// The node does not answer, since that time by this machine's clock.
    Offline(i64),
    /// The node does not know this window's token.
    NotAllowed,
}

/// Why a device's link is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceLink {
    /// The state.
    pub state: DeviceState,
    /// Why, where it is not streaming.
    pub reason: Option<String>,
    /// What to do.
    pub next_step: Option<String>,
    /// The reason's code.
    pub reason_code: Option<String>,
}

/// One device's signals. What changes seldom is in `facts`.
#[derive(Clone, Copy)]
pub struct DeviceEntry {
    /// Name, profile, path and so on; its live fields are those of the last full fetch.
    pub facts: RwSignal<Device>,
    /// How its link is.
    pub link: RwSignal<DeviceLink>,
    /// Newest values.
    pub vitals: RwSignal<Vec<Vital>>,
    /// Where its readings are.
    pub gap: RwSignal<Gap>,
    /// When it was last heard.
    pub heard: RwSignal<Option<i64>>,
    /// Last ten minutes of SpO₂ and pulse.
    pub sparks: [RwSignal<Spark>; 2],
    /// Whether the lines were filled from what the node kept.
    pub filled: StoredValue<bool>,
    /// Since when its oxygen saturation is low, once that is sustained.
    pub low_since: RwSignal<Option<i64>>,
    /// The values that say so.
    pub low: StoredValue<LowOxygen>,
}

/// LOINC codes of the two metrics that tables show as lines, SpO₂ and pulse (of an oximeter or a heart).
pub const SPARK_CODES: [&[&str]; 2] = [oxygen::CODES, &["8889-8", "8867-4"]];

/// Everything that is live. `Copy`: signals are handles.
#[derive(Clone, Copy)]
pub struct Live {
    /// The connection.
    pub link: RwSignal<Link>,
    /// The node as a whole; `None` before the first answer.
    pub status: RwSignal<Option<Status>>,
    /// Ids of the devices in the order of their names; `None` before the first answer.
    pub ids: RwSignal<Option<Vec<String>>>,
    /// Newest blocks, newest first; `None` before the first answer.
    pub blocks: RwSignal<Option<Vec<BlockRow>>>,
    /// The profiles the node can read; empty before the first answer.
    pub profiles: RwSignal<Vec<ProfileInfo>>,
    /// Serial ports; `None` until asked for.
    pub ports: RwSignal<Option<Vec<Port>>>,
    /// The preview that was asked for.
    pub preview: RwSignal<Option<Preview>>,
    /// How far the newest pairing by a one-time code is.
    pub provisioning: RwSignal<Option<Provisioning>>,
    /// Newest wave segments of the device that was asked for ([`Live::watch_waves`]).
    pub waves: RwSignal<Vec<Wave>>,
    /// The node's clock in Unix milliseconds, set each second.
    pub now: RwSignal<i64>,
    /// Counts full fetches: what was fetched by a page itself is to be fetched again when it changes.
    pub epoch: RwSignal<u32>,
    /// Why the last full fetch failed.
    pub failure: RwSignal<Option<Failure>>,
    entries: StoredValue<HashMap<String, DeviceEntry>>,
    /// Who looks: not everybody may see devices, or the chain.
    session: Session,
    /// The node's clock minus this machine's, in milliseconds.
    skew: StoredValue<i64>,
}

thread_local! {
    static STREAM: RefCell<Option<Stream>> = const { RefCell::new(None) };
    static PENDING: RefCell<Pending> = RefCell::new(Pending::default());
    /// The device whose waves are wanted.
    static WAVES: RefCell<Option<String>> = const { RefCell::new(None) };
    /// When the stream last said something, by this machine's clock.
    static HEARD: RefCell<i64> = const { RefCell::new(0) };
    static WAIT: RefCell<u64> = const { RefCell::new(500) };
}

/// The live store of this page.
#[must_use]
pub fn use_live() -> Live {
    expect_context()
}

/// Runs `work` once after that many milliseconds.
pub fn after(millis: u64, work: impl FnOnce() + 'static) {
    set_timeout(work, Duration::from_millis(millis));
}

/// This machine's clock in Unix milliseconds.
#[must_use]
pub fn here_now() -> i64 {
    js_sys::Date::now() as i64
}

impl Live {
    /// Makes the store and begins to listen, to the waves of that device too.
    #[must_use]
    pub fn start(waves: Option<String>, session: Session) -> Self {
        WAVES.set(waves);
        let live = Self {
            link: RwSignal::new(Link::Connecting),
            status: RwSignal::new(None),
            ids: RwSignal::new(None),
            blocks: RwSignal::new(None),
            profiles: RwSignal::new(Vec::new()),
            ports: RwSignal::new(None),
            preview: RwSignal::new(None),
            provisioning: RwSignal::new(None),
            waves: RwSignal::new(Vec::new()),
            now: RwSignal::new(here_now()),
            epoch: RwSignal::new(0),
            failure: RwSignal::new(None),
            entries: StoredValue::new(HashMap::new()),
            session,
            skew: StoredValue::new(0),
        };
        live.open();
        live.tick();
        live
    }

    /// Whether what is shown is what the node says now; tracks the connection.
    #[must_use]
    pub fn is_current(&self) -> bool {
        matches!(self.link.get(), Link::Online | Link::Connecting)
    }

    /// The signals of a device.
    #[must_use]
    pub fn device(&self, id: &str) -> Option<DeviceEntry> {
        self.entries.with_value(|entries| entries.get(id).copied())
    }

    /// All devices in order; tracks the list, not what is in it.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceEntry> {
        let ids = self.ids.get().unwrap_or_default();
        ids.iter().filter_map(|id| self.device(id)).collect()
    }

    /// All devices in order, without tracking.
    #[must_use]
    pub fn devices_untracked(&self) -> Vec<DeviceEntry> {
        let ids = self.ids.get_untracked().unwrap_or_default();
        ids.iter().filter_map(|id| self.device(id)).collect()
    }

    /// Asks for the waves of one device or preview, or of none.
    pub fn watch_waves(&self, device: Option<String>) {
        let changed =
            WAVES.with_borrow_mut(|waves| std::mem::replace(waves, device.clone()) != device);
        if changed {
            self.waves.set(Vec::new());
            self.open();
        }
    }

    /// The node's clock minus this machine's.
    #[must_use]
    pub fn skew_millis(&self) -> i64 {
        self.skew.get_value()
    }

    /// Asks for everything again.
    pub fn refetch(self) {
        let (sees, reads) = (self.sees(), self.session.may(Capability::ReadConsortium));
        spawn_local(async move {
            if sees || reads {
                match transport::get::<Status>("/api/status").await {
                    Ok(status) => self.take_status(status),
                    Err(failure) => return self.failed(failure),
                }
            }
            if reads {
                match transport::get::<Vec<BlockRow>>("/api/blocks?limit=50").await {
                    Ok(blocks) => self.blocks.set(Some(blocks)),
                    Err(failure) => return self.failed(failure),
                }
            }
            if !sees {
                return;
            }
            self.refetch_devices().await;
            match transport::get::<Vec<ProfileInfo>>("/api/profiles").await {
                Ok(profiles) => self.profiles.set(profiles),
                Err(failure) => return self.failed(failure),
            }
            self.failure.set(None);
            self.epoch.update(|epoch| *epoch += 1);
        });
    }

    /// What a profile is called, for people; its name until the node has said more.
    #[must_use]
    pub fn profile_label(&self, name: &str) -> String {
        self.profiles.with(|profiles| {
            let known = profiles.iter().find(|profile| profile.name == name);
            match (known, name) {
                (Some(profile), _) => profile.label.clone(),
                (None, "bluetooth") => "Bluetooth medical profiles".to_owned(),
                (None, name) => name.to_owned(),
            }
        })
    }

    /// Asks for the list of ports again; later changes come as events.
    pub fn refetch_ports(self) {
        spawn_local(async move {
            match transport::get::<Vec<Port>>("/api/ports").await {
                Ok(ports) => self.ports.set(Some(ports)),
                Err(failure) => self.failed(failure),
            }
        });
    }

    /// Asks for the list of devices again.
    pub async fn refetch_devices(self) {
        match transport::get::<Vec<Device>>("/api/devices").await {
            Ok(devices) => self.take_devices(devices),
            Err(failure) => self.failed(failure),
        }
    }

    fn failed(self, failure: Failure) {
        match failure {
            Failure::NotAllowed => self.link.set(Link::NotAllowed),
            Failure::Unreachable => self.lost(),
            other => self.failure.set(Some(other)),
        }
    }

    fn lost(self) {
        if !matches!(
            self.link.get_untracked(),
            Link::Offline(_) | Link::NotAllowed
        ) {
            self.link.set(Link::Offline(here_now()));
        }
    }

    /// Whether this person may see devices, and so hears of them.
    fn sees(self) -> bool {
        self.session.may(Capability::SeeDevices)
    }

    fn open(self) {
        if !self.sees() {
            return self.up();
        }
        let waves = WAVES.with_borrow(Clone::clone);
        // The old stream ends before the new one begins: two would deliver everything twice.
        STREAM.with_borrow_mut(Option::take);
        let stream = Stream::open(waves.as_deref(), move |report| match report {
            Report::Up => self.up(),
            Report::Down => self.down(),
            Report::Message(text) => self.heard(&text),
        });
        STREAM.with_borrow_mut(|kept| *kept = Some(stream));
    }

    fn up(self) {
        HEARD.set(here_now());
        WAIT.with_borrow_mut(|wait| *wait = 500);
        self.link.set(Link::Online);
        self.refetch();
    }

    fn down(self) {
        self.lost();
        let wait = WAIT.with_borrow_mut(|wait| {
            let now = *wait;
            *wait = (now * 2).min(LONGEST_WAIT);
            now
        });
        after(wait, move || {
            spawn_local(async move {
                match transport::get::<Status>("/api/status").await {
                    Ok(status) => {
                        self.take_status(status);
                        self.open();
                    }
                    Err(Failure::NotAllowed) => self.link.set(Link::NotAllowed),
                    Err(_) if matches!(self.link.get_untracked(), Link::Offline(_)) => self.down(),
                    Err(_) => {}
                }
            });
        });
    }

    /// Tries at once instead of waiting.
    pub fn try_now(self) {
        WAIT.with_borrow_mut(|wait| *wait = 500);
        self.open();
    }

    fn heard(self, text: &str) {
        HEARD.set(here_now());
        let Ok(event) = serde_json::from_str::<Event>(text) else {
            // A newer node may say more than this console knows; what it knows is asked for again.
            return;
        };
        let first = PENDING.with_borrow_mut(|pending| {
            let first = pending.is_empty();
            pending.absorb(event);
            first
        });
        if first {
            if document().hidden() {
                // No frames are painted in a hidden page; the figures still have to be right on return.
                after(250, move || self.apply());
            } else {
                request_animation_frame(move || self.apply());
            }
        }
    }

    fn apply(self) {
        let pending = PENDING.take();
        if let Some(status) = pending.status {
            self.take_status(*status);
        }
        for live in pending.live.into_values() {
            if let Some(entry) = self.device(&live.id) {
                entry.take(live);
            }
        }
        if !pending.blocks.is_empty() {
            self.blocks.update(|blocks| {
                join_blocks(blocks.get_or_insert_default(), pending.blocks, BLOCKS)
            });
        }
        if !pending.waves.is_empty() {
            self.waves.set(pending.waves);
        }
        if let Some(ports) = pending.ports {
            self.ports.set(Some(ports));
        }
        if let Some(preview) = pending.preview {
            self.preview.set(Some(*preview));
        }
        if pending.provisioning.is_some() {
            self.provisioning.set(pending.provisioning);
        }
        if pending.missed {
            self.refetch();
        } else if pending.devices_changed {
            spawn_local(self.refetch_devices());
        }
    }

    fn take_status(self, status: Status) {
        self.skew.set_value(
            i64::try_from(status.now)
                .unwrap_or(i64::MAX)
                .saturating_sub(here_now()),
        );
        self.status.set(Some(status));
    }

    fn take_devices(self, mut devices: Vec<Device>) {
        devices.sort_by_cached_key(|device| natural(&device.name));
        let ids: Vec<String> = devices.iter().map(|device| device.id.clone()).collect();
        for device in devices {
            match self.device(&device.id) {
                Some(entry) => entry.replace(device),
                None => {
                    let (id, entry) = (device.id.clone(), DeviceEntry::new(device));
                    self.entries.update_value(|entries| {
                        entries.insert(id, entry);
                    });
                }
            }
        }
        if self
            .ids
            .with_untracked(|known| known.as_ref() != Some(&ids))
        {
            self.ids.set(Some(ids));
        }
    }

    fn tick(self) {
        set_interval(
            move || {
                self.look_after();
                let now = here_now() + self.skew.get_value();
                let before = self.now.get_untracked();
                self.now.set(now);
                if now.div_euclid(BUCKET_MILLIS) != before.div_euclid(BUCKET_MILLIS) {
                    self.advance_sparks(now);
                }
            },
            Duration::from_secs(1),
        );
    }

    /// Upon a stream that is open and silent: asks the node whether there is nothing to say. A node that
    /// is gone without closing the stream must not look alive.
    fn look_after(self) {
        let quiet = here_now() - HEARD.with_borrow(|heard| *heard);
        let asks = self.sees() || self.session.may(Capability::ReadConsortium);
        if !asks || quiet < QUIET_MILLIS || self.link.get_untracked() != Link::Online {
            return;
        }
        HEARD.set(here_now());
        spawn_local(async move {
            match transport::get::<Status>("/api/status").await {
                Ok(status) => {
                    let missed = self.status.with_untracked(|known| {
                        known.as_ref().is_none_or(|known| {
                            known.height != status.height || known.gap != status.gap
                        })
                    });
                    self.take_status(status);
                    if missed {
                        self.open();
                    }
                }
                Err(Failure::NotAllowed) => self.link.set(Link::NotAllowed),
                Err(_) => self.down(),
            }
        });
    }

    /// Lets the lines of silent devices move on.
    fn advance_sparks(self, now: i64) {
        for entry in self.devices_untracked() {
            for spark in entry.sparks {
                if spark.try_update_untracked(|spark| spark.advance_to(now)) == Some(true) {
                    spark.notify();
                }
            }
        }
    }
}

impl DeviceEntry {
    /// Whether its newest values are of now: the node answers and the sensor speaks. Else they are
    /// the past and must not look alive.
    #[must_use]
    pub fn is_now(self, live: Live) -> bool {
        let counts = self.facts.with(|facts| facts.standing.refusal().is_none());
        live.is_current() && counts && self.link.with(|link| link.state.is_live())
    }

    fn new(device: Device) -> Self {
        let entry = Self {
            link: RwSignal::new(link_of(&device)),
            vitals: RwSignal::new(device.vitals.clone()),
            gap: RwSignal::new(device.gap),
            heard: RwSignal::new(device.last_heard),
            sparks: [
                RwSignal::new(Spark::default()),
                RwSignal::new(Spark::default()),
            ],
            filled: StoredValue::new(false),
            low_since: RwSignal::new(None),
            low: StoredValue::default(),
            facts: RwSignal::new(device),
        };
        entry.push_sparks();
        entry.push_oxygen();
        entry
    }

    fn replace(self, device: Device) {
        set_if_new(self.link, link_of(&device));
        set_if_new(self.vitals, device.vitals.clone());
        set_if_new(self.gap, device.gap);
        set_if_new(self.heard, device.last_heard);
        set_if_new(self.facts, device);
    }

    fn take(self, live: DeviceLive) {
        let link = DeviceLink {
            state: live.state,
            reason: live.reason,
            next_step: live.next_step,
            reason_code: live.reason_code,
        };
        set_if_new(self.link, link);
        set_if_new(self.vitals, live.vitals);
        set_if_new(self.gap, live.gap);
        set_if_new(self.heard, live.last_heard);
        self.push_sparks();
        self.push_oxygen();
    }

    fn push_sparks(self) {
        self.vitals.with_untracked(|vitals| {
            for (codes, spark) in SPARK_CODES.iter().zip(self.sparks) {
                let Some(vital) = vitals
                    .iter()
                    .find(|vital| codes.contains(&vital.code.as_str()))
                else {
                    continue;
                };
                let Some(value) = vital.value.as_ref().and_then(|value| value.parse().ok()) else {
                    continue;
                };
                let changed = spark.try_update_untracked(|spark| spark.push(vital.time, value));
                if changed == Some(true) {
                    spark.notify();
                }
            }
        });
    }
}

fn link_of(device: &Device) -> DeviceLink {
    DeviceLink {
        state: device.state,
        reason: device.reason.clone(),
        next_step: device.next_step.clone(),
        reason_code: device.reason_code.clone(),
    }
}

pub(crate) fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|known| *known != value) {
        signal.set(value);
    }
}
