//! The drivers through their public API: bytes and ptys in, events and link states out.

mod any_bytes;
mod ble_inbox;
mod contec;
mod gatt_context;
mod gatt_decoder;
mod gatt_encode;
mod gatt_fetch;
mod gatt_float;
mod gatt_properties;
mod gatt_records;
mod gatt_vectors;
mod level0;
mod nonin;
mod rules;
mod self_test;
mod simulated;

#[cfg(unix)]
mod firmware;
#[cfg(unix)]
mod level0_line;
#[cfg(unix)]
mod line;
#[cfg(unix)]
mod machine;
#[cfg(unix)]
mod provisioning;
#[cfg(unix)]
mod pty;
#[cfg(unix)]
mod relay;

use device_drivers::codec::Decoder;
use device_drivers::{
    Event, Metric, PairingKey, Profile, Quality, RejectReason, SerialConfig, Value,
};

/// A moment to decode at.
pub(crate) const NOW: i64 = 1_770_000_000_000;

/// The pairing key of these tests.
pub(crate) fn key() -> PairingKey {
    PairingKey::from_bytes([0x5a; 32])
}

pub(crate) fn decoder(profile: Profile) -> Decoder {
    let mut config = SerialConfig::new("unused", profile);
    config.key = profile.needs_key().then(|| key().into());
    Decoder::new(&config).unwrap()
}

/// What `bytes` mean, all at once.
pub(crate) fn decode(profile: Profile, bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    decoder(profile).push(bytes, NOW, &mut events);
    events
}

/// The numbers measured for a metric, `None` where a measurement has none, with the quality.
pub(crate) fn numbers(events: &[Event], metric: Metric) -> Vec<(Option<i64>, Quality)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Measurement(measured) if measured.metric == metric => match &measured.value {
                Value::Quantity {
                    mantissa,
                    exponent: 0,
                } => Some((Some(*mantissa), measured.quality)),
                Value::Absent => Some((None, measured.quality)),
                other => panic!("{metric} is {other:?}"),
            },
            _ => None,
        })
        .collect()
}

/// The waves measured.
pub(crate) fn waves(events: &[Event]) -> Vec<(Vec<Option<i16>>, u32, Quality)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Measurement(measured) if measured.metric == Metric::PlethWave => {
                match &measured.value {
                    Value::Samples {
                        samples,
                        period_micros,
                    } => Some((samples.clone(), *period_micros, measured.quality)),
                    Value::Absent => Some((Vec::new(), 0, measured.quality)),
                    Value::Quantity { .. } => panic!("a wave is no number"),
                }
            }
            _ => None,
        })
        .collect()
}

/// The only wave measured.
#[track_caller]
pub(crate) fn one_wave(events: &[Event]) -> (Vec<Option<i16>>, u32, Quality) {
    let mut waves = waves(events);
    assert_eq!(waves.len(), 1);
    waves.remove(0)
}

/// What was refused: reason, frames, readings.
pub(crate) fn refusals(events: &[Event]) -> Vec<(RejectReason, u32, u32)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Rejected(rejection) => {
                Some((rejection.reason, rejection.frames, rejection.readings))
            }
            _ => None,
        })
        .collect()
}
