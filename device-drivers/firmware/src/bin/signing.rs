//! The device that signs: 20 kB of flash, 8 kB of RAM, an Ed25519 signature on each reading.
//!
//! It listens: it keeps its readings until they are durable. Its key pair is derived once, at the
//! start.
#![no_std]
#![no_main]

use fogward_firmware::{factory, listening};
use fogward_level0::DeviceClass;

#[cortex_m_rt::entry]
fn main() -> ! {
    listening::run::<_, 104>(DeviceClass::Lightweight, factory::signing_key())
}
