//! Goal: simulated devices tell the same story for the same seed, at the promised rate, always
//! marked. Method: an hour of each without a clock, and a second of one in real time.

use crate::NOW;
use device_drivers::simulated::{SimulatedConfig, SimulatedKind, Simulation, WARD_DEVICES, ward};
use device_drivers::{Device, Event, LinkState, Measurement, Metric, Quality, SourceConfig, Value};
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

fn check_range(measured: &Measurement) {
    let range = match measured.metric {
        Metric::SpO2 => 70..=100,
        Metric::PulseRate => 40..=140,
        Metric::PerfusionIndex => 1..=95,
        Metric::BodyTemperature => 3_500..=3_900,
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
