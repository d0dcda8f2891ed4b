//! Goal: a device of each class that has only a one-time code is paired over its line, through
//! resets on both sides, and takes the code once. Method: the real firmware in QEMU and the real
//! port, with a host that fails before it answers.

use crate::machine::Machine;
use crate::pty::Sensor as Line;
use device_drivers::serial::provision;
use device_drivers::{
    Device, Event, HostKey, PairingKey, Profile, ProvisionError, Provisioned, ReasonCode,
    SerialConfig, SourceConfig,
};
use fogward_level0::{
    Authentication, DeviceId, MAX_WIRE, Offer, PairingCode, Provisioning, Unpaired,
};
use std::time::Duration;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

/// The code of the example firmware, vector 12 of the protocol.
fn code() -> PairingCode {
    "000G-40R4-0M30-E209-185G-R38E-1W0H".parse().unwrap()
}

fn secret() -> PairingKey {
    PairingKey::from_bytes([0x5a; 32])
}

fn takes_any(_: DeviceId, _: HostKey) -> std::future::Ready<bool> {
    std::future::ready(true)
}

async fn pair(
    machine: &Machine,
    pairing: Provisioning,
    stored: &mut Option<HostKey>,
    can_store: bool,
) -> Result<Provisioned, ProvisionError> {
    let store = |_, key: HostKey| {
        *stored = Some(key);
        std::future::ready(can_store)
    };
    provision(machine.path(), pairing, store, SOON).await
}

/// The number of the next reading under a key.
async fn next_sequence(machine: &Machine, key: &HostKey, replay_floor: Option<u64>) -> u64 {
    let mut config = SerialConfig::new(machine.path(), Profile::FogwardLevel0);
    config.key = Some(key.clone());
    config.replay_floor = replay_floor;
    let mut device = Device::open(SourceConfig::Serial(config)).unwrap();
    let heard = timeout(SOON, async {
        loop {
            if let Event::Measurement(measured) = device.events.recv().await.unwrap() {
                assert!(measured.authenticated);
                return measured.sequence.unwrap();
            }
        }
    });
    let sequence = heard.await.expect("a reading in time");
    device.handle.stop().await;
    sequence
}

async fn check_pairing(class: &str, authentication: Authentication) {
    let machine = Machine::load(&format!("pairing-{class}"));
    machine.run();
    let mut stored = None;
    let other = Provisioning::new(&PairingCode::from_bytes([1; 16]), secret());
    let refused = pair(&machine, other, &mut stored, true).await;
    assert_eq!(refused.unwrap_err(), ProvisionError::NotThisCode);
    assert!(stored.is_none());

    // The host hears the offer and fails before it answers; the device is reset meanwhile.
    let first = Provisioning::new(&code(), secret());
    let failed = pair(&machine, first, &mut stored, false).await;
    assert_eq!(failed.unwrap_err(), ProvisionError::NotStored);
    machine.reset();
    let kept = stored.clone().unwrap();
    let again = Provisioning::resume(&code(), kept.clone());
    let paired = pair(&machine, again, &mut stored, true).await.unwrap();
    assert_eq!(paired.key.authentication(), authentication);
    assert_eq!(paired.key.expose(), kept.expose());

    let floor = paired.counter.checked_sub(1);
    let sequence = next_sequence(&machine, &paired.key, floor).await;
    assert_eq!(sequence >> 32, paired.counter >> 32);

    machine.reset();
    let later = next_sequence(&machine, &paired.key, Some(sequence)).await;
    assert!(
        later >> 32 > sequence >> 32,
        "it kept its key and has a new epoch"
    );

    let late = Provisioning::new(&code(), PairingKey::from_bytes([7; 32]));
    let refused = pair(&machine, late, &mut stored, true).await;
    assert_eq!(
        refused.unwrap_err(),
        ProvisionError::Spent,
        "its code was used"
    );
}

#[tokio::test]
async fn an_ultra_light_device_is_paired_with_a_code() {
    check_pairing("ultra-light", Authentication::AsconTag).await;
}

#[tokio::test]
async fn a_low_cost_device_is_paired_with_a_code() {
    check_pairing("low-cost", Authentication::HmacTag).await;
}

#[tokio::test]
async fn a_signing_device_is_paired_with_a_code() {
    check_pairing("signing", Authentication::Signature).await;
}

#[tokio::test]
async fn a_silent_line_is_told() {
    let machine = Machine::load("pairing-ultra-light");
    machine.mute(true);
    machine.run();
    let pairing = Provisioning::new(&code(), secret());
    let within = Duration::from_millis(1_500);
    let silent = provision(machine.path(), pairing, takes_any, within).await;
    assert_eq!(silent.unwrap_err(), ProvisionError::Silent);
}

#[tokio::test]
async fn a_device_that_takes_no_key_is_told() {
    let mut line = Line::plug_in();
    let mut wire = [0; MAX_WIRE];
    let mut device = Unpaired::new(DeviceId([3; 8]), &code(), 1);
    let length = device.offer(&Offer::AsconTag, &mut wire).unwrap();
    line.send(&wire[..length]);
    let pairing = Provisioning::new(&code(), secret());
    let within = Duration::from_secs(1);
    let failed = provision(line.path(), pairing, takes_any, within).await;
    assert_eq!(failed.unwrap_err(), ProvisionError::NotTaken);
}

#[tokio::test]
async fn a_device_that_is_of_another_class_than_its_stored_key_is_told() {
    let mut line = Line::plug_in();
    let mut wire = [0; MAX_WIRE];
    let mut device = Unpaired::new(DeviceId([3; 8]), &code(), 1);
    let length = device.offer(&Offer::AsconTag, &mut wire).unwrap();
    line.send(&wire[..length]);
    let pairing = Provisioning::resume(&code(), HostKey::low_cost(secret()));
    let failed = provision(line.path(), pairing, takes_any, SOON).await;
    assert_eq!(failed.unwrap_err(), ProvisionError::WrongClass);
}

#[tokio::test]
async fn a_port_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let pairing = Provisioning::new(&code(), secret());
    let failed = provision(&folder.path().join("none"), pairing, takes_any, SOON).await;
    let ProvisionError::Link(reason) = failed.unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(reason.code, ReasonCode::PortMissing);
}
