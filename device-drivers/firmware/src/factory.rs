//! What the production line gives each device: identity and keys.
//!
//! These are **examples for tests**, the keys of `docs/level0-protocol.md`. A product's line writes
//! random ones into each device and prints them for whoever pairs it.

use fogward_level0::DeviceId;
#[cfg(feature = "low-cost")]
use fogward_level0::HmacKey;
#[cfg(feature = "pairing")]
use fogward_level0::PairingCode;
use fogward_level0::PairingKey;
#[cfg(feature = "signing")]
use fogward_level0::SigningKey;

/// The identity.
pub const DEVICE: DeviceId = DeviceId([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);

const fn counting_from<const N: usize>(first: u8) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = first + at as u8;
        at += 1;
    }
    bytes
}

/// The one-time code, `000G-40R4-0M30-E209-185G-R38E-1W0H` as it would be printed.
#[cfg(feature = "pairing")]
pub static CODE: PairingCode = PairingCode::from_bytes(counting_from(0));

/// The pairing key of the ultra-light and of the low-cost device.
pub static PAIRING_KEY: PairingKey = PairingKey::from_bytes(counting_from(0));

/// The key of the low-cost device.
#[cfg(feature = "low-cost")]
#[must_use]
pub fn hmac_key() -> HmacKey {
    HmacKey::new(&PAIRING_KEY)
}

/// The key pair of the device that signs.
#[cfg(feature = "signing")]
#[must_use]
pub fn signing_key() -> SigningKey {
    SigningKey::new(&counting_from(32), counting_from(16))
}
