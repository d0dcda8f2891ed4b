//! Links that fall, services that end, values that are none.

use crate::bus::{HEART_RATE, HEART_RATE_MEASUREMENT, SENSOR, config, open, reason, streams};
use bluez_fake::{Fake, lock};
use device_drivers::ble::pairing::{Bonded, Pairing, Step};
use device_drivers::{BleConfig, Event, LinkState, ReasonCode};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::time::sleep;
use zbus::fdo::MonitoringProxy;
use zbus::{Connection, MatchRule, MessageStream};

const ADAPTER: &str = "AA:AA:AA:00:00:01";

async fn with_sensor(service: u16, measured: u16) -> Fake {
    let fake = Fake::start().await;
    fake.plug_in("hci0", ADAPTER, true).await;
    fake.appear("hci0", SENSOR, service, measured).await;
    fake
}

/// Goal: a link that falls before its services are known is named and tried again; the real guest's
/// kernel can crash of it. Method: the first two connections fall.
pub(crate) async fn a_drop_during_discovery_is_survived() {
    let fake = with_sensor(HEART_RATE, HEART_RATE_MEASUREMENT).await;
    lock(&fake.script).drops_in_discovery = 2;
    let device = open(config());
    reason(&device, ReasonCode::DiscoveryFailed).await;
    streams(&device, &fake, "hci0").await;
    device.handle.stop().await;
}

/// Goal: a sensor that has forgotten this host is told apart from a weak signal. Method: a bonded one
/// whose links fall as soon as they are made, as they do when encryption fails; then it is mended.
pub(crate) async fn a_forgotten_bond_is_suspected() {
    let fake = with_sensor(HEART_RATE, HEART_RATE_MEASUREMENT).await;
    let mut pairing = Pairing::start(config());
    assert!(matches!(
        pairing.next().await,
        Step::Ended(Ok(Bonded::Here))
    ));
    lock(&fake.script).drops_in_discovery = u32::MAX;
    let device = open(config());
    reason(&device, ReasonCode::DiscoveryFailed).await;
    reason(&device, ReasonCode::PairingNeeded).await;
    lock(&fake.script).drops_in_discovery = 0;
    streams(&device, &fake, "hci0").await;
    device.handle.stop().await;
}

/// Goal: the end of bluetoothd is named, and its return is enough. Method: the fake ends and begins.
pub(crate) async fn a_service_that_ends_is_named_and_survived() {
    let fake = with_sensor(HEART_RATE, HEART_RATE_MEASUREMENT).await;
    let device = open(config());
    streams(&device, &fake, "hci0").await;
    drop(fake);
    reason(&device, ReasonCode::BluetoothUnavailable).await;
    let fake = with_sensor(HEART_RATE, HEART_RATE_MEASUREMENT).await;
    streams(&device, &fake, "hci0").await;
    device.handle.stop().await;
}

/// Goal: a device that sends nothing and one that sends nonsense are told apart; both recover.
/// Method: ten seconds of silence, then values too short for their flags, then good ones.
pub(crate) async fn silence_and_nonsense_are_told_apart() {
    let fake = with_sensor(HEART_RATE, HEART_RATE_MEASUREMENT).await;
    let mut device = open(config());
    reason(&device, ReasonCode::NothingMeasured).await;
    for number in 0..5 {
        fake.notify("hci0", SENSOR, &[0x01, number]).await;
    }
    reason(&device, ReasonCode::ValuesUnusable).await;
    let mut refused = 0;
    while let Ok(event) = device.events.try_recv() {
        if let Event::Rejected(rejection) = event {
            refused += rejection.frames;
        }
    }
    assert_eq!(refused, 5, "each value that is none is counted");
    streams(&device, &fake, "hci0").await;
    device.handle.stop().await;
}

/// Goal: a device without a known profile, and one that gives nothing away, are named. Method: a
/// generic service; a heart rate that may not be subscribed to.
pub(crate) async fn what_cannot_be_measured_is_named() {
    let fake = with_sensor(0x1801, 0x2a05).await;
    let device = open(config());
    reason(&device, ReasonCode::NoKnownProfile).await;
    device.handle.stop().await;
    drop(fake);

    let fake = with_sensor(HEART_RATE, HEART_RATE_MEASUREMENT).await;
    lock(&fake.script).refuses_notify = true;
    let device = open(config());
    reason(&device, ReasonCode::PairingNeeded).await;
    let mut states = device.state.clone();
    device.handle.stop().await;
    assert!(
        states
            .wait_for(|state| *state == LinkState::Stopped)
            .await
            .is_ok()
    );
}

/// Goal: what a sensor notified before its link fell is received, however soon the link falls afterwards: where no
/// profile numbers it, nothing else would tell of it. Method: a few values and the fall in one breath, again and
/// again.
pub(crate) async fn what_came_before_the_fall_is_received() {
    let fake = with_sensor(HEART_RATE, HEART_RATE_MEASUREMENT).await;
    let mut device = open(config());
    let mut sent = 0;
    for _ in 0..12 {
        while fake.subscription("hci0", SENSOR, 2).await.is_none() {
            tokio::time::sleep(core::time::Duration::from_millis(20)).await;
        }
        for bpm in 60..64 {
            fake.notify("hci0", SENSOR, &[0x00, bpm]).await;
            sent += 1;
        }
        fake.drop_link("hci0", SENSOR).await;
    }
    reason(&device, ReasonCode::ConnectionLost).await;
    device.handle.stop().await;
    let mut received = 0;
    while let Some(event) = device.events.recv().await {
        received += usize::from(matches!(event, Event::Measurement(_)));
    }
    assert_eq!(received, sent);
}

/// Goal: the same where it is the node that ends the link, as it does when it hands the sensor over. Method: a few
/// values and the stop in one breath, again and again.
pub(crate) async fn what_came_before_the_stop_is_received() {
    let fake = with_sensor(HEART_RATE, HEART_RATE_MEASUREMENT).await;
    for _ in 0..6 {
        let mut device = open(config());
        while fake.subscription("hci0", SENSOR, 2).await.is_none() {
            tokio::time::sleep(core::time::Duration::from_millis(20)).await;
        }
        for bpm in 60..70 {
            fake.notify("hci0", SENSOR, &[0x00, bpm]).await;
        }
        device.handle.stop().await;
        let mut received = 0;
        while let Ok(event) = device.events.try_recv() {
            received += usize::from(matches!(event, Event::Measurement(_)));
        }
        assert_eq!(received, 10);
    }
}

/// Goal: sensors that all look for themselves do not ask for the whole ward as often as there are of them. Method:
/// thirty sensors that are not there; the bus counts how often BlueZ is asked for all it knows.
pub(crate) async fn many_that_look_ask_once() {
    const LOOKING: u8 = 30;
    const SECONDS: u64 = 3;
    let fake = Fake::start().await;
    fake.plug_in("hci0", ADAPTER, true).await;
    let absent = |number: u8| {
        let address = format!("C4:F2:17:1A:EE:{number:02X}");
        open(BleConfig::new(address.parse().unwrap()))
    };
    let devices: Vec<_> = (0..LOOKING).map(absent).collect();
    let asked = MatchRule::builder()
        .msg_type(zbus::message::Type::MethodCall)
        .interface("org.freedesktop.DBus.ObjectManager")
        .unwrap()
        .member("GetManagedObjects")
        .unwrap()
        .build();
    let bus = Connection::system().await.unwrap();
    let monitor = MonitoringProxy::new(&bus).await.unwrap();
    monitor.become_monitor(&[asked], 0).await.unwrap();
    let until = sleep(Duration::from_secs(SECONDS));
    let calls = MessageStream::from(bus).take_until(until).count().await;
    for device in devices {
        device.handle.stop().await;
    }
    // Adapters and peripherals, four times a second each, and as much again for a machine that counts late.
    let most = usize::try_from(SECONDS).unwrap() * 2 * 4 * 2;
    assert!((1..=most).contains(&calls), "asked {calls} times");
}
