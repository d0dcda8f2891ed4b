//! The link to one peripheral: finding it, connecting, discovering, and why it fell.
//!
//! What is said over the link is its users': reading a paired device ([`super::run`]), and giving a new one
//! its key ([`crate::ble::provision`]).

use super::ANSWER_AT_MOST;
use crate::ble::radio::{self, Radio, radios};
use crate::ble::{BleConfig, discovery, reasons};
use crate::link::LinkReason;
use btleplug::api::{CentralEvent, Peripheral as _, ValueNotification};
use btleplug::platform::{Peripheral, PeripheralId};
use futures_util::stream::{BoxStream, StreamExt as _};
use std::time::Duration;
use tokio::time::timeout;

/// An LE connection is made within seconds or not at all; BlueZ itself gives up after 40 s.
const CONNECT_AT_MOST: Duration = Duration::from_secs(20);
const DISCOVER_AT_MOST: Duration = Duration::from_secs(15);

/// A peripheral that was found, and the adapter that reaches it.
pub(in crate::ble) struct Connection<'a> {
    pub(in crate::ble) config: &'a BleConfig,
    pub(in crate::ble) radio: Radio,
    pub(in crate::ble) peripheral: Peripheral,
}

/// What a link brings.
pub(in crate::ble) struct Streams {
    /// Notified values of what will be subscribed to.
    pub(in crate::ble) values: BoxStream<'static, ValueNotification>,
    /// What happens at the adapter.
    pub(in crate::ble) events: BoxStream<'static, CentralEvent>,
}

impl<'a> Connection<'a> {
    /// Finds the peripheral; it is not connected yet.
    pub(in crate::ble) async fn find(config: &'a BleConfig) -> Result<Connection<'a>, LinkReason> {
        let (radio, peripheral) = discovery::find(config).await?;
        Ok(Connection {
            config,
            radio,
            peripheral,
        })
    }

    /// Connects and discovers the services.
    pub(in crate::ble) async fn open(&self) -> Result<Streams, LinkReason> {
        let events = radio::events(&self.radio).await;
        let mut events = events.ok_or_else(|| reasons::adapter_lost(&self.radio.name))?;
        let id = self.peripheral.id();
        // Connecting includes the discovery of services, during which the link may fall.
        let connected = tokio::select! {
            connected = timeout(CONNECT_AT_MOST, self.peripheral.connect()) => connected,
            () = lost(&mut events, &id) => {
                return Err(self.or_adapter(reasons::discovery_failed(self.config)).await);
            }
        };
        if !matches!(connected, Ok(Ok(()))) {
            return Err(self.or_adapter(reasons::connect_failed(self.config)).await);
        }
        let values = self.discover().await?;
        Ok(Streams { values, events })
    }

    /// Lets the peripheral go, so that it is free for the next connection.
    pub(in crate::ble) async fn close(&self) {
        let _ = timeout(ANSWER_AT_MOST, self.peripheral.disconnect()).await;
    }

    /// Discovers services and opens the stream of values, before anything is subscribed to.
    async fn discover(&self) -> Result<BoxStream<'static, ValueNotification>, LinkReason> {
        let failed = reasons::discovery_failed(self.config);
        let discovered = timeout(DISCOVER_AT_MOST, self.peripheral.discover_services()).await;
        let values = match discovered {
            Ok(Ok(())) => timeout(ANSWER_AT_MOST, self.peripheral.notifications()).await,
            Ok(Err(_)) | Err(_) => return Err(self.or_adapter(failed).await),
        };
        match values {
            Ok(Ok(values)) => Ok(values),
            Ok(Err(_)) | Err(_) => Err(self.or_adapter(failed).await),
        }
    }

    /// Why nothing is to be had: the link fell, or the peripheral wants to be paired.
    pub(in crate::ble) async fn refused(&self) -> LinkReason {
        let refusal = if self.is_up().await {
            reasons::pairing_needed(self.config)
        } else {
            reasons::link_lost(self.config)
        };
        self.or_adapter(refusal).await
    }

    pub(in crate::ble) async fn is_up(&self) -> bool {
        self.link().await == Some(true)
    }

    /// Whether the link stands; `None` if the system does not say.
    pub(in crate::ble) async fn link(&self) -> Option<bool> {
        let answer = timeout(ANSWER_AT_MOST, self.peripheral.is_connected()).await;
        // One that the system does not know any more is not connected.
        answer.ok().map(|answer| answer.unwrap_or(false))
    }

    /// The given reason, unless the adapter is what failed.
    pub(in crate::ble) async fn or_adapter(&self, reason: LinkReason) -> LinkReason {
        match radios().await {
            Ok(radios) => {
                let is_well = |radio: &Radio| radio.name == self.radio.name && radio.is_on;
                if radios.iter().any(is_well) {
                    reason
                } else {
                    reasons::adapter_lost(&self.radio.name)
                }
            }
            Err(unavailable) => unavailable,
        }
    }
}

/// Resolves when the peripheral's link falls, or the adapter tells nothing any more.
async fn lost(events: &mut BoxStream<'static, CentralEvent>, id: &PeripheralId) {
    while let Some(event) = events.next().await {
        if matches!(&event, CentralEvent::DeviceDisconnected(lost) if lost == id) {
            return;
        }
    }
}
