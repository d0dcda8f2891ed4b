//! The private bus, the runtime, the list of tests, and what they share.

use crate::{adapters, level0, links, pairings, provisioning, self_tests};
use bluez_fake::Daemon;
use device_drivers::{BleConfig, Device, LinkState, ReasonCode, SourceConfig};
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) const SENSOR: &str = "C4:F2:17:1A:1D:BB";
/// 80 beats per minute (HRS 1.0, 3.1: flags 0, an 8-bit rate).
pub(crate) const EIGHTY_BPM: [u8; 2] = [0x00, 80];
pub(crate) const HEART_RATE: u16 = 0x180d;
pub(crate) const HEART_RATE_MEASUREMENT: u16 = 0x2a37;

type Test = fn() -> futures_util::future::BoxFuture<'static, ()>;

macro_rules! tests {
    ($($module:ident::$test:ident,)*) => {
        [$((stringify!($test), || Box::pin($module::$test()))),*]
    };
}

const TESTS: [(&str, Test); 31] = tests![
    adapters::an_adapter_is_missing_off_lost_and_back,
    adapters::the_chosen_adapter_is_used,
    adapters::the_scanner_says_why_it_does_not_scan,
    adapters::the_inbox_of_a_crowd_is_bounded,
    level0::a_level0_device_talks_over_gatt,
    level0::replays_and_forgeries_are_refused,
    level0::a_link_that_falls_costs_no_reading,
    level0::what_has_no_line_is_named,
    links::a_drop_during_discovery_is_survived,
    links::a_forgotten_bond_is_suspected,
    links::a_service_that_ends_is_named_and_survived,
    links::many_that_look_ask_once,
    links::silence_and_nonsense_are_told_apart,
    links::what_came_before_the_fall_is_received,
    links::what_came_before_the_stop_is_received,
    links::what_cannot_be_measured_is_named,
    pairings::every_failure_of_bluez_has_a_code,
    pairings::the_agent_asks_and_answers,
    pairings::the_agent_serves_one_device_and_takes_back_questions,
    pairings::a_pairing_is_cancelled,
    pairings::bonds_are_kept_removed_and_missed,
    pairings::a_missing_stack_is_named,
    provisioning::a_code_gives_each_class_its_key_over_gatt,
    provisioning::a_wrong_device_is_named_and_gets_no_key,
    provisioning::a_link_that_falls_in_the_exchange_costs_nothing,
    provisioning::a_try_that_is_given_up_lets_the_device_go,
    self_tests::a_good_adapter_passes_with_five_at_once,
    self_tests::a_bad_adapter_misses_every_bar,
    self_tests::nobody_to_connect_to_is_incomplete,
    self_tests::a_bonded_device_is_looked_into,
    self_tests::a_device_shows_which_one_it_is,
];

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

pub(crate) fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let _bus = (!arguments.list).then(start_bus);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let _ = RUNTIME.set(runtime);
    let trials = TESTS.map(|(name, test)| Trial::test(name, move || run(test)));
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

fn run(test: Test) -> Result<(), libtest_mimic::Failed> {
    let runtime = RUNTIME.get().ok_or("no runtime")?;
    let done = runtime.block_on(async { timeout(3 * SOON, runtime.spawn(test())).await });
    match done {
        Ok(Ok(())) => Ok(()),
        Ok(Err(panicked)) => Err(panicked.to_string().into()),
        Err(_) => Err(format!("not done in {:?}", 3 * SOON).into()),
    }
}

/// Starts a bus, on which the drivers are to look for BlueZ.
#[allow(
    unsafe_code,
    reason = "btleplug takes the bus's address from the environment only"
)]
fn start_bus() -> Daemon {
    let daemon = Daemon::start();
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("DBUS_SYSTEM_BUS_ADDRESS", &daemon.address) };
    daemon
}

pub(crate) fn config() -> BleConfig {
    BleConfig::new(SENSOR.parse().unwrap())
}

pub(crate) fn open(config: BleConfig) -> Device {
    Device::open(SourceConfig::Ble(config)).unwrap()
}

/// Waits until the link is as wanted.
pub(crate) async fn state(device: &Device, what: &str, is_it: impl Fn(&LinkState) -> bool) {
    let mut states = device.state.clone();
    let reached = timeout(SOON, states.wait_for(is_it)).await.is_ok();
    assert!(reached, "not {what} but {:?}", *device.state.borrow());
}

/// Waits for a reason.
pub(crate) async fn reason(device: &Device, code: ReasonCode) {
    let is_it = |state: &LinkState| state.reason().is_some_and(|reason| reason.code == code);
    state(device, code.as_str(), is_it).await;
}

/// Waits until a value that is sent again and again arrives.
pub(crate) async fn streams(device: &Device, fake: &bluez_fake::Fake, adapter: &str) {
    let mut states = device.state.clone();
    let sending = async {
        loop {
            fake.notify(adapter, SENSOR, &EIGHTY_BPM).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        reached = timeout(SOON, states.wait_for(|state| *state == LinkState::Streaming)) => {
            assert!(reached.is_ok(), "not streaming but {:?}", *device.state.borrow());
        }
        () = sending => {}
    }
}
