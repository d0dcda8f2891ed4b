//! The fake's objects: adapters, devices, services, characteristics, the agent manager.
//!
//! The properties are those btleplug requires; values and errors come from the script.

use crate::{BluezError, Question, Shared, device_path, lock};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue};
use zbus::{Connection, interface};

pub(crate) struct Adapter {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) powered: bool,
    pub(crate) script: Shared,
}

#[interface(name = "org.bluez.Adapter1")]
impl Adapter {
    #[zbus(property)]
    fn address(&self) -> &str {
        &self.address
    }
    #[zbus(property)]
    fn address_type(&self) -> &str {
        "public"
    }
    #[zbus(property)]
    fn name(&self) -> &str {
        &self.name
    }
    #[zbus(property)]
    fn alias(&self) -> &str {
        &self.name
    }
    #[zbus(property)]
    fn modalias(&self) -> &str {
        "usb:v1D6Bp0246d0542"
    }
    #[zbus(property)]
    fn powered(&self) -> bool {
        self.powered
    }
    #[zbus(property)]
    fn set_powered(&mut self, powered: bool) {
        if powered != self.powered {
            lock(&self.script).powered_by_client = true;
        }
        self.powered = powered;
    }
    #[zbus(property)]
    fn discovering(&self) -> bool {
        lock(&self.script).scans > 0
    }
    fn set_discovery_filter(&self, _filter: HashMap<String, OwnedValue>) {}
    fn start_discovery(&self) -> Result<(), BluezError> {
        if !self.powered {
            return Err(BluezError::named("NotReady"));
        }
        lock(&self.script).scans += 1;
        Ok(())
    }
    fn stop_discovery(&self) {
        lock(&self.script).scans = 0;
    }
    async fn remove_device(
        &self,
        device: ObjectPath<'_>,
        #[zbus(object_server)] server: &zbus::ObjectServer,
    ) -> Result<(), BluezError> {
        match server.remove::<Device, _>(&device).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(BluezError::named("DoesNotExist")),
        }
    }
}

/// What changes of a device; the interface itself is never held for long, for BlueZ answers while it
/// pairs, too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bond {
    pub(crate) connected: bool,
    pub(crate) resolved: bool,
    pub(crate) paired: bool,
    pub(crate) bonded: bool,
    pub(crate) trusted: bool,
}

pub(crate) struct Device {
    pub(crate) address: String,
    pub(crate) adapter: OwnedObjectPath,
    pub(crate) uuids: Vec<String>,
    pub(crate) rssi: AtomicI16,
    pub(crate) bond: Mutex<Bond>,
    pub(crate) cancelled: Notify,
    pub(crate) script: Shared,
}

impl Device {
    pub(crate) fn bond(&self) -> MutexGuard<'_, Bond> {
        self.bond.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[interface(name = "org.bluez.Device1")]
impl Device {
    #[zbus(property)]
    fn address(&self) -> &str {
        &self.address
    }
    #[zbus(property)]
    fn address_type(&self) -> &str {
        "random"
    }
    #[zbus(property)]
    fn name(&self) -> &str {
        "Fake\u{7} Sensor"
    }
    #[zbus(property)]
    fn alias(&self) -> &str {
        "Fake Sensor"
    }
    #[zbus(property)]
    fn adapter(&self) -> ObjectPath<'_> {
        self.adapter.as_ref()
    }
    #[zbus(property, name = "UUIDs")]
    fn uuids(&self) -> Vec<String> {
        self.uuids.clone()
    }
    #[zbus(property, name = "RSSI")]
    fn rssi(&self) -> i16 {
        self.rssi.load(Ordering::Relaxed)
    }
    #[zbus(property)]
    fn paired(&self) -> bool {
        self.bond().paired
    }
    #[zbus(property)]
    fn bonded(&self) -> bool {
        self.bond().bonded
    }
    #[zbus(property)]
    fn trusted(&self) -> bool {
        self.bond().trusted
    }
    #[zbus(property)]
    fn blocked(&self) -> bool {
        false
    }
    #[zbus(property)]
    fn legacy_pairing(&self) -> bool {
        false
    }
    #[zbus(property)]
    fn set_trusted(&self, trusted: bool) {
        self.bond().trusted = trusted;
    }
    #[zbus(property)]
    fn connected(&self) -> bool {
        self.bond().connected
    }
    #[zbus(property)]
    fn services_resolved(&self) -> bool {
        self.bond().resolved
    }
    async fn connect(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        let (takes, is_refused) = {
            let mut script = lock(&self.script);
            let is_refused = script.takes_a_refusal();
            script.links += usize::from(!is_refused);
            // Nothing is subscribed to over a new link.
            script.end_link(emitter.path().as_str());
            (script.connects_in, is_refused)
        };
        tokio::time::sleep(takes).await;
        if is_refused {
            return Err(zbus::fdo::Error::Failed("as scripted".to_owned()));
        }
        self.bond().connected = true;
        self.connected_changed(&emitter).await?;
        if !lock(&self.script).takes_a_drop() {
            self.bond().resolved = true;
            return Ok(self.services_resolved_changed(&emitter).await?);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        lock(&self.script).links -= 1;
        self.bond().connected = false;
        Ok(self.connected_changed(&emitter).await?)
    }
    async fn disconnect(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        let was_connected = core::mem::take(&mut self.bond().connected);
        {
            let mut script = lock(&self.script);
            script.links -= usize::from(was_connected);
            script.end_link(emitter.path().as_str());
        }
        self.bond().resolved = false;
        Ok(self.connected_changed(&emitter).await?)
    }
    async fn pair(&self, #[zbus(connection)] bus: &Connection) -> Result<(), BluezError> {
        let (questions, error, hangs, agent) = {
            let script = lock(&self.script);
            let agent = script.agent.clone();
            (
                script.questions.clone(),
                script.pair_error,
                script.pair_hangs,
                agent,
            )
        };
        let path = device_path("hci0", &self.address);
        for question in questions {
            let answer = ask(bus, agent.as_ref(), &path, question).await;
            lock(&self.script).agent_answers.push(answer);
        }
        if hangs {
            self.cancelled.notified().await;
            return Err(BluezError::named("AuthenticationCanceled"));
        }
        if let Some(name) = error {
            return Err(BluezError::named(name));
        }
        let bonded = !lock(&self.script).keeps_no_bond;
        let mut bond = self.bond();
        bond.paired = true;
        bond.bonded = bonded;
        Ok(())
    }
    fn cancel_pairing(&self) {
        lock(&self.script).pairing_cancelled = true;
        self.cancelled.notify_waiters();
    }
}

/// Asks the agent, and answers with what it said, or the name of its error.
async fn ask(
    bus: &Connection,
    agent: Option<&(String, OwnedObjectPath)>,
    device: &OwnedObjectPath,
    question: Question,
) -> Result<u32, String> {
    let (owner, path) = agent.ok_or("no agent")?;
    let call = async |method: &str, device: &OwnedObjectPath| {
        let name = Some("org.bluez.Agent1");
        let body = (device,);
        let called = bus.call_method(Some(owner.as_str()), path, name, method, &body);
        called.await.map_err(|error| match error {
            zbus::Error::MethodError(name, _, _) => name.to_string(),
            other => other.to_string(),
        })
    };
    match question {
        Question::Passkey => {
            let answer = call("RequestPasskey", device).await?;
            answer
                .body()
                .deserialize()
                .map_err(|error| error.to_string())
        }
        Question::Authorization => call("RequestAuthorization", device).await.map(|_| 0),
        Question::OtherDevice => {
            let other = device_path("hci0", "00:00:00:00:00:00");
            call("RequestAuthorization", &other).await.map(|_| 0)
        }
        Question::WithdrawnPasskey => {
            let withdraw = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let name = Some("org.bluez.Agent1");
                let _ = bus
                    .call_method(Some(owner.as_str()), path, name, "Cancel", &())
                    .await;
            };
            let (answer, ()) = tokio::join!(call("RequestPasskey", device), withdraw);
            answer.map(|_| 0)
        }
    }
}

pub(crate) struct Service {
    pub(crate) uuid: String,
    pub(crate) device: OwnedObjectPath,
}

#[interface(name = "org.bluez.GattService1")]
impl Service {
    #[zbus(property, name = "UUID")]
    fn uuid(&self) -> &str {
        &self.uuid
    }
    #[zbus(property)]
    fn primary(&self) -> bool {
        true
    }
    #[zbus(property)]
    fn device(&self) -> ObjectPath<'_> {
        self.device.as_ref()
    }
}

pub(crate) struct Characteristic {
    pub(crate) uuid: String,
    pub(crate) service: OwnedObjectPath,
    pub(crate) flags: Vec<&'static str>,
    pub(crate) mtu: u16,
    pub(crate) value: Vec<u8>,
    pub(crate) script: Shared,
}

#[interface(name = "org.bluez.GattCharacteristic1")]
impl Characteristic {
    #[zbus(property, name = "UUID")]
    fn uuid(&self) -> &str {
        &self.uuid
    }
    #[zbus(property)]
    fn service(&self) -> ObjectPath<'_> {
        self.service.as_ref()
    }
    #[zbus(property)]
    fn flags(&self) -> Vec<&str> {
        self.flags.clone()
    }
    #[zbus(property, name = "MTU")]
    fn mtu(&self) -> u16 {
        self.mtu
    }
    #[zbus(property)]
    fn value(&self) -> Vec<u8> {
        self.value.clone()
    }
    fn start_notify(
        &self,
        #[zbus(header)] header: zbus::message::Header<'_>,
    ) -> Result<(), BluezError> {
        let mut script = lock(&self.script);
        if script.refuses_notify {
            return Err(BluezError::named("Failed"));
        }
        script.subscriptions += 1;
        let subscription = script.subscriptions;
        let path = header.path().map(|path| (path.to_string(), subscription));
        script.subscribed.extend(path);
        Ok(())
    }
    fn stop_notify(&self, #[zbus(header)] header: zbus::message::Header<'_>) {
        let path = header.path().map(ToString::to_string);
        lock(&self.script)
            .subscribed
            .remove(&path.unwrap_or_default());
    }
    fn read_value(&self, _options: HashMap<String, OwnedValue>) -> Vec<u8> {
        self.value.clone()
    }
    fn write_value(
        &self,
        value: Vec<u8>,
        options: HashMap<String, OwnedValue>,
    ) -> Result<(), BluezError> {
        let kind = options.get("type").map(|kind| kind.to_string());
        let mut script = lock(&self.script);
        if script.refuses_writes {
            return Err(BluezError::named("Failed"));
        }
        let device = self.service.as_str().rsplit_once('/');
        let device = device.map_or("", |(device, _)| device).to_owned();
        let untaken = script.untaken.entry(device).or_default();
        untaken.push((self.uuid.clone(), value.clone()));
        let written = (self.uuid.clone(), kind.unwrap_or_default(), value);
        script.written.push(written);
        Ok(())
    }
}

pub(crate) struct AgentManager(pub(crate) Shared);

#[interface(name = "org.bluez.AgentManager1")]
impl AgentManager {
    fn register_agent(
        &self,
        agent: ObjectPath<'_>,
        capability: &str,
        #[zbus(header)] header: zbus::message::Header<'_>,
    ) {
        assert_eq!(capability, "KeyboardDisplay");
        let owner = header.sender().map(ToString::to_string).unwrap_or_default();
        lock(&self.0).agent = Some((owner, agent.into()));
    }
    fn unregister_agent(&self, _agent: ObjectPath<'_>) {
        lock(&self.0).agent = None;
    }
}
