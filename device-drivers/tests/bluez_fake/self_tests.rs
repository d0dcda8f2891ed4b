//! Self-tests and *is it mine?*: good and bad adapters, what is left alone, and what is written.

use crate::bus::{HEART_RATE, HEART_RATE_MEASUREMENT, SENSOR, config};
use bluez_fake::{Fake, lock, long};
use device_drivers::ReasonCode;
use device_drivers::ble::pairing::{Bonded, Pairing, Step};
use device_drivers::ble::self_test::{SelfTest, test_adapter, test_device};
use device_drivers::ble::{SHOWN_FOR, identify};
use device_drivers::self_test::{Check, Finding, Kind, Outcome, Verdict, Why, judge, outcome};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

const ADAPTER: &str = "AA:AA:AA:00:00:01";

fn address(number: usize) -> String {
    format!("C4:F2:17:1A:1D:{number:02X}")
}

async fn ward(devices: usize) -> Fake {
    let fake = Fake::start().await;
    fake.plug_in("hci0", ADAPTER, true).await;
    for number in 0..devices {
        let address = address(number);
        fake.appear("hci0", &address, HEART_RATE, HEART_RATE_MEASUREMENT)
            .await;
    }
    fake
}

fn plan(devices: usize) -> SelfTest {
    let devices = (0..devices).map(|number| address(number).parse().unwrap());
    SelfTest {
        listen: Duration::from_secs(4),
        ..SelfTest::new(None, devices.collect())
    }
}

/// Every device advertises, one event in so long, until this is dropped.
async fn advertise(fake: &Fake, devices: usize, every: Duration) -> core::convert::Infallible {
    loop {
        for number in 0..devices {
            fake.advertise("hci0", &address(number)).await;
        }
        sleep(every).await;
    }
}

/// Runs an adapter's test while its devices advertise.
async fn tested(
    fake: &Fake,
    devices: usize,
    every: Duration,
    plan: &SelfTest,
) -> (device_drivers::self_test::Findings, u8) {
    let progress = watch::Sender::new(0);
    let findings = tokio::select! {
        findings = test_adapter(plan, &progress) => findings.unwrap(),
        never = advertise(fake, devices, every) => match never {},
    };
    (findings, *progress.borrow())
}

/// Goal: an adapter that does all that is asked passes. Method: five devices, four advertisements a second,
/// links in 100 ms; the first of each pair of tries of one connection refused.
pub(crate) async fn a_good_adapter_passes_with_five_at_once() {
    let fake = ward(5).await;
    lock(&fake.script).connects_in = Duration::from_millis(100);
    lock(&fake.script).refusals = [false, true].into();
    let every = Duration::from_millis(250);
    let (findings, percent) = tested(&fake, 5, every, &plan(5)).await;
    assert_eq!(percent, 100);
    let judged = judge(Kind::Adapter, &findings);
    assert_eq!(outcome(&judged), Outcome::Passed, "{judged:?}");
    let figure = |check| match findings[&check] {
        Finding::Measured(figure) => figure,
        other => panic!("{check:?}: {other:?}"),
    };
    assert!(
        (100..1_000).contains(&figure(Check::ConnectTime)),
        "{findings:?}"
    );
    assert_eq!(figure(Check::TwoTries), 100, "the second try counts");
    assert_eq!(figure(Check::HeldAtOnce), 5);
    assert!(
        (2_000..5_000).contains(&figure(Check::Advertisements)),
        "{findings:?}"
    );
    assert_eq!(lock(&fake.script).links, 0, "all are let go");
}

/// Goal: each weakness misses its bar. Method: a device that advertises every 2.5 s, links in 1.2 s of which
/// two of three are refused, and two held at most of three.
pub(crate) async fn a_bad_adapter_misses_every_bar() {
    let fake = ward(3).await;
    {
        let mut script = lock(&fake.script);
        script.connects_in = Duration::from_millis(1_200);
        script.links_at_most = Some(2);
        script.refusals = [true, true, false].into_iter().cycle().take(9).collect();
    }
    let mut plan = plan(3);
    plan.tries = 9;
    let (findings, _) = tested(&fake, 3, Duration::from_millis(2_500), &plan).await;
    let judged = judge(Kind::Adapter, &findings);
    for one in &judged {
        assert_eq!(one.verdict, Verdict::Missed, "{one:?}");
    }
    assert_eq!(findings[&Check::HeldAtOnce], Finding::Measured(2));
    assert_eq!(outcome(&judged), Outcome::Failed);
}

/// Goal: what was not measured is not passed, and strangers are left alone. Method: a device that advertises
/// well and that nobody named; then another is named, that is away.
pub(crate) async fn nobody_to_connect_to_is_incomplete() {
    let fake = ward(1).await;
    let (findings, _) = tested(&fake, 1, Duration::from_millis(250), &plan(0)).await;
    let judged = judge(Kind::Adapter, &findings);
    assert_eq!(outcome(&judged), Outcome::Incomplete, "{judged:?}");
    assert_eq!(judged[0].verdict, Verdict::Reached, "{judged:?}");
    let nobody = Finding::NotMeasured(Why::NobodyToConnectTo);
    assert_eq!(findings[&Check::TwoTries], nobody);
    assert_eq!(lock(&fake.script).links, 0);

    let mut away = plan(0);
    away.devices = vec![SENSOR.parse().unwrap()];
    let (findings, _) = tested(&fake, 1, Duration::from_millis(250), &away).await;
    assert_eq!(findings[&Check::TwoTries], nobody);
    let unheard = Finding::NotMeasured(Why::NobodyHeard);
    assert_eq!(
        findings[&Check::Silence],
        unheard,
        "it says nothing of the adapter"
    );
    assert_eq!(
        outcome(&judge(Kind::Adapter, &findings)),
        Outcome::Incomplete
    );
}

/// Goal: of a device its bond and battery count; without a bond nothing protected is asked for. Method: one
/// with a readable location and a battery of 15 %, before and after its bond; then one that is gone.
pub(crate) async fn a_bonded_device_is_looked_into() {
    let fake = Fake::start().await;
    fake.plug_in("hci0", ADAPTER, true).await;
    fake.appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    fake.offer("hci0", SENSOR, 2, (HEART_RATE, 0x2a38, "read", &[1]))
        .await;
    fake.offer("hci0", SENSOR, 3, (0x180f, 0x2a19, "read", &[15]))
        .await;
    let mut plan = SelfTest::new(None, vec![SENSOR.parse().unwrap()]);
    (plan.listen, plan.tries) = (Duration::from_secs(2), 2);
    let progress = watch::Sender::new(0);
    let unbonded = test_device(&plan, &progress).await.unwrap();
    assert_eq!(
        unbonded[&Check::BondedReads],
        Finding::NotMeasured(Why::NotBonded)
    );
    assert_eq!(unbonded[&Check::Battery], Finding::Measured(15));

    let mut pairing = Pairing::start(config());
    assert!(matches!(
        pairing.next().await,
        Step::Ended(Ok(Bonded::Here))
    ));
    let bonded = test_device(&plan, &progress).await.unwrap();
    assert_eq!(bonded[&Check::BondedReads], Finding::Measured(100));
    let judged = judge(Kind::Bluetooth, &bonded);
    let battery = judged
        .iter()
        .find(|one| one.check == Check::Battery)
        .unwrap();
    assert_eq!(battery.verdict, Verdict::Missed);

    lock(&fake.script).refusals = [true; 2].into();
    let refused = test_device(&plan, &progress).await.unwrap();
    assert_eq!(refused[&Check::TwoTries], Finding::Measured(0));
    let none = Finding::NotMeasured(Why::NoConnection);
    for check in [Check::ConnectTime, Check::Discovery, Check::Battery] {
        assert_eq!(refused[&check], none, "{check:?}");
    }
    assert_eq!(lock(&fake.script).links, 0, "all are let go");
}

/// Goal: a device shows which one it is and stops; one that cannot says so. Method: what is written to
/// Alert Level, and when; a device without it.
pub(crate) async fn a_device_shows_which_one_it_is() {
    let fake = Fake::start().await;
    fake.plug_in("hci0", ADAPTER, true).await;
    fake.appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    let refused = identify(&config()).await.unwrap_err();
    assert_eq!(refused.code, ReasonCode::NotIdentifiable);
    assert_eq!(lock(&fake.script).links, 0, "it is let go");

    let alert = (0x1802, 0x2a06, "write-without-response", &[][..]);
    fake.offer("hci0", SENSOR, 2, alert).await;
    let begun = Instant::now();
    identify(&config()).await.unwrap();
    assert!(begun.elapsed() >= SHOWN_FOR);
    let written = lock(&fake.script).written.clone();
    let written: Vec<_> = written
        .into_iter()
        .map(|(of, _, value)| (of, value))
        .collect();
    let level = |value| (long(0x2a06), vec![value]);
    assert_eq!(written, [level(1), level(0)]);
    assert_eq!(lock(&fake.script).links, 0, "it is let go");
}
