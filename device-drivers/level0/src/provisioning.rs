//! Pairing over the wire, the host's side. The exchange is drawn in [`crate::pairing`].
//!
//! Pure: frames in, progress out. The host must have *stored* the key of [`Progress::Offered`]
//! before it answers: from then on the device may hold it and no other. After a restart it goes on
//! with [`Provisioning::resume`]. It leaves out randomness and storing.

use crate::ascon;
use crate::authentication::{Authentication, TAG_BYTES, ascon_tag};
use crate::code::PairingCode;
use crate::frame::{Direction, Head, Refusal, class_number, draft, finish, open};
use crate::host::Host;
use crate::host_key::HostKey;
use crate::key::{DeviceId, PairingKey};
use crate::pairing::{KEY, KEY_CLEAR_BYTES, OFFER, Offer};
use subtle::ConstantTimeEq;

/// What a frame led to.
#[derive(Clone, Debug)]
pub enum Progress {
    /// The device has no key. Store this one, then send [`Provisioning::answer`].
    Offered {
        /// Who asks.
        device_id: DeviceId,
        /// The key it is to have, the same each time.
        key: HostKey,
    },
    /// The device proved that it has the key: the pairing is done and the code is spent.
    Done {
        /// The key.
        key: HostKey,
        /// Who it is.
        device_id: DeviceId,
        /// The counter of the frame that proved it.
        counter: u64,
    },
}

/// A pairing that goes on.
#[derive(Debug)]
pub struct Provisioning {
    codes: PairingKey,
    secret: PairingKey,
    key: Option<HostKey>,
    device_id: Option<DeviceId>,
    sent: u64,
}

impl Provisioning {
    /// Begins a pairing with the device of this code; `secret` is fresh and random.
    #[must_use]
    pub fn new(code: &PairingCode, secret: PairingKey) -> Provisioning {
        Provisioning {
            codes: code.keys(),
            secret,
            key: None,
            device_id: None,
            sent: 0,
        }
    }

    /// Goes on with a pairing whose key was stored.
    #[must_use]
    pub fn resume(code: &PairingCode, key: HostKey) -> Provisioning {
        Provisioning {
            codes: code.keys(),
            secret: PairingKey::from_bytes([0; 32]),
            key: Some(key),
            device_id: None,
            sent: 0,
        }
    }

    /// Whether a frame, as it stood on the line, says it is of a device that has no key yet. Nothing of it
    /// is verified.
    #[must_use]
    pub fn is_offer(frame: &[u8]) -> bool {
        class_number(frame) == Some(Authentication::PairingCode.number())
    }

    /// Opens a frame of the device.
    ///
    /// # Errors
    /// [`Refusal`] says why it was refused: [`Refusal::Forged`] if it is not the device of this
    /// code, or one that is paired already.
    pub fn open(&mut self, frame: &mut [u8]) -> Result<Progress, Refusal> {
        if Provisioning::is_offer(frame) {
            return self.open_offer(frame);
        }
        let key = self.key.clone().ok_or(Refusal::Forged)?;
        let first = Host::new(key.clone(), None).open(frame)?;
        if self.device_id.is_some_and(|known| known != first.device_id) {
            return Err(Refusal::WrongDevice);
        }
        Ok(Progress::Done {
            key,
            device_id: first.device_id,
            counter: first.counter,
        })
    }

    fn open_offer(&mut self, frame: &mut [u8]) -> Result<Progress, Refusal> {
        let opened = open(
            Authentication::PairingCode,
            Direction::FromDevice,
            frame,
            |signed, proof| {
                let tag = ascon_tag(self.codes.device_half(), signed);
                tag.ct_eq(proof).into()
            },
        )?;
        if self
            .device_id
            .is_some_and(|known| known != opened.device_id)
        {
            return Err(Refusal::WrongDevice);
        }
        let offer = read_offer(opened.body).ok_or(Refusal::Unknown)?;
        let key = match &self.key {
            // A stored key is not given to a device that is not what it was.
            Some(key) if is_for(key, &offer) => key.clone(),
            Some(_) => return Err(Refusal::WrongClass),
            None => self.key_for(&offer).ok_or(Refusal::Unknown)?,
        };
        self.key = Some(key.clone());
        self.device_id = Some(opened.device_id);
        Ok(Progress::Offered {
            device_id: opened.device_id,
            key,
        })
    }

    fn key_for(&self, offer: &Offer) -> Option<HostKey> {
        match offer {
            Offer::AsconTag => Some(self.secret.clone().into()),
            Offer::HmacTag => Some(HostKey::low_cost(self.secret.clone())),
            Offer::Signature(public) => HostKey::signing(public, *self.secret.host_half()).ok(),
        }
    }

    /// Seals the key for the device that offered, and returns the length in `wire`; `None` before
    /// an offer was heard. `now_millis` since 1970, as for [`Host::seal`].
    pub fn answer(&mut self, now_millis: u64, wire: &mut [u8]) -> Option<usize> {
        let device_id = self.device_id?;
        let secret = self.key.as_ref()?.device_secret();
        self.sent = now_millis.max(self.sent.saturating_add(1));
        let head = Head {
            authentication: Authentication::PairingCode,
            direction: Direction::FromHost,
            device_id,
            counter: self.sent,
        };
        let unproved = draft(&head, wire, |body| {
            let (number, text) = body.split_first_mut()?;
            *number = KEY;
            text.get_mut(..secret.len())?.copy_from_slice(secret);
            Some(1 + secret.len())
        })?;
        let host = self.codes.host_half();
        finish(unproved, TAG_BYTES, wire, |signed, tag| {
            let (clear, text) = signed.split_at_mut(KEY_CLEAR_BYTES);
            let nonce = clear.get(2..18).and_then(|nonce| nonce.try_into().ok());
            if let (Some(nonce), Ok(tag)) = (nonce, tag.try_into()) {
                ascon::encrypt(host, nonce, clear, text, tag);
            }
        })
    }
}

fn read_offer(body: &[u8]) -> Option<Offer> {
    let ([OFFER, class], rest) = body.split_first_chunk()? else {
        return None;
    };
    match class {
        0 => Some(Offer::AsconTag),
        1 => Some(Offer::HmacTag),
        2 => Some(Offer::Signature(*rest.first_chunk()?)),
        _ => None,
    }
}

fn is_for(key: &HostKey, offer: &Offer) -> bool {
    let is_same_device = match offer {
        Offer::Signature(public) => key.public_key() == Some(public),
        Offer::AsconTag | Offer::HmacTag => true,
    };
    key.authentication() == offer.authentication() && is_same_device
}
