//! A ward's readings, fed faster than real time by a member of a bench.
//!
//! A node that is cut off closes a batch with so many readings as its policy says, for a ward brings them before
//! the batch is old. Fed faster, several batches' readings would lie in the queue together and be parted in
//! another way. So one batch's readings are handed over and then flushed: the batches are those of the real
//! pace, in number and in size, of devices that send one after another. (Of those that all send at one instant,
//! up to twice as many: what comes with the last reading of a full batch makes a short one behind it.)

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use fog_api::Gap;

use super::super::member::report;
use super::super::source::Patient;
use super::super::town::Report;
use crate::Node;
use crate::ingest::Ingest;

/// Each device measures one metric a second, now this and now the other.
const PAIR_MILLIS: i64 = 2_000;
/// So many batches are told about together.
const TOLD: u64 = 16;

/// So many devices: admitted now, or in an earlier life of the node.
async fn patients(
    node: &Arc<Node>,
    ingest: &Ingest,
    devices: u64,
    since: i64,
) -> anyhow::Result<Vec<Patient>> {
    let known = node.devices();
    if known.is_empty() {
        return Patient::admit(node, ingest, devices).await;
    }
    ensure!(known.len() as u64 == devices, "a device is missing");
    let again = known.into_iter().map(|device| {
        let index = node.live.index_of(&device.id).context("no such device")?;
        let heard = i64::try_from(device.gap.received)?;
        let time = since + heard * PAIR_MILLIS / 2;
        Ok(Patient::again(index, device.id, time))
    });
    again.collect()
}

/// Feeds readings in batches of `batch` until the node has received `until` in all its lives; the first was
/// taken at `since`, in Unix milliseconds.
pub(in crate::bench) async fn feed(
    node: &Arc<Node>,
    (devices, since): (u64, i64),
    batch: u64,
    until: u64,
) -> anyhow::Result<()> {
    let ingest = node.ingest().context("the node has stopped")?;
    let mut patients = patients(node, &ingest, devices, since).await?;
    for patient in &mut patients {
        patient.pair_millis = PAIR_MILLIS;
    }
    let Gap {
        received, anchored, ..
    } = node.live.gap();
    // What a killed node had not batched yet.
    let mut waiting = received - anchored;
    let (mut total, mut turn) = (received, 0);
    loop {
        report(&Report::Fed { readings: total })?;
        if total >= until {
            return Ok(());
        }
        for _ in 0..TOLD {
            let wanted = (batch - waiting.min(batch)).min(until - total);
            turn = hand(&ingest, &mut patients, turn, wanted).await?;
            ingest.flush().await?;
            (total, waiting) = (total + wanted, 0);
            if total >= until {
                break;
            }
        }
    }
}

/// Hands over so many readings, the devices in turn; returns whose turn it is.
async fn hand(
    ingest: &Ingest,
    patients: &mut [Patient],
    turn: usize,
    readings: u64,
) -> anyhow::Result<usize> {
    let (count, readings) = (patients.len(), usize::try_from(readings)?);
    for place in 0..count {
        let each = readings / count + usize::from(place < readings % count);
        if each > 0 {
            let patient = &mut patients[(turn + place) % count];
            ingest.send(patient.readings(each)).await?;
        }
    }
    Ok((turn + readings % count) % count)
}
