//! Pairing with a level-0 device in the air that has only its one-time code: the exchange of
//! `docs/level0-protocol.md`, *Pairing over the line*, on the line that its two characteristics are.
//!
//! One connection, from finding the device to its proven key. A link that falls ends the try; the next one
//! goes on with the stored key. It leaves out bonding: the exchange is sealed by the code, and a device that
//! answers only under a bond is paired by [`super::pairing`] first.

use super::session::{Connection, carry, open_line};
use super::{BleConfig, reasons};
use crate::line::provision::{Failed, ProvisionError, Provisioned, exchange};
use btleplug::api::Peripheral as _;
use btleplug::platform::Peripheral;
use fogward_level0::{DeviceId, HostKey, MAX_WIRE, Provisioning};
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How long the system may take to let go.
const LET_GO_AT_MOST: Duration = Duration::from_secs(5);

/// Pairs the device at the address of `config`, for at most `within` once its line is open; finding and
/// connecting to it is bounded by itself. Dropped before its end, it lets the device go.
///
/// `store` is called upon each offer, before it is answered, with the device and the key, always the
/// same, and its future is awaited; false if the key could not be stored.
///
/// # Errors
/// [`ProvisionError`] says what failed; a link that wants a bond is
/// [`ReasonCode::PairingNeeded`](crate::ReasonCode::PairingNeeded).
pub async fn provision<Stored: Future<Output = bool>>(
    config: &BleConfig,
    pairing: Provisioning,
    store: impl FnMut(DeviceId, HostKey) -> Stored,
    within: Duration,
) -> Result<Provisioned, ProvisionError> {
    let exchanged = over_the_air(config, pairing, store, within);
    // A fault in the Bluetooth library is the end of this try and of nothing else.
    let ended = AssertUnwindSafe(exchanged).catch_unwind().await;
    ended.unwrap_or_else(|_panic| Err(ProvisionError::Link(reasons::driver_failed(config))))
}

async fn over_the_air<Stored: Future<Output = bool>>(
    config: &BleConfig,
    pairing: Provisioning,
    store: impl FnMut(DeviceId, HostKey) -> Stored,
    within: Duration,
) -> Result<Provisioned, ProvisionError> {
    let found = Connection::find(config).await;
    let connection = found.map_err(ProvisionError::Link)?;
    let held = Held(Some(connection.peripheral.clone()));
    let ended = on(&connection, pairing, store, within).await;
    // Before the device is read, or tried again.
    connection.close().await;
    held.release();
    ended
}

async fn on<Stored: Future<Output = bool>>(
    connection: &Connection<'_>,
    pairing: Provisioning,
    store: impl FnMut(DeviceId, HostKey) -> Stored,
    within: Duration,
) -> Result<Provisioned, ProvisionError> {
    let opened = connection.open().await;
    let mut streams = opened.map_err(ProvisionError::Link)?;
    let uart = open_line(connection).await;
    let uart = uart.map_err(ProvisionError::Link)?;
    let (line, far_end) = tokio::io::duplex(MAX_WIRE);
    let exchanged = exchange(line, pairing, store, within);
    let carried = carry(&uart, &mut streams, far_end, |_dbm| {});
    match tokio::join!(exchanged, carried).0 {
        Ok(provisioned) => Ok(provisioned),
        Err(Failed::Named(error)) => Err(error),
        Err(Failed::LineBroke) => Err(ProvisionError::Link(connection.refused().await)),
    }
}

/// A peripheral that is let go of when this is dropped.
struct Held(Option<Peripheral>);

impl Held {
    fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (Some(peripheral), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move { timeout(LET_GO_AT_MOST, peripheral.disconnect()).await });
        }
    }
}
