//! What comes after the batches: readings in the journal, and the counters that must add up.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Report;
use super::batches::Batches;
use super::outbox::Outbox;
use crate::vault::clocks::{self, MAX_SETTINGS};
use crate::vault::gaps::Kind;
use crate::vault::{VaultError, devices, gaps, journal};

/// Checks journal, devices and gap ledgers once all batches were followed.
pub(super) fn check(
    connection: &Connection,
    mut batches: Batches<'_>,
    outbox: &Outbox,
    report: &mut Report,
) -> Result<(), VaultError> {
    batches.finish(report)?;
    let waiting = check_journal(connection, &mut batches, report)?;
    let mut stored: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (number, stream) in &batches.streams {
        let (batched, total) = stored.entry(&stream.device).or_default();
        *batched += stream.batched;
        *total += stream.batched + waiting.get(number).copied().unwrap_or(0);
    }
    for (device, handle) in devices::handles(connection)? {
        report.vault.devices += 1;
        if !outbox.handles.contains(&handle) {
            report.add(
                "devices",
                format!(
                    "The registration of device {device} is neither on chain nor in the outbox."
                ),
            );
        }
        let stored = stored.get(device.as_str()).copied().unwrap_or_default();
        check_gap(connection, &device, stored, report)?;
        check_clock(connection, &device, report)?;
    }
    Ok(())
}

/// Readings that wait, by stream.
fn check_journal(
    connection: &Connection,
    batches: &mut Batches<'_>,
    report: &mut Report,
) -> Result<BTreeMap<i64, u64>, VaultError> {
    let mut waiting: BTreeMap<i64, u64> = BTreeMap::new();
    for row in journal::list(connection, None)? {
        let count = u64::from(row.count);
        report.vault.waiting_readings += count;
        *waiting.entry(row.stream).or_default() += count;
        let Some(stream) = batches.streams.get_mut(&row.stream) else {
            report.add("journal", "A row is of an unknown stream.");
            continue;
        };
        if !stream.is_due(row.first_sequence, report.vault.lost_readings) {
            report.add(
                "journal",
                format!(
                    "Stream number {} goes on at {}, where {} is due.",
                    row.stream, row.first_sequence, stream.next_sequence
                ),
            );
        }
        stream.next_sequence = row.first_sequence.saturating_add(count);
        if let Some(open) = &stream.open
            && let Err(error) = open.open(row.first_sequence, row.count, &row.sealed)
        {
            report.add(
                "journal",
                format!(
                    "A row of stream number {} does not open: {error}.",
                    row.stream
                ),
            );
        }
    }
    Ok(waiting)
}

/// `stored`: readings of the device in batches, and all of them.
fn check_gap(
    connection: &Connection,
    device: &str,
    stored: (u64, u64),
    report: &mut Report,
) -> Result<(), VaultError> {
    let counters = gaps::of_device(connection, device)?;
    let sum = |kind| -> u64 {
        let of_kind = counters.iter().filter(|((of, _), _)| *of == kind);
        of_kind
            .map(|(_, count)| count)
            .fold(0, |sum, count| sum.saturating_add(*count))
    };
    let (anchored, received) = (sum(Kind::Anchored), sum(Kind::Received));
    if anchored != stored.0 {
        report.add(
            "gaps",
            format!(
                "Device {device} counts {anchored} readings anchored and {} are in batches.",
                stored.0
            ),
        );
    }
    if received != stored.1 {
        report.add(
            "gaps",
            format!(
                "Device {device} counts {received} readings received and {} are stored.",
                stored.1
            ),
        );
    }
    let recovered = sum(Kind::Recovered);
    if recovered > sum(Kind::Missing).saturating_add(sum(Kind::RejectedReadings)) {
        report.add(
            "gaps",
            format!("Device {device} counts more readings recovered than lost."),
        );
    }
    Ok(())
}

/// What places readings that their device's clock has stamped.
fn check_clock(
    connection: &Connection,
    device: &str,
    report: &mut Report,
) -> Result<(), VaultError> {
    let settings = clocks::of_device(connection, device)?;
    if settings.iter().any(|of| of.until < of.host_time) {
        report.add(
            "clocks",
            format!("A setting of the clock of device {device} ends before it begins."),
        );
    }
    if settings.len() > MAX_SETTINGS as usize {
        report.add(
            "clocks",
            format!("Device {device} has more settings of its clock than are ever kept."),
        );
    }
    Ok(())
}
