//! Pairing through BlueZ.
//!
//! Upon a pairing: find the device, scanning if BlueZ does not know it; register an agent; call
//! `Device1.Pair`, which connects, and answer what BlueZ asks; mark the device as trusted; unregister
//! the agent. It has a bus connection of its own, so that whatever it leaves unfinished ends with it:
//! BlueZ drops the agent, the pairing and the scan of a client that is gone.

mod agent;
mod objects;

use super::{BondState, Bonded, PairingCode, PairingError, Prompt};
use crate::ble::BleConfig;
use agent::{Agent, Witness};
use objects::{
    Adapter1Proxy, AdapterObject, AgentManager1Proxy, Device1Proxy, DeviceObject, look_up,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use zbus::Connection;
use zbus::zvariant::{ObjectPath, Value};

const ANSWER_AT_MOST: Duration = Duration::from_secs(5);
const SEARCH_AT_MOST: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A connection and then a pairing, of which no step may take longer than 30 s (Vol 3, Part H, 3.4).
const PAIR_AT_MOST: Duration = Duration::from_secs(75);
const AGENT: &str = "/org/fogward/agent";
/// This host can show and take digits.
const CAPABILITY: &str = "KeyboardDisplay";

pub(super) async fn pair(
    config: &BleConfig,
    prompts: mpsc::Sender<Prompt>,
    mut cancelled: watch::Receiver<bool>,
) -> Result<Bonded, PairingError> {
    let cancel = async {
        // A sender that is gone cancels, too.
        let _ = cancelled.wait_for(|is_cancelled| *is_cancelled).await;
    };
    let bus = connect(config).await?;
    let paired = tokio::select! {
        biased;
        () = cancel => Err(PairingCode::Cancelled.of(config)),
        paired = find_and_pair(&bus, config, prompts) => paired,
    };
    if paired.is_err()
        && let Ok((_, Some(device))) = look_up(&bus, config).await
        && !device.is_paired
    {
        // What is half done is undone; BlueZ says no if there is nothing to undo.
        let cancelling = async {
            Device1Proxy::new(&bus, &device.path)
                .await?
                .cancel_pairing()
                .await
        };
        let _ = timeout(ANSWER_AT_MOST, cancelling).await;
    }
    let _ = timeout(ANSWER_AT_MOST, unregister(&bus)).await;
    paired
}

pub(super) async fn bond_state(config: &BleConfig) -> Result<BondState, PairingError> {
    let bus = connect(config).await?;
    let (_, device) = look_up(&bus, config).await?;
    Ok(match device {
        Some(device) if device.is_bonded.unwrap_or(device.is_paired) => BondState::Bonded {
            trusted: device.is_trusted,
        },
        Some(_) | None => BondState::NotBonded,
    })
}

pub(super) async fn unpair(config: &BleConfig) -> Result<(), PairingError> {
    let bus = connect(config).await?;
    let (adapter, device) = look_up(&bus, config).await?;
    let Some(device) = device else {
        return Ok(());
    };
    let remove = async {
        let adapter = Adapter1Proxy::new(&bus, &adapter.path).await?;
        adapter.remove_device(&device.path).await
    };
    match timeout(ANSWER_AT_MOST, remove).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if name_of(&error) == Some("org.bluez.Error.DoesNotExist") => Ok(()),
        Ok(Err(error)) => Err(failure(&error, &Witness::default()).of(config)),
        Err(_) => Err(PairingCode::TimedOut.of(config)),
    }
}

async fn connect(config: &BleConfig) -> Result<Connection, PairingError> {
    match timeout(ANSWER_AT_MOST, Connection::system()).await {
        Ok(Ok(bus)) => Ok(bus),
        Ok(Err(_)) | Err(_) => Err(PairingCode::BluetoothUnavailable.of(config)),
    }
}

async fn find_and_pair(
    bus: &Connection,
    config: &BleConfig,
    prompts: mpsc::Sender<Prompt>,
) -> Result<Bonded, PairingError> {
    let device = find(bus, config).await?;
    if device.is_paired {
        return Err(PairingCode::AlreadyBonded.of(config));
    }
    let witness = Arc::new(Witness::default());
    let agent = Agent {
        device: device.path.clone(),
        prompts,
        witness: Arc::clone(&witness),
        withdrawn: Notify::new(),
    };
    let pairing = async {
        bus.object_server().at(AGENT, agent).await?;
        let agents = AgentManager1Proxy::new(bus).await?;
        let path = ObjectPath::from_static_str_unchecked(AGENT);
        agents.register_agent(&path, CAPABILITY).await?;
        let object = Device1Proxy::new(bus, &device.path).await?;
        object.pair().await?;
        object.set_trusted(true).await
    };
    match timeout(PAIR_AT_MOST, pairing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(failure(&error, &witness).of(config)),
        Err(_) => return Err(PairingCode::TimedOut.of(config)),
    }
    match bond_state(config).await? {
        BondState::Bonded { .. } => Ok(Bonded::Here),
        BondState::NotBonded | BondState::Unknown => Err(PairingCode::NotKept.of(config)),
    }
}

async fn unregister(bus: &Connection) -> zbus::Result<()> {
    let path = ObjectPath::from_static_str_unchecked(AGENT);
    let agents = AgentManager1Proxy::new(bus).await?;
    agents.unregister_agent(&path).await
}

/// The device, known to BlueZ or found by a scan. The scan ends with the bus connection at the
/// latest; it ends before the pairing, which it would slow down.
async fn find(bus: &Connection, config: &BleConfig) -> Result<DeviceObject, PairingError> {
    let (adapter, device) = look_up(bus, config).await?;
    if let Some(device) = device {
        return Ok(device);
    }
    let scan = async {
        let filter = HashMap::from([("Transport", Value::from("le"))]);
        let proxy = Adapter1Proxy::new(bus, &adapter.path).await?;
        proxy.set_discovery_filter(filter).await?;
        proxy.start_discovery().await
    };
    match timeout(ANSWER_AT_MOST, scan).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(failure(&error, &Witness::default()).of(config)),
        Err(_) => return Err(PairingCode::BluetoothUnavailable.of(config)),
    }
    let found = wait_for(bus, config).await;
    let _ = timeout(ANSWER_AT_MOST, stop_scan(bus, &adapter)).await;
    found
}

async fn stop_scan(bus: &Connection, adapter: &AdapterObject) -> zbus::Result<()> {
    Adapter1Proxy::new(bus, &adapter.path)
        .await?
        .stop_discovery()
        .await
}

async fn wait_for(bus: &Connection, config: &BleConfig) -> Result<DeviceObject, PairingError> {
    let until = Instant::now() + SEARCH_AT_MOST;
    while Instant::now() < until {
        sleep(LOOK_EVERY).await;
        if let (_, Some(device)) = look_up(bus, config).await? {
            return Ok(device);
        }
    }
    Err(PairingCode::NotFound.of(config))
}

/// What an error of BlueZ means, given what was seen of the pairing. The names are those of
/// `doc/org.bluez.Device.rst`, and those of D-Bus itself for objects and services that are gone.
fn failure(error: &zbus::Error, witness: &Witness) -> PairingCode {
    if witness.refused() {
        return PairingCode::RefusedHere;
    }
    match name_of(error).unwrap_or_default() {
        "org.bluez.Error.AlreadyExists" => PairingCode::AlreadyBonded,
        "org.bluez.Error.AuthenticationCanceled" => PairingCode::Cancelled,
        "org.bluez.Error.AuthenticationFailed" if witness.entered_passkey() => {
            PairingCode::WrongPasskey
        }
        // BlueZ says so of a device that refuses, too, whatever reason that gave.
        "org.bluez.Error.AuthenticationFailed" | "org.bluez.Error.AuthenticationRejected" => {
            PairingCode::RefusedByDevice
        }
        "org.bluez.Error.AuthenticationTimeout" => PairingCode::TimedOut,
        "org.bluez.Error.ConnectionAttemptFailed" => PairingCode::ConnectionFailed,
        "org.bluez.Error.DoesNotExist"
        | "org.freedesktop.DBus.Error.UnknownObject"
        | "org.freedesktop.DBus.Error.UnknownMethod" => PairingCode::NotFound,
        "org.bluez.Error.InProgress" => PairingCode::Busy,
        "org.bluez.Error.NotReady" => PairingCode::AdapterOff,
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.Disconnected" => PairingCode::BluetoothUnavailable,
        _ => PairingCode::Failed,
    }
}

fn name_of(error: &zbus::Error) -> Option<&str> {
    match error {
        zbus::Error::MethodError(name, _, _) => Some(name.as_str()),
        _ => None,
    }
}
