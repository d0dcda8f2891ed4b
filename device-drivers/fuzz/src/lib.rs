//! What the fuzz targets share: what must hold of whatever a decoder made of foreign bytes.
//!
//! A target ends by a panic when it does not, and libFuzzer keeps the bytes. It leaves out what a decoder
//! *should* make of valid bytes: that is told by vectors, in the tests.

use device_drivers::{Event, Value};

/// A moment to decode at, in milliseconds since 1970.
pub const NOW: i64 = 1_770_000_000_000;
/// The longest segment of a wave: 200 samples in one level-0 message.
const MAX_SAMPLES: usize = 200;

/// What was made of `bytes` bytes: bounded by them, and no number where there is no value.
///
/// # Panics
/// If that does not hold.
pub fn check(events: &[Event], bytes: usize) {
    assert!(events.len() <= bytes + 4, "{} events", events.len());
    for event in events {
        if let Event::Measurement(measured) = event {
            assert_eq!(measured.value.is_absent(), !measured.quality.has_value());
            if let Value::Samples { samples, .. } = &measured.value {
                assert!(samples.len() <= MAX_SAMPLES);
            }
        }
    }
}
