//! The low-cost device: 4 kB of flash, 2 kB of RAM, HMAC-SHA256 on each reading.
//!
//! It listens: it keeps its readings until they are durable.
#![no_std]
#![no_main]

use fogward_firmware::{factory, listening};
use fogward_level0::DeviceClass;

#[cortex_m_rt::entry]
fn main() -> ! {
    listening::run::<_, 56>(DeviceClass::LowCost, factory::hmac_key())
}
