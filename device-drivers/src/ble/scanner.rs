//! The inbox of discovered devices: what advertises nearby, for a person to choose from.
//!
//! [`Inbox`] is pure: sightings and the time in, a bounded list out. [`Scanner`] fills one while
//! it lives and says why when it cannot. What strangers call their devices is shortened and
//! stripped of control characters. It leaves out advertisement payloads: nothing is measured here.

use crate::ble::discovery::Discovery;
use crate::ble::radio::{Radio, choose, radios};
use crate::ble::{PeripheralAddress, reasons};
use crate::gatt::Service;
use crate::link::{LinkReason, LinkState};
use crate::serial::now_millis;
use btleplug::api::{Central as _, CentralEvent, Peripheral as _};
use btleplug::platform::PeripheralId;
use futures_util::StreamExt as _;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Devices kept; in a full inbox those with nothing to measure, longest unheard, go first.
const DEVICES_AT_MOST: usize = 256;
/// Devices that wait to be asked for their properties; a crowd arrives in one burst, and many advertise once.
const WAITING_AT_MOST: usize = 4_096;
const NAME_CHARS: usize = 64;
/// A device that was not heard for so long has left.
const FORGET_AFTER_MILLIS: i64 = 30_000;
const PUBLISH_EVERY: Duration = Duration::from_millis(250);
/// Devices asked for their properties at each publishing.
const ASK_AT_MOST: usize = 64;
const ANSWER_AT_MOST: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_secs(2);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A device that advertises nearby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// Its address, to connect to and to pair.
    pub address: PeripheralAddress,
    /// What it calls itself, at most 64 characters.
    pub name: Option<String>,
    /// The known services it advertises.
    pub services: BTreeSet<Service>,
    /// Received signal strength of the last advertisement, in dBm.
    pub rssi_dbm: Option<i16>,
    /// When it was first heard, in milliseconds since 1970.
    pub first_seen_millis: i64,
    /// When it was last heard, in milliseconds since 1970.
    pub last_seen_millis: i64,
}

/// One advertisement, as far as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whose.
    pub address: PeripheralAddress,
    /// The name in it.
    pub name: Option<String>,
    /// The known services in it.
    pub services: BTreeSet<Service>,
    /// Received signal strength, in dBm.
    pub rssi_dbm: Option<i16>,
}

/// What was heard, bounded, without what has left.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    devices: BTreeMap<PeripheralAddress, Discovered>,
}

impl Inbox {
    /// Takes a sighting of `now_millis`. Names and services of earlier ones are kept where this one
    /// has none.
    pub fn note(&mut self, sighting: Sighting, now_millis: i64) {
        let name = sighting.name.as_deref().and_then(shown_name);
        let device = self
            .devices
            .entry(sighting.address.clone())
            .or_insert_with(|| Discovered {
                address: sighting.address,
                name: None,
                services: BTreeSet::new(),
                rssi_dbm: None,
                first_seen_millis: now_millis,
                last_seen_millis: now_millis,
            });
        device.name = name.or(device.name.take());
        device.services.extend(sighting.services);
        device.rssi_dbm = sighting.rssi_dbm.or(device.rssi_dbm);
        device.last_seen_millis = now_millis;
        if self.devices.len() > DEVICES_AT_MOST {
            let worth = |device: &&Discovered| {
                let measures = device.services.iter().any(|service| service.is_medical());
                (measures, device.last_seen_millis)
            };
            let least = self.devices.values().min_by_key(worth);
            if let Some(address) = least.map(|device| device.address.clone()) {
                self.devices.remove(&address);
            }
        }
    }

    /// Forgets who was not heard for 30 s before `now_millis`.
    pub fn age(&mut self, now_millis: i64) {
        let oldest = now_millis.saturating_sub(FORGET_AFTER_MILLIS);
        self.devices
            .retain(|_, device| device.last_seen_millis >= oldest);
    }

    /// Those in it, medical devices first, then by strength of signal.
    #[must_use]
    pub fn devices(&self) -> Vec<Discovered> {
        let mut devices: Vec<Discovered> = self.devices.values().cloned().collect();
        devices.sort_by_key(|device| {
            let measures = device.services.iter().any(|service| service.is_medical());
            (!measures, -i32::from(device.rssi_dbm.unwrap_or(i16::MIN)))
        });
        devices
    }
}

/// A stranger's text, fit to be shown.
fn shown_name(name: &str) -> Option<String> {
    let is_shown = |character: &char| !character.is_control();
    let shown: String = name.chars().filter(is_shown).take(NAME_CHARS).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

/// A scan that goes on, through lost and returning adapters, until it is dropped.
#[derive(Debug)]
pub struct Scanner {
    /// What is nearby; changes at most four times a second.
    pub devices: watch::Receiver<Vec<Discovered>>,
    /// `Streaming` while it scans, `Disconnected` with the reason while it cannot.
    pub state: watch::Receiver<LinkState>,
    task: tokio::task::JoinHandle<()>,
}

impl Scanner {
    /// Scans through the adapter of this name or address, or the first that is on.
    ///
    /// Must be called within a tokio runtime with I/O and time enabled.
    #[must_use]
    pub fn start(adapter: Option<String>) -> Scanner {
        let (devices_sender, devices) = watch::channel(Vec::new());
        let (state_sender, state) = watch::channel(LinkState::Opening);
        let task = tokio::spawn(async move {
            let mut inbox = Inbox::default();
            loop {
                let Err(mut reason) = scan(
                    adapter.as_deref(),
                    &mut inbox,
                    &devices_sender,
                    &state_sender,
                )
                .await;
                reason.retry_millis = u64::try_from(RETRY_AFTER.as_millis()).ok();
                state_sender.send_replace(LinkState::Disconnected(reason));
                inbox.age(now_millis());
                devices_sender.send_replace(inbox.devices());
                sleep(RETRY_AFTER).await;
            }
        });
        Scanner {
            devices,
            state,
            task,
        }
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Scans until the adapter fails.
async fn scan(
    wanted: Option<&str>,
    inbox: &mut Inbox,
    devices: &watch::Sender<Vec<Discovered>>,
    state: &watch::Sender<LinkState>,
) -> Result<core::convert::Infallible, LinkReason> {
    let radio = choose(wanted).await?;
    let lost = || reasons::adapter_lost(&radio.name);
    let events = timeout(ANSWER_AT_MOST, radio.adapter.events()).await;
    let Ok(Ok(mut events)) = events else {
        return Err(lost());
    };
    let _scan = Discovery::start(&radio).await?;
    state.send_replace(LinkState::Streaming);
    let mut heard = Heard::default();
    let mut publish = interval(PUBLISH_EVERY);
    publish.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = interval(LOOK_EVERY);
    loop {
        tokio::select! {
            event = events.next() => {
                let event = event.ok_or_else(lost)?;
                if let Some(id) = heard_in(event) {
                    heard.note(id);
                }
            }
            _ = publish.tick() => {
                for _ in 0..ASK_AT_MOST {
                    let Some(id) = heard.next() else { break };
                    if let Some(sighting) = describe(&radio, &id).await {
                        inbox.note(sighting, now_millis());
                    }
                }
                inbox.age(now_millis());
                let listed = inbox.devices();
                devices.send_if_modified(|known| {
                    let is_new = *known != listed;
                    *known = listed;
                    is_new
                });
            }
            _ = look.tick() => {
                let radios = radios().await?;
                match radios.iter().find(|found| found.name == radio.name) {
                    Some(found) if found.is_on => {}
                    Some(_) => return Err(reasons::adapter_off(&radio.name)),
                    None => return Err(lost()),
                }
            }
        }
    }
}

/// Who was heard and is to be asked for its properties: each once, first come first served.
#[derive(Default)]
struct Heard {
    order: VecDeque<PeripheralId>,
    waiting: BTreeSet<PeripheralId>,
}

impl Heard {
    fn note(&mut self, id: PeripheralId) {
        if self.order.len() < WAITING_AT_MOST && self.waiting.insert(id.clone()) {
            self.order.push_back(id);
        }
    }

    fn next(&mut self) -> Option<PeripheralId> {
        let id = self.order.pop_front()?;
        self.waiting.remove(&id);
        Some(id)
    }
}

/// Whose advertisement an event tells of.
pub(super) fn heard_in(event: CentralEvent) -> Option<PeripheralId> {
    match event {
        CentralEvent::DeviceDiscovered(id)
        | CentralEvent::DeviceUpdated(id)
        | CentralEvent::ManufacturerDataAdvertisement { id, .. }
        | CentralEvent::ServiceDataAdvertisement { id, .. }
        | CentralEvent::ServicesAdvertisement { id, .. }
        | CentralEvent::RssiUpdate { id, .. } => Some(id),
        _ => None,
    }
}

/// What the system knows of a peripheral; `None` of one that it remembers and does not hear.
async fn describe(radio: &Radio, id: &PeripheralId) -> Option<Sighting> {
    let ask = async {
        let peripheral = radio.adapter.peripheral(id).await.ok()?;
        let properties = peripheral.properties().await.ok()??;
        let services = properties.services.iter();
        let known = services.filter_map(|uuid| Service::from_uuid(uuid.as_u128()));
        Some(Sighting {
            address: PeripheralAddress::of(&peripheral),
            // Without a name of its own BlueZ calls a device by its address.
            name: properties.advertisement_name,
            services: known.collect(),
            rssi_dbm: Some(properties.rssi?),
        })
    };
    timeout(ANSWER_AT_MOST, ask).await.ok().flatten()
}
