//! Erasures: what is asked, and the certificate of what was done.

use serde::{Deserialize, Serialize};

/// Asks that all of a patient, or of a device, be erased for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// The patient's or device's id once more, as typed by whoever wants it.
    pub confirm: String,
}

/// What an erasure was of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErasureOf {
    /// All that the node held of a patient.
    Patient,
    /// All readings that the node held of a device.
    Device,
}

/// The readings of one stream that were erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErasedPart {
    /// Handle of the device on the ledger, 64 hex digits.
    pub device: String,
    /// The stream, as readings and proofs name it, 32 hex digits.
    pub stream: String,
    /// LOINC code of the metric.
    pub code: String,
    /// How many readings.
    pub readings: u64,
}

/// A certificate of erasure, as it is saved and verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ErasureFile {
    /// `fogward-erasure-1`.
    pub format: String,
    /// The signed bytes, hexadecimal.
    pub body: String,
    /// 32 bytes, hexadecimal.
    pub salt: String,
    /// 64 bytes, hexadecimal.
    pub signature: String,
    /// Id of the transaction that holds the tombstone, 64 hex digits.
    pub transaction: String,
}

/// What was erased. It names no patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErasureView {
    /// The tombstone's handle, 64 hex digits.
    pub handle: String,
    /// Of what.
    pub of: ErasureOf,
    /// Key of the node that erased, 64 hex digits.
    pub node: String,
    /// Id of its chain.
    pub chain_id: String,
    /// When, in Unix milliseconds.
    pub at: i64,
    /// How many readings, over all streams.
    pub readings: u64,
    /// The streams they were of.
    pub parts: Vec<ErasedPart>,
    /// How many times of wearing a device were deleted.
    pub assignments: u64,
    /// How many reasons of broken glasses were deleted.
    pub reasons: u64,
    /// Requests that were ended with it, by their handles.
    pub ended: Vec<String>,
    /// Not covered: requests under which readings were served before, by their handles.
    pub disclosed: Vec<String>,
    /// Not covered: backups that were made of the node before, in Unix milliseconds, as far as it knows.
    pub backups: Vec<i64>,
    /// Height of the block that holds the tombstone, once it is final.
    pub height: Option<u64>,
    /// The certificate.
    pub certificate: ErasureFile,
}
