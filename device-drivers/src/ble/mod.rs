//! Bluetooth Low Energy: adapters, scanning, connecting, reconnecting, pairing.
//!
//! ```text
//! find ─▶ connect ─▶ discover ─▶ read ─▶ subscribe ─value─▶ Streaming ──10 s──▶ NoData, Garbage
//!   ▲                                                           │
//!   └── ½, 1, 2, 4 … 15 s, each less up to a half by chance ── Disconnected ◀── any failure
//! ```
//!
//! The central role of GATT (Core Specification, Vol 3, Parts C and G) over btleplug: BlueZ on Linux,
//! WinRT on Windows, Core Bluetooth on macOS. Every step is bounded in time. What values mean is told
//! by [`crate::gatt`]; [`pairing`] bonds, which btleplug cannot. Each of its failures is a
//! [`LinkReason`] with a code `BLE-01` and on.
//!
//! A peripheral that was paired with a key speaks level-0 over a UART-like service instead of the standard
//! profiles: after *discover*, its line goes on as a serial one would ([`crate::serial`]).
//!
//! It leaves out the peripheral role, and counting what was not sent while there was no link: the
//! profiles promise no rate. Where records are numbered, the numbers tell. A slow reader of
//! events slows the decoding; values that wait before it wait in the system's library, which sets no
//! bound of its own.

mod adapters;
mod address;
mod discovery;
mod identify;
pub mod pairing;
mod provision;
mod radio;
mod reasons;
mod scanner;
pub mod self_test;
mod session;

pub use adapters::{AdapterInfo, list_adapters, watch_adapters};
pub use address::{NotAnAddress, PeripheralAddress};
pub use identify::{SHOWN_FOR, identify};
pub use provision::provision;
pub use scanner::{Discovered, Inbox, Scanner, Sighting};

use crate::device::{Ends, stopped};
use crate::link::{LinkReason, LinkState, ReasonCode};
use btleplug::api::bleuuid::BleUuid;
use fogward_level0::HostKey;
use futures_util::FutureExt as _;
use pairing::BondState;
use session::{End, Memory};
use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::sleep;

const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(15);
const FALLS_OF_A_LOST_BOND: u32 = 3;

/// A Bluetooth LE peripheral.
#[derive(Clone, Debug)]
pub struct BleConfig {
    /// Which peripheral.
    pub address: PeripheralAddress,
    /// What to call it in messages; its address if `None`.
    pub name: Option<String>,
    /// The adapter by name or address; `None` for the first that is switched on.
    pub adapter: Option<String>,
    /// The highest `Measurement::sequence` that is already durable: stored records up to it are
    /// neither asked for nor taken again; of a level-0 device, frames up to it are refused as replays.
    /// `None` for a device never heard before.
    pub replay_floor: Option<u64>,
    /// The key of the pairing of a device that speaks `fogward-level0` (`docs/level0-protocol.md`, *Line over
    /// GATT*); `None` for one that speaks the standard profiles.
    pub key: Option<HostKey>,
}

impl BleConfig {
    /// A peripheral that is reached through any adapter.
    #[must_use]
    pub const fn new(address: PeripheralAddress) -> BleConfig {
        BleConfig {
            address,
            name: None,
            adapter: None,
            replay_floor: None,
            key: None,
        }
    }

    fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(self.address.as_str())
    }
}

/// The 16-bit number of a UUID that the Bluetooth SIG assigned one.
fn assigned_number(uuid: &impl BleUuid) -> Option<u16> {
    uuid.to_ble_u32()
        .and_then(|number| u16::try_from(number).ok())
}

/// Runs one device until it is stopped.
pub(crate) async fn run(config: BleConfig, mut ends: Ends) {
    let mut memory = Memory::new(&config);
    let mut failures = 0;
    loop {
        ends.publish(LinkState::Opening);
        let frames = memory.frames();
        let session = session::run(&config, &mut memory, &mut ends);
        // A fault in the Bluetooth library is this connection's end and not the device's.
        let end = AssertUnwindSafe(session).catch_unwind().await;
        let end = end.unwrap_or_else(|_panic| End::Broken(reasons::driver_failed(&config)));
        let mut left = Vec::new();
        memory.reset(&mut left);
        for event in left {
            if !ends.send(event).await {
                break;
            }
        }
        let reason = match end {
            End::Stopped => break,
            End::Broken(reason) => reason,
        };
        failures = if memory.frames() > frames {
            0
        } else {
            failures + 1
        };
        let reason = suspect_bond(reason, failures, &config).await;
        if !wait(reason, retry_after(failures), &mut ends).await {
            break;
        }
    }
    ends.signal.send_replace(None);
    ends.publish(LinkState::Stopped);
}

/// A bonded link that falls again and again before anything is known of the device is one that it
/// does not let be encrypted any more: BlueZ tells no more of that than the fall.
async fn suspect_bond(reason: LinkReason, failures: u32, config: &BleConfig) -> LinkReason {
    let is_suspect = failures >= FALLS_OF_A_LOST_BOND && reason.code == ReasonCode::DiscoveryFailed;
    if is_suspect && let Ok(BondState::Bonded { .. }) = pairing::bond_state(config).await {
        return reasons::pairing_needed(config);
    }
    reason
}

/// Shows why there is no link and waits for the next try. False when the device is to stop.
async fn wait(mut reason: LinkReason, retry: Duration, ends: &mut Ends) -> bool {
    reason.retry_millis = Some(u64::try_from(retry.as_millis()).unwrap_or(u64::MAX));
    ends.signal.send_replace(None);
    ends.publish(LinkState::Disconnected(reason));
    tokio::select! {
        biased;
        () = stopped(&mut ends.stop) => false,
        () = sleep(retry) => true,
    }
}

/// Doubled with each failure in a row, less up to a half by chance, so that a ward whose adapter
/// came back does not ask for all connections at once.
fn retry_after(failures: u32) -> Duration {
    let full = FIRST_RETRY
        .saturating_mul(1 << failures.min(10))
        .min(LAST_RETRY);
    let chance = RandomState::new().hash_one(failures) % 1_000;
    full - full.mul_f64(chance as f64 / 2_000.0)
}

#[cfg(test)]
mod tests {
    //! The waits between connections, and what the libraries below may log.
    use super::{FIRST_RETRY, LAST_RETRY, retry_after};
    use std::collections::BTreeSet;

    /// Goal: no library logs the values it receives. Method: they do so by `log::trace!`, which must
    /// not be compiled in.
    #[test]
    fn values_reach_no_log() {
        assert!(log::STATIC_MAX_LEVEL < log::LevelFilter::Trace);
    }

    /// Goal: retries back off, stay in their bounds, and differ. Method: many draws for each count of
    /// failures.
    #[test]
    fn retries_back_off_with_jitter() {
        for failures in 0..40 {
            let full = FIRST_RETRY * 2_u32.pow(failures.min(10));
            let full = full.min(LAST_RETRY);
            let draws: BTreeSet<_> = (0..64).map(|_| retry_after(failures)).collect();
            assert!(draws.len() > 8, "{} different waits", draws.len());
            assert!(draws.iter().all(|wait| *wait >= full / 2 && *wait <= full));
        }
    }
}
