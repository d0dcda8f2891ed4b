//! The low-cost device: 4 kB of flash, 2 kB of RAM, HMAC-SHA256 on each reading.
//!
//! It listens: it keeps its readings until they are durable.
#![no_std]
#![no_main]

use fogward_firmware::board::Board;
#[cfg(not(feature = "pairing"))]
use fogward_firmware::factory;
use fogward_firmware::{listening, start};
use fogward_level0::DeviceClass;
#[cfg(feature = "pairing")]
use fogward_level0::{HmacKey, Offer, PairingKey};

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut board = Board::start();
    #[cfg(not(feature = "pairing"))]
    let (epoch, key) = (start::epoch(&mut board), factory::hmac_key());
    #[cfg(feature = "pairing")]
    let (epoch, key) = {
        let (epoch, key) = start::paired(&mut board, &Offer::HmacTag);
        (epoch, HmacKey::new(&PairingKey::from_bytes(key)))
    };
    listening::run::<_, 56>(board, epoch, DeviceClass::LowCost, key)
}
