//! Goal: simulated devices tell the same story for the same seed, at the promised rate, always
//! marked. Method: an hour of each without a clock, and a second of one in real time.

use crate::NOW;
use device_drivers::simulated::{
    SimulatedConfig, SimulatedKind, Simulation, WARD_DEVICES, ward, ward_of_all_kinds,
};
use device_drivers::{
    CoincidentTime, Device, Event, LinkState, Measurement, Metric, Quality, SourceConfig, Value,
};
use std::collections::BTreeSet;
use std::time::Duration;

fn story(config: SimulatedConfig, seconds: u64) -> Vec<Event> {
    let mut simulation = Simulation::new(config);
    let interval = simulation.interval().as_millis() as u64;
    let mut events = Vec::new();
    for tick in 0..seconds * 1_000 / interval {
        simulation.tick(NOW + (tick * interval) as i64, &mut events);
    }
    events
}

fn measured(events: &[Event]) -> impl Iterator<Item = &Measurement> {
    events.iter().filter_map(|event| match event {
        Event::Measurement(measurement) => Some(measurement),
        _ => None,
    })
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let [first, .., last] = ward(42, WARD_DEVICES).try_into().unwrap_or(
        [SimulatedConfig {
            seed: 0,
            kind: SimulatedKind::Thermometer,
        }; WARD_DEVICES],
    );
    assert_eq!(story(first, 600), story(first, 600));
    assert_ne!(first.seed, last.seed);
    assert_eq!(last.kind, SimulatedKind::Thermometer);
    assert_eq!(ward(42, 100).len(), 100);
}

#[test]
fn an_hour_keeps_the_rate_and_has_everything_in_it() {
    for config in ward(7, WARD_DEVICES) {
        let events = story(config, 3_600);
        let missing: u64 = events
            .iter()
            .map(|event| match event {
                Event::Missing { readings, .. } => u64::from(*readings),
                _ => 0,
            })
            .sum();
        let received = measured(&events).count() as u64;
        let expected = config.kind.rate().expected_in(3_600_000);
        let difference = (received + missing).abs_diff(expected);
        assert!(
            difference * 50 <= expected,
            "{:?}: {received} + {missing} of {expected}",
            config.kind
        );
        assert!(measured(&events).all(|measured| measured.simulated && !measured.authenticated));
        let qualities: BTreeSet<Quality> =
            measured(&events).map(|measured| measured.quality).collect();
        assert!(
            qualities.contains(&Quality::Good) && qualities.contains(&Quality::SensorOff),
            "{qualities:?}"
        );
        if config.kind != SimulatedKind::Thermometer {
            assert!(
                qualities.contains(&Quality::Searching)
                    && qualities.contains(&Quality::Questionable)
            );
            assert!(missing > 0);
        }
        for measured in measured(&events) {
            check_range(measured);
        }
    }
}

/// Goal: each kind of device measures what its profile has, plausibly, at its rate, and says that it is none. Method:
/// a day of every kind from several seeds.
#[test]
fn a_day_of_every_kind_is_plausible() {
    for config in ward_of_all_kinds(11, 3 * SimulatedKind::ALL.len()) {
        let kind = config.kind;
        assert_eq!(SimulatedKind::from_name(kind.name()), Some(kind));
        let seconds = if kind.rate().per_millis > 10_000 {
            86_400
        } else {
            3_600
        };
        let events = story(config, seconds);
        assert_eq!(events, story(config, seconds), "{kind:?}");
        let missing: u64 = events
            .iter()
            .map(|event| match event {
                Event::Missing { readings, .. } => u64::from(*readings),
                _ => 0,
            })
            .sum();
        let all = measured(&events).count() as u64 + missing;
        let expected = kind.rate().expected_in(seconds * 1_000);
        // A meter that is away at midnight has not sent yet what it keeps.
        assert!(
            all.abs_diff(expected) <= 10 + expected / 50,
            "{kind:?}: {all} of {expected}"
        );
        let metrics: BTreeSet<Metric> = measured(&events).map(|of| of.metric).collect();
        assert_eq!(
            metrics,
            kind.metrics().iter().copied().collect(),
            "{kind:?}"
        );
        for of in measured(&events) {
            assert!(of.simulated && !of.authenticated);
            check_range(of);
        }
    }
    assert_eq!(SimulatedKind::from_name("kettle"), None);
}

/// The numbers of a metric, in order.
fn numbers(events: &[Event], metric: Metric) -> Vec<i64> {
    let of_metric = measured(events).filter(|of| of.metric == metric);
    let numbers = of_metric.filter_map(|of| match of.value {
        Value::Quantity { mantissa, .. } => Some(mantissa),
        _ => None,
    });
    numbers.collect()
}

/// Goal: what is measured together fits together. Method: a day of cuff and strap, number by number.
#[test]
fn numbers_of_one_body_agree() {
    for seed in 0..20 {
        let of = |kind| story(SimulatedConfig { seed, kind }, 7_200);
        let cuff = of(SimulatedKind::BloodPressureCuff);
        let systolic = numbers(&cuff, Metric::BloodPressureSystolic);
        let diastolic = numbers(&cuff, Metric::BloodPressureDiastolic);
        let mean = numbers(&cuff, Metric::BloodPressureMean);
        assert_eq!(systolic.len(), 40);
        for ((high, low), mean) in systolic.iter().zip(&diastolic).zip(&mean) {
            assert!(
                low + 20 <= *high && low < mean && mean < high,
                "{high}/{low} ({mean})"
            );
        }
        let strap = of(SimulatedKind::HeartRateStrap);
        let beats = numbers(&strap, Metric::RrInterval);
        for (rate, interval) in numbers(&strap, Metric::HeartRate).iter().zip(&beats) {
            assert!(
                (60_000 / rate - interval).abs() <= 40,
                "{rate} /min and {interval} ms"
            );
        }
    }
}

/// Goal: what a glucose meter kept while it was away comes with the meter's time, and its clock tells when it was
/// measured, before and after it is set. Method: five days of several meters; each record is placed by the clock
/// that was read before it in the same connection, as the rule of `event.rs` has it, and must fall on the five
/// minutes at which the story has the meter measure.
#[test]
fn a_meters_clock_places_what_it_kept() {
    const FIVE_MINUTES: i64 = 300_000;
    let kind = SimulatedKind::GlucoseMeter;
    for seed in 0..10 {
        let events = story(SimulatedConfig { seed, kind }, 5 * 86_400);
        let mut clocks: Vec<CoincidentTime> = Vec::new();
        let (mut late, mut next) = (0, 0);
        for event in &events {
            let Event::Measurement(record) = event else {
                let Event::Clock(clock) = event else {
                    panic!("{event:?}")
                };
                clocks.push(*clock);
                continue;
            };
            let clock = clocks.last().expect("a clock before the first record");
            assert_eq!(clock.host_time_millis, record.host_time_millis);
            let distance = clock.host_time_millis - clock.device_time_millis;
            let taken = record.device_time_millis.unwrap() + distance;
            let due = NOW + next * FIVE_MINUTES;
            assert!(taken.abs_diff(due) <= 1_000, "{} ms off", taken - due);
            next += 1;
            late += u32::from(record.host_time_millis - due >= 2 * FIVE_MINUTES);
        }
        assert!(next >= 5 * 288 - 10, "{next} records");
        assert!(late >= 20, "{late} were kept for ten minutes or more");
        let distance = |clock: &CoincidentTime| clock.host_time_millis - clock.device_time_millis;
        let settings = clocks.windows(2).filter(|pair| {
            let [one, other] = [&pair[0], &pair[1]].map(distance);
            one.abs_diff(other) > 1_000
        });
        assert_eq!(settings.count(), 1, "it is set once");
        assert!((0..1_000).contains(&distance(clocks.last().unwrap())));
    }
}

fn check_range(measured: &Measurement) {
    let range = match measured.metric {
        Metric::SpO2 => 70..=100,
        Metric::PulseRate => 40..=140,
        Metric::PerfusionIndex => 1..=95,
        Metric::BodyTemperature => 3_500..=3_900,
        Metric::HeartRate => 40..=140,
        Metric::RrInterval => 400..=1_500,
        Metric::BloodPressureSystolic => 90..=160,
        Metric::BloodPressureDiastolic => 50..=100,
        Metric::BloodPressureMean => 60..=120,
        Metric::GlucoseMass => 60..=260,
        Metric::BodyWeight => 4_000..=13_000,
        Metric::BodyMassIndex => 180..=340,
        Metric::BodyFat => 130..=370,
        Metric::MusclePercentage => 300..=460,
        Metric::BodyWaterMass => 180..=850,
        _ => 0..=0,
    };
    match &measured.value {
        Value::Quantity { mantissa, .. } => {
            assert!(range.contains(mantissa), "{} {mantissa}", measured.metric)
        }
        Value::Samples {
            samples,
            period_micros,
        } => {
            assert!(samples.len() <= 75 && *period_micros == 13_333);
            let present: Vec<i16> = samples.iter().flatten().copied().collect();
            assert!(present.iter().all(|sample| (0..=255).contains(sample)));
        }
        Value::Absent => assert!(!measured.quality.has_value()),
    }
}

#[tokio::test]
async fn it_plays_in_real_time_and_stops_at_once() {
    let config = SourceConfig::Simulated(SimulatedConfig {
        seed: 1,
        kind: SimulatedKind::Oximeter4Hz,
    });
    assert!(config.is_simulated());
    let mut device = Device::open(config).unwrap();
    let first = device.events.recv().await.unwrap();
    assert!(matches!(first, Event::Device(info) if info.simulated));
    let until = tokio::time::Instant::now() + Duration::from_millis(1_600);
    let mut waves = 0;
    let mut vitals = 0;
    while let Ok(Some(event)) = tokio::time::timeout_at(until, device.events.recv()).await {
        let Event::Measurement(measured) = event else {
            continue;
        };
        match measured.metric {
            Metric::PlethWave => waves += 1,
            _ => vitals += 1,
        }
    }
    assert_eq!(waves, 1);
    assert!((12..=24).contains(&vitals), "{vitals} vitals in 1.6 s");
    assert_eq!(*device.state.borrow(), LinkState::Streaming);
    let stopping = std::time::Instant::now();
    device.handle.stop().await;
    assert!(stopping.elapsed() < Duration::from_millis(200));
    assert_eq!(*device.state.borrow(), LinkState::Stopped);
}
