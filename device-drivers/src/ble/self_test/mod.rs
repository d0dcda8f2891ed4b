//! The self-test of an adapter and of one Bluetooth device: figures, not judgement.
//!
//! ```text
//! listen (all are let go, a scan runs) ─▶ try to connect, again and again ─▶ hold all at once   adapter
//!                                                          └─▶ look inside: services, reads      device
//! ```
//!
//! Only devices that were named are connected to, five at most: strangers' devices are heard, and left
//! alone. Every step is bounded in time. Dropping the test lets go of what it holds. Stop the sessions of
//! the devices before: two that connect at once are in each other's way.
//!
//! What is counted is what the system reports. Some adapters report an unchanged advertisement once in a
//! while only, however often they hear it (the controller filters duplicates; Core Specification, Vol 4,
//! Part E, 7.8.11): they miss the bar, for a program on this machine does hear no more of the device.

mod connect;
mod listen;

use crate::ble::radio::choose;
use crate::ble::{AdapterInfo, BleConfig, PeripheralAddress};
use crate::link::LinkReason;
use crate::self_test::{Check, Finding, Findings, Why};
use connect::{Tries, hold, look_inside, try_all};
use std::time::Duration;
use tokio::sync::watch;

/// Devices that take part, at most: the bar asks for five at once.
pub const DEVICES_AT_MOST: usize = 5;
/// Tries to connect, spread over the devices, unless told otherwise.
pub const TRIES: u32 = 20;
/// How long is listened for advertisements, unless told otherwise.
pub const LISTEN: Duration = Duration::from_secs(10);

/// Percent done after listening, and after the tries.
const LISTENED: u8 = 25;
const TRIED: u8 = 85;

/// What to test, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// The adapter by name or address; `None` for the first that is switched on.
    pub adapter: Option<String>,
    /// The devices to connect to; those after the fifth are left out.
    pub devices: Vec<PeripheralAddress>,
    /// How long to listen for advertisements.
    pub listen: Duration,
    /// How many tries to connect there are in all.
    pub tries: u32,
}

impl SelfTest {
    /// A test with these devices for the usual time.
    #[must_use]
    pub const fn new(adapter: Option<String>, devices: Vec<PeripheralAddress>) -> SelfTest {
        SelfTest {
            adapter,
            devices,
            listen: LISTEN,
            tries: TRIES,
        }
    }

    fn configs(&self) -> Vec<BleConfig> {
        let devices = self.devices.iter().take(DEVICES_AT_MOST);
        let config = |address: &PeripheralAddress| BleConfig {
            adapter: self.adapter.clone(),
            ..BleConfig::new(address.clone())
        };
        devices.map(config).collect()
    }
}

/// The adapter that a test would use.
///
/// # Errors
/// The reason if there is none, or it is off.
pub async fn adapter_in_use(adapter: Option<&str>) -> Result<AdapterInfo, LinkReason> {
    let radio = choose(adapter).await?;
    Ok(AdapterInfo {
        name: radio.name,
        address: radio.address,
        is_on: radio.is_on,
    })
}

/// Measures an adapter; percent done go to `progress`.
///
/// # Errors
/// The reason if there is no such adapter, it is off, or it goes away.
pub async fn test_adapter(
    test: &SelfTest,
    progress: &watch::Sender<u8>,
) -> Result<Findings, LinkReason> {
    let (mut findings, tries) = hear_and_connect(test, progress, Whom::Heard).await?;
    findings.insert(Check::HeldAtOnce, hold(&tries.reached).await);
    progress.send_replace(100);
    Ok(findings)
}

/// Measures one device, the first of the test's; percent done go to `progress`.
///
/// # Errors
/// As [`test_adapter`].
pub async fn test_device(
    test: &SelfTest,
    progress: &watch::Sender<u8>,
) -> Result<Findings, LinkReason> {
    let mut test = test.clone();
    test.devices.truncate(1);
    let (mut findings, tries) = hear_and_connect(&test, progress, Whom::Named).await?;
    let discovery = tries
        .discovery
        .map_or(Finding::NotMeasured(Why::NoConnection), |discovery| {
            Finding::Measured(millis(discovery))
        });
    findings.insert(Check::Discovery, discovery);
    let config = test.configs().into_iter().next();
    let (reads, battery) = match (config, tries.reached.first()) {
        (Some(config), Some(_)) => look_inside(&config).await,
        _ => {
            let none = Finding::NotMeasured(Why::NoConnection);
            (none, none)
        }
    };
    findings.insert(Check::BondedReads, reads);
    findings.insert(Check::Battery, battery);
    progress.send_replace(100);
    Ok(findings)
}

/// Who is connected to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whom {
    /// Of those named who were heard: one that is not near says nothing about an adapter.
    Heard,
    /// Who is named.
    Named,
}

/// What both tests begin with.
async fn hear_and_connect(
    test: &SelfTest,
    progress: &watch::Sender<u8>,
    whom: Whom,
) -> Result<(Findings, Tries), LinkReason> {
    let radio = choose(test.adapter.as_deref()).await?;
    let mut configs = test.configs();
    progress.send_replace(1);
    connect::let_go(&configs).await;
    let wanted: Vec<_> = configs
        .iter()
        .map(|config| config.address.clone())
        .collect();
    let mut heard = listen::listen(&radio, &wanted, test.listen).await?;
    let mut tries = test.tries;
    if whom == Whom::Heard && !wanted.is_empty() {
        let is_near = |at: usize| heard.get(at).is_some_and(|heard| heard.count > 0);
        configs = configs
            .into_iter()
            .enumerate()
            .filter_map(|(at, config)| is_near(at).then_some(config))
            .collect();
        heard.retain(|heard| heard.count > 0);
    } else if heard.iter().all(|heard| heard.count == 0) {
        // It may advertise to its host only, or be away.
        tries = tries.min(2);
    }
    progress.send_replace(LISTENED);
    let mut findings = Findings::from(listen::findings(&heard, test.listen));
    let tries = try_all(&configs, tries, |done| {
        let share = u64::from(TRIED - LISTENED) * u64::from(done) / u64::from(tries.max(1));
        progress.send_replace(LISTENED + u8::try_from(share).unwrap_or(0));
    })
    .await?;
    findings.extend(tries.findings());
    Ok((findings, tries))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
