//! Adapters, scanning, and connections: values, drops, reconnections.

use crate::steps::{SOON, config, next, open, pick, state, until};
use bluez_rig::Rig;
use device_drivers::ble::{Scanner, list_adapters};
use device_drivers::gatt::Service;
use device_drivers::{Device, Event, Metric, PairingKey, Quality, ReasonCode, SourceConfig, Value};
use fogward_level0::{
    Chunk, DeviceId, FrameReader, HostMessage, MAX_WIRE, Outgoing, Reading, metric, quality,
};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Bits 96 to 111 of the UUID of the Nordic UART Service's notified characteristic.
const UART_TX: u16 = 0x0003;

/// Goal: the adapter is listed as it is. Method: the guest's only one.
pub(crate) async fn adapters_are_listed(_rig: &Rig) {
    let adapters = list_adapters().await.unwrap();
    assert_eq!(adapters.len(), 1);
    assert_eq!(adapters[0].name, "hci0");
    assert_eq!(adapters[0].address.as_deref(), Some("AA:AA:AA:00:00:01"));
    assert!(adapters[0].is_on);
}

/// Goal: what advertises is found with its name, services and signal. Method: all four sensors.
pub(crate) async fn a_scan_finds_all_sensors(rig: &Rig) {
    let sensors = [rig.wrist(), rig.cuff(), rig.glucometer(), rig.keypad()];
    for sensor in sensors {
        sensor.advertise(true).unwrap();
    }
    let mut scanner = Scanner::start(None);
    let all = scanner
        .devices
        .wait_for(|devices| devices.len() == sensors.len());
    let devices = timeout(SOON, all)
        .await
        .expect("four devices")
        .unwrap()
        .clone();
    for (sensor, name, service) in [
        (rig.wrist(), "Rig Wrist", Service::HeartRate),
        (rig.cuff(), "Rig Cuff", Service::BloodPressure),
        (rig.glucometer(), "Rig Glucometer", Service::Glucose),
        (rig.keypad(), "Rig Keypad", Service::HealthThermometer),
    ] {
        let is_it =
            |device: &&device_drivers::ble::Discovered| device.address.as_str() == sensor.address();
        let found = devices.iter().find(is_it).expect(name);
        assert_eq!(found.name.as_deref(), Some(name));
        assert!(found.services.contains(&service), "{name}");
        assert!(
            found
                .rssi_dbm
                .is_some_and(|rssi| (-127..=20).contains(&rssi))
        );
        assert!(found.first_seen_millis <= found.last_seen_millis);
    }
}

/// Goal: values arrive, exact, by notification and indication, without a pairing where none is
/// needed, and nothing that needs one. Method: the wrist sends the worked examples of three profiles.
pub(crate) async fn an_unpaired_sensor_streams(rig: &Rig) {
    let wrist = rig.wrist();
    let mut device = open(wrist);
    wrist.stream(Duration::from_millis(250)).unwrap();
    state(&device, "streaming").await;
    while let Ok(event) = device.events.try_recv() {
        if let Event::Device(info) = event {
            assert_eq!(info.serial_number, None, "it needs encryption");
        }
    }
    for (metric, value) in [
        (Metric::HeartRate, Value::whole(80)),
        (Metric::SpO2, Value::whole(98)),
        (Metric::PulseRate, Value::whole(64)),
    ] {
        let measured = next(&mut device, metric).await;
        assert_eq!(measured.value, value, "{metric}");
        assert_eq!(measured.quality, Quality::Good);
        assert!(!measured.simulated && !measured.authenticated);
    }
    let temperature = next(&mut device, Metric::BodyTemperature).await;
    assert_eq!(
        temperature.value,
        Value::Quantity {
            mantissa: 364,
            exponent: -1
        }
    );
    wrist.stream(Duration::ZERO).unwrap();
    device.handle.stop().await;
    until("let go", || !wrist.state().unwrap().connected).await;
}

/// Goal: a bonded link is encrypted, so that what needs it can be read, and after a drop comes back
/// encrypted without a person. Method: the wrist's serial number; the wrist hangs up; the time until its
/// next value is told.
pub(crate) async fn a_bonded_link_is_encrypted_and_comes_back(rig: &Rig) {
    let wrist = rig.wrist();
    let mut device = open(wrist);
    let serial = pick(&mut device, "serial number", |event| match event {
        Event::Device(info) => info.serial_number,
        _ => None,
    });
    assert_eq!(serial.await, "SN-0001");
    wrist.stream(Duration::from_millis(250)).unwrap();
    next(&mut device, Metric::HeartRate).await;
    assert!(wrist.state().unwrap().encrypted);

    let begun = Instant::now();
    wrist.drop_link().unwrap();
    let lost = state(&device, "disconnected").await;
    assert_eq!(lost.reason().unwrap().code, ReasonCode::ConnectionLost);
    assert!(lost.reason().unwrap().retry_millis.is_some());
    while device.events.try_recv().is_ok() {}
    next(&mut device, Metric::HeartRate).await;
    eprintln!("  back after {:.1} s", begun.elapsed().as_secs_f64());
    let again = wrist.state().unwrap();
    assert!(again.connected && again.encrypted);
    assert_eq!(again.bonds, 1);
    wrist.stream(Duration::ZERO).unwrap();
    device.handle.stop().await;
}

/// Goal: a cuff's indication arrives whole over an authenticated link. Method: the specification's example, 120/80, from the
/// cuff.
pub(crate) async fn indications_arrive_from_a_cuff(rig: &Rig) {
    let cuff = rig.cuff();
    let mut device = open(cuff);
    cuff.stream(Duration::from_millis(250)).unwrap();
    for (metric, value) in [
        (Metric::BloodPressureSystolic, 120),
        (Metric::BloodPressureDiastolic, 80),
        (Metric::BloodPressureMean, 93),
        (Metric::HeartRate, 72),
    ] {
        let measured = next(&mut device, metric).await;
        assert_eq!(measured.value, Value::whole(value), "{metric}");
    }
    assert!(cuff.state().unwrap().encrypted);
    cuff.stream(Duration::ZERO).unwrap();
    device.handle.stop().await;
}

/// Goal: stored records are fetched once, with the device's time, and only those that are not durable
/// yet. Method: the glucose meter's two records, all of them and then those after the first.
pub(crate) async fn stored_records_are_fetched_once(rig: &Rig) {
    for (floor, sequences) in [(None, vec![1, 2]), (Some(1), vec![2])] {
        let mut config = config(rig.glucometer());
        config.replay_floor = floor;
        let mut device = Device::open(SourceConfig::Ble(config)).unwrap();
        for sequence in sequences {
            let measured = next(&mut device, Metric::GlucoseMass).await;
            assert_eq!(measured.sequence, Some(sequence));
            assert!(measured.device_time_millis.is_some());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        while let Ok(event) = device.events.try_recv() {
            assert!(!matches!(event, Event::Measurement(_)), "nothing twice");
        }
        device.handle.stop().await;
    }
}

/// Goal: a level-0 frame goes up and down over the real attribute protocol, in pieces of the MTU that was agreed
/// on. Method: the firmware's code behind the pod's two characteristics; a reading, its acknowledgement, and how
/// long that takes from the moment the host knows.
pub(crate) async fn a_level0_line_goes_both_ways(rig: &Rig) {
    let (pod, key) = (rig.pod(), PairingKey::from_bytes([0x5a; 32]));
    pod.advertise(true).unwrap();
    let mut config = config(pod);
    config.key = Some(key.clone().into());
    let mut device = Device::open(SourceConfig::Ble(config)).unwrap();
    let mut sensor = fogward_level0::Sensor::new(DeviceId([8; 8]), key, 1);
    let mut ears = FrameReader::default();
    let mut wire = [0; MAX_WIRE];
    let reading = Reading {
        metric: metric::SPO2,
        quality: quality::GOOD,
        mantissa: 97,
        exponent: 0,
    };
    let message = Outgoing::Readings {
        time_millis: None,
        readings: &[reading],
    };
    until("connected", || pod.state().unwrap().connected).await;
    let sequence = loop {
        let length = sensor.seal(&message, &mut wire).unwrap();
        pod.send(UART_TX, &wire[..length]).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if let Ok(Event::Measurement(measured)) = device.events.try_recv() {
            assert!(measured.authenticated);
            break measured.sequence.unwrap();
        }
    };
    let begun = Instant::now();
    device.handle.ack(sequence);
    let mut heard = Vec::new();
    while !heard.contains(&HostMessage::Ack { durable: sequence }) {
        assert!(begun.elapsed() < SOON, "{heard:?} and no acknowledgement");
        tokio::time::sleep(Duration::from_millis(1)).await;
        for piece in pod.heard().unwrap() {
            for byte in piece {
                if let Some(Chunk::Frame(frame)) = ears.push(byte) {
                    heard.push(sensor.open(frame).unwrap());
                }
            }
        }
    }
    eprintln!("  acknowledged after {} ms", begun.elapsed().as_millis());
    assert_eq!(heard[0], HostMessage::Identify);
    pod.advertise(false).unwrap();
    device.handle.stop().await;
}
