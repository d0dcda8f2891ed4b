//! Readings and their way to finality.

use ledger_core::Quality;
use serde::{Deserialize, Serialize};

/// One second of a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SampleSegment {
    /// Time between samples in microseconds.
    pub period_micros: u32,
    /// Samples in the device's steps; `None` where there was no valid one.
    pub samples: Vec<Option<i16>>,
}

/// One reading and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadingRow {
    /// `STREAM.SEQUENCE`.
    pub id: String,
    /// The device's id.
    pub device: String,
    /// LOINC code.
    pub code: String,
    /// The metric's name, for people.
    pub label: String,
    /// The number, or `None` for a wave or where nothing could be measured.
    pub value: Option<f64>,
    /// UCUM unit.
    pub unit: String,
    /// The wave, for readings that are one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<SampleSegment>,
    /// Its quality.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub quality: Quality,
    /// Whether it is simulated.
    pub simulated: bool,
    /// The device's time, where it has a clock.
    pub device_time: Option<i64>,
    /// The same moment by this node's clock: `device_time` corrected by how far both clocks were apart, as the
    /// device's clock was read. Absent where that is not known. The record and its proof keep `device_time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_time: Option<i64>,
    /// When the node received it.
    pub host_time: i64,
    /// Number of its batch, once it is in one.
    pub batch: Option<u64>,
    /// Id of the transaction that anchors the batch.
    pub tx: Option<String>,
    /// Height of the block that holds the transaction.
    pub height: Option<u64>,
    /// Whether that block is final.
    #[serde(rename = "final")]
    pub finalized: bool,
}

/// Which readings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct ReadingsQuery {
    /// The device's id.
    pub device: String,
    /// LOINC code; all metrics without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Only those received before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// How many at most, 1 to 10,000; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which part of a metric's past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct HistoryQuery {
    /// LOINC code.
    pub metric: String,
    /// From this time on.
    pub from: i64,
    /// Up to this time.
    pub to: i64,
    /// About how many points, 10 to 5,000; decimated by minimum and maximum.
    pub points: u32,
}

/// A metric's past, for a plot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    /// In order of time.
    pub points: Vec<HistoryPoint>,
}

/// One point, or the minimum and maximum of several.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryPoint {
    /// When the node received it.
    pub time: i64,
    /// Lowest value; `None` where nothing could be measured.
    pub min: Option<f64>,
    /// Highest value.
    pub max: Option<f64>,
}
