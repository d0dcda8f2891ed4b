//! How long the keys of many batches take to be wrapped for a person.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use curve25519_dalek::MontgomeryPoint;
use ledger_core::{Digest, StreamId};
use rusqlite::Connection;

use super::metric;
use crate::disclosure;
use crate::keystore::random;
use crate::vault::open_stream::OpenStream;
use crate::vault::seal::{MasterKey, StreamKeys};
use crate::vault::streams::StreamRow;
use crate::vault::{self, VAULT_FILE, VaultError, batches, devices, payloads, streams};

/// Batches whose keys are wrapped.
const BATCHES: usize = 10_000;

/// Wraps the keys of [`BATCHES`] batches, of five metrics in turn, ten readings each; the slowest of ten times, in
/// milliseconds.
pub(super) fn measure(folder: &Path) -> anyhow::Result<f64> {
    std::fs::create_dir_all(folder)?;
    let mut vault = vault::open(&folder.join(VAULT_FILE))?;
    let master = MasterKey::new(random()?);
    let streams = filled(&mut vault, &master)?;
    let ranges = streams.iter().map(|row| {
        let open = OpenStream::new(row, &master)?;
        Ok((open, 0..u64::MAX))
    });
    let ranges: Vec<_> = ranges.collect::<Result<_, VaultError>>()?;
    let secret = MontgomeryPoint::mul_base_clamped(random()?);
    let mut slowest: f64 = 0.0;
    for _ in 0..10 {
        let access = Digest(random()?);
        let since = Instant::now();
        let wrapped = disclosure::wrap(&vault, &ranges, secret.as_bytes(), &access)?;
        slowest = slowest.max(since.elapsed().as_secs_f64() * 1e3);
        ensure!(black_box(wrapped).len() == BATCHES, "a key was not wrapped");
    }
    Ok(slowest)
}

/// Fills a vault with batches; returns their streams.
fn filled(vault: &mut Connection, master: &MasterKey) -> anyhow::Result<Vec<StreamRow>> {
    const METRICS: usize = 5;
    const READINGS: u32 = 10;
    let transaction = vault.transaction()?;
    let device = devices::DeviceRow {
        id: "bench".to_owned(),
        name: "bench".to_owned(),
        profile: "bench".to_owned(),
        path: "bench".to_owned(),
        simulated: true,
        sealed_key: None,
        handle: Digest(random()?),
        added: 0,
        durable_sequence: None,
        handovers: 0,
    };
    devices::insert(&transaction, &device)?;
    let mut rows = Vec::new();
    for number in 0..METRICS {
        let id = StreamId(random()?);
        let sealed = StreamKeys::generate()?.wrap(master, id)?;
        streams::insert(&transaction, id, &device.id, &metric(number), "%", &sealed)?;
    }
    rows.extend(streams::list(&transaction, None)?);
    for batch in 0..BATCHES as u64 {
        let row = batches::BatchRow {
            number: batch,
            tx: Digest(random()?),
            root: Digest(random()?),
            readings: READINGS,
            created: 0,
        };
        batches::insert(&transaction, &row)?;
        let stream = rows.get(batch as usize % METRICS).context("no stream")?;
        let payload = payloads::PayloadRow {
            stream: stream.number,
            first_sequence: batch / METRICS as u64 * u64::from(READINGS),
            count: READINGS,
            batch,
            newest: 0,
            sealed: random::<96>()?.to_vec(),
        };
        payloads::insert(&transaction, &payload)?;
    }
    transaction.commit()?;
    Ok(rows)
}
