//! A reading: one value, or one second of a wave, of one stream, and its salted commitment.
//!
//! ```text
//! commitment = tagged("fogward/reading/1", salt[16] ‖ postcard(Reading))
//! salt       = first 16 bytes of HMAC-SHA-256(stream salt key, u64_be(sequence))
//! ```
//!
//! The salt keeps the commitment from being guessed (a pulse rate has some 200 likely values), and
//! destroying the stream's salt key makes every leaf of the stream meaningless.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::canonical::{self, DecodeError};
use crate::digest::{Digest, fixed_bytes};
use crate::ids::StreamId;

/// Longest encoding of a reading in bytes; a second of a 500 Hz wave fits.
pub const MAX_READING_BYTES: usize = 4096;

/// An exact decimal number, `mantissa × 10^exponent`; no binary fraction ever enters a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Decimal {
    /// All digits.
    pub mantissa: i64,
    /// Power of ten.
    pub exponent: i8,
}

impl Decimal {
    /// A whole number.
    #[must_use]
    pub const fn whole(value: i64) -> Self {
        Self {
            mantissa: value,
            exponent: 0,
        }
    }

    /// The nearest `f64`, for plots only.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.mantissa as f64 * 10f64.powi(i32::from(self.exponent))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.exponent >= 0 {
            let zeros = "0".repeat(usize::from(self.exponent.unsigned_abs()));
            return write!(f, "{}{zeros}", self.mantissa);
        }
        let places = usize::from(self.exponent.unsigned_abs());
        let digits = format!(
            "{:0>width$}",
            self.mantissa.unsigned_abs(),
            width = places + 1
        );
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}.{fraction}")
    }
}

/// A wave of equidistant samples, as FHIR R4 SampledData: `None` is FHIR's "E" (no valid sample).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SampledData {
    /// Time between two samples in microseconds.
    pub period_micros: u32,
    /// The samples in the device's own steps.
    pub samples: Vec<Option<i16>>,
}

/// What was measured.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Value {
    /// One number in the reading's unit.
    Quantity(Decimal),
    /// One second of a wave.
    Samples(SampledData),
    /// Nothing could be measured; the quality says why.
    Absent,
}

/// How far a value can be trusted; anything but `Good` and the two after it comes without a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// The sensor vouches for it.
    Good,
    /// Motion, an artifact or a weak signal; the number stands but is doubtful.
    Questionable,
    /// Little blood flow under the sensor; the number stands but is doubtful.
    LowPerfusion,
    /// The sensor is off the body ("finger out").
    SensorOff,
    /// The sensor is looking for a signal.
    Searching,
    /// The sensor sent its sign for "no value".
    Missing,
    /// The sensor says that it is broken.
    SensorFault,
}

/// Where a reading came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A sensor that cannot authenticate itself; the fog node vouches for having received it.
    Sensor,
    /// A sensor whose authentication the fog node verified.
    AuthenticatedSensor,
    /// A simulated device: not from a person's body.
    Simulated,
}

/// One reading, exactly as it is committed to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its place in the stream: 0, 1, 2 … without holes.
    pub sequence: u64,
    /// LOINC code of the metric.
    pub code: Cow<'static, str>,
    /// UCUM unit of the value.
    pub unit: Cow<'static, str>,
    /// The value.
    pub value: Value,
    /// Its quality.
    pub quality: Quality,
    /// Where it came from.
    pub origin: Origin,
    /// The device's own time, in Unix milliseconds, where it has a clock.
    pub device_time_millis: Option<i64>,
    /// When the fog node received it, in Unix milliseconds.
    pub host_time_millis: i64,
}

impl Reading {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`DecodeError`] if they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode(bytes, MAX_READING_BYTES)
    }
}

/// Sixteen bytes that hide a commitment's content until they are disclosed with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Salt(pub [u8; 16]);

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(…)")
    }
}

impl Serialize for Salt {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fixed_bytes::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed_bytes::deserialize(deserializer).map(Self)
    }
}

/// Derives the salts of one stream. Keyed once, so that a salt costs two compressions.
#[derive(Clone)]
pub struct SaltSource(Hmac<Sha256>);

impl SaltSource {
    /// Salts from a stream's salt key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        // HMAC takes a key of any length, so the default is never used.
        Self(Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default())))
    }

    /// The salt of the reading at `sequence`.
    #[must_use]
    pub fn reading(&self, sequence: u64) -> Salt {
        self.derive(&sequence.to_be_bytes())
    }

    /// The salt of the stream's entry in the batch that starts at `first_sequence`.
    #[must_use]
    pub fn batch(&self, first_sequence: u64) -> Salt {
        let mut message = [0; 9];
        message[0] = b'b';
        message[1..].copy_from_slice(&first_sequence.to_be_bytes());
        self.derive(&message)
    }

    fn derive(&self, message: &[u8]) -> Salt {
        let mut mac = self.0.clone();
        mac.update(message);
        let full = mac.finalize().into_bytes();
        let mut salt = [0; 16];
        salt.copy_from_slice(&full[..16]);
        Salt(salt)
    }
}

/// The salted commitment to a reading's canonical bytes.
#[must_use]
pub fn commitment(salt: &Salt, reading: &[u8]) -> Digest {
    Digest::tagged("fogward/reading/1", &[&salt.0, reading])
}
