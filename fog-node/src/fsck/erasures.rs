//! Does every certificate of erasure hold, is its tombstone told, and is nothing erased without one?

use ledger_core::Digest;
use rusqlite::Connection;

use super::Report;
use crate::vault::{VaultError, erasures};

/// Checks the certificates, once all batches were followed. `is_told` says whether a transaction is on chain or in the
/// outbox.
pub(super) fn check(
    connection: &Connection,
    is_told: impl Fn(&Digest) -> bool,
    report: &mut Report,
) -> Result<(), VaultError> {
    let mut certified: u64 = 0;
    for (at, row) in (1..).zip(erasures::all(connection)?.iter().rev()) {
        match row.signed.verify() {
            Ok(erasure) => certified = certified.saturating_add(erasure.readings()),
            Err(error) => report.add("erasures", format!("Certificate {at}: {error}.")),
        }
        if !is_told(&row.tx) {
            let what =
                format!("The tombstone of certificate {at} is neither on chain nor in the outbox.");
            report.add("erasures", what);
        }
    }
    let erased = report.vault.erased_readings;
    if certified != erased {
        let what = format!("{erased} readings are erased and {certified} are in certificates.");
        report.add("erasures", what);
    }
    Ok(())
}
