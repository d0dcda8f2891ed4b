//! The pairing key and the device's identity.
//!
//! The key is handed over by whoever adds the device, as 64 hexadecimal digits. It is never shown
//! by `Debug`, never serialized, and wiped from memory when dropped. Where it is kept is the fog
//! node's business, and how it is used that of [`crate::authentication`].

use core::fmt;
use core::str::FromStr;
use zeroize::Zeroize;

/// The secret that one device and its fog node share: 32 random bytes.
///
/// As a [`crate::DeviceKey`] it is that of the ultra-light class: the first 16 bytes authenticate
/// what the device sends, the last 16 what the host sends, so a frame can never be reflected to its
/// sender.
#[derive(Clone)]
pub struct PairingKey([u8; 32]);

impl PairingKey {
    /// A key from 32 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> PairingKey {
        PairingKey(bytes)
    }

    /// The secret bytes, for whoever seals them at rest.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// What authenticates the device's frames under Ascon: the first half.
    pub(crate) fn device_half(&self) -> &[u8; 16] {
        self.halves().0
    }

    /// What authenticates the host's frames under Ascon: the second half.
    pub(crate) fn host_half(&self) -> &[u8; 16] {
        self.halves().1
    }

    fn halves(&self) -> (&[u8; 16], &[u8; 16]) {
        match self.0.as_chunks() {
            ([device, host], []) => (device, host),
            _ => unreachable!("32 bytes are two times 16"),
        }
    }
}

impl Drop for PairingKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for PairingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingKey(secret)")
    }
}

/// The text is no pairing key. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a pairing key is 64 hexadecimal digits, or `hmac` and 64, or `sign` and 96 of them",
        )
    }
}

impl core::error::Error for KeyError {}

impl FromStr for PairingKey {
    type Err = KeyError;

    /// Reads 64 hexadecimal digits; blanks, `-` and `:` between them are ignored.
    fn from_str(text: &str) -> Result<PairingKey, KeyError> {
        let mut key = PairingKey([0; 32]);
        read_hex(text, &mut key.0)?;
        Ok(key)
    }
}

/// Fills `bytes` from twice as many hexadecimal digits, no more and no fewer.
pub(crate) fn read_hex(text: &str, bytes: &mut [u8]) -> Result<(), KeyError> {
    let mut digits = 0;
    for letter in text.chars() {
        if letter.is_whitespace() || letter == '-' || letter == ':' {
            continue;
        }
        let digit = letter.to_digit(16).ok_or(KeyError)?;
        let byte = bytes.get_mut(digits / 2).ok_or(KeyError)?;
        *byte = (*byte << 4) | digit as u8;
        digits += 1;
    }
    if digits == 2 * bytes.len() {
        Ok(())
    } else {
        Err(KeyError)
    }
}

/// The identity a device was given when it was made; public.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub [u8; 8]);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({self})")
    }
}
