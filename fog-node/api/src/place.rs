//! Where a device is used: ward and bed, as staff say it.
//!
//! Kept in the vault of the node that serves the device; nothing of it is on the ledger or in a log. No
//! name of a patient belongs here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A bed of a ward.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The ward, such as `3A`: 1 to 16 characters, letters, digits, blanks and `-./`.
    pub ward: String,
    /// The bed in it, such as `09`: 1 to 8 of the same characters.
    pub bed: String,
}

/// Says nothing of where it is: who lies there is known to all who read the ward's list.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(…)")
    }
}

/// Says where a device is from now on. A device that is handed over to another node starts there without a
/// place: another ward means another bed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlaceDevice {
    /// The place; `None` for nowhere.
    pub place: Option<Place>,
}
