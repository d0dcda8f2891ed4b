//! A fake `org.bluez`: what btleplug and our agent ask of BlueZ, and every way it can say no.
//!
//! It owns the name on a private bus and answers from a [`Script`]. It leaves out radio, keys and
//! GATT beyond what a test needs: the real stack is tested with `bluez-rig`. Whatever cannot be done
//! fails the test that asked for it.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "it lives in tests"
)]

mod objects;

use objects::{Adapter, AgentManager, Characteristic, Device, Service};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use zbus::Connection;
use zbus::fdo::ObjectManager;
use zbus::zvariant::OwnedObjectPath;

/// The Bluetooth base UUID with a 16-bit number in it.
pub fn long(number: u16) -> String {
    format!("0000{number:04x}-0000-1000-8000-00805f9b34fb")
}

pub(crate) fn adapter_path(name: &str) -> OwnedObjectPath {
    OwnedObjectPath::try_from(format!("/org/bluez/{name}")).unwrap()
}

pub(crate) fn device_path(adapter: &str, address: &str) -> OwnedObjectPath {
    let address = address.replace(':', "_");
    OwnedObjectPath::try_from(format!("/org/bluez/{adapter}/dev_{address}")).unwrap()
}

fn characteristic_path(adapter: &str, address: &str, number: u16) -> String {
    let device = device_path(adapter, address);
    format!("{}/service0001/char{number:04}", device.as_str())
}

/// An error of BlueZ, by its name.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.bluez.Error")]
pub(crate) enum BluezError {
    #[zbus(error)]
    ZBus(zbus::Error),
    AlreadyExists(String),
    AuthenticationCanceled(String),
    AuthenticationFailed(String),
    AuthenticationRejected(String),
    AuthenticationTimeout(String),
    ConnectionAttemptFailed(String),
    DoesNotExist(String),
    Failed(String),
    InProgress(String),
    NotReady(String),
}

impl BluezError {
    pub(crate) fn named(name: &str) -> BluezError {
        let text = "as scripted".to_owned();
        match name {
            "AlreadyExists" => BluezError::AlreadyExists(text),
            "AuthenticationCanceled" => BluezError::AuthenticationCanceled(text),
            "AuthenticationFailed" => BluezError::AuthenticationFailed(text),
            "AuthenticationRejected" => BluezError::AuthenticationRejected(text),
            "AuthenticationTimeout" => BluezError::AuthenticationTimeout(text),
            "ConnectionAttemptFailed" => BluezError::ConnectionAttemptFailed(text),
            "DoesNotExist" => BluezError::DoesNotExist(text),
            "InProgress" => BluezError::InProgress(text),
            "NotReady" => BluezError::NotReady(text),
            _ => BluezError::Failed(text),
        }
    }
}

/// What the agent is asked while a pairing goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// A passkey.
    Passkey,
    /// Whether the device may.
    Authorization,
    /// Of a device that is not being paired.
    OtherDevice,
    /// And withdrawn 200 ms later.
    WithdrawnPasskey,
}

/// How the fake behaves, and what was done to it.
#[derive(Debug, Default)]
pub struct Script {
    /// The name of the error that `Pair` ends with.
    pub pair_error: Option<&'static str>,
    /// Whether `Pair` is never answered.
    pub pair_hangs: bool,
    /// What the agent is asked during a pairing.
    pub questions: Vec<Question>,
    /// Connections that fall before the services are resolved.
    pub drops_in_discovery: u32,
    /// Whether notifications are refused.
    pub refuses_notify: bool,
    /// Whether writes are refused.
    pub refuses_writes: bool,
    /// How often notifications were begun.
    pub subscriptions: u32,
    /// How long a connection takes to come about.
    pub connects_in: Duration,
    /// Whether each of the next connections is refused, the first one's first.
    pub refusals: VecDeque<bool>,
    /// Links that stand.
    pub links: usize,
    /// How many links may stand.
    pub links_at_most: Option<usize>,
    /// What was written to characteristics: their UUIDs, and the types of the writes.
    pub written: Vec<(String, String, Vec<u8>)>,
    /// What was written to each device over the link that stands, by its path, and not yet taken by
    /// [`Fake::take_writes`].
    pub(crate) untaken: BTreeMap<String, Vec<(String, Vec<u8>)>>,
    /// The paths of the characteristics that are subscribed to, and the count of `subscriptions` then.
    pub(crate) subscribed: BTreeMap<String, u32>,
    /// Whether a pairing leaves no bond.
    pub keeps_no_bond: bool,
    /// Scans that go on.
    pub scans: u32,
    /// Whether the driver switched an adapter on.
    pub powered_by_client: bool,
    /// Whether a pairing was cancelled.
    pub pairing_cancelled: bool,
    /// What the agent answered.
    pub agent_answers: Vec<Result<u32, String>>,
    /// The agent: whose it is and where.
    pub agent: Option<(String, OwnedObjectPath)>,
}

impl Script {
    /// A link ends, and with it what was subscribed to over it and what the device has not taken of what was
    /// written.
    pub(crate) fn end_link(&mut self, device: &str) {
        let below = format!("{device}/");
        self.subscribed.retain(|path, _| !path.starts_with(&below));
        self.untaken.remove(device);
    }

    /// Whether this connection is one that falls.
    pub(crate) fn takes_a_drop(&mut self) -> bool {
        let drops = self.drops_in_discovery > 0;
        self.drops_in_discovery = self.drops_in_discovery.saturating_sub(1);
        drops
    }

    /// Whether this connection is one that is refused.
    pub(crate) fn takes_a_refusal(&mut self) -> bool {
        let is_full = self.links_at_most.is_some_and(|most| self.links >= most);
        self.refusals.pop_front().unwrap_or(false) || is_full
    }
}

/// The script, as the fake and the test hold it.
pub type Shared = Arc<Mutex<Script>>;

/// Opens the script.
pub fn lock(shared: &Shared) -> MutexGuard<'_, Script> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The fake on the bus. Dropping it is the end of `bluetoothd`.
pub struct Fake {
    bus: Connection,
    /// What it does and what was done to it.
    pub script: Shared,
}

impl Fake {
    /// Without an adapter, on the bus that the environment names.
    pub async fn start() -> Fake {
        Self::serve(Connection::system().await.unwrap()).await
    }

    /// Without an adapter, on the bus at this address.
    pub async fn start_on(address: &str) -> Fake {
        let bus = zbus::connection::Builder::address(address).unwrap();
        Self::serve(bus.build().await.unwrap()).await
    }

    async fn serve(bus: Connection) -> Fake {
        let script = Shared::default();
        let server = bus.object_server();
        server.at("/", ObjectManager).await.unwrap();
        let agents = AgentManager(Arc::clone(&script));
        server.at("/org/bluez", agents).await.unwrap();
        bus.request_name("org.bluez").await.unwrap();
        Fake { bus, script }
    }

    /// Plugs an adapter in.
    pub async fn plug_in(&self, name: &str, address: &str, powered: bool) {
        let adapter = Adapter {
            name: name.to_owned(),
            address: address.to_owned(),
            powered,
            script: Arc::clone(&self.script),
        };
        let server = self.bus.object_server();
        server.at(adapter_path(name), adapter).await.unwrap();
    }

    /// Pulls an adapter out.
    pub async fn pull_out(&self, name: &str) {
        let server = self.bus.object_server();
        server
            .remove::<Adapter, _>(adapter_path(name))
            .await
            .unwrap();
    }

    /// BlueZ forgets a device that it does not hear any more.
    pub async fn vanish(&self, adapter: &str, address: &str) {
        let server = self.bus.object_server();
        let path = device_path(adapter, address);
        server.remove::<Device, _>(path).await.unwrap();
    }

    /// Switches an adapter on or off.
    pub async fn switch(&self, name: &str, on: bool) {
        let server = self.bus.object_server();
        let adapter = server
            .interface::<_, Adapter>(adapter_path(name))
            .await
            .unwrap();
        let mut inner = adapter.get_mut().await;
        inner.powered = on;
        inner
            .powered_changed(adapter.signal_emitter())
            .await
            .unwrap();
    }

    /// A device with one service that has one characteristic, to be notified.
    pub async fn appear(&self, adapter: &str, address: &str, service: u16, measured: u16) {
        let measured = (long(measured), vec!["notify"]);
        self.appear_with(adapter, address, long(service), vec![measured], 23)
            .await;
    }

    /// A device with one service; its characteristics, by UUID and flags, are numbered from 2 on.
    pub async fn appear_with(
        &self,
        adapter: &str,
        address: &str,
        service: String,
        characteristics: Vec<(String, Vec<&'static str>)>,
        mtu: u16,
    ) {
        let path = device_path(adapter, address);
        let server = self.bus.object_server();
        let device = Device {
            address: address.to_owned(),
            adapter: adapter_path(adapter),
            uuids: vec![service.clone()],
            rssi: AtomicI16::new(-50),
            bond: Mutex::default(),
            cancelled: Notify::new(),
            script: Arc::clone(&self.script),
        };
        server.at(&path, device).await.unwrap();
        let service_path = format!("{}/service0001", path.as_str());
        let uuid = service;
        let service = Service { uuid, device: path };
        server.at(service_path.clone(), service).await.unwrap();
        for (number, (uuid, flags)) in (2..).zip(characteristics) {
            let characteristic = Characteristic {
                uuid,
                service: OwnedObjectPath::try_from(service_path.clone()).unwrap(),
                flags,
                mtu,
                value: Vec::new(),
                script: Arc::clone(&self.script),
            };
            let path = format!("{service_path}/char{number:04}");
            server.at(path, characteristic).await.unwrap();
        }
    }

    /// Whether BlueZ knows a device: it forgets one that its host has it remove, until it advertises again.
    pub async fn knows(&self, adapter: &str, address: &str) -> bool {
        let server = self.bus.object_server();
        let path = device_path(adapter, address);
        server.interface::<_, Device>(path).await.is_ok()
    }

    /// Whether a device is connected, and its services are known.
    pub async fn is_connected(&self, adapter: &str, address: &str) -> bool {
        let server = self.bus.object_server();
        let path = device_path(adapter, address);
        match server.interface::<_, Device>(path).await {
            Ok(device) => device.get().await.bond().resolved,
            Err(_) => false,
        }
    }

    /// The link to a device falls.
    pub async fn drop_link(&self, adapter: &str, address: &str) {
        let server = self.bus.object_server();
        let path = device_path(adapter, address);
        lock(&self.script).end_link(path.as_str());
        let device = server.interface::<_, Device>(path).await.unwrap();
        let inner = device.get().await;
        inner.bond().connected = false;
        inner.bond().resolved = false;
        let emitter = device.signal_emitter();
        inner.connected_changed(emitter).await.unwrap();
    }

    /// One more service of a device, with a characteristic of this property and value.
    pub async fn offer(
        &self,
        adapter: &str,
        address: &str,
        number: u16,
        (service, characteristic, property, value): (u16, u16, &'static str, &[u8]),
    ) {
        let device = device_path(adapter, address);
        let path = format!("{}/service{number:04x}", device.as_str());
        let offered = Characteristic {
            uuid: long(characteristic),
            service: OwnedObjectPath::try_from(path.clone()).unwrap(),
            flags: vec![property],
            mtu: 23,
            value: value.to_vec(),
            script: Arc::clone(&self.script),
        };
        let service = Service {
            uuid: long(service),
            device,
        };
        let server = self.bus.object_server();
        server.at(path.clone(), service).await.unwrap();
        server
            .at(format!("{path}/char0002"), offered)
            .await
            .unwrap();
    }

    /// A device advertises once, with the signal it had before.
    pub async fn advertise(&self, adapter: &str, address: &str) {
        self.tell_signal(adapter, address, None).await;
    }

    /// A device advertises once, and is heard at so many dBm from now on.
    pub async fn advertise_at(&self, adapter: &str, address: &str, dbm: i16) {
        self.tell_signal(adapter, address, Some(dbm)).await;
    }

    async fn tell_signal(&self, adapter: &str, address: &str, dbm: Option<i16>) {
        let server = self.bus.object_server();
        let path = device_path(adapter, address);
        let device = server.interface::<_, Device>(path).await.unwrap();
        let told = device.get().await;
        if let Some(dbm) = dbm {
            told.rssi.store(dbm, Ordering::Relaxed);
        }
        told.r_s_s_i_changed(device.signal_emitter()).await.unwrap();
    }

    /// The subscription to the characteristic with this number over the link that stands: another number each
    /// time; `None` if there is no link, or nobody is subscribed.
    pub async fn subscription(&self, adapter: &str, address: &str, number: u16) -> Option<u32> {
        let is_connected = self.is_connected(adapter, address).await;
        let path = characteristic_path(adapter, address, number);
        let subscription = lock(&self.script).subscribed.get(&path).copied();
        subscription.filter(|_| is_connected)
    }

    /// Takes what was written to a device over the link that stands, since it was last asked: UUIDs and values, the
    /// oldest first.
    #[must_use]
    pub fn take_writes(&self, adapter: &str, address: &str) -> Vec<(String, Vec<u8>)> {
        let path = device_path(adapter, address);
        let taken = lock(&self.script).untaken.remove(path.as_str());
        taken.unwrap_or_default()
    }

    /// The characteristic numbered 2 notifies a value.
    pub async fn notify(&self, adapter: &str, address: &str, value: &[u8]) {
        self.notify_from(adapter, address, 2, value).await;
    }

    /// The characteristic with this number notifies a value, subscribed to or not.
    pub async fn notify_from(&self, adapter: &str, address: &str, number: u16, value: &[u8]) {
        let path = characteristic_path(adapter, address, number);
        let server = self.bus.object_server();
        let characteristic = server.interface::<_, Characteristic>(path).await.unwrap();
        let mut inner = characteristic.get_mut().await;
        inner.value = value.to_vec();
        inner
            .value_changed(characteristic.signal_emitter())
            .await
            .unwrap();
    }
}

/// A D-Bus daemon of its own, which lives as long as this.
pub struct Daemon {
    process: Child,
    /// Its address.
    pub address: String,
}

impl Daemon {
    /// Starts one. It ends with this process, however that ends, for it is told so by the kernel.
    #[must_use]
    pub fn start() -> Daemon {
        let mut process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "dbus-daemon"])
            .args(["--session", "--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon, from the package dbus");
        let mut address = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output)
            .read_line(&mut address)
            .expect("its address");
        Daemon {
            process,
            address: address.trim().to_owned(),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
