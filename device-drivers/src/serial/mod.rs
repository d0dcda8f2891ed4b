//! Serial ports: opening, reading, reconnecting, listing, pairing over the line.
//!
//! ```text
//! open ──▶ Opening ──frame──▶ Streaming ──2 s without a frame──▶ NoData     (no bytes)
//!   ▲                             ▲                              └▶ Garbage  (bytes, no frame)
//!   │                             └───────────frame──────────────────┘
//!   └── ¼, ½, 1, 2, 2 … s ── Disconnected ◀── error, or 0 bytes read (unplugged)
//! ```
//!
//! The reader never drops an event: if nobody takes them it waits, and then the system's buffer,
//! and at last the device's, is full. Bytes lost that way come back as rejected or missing.

mod open;
mod ports;
mod provision;
mod reasons;

pub use ports::{PortInfo, UsbIdentity, list_ports, watch_ports};
pub use provision::provision;

use crate::codec::Decoder;
use crate::device::{Ends, SerialConfig, stopped};
use crate::event::MissingCause;
use crate::line::{Outlook, Session, Speech, Troubles};
use crate::link::{LinkReason, LinkState};
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep};

const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(2);
/// How often missing readings are counted while there is no link.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// EIO, ENXIO and ENODEV, the same numbers on every Unix.
const ERROR_IO: i32 = 5;
const ERROR_NO_SUCH_DEVICE_OR_ADDRESS: i32 = 6;
const ERROR_NO_SUCH_DEVICE: i32 = 19;

/// Runs one device until it is stopped.
pub(crate) async fn run(config: SerialConfig, decoder: Decoder, mut ends: Ends) {
    let mut speech = Speech {
        profile: config.profile,
        decoder,
        outlook: Outlook::new(config.profile),
        replay_floor: config.replay_floor,
        troubles: Troubles {
            silent: reasons::silent(&config),
            unrecognised: reasons::unrecognised(&config),
            wrong_key: reasons::wrong_key(&config),
        },
    };
    let mut retry = FIRST_RETRY;
    loop {
        let reason = match open::open(&config) {
            Ok(port) => {
                let frames = speech.decoder.frames();
                let end = Session::new(port, &mut speech, &mut ends).run().await;
                let mut left = Vec::new();
                speech.decoder.reset(&mut left);
                for event in left {
                    if !ends.send(event).await {
                        break;
                    }
                }
                if speech.decoder.frames() > frames {
                    retry = FIRST_RETRY;
                }
                match end {
                    Ok(()) => break,
                    Err(error) => broken(&config, &error),
                }
            }
            Err(reason) => reason,
        };
        if !wait(reason, retry, &mut speech.outlook, &mut ends).await {
            break;
        }
        retry = (retry * 2).min(LAST_RETRY);
    }
    ends.publish(LinkState::Stopped);
}

/// A pty whose other end closed, and a USB adapter that was pulled, answer with one of these.
fn broken(config: &SerialConfig, error: &io::Error) -> LinkReason {
    let path = config.path.display().to_string();
    let is_gone = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::NotFound
    ) || matches!(
        error.raw_os_error(),
        Some(ERROR_IO | ERROR_NO_SUCH_DEVICE_OR_ADDRESS | ERROR_NO_SUCH_DEVICE)
    );
    if is_gone {
        reasons::unplugged(&path)
    } else {
        reasons::transfer_failed(&path, &error.kind().to_string())
    }
}

/// Shows why there is no link and waits for the next try. False when the device is to stop.
async fn wait(
    mut reason: LinkReason,
    retry: Duration,
    outlook: &mut Outlook,
    ends: &mut Ends,
) -> bool {
    reason.retry_millis = Some(u64::try_from(retry.as_millis()).unwrap_or(u64::MAX));
    ends.publish(LinkState::Disconnected(reason));
    let until = Instant::now() + retry;
    loop {
        if let Some(event) = outlook.overdue(MissingCause::Disconnected)
            && !ends.send(event).await
        {
            return false;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        tokio::select! {
            biased;
            () = stopped(&mut ends.stop) => return false,
            () = sleep(left.min(COUNT_EVERY)) => {}
        }
    }
}

/// This host's clock, in milliseconds since 1970.
pub(crate) fn now_millis() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
