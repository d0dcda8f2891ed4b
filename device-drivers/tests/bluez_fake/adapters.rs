//! Adapters that are missing, off, several, lost, and back; scanning.

use crate::bus::{HEART_RATE, HEART_RATE_MEASUREMENT, SENSOR, SOON, config, open, reason, streams};
use bluez_fake::{Fake, lock};
use device_drivers::ble::{AdapterInfo, Scanner, list_adapters, watch_adapters};
use device_drivers::gatt::Service;
use device_drivers::{LinkState, ReasonCode};
use std::time::Duration;
use tokio::time::timeout;

const FIRST: &str = "AA:AA:AA:00:00:01";
const SECOND: &str = "AA:AA:AA:00:00:02";

/// Goal: each state of the adapter is named, the driver goes on by itself when it is mended, and
/// switches nothing on of its own accord. Method: one device through all of them.
pub(crate) async fn an_adapter_is_missing_off_lost_and_back() {
    let fake = Fake::start().await;
    let mut device = open(config());
    reason(&device, ReasonCode::AdapterMissing).await;

    fake.plug_in("hci0", FIRST, false).await;
    reason(&device, ReasonCode::AdapterOff).await;
    assert!(!lock(&fake.script).powered_by_client, "off stays off");

    fake.switch("hci0", true).await;
    fake.appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    streams(&device, &fake, "hci0").await;
    assert_eq!(*device.handle.signal().borrow(), Some(-50));

    fake.vanish("hci0", SENSOR).await;
    fake.pull_out("hci0").await;
    reason(&device, ReasonCode::AdapterLost).await;
    assert_eq!(*device.handle.signal().borrow(), None);
    while device.events.try_recv().is_ok() {}

    fake.plug_in("hci0", FIRST, true).await;
    fake.appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    streams(&device, &fake, "hci0").await;
    device.handle.stop().await;
}

/// Goal: of several adapters the chosen one is used, by name or address; without a choice, one that
/// is on. Method: two adapters, the sensor at the second, which is listed last.
pub(crate) async fn the_chosen_adapter_is_used() {
    let fake = Fake::start().await;
    fake.plug_in("hci0", FIRST, false).await;
    fake.plug_in("hci1", SECOND, true).await;
    fake.appear("hci1", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    let info = |name: &str, address: &str, is_on| AdapterInfo {
        name: name.to_owned(),
        address: Some(address.to_owned()),
        is_on,
    };
    let listed = [info("hci0", FIRST, false), info("hci1", SECOND, true)];
    assert_eq!(list_adapters().await.unwrap(), listed);

    for (adapter, found) in [
        (None, None),
        (Some("hci1"), None),
        (Some("aa:aa:aa:00:00:02"), None),
        (Some("hci0"), Some(ReasonCode::AdapterOff)),
        (Some("hci7"), Some(ReasonCode::AdapterMissing)),
    ] {
        let mut config = config();
        config.adapter = adapter.map(str::to_owned);
        let device = open(config);
        match found {
            Some(code) => reason(&device, code).await,
            None => streams(&device, &fake, "hci1").await,
        }
        device.handle.stop().await;
    }

    let mut watched = watch_adapters();
    let is_listed =
        |adapters: &Result<Vec<AdapterInfo>, _>| matches!(adapters, Ok(found) if *found == listed);
    timeout(SOON, watched.wait_for(is_listed))
        .await
        .unwrap()
        .unwrap();
    fake.pull_out("hci0").await;
    let one =
        |adapters: &Result<Vec<AdapterInfo>, _>| matches!(adapters, Ok(found) if found.len() == 1);
    timeout(SOON, watched.wait_for(one)).await.unwrap().unwrap();
}

/// Goal: a scan waits for its adapter, stops asking it when dropped, and cleans foreign names.
/// Method: an adapter that is off, then on.
pub(crate) async fn the_scanner_says_why_it_does_not_scan() {
    let fake = Fake::start().await;
    fake.plug_in("hci0", FIRST, false).await;
    let mut scanner = Scanner::start(None);
    let is_off = |state: &LinkState| {
        state
            .reason()
            .is_some_and(|reason| reason.code == ReasonCode::AdapterOff)
    };
    timeout(SOON, scanner.state.wait_for(is_off))
        .await
        .unwrap()
        .unwrap();
    assert!(!lock(&fake.script).powered_by_client, "off stays off");

    fake.switch("hci0", true).await;
    let scans = scanner
        .state
        .wait_for(|state| *state == LinkState::Streaming);
    timeout(SOON, scans).await.unwrap().unwrap();
    fake.appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    let one = scanner.devices.wait_for(|devices| devices.len() == 1);
    let found = timeout(SOON, one).await.unwrap().unwrap()[0].clone();
    assert_eq!(found.name.as_deref(), Some("Fake Sensor"));
    assert!(found.services.contains(&Service::HeartRate));
    assert_eq!(found.rssi_dbm, Some(-50));

    drop(scanner);
    let begun = tokio::time::Instant::now();
    while lock(&fake.script).scans > 0 {
        assert!(begun.elapsed() < SOON, "the scan goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Goal: a crowd, or somebody who makes one up, fills no memory. Method: 300 devices advertise.
pub(crate) async fn the_inbox_of_a_crowd_is_bounded() {
    let fake = Fake::start().await;
    fake.plug_in("hci0", FIRST, true).await;
    let mut scanner = Scanner::start(None);
    let scans = scanner
        .state
        .wait_for(|state| *state == LinkState::Streaming);
    timeout(SOON, scans).await.unwrap().unwrap();
    for number in 0..300_u32 {
        let address = format!("C0:00:00:00:{:02X}:{:02X}", number / 256, number % 256);
        fake.appear("hci0", &address, 0x1800, 0x2a00).await;
    }
    fake.appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    let full = scanner.devices.wait_for(|devices| {
        devices.len() >= 200
            && devices
                .iter()
                .any(|device| device.address.as_str() == SENSOR)
    });
    timeout(SOON, full)
        .await
        .expect("the sensor among the crowd")
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let devices = scanner.devices.borrow().clone();
    assert!(devices.len() <= 256, "{}", devices.len());
    assert_eq!(devices[0].address.as_str(), SENSOR, "medical devices first");
}
