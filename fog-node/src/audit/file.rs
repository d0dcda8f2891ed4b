//! The file of an audit bundle: one JSON object a line, each with one name (`docs/audit-format.md`).
//!
//! ```text
//! {"begin":{…}}                                          once
//! {"shown":{"entry":HEX,"transaction":HEX}}              an entry and its transaction
//! {"told":{"entry":HEX}}                                 an entry alone
//! {"left_out":HEX}                                       an entry's digest
//! {"end":HEX}                                            once: the proof of the head
//! {"unproven":{"number":N,"words":…}}                    what the vault adds, in words
//! {"signature":HEX}                                      last: the node's, over the digest of all bytes before it
//! ```
//!
//! Left out: what the lines prove ([`super::check`]) and which there are ([`super::bundle`]).

use ledger_core::{ChainId, Digest, PublicKey, SecretKey, Signature};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a file says that it is.
pub(super) const FORMAT: &str = "fogward-audit-1";
/// First bytes of a file.
pub(super) const BEGIN: &[u8] = b"{\"begin\":{\"format\":\"fogward-audit-";
/// Longest line in bytes: the end, in hex.
pub(super) const MAX_LINE_BYTES: usize = (2 << 20) + 64;
/// Tag of the digest that is signed.
const TAG: &str = "fogward/audit-bundle/1";
/// What stands in front of the signed digest.
const SIGNING_TAG: &[u8] = b"fogward/audit-bundle/1\0";

/// A line. The order of the fields is the order of the text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    Begin(Begin),
    Shown(Shown),
    Told(Told),
    LeftOut(Digest),
    End(String),
    Unproven(Unproven),
    Signature(String),
}

/// What a bundle is, and where its entries begin.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    pub(super) format: String,
    /// For whoever verifies it.
    pub(super) readme: String,
    pub(super) chain: ChainId,
    /// Who made it.
    pub(super) node: PublicKey,
    /// When, in Unix milliseconds of the node's clock.
    pub(super) made: u64,
    /// What was asked for, in words that name no patient.
    pub(super) asked: String,
    /// Number of the first entry.
    pub(super) first: u64,
    /// The accumulator before it.
    pub(super) before: Digest,
}

/// An entry and its transaction.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    pub(super) entry: String,
    pub(super) transaction: String,
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    pub(super) entry: String,
}

/// What nobody proves.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unproven {
    pub(super) number: u64,
    pub(super) words: String,
}

impl Line {
    /// The line as it is written, with its end.
    ///
    /// # Errors
    /// None for these lines; `serde_json`'s are handed on.
    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        Ok(text)
    }
}

/// The digest of a file up to its signature.
pub(super) struct Signing(Sha256);

impl Signing {
    pub(super) fn new() -> Self {
        let mut hasher = Sha256::new();
        hasher.update([TAG.len() as u8]);
        hasher.update(TAG);
        Self(hasher)
    }

    /// Goes on with the next line, its end included.
    pub(super) fn add(&mut self, line: &[u8]) {
        self.0.update(line);
    }

    /// The node's signature.
    pub(super) fn sign(self, key: &SecretKey) -> Signature {
        key.sign(&self.signed())
    }

    /// Whether a signature is the node's.
    pub(super) fn holds(self, node: &PublicKey, signature: &Signature) -> bool {
        node.verify(&self.signed(), signature).is_ok()
    }

    fn signed(self) -> Vec<u8> {
        [SIGNING_TAG, &self.0.finalize()[..]].concat()
    }
}
