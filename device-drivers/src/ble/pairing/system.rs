//! macOS: the system pairs by itself, with its own dialog, when an encrypted characteristic is first used. There is nothing to ask and nothing to remove from here.

use super::{BondState, Bonded, PairingCode, PairingError, Prompt};
use crate::ble::BleConfig;
use tokio::sync::{mpsc, watch};

pub(super) async fn pair(
    _config: &BleConfig,
    _prompts: mpsc::Sender<Prompt>,
    _cancelled: watch::Receiver<bool>,
) -> Result<Bonded, PairingError> {
    Ok(Bonded::BySystem)
}

pub(super) async fn bond_state(_config: &BleConfig) -> Result<BondState, PairingError> {
    Ok(BondState::Unknown)
}

pub(super) async fn unpair(config: &BleConfig) -> Result<(), PairingError> {
    Err(PairingCode::SystemOnly.of(config))
}
