//! The test's steps, one after another, and what they share.

use crate::{links, pairings, self_tests};
use bluez_rig::{Rig, Sensor};
use device_drivers::ble::pairing::{Bonded, Pairing, PairingError, Prompt, Step};
use device_drivers::{BleConfig, Device, Event, LinkState, Measurement, Metric, SourceConfig};
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine of two cores.
pub(crate) const SOON: Duration = Duration::from_secs(45);

type Run = fn(Arc<Rig>) -> futures_util::future::BoxFuture<'static, ()>;

/// A step: its name, and what it does.
macro_rules! steps {
    ($($module:ident::$step:ident,)*) => {
        [$((stringify!($step), |rig| Box::pin(async move { $module::$step(&rig).await })),)*]
    };
}

const STEPS: [(&str, Run); 17] = steps![
    links::adapters_are_listed,
    links::a_scan_finds_all_sensors,
    links::an_unpaired_sensor_streams,
    pairings::a_just_works_pairing_bonds,
    links::a_bonded_link_is_encrypted_and_comes_back,
    pairings::a_refusal_by_the_sensor_is_named,
    pairings::a_wrong_passkey_is_named,
    pairings::a_shown_passkey_is_entered,
    links::indications_arrive_from_a_cuff,
    pairings::numbers_are_compared,
    links::stored_records_are_fetched_once,
    links::a_level0_line_goes_both_ways,
    pairings::a_passkey_is_typed_on_the_device,
    pairings::a_forgotten_bond_is_repaired,
    pairings::unpairing_removes_the_bond,
    self_tests::the_adapter_is_tested_with_five_sensors,
    self_tests::a_sensor_shows_which_one_it_is,
];

static RIG: OnceLock<Arc<Rig>> = OnceLock::new();

pub(crate) fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    if !arguments.list {
        match Rig::start() {
            Ok(rig) => set_bus(rig),
            Err(error) => {
                eprintln!("there is no rig: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    let trial = Trial::test("the_real_bluez_from_scan_to_unpairing", run);
    libtest_mimic::run(&arguments, vec![trial]).exit_code()
}

#[allow(
    unsafe_code,
    reason = "btleplug takes the bus's address from the environment only"
)]
fn set_bus(rig: Rig) {
    // SAFETY: besides this thread only the rig's reader of lines runs, and it reads no environment.
    unsafe { std::env::set_var("DBUS_SYSTEM_BUS_ADDRESS", rig.address()) };
    let _ = RIG.set(Arc::new(rig));
}

/// Goal: what a clinic does with its sensors works on the real stack. Method: the steps, in order.
fn run() -> Result<(), Failed> {
    let rig = RIG.get().ok_or("no rig")?;
    eprintln!("guest ready in {:.1} s", rig.boot().as_secs_f64());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        let begun = Instant::now();
        let done = runtime.block_on(async {
            let step = runtime.spawn(step(Arc::clone(rig)));
            timeout(2 * SOON, step).await
        });
        let is_done = matches!(done, Ok(Ok(())));
        let word = if is_done { "ok" } else { "FAILED" };
        eprintln!("{name}: {word} ({:.1} s)", begun.elapsed().as_secs_f64());
        if !is_done {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")).into())
    }
}

pub(crate) fn config(sensor: Sensor<'_>) -> BleConfig {
    BleConfig::new(sensor.address().parse().unwrap())
}

pub(crate) fn open(sensor: Sensor<'_>) -> Device {
    Device::open(SourceConfig::Ble(config(sensor))).unwrap()
}

/// Waits until the link is in the state of this name, and answers with it.
pub(crate) async fn state(device: &Device, code: &str) -> LinkState {
    let mut states = device.state.clone();
    let reached = timeout(SOON, states.wait_for(|state| state.code() == code)).await;
    let last = device.state.borrow().clone();
    reached
        .unwrap_or_else(|_| panic!("not {code} but {last:?}"))
        .unwrap()
        .clone()
}

/// The first thing that is picked out of the events.
pub(crate) async fn pick<T>(
    device: &mut Device,
    what: &str,
    mut pick: impl FnMut(Event) -> Option<T>,
) -> T {
    let picked = async {
        loop {
            let event = device.events.recv().await.expect("the device goes on");
            if let Some(picked) = pick(event) {
                return picked;
            }
        }
    };
    let picked = timeout(SOON, picked).await;
    picked.unwrap_or_else(|_| panic!("no {what}"))
}

/// The next measurement of a metric.
pub(crate) async fn next(device: &mut Device, metric: Metric) -> Measurement {
    let is_it = |event| match event {
        Event::Measurement(measured) if measured.metric == metric => Some(measured),
        _ => None,
    };
    pick(device, metric.label(), is_it).await
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Follows a pairing to its end; the person is played by `answer`.
pub(crate) async fn follow(
    mut pairing: Pairing,
    mut answer: impl FnMut(Prompt),
) -> Result<Bonded, PairingError> {
    let steps = async {
        loop {
            match pairing.next().await {
                Step::Prompt(prompt) => answer(prompt),
                Step::Ended(ended) => return ended,
            }
        }
    };
    timeout(2 * SOON, steps).await.expect("the pairing ends")
}
