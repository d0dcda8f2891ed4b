//! The host's clock, read at the edges only; everything below takes time as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in Unix milliseconds, as the ledger counts them.
#[must_use]
pub fn unix_millis() -> u64 {
    u64::try_from(now_millis()).unwrap_or_default()
}

/// Now, in Unix milliseconds.
#[must_use]
pub fn now_millis() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
