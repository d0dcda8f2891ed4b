//! The device that signs: 20 kB of flash, 8 kB of RAM, an Ed25519 signature on each reading.
//!
//! It listens: it keeps its readings until they are durable. Its key pair is derived once, at the
//! start.
#![no_std]
#![no_main]

use fogward_firmware::board::Board;
use fogward_firmware::{factory, listening, start};
use fogward_level0::DeviceClass;
#[cfg(feature = "pairing")]
use fogward_level0::Offer;

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut board = Board::start();
    #[cfg(not(feature = "pairing"))]
    let (epoch, key) = (start::epoch(&mut board), factory::signing_key());
    #[cfg(feature = "pairing")]
    let (epoch, key) = {
        let mut key = factory::signing_key();
        let offer = Offer::Signature(key.public_key());
        let (epoch, given) = start::paired(&mut board, &offer);
        if let Some(host) = given.first_chunk() {
            key.set_host_key(*host);
        }
        (epoch, key)
    };
    listening::run::<_, 104>(board, epoch, DeviceClass::Lightweight, key)
}
