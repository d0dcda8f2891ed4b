//! Pairing with a level-0 device over its line: the I/O around [`fogward_level0::Provisioning`].
//!
//! One call, from an open line to a proven key or a named failure, whatever the line is made of. It
//! leaves out opening the line ([`crate::serial::provision`], [`crate::ble::provision`]), and where the
//! key is stored, which its caller does between hearing the offer and answering it.

use crate::link::LinkReason;
use crate::serial::now_millis;
use fogward_level0::{
    Chunk, DeviceId, FrameReader, HostKey, MAX_WIRE, Progress, Provisioning, Refusal,
};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

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
    /// The line cannot be opened, or broke.
    #[error("{0}")]
    Link(LinkReason),
    /// A device without a key is heard that does not prove this code.
    #[error("this is not the device's code")]
    NotThisCode,
    /// A device is heard that has a key already, and not the stored one: its code is spent.
    #[error("the device has a key already")]
    Spent,
    /// The device of this code offers another class, or public key, than its stored key is for.
    #[error("the device is not of the class that its stored key is for")]
    WrongClass,
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

/// How an exchange ends that comes to no key.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The line broke or was closed; why is known to its owner.
    LineBroke,
    /// All others.
    Named(ProvisionError),
}

impl From<ProvisionError> for Failed {
    fn from(error: ProvisionError) -> Failed {
        Failed::Named(error)
    }
}

/// Pairs the device on an open line, for at most `within`.
///
/// `store` is called upon each offer, before it is answered, with the device and the key, always the
/// same, and its future is awaited; false if the key could not be stored.
pub(crate) async fn exchange<Stored: Future<Output = bool>>(
    mut line: impl AsyncRead + AsyncWrite + Unpin,
    mut pairing: Provisioning,
    mut store: impl FnMut(DeviceId, HostKey) -> Stored,
    within: Duration,
) -> Result<Provisioned, Failed> {
    let until = Instant::now() + within;
    let mut reader = FrameReader::default();
    let mut foreign = Foreign::default();
    let mut has_answered = false;
    let mut bytes = [0; READ_BYTES];
    loop {
        let Ok(read) = timeout_at(until, line.read(&mut bytes)).await else {
            return Err(Failed::Named(match has_answered {
                true => ProvisionError::NotTaken,
                false => foreign.verdict(1).unwrap_or(ProvisionError::Silent),
            }));
        };
        let length = read.ok().filter(|length| *length > 0);
        let length = length.ok_or(Failed::LineBroke)?;
        for &byte in &bytes[..length] {
            let Some(Chunk::Frame(frame)) = reader.push(byte) else {
                continue;
            };
            let is_offer = Provisioning::is_offer(frame);
            match pairing.open(frame) {
                Ok(Progress::Offered { device_id, key }) => {
                    if !store(device_id, key).await {
                        return Err(ProvisionError::NotStored.into());
                    }
                    let sent = answer(&mut line, &mut pairing, until).await;
                    sent.ok_or(Failed::LineBroke)?;
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
                Err(Refusal::WrongClass) if is_offer => {
                    return Err(ProvisionError::WrongClass.into());
                }
                Err(Refusal::Forged | Refusal::WrongClass | Refusal::WrongDevice) => {
                    foreign.note(is_offer);
                    if let Some(verdict) = foreign.verdict(FOREIGN_FRAMES) {
                        return Err(verdict.into());
                    }
                }
                // Damage on the line, or a message of a later version.
                Err(_) => {}
            }
        }
    }
}

/// Intact frames that are not of the device that is looked for. What they say of themselves is not
/// proven: it chooses the words of a failure and nothing else.
#[derive(Default)]
struct Foreign {
    offers: u32,
    others: u32,
}

impl Foreign {
    fn note(&mut self, is_offer: bool) {
        match is_offer {
            true => self.offers += 1,
            false => self.others += 1,
        }
    }

    /// What is wrong, once that many frames say the same.
    fn verdict(&self, frames: u32) -> Option<ProvisionError> {
        if self.offers >= frames {
            Some(ProvisionError::NotThisCode)
        } else if self.others >= frames {
            Some(ProvisionError::Spent)
        } else {
            None
        }
    }
}

/// Sends the key. A line that takes nothing is left to the deadline.
async fn answer(
    line: &mut (impl AsyncWrite + Unpin),
    pairing: &mut Provisioning,
    until: Instant,
) -> Option<()> {
    let mut wire = [0; MAX_WIRE];
    let now_millis = u64::try_from(now_millis()).unwrap_or(0);
    let length = pairing.answer(now_millis, &mut wire)?;
    match timeout_at(until, line.write_all(wire.get(..length)?)).await {
        Ok(written) => written.ok(),
        Err(_elapsed) => Some(()),
    }
}
