//! *Is it mine?*: makes a Bluetooth device blink or beep for some seconds.
//!
//! The locator's side of the Find Me profile (FMP 1.0): upon a request, write *mild alert* to the
//! Alert Level (2A06) of the Immediate Alert service (IAS 1.0), wait, and write *no alert*; a link of
//! its own that falls ends the alert, too (IAS 1.0, 3.1). A link that a session holds is used and left as it
//! is. It leaves out *high alert*: a bedside wants no siren.

use crate::ble::{BleConfig, assigned_number, discovery, reasons};
use crate::gatt::uuid::ALERT_LEVEL;
use crate::link::LinkReason;
use btleplug::api::{CharPropFlags, Characteristic, Peripheral as _, WriteType};
use btleplug::platform::Peripheral;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const CONNECT_AT_MOST: Duration = Duration::from_secs(20);
const DISCOVER_AT_MOST: Duration = Duration::from_secs(15);
const ANSWER_AT_MOST: Duration = Duration::from_secs(5);

/// How long a device shows itself.
pub const SHOWN_FOR: Duration = Duration::from_secs(5);

const NO_ALERT: [u8; 1] = [0];
const MILD_ALERT: [u8; 1] = [1];

/// Makes the device show itself for [`SHOWN_FOR`]; answers when it has ended.
///
/// # Errors
/// The reason: it is not to be heard, does not connect, or has no Immediate Alert service
/// ([`crate::ReasonCode::NotIdentifiable`]).
pub async fn identify(config: &BleConfig) -> Result<(), LinkReason> {
    let (_, peripheral) = discovery::find(config).await?;
    let is_ours = !is_connected(&peripheral).await;
    if is_ours {
        let connected = timeout(CONNECT_AT_MOST, peripheral.connect()).await;
        if !matches!(connected, Ok(Ok(()))) {
            let _ = timeout(ANSWER_AT_MOST, peripheral.disconnect()).await;
            return Err(reasons::connect_failed(config));
        }
    }
    let shown = show(config, &peripheral).await;
    if is_ours {
        // It may have hung up by itself.
        let _ = timeout(ANSWER_AT_MOST, peripheral.disconnect()).await;
    }
    shown
}

async fn show(config: &BleConfig, peripheral: &Peripheral) -> Result<(), LinkReason> {
    let discovered = timeout(DISCOVER_AT_MOST, peripheral.discover_services()).await;
    if !matches!(discovered, Ok(Ok(()))) {
        return Err(reasons::discovery_failed(config));
    }
    let mut offered = peripheral.services().into_iter();
    let alert = offered.find_map(|service| {
        let mut characteristics = service.characteristics.into_iter();
        characteristics.find(|one| assigned_number(&one.uuid) == Some(ALERT_LEVEL))
    });
    let alert = alert.ok_or_else(|| reasons::not_identifiable(config))?;
    write(config, peripheral, &alert, &MILD_ALERT).await?;
    sleep(SHOWN_FOR).await;
    write(config, peripheral, &alert, &NO_ALERT).await
}

/// The service prescribes writing without a response (IAS 1.0, 3.1); a device that has it otherwise is
/// written to as it offers.
async fn write(
    config: &BleConfig,
    peripheral: &Peripheral,
    alert: &Characteristic,
    level: &[u8],
) -> Result<(), LinkReason> {
    let is_silent = alert
        .properties
        .contains(CharPropFlags::WRITE_WITHOUT_RESPONSE);
    let kind = match is_silent {
        true => WriteType::WithoutResponse,
        false => WriteType::WithResponse,
    };
    match timeout(ANSWER_AT_MOST, peripheral.write(alert, level, kind)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) if is_connected(peripheral).await => {
            Err(reasons::not_identifiable(config))
        }
        Ok(Err(_)) | Err(_) => Err(reasons::link_lost(config)),
    }
}

async fn is_connected(peripheral: &Peripheral) -> bool {
    let answer = timeout(ANSWER_AT_MOST, peripheral.is_connected()).await;
    matches!(answer, Ok(Ok(true)))
}
