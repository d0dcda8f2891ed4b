//! Pairings of each association model, their failures, and bonds.

use crate::steps::{config, follow, next, open, until};
use bluez_rig::{Rig, Sensor};
use device_drivers::Metric;
use device_drivers::ble::pairing::{
    BondState, Bonded, Pairing, PairingCode, Passkey, Prompt, bond_state, unpair,
};
use std::time::Duration;

/// Goal: a sensor without display and keys bonds. Method: the wrist; whoever asks is told yes.
pub(crate) async fn a_just_works_pairing_bonds(rig: &Rig) {
    let wrist = rig.wrist();
    assert_eq!(bond_state(&config(wrist)).await, Ok(BondState::NotBonded));
    let ended = follow(Pairing::start(config(wrist)), |prompt| match prompt {
        Prompt::JustWorks(answer) => answer.give(true),
        other => panic!("{other:?}"),
    });
    assert_eq!(ended.await, Ok(Bonded::Here));
    assert_bonded(wrist).await;

    let again = follow(Pairing::start(config(wrist)), |prompt| panic!("{prompt:?}")).await;
    assert_eq!(again.unwrap_err().code, PairingCode::AlreadyBonded);
}

/// Goal: wrong digits are told as such and leave no bond. Method: the cuff shows a passkey, another
/// is entered.
pub(crate) async fn a_wrong_passkey_is_named(rig: &Rig) {
    let cuff = rig.cuff();
    let ended = follow(Pairing::start(config(cuff)), |prompt| match prompt {
        Prompt::EnterPasskey(answer) => {
            let other = (shown(cuff).number() + 1) % 1_000_000;
            answer.give(Passkey::new(other).unwrap());
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(ended.await.unwrap_err().code, PairingCode::WrongPasskey);
    assert_eq!(bond_state(&config(cuff)).await, Ok(BondState::NotBonded));
}

/// Goal: a sensor that does not let itself be paired is told as such. Method: the cuff refuses.
pub(crate) async fn a_refusal_by_the_sensor_is_named(rig: &Rig) {
    let cuff = rig.cuff();
    cuff.accept_pairing(false).unwrap();
    let ended = follow(Pairing::start(config(cuff)), |prompt| panic!("{prompt:?}")).await;
    cuff.accept_pairing(true).unwrap();
    assert_eq!(ended.unwrap_err().code, PairingCode::RefusedByDevice);
}

/// Goal: a passkey shown by the sensor and entered here bonds. Method: the cuff.
pub(crate) async fn a_shown_passkey_is_entered(rig: &Rig) {
    let cuff = rig.cuff();
    let mut asked = 0;
    let ended = follow(Pairing::start(config(cuff)), |prompt| match prompt {
        Prompt::EnterPasskey(answer) => {
            asked += 1;
            answer.give(shown(cuff));
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(ended.await, Ok(Bonded::Here));
    assert_eq!(asked, 1);
    assert_bonded(cuff).await;
}

/// Goal: numbers that a person finds different do not bond, the same ones do. Method: the glucose
/// meter, twice.
pub(crate) async fn numbers_are_compared(rig: &Rig) {
    let meter = rig.glucometer();
    for (agrees, code) in [(false, Some(PairingCode::RefusedHere)), (true, None)] {
        let ended = follow(Pairing::start(config(meter)), |prompt| match prompt {
            Prompt::Compare { passkey, answer } => {
                assert_eq!(passkey, shown(meter), "the same digits on both sides");
                meter.press(agrees).unwrap();
                answer.give(agrees);
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(ended.await.err().map(|error| error.code), code);
    }
    assert_bonded(meter).await;
}

/// Goal: digits shown here and typed on the sensor bond. Method: the keypad.
pub(crate) async fn a_passkey_is_typed_on_the_device(rig: &Rig) {
    let keypad = rig.keypad();
    let mut typed = false;
    let ended = follow(Pairing::start(config(keypad)), |prompt| match prompt {
        Prompt::ShowPasskey { passkey, .. } if !typed => {
            typed = true;
            keypad.type_passkey(passkey.number()).unwrap();
        }
        Prompt::ShowPasskey { .. } => {}
        other => panic!("{other:?}"),
    });
    assert_eq!(ended.await, Ok(Bonded::Here));
    assert_bonded(keypad).await;
}

/// Goal: a sensor that forgot this host streams again after a repair. Method: the wrist's bonds are
/// deleted. It is not connected before the repair: the guest's kernel (6.1) crashes when encryption fails
/// while services are discovered; `tests/bluez_fake` has that case.
pub(crate) async fn a_forgotten_bond_is_repaired(rig: &Rig) {
    let wrist = rig.wrist();
    wrist.forget_bonds().unwrap();
    let ended = follow(Pairing::repair(config(wrist)), |prompt| match prompt {
        Prompt::JustWorks(answer) => answer.give(true),
        other => panic!("{other:?}"),
    });
    assert_eq!(ended.await, Ok(Bonded::Here));
    assert_bonded(wrist).await;
    let mut device = open(wrist);
    wrist.stream(Duration::from_millis(250)).unwrap();
    next(&mut device, Metric::HeartRate).await;
    assert!(wrist.state().unwrap().encrypted);
    wrist.stream(Duration::ZERO).unwrap();
    device.handle.stop().await;
}

/// Goal: unpairing removes the bond, once and for all. Method: twice on the cuff.
pub(crate) async fn unpairing_removes_the_bond(rig: &Rig) {
    let cuff = config(rig.cuff());
    for _ in 0..2 {
        assert_eq!(unpair(&cuff).await, Ok(()));
        assert_eq!(bond_state(&cuff).await, Ok(BondState::NotBonded));
    }
}

async fn assert_bonded(sensor: Sensor<'_>) {
    let state = bond_state(&config(sensor)).await;
    assert_eq!(state, Ok(BondState::Bonded { trusted: true }));
    until("the sensor keeps the bond", || {
        sensor.state().unwrap().bonds == 1
    })
    .await;
}

/// The digits on the sensor's display.
fn shown(sensor: Sensor<'_>) -> Passkey {
    for _ in 0..100 {
        if let Some(number) = sensor.state().unwrap().shown {
            return Passkey::new(number).unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("nothing is shown");
}
