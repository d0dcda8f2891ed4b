//! Pairing with a level-0 device on a serial port that has only its one-time code.

use super::{open, reasons};
use crate::device::SerialConfig;
use crate::line::provision::{Failed, ProvisionError, Provisioned, exchange};
use crate::profile::Profile;
use fogward_level0::{DeviceId, HostKey, Provisioning};
use std::path::Path;
use std::time::Duration;

/// Pairs the device on the port at `path`, for at most `within` (`docs/level0-protocol.md`, *Pairing over
/// the line*).
///
/// `store` is called upon each offer, before it is answered, with the device and the key, always the
/// same, and its future is awaited; false if the key could not be stored.
///
/// # Errors
/// [`ProvisionError`] says what failed.
pub async fn provision<Stored: Future<Output = bool>>(
    path: &Path,
    pairing: Provisioning,
    store: impl FnMut(DeviceId, HostKey) -> Stored,
    within: Duration,
) -> Result<Provisioned, ProvisionError> {
    let config = SerialConfig::new(path, Profile::FogwardLevel0);
    let port = open::open(&config).map_err(ProvisionError::Link)?;
    match exchange(port, pairing, store, within).await {
        Ok(provisioned) => Ok(provisioned),
        Err(Failed::Named(error)) => Err(error),
        Err(Failed::LineBroke) => {
            let reason = reasons::unplugged(&path.display().to_string());
            Err(ProvisionError::Link(reason))
        }
    }
}
