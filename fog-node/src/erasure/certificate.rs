//! The certificate of an erasure: what was destroyed, when, by which node, and what is not covered
//! (`docs/access.md`, section "Erasure").
//!
//! ```text
//! signature  over  "fogward/erasure/1" ‖ 0x00 ‖ salt[32] ‖ body             body = postcard(Erasure)
//! commitment = tagged("fogward/erasure-commitment/1", salt ‖ body)          stands in the tombstone
//! ```
//!
//! Upon a certificate of anybody: size, canonical form, plausibility and the signature, in this order. It names no
//! patient: whose it is knows who was given it. It says that the node of this key did this, and cannot show that it
//! did.

use ledger_core::access::Tombstone;
use ledger_core::canonical::{self, DecodeError};
use ledger_core::{ChainId, Digest, PublicKey, SecretKey, Signature, StreamId};
use serde::{Deserialize, Serialize};

use fog_api::{ErasedPart, ErasureFile, ErasureView};

use crate::keystore::random;
use crate::vault::seal::SealError;

/// Longest body in bytes: a patient who wore thousands of devices.
const MAX_BODY_BYTES: usize = 256 << 10;
/// Longest file of a certificate in bytes.
pub const MAX_FILE_BYTES: usize = 3 * MAX_BODY_BYTES;
/// What stands in front of the signed bytes.
const SIGNING_TAG: &[u8] = b"fogward/erasure/1\0";
const COMMITMENT_TAG: &str = "fogward/erasure-commitment/1";
/// What a file says that it is.
const FORMAT: &str = "fogward-erasure-1";
/// Longest LOINC code in bytes.
const MAX_METRIC_BYTES: usize = 16;

/// What an erasure was of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// All that the node held of a patient.
    Patient,
    /// All readings that the node held of a device.
    Device,
}

/// The readings of one stream that were erased.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ErasedStream {
    /// Its device's handle on the ledger.
    pub device: Digest,
    /// The stream, as proofs name it.
    pub stream: StreamId,
    /// LOINC code of its metric.
    pub metric: String,
    /// How many.
    pub readings: u64,
}

/// What was erased. The order of the fields is the order of the bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Erasure {
    /// The node's chain.
    pub chain: ChainId,
    /// The node that erased.
    pub node: PublicKey,
    /// The tombstone's handle.
    pub handle: Digest,
    /// Of what.
    pub kind: Kind,
    /// When, in Unix milliseconds.
    pub erased_millis: u64,
    /// The readings.
    pub streams: Vec<ErasedStream>,
    /// How many times of wearing a device were deleted, with what their commitments were made of.
    pub assignments: u64,
    /// How many reasons of broken glasses were deleted.
    pub reasons: u64,
    /// Requests under which the node ended what was granted or waited, by their handles.
    pub ended: Vec<Digest>,
    /// Not covered: requests under which readings were served before, by their handles.
    pub disclosed: Vec<Digest>,
    /// Not covered: backups that the node knows to have been made of it before, in Unix milliseconds.
    pub backups: Vec<u64>,
}

impl Erasure {
    /// How many readings.
    #[must_use]
    pub fn readings(&self) -> u64 {
        let readings = self.streams.iter().map(|stream| stream.readings);
        readings.fold(0, u64::saturating_add)
    }
}

/// A certificate's exact bytes, their salt, and the node's signature over both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedErasure {
    /// The bytes.
    pub body: Vec<u8>,
    /// Hides from the ledger what the certificate says.
    pub salt: [u8; 32],
    /// The signature.
    pub signature: Signature,
}

/// Why a certificate is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file is no JSON object of the expected form.
    #[error("the file is not a certificate of erasure of this format")]
    File,
    /// The signed bytes are no certificate.
    #[error("the certificate cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// A value that no erasure could have.
    #[error("the certificate is implausible: {0}")]
    Implausible(&'static str),
    /// The signature does not fit.
    #[error("the signature does not fit the certificate and the key in it")]
    Signature,
}

impl SignedErasure {
    /// Signs a certificate under a fresh salt; `key` must be that of [`Erasure::node`], or nobody will take it.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn sign(erasure: &Erasure, key: &SecretKey) -> Result<Self, SealError> {
        let salt: [u8; 32] = random().map_err(|_| SealError::Randomness)?;
        let body = canonical::encode(erasure);
        let signature = key.sign(&[SIGNING_TAG, &salt, &body].concat());
        Ok(Self {
            body,
            salt,
            signature,
        })
    }

    /// What the tombstone has of it.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        Digest::tagged(COMMITMENT_TAG, &[&self.salt, &self.body])
    }

    /// The tombstone of an erasure that this is the certificate of.
    #[must_use]
    pub fn tombstone(&self, erasure: &Erasure) -> Tombstone {
        Tombstone {
            handle: erasure.handle,
            readings: erasure.readings(),
            certificate: self.commitment(),
        }
    }

    /// What it says, if everything about it holds.
    ///
    /// # Errors
    /// [`CertificateError`] says what does not.
    pub fn verify(&self) -> Result<Erasure, CertificateError> {
        let erasure: Erasure = canonical::decode(&self.body, MAX_BODY_BYTES)?;
        let mut metrics = erasure.streams.iter().map(|of| of.metric.as_bytes());
        let is_code = |code: &[u8]| {
            (1..=MAX_METRIC_BYTES).contains(&code.len()) && code.iter().all(u8::is_ascii_graphic)
        };
        if !metrics.all(is_code) {
            return Err(CertificateError::Implausible("a metric is no code of one"));
        }
        if erasure.streams.iter().any(|of| of.readings == 0) {
            return Err(CertificateError::Implausible(
                "nothing was erased of a stream",
            ));
        }
        let signed = [SIGNING_TAG, &self.salt, &self.body].concat();
        let holds = erasure.node.verify(&signed, &self.signature);
        holds.map_err(|_| CertificateError::Signature)?;
        Ok(erasure)
    }

    /// As the content of a file; the tombstone is in `transaction`.
    #[must_use]
    pub fn to_file(&self, transaction: &Digest) -> ErasureFile {
        ErasureFile {
            format: FORMAT.into(),
            body: hex::encode(&self.body),
            salt: hex::encode(self.salt),
            signature: hex::encode(self.signature.0),
            transaction: transaction.to_string(),
        }
    }

    /// From the bytes of a file, with the transaction that it names.
    ///
    /// # Errors
    /// [`CertificateError::File`] if it is none, or larger than any.
    pub fn from_file(bytes: &[u8]) -> Result<(Self, Digest), CertificateError> {
        let file = |_| CertificateError::File;
        if bytes.len() > MAX_FILE_BYTES {
            return Err(CertificateError::File);
        }
        let parsed: ErasureFile =
            serde_json::from_slice(bytes).map_err(|_| CertificateError::File)?;
        if parsed.format != FORMAT {
            return Err(CertificateError::File);
        }
        let (mut salt, mut signature) = ([0; 32], [0; 64]);
        hex::decode_to_slice(&parsed.salt, &mut salt).map_err(file)?;
        hex::decode_to_slice(&parsed.signature, &mut signature).map_err(file)?;
        let transaction = parsed.transaction.parse();
        let signed = Self {
            body: hex::decode(&parsed.body).map_err(file)?,
            salt,
            signature: Signature(signature),
        };
        Ok((signed, transaction.map_err(|_| CertificateError::File)?))
    }
}

/// A certificate as callers see it; `height` is that of its tombstone, once that is final.
#[must_use]
pub fn view_of(
    erasure: &Erasure,
    signed: &SignedErasure,
    transaction: &Digest,
    height: Option<u64>,
) -> ErasureView {
    let part = |of: &ErasedStream| ErasedPart {
        device: of.device.to_string(),
        stream: of.stream.to_string(),
        code: of.metric.clone(),
        readings: of.readings,
    };
    let named = |handles: &[Digest]| handles.iter().map(Digest::to_string).collect();
    ErasureView {
        handle: erasure.handle.to_string(),
        of: match erasure.kind {
            Kind::Patient => fog_api::ErasureOf::Patient,
            Kind::Device => fog_api::ErasureOf::Device,
        },
        node: erasure.node.to_string(),
        chain_id: erasure.chain.to_string(),
        at: i64::try_from(erasure.erased_millis).unwrap_or(i64::MAX),
        readings: erasure.readings(),
        parts: erasure.streams.iter().map(part).collect(),
        assignments: erasure.assignments,
        reasons: erasure.reasons,
        ended: named(&erasure.ended),
        disclosed: named(&erasure.disclosed),
        backups: erasure
            .backups
            .iter()
            .map(|at| i64::try_from(*at).unwrap_or(i64::MAX))
            .collect(),
        height,
        certificate: signed.to_file(transaction),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: a certificate is the node's, says what it said, and its file is refused in every other form. Method: one
    //! with something in each field; every bit of its bytes turned; golden bytes.

    use super::*;

    fn erasure(key: &SecretKey) -> Erasure {
        Erasure {
            chain: ChainId(Digest([1; 32])),
            node: key.public(),
            handle: Digest([2; 32]),
            kind: Kind::Patient,
            erased_millis: 1_795_773_600_000,
            streams: vec![ErasedStream {
                device: Digest([3; 32]),
                stream: StreamId([4; 16]),
                metric: "8867-4".into(),
                readings: 86_400,
            }],
            assignments: 2,
            reasons: 1,
            ended: vec![Digest([5; 32])],
            disclosed: vec![Digest([6; 32])],
            backups: vec![1_795_000_000_000],
        }
    }

    #[test]
    fn its_bytes_are_fixed() {
        let key = SecretKey::from_seed(&[9; 32]);
        let body = hex::encode(canonical::encode(&erasure(&key)));
        let repeated = |byte: &str, times| byte.repeat(times);
        let expected = [
            repeated("01", 32),
            hex::encode(key.public().0),
            repeated("02", 32),
            "00".into(),
            "80a2cae3a134".into(),
            "01".into(),
            repeated("03", 32),
            repeated("04", 16),
            "06383836372d34".into(),
            "80a305".into(),
            "0201".into(),
            ["01".into(), repeated("05", 32)].concat(),
            ["01".into(), repeated("06", 32)].concat(),
            "0180bcd9f29e34".into(),
        ];
        assert_eq!(body, expected.concat());
    }

    #[test]
    fn it_is_signed_as_a_whole() {
        let key = SecretKey::from_seed(&[9; 32]);
        let made = erasure(&key);
        let signed = SignedErasure::sign(&made, &key).unwrap();
        assert_eq!(signed.verify(), Ok(made.clone()));
        let again = SignedErasure::sign(&made, &key).unwrap();
        assert_ne!(again.commitment(), signed.commitment(), "salted");
        for at in 0..signed.body.len() {
            let mut other = signed.clone();
            other.body[at] ^= 1;
            assert!(other.verify().is_err(), "byte {at}");
        }
        for at in 0..32 {
            let mut other = signed.clone();
            other.salt[at] ^= 1;
            assert_eq!(other.verify(), Err(CertificateError::Signature));
        }
        let other = SignedErasure::sign(&made, &SecretKey::from_seed(&[8; 32])).unwrap();
        assert_eq!(other.verify(), Err(CertificateError::Signature));
        let mut nothing = made;
        nothing.streams[0].readings = 0;
        let signed = SignedErasure::sign(&nothing, &key).unwrap();
        assert!(matches!(
            signed.verify(),
            Err(CertificateError::Implausible(_))
        ));
    }

    #[test]
    fn its_file_is_read_back_and_no_other() {
        let key = SecretKey::from_seed(&[9; 32]);
        let signed = SignedErasure::sign(&erasure(&key), &key).unwrap();
        let transaction = Digest([7; 32]);
        let file = serde_json::to_string(&signed.to_file(&transaction)).unwrap();
        let read = SignedErasure::from_file(file.as_bytes());
        assert_eq!(read, Ok((signed, transaction)));
        let other = file.replace(FORMAT, "fogward-erasure-2");
        let longer = file.replace("\"salt\":\"", "\"salt\":\"00");
        let more = file.replace("\"salt\"", "\"pepper\":\"\",\"salt\"");
        for wrong in ["", "{}", "[]", &other, &longer, &more] {
            let refused = SignedErasure::from_file(wrong.as_bytes());
            assert_eq!(refused, Err(CertificateError::File), "{wrong}");
        }
        let endless = vec![b' '; MAX_FILE_BYTES + 1];
        assert!(SignedErasure::from_file(&endless).is_err());
    }
}
