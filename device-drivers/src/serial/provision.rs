//! Pairing with a level-0 device over its line: the I/O around [`fogward_level0::Provisioning`].
//!
//! One call, from an open port to a proven key or a named failure. It leaves out where the key is
//! stored, which its caller does between hearing the offer and answering it.

use super::{now_millis, open};
use crate::device::SerialConfig;
use crate::link::LinkReason;
use crate::profile::Profile;
use fogward_level0::{
    Chunk, DeviceId, FrameReader, HostKey, MAX_WIRE, Progress, Provisioning, Refusal,
};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use tokio_serial::SerialStream;

/// As many intact frames that the code does not open are those of another device.
const FOREIGN_FRAMES: u32 = 3;
const READ_BYTES: usize = 512;

/// A device that has its key.
#[derive(Clone, Debug)]
pub struct Provisioned {
    /// Who it is.
    pub device_id: DeviceId,
    /// Its key, as it was stored.
    pub key: HostKey,
    /// The counter of the frame that proved it: a `replay_floor` one below it opens the device
    /// without a gap.
    pub counter: u64,
}

/// Why a pairing came to no end. It can be tried again, with the stored key if there is one
/// ([`Provisioning::resume`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionError {
    /// The port cannot be opened, or broke.
    #[error("{0}")]
    Port(LinkReason),
    /// A device is heard that does not prove this code.
    #[error("this is not the device's code, or it was used already")]
    NotThisCode,
    /// Nothing that could be a device was heard in time.
    #[error("no device was heard in time")]
    Silent,
    /// The device offered itself and was answered, but did not prove the key in time.
    #[error("the device did not take the key in time")]
    NotTaken,
    /// The caller could not store the key, so the device was not given it.
    #[error("the key could not be stored")]
    NotStored,
}

/// Pairs the device on the port at `path`, for at most `within`.
///
/// `store` is called upon each offer, before it is answered, with the device and the key, always the
/// same; false if it could not be stored.
///
/// # Errors
/// [`ProvisionError`] says what failed.
pub async fn provision(
    path: &Path,
    mut pairing: Provisioning,
    mut store: impl FnMut(DeviceId, &HostKey) -> bool,
    within: Duration,
) -> Result<Provisioned, ProvisionError> {
    let config = SerialConfig::new(path, Profile::FogwardLevel0);
    let mut port = open::open(&config).map_err(ProvisionError::Port)?;
    let until = Instant::now() + within;
    let mut reader = FrameReader::default();
    let mut foreign_frames = 0;
    let mut has_answered = false;
    let mut bytes = [0; READ_BYTES];
    loop {
        let Ok(read) = timeout_at(until, port.read(&mut bytes)).await else {
            return Err(match (has_answered, foreign_frames) {
                (true, _) => ProvisionError::NotTaken,
                (false, 0) => ProvisionError::Silent,
                (false, _) => ProvisionError::NotThisCode,
            });
        };
        let length = read.ok().filter(|length| *length > 0);
        let length = length.ok_or_else(|| unplugged(path))?;
        for &byte in &bytes[..length] {
            let Some(Chunk::Frame(frame)) = reader.push(byte) else {
                continue;
            };
            match pairing.open(frame) {
                Ok(Progress::Offered { device_id, key }) => {
                    if !store(device_id, &key) {
                        return Err(ProvisionError::NotStored);
                    }
                    answer(&mut port, &mut pairing, until)
                        .await
                        .ok_or_else(|| unplugged(path))?;
                    has_answered = true;
                }
                Ok(Progress::Done {
                    key,
                    device_id,
                    counter,
                }) => {
                    return Ok(Provisioned {
                        device_id,
                        key,
                        counter,
                    });
                }
                Err(Refusal::Forged | Refusal::WrongClass | Refusal::WrongDevice) => {
                    foreign_frames += 1;
                    if foreign_frames >= FOREIGN_FRAMES {
                        return Err(ProvisionError::NotThisCode);
                    }
                }
                // Damage on the line, or a message of a later version.
                Err(_) => {}
            }
        }
    }
}

/// Sends the key. A line that takes nothing is left to the deadline.
async fn answer(port: &mut SerialStream, pairing: &mut Provisioning, until: Instant) -> Option<()> {
    let mut wire = [0; MAX_WIRE];
    let now_millis = u64::try_from(now_millis()).unwrap_or(0);
    let length = pairing.answer(now_millis, &mut wire)?;
    match timeout_at(until, port.write_all(wire.get(..length)?)).await {
        Ok(written) => written.ok(),
        Err(_elapsed) => Some(()),
    }
}

fn unplugged(path: &Path) -> ProvisionError {
    ProvisionError::Port(super::reasons::unplugged(&path.display().to_string()))
}
