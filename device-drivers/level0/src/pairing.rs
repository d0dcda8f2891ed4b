//! Pairing over the wire, the device's side: from a one-time code to a key.
//!
//! ```text
//!   device, without a key                         host, with the code and a fresh key
//!     │ ── Offer: class, public key ─────────────▶ │  proved with the code; once a second
//!     │ ◀──────── Key: the key, encrypted ──────── │  after the host stored the key
//!   stores the key; the code is spent               │
//!     │ ── any frame under the new key ──────────▶ │  that is the confirmation
//! ```
//!
//! Whatever is lost, the device offers again and gets the same key again; whenever it is reset, its
//! journal says whether it has the key. There is no moment at which one of them waits for a frame
//! that the other will not send again. The frames are those of every class, number 15, with
//! Ascon-AEAD128 keys derived from the code. It leaves out forward secrecy: a recording *and* the
//! code give the key away, so the code is destroyed after pairing.

use crate::ascon;
use crate::authentication::{Authentication, TAG_BYTES, ascon_tag};
use crate::code::PairingCode;
use crate::frame::{Direction, Head, Refusal, draft, finish, open};
use crate::key::{DeviceId, PairingKey};
use crate::sensor::EncodeError;
use subtle::ConstantTimeEq;

/// Number of the message of a device that has no key.
pub(crate) const OFFER: u8 = 0;
/// Number of the message that brings the key.
pub(crate) const KEY: u8 = 0;
/// Header, and the number of the message: what is authenticated and not encrypted.
pub(crate) const KEY_CLEAR_BYTES: usize = 19;

/// What a device without a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It will prove its frames with an Ascon tag; its key has 32 bytes.
    AsconTag,
    /// It will prove them with HMAC-SHA256; its key has 32 bytes.
    HmacTag,
    /// It will sign them, and this is its public key; the host's key has 16 bytes.
    Signature([u8; 32]),
}

impl Offer {
    /// The class.
    #[must_use]
    pub const fn authentication(&self) -> Authentication {
        match self {
            Offer::AsconTag => Authentication::AsconTag,
            Offer::HmacTag => Authentication::HmacTag,
            Offer::Signature(_) => Authentication::Signature,
        }
    }
}

/// A device that has no key yet.
#[derive(Clone, Debug)]
pub struct Unpaired {
    device_id: DeviceId,
    keys: PairingKey,
    next_counter: u64,
}

impl Unpaired {
    /// A device in its `epoch`-th start, which is stored before, as for [`crate::Sensor::new`].
    #[must_use]
    pub fn new(device_id: DeviceId, code: &PairingCode, epoch: u32) -> Unpaired {
        Unpaired {
            device_id,
            keys: code.keys(),
            next_counter: u64::from(epoch) << 32,
        }
    }

    /// Seals an offer as it goes on the wire and returns its length in `wire`.
    ///
    /// # Errors
    /// [`EncodeError`] if `wire` is too short: 73 bytes always suffice.
    pub fn offer(&mut self, offer: &Offer, wire: &mut [u8]) -> Result<usize, EncodeError> {
        let head = Head {
            authentication: Authentication::PairingCode,
            direction: Direction::FromDevice,
            device_id: self.device_id,
            counter: self.next_counter,
        };
        let encode = |body: &mut [u8]| {
            let (numbers, key) = body.split_at_mut_checked(2)?;
            numbers.copy_from_slice(&[OFFER, offer.authentication().number()]);
            let Offer::Signature(public) = offer else {
                return Some(2);
            };
            key.get_mut(..public.len())?.copy_from_slice(public);
            Some(2 + public.len())
        };
        let length = draft(&head, wire, encode).and_then(|unproved| {
            finish(unproved, TAG_BYTES, wire, |signed, proof| {
                proof.copy_from_slice(&ascon_tag(self.keys.device_half(), signed));
            })
        });
        self.next_counter += 1;
        length.ok_or(EncodeError)
    }

    /// Opens the host's answer and returns the key: 32 bytes, or the 16 of a device that signs. The
    /// device stores it before it does anything else, and has then spent its code.
    ///
    /// # Errors
    /// [`Refusal`] says why the frame was refused.
    pub fn open<'a>(&self, frame: &'a mut [u8]) -> Result<&'a [u8], Refusal> {
        let opened = open(
            Authentication::PairingCode,
            Direction::FromHost,
            frame,
            |signed, tag| decrypt(self.keys.host_half(), signed, tag),
        )?;
        if opened.device_id != self.device_id {
            return Err(Refusal::WrongDevice);
        }
        match opened.body.split_first() {
            Some((&KEY, key)) => Ok(key),
            _ => Err(Refusal::Unknown),
        }
    }
}

/// Decrypts the key in place and says whether the tag is right; if not, what stands there is void.
fn decrypt(key: &[u8; 16], signed: &mut [u8], tag: &[u8]) -> bool {
    let Some((clear, text)) = signed.split_at_mut_checked(KEY_CLEAR_BYTES) else {
        return false;
    };
    let mut expected = [0; TAG_BYTES];
    if let Some(nonce) = clear.get(2..18).and_then(|nonce| nonce.try_into().ok()) {
        ascon::decrypt(key, nonce, clear, text, &mut expected);
    }
    expected.ct_eq(tag).into()
}
