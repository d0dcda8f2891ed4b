//! A backup of the whole node, asked for over the API.

use serde::{Deserialize, Serialize};

/// Asks for a backup.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MakeBackup {
    /// What it is sealed under, at least 12 characters. Without it nobody can open the file.
    pub passphrase: String,
}

/// Never tells the passphrase.
impl std::fmt::Debug for MakeBackup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MakeBackup").finish_non_exhaustive()
    }
}
