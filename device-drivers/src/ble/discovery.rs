//! Scanning, shared, and finding one peripheral by it.
//!
//! BlueZ counts discovery by D-Bus client, and this process is one client: whoever stops it would
//! stop it for all. So each user holds a [`Discovery`], and the last one to drop it stops the scan.
//! Starting again while others scan is harmless, and heals a scan that ended with its adapter.

use crate::ble::radio::{self, Radio, choose};
use crate::ble::{BleConfig, PeripheralAddress, reasons};
use crate::link::LinkReason;
use btleplug::api::{Central as _, ScanFilter};
use btleplug::platform::{Adapter, Peripheral};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

const CALL_AT_MOST: Duration = Duration::from_secs(5);
/// Medical devices advertise at least once in about a second while they want a connection.
const SEARCH_AT_MOST: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How many scan through each adapter, by its name.
static USERS: Mutex<BTreeMap<String, usize>> = Mutex::const_new(BTreeMap::new());

/// A running scan. Dropping the last one of an adapter ends its scan.
#[derive(Debug)]
pub(super) struct Discovery {
    name: String,
    adapter: Adapter,
}

impl Discovery {
    /// Scans through an adapter that is on. (btleplug would switch one on that is off.)
    pub(super) async fn start(radio: &Radio) -> Result<Discovery, LinkReason> {
        let mut users = USERS.lock().await;
        let count = users.entry(radio.name.clone()).or_default();
        let started = timeout(
            CALL_AT_MOST,
            radio.adapter.start_scan(ScanFilter::default()),
        );
        match started.await {
            Ok(Ok(())) => {}
            Ok(Err(_)) if *count > 0 => {}
            Ok(Err(_)) | Err(_) => return Err(reasons::adapter_lost(&radio.name)),
        }
        *count += 1;
        Ok(Discovery {
            name: radio.name.clone(),
            adapter: radio.adapter.clone(),
        })
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        let (name, adapter) = (core::mem::take(&mut self.name), self.adapter.clone());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let mut users = USERS.lock().await;
                let left = users.get(&name).map_or(0, |count| count.saturating_sub(1));
                if left > 0 {
                    users.insert(name, left);
                    return;
                }
                users.remove(&name);
                // An adapter that is gone scans no more.
                let _ = timeout(CALL_AT_MOST, adapter.stop_scan()).await;
            });
        }
    }
}

/// The configured peripheral: known to the system, or found by a scan.
///
/// # Errors
/// The reason: no usable adapter, or the peripheral is not to be heard.
pub(super) async fn find(config: &BleConfig) -> Result<(Radio, Peripheral), LinkReason> {
    let radio = choose(config.adapter.as_deref()).await?;
    if let Some(peripheral) = known(&radio, &config.address, Duration::ZERO).await? {
        return Ok((radio, peripheral));
    }
    let _scan = Discovery::start(&radio).await?;
    let until = Instant::now() + SEARCH_AT_MOST;
    while Instant::now() < until {
        sleep(LOOK_EVERY).await;
        if let Some(peripheral) = known(&radio, &config.address, LOOK_EVERY).await? {
            return Ok((radio, peripheral));
        }
    }
    Err(reasons::not_found(config))
}

/// The configured peripheral, if the system knows it now.
///
/// # Errors
/// The reason: no usable adapter.
pub(super) async fn find_known(config: &BleConfig) -> Result<Option<Peripheral>, LinkReason> {
    let radio = choose(config.adapter.as_deref()).await?;
    known(&radio, &config.address, Duration::ZERO).await
}

async fn known(
    radio: &Radio,
    address: &PeripheralAddress,
    ago: Duration,
) -> Result<Option<Peripheral>, LinkReason> {
    let peripherals = radio::peripherals(radio, ago).await?;
    let is_it = |peripheral: &Peripheral| PeripheralAddress::of(peripheral) == *address;
    Ok(peripherals.into_iter().find(is_it))
}
