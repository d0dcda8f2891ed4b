//! Self-tests of adapters and devices, their signed commissioning records, and *is it mine?*.

use serde::{Deserialize, Serialize};

use crate::ApiError;

/// Asks for a self-test. One runs at a time; a paired device that takes part is not read meanwhile, unless it
/// is on a serial line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StartSelfTest {
    /// The device to test, by its id here; without it the Bluetooth adapter is tested.
    pub device: Option<String>,
    /// The adapter, by name or address; the node's own choice without it. Not beside a device.
    pub adapter: Option<String>,
    /// Addresses of devices that the adapter is tried with, before the paired ones; five take part at most.
    pub with: Vec<String>,
    /// How long is listened, 5 to 120 seconds; 10 without it. A slow device is listened to for longer.
    pub seconds: Option<u16>,
}

/// A self-test under way, or how the last one ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SelfTest {
    /// Its id.
    pub id: String,
    /// The device under test, by its id here; none if it is the adapter.
    pub device: Option<String>,
    /// Where it stands.
    pub stage: SelfTestStage,
}

/// Where a self-test stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum SelfTestStage {
    /// It measures.
    Running {
        /// How far it is, 0 to 100.
        percent: u8,
    },
    /// It has ended, and its record is durable.
    Done {
        /// The record.
        record: Box<CommissioningRecord>,
    },
    /// Somebody ended it. There is no record.
    Cancelled,
    /// It could not be done. There is no record.
    Failed {
        /// What happened, why, and what to do.
        error: ApiError,
    },
}

impl SelfTestStage {
    /// Whether it has ended.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        !matches!(self, Self::Running { .. })
    }
}

/// What is said of a whole test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    /// At least one bar is reached, none missed, and what was not measured does not arise.
    Passed,
    /// A bar is missed.
    Failed,
    /// No bar is missed, and something that should have been measured was not.
    Incomplete,
}

/// What is said of one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FigureVerdict {
    /// The bar is reached.
    Reached,
    /// It is not.
    Missed,
    /// Nobody can tell.
    NotMeasured,
}

/// One figure of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommissioningFigure {
    /// Which, such as `connect-time`; see `docs/commissioning-format.md`.
    pub check: String,
    /// The unit of value and bar, UCUM; empty of counts.
    pub unit: String,
    /// The least that reaches the bar, where more is better.
    pub at_least: Option<u64>,
    /// The most that reaches the bar, where less is better.
    pub at_most: Option<u64>,
    /// The figure, if it was measured.
    pub value: Option<u64>,
    /// So long it had not happened, when it was waited for no longer.
    pub not_within: Option<u64>,
    /// Whether the bar is reached.
    pub verdict: FigureVerdict,
    /// Why there is no figure.
    pub reason: Option<ApiError>,
}

/// A commissioning record as its signed bytes say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommissioningRecord {
    /// The device's handle on the ledger, or the digest of the adapter's address.
    pub subject: String,
    /// What was tested: `adapter`, `bluetooth`, `serial` or `simulated`.
    pub kind: String,
    /// Whether it is a simulated device.
    pub simulated: bool,
    /// The key of the node that tested and signed.
    pub node: String,
    /// Its chain.
    pub chain_id: String,
    /// Version of the program that tested.
    pub program: String,
    /// When the test began.
    pub begun: u64,
    /// When it ended.
    pub ended: u64,
    /// For how many milliseconds the device was not read for it.
    pub aside_ms: u64,
    /// The figures.
    pub figures: Vec<CommissioningFigure>,
    /// What is said of the whole.
    pub outcome: TestOutcome,
    /// What others can check.
    pub file: CommissioningFile,
}

/// The file of a record: the exact bytes that were signed, and the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CommissioningFile {
    /// `fogward-commissioning-1`.
    pub format: String,
    /// The signed bytes.
    pub record: String,
    /// The node's signature over them, Ed25519.
    pub signature: String,
}

/// Which records to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct CommissioningQuery {
    /// Those of this device only, by its id here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Those of this Bluetooth adapter only, by its address, or by its name where the system tells no address.
    /// Not beside a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
}

/// Asks a device to show which one it is: to blink or beep for some seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Identify {
    /// A paired device's id, or the Bluetooth address of one nearby.
    pub at: String,
}

/// A device has shown which one it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Identified {
    /// For how many seconds.
    pub seconds: u64,
}
