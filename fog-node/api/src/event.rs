//! What the node tells its listeners, at most fifty times a second however many devices there are.

use serde::{Deserialize, Serialize};

use crate::access::BrokenGlass;
use crate::chain::BlockRow;
use crate::device::{DeviceState, Gap, Port, Preview, Provisioning, Vital};
use crate::status::Status;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The node as a whole; on connection, and when it changes, at most once a second.
    Status(Box<Status>),
    /// Devices that have something new, each once.
    Live(Vec<DeviceLive>),
    /// New final blocks, oldest first.
    Blocks(Vec<BlockRow>),
    /// A second of a wave of the device that was asked for.
    Wave(Wave),
    /// A device was added, removed or renamed: ask for the list.
    DevicesChanged,
    /// A port came or went.
    PortsChanged(Vec<Port>),
    /// A preview has something new.
    Preview(Box<Preview>),
    /// The pairing of a device by its one-time code goes on.
    Provisioning(Provisioning),
    /// The listener was too slow and missed events: ask for everything again.
    Missed,
    /// All broken glasses that wait for a review, the oldest first: on connection, and when they change. To
    /// those who may review them only, and not to who broke one.
    BrokenGlass(Vec<BrokenGlass>),
}

/// What is new of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceLive {
    /// The device's id.
    pub id: String,
    /// How its link is.
    pub state: DeviceState,
    /// Why, where it is not `streaming`.
    pub reason: Option<String>,
    /// What to do about it.
    pub next_step: Option<String>,
    /// Code of the reason.
    pub reason_code: Option<String>,
    /// When something was last heard.
    pub last_heard: Option<i64>,
    /// Newest values, one a metric.
    pub vitals: Vec<Vital>,
    /// Where its readings are.
    pub gap: Gap,
}

/// One second of a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Wave {
    /// The device's id, or the preview's.
    pub device: String,
    /// LOINC code.
    pub code: String,
    /// Time of the first sample.
    pub time: i64,
    /// Time between samples in microseconds.
    pub period_micros: u32,
    /// Samples in the device's steps; `None` where there was no valid one.
    pub samples: Vec<Option<i16>>,
}
