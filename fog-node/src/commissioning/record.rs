//! The commissioning record: what a self-test found, signed by the node (`docs/commissioning-format.md`).
//!
//! ```text
//! signature over  "fogward/commissioning/1" ‖ 0x00 ‖ record        record = postcard(Commissioning)
//! ```
//!
//! Upon a record of anybody: size, canonical form, plausibility, every verdict derived again from its figure
//! and bar, and the signature, in this order. It says that the node of this key found this, and not that the
//! node measured well. It holds no measurement of a person, no pseudonym and no address.

use device_drivers::self_test::{Judged, Kind, Outcome, outcome, verdict};
use fog_api::CommissioningFile;
use ledger_core::canonical::{self, DecodeError};
use ledger_core::{ChainId, Digest, PublicKey, SecretKey, Signature};
use serde::{Deserialize, Serialize};

/// Longest record in bytes.
pub const MAX_RECORD_BYTES: usize = 1_024;
/// Longest file of a record in bytes.
pub const MAX_FILE_BYTES: usize = 8 << 10;
/// What stands in front of the signed bytes.
const SIGNING_TAG: &[u8] = b"fogward/commissioning/1\0";
/// What a file says that it is.
const FORMAT: &str = "fogward-commissioning-1";
/// Longest version of a program in bytes.
const MAX_PROGRAM: usize = 64;

/// What a self-test found. The order of the fields is the order of the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commissioning {
    /// The node's chain.
    pub chain: ChainId,
    /// The node that tested.
    pub node: PublicKey,
    /// The device's handle on the ledger, or [`adapter_digest`].
    pub subject: Digest,
    /// What was tested; a simulated device is a kind of its own.
    pub kind: Kind,
    /// Version of the program that tested.
    pub program: String,
    /// When the test began, in Unix milliseconds.
    pub begun_millis: u64,
    /// When it ended.
    pub ended_millis: u64,
    /// For how many milliseconds the device was not read for it.
    pub aside_millis: u64,
    /// The figures, every one of the kind, in order.
    pub judged: Vec<Judged>,
    /// What is said of the whole.
    pub outcome: Outcome,
}

/// A record's exact bytes and the node's signature over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCommissioning {
    /// The bytes.
    pub record: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

/// Why a record is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommissioningError {
    /// The file is no JSON object of the expected form.
    #[error("the file is not a commissioning record of this format")]
    File,
    /// The signed bytes are no record.
    #[error("the record cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// A value that no test could have.
    #[error("the record is implausible: {0}")]
    Implausible(&'static str),
    /// A verdict that does not follow from its figure and bar.
    #[error("a verdict does not follow from its figure and its bar")]
    Verdict,
    /// The signature does not fit.
    #[error("the signature does not fit the record and the key in it")]
    Signature,
}

impl SignedCommissioning {
    /// Signs a record; `key` must be that of [`Commissioning::node`], or nobody will take it.
    #[must_use]
    pub fn sign(record: &Commissioning, key: &SecretKey) -> Self {
        let record = canonical::encode(record);
        let signature = key.sign(&[SIGNING_TAG, &record].concat());
        Self { record, signature }
    }

    /// The record, if everything about it holds.
    ///
    /// # Errors
    /// [`CommissioningError`] says what does not.
    pub fn verify(&self) -> Result<Commissioning, CommissioningError> {
        let record: Commissioning = canonical::decode(&self.record, MAX_RECORD_BYTES)?;
        record.check()?;
        let signed = [SIGNING_TAG, &self.record].concat();
        let holds = record.node.verify(&signed, &self.signature);
        holds.map_err(|_| CommissioningError::Signature)?;
        Ok(record)
    }

    /// As the content of a file.
    #[must_use]
    pub fn to_file(&self) -> CommissioningFile {
        CommissioningFile {
            format: FORMAT.into(),
            record: hex::encode(&self.record),
            signature: hex::encode(self.signature.0),
        }
    }

    /// From the bytes of a file.
    ///
    /// # Errors
    /// [`CommissioningError::File`] if it is none, or larger than any.
    pub fn from_file(bytes: &[u8]) -> Result<Self, CommissioningError> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(CommissioningError::File);
        }
        let parsed = serde_json::from_slice(bytes);
        let file: CommissioningFile = parsed.map_err(|_| CommissioningError::File)?;
        let mut signature = [0; 64];
        let is_hex = hex::decode_to_slice(&file.signature, &mut signature).is_ok();
        let record = hex::decode(&file.record).map_err(|_| CommissioningError::File)?;
        if !is_hex || file.format != FORMAT {
            return Err(CommissioningError::File);
        }
        let signature = Signature(signature);
        Ok(Self { record, signature })
    }
}

impl Commissioning {
    /// What can be said without the signature.
    fn check(&self) -> Result<(), CommissioningError> {
        use CommissioningError::{Implausible, Verdict};
        let is_printable = self.program.bytes().all(|byte| byte.is_ascii_graphic());
        if self.program.is_empty() || self.program.len() > MAX_PROGRAM || !is_printable {
            return Err(Implausible("its program has no version of one"));
        }
        if self.begun_millis > self.ended_millis {
            return Err(Implausible("it ended before it began"));
        }
        if self.aside_millis > self.ended_millis - self.begun_millis {
            return Err(Implausible("the device was away for longer than the test"));
        }
        let checks = self.judged.iter().map(|one| &one.check);
        if !checks.eq(self.kind.checks()) {
            return Err(Implausible("its figures are not those of its kind"));
        }
        let follows = |one: &Judged| verdict(one.bar, one.finding) == one.verdict;
        if !self.judged.iter().all(follows) || outcome(&self.judged) != self.outcome {
            return Err(Verdict);
        }
        Ok(())
    }
}

/// Under what an adapter's records stand: its address tells who made it, and stays here.
#[must_use]
pub fn adapter_digest(address: &str) -> Digest {
    let address = address.to_ascii_uppercase();
    Digest::tagged("fogward/adapter/1", &[address.as_bytes()])
}

#[cfg(test)]
mod tests {
    //! Goal: the bytes are fixed, and no altered record passes. Method: a golden record of a known key, each
    //! of its bytes flipped, and records signed by their own node that say what cannot be.

    use super::*;
    use device_drivers::self_test::{Bar, Check, Finding, Findings, Verdict, Why, judge};

    fn key() -> SecretKey {
        SecretKey::from_seed(&[7; 32])
    }

    fn example() -> Commissioning {
        let findings = Findings::from([
            (Check::Advertisements, Finding::Measured(3_900)),
            (Check::Silence, Finding::Measured(612)),
            (Check::ConnectTime, Finding::Measured(431)),
            (Check::TwoTries, Finding::Measured(100)),
            (Check::HeldAtOnce, Finding::NotMeasured(Why::TooFewDevices)),
        ]);
        let judged = judge(Kind::Adapter, &findings);
        Commissioning {
            chain: ChainId(Digest([1; 32])),
            node: key().public(),
            subject: adapter_digest("00:1A:7D:DA:71:13"),
            kind: Kind::Adapter,
            program: "0.1.0".into(),
            begun_millis: 1_764_200_000_000,
            ended_millis: 1_764_200_042_000,
            aside_millis: 41_000,
            outcome: outcome(&judged),
            judged,
        }
    }

    #[test]
    fn the_bytes_are_fixed() {
        let signed = SignedCommissioning::sign(&example(), &key());
        let file = serde_json::to_string_pretty(&signed.to_file()).unwrap() + "\n";
        let golden = include_str!("../../../docs/examples/commissioning.json");
        assert_eq!(file, golden);
        let read = SignedCommissioning::from_file(golden.as_bytes()).unwrap();
        assert_eq!(read.verify(), Ok(example()));
        assert_eq!(example().outcome, Outcome::Incomplete);
    }

    #[test]
    fn no_altered_record_passes() {
        let signed = SignedCommissioning::sign(&example(), &key());
        for at in 0..signed.record.len() {
            for bit in 0..8 {
                let mut altered = signed.clone();
                altered.record[at] ^= 1 << bit;
                assert!(altered.verify().is_err(), "byte {at}, bit {bit}");
            }
        }
        for at in 0..64 {
            let mut altered = signed.clone();
            altered.signature.0[at] ^= 1;
            assert_eq!(
                altered.verify(),
                Err(CommissioningError::Signature),
                "byte {at}"
            );
        }
        for length in 0..signed.record.len() {
            let mut altered = signed.clone();
            altered.record.truncate(length);
            assert!(altered.verify().is_err(), "{length} bytes");
        }
        let mut longer = signed.clone();
        longer.record.resize(MAX_RECORD_BYTES + 1, 0);
        assert!(longer.verify().is_err());
    }

    /// An example that its node signed with something else in it.
    fn claims(claim: impl FnOnce(&mut Commissioning)) -> Result<Commissioning, CommissioningError> {
        let mut record = example();
        claim(&mut record);
        SignedCommissioning::sign(&record, &key()).verify()
    }

    #[test]
    fn a_node_cannot_claim_what_does_not_follow() {
        assert!(claims(|_| ()).is_ok());
        let flattering = [
            claims(|record| record.outcome = Outcome::Passed),
            claims(|record| record.judged[4].verdict = Verdict::Reached),
            claims(|record| record.judged[2].bar = Bar::AtMost(100)),
        ];
        assert_eq!(
            flattering,
            [(); 3].map(|()| Err(CommissioningError::Verdict))
        );
        let implausible = [
            claims(|record| record.judged.truncate(4)),
            claims(|record| record.judged.swap(0, 1)),
            claims(|record| record.program = "0.1.0\n".into()),
            claims(|record| record.program = String::new()),
            claims(|record| record.program = "9".repeat(MAX_PROGRAM + 1)),
            claims(|record| record.begun_millis = u64::MAX),
            claims(|record| record.aside_millis = u64::MAX),
        ];
        for refused in implausible {
            assert!(
                matches!(refused, Err(CommissioningError::Implausible(_))),
                "{refused:?}"
            );
        }
        let foreign = claims(|record| record.node = SecretKey::from_seed(&[8; 32]).public());
        assert_eq!(foreign, Err(CommissioningError::Signature));
    }

    #[test]
    fn no_file_but_a_record_is_read() {
        let file = SignedCommissioning::sign(&example(), &key()).to_file();
        let text = |change: fn(&mut CommissioningFile)| {
            let mut file = file.clone();
            change(&mut file);
            serde_json::to_vec(&file).unwrap()
        };
        assert!(SignedCommissioning::from_file(&text(|_| ())).is_ok());
        for bytes in [
            Vec::new(),
            b"{}".to_vec(),
            text(|file| file.format = "fogward-commissioning-2".into()),
            text(|file| file.record.push('0')),
            text(|file| file.signature.truncate(126)),
            text(|file| file.signature.push_str("00")),
            vec![b' '; MAX_FILE_BYTES + 1],
        ] {
            assert_eq!(
                SignedCommissioning::from_file(&bytes),
                Err(CommissioningError::File)
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, tail: Vec<u8>, at in 0_usize..160) {
            let file = SignedCommissioning::from_file(&bytes);
            proptest::prop_assert_eq!(file, Err(CommissioningError::File));
            let mut record = canonical::encode(&example());
            record.truncate(at);
            record.extend(tail);
            let signature = key().sign(&[SIGNING_TAG, &record].concat());
            // Most are no record; one that is one is in its only form.
            if let Ok(read) = (SignedCommissioning { record: record.clone(), signature }).verify() {
                proptest::prop_assert_eq!(canonical::encode(&read), record);
            }
        }
    }

    /// The largest numbers there are fit the limit.
    #[test]
    fn every_record_fits() {
        let mut record = example();
        record.kind = Kind::Bluetooth;
        record.judged = judge(Kind::Bluetooth, &Findings::new());
        for one in &mut record.judged {
            (one.bar, one.finding) = (Bar::AtMost(u64::MAX), Finding::NotWithin(u64::MAX));
            one.verdict = Verdict::Missed;
        }
        record.outcome = outcome(&record.judged);
        record.program = "9".repeat(MAX_PROGRAM);
        (record.begun_millis, record.ended_millis) = (0, u64::MAX);
        let signed = SignedCommissioning::sign(&record, &key());
        assert!(signed.verify().is_ok(), "{} bytes", signed.record.len());
    }
}
