//! Level-0 behind the proof, where random bytes never come: messages of any numbers, sealed by the paired device,
//! whole and damaged, into the host; and what the host says, damaged, into the device.
//!
//! The first four bytes choose the class, the message and the damage, the rest are the message's numbers.
#![no_main]

use device_drivers::codec::level0::Level0;
use device_drivers::{Event, HostKey, PairingKey};
use device_drivers_fuzz::{NOW, check};
use fogward_level0::{
    Chunk, DeviceId, DeviceKey, FrameReader, HmacKey, HostMessage, MAX_READINGS, MAX_SAMPLES,
    MAX_WIRE, Outgoing, Reading, Sensor,
};
use libfuzzer_sys::fuzz_target;

const DEVICE: DeviceId = DeviceId([8; 8]);

fn key() -> PairingKey {
    PairingKey::from_bytes([7; 32])
}

/// A number from the next bytes; zeros where there are none left.
fn take<const N: usize>(numbers: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = numbers.split_at(N.min(numbers.len()));
    *numbers = rest;
    let mut bytes = [0; N];
    bytes[..taken.len()].copy_from_slice(taken);
    bytes
}

/// Seals a message of the numbers; nothing if it is one that a device refuses to send.
fn seal<K: DeviceKey>(sensor: &mut Sensor<K>, kind: u8, mut numbers: &[u8]) -> Option<Vec<u8>> {
    let numbers = &mut numbers;
    let time = u64::from_le_bytes(take(numbers));
    let time_millis = (kind & 2 != 0).then_some(time);
    let mut wire = [0; MAX_WIRE];
    let length = if kind & 1 == 0 {
        let count = usize::from(take::<1>(numbers)[0]) % (MAX_READINGS + 1);
        let readings: Vec<Reading> = (0..count)
            .map(|_| {
                let [metric, quality, exponent] = take(numbers);
                Reading {
                    metric,
                    quality,
                    mantissa: i32::from_le_bytes(take(numbers)),
                    exponent: exponent as i8,
                }
            })
            .collect();
        let readings = &readings;
        let message = Outgoing::Readings {
            time_millis,
            readings,
        };
        sensor.seal(&message, &mut wire)
    } else {
        let metric = take::<1>(numbers)[0];
        let period_micros = u32::from_le_bytes(take(numbers));
        let samples = numbers.chunks_exact(2).take(MAX_SAMPLES);
        let samples: Vec<i16> = samples
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        let message = Outgoing::Wave {
            metric,
            time_millis,
            period_micros,
            samples: &samples,
        };
        sensor.seal(&message, &mut wire)
    };
    length.ok().map(|length| wire[..length].to_vec())
}

fn talk<K: DeviceKey>(mut sensor: Sensor<K>, host: HostKey, head: [u8; 4], numbers: &[u8]) {
    let [_, kind, place, damage] = head;
    let Some(wire) = seal(&mut sensor, kind, numbers) else {
        return;
    };
    let mut decoder = Level0::new(host, None);
    let mut damaged = wire.clone();
    let at = usize::from(place) % wire.len();
    damaged[at] ^= damage;
    let mut events = Vec::new();
    if damaged != wire && 0 < at && at < wire.len() - 1 {
        decoder.push(&damaged, NOW, &mut events);
        let is_measured = |event: &Event| matches!(event, Event::Measurement(_));
        assert!(!events.iter().any(is_measured), "a damaged frame counts");
    }
    events.clear();
    decoder.push(&wire, NOW, &mut events);
    check(&events, wire.len());
    assert_eq!(decoder.frames(), 1, "the frame after damage is taken");

    let upto = u64::from(u32::from_le_bytes(head));
    let said = decoder.seal(HostMessage::Final { upto }, NOW);
    let mut said = said.expect("the device was heard");
    let at = usize::from(place) % said.len();
    said[at] ^= damage;
    let mut ears = FrameReader::default();
    for byte in said {
        if let Some(Chunk::Frame(frame)) = ears.push(byte)
            && let Ok(message) = sensor.open(frame)
        {
            assert_eq!(
                message,
                HostMessage::Final { upto },
                "a damaged one is taken"
            );
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((head, numbers)) = data.split_first_chunk::<4>() else {
        return;
    };
    if head[0] & 1 == 0 {
        talk(Sensor::new(DEVICE, key(), 1), key().into(), *head, numbers);
    } else {
        let sensor = Sensor::new(DEVICE, HmacKey::new(&key()), 1);
        talk(sensor, HostKey::low_cost(key()), *head, numbers);
    }
});
