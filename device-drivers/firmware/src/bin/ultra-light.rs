//! The ultra-light device: 4 kB of flash, 256 B of RAM, an Ascon tag on each reading.
//!
//! It sends and forgets: it never listens, but for a key when it is paired, so it keeps no readings, and a hole in its numbers is
//! what was lost. Its key stays in flash; RAM holds one frame and the cipher's state.
#![no_std]
#![no_main]

use cortex_m_rt as _;
use fogward_firmware::board::{Board, MILLIS_PER_TICK};
use fogward_firmware::{factory, simulated, start};
#[cfg(not(feature = "pairing"))]
use fogward_level0::{Authentication, DeviceKey};
use fogward_level0::{DeviceClass, Hello, Outgoing, Sensor, Unproved};
#[cfg(feature = "pairing")]
use fogward_level0::{Offer, PairingKey};

/// The longest frame it sends: a Hello or one reading, with the zero bytes around it.
const WIRE: usize = 48;
const TICKS_PER_HELLO: u32 = 60_000 / MILLIS_PER_TICK;
const HELLO: Hello = Hello {
    firmware: [0, 1, 0],
    class: DeviceClass::UltraLight,
    readings_per_1000_s: 1_000_000 / MILLIS_PER_TICK,
    is_listening: false,
};

/// The factory's key as it lies in flash: nothing of it is in RAM, not even where it is.
#[cfg(not(feature = "pairing"))]
struct KeyInFlash;

#[cfg(not(feature = "pairing"))]
impl DeviceKey for KeyInFlash {
    const AUTHENTICATION: Authentication = Authentication::AsconTag;

    fn prove(&self, signed: &[u8], proof: &mut [u8]) {
        factory::PAIRING_KEY.prove(signed, proof);
    }

    fn host_tag(&self, signed: &[u8]) -> [u8; 16] {
        factory::PAIRING_KEY.host_tag(signed)
    }
}

#[cfg(not(feature = "pairing"))]
type Device = Sensor<KeyInFlash>;
#[cfg(feature = "pairing")]
type Device = Sensor<PairingKey>;

// None of these is inlined: what one keeps on the stack is free again for the next.

#[inline(never)]
fn draft_hello(device: &mut Device, wire: &mut [u8; WIRE]) -> Option<Unproved> {
    device.draft(&Outgoing::Hello(HELLO), wire).ok()
}

#[inline(never)]
fn draft_reading(device: &mut Device, number: u32, wire: &mut [u8; WIRE]) -> Option<Unproved> {
    let readings = [simulated::oxygen_saturation(number)];
    let message = Outgoing::Readings {
        time_millis: None,
        readings: &readings,
    };
    device.draft(&message, wire).ok()
}

#[inline(never)]
fn send(board: &mut Board, device: &Device, draft: Option<Unproved>, wire: &mut [u8; WIRE]) {
    let length = draft.and_then(|draft| device.finish(draft, wire).ok());
    board.send(
        length
            .and_then(|length| wire.get(..length))
            .unwrap_or_default(),
    );
}

// Not through cortex-m-rt's macro, which calls it from a function of its own: eight bytes of stack.
// SAFETY: it is the program's only `main`, and called once, by the reset handler.
#[allow(unsafe_code, reason = "the reset handler finds it by its name")]
#[unsafe(export_name = "main")]
extern "C" fn main() -> ! {
    let mut board = Board::start();
    #[cfg(not(feature = "pairing"))]
    let (epoch, key) = (start::epoch(&mut board), KeyInFlash);
    #[cfg(feature = "pairing")]
    let (epoch, key) = {
        let (epoch, key) = start::paired(&mut board, &Offer::AsconTag);
        (epoch, PairingKey::from_bytes(key))
    };
    let mut device = Sensor::new(factory::DEVICE, key, epoch);
    let mut wire = [0; WIRE];
    for number in 0.. {
        if number % TICKS_PER_HELLO == 0 {
            let draft = draft_hello(&mut device, &mut wire);
            send(&mut board, &device, draft, &mut wire);
        }
        let draft = draft_reading(&mut device, number, &mut wire);
        send(&mut board, &device, draft, &mut wire);
        while board.ticks() <= number {
            board.sleep();
        }
    }
    unreachable!("the numbers of an epoch last for 34 years")
}
