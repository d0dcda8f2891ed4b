//! How the node says no: what happened, why, what to do, and a code for the phone call.

use serde::{Deserialize, Serialize};

/// A refusal or failure, in words a person can act on. Never holds a secret or a measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiError {
    /// Stable code, such as `DEV-03`; programs match this.
    pub code: String,
    /// What happened.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to do next.
    pub next: String,
}
