//! The inbox of discovered devices, which strangers fill.

use crate::NOW;
use device_drivers::PeripheralAddress;
use device_drivers::ble::{Inbox, Sighting};
use device_drivers::gatt::Service;
use std::collections::BTreeSet;

fn sighting(number: u32, name: Option<&str>, services: &[Service], rssi: i16) -> Sighting {
    Sighting {
        address: address(number),
        name: name.map(str::to_owned),
        services: services.iter().copied().collect(),
        rssi_dbm: Some(rssi),
    }
}

fn address(number: u32) -> PeripheralAddress {
    let [_, high, middle, low] = number.to_be_bytes();
    let text = format!("C0:00:00:{high:02X}:{middle:02X}:{low:02X}");
    text.parse().unwrap()
}

/// Goal: one entry per device, with the newest of each fact and both times. Method: three sightings
/// that each lack something.
#[test]
fn sightings_of_a_device_add_up() {
    let mut inbox = Inbox::default();
    inbox.note(sighting(1, None, &[Service::HeartRate], -70), NOW);
    inbox.note(sighting(1, Some("Wrist"), &[], -60), NOW + 1_000);
    let mut last = sighting(1, None, &[Service::Battery], 0);
    last.rssi_dbm = None;
    inbox.note(last, NOW + 2_000);
    let [device] = &inbox.devices()[..] else {
        panic!("one device");
    };
    assert_eq!(device.name.as_deref(), Some("Wrist"));
    let services = BTreeSet::from([Service::HeartRate, Service::Battery]);
    assert_eq!(device.services, services);
    assert_eq!(device.rssi_dbm, Some(-60));
    assert_eq!(device.first_seen_millis, NOW);
    assert_eq!(device.last_seen_millis, NOW + 2_000);
}

/// Goal: what was not heard for 30 s has left, and what was is still there. Method: both sides of the
/// limit, and a clock that was set back.
#[test]
fn who_is_not_heard_leaves() {
    let mut inbox = Inbox::default();
    inbox.note(sighting(1, None, &[], -70), NOW);
    inbox.age(NOW + 30_000);
    assert_eq!(inbox.devices().len(), 1);
    inbox.age(NOW - 1_000_000);
    assert_eq!(inbox.devices().len(), 1);
    inbox.age(NOW + 30_001);
    assert_eq!(inbox.devices().len(), 0);
    inbox.age(i64::MIN);
}

/// Goal: a flood of made-up devices stays in its bounds and does not push a sensor out. Method: one
/// sensor, then 10,000 strangers, each heard later than it.
#[test]
fn a_flood_pushes_no_sensor_out() {
    let mut inbox = Inbox::default();
    inbox.note(sighting(0, None, &[Service::Glucose], -90), NOW);
    for number in 1..=10_000_u32 {
        inbox.note(sighting(number, None, &[], -30), NOW + i64::from(number));
        assert!(inbox.devices().len() <= 256);
    }
    let devices = inbox.devices();
    assert_eq!(devices.len(), 256);
    assert_eq!(devices[0].address, address(0), "medical devices come first");
    let heard: BTreeSet<_> = devices.iter().map(|device| &device.address).collect();
    assert!(
        heard.contains(&address(10_000)),
        "the newest stranger is in"
    );
    assert!(!heard.contains(&address(1)), "the oldest is out");
}

/// Goal: a stranger's name is fit to be shown. Method: control characters, endless names, none.
#[test]
fn foreign_names_are_cleaned() {
    for (name, shown) in [
        ("Wrist\u{1b}[2J\n", Some("Wrist[2J".to_owned())),
        (&"é".repeat(1_000), Some("é".repeat(64))),
        ("\u{7}\r\n ", None),
        ("", None),
    ] {
        let mut inbox = Inbox::default();
        inbox.note(sighting(1, Some(name), &[], -70), NOW);
        assert_eq!(inbox.devices()[0].name, shown);
    }
}
