//! Bench `proof`: proofs of readings from full batches, numbers and waves, read and verified as a
//! stranger does it.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use fog_api::ReadingsQuery;
use ledger_core::{Genesis, Proof};

use super::ingest::until_final;
use super::percentile;
use super::source::Patient;
use crate::{Node, NodeConfig};

/// Devices; together with the readings of each, they fill one batch.
const DEVICES: u64 = 32;
/// Numbers and one wave of each device: 32 × 128 = 4,096 readings.
const NUMBERS: usize = 127;
/// Proofs of each device.
const PROOFS: usize = 4;
/// Verifications of each proof.
const VERIFICATIONS: usize = 20;

pub(super) async fn measure(data_dir: &Path) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let node = Node::start(NodeConfig::new(data_dir)).await?;
    let ingest = node.ingest().context("the node has stopped")?;
    let mut patients = Patient::admit(&node, &ingest, DEVICES).await?;
    for patient in &mut patients {
        ingest.send(patient.wave()).await?;
        ingest.send(patient.readings(NUMBERS)).await?;
    }
    ingest.flush().await?;
    until_final(&node, DEVICES * (NUMBERS as u64 + 1)).await?;
    let genesis = Genesis::from_file(&node.genesis())?;
    let (mut millis, mut largest) = (Vec::new(), 0);
    for patient in &patients {
        let readings = node
            .readings(ReadingsQuery {
                device: patient.id.clone(),
                limit: Some(1_000),
                ..ReadingsQuery::default()
            })
            .await?;
        let wave = readings.iter().filter(|row| row.samples.is_some());
        let numbers = readings.iter().filter(|row| row.samples.is_none());
        for reading in wave.chain(numbers).take(PROOFS) {
            let file = node.proof(reading.id.clone()).await?;
            largest = largest.max(file.len());
            for _ in 0..VERIFICATIONS {
                let since = Instant::now();
                let verdict = Proof::from_file(black_box(&file))?.verify(&genesis);
                millis.push(since.elapsed().as_secs_f64() * 1e3);
                ensure!(verdict.valid, "a proof of this node does not verify");
            }
        }
    }
    ensure!(millis.len() >= 1_000, "too few verifications for a median");
    drop(ingest);
    node.shutdown().await;
    Ok(vec![
        ("verify_ms", percentile(millis, 50)),
        ("proof_bytes", largest as f64),
    ])
}
