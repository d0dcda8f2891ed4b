//! Any bytes into each serial profile: survived, bounded, and the same whatever pieces they come in.
//!
//! The first byte chooses the profile and the length of the pieces, the rest is the line.
#![no_main]

use device_drivers::codec::Decoder;
use device_drivers::{Event, PairingKey, Profile, SerialConfig};
use device_drivers_fuzz::{NOW, check};
use libfuzzer_sys::fuzz_target;

fn decode(profile: Profile, bytes: &[u8], piece: usize) -> Vec<Event> {
    let mut config = SerialConfig::new("unused", profile);
    config.key = Some(PairingKey::from_bytes([7; 32]).into());
    let mut decoder = Decoder::new(&config).expect("a key is given");
    let mut events = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.push(piece, NOW, &mut events);
    }
    decoder.reset(&mut events);
    events
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let choice = usize::from(*choice);
    let profile = Profile::ALL[choice % Profile::ALL.len()];
    let whole = decode(profile, bytes, usize::MAX);
    check(&whole, bytes.len());
    let pieces = decode(profile, bytes, 1 + choice / Profile::ALL.len());
    assert_eq!(whole, pieces, "{profile}");
});
