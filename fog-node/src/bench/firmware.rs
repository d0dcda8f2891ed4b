//! The firmware's own code for a level-0 device of each class, as the benches and the tests play it, with a fresh
//! key.

use fogward_level0::{
    Authentication, DeviceId, DeviceKey, EncodeError, HmacKey, HostMessage, MAX_WIRE, Outgoing,
    PairingKey, Refusal, Sensor, SigningKey,
};

use crate::keystore::random;

/// A device, by how it proves its frames.
#[derive(Debug)]
pub enum Firmware {
    /// By an Ascon-AEAD128 tag.
    UltraLight(Sensor<PairingKey>),
    /// By HMAC-SHA256.
    LowCost(Box<Sensor<HmacKey>>),
    /// By an Ed25519 signature.
    Signing(Box<Sensor<SigningKey>>),
}

impl Firmware {
    /// A device of a class in its first start, and the node's key for it as `fogward run --serial-key` reads it.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new(number: u32, class: Authentication) -> anyhow::Result<(Self, String)> {
        let device = device_id(number);
        let secret: [u8; 32] = random()?;
        let digits = hex::encode(secret);
        Ok(match class {
            Authentication::HmacTag => {
                let key = HmacKey::new(&PairingKey::from_bytes(secret));
                let sensor = Sensor::new(device, key, 1);
                (Self::LowCost(Box::new(sensor)), format!("hmac {digits}"))
            }
            Authentication::Signature => {
                let host: [u8; 16] = random()?;
                let pair = SigningKey::new(&secret, host);
                let public = hex::encode(pair.public_key());
                let key = format!("sign {public}{}", hex::encode(host));
                (Self::Signing(Box::new(Sensor::new(device, pair, 1))), key)
            }
            Authentication::AsconTag | Authentication::PairingCode => {
                let (sensor, key) = ultra_light(number)?;
                (Self::UltraLight(sensor), key)
            }
        })
    }

    /// A message as it goes on the wire.
    ///
    /// # Errors
    /// [`EncodeError`] if the message is too long, or the epoch's counters are used up.
    pub fn seal(&mut self, message: &Outgoing<'_>) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::UltraLight(sensor) => seal(sensor, message),
            Self::LowCost(sensor) => seal(sensor, message),
            Self::Signing(sensor) => seal(sensor, message),
        }
    }

    /// Takes a frame of the host.
    ///
    /// # Errors
    /// [`Refusal`] if it is none, or none for this device.
    pub fn open(&mut self, frame: &mut [u8]) -> Result<HostMessage, Refusal> {
        match self {
            Self::UltraLight(sensor) => sensor.open(frame),
            Self::LowCost(sensor) => sensor.open(frame),
            Self::Signing(sensor) => sensor.open(frame),
        }
    }
}

/// A device of the lightest class, and the node's key for it.
///
/// # Errors
/// The system gives no random bytes.
pub fn ultra_light(number: u32) -> anyhow::Result<(Sensor<PairingKey>, String)> {
    let secret: [u8; 32] = random()?;
    let sensor = Sensor::new(device_id(number), PairingKey::from_bytes(secret), 1);
    Ok((sensor, hex::encode(secret)))
}

/// A message as it goes on the wire.
///
/// # Errors
/// [`EncodeError`] if the message is too long, or the epoch's counters are used up.
pub fn seal<K: DeviceKey>(
    sensor: &mut Sensor<K>,
    message: &Outgoing<'_>,
) -> Result<Vec<u8>, EncodeError> {
    let mut wire = [0; MAX_WIRE];
    let length = sensor.seal(message, &mut wire)?;
    Ok(wire[..length].to_vec())
}

fn device_id(number: u32) -> DeviceId {
    let mut device = [0; 8];
    device[..4].copy_from_slice(&number.to_le_bytes());
    DeviceId(device)
}
