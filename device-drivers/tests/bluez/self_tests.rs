//! The self-test of the adapter with all sensors around it, and a sensor that shows which one it is.

use crate::steps::{config, until};
use bluez_rig::Rig;
use device_drivers::ble::identify;
use device_drivers::ble::self_test::{SelfTest, test_adapter};
use device_drivers::self_test::{Check, Finding, Kind, judge};
use std::time::Duration;
use tokio::sync::watch;

/// Goal: the real stack tells what the test needs, each figure is taken, and all sensors are let go. Method:
/// five sensors, a try each; the figures are printed, and those that do not depend on how busy this machine
/// is are checked.
pub(crate) async fn the_adapter_is_tested_with_five_sensors(rig: &Rig) {
    let sensors = [
        rig.wrist(),
        rig.cuff(),
        rig.glucometer(),
        rig.keypad(),
        rig.scale(),
    ];
    for sensor in sensors {
        sensor.advertise(true).unwrap();
    }
    let devices = sensors.map(|sensor| sensor.address().parse().unwrap());
    let mut plan = SelfTest::new(None, devices.into());
    (plan.listen, plan.tries) = (Duration::from_secs(5), 5);
    let findings = test_adapter(&plan, &watch::Sender::new(0)).await.unwrap();
    for one in judge(Kind::Adapter, &findings) {
        eprintln!(
            "  {}: {:?} {:?}",
            one.check.name(),
            one.finding,
            one.verdict
        );
        assert!(matches!(one.finding, Finding::Measured(_)), "{one:?}");
    }
    assert_eq!(findings[&Check::TwoTries], Finding::Measured(100));
    assert_eq!(findings[&Check::HeldAtOnce], Finding::Measured(5));
    for sensor in sensors {
        until("let go", || !sensor.state().unwrap().connected).await;
    }
}

/// Goal: *is it mine?* reaches a sensor, and ends. Method: the levels that the scale was told.
pub(crate) async fn a_sensor_shows_which_one_it_is(rig: &Rig) {
    let scale = rig.scale();
    let shown = tokio::spawn(identify_it(config(scale)));
    until("shown", || scale.state().unwrap().alerts == [1]).await;
    shown.await.unwrap();
    until("ended", || scale.state().unwrap().alerts == [1, 0]).await;
    until("let go", || !scale.state().unwrap().connected).await;
}

async fn identify_it(config: device_drivers::BleConfig) {
    identify(&config).await.unwrap();
}
