//! How readings are encoded, compressed and sealed.
//!
//! ```text
//! sealed  = nonce[24] ‖ XChaCha20-Poly1305(segment key, nonce, content, aad)
//! segment key = HMAC-SHA256(stream key, aad)
//! aad     = postcard(stream, first sequence, count)
//! content = 0x00 ‖ records   or   0x01 ‖ zstd(records), whichever is shorter
//! records = postcard([Record]); host times as differences from the record before
//! ```
//!
//! A stream has two keys at a time (`super::epochs`): one makes the keys of its segments, one the salts of its
//! commitments. Both are sealed under the vault's master key. Destroying them makes payloads and leaves meaningless;
//! what stays readable of a segment after that is another content (`super::rest`). A segment's key opens that segment
//! and tells nothing of any other, so that it can be given away alone.

use hmac::{Hmac, KeyInit as _, Mac as _};
use ledger_core::access::erasure_handle;
use ledger_core::{Digest, Origin, Quality, StreamId, Value, canonical};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::rest::{self, Content, Rest};
use crate::keystore::random;
use crate::xchacha::{self, NONCE_BYTES, TAG_BYTES};

/// Longest records of one sealed segment, before compression, in bytes.
const MAX_RECORDS_BYTES: usize = 64 << 20;
/// What the secrets of devices' erasures are made with.
const ERASED_DEVICE_TAG: &[u8] = b"fogward/erased-device/1";
/// Compression is not tried below this many bytes.
const COMPRESS_FROM_BYTES: usize = 96;

/// What could not be sealed or opened. Names no content and no key.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The system has no randomness.
    #[error("the system has no randomness")]
    Randomness,
    /// Sealed under another key, or altered.
    #[error("sealed under another key, or altered since")]
    Altered,
    /// Opened, but not of the expected form.
    #[error("the sealed content is not of the expected form")]
    Malformed,
    /// Readings of it were erased.
    #[error("readings of it were erased")]
    Erased,
}

/// Seals the keys of streams and devices.
#[derive(ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// A master key of these bytes.
    #[must_use]
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = Self(bytes);
        bytes.zeroize();
        key
    }

    /// Seals `content`; `purpose` must be given again to open it.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn seal(&self, purpose: &[u8], content: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.0, purpose, content)
    }

    /// Opens what [`MasterKey::seal`] sealed for the same purpose.
    ///
    /// # Errors
    /// [`SealError::Altered`].
    pub fn open(&self, purpose: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        open(&self.0, purpose, sealed)
    }

    /// Under which name the ledger hears that a device was erased, after so many times before.
    #[must_use]
    pub fn erasure_handle(&self, device: &str, before: u64) -> Digest {
        let mut mac = keyed(&self.0);
        for part in [ERASED_DEVICE_TAG, &before.to_be_bytes(), device.as_bytes()] {
            mac.update(part);
        }
        erasure_handle(&mac.finalize().into_bytes().into())
    }
}

/// HMAC-SHA-256 under a key. It takes a key of any length, so the default is never used.
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

/// The keys of one stream, in one epoch.
#[derive(Clone, ZeroizeOnDrop)]
pub struct StreamKeys {
    payload: [u8; 32],
    salt: [u8; 32],
}

impl StreamKeys {
    /// Fresh keys.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn generate() -> Result<Self, SealError> {
        let make = || random::<32>().map_err(|_| SealError::Randomness);
        Ok(Self {
            payload: make()?,
            salt: make()?,
        })
    }

    /// The key that makes the salts.
    #[must_use]
    pub const fn salt_key(&self) -> &[u8; 32] {
        &self.salt
    }

    /// The cipher for the stream's payloads.
    #[must_use]
    pub fn cipher(&self) -> StreamCipher {
        StreamCipher(keyed(&self.payload))
    }

    /// Seals both keys for storage beside `stream`.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn wrap(&self, master: &MasterKey, stream: StreamId) -> Result<Vec<u8>, SealError> {
        let both = Zeroizing::new([self.payload, self.salt].concat());
        master.seal(&stream.0, &both)
    }

    /// Opens what [`StreamKeys::wrap`] sealed.
    ///
    /// # Errors
    /// [`SealError`] if it was sealed under another master key or for another stream.
    pub fn unwrap(master: &MasterKey, stream: StreamId, sealed: &[u8]) -> Result<Self, SealError> {
        let both = master.open(&stream.0, sealed)?;
        let (payload, salt) = both.split_at_checked(32).ok_or(SealError::Malformed)?;
        Ok(Self {
            payload: payload.try_into().map_err(|_| SealError::Malformed)?,
            salt: salt.try_into().map_err(|_| SealError::Malformed)?,
        })
    }
}

/// Seals and opens the payloads of one stream.
#[derive(Clone)]
pub struct StreamCipher(Hmac<Sha256>);

/// The key of one segment.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SegmentKey([u8; 32]);

/// One reading as the vault keeps it: what its stream does not say already.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// When the node received it, in Unix milliseconds.
    pub host_time_millis: i64,
    /// The device's time in Unix milliseconds, where it has a clock.
    pub device_time_millis: Option<i64>,
    /// The value.
    pub value: Value,
    /// Its quality.
    pub quality: Quality,
    /// Where it came from.
    pub origin: Origin,
}

/// Which readings a sealed segment holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Segment {
    /// Their stream.
    pub stream: StreamId,
    /// Sequence of the first.
    pub first_sequence: u64,
    /// How many.
    pub count: u32,
}

/// Longest encoding of a segment: the stream's id, and two numbers of seven bits a byte.
const MAX_AAD_BYTES: usize = 16 + 10 + 5;

/// A segment as associated data.
struct Aad {
    bytes: [u8; MAX_AAD_BYTES],
    length: usize,
}

impl Aad {
    fn of(segment: &Segment) -> Self {
        let mut bytes = [0; MAX_AAD_BYTES];
        // There is room for every segment.
        let written = canonical::encode_within(segment, &mut bytes);
        let length = written.map_or(0, <[u8]>::len);
        Self { bytes, length }
    }
}

impl std::ops::Deref for Aad {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl StreamCipher {
    /// The key of a segment.
    #[must_use]
    pub fn key_of(&self, segment: &Segment) -> SegmentKey {
        self.key_with(&Aad::of(segment))
    }

    fn key_with(&self, aad: &Aad) -> SegmentKey {
        let mut mac = self.0.clone();
        mac.update(aad);
        SegmentKey(mac.finalize().into_bytes().into())
    }

    /// Encodes, compresses and seals `records`, which are the readings `segment` names.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn seal(&self, segment: &Segment, records: &[Record]) -> Result<Vec<u8>, SealError> {
        let content = Zeroizing::new(pack(records));
        let key = self.key_of(segment);
        seal(&key.0, &Aad::of(segment), &content)
    }

    /// Seals what an erasure leaves of a segment.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn seal_rest(&self, segment: &Segment, rest: &Rest) -> Result<Vec<u8>, SealError> {
        let key = self.key_of(segment);
        seal(&key.0, &Aad::of(segment), &rest.encode())
    }

    /// Opens what was sealed for the same segment.
    ///
    /// # Errors
    /// [`SealError`] if it was altered, or belongs to another segment.
    pub fn open(&self, segment: &Segment, sealed: &[u8]) -> Result<Content, SealError> {
        let aad = Aad::of(segment);
        self.key_with(&aad).read_with(&aad, segment, sealed)
    }
}

impl SegmentKey {
    /// A key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals what goes with the segment, other than its readings.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn seal_beside(&self, segment: &Segment, content: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.0, &beside(segment), content)
    }

    /// Opens what [`SegmentKey::seal_beside`] sealed for the same segment.
    ///
    /// # Errors
    /// [`SealError::Altered`].
    pub fn open_beside(
        &self,
        segment: &Segment,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        open(&self.0, &beside(segment), sealed)
    }

    /// Opens the segment that it is the key of, if all its readings are there.
    ///
    /// # Errors
    /// [`SealError`] if that was altered, or is another one, or readings of it were erased.
    pub fn open(&self, segment: &Segment, sealed: &[u8]) -> Result<Vec<Record>, SealError> {
        match self.read(segment, sealed)? {
            Content::Whole(records) => Ok(records),
            Content::Rest(_) => Err(SealError::Erased),
        }
    }

    /// Opens the segment that it is the key of, whatever is left of it.
    ///
    /// # Errors
    /// [`SealError`] if that was altered, or is another one.
    pub fn read(&self, segment: &Segment, sealed: &[u8]) -> Result<Content, SealError> {
        self.read_with(&Aad::of(segment), segment, sealed)
    }

    fn read_with(&self, aad: &Aad, segment: &Segment, sealed: &[u8]) -> Result<Content, SealError> {
        let content = open(&self.0, aad, sealed)?;
        if let Some((&rest::FORM, body)) = content.split_first() {
            return Ok(Content::Rest(Rest::decode(body, segment.count)?));
        }
        let records = unpack(&content)?;
        if records.len() != segment.count as usize {
            return Err(SealError::Malformed);
        }
        Ok(Content::Whole(records))
    }
}

/// The associated data of what goes with a segment; no segment's own begins so.
fn beside(segment: &Segment) -> Vec<u8> {
    [b"beside/".as_slice(), &Aad::of(segment)].concat()
}

fn pack(records: &[Record]) -> Vec<u8> {
    let mut content = Vec::with_capacity(records.len() * 12 + 8);
    content.push(0);
    let mut before = 0;
    let relative: Vec<Record> = records
        .iter()
        .map(|record| {
            let difference = record.host_time_millis.wrapping_sub(before);
            before = record.host_time_millis;
            Record {
                host_time_millis: difference,
                device_time_millis: record
                    .device_time_millis
                    .map(|time| time.wrapping_sub(before)),
                ..record.clone()
            }
        })
        .collect();
    canonical::encode_into(&relative, &mut content);
    if content.len() >= COMPRESS_FROM_BYTES
        && let Ok(compressed) = zstd::bulk::compress(&content[1..], 1)
        && compressed.len() + 1 < content.len()
    {
        content.zeroize();
        content.push(1);
        content.extend_from_slice(&compressed);
    }
    content
}

fn unpack(content: &[u8]) -> Result<Vec<Record>, SealError> {
    let (form, body) = content.split_first().ok_or(SealError::Malformed)?;
    let decode = |bytes: &[u8]| {
        canonical::decode::<Vec<Record>>(bytes, MAX_RECORDS_BYTES).map_err(|_| SealError::Malformed)
    };
    let mut records = match form {
        0 => decode(body)?,
        1 => {
            let bound = zstd::bulk::Decompressor::upper_bound(body).ok_or(SealError::Malformed)?;
            if bound > MAX_RECORDS_BYTES {
                return Err(SealError::Malformed);
            }
            let plain = zstd::bulk::decompress(body, bound).map_err(|_| SealError::Malformed)?;
            decode(&Zeroizing::new(plain))?
        }
        _ => return Err(SealError::Malformed),
    };
    let mut before = 0i64;
    for record in &mut records {
        record.host_time_millis = before.wrapping_add(record.host_time_millis);
        before = record.host_time_millis;
        record.device_time_millis = record
            .device_time_millis
            .map(|difference| before.wrapping_add(difference));
    }
    Ok(records)
}

fn seal(key: &[u8; 32], aad: &[u8], content: &[u8]) -> Result<Vec<u8>, SealError> {
    let nonce = random::<NONCE_BYTES>().map_err(|_| SealError::Randomness)?;
    let mut sealed = Vec::with_capacity(NONCE_BYTES + content.len() + TAG_BYTES);
    sealed.extend_from_slice(&nonce);
    let onto = xchacha::seal_onto(&mut sealed, key, &nonce, aad, content);
    onto.map_err(|_| SealError::Malformed)?;
    Ok(sealed)
}

fn open(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, body) = sealed
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(SealError::Altered)?;
    let opened = xchacha::open(key, nonce, aad, body);
    opened.map_err(|_| SealError::Altered)
}

#[cfg(test)]
mod tests {
    //! Goal: a segment opens to what was sealed and to nothing else. Method: properties over records.

    use super::*;
    use ledger_core::Decimal;
    use proptest::prelude::*;

    fn record() -> impl Strategy<Value = Record> {
        let value = prop_oneof![
            (any::<i64>(), any::<i8>()).prop_map(|(mantissa, exponent)| {
                Value::Quantity(Decimal { mantissa, exponent })
            }),
            Just(Value::Absent),
            proptest::collection::vec(any::<Option<i16>>(), 0..80).prop_map(|samples| {
                Value::Samples(ledger_core::SampledData {
                    period_micros: 13_333,
                    samples,
                })
            }),
        ];
        (any::<i64>(), any::<Option<i64>>(), value).prop_map(|(host, device, value)| Record {
            host_time_millis: host,
            device_time_millis: device,
            value,
            quality: Quality::Good,
            origin: Origin::Sensor,
        })
    }

    proptest! {
        #[test]
        fn opens_what_was_sealed(records in proptest::collection::vec(record(), 1..60), at in 0usize..4096) {
            let keys = StreamKeys::generate().unwrap();
            let segment = Segment { stream: StreamId([7; 16]), first_sequence: 3, count: records.len() as u32 };
            let sealed = keys.cipher().seal(&segment, &records).unwrap();
            prop_assert_eq!(keys.cipher().open(&segment, &sealed).unwrap(), Content::Whole(records.clone()));

            let other = Segment { first_sequence: 4, ..segment };
            prop_assert!(keys.cipher().open(&other, &sealed).is_err());
            let key = keys.cipher().key_of(&segment);
            prop_assert_eq!(key.open(&segment, &sealed).unwrap(), records);
            prop_assert!(keys.cipher().key_of(&other).open(&segment, &sealed).is_err());
            let mut altered = sealed.clone();
            let at = at % altered.len();
            altered[at] ^= 1;
            prop_assert!(keys.cipher().open(&segment, &altered).is_err());
        }

        #[test]
        fn foreign_content_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack(&bytes);
            let keys = StreamKeys::generate().unwrap();
            let segment = Segment { stream: StreamId([7; 16]), first_sequence: 0, count: 1 };
            prop_assert!(keys.cipher().open(&segment, &bytes).is_err());
        }
    }

    #[test]
    fn every_segment_has_its_own_associated_data() {
        for (first_sequence, count) in [(0, 0), (127, 1), (1 << 40, 4_096), (u64::MAX, u32::MAX)] {
            let stream = StreamId([0xff; 16]);
            let segment = Segment {
                stream,
                first_sequence,
                count,
            };
            assert_eq!(*Aad::of(&segment), canonical::encode(&segment));
        }
    }

    /// Golden bytes: what a vault of this version holds inside a seal. A change here is a decision, and
    /// needs a new form byte.
    #[test]
    fn the_records_encoding_is_fixed() {
        let quantity = |mantissa, exponent| Value::Quantity(Decimal { mantissa, exponent });
        let record = |host, device, value, quality| Record {
            host_time_millis: host,
            device_time_millis: device,
            value,
            quality,
            origin: Origin::Sensor,
        };
        let samples = Value::Samples(ledger_core::SampledData {
            period_micros: 13_333,
            samples: vec![Some(1), None, Some(-1)],
        });
        let records = [
            record(1_000, None, quantity(97, 0), Quality::Good),
            record(1_250, Some(1_200), quantity(364, -1), Quality::Questionable),
            record(1_500, None, Value::Absent, Quality::SensorOff),
            record(1_500, None, samples, Quality::Good),
        ];
        let expected = "00\
             04\
             d00f 00 00 c201 00 00 00\
             f403 01 63 00 d805 ff 01 00\
             f403 00 02 03 00\
             00 00 01 9568 03 0102 00 0101 00 00";
        assert_eq!(hex::encode(pack(&records)), expected.replace(' ', ""));
        assert_eq!(unpack(&pack(&records)).unwrap(), records);
    }

    #[test]
    fn wrapped_keys_open_for_their_stream_only() {
        let (master, stream) = (MasterKey::new([1; 32]), StreamId([2; 16]));
        let keys = StreamKeys::generate().unwrap();
        let wrapped = keys.wrap(&master, stream).unwrap();
        let back = StreamKeys::unwrap(&master, stream, &wrapped).unwrap();
        assert_eq!(back.salt_key(), keys.salt_key());
        assert!(StreamKeys::unwrap(&master, StreamId([3; 16]), &wrapped).is_err());
        assert!(StreamKeys::unwrap(&MasterKey::new([9; 32]), stream, &wrapped).is_err());
    }
}
