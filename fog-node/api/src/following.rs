//! A live view of what was granted: which part of it is followed, what is new, and what ended it.

use serde::{Deserialize, Serialize};

use crate::access::Disclosure;
use crate::error::ApiError;

/// Code of an end after which nothing is missing: the granted period is over, and all of it was shown.
pub const PERIOD_OVER: &str = "ACC-13";

/// So long after a moment, in milliseconds, what was taken until then can be read. Who goes on after a break begins so
/// long before the `at` of the last event, and leaves out what it has by its name.
pub const SETTLED_MILLIS: i64 = 3_000;

/// Which part of what was granted is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct FollowQuery {
    /// Only these of the granted metrics: LOINC codes with commas between them; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// Only what was taken from this moment on, in Unix milliseconds; from now on without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
}

/// One event of a live view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum LiveAccess {
    /// What is new since the event before, once its receipts are durable; or other nodes do not answer than before.
    Shown(Box<Disclosure>),
    /// Nothing follows.
    Ended(LiveEnd),
}

/// What ended a live view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LiveEnd {
    /// When it was cut off, in Unix milliseconds.
    pub at: i64,
    /// Height of this node's newest block then: of the one that ended it, if a block did.
    pub height: u64,
    /// What ended it, and what to do.
    pub why: ApiError,
}
