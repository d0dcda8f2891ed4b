//! The three ways in which a device proves that it sent a frame.
//!
//! | class | the device's proof | bytes | the host's proof |
//! |---|---|---|---|
//! | ultra-light | Ascon-AEAD128 tag | 16 | Ascon-AEAD128 tag |
//! | low-cost | HMAC-SHA256, its first half | 16 | the same |
//! | signing | Ed25519 signature | 64 | Ascon-AEAD128 tag |
//!
//! Which one is fixed at pairing: each class is a key of its own type, and a frame that names
//! another class than its reader's key is refused before anything is computed. A firmware links
//! the class whose key it holds and no other. It leaves out the host's side ([`crate::HostKey`]).

use crate::ascon;
#[cfg(feature = "low-cost")]
use crate::hmac::Hmac;
use crate::key::PairingKey;
#[cfg(feature = "signing")]
use ed25519_dalek::Signer;

/// Bytes of a symmetric tag.
pub const TAG_BYTES: usize = 16;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// How frames are authenticated between one device and its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(serde::Serialize, serde::Deserialize))]
pub enum Authentication {
    /// Ultra-light: Ascon-AEAD128 (NIST SP 800-232) with an empty plaintext.
    AsconTag,
    /// Low-cost: HMAC-SHA256 (RFC 2104, FIPS 180-4), truncated to 16 bytes.
    HmacTag,
    /// The device signs with Ed25519 (RFC 8032); the host answers with an Ascon tag.
    Signature,
    /// Only before there is a key: an Ascon tag under a key derived from the one-time code.
    PairingCode,
}

impl Authentication {
    /// The number that stands in the upper half of a frame's first byte.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Authentication::AsconTag => 0,
            Authentication::HmacTag => 1,
            Authentication::Signature => 2,
            Authentication::PairingCode => 15,
        }
    }

    /// Bytes of the proof on a frame of the device.
    #[must_use]
    pub const fn device_proof_bytes(self) -> usize {
        match self {
            Authentication::AsconTag | Authentication::HmacTag | Authentication::PairingCode => {
                TAG_BYTES
            }
            Authentication::Signature => SIGNATURE_BYTES,
        }
    }
}

/// What a device holds to prove its frames and to check its host's.
///
/// `signed` is always the frame's header and body.
pub trait DeviceKey {
    /// The class.
    const AUTHENTICATION: Authentication;

    /// Fills `proof`, which has [`Authentication::device_proof_bytes`].
    fn prove(&self, signed: &[u8], proof: &mut [u8]);

    /// The tag that the host's frame must bear.
    fn host_tag(&self, signed: &[u8]) -> [u8; TAG_BYTES];
}

impl<K: DeviceKey> DeviceKey for &K {
    const AUTHENTICATION: Authentication = K::AUTHENTICATION;

    fn prove(&self, signed: &[u8], proof: &mut [u8]) {
        K::prove(self, signed, proof);
    }

    fn host_tag(&self, signed: &[u8]) -> [u8; TAG_BYTES] {
        K::host_tag(self, signed)
    }
}

impl DeviceKey for PairingKey {
    const AUTHENTICATION: Authentication = Authentication::AsconTag;

    fn prove(&self, signed: &[u8], proof: &mut [u8]) {
        if let Ok(tag) = proof.try_into() {
            write_ascon_tag(self.device_half(), signed, tag);
        }
    }

    fn host_tag(&self, signed: &[u8]) -> [u8; TAG_BYTES] {
        ascon_tag(self.host_half(), signed)
    }
}

/// The Ascon tag of a frame; the nonce is its device identity and counter.
pub(crate) fn write_ascon_tag(key: &[u8; 16], signed: &[u8], tag: &mut [u8; TAG_BYTES]) {
    if let Some(nonce) = signed.get(2..18).and_then(|unique| unique.try_into().ok()) {
        ascon::write_tag(key, nonce, signed, tag);
    }
}

pub(crate) fn ascon_tag(key: &[u8; 16], signed: &[u8]) -> [u8; TAG_BYTES] {
    let mut tag = [0; TAG_BYTES];
    write_ascon_tag(key, signed, &mut tag);
    tag
}

/// The pairing key of a low-cost device, made ready once, at the start.
///
/// All 32 bytes are the key of both directions: the direction stands in what is authenticated.
#[cfg(feature = "low-cost")]
#[derive(Clone)]
pub struct HmacKey(Hmac);

#[cfg(feature = "low-cost")]
impl HmacKey {
    /// Makes a key ready.
    #[must_use]
    pub fn new(key: &PairingKey) -> HmacKey {
        HmacKey(Hmac::new(key.expose()))
    }

    /// The first half of the HMAC-SHA256 of a frame.
    pub(crate) fn tag(&self, signed: &[u8]) -> [u8; TAG_BYTES] {
        let whole = self.0.of(signed);
        *whole.first_chunk().unwrap_or(&[0; TAG_BYTES])
    }
}

#[cfg(feature = "low-cost")]
impl DeviceKey for HmacKey {
    const AUTHENTICATION: Authentication = Authentication::HmacTag;

    fn prove(&self, signed: &[u8], proof: &mut [u8]) {
        proof.copy_from_slice(&self.tag(signed));
    }

    fn host_tag(&self, signed: &[u8]) -> [u8; TAG_BYTES] {
        self.tag(signed)
    }
}

#[cfg(feature = "low-cost")]
impl core::fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("HmacKey(secret)")
    }
}

/// The key pair of a device that signs, and the key of its host's tags.
#[cfg(feature = "signing")]
#[derive(Clone)]
pub struct SigningKey {
    pair: ed25519_dalek::SigningKey,
    host: [u8; 16],
}

#[cfg(feature = "signing")]
impl SigningKey {
    /// Derives the pair from its 32 secret bytes (RFC 8032, 5.1.5). That costs as much as a
    /// signature: do it once, at the start.
    #[must_use]
    pub fn new(secret: &[u8; 32], host: [u8; 16]) -> SigningKey {
        SigningKey {
            pair: ed25519_dalek::SigningKey::from_bytes(secret),
            host,
        }
    }

    /// Takes the key of the host's tags that came with the pairing.
    pub fn set_host_key(&mut self, host: [u8; 16]) {
        self.host = host;
    }

    /// What the host checks the signatures with; not secret.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.pair.verifying_key().to_bytes()
    }
}

#[cfg(feature = "signing")]
impl DeviceKey for SigningKey {
    const AUTHENTICATION: Authentication = Authentication::Signature;

    fn prove(&self, signed: &[u8], proof: &mut [u8]) {
        proof.copy_from_slice(&self.pair.sign(signed).to_bytes());
    }

    fn host_tag(&self, signed: &[u8]) -> [u8; TAG_BYTES] {
        ascon_tag(&self.host, signed)
    }
}

#[cfg(feature = "signing")]
impl Drop for SigningKey {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.host);
    }
}

#[cfg(feature = "signing")]
impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SigningKey(secret)")
    }
}
