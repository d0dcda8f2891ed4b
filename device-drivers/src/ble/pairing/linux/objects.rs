//! BlueZ's objects, as far as pairing needs them: adapters, devices, the agent manager.
//!
//! `doc/org.bluez.Adapter.rst`, `…Device.rst` and `…AgentManager.rst` of BlueZ 5.66 and later. All
//! properties are read at once by the object manager: what is foreign and malformed is passed over.

use crate::ble::BleConfig;
use crate::ble::pairing::{PairingCode, PairingError};
use std::collections::HashMap;
use zbus::Connection;
use zbus::fdo::ObjectManagerProxy;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

#[zbus::proxy(interface = "org.bluez.Adapter1", default_service = "org.bluez")]
pub(super) trait Adapter1 {
    fn set_discovery_filter(&self, filter: HashMap<&str, Value<'_>>) -> zbus::Result<()>;
    fn start_discovery(&self) -> zbus::Result<()>;
    fn stop_discovery(&self) -> zbus::Result<()>;
    fn remove_device(&self, device: &ObjectPath<'_>) -> zbus::Result<()>;
}

#[zbus::proxy(interface = "org.bluez.Device1", default_service = "org.bluez")]
pub(super) trait Device1 {
    fn pair(&self) -> zbus::Result<()>;
    fn cancel_pairing(&self) -> zbus::Result<()>;
    #[zbus(property)]
    fn set_trusted(&self, trusted: bool) -> zbus::Result<()>;
}

#[zbus::proxy(
    interface = "org.bluez.AgentManager1",
    default_service = "org.bluez",
    default_path = "/org/bluez"
)]
pub(super) trait AgentManager1 {
    fn register_agent(&self, agent: &ObjectPath<'_>, capability: &str) -> zbus::Result<()>;
    fn unregister_agent(&self, agent: &ObjectPath<'_>) -> zbus::Result<()>;
}

/// The adapter to pair through.
#[derive(Debug)]
pub(super) struct AdapterObject {
    pub(super) path: OwnedObjectPath,
}

/// The device, as BlueZ knows it.
#[derive(Debug)]
pub(super) struct DeviceObject {
    pub(super) path: OwnedObjectPath,
    pub(super) is_paired: bool,
    /// `None` before BlueZ 5.66, where paired means bonded.
    pub(super) is_bonded: Option<bool>,
    pub(super) is_trusted: bool,
}

type Properties = HashMap<String, OwnedValue>;

/// Finds the chosen adapter, and the device on it if BlueZ knows it.
pub(super) async fn look_up(
    bus: &Connection,
    config: &BleConfig,
) -> Result<(AdapterObject, Option<DeviceObject>), PairingError> {
    let objects = objects(bus)
        .await
        .map_err(|_| PairingCode::BluetoothUnavailable.of(config))?;
    let mut adapters: Vec<(&OwnedObjectPath, &Properties)> = objects
        .iter()
        .filter_map(|(path, interfaces)| Some((path, interfaces.get("org.bluez.Adapter1")?)))
        .filter(|(path, properties)| {
            config.adapter.as_deref().is_none_or(|wanted| {
                let is_name = path.as_str().rsplit('/').next() == Some(wanted);
                is_name || text(properties, "Address").eq_ignore_ascii_case(wanted)
            })
        })
        .collect();
    adapters.sort_by_key(|(path, _)| path.as_str());
    let is_on = |properties: &Properties| flag(properties, "Powered") == Some(true);
    let on = adapters.iter().find(|(_, properties)| is_on(properties));
    let adapter = match (on, adapters.first()) {
        (Some((path, _)), _) => (*path).clone(),
        (None, Some(_)) => return Err(PairingCode::AdapterOff.of(config)),
        (None, None) => return Err(PairingCode::AdapterMissing.of(config)),
    };
    let device = objects.iter().find_map(|(path, interfaces)| {
        let properties = interfaces.get("org.bluez.Device1")?;
        let is_it = text(properties, "Address").eq_ignore_ascii_case(config.address.as_str());
        let is_on_adapter = path.as_str().starts_with(&format!("{}/", adapter.as_str()));
        (is_it && is_on_adapter).then(|| DeviceObject {
            path: path.clone(),
            is_paired: flag(properties, "Paired") == Some(true),
            is_bonded: flag(properties, "Bonded"),
            is_trusted: flag(properties, "Trusted") == Some(true),
        })
    });
    Ok((AdapterObject { path: adapter }, device))
}

async fn objects(
    bus: &Connection,
) -> zbus::Result<HashMap<OwnedObjectPath, HashMap<String, Properties>>> {
    let manager = ObjectManagerProxy::new(bus, "org.bluez", "/").await?;
    let objects = manager.get_managed_objects().await?;
    let named = |interfaces: HashMap<zbus::names::OwnedInterfaceName, Properties>| {
        let named = interfaces.into_iter();
        named
            .map(|(name, properties)| (name.to_string(), properties))
            .collect()
    };
    let objects = objects.into_iter();
    Ok(objects
        .map(|(path, interfaces)| (path, named(interfaces)))
        .collect())
}

fn text<'a>(properties: &'a Properties, name: &str) -> &'a str {
    let value = properties.get(name);
    value
        .and_then(|value| <&str>::try_from(&**value).ok())
        .unwrap_or_default()
}

fn flag(properties: &Properties, name: &str) -> Option<bool> {
    bool::try_from(&**properties.get(name)?).ok()
}
