//! Any values of any characteristics into the decoder of a peripheral and the fetching of stored records:
//! survived, bounded, each counted once, and no fetch that never ends.
//!
//! A value is its characteristic's place in the lists, its length, and its bytes; a link that falls is a length of
//! 255.
#![no_main]

use device_drivers::Event;
use device_drivers::gatt::{Gatt, READ, RecordFetch, SUBSCRIBE, TIMEOUT_MILLIS};
use device_drivers_fuzz::{NOW, check};
use libfuzzer_sys::fuzz_target;

const FALLS: usize = 255;

fuzz_target!(|data: &[u8]| {
    let known: Vec<u16> = READ.iter().chain(SUBSCRIBE).copied().collect();
    let (mut gatt, mut fetch) = (Gatt::new(), RecordFetch::new(None));
    let (mut rest, mut now) = (data, NOW);
    while let [place, length, tail @ ..] = rest {
        let (place, length) = (usize::from(*place), usize::from(*length));
        // One that is not known comes, too.
        let characteristic = known.get(place % (known.len() + 1)).copied();
        let characteristic = characteristic.unwrap_or(0x2a00);
        let mut events = Vec::new();
        if length == FALLS {
            gatt.reset(&mut events);
            fetch.dropped();
            check(&events, 0);
            rest = tail;
            continue;
        }
        let (value, tail) = tail.split_at(length.min(tail.len()));
        rest = tail;
        now += i64::from(place as u8) * 100;
        let before = gatt.frames();
        gatt.push(characteristic, value, now, &mut events);
        check(&events, value.len());
        let is_refused = events
            .iter()
            .any(|event| matches!(event, Event::Rejected(_)));
        assert!(gatt.frames() == before + 1 || is_refused, "counted once");
        fetch.start(now);
        fetch.take(characteristic, value, now);
        fetch.poll(now);
    }
    fetch.poll(now + TIMEOUT_MILLIS);
    fetch.poll(now + 2 * TIMEOUT_MILLIS);
    assert!(!fetch.is_running(), "silence ends it");
});
