//! What a host holds of one device: the key, and with it the class, fixed at pairing.
//!
//! ```text
//! class        as text              as bytes, to be sealed at rest
//! ultra-light  64 digits            key (32)
//! low-cost     hmac and 64 digits   01, key (32)
//! signing      sign and 96 digits   02, the device's public key (32), key of the host's tags (16)
//! ```
//!
//! The ultra-light form has no class in it because it is older than the classes. It leaves out
//! where a key is kept.

use crate::authentication::{Authentication, HmacKey, TAG_BYTES, ascon_tag};
use crate::key::{KeyError, PairingKey, read_hex};
use core::str::FromStr;
use ed25519_dalek::{Signature, VerifyingKey};
use heapless::Vec;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a key at rest, at most.
pub const MAX_KEY_BYTES: usize = 1 + 32 + 16;

/// The host's key for one device.
#[derive(Clone)]
pub struct HostKey(Kind);

#[derive(Clone)]
enum Kind {
    Ascon(PairingKey),
    Hmac(PairingKey),
    Signing { device: [u8; 32], host: HostTagKey },
}

/// Wiped when dropped.
#[derive(Clone)]
struct HostTagKey([u8; 16]);

impl Drop for HostTagKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl HostKey {
    /// The key of a low-cost device.
    #[must_use]
    pub const fn low_cost(key: PairingKey) -> HostKey {
        HostKey(Kind::Hmac(key))
    }

    /// The key of a device that signs: its public key, and the key of the host's tags.
    ///
    /// # Errors
    /// [`KeyError`] if `device` is no public key, or one of the few under which anybody can sign.
    pub fn signing(device: &[u8; 32], host: [u8; 16]) -> Result<HostKey, KeyError> {
        if VerifyingKey::from_bytes(device).is_ok_and(|device| !device.is_weak()) {
            let (device, host) = (*device, HostTagKey(host));
            Ok(HostKey(Kind::Signing { device, host }))
        } else {
            Err(KeyError)
        }
    }

    /// Reads a key from its bytes at rest.
    ///
    /// # Errors
    /// [`KeyError`] if these are no key of a known class.
    pub fn from_bytes(bytes: &[u8]) -> Result<HostKey, KeyError> {
        if let Ok(key) = <[u8; 32]>::try_from(bytes) {
            return Ok(PairingKey::from_bytes(key).into());
        }
        let (class, rest) = bytes.split_first().ok_or(KeyError)?;
        if *class == Authentication::HmacTag.number() {
            let key = rest.try_into().map_err(|_| KeyError)?;
            return Ok(HostKey::low_cost(PairingKey::from_bytes(key)));
        }
        match (*class, rest.split_first_chunk()) {
            (2, Some((device, host))) => {
                HostKey::signing(device, host.try_into().map_err(|_| KeyError)?)
            }
            _ => Err(KeyError),
        }
    }

    /// The secret bytes, for whoever seals them at rest.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<Vec<u8, MAX_KEY_BYTES>> {
        let class = [self.authentication().number()];
        let (class, first, second): (&[u8], &[u8], &[u8]) = match &self.0 {
            Kind::Ascon(key) => (&[], key.expose(), &[]),
            Kind::Hmac(key) => (&class, key.expose(), &[]),
            Kind::Signing { device, host } => (&class, device, &host.0),
        };
        let bytes = class.iter().chain(first).chain(second).copied();
        Zeroizing::new(bytes.collect())
    }

    /// The class.
    #[must_use]
    pub const fn authentication(&self) -> Authentication {
        match &self.0 {
            Kind::Ascon(_) => Authentication::AsconTag,
            Kind::Hmac(_) => Authentication::HmacTag,
            Kind::Signing { .. } => Authentication::Signature,
        }
    }

    /// What the device gets of it at pairing: its pairing key, or the key of the host's tags.
    pub(crate) fn device_secret(&self) -> &[u8] {
        match &self.0 {
            Kind::Ascon(key) | Kind::Hmac(key) => key.expose(),
            Kind::Signing { host, .. } => &host.0,
        }
    }

    /// The public key of a device that signs.
    #[must_use]
    pub const fn public_key(&self) -> Option<&[u8; 32]> {
        match &self.0 {
            Kind::Ascon(_) | Kind::Hmac(_) => None,
            Kind::Signing { device, .. } => Some(device),
        }
    }

    /// Whether the device proved this header and body.
    pub(crate) fn verify(&self, signed: &[u8], proof: &[u8]) -> bool {
        match &self.0 {
            Kind::Ascon(key) => ascon_tag(key.device_half(), signed).ct_eq(proof).into(),
            Kind::Hmac(key) => HmacKey::new(key).tag(signed).ct_eq(proof).into(),
            Kind::Signing { device, .. } => is_signed(device, signed, proof),
        }
    }

    /// The tag of what the host sends.
    pub(crate) fn tag(&self, signed: &[u8]) -> [u8; TAG_BYTES] {
        match &self.0 {
            Kind::Ascon(key) => ascon_tag(key.host_half(), signed),
            Kind::Hmac(key) => HmacKey::new(key).tag(signed),
            Kind::Signing { host, .. } => ascon_tag(&host.0, signed),
        }
    }
}

/// A signature of this key, and one of which nobody can make a second form (RFC 8032, 5.1.7).
fn is_signed(device: &[u8; 32], signed: &[u8], proof: &[u8]) -> bool {
    let key = VerifyingKey::from_bytes(device);
    let signature = Signature::from_slice(proof);
    let both = key.ok().zip(signature.ok());
    both.is_some_and(|(key, signature)| key.verify_strict(signed, &signature).is_ok())
}

impl From<PairingKey> for HostKey {
    /// The key of an ultra-light device.
    fn from(key: PairingKey) -> HostKey {
        HostKey(Kind::Ascon(key))
    }
}

impl FromStr for HostKey {
    type Err = KeyError;

    /// Reads the text form; blanks, `-` and `:` between digits are ignored.
    fn from_str(text: &str) -> Result<HostKey, KeyError> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix("hmac") {
            return Ok(HostKey::low_cost(digits.parse()?));
        }
        let Some(digits) = text.strip_prefix("sign") else {
            return Ok(text.parse::<PairingKey>()?.into());
        };
        let mut bytes = [0; 48];
        let read = read_hex(digits, &mut bytes);
        let key = read.and_then(|()| match bytes.split_first_chunk() {
            Some((device, host)) => {
                HostKey::signing(device, host.try_into().map_err(|_| KeyError)?)
            }
            None => Err(KeyError),
        });
        bytes.zeroize();
        key
    }
}

impl core::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "HostKey({:?}, secret)", self.authentication())
    }
}
