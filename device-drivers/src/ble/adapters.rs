//! Which Bluetooth adapters there are, and watching them come, go, and be switched.

use crate::ble::radio;
use crate::link::LinkReason;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::watch;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A Bluetooth adapter of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdapterInfo {
    /// The system's name, `hci0` and so on on Linux.
    pub name: String,
    /// Its Bluetooth address, where the system tells. Stays with the adapter, unlike the name.
    pub address: Option<String>,
    /// Whether it is switched on.
    pub is_on: bool,
}

/// The adapters, ordered by name.
///
/// # Errors
/// The reason if the system's Bluetooth service is missing or silent (BLE-01). No adapter is no
/// error.
pub async fn list_adapters() -> Result<Vec<AdapterInfo>, LinkReason> {
    let radios = radio::radios().await?;
    let info = |radio: radio::Radio| AdapterInfo {
        name: radio.name,
        address: radio.address,
        is_on: radio.is_on,
    };
    Ok(radios.into_iter().map(info).collect())
}

/// The adapters now and whenever they change. Looks once a second while a receiver lives, and ends
/// with the last one. Must be called within a tokio runtime with I/O and time enabled.
#[must_use]
pub fn watch_adapters() -> watch::Receiver<Result<Vec<AdapterInfo>, LinkReason>> {
    let (sender, receiver) = watch::channel(Ok(Vec::new()));
    tokio::spawn(async move {
        loop {
            let adapters = list_adapters().await;
            sender.send_if_modified(|known| {
                let is_new = *known != adapters;
                *known = adapters;
                is_new
            });
            tokio::select! {
                () = sender.closed() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    });
    receiver
}
