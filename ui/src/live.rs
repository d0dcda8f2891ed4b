//! The live store: what the node says, as signals, each as fine as what shows it.
//!
//! One stream of events feeds everything. The first events after a frame are applied as they come; those beyond are
//! folded ([`crate::live_model`]) and applied with the next frame, so a slow console falls behind by no more than
//! that, however much the node tells. When the stream breaks, the state says so, and on return everything is asked for
//! again; nothing is guessed.

mod entry;
mod stream;

use std::collections::HashMap;
use std::time::Duration;

use fog_api::{
    BlockRow, BrokenGlass, Capability, Device, Port, Preview, ProfileInfo, Provisioning, Status,
    Wave,
};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::failure::Failure;
use crate::session::Session;
use crate::spark::BUCKET_MILLIS;
use crate::transport;
use crate::words::number::natural;
pub(crate) use entry::set_if_new;
pub use entry::{DeviceEntry, DeviceLink, SPARK_CODES};
use stream::WAVES;

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
    /// Broken glasses that wait for this person's review.
    pub broken_glass: RwSignal<Vec<BrokenGlass>>,
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
            broken_glass: RwSignal::new(Vec::new()),
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

    /// Whether this person may see devices, and so hears of them.
    fn sees(self) -> bool {
        self.session.may(Capability::SeeDevices)
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
