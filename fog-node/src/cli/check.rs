//! The checks that need no running node: a proof file, an audit bundle, a commissioning record, a certificate of erasure,
//! a stopped node's folder.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ledger_core::genesis::MAX_GENESIS_BYTES;
use ledger_core::proof::{MAX_PROOF_BYTES, PROOF_MAGIC};
use ledger_core::{Genesis, Proof, PublicKey, Verdict};

use super::Outcome;
use super::audit::verdict_words;
use super::output::{print, print_json, time_words};
use super::table::pairs;
use super::{erase, selftest};
use crate::audit::check as audit;
use crate::fsck;

/// `fogward verify`
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// The proof file, the audit bundle, or the file of a commissioning record or of a certificate of erasure.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The genesis file of the chain you trust, as `fogward genesis` saves it.
    #[arg(long, value_name = "FILE", required_unless_present = "signed")]
    genesis: Option<PathBuf>,
    /// The file is a commissioning record, as `fogward device selftest --export` saves it.
    #[arg(long, group = "signed")]
    commissioning: bool,
    /// The file is a certificate of erasure, as `fogward erase --certificate` saves it.
    #[arg(long, group = "signed")]
    erasure: bool,
    /// The key of the node that must have signed the record or certificate.
    #[arg(long, value_name = "KEY", requires = "signed")]
    node: Option<PublicKey>,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let path = match &self.genesis {
            Some(path) if !self.commissioning && !self.erasure => path,
            path => {
                let verify = match self.erasure {
                    true => erase::verify,
                    false => selftest::verify,
                };
                return verify(&self.file, path.as_deref(), self.node.as_ref(), self.json);
            }
        };
        let genesis = genesis_of(path)?;
        if self.is_bundle()? {
            return self.verify_bundle(&genesis);
        }
        let bytes = read_at_most(&self.file, MAX_PROOF_BYTES + PROOF_MAGIC.len())?;
        let proof = match Proof::from_file(&bytes) {
            Ok(proof) => proof,
            Err(error) => return self.say_malformed(&error.to_string()),
        };
        let verdict = proof.verify(&genesis);
        if self.json {
            let mut answer = serde_json::to_value(&verdict)?;
            answer["reading"] = reading_json(&proof);
            answer["chain_id"] = proof.chain.to_string().into();
            answer["height"] = proof.header.height.0.into();
            print_json(&answer)?;
        } else {
            print(&in_words(&proof, &verdict))?;
        }
        Ok(if verdict.valid {
            Outcome::Yes
        } else {
            Outcome::No
        })
    }

    fn is_bundle(&self) -> anyhow::Result<bool> {
        let mut begin = Vec::new();
        self.open()?.take(64).read_to_end(&mut begin)?;
        Ok(audit::is_bundle(&begin))
    }

    fn open(&self) -> anyhow::Result<BufReader<File>> {
        let file = File::open(&self.file);
        let file = file.with_context(|| format!("cannot read {}", self.file.display()))?;
        Ok(BufReader::new(file))
    }

    fn verify_bundle(&self, genesis: &Genesis) -> anyhow::Result<Outcome> {
        let verdict = audit::verify(self.open()?, genesis)?;
        if self.json {
            print_json(&verdict)?;
        } else {
            print(&verdict_words(&verdict))?;
        }
        Ok(if verdict.valid {
            Outcome::Yes
        } else {
            Outcome::No
        })
    }

    fn say_malformed(&self, why: &str) -> anyhow::Result<Outcome> {
        if self.json {
            print_json(&serde_json::json!({ "valid": false, "checks": [], "error": why }))?;
        } else {
            print(&format!("INVALID: this is no proof file: {why}\n"))?;
        }
        Ok(Outcome::No)
    }
}

/// The genesis in a file.
pub(super) fn genesis_of(path: &Path) -> anyhow::Result<Genesis> {
    Genesis::from_file(&read_at_most(path, MAX_GENESIS_BYTES)?)
        .with_context(|| format!("{} is no genesis file", path.display()))
}

/// Reads a file, but not without end: one byte above `limit` is read, and refused by the decoder.
pub(super) fn read_at_most(path: &Path, limit: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

fn reading_json(proof: &Proof) -> serde_json::Value {
    let reading = &proof.reading;
    let (value, samples) = match &reading.value {
        ledger_core::Value::Quantity(number) => (Some(number.to_string()), None),
        ledger_core::Value::Samples(wave) => (None, Some(wave)),
        ledger_core::Value::Absent => (None, None),
    };
    serde_json::json!({
        "id": format!("{}.{}", reading.stream, reading.sequence),
        "code": reading.code,
        "value": value,
        "samples": samples,
        "unit": reading.unit,
        "quality": reading.quality,
        "origin": reading.origin,
        "device_time": reading.device_time_millis,
        "host_time": reading.host_time_millis,
    })
}

fn in_words(proof: &Proof, verdict: &Verdict) -> String {
    let reading = &proof.reading;
    let value = match &reading.value {
        ledger_core::Value::Quantity(number) => format!("{number} {}", reading.unit),
        ledger_core::Value::Samples(wave) => format!("{} samples of a wave", wave.samples.len()),
        ledger_core::Value::Absent => "nothing could be measured".to_owned(),
    };
    let word = |value: serde_json::Result<serde_json::Value>| {
        let value = value.unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    };
    let mut text = pairs(&[
        (
            "reading",
            format!("{}.{}", reading.stream, reading.sequence),
        ),
        ("code", reading.code.to_string()),
        ("value", value),
        ("quality", word(serde_json::to_value(reading.quality))),
        ("origin", word(serde_json::to_value(reading.origin))),
        ("received", time_words(reading.host_time_millis)),
        ("block", proof.header.height.to_string()),
        ("chain", proof.chain.to_string()),
    ]);
    text.push('\n');
    for outcome in &verdict.checks {
        let mark = match outcome.holds {
            Some(true) => "ok    ",
            Some(false) => "FAILED",
            None => "–     ",
        };
        let name = word(serde_json::to_value(outcome.check));
        text.push_str(&format!("{mark}  {name:<12}  {}\n", outcome.detail));
    }
    text.push_str(if verdict.valid {
        "\nVALID: this reading was recorded as shown, and not altered since.\n"
    } else {
        "\nINVALID: this file proves nothing.\n"
    });
    text
}

/// `fogward fsck`
#[derive(Debug, clap::Args)]
pub(super) struct Fsck {
    /// The node's data folder; the node must be stopped. Nothing in it is changed.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print one JSON value instead of words.
    #[arg(long)]
    json: bool,
}

impl Fsck {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let report = fsck::check(&self.data)?;
        if self.json {
            print_json(&report)?;
        } else {
            print(&report.in_words())?;
        }
        Ok(if report.clean {
            Outcome::Yes
        } else {
            Outcome::No
        })
    }
}
