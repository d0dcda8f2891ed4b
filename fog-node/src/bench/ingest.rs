//! Bench `ingest`: 64 streams as fast as the node takes them, from the first reading handed to the queue
//! until the last one is final and on disk.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::process::{bytes_below, cpu_seconds, peak_rss_bytes, settle_files};
use super::source::Patient;
use crate::ingest::Ingest;
use crate::{Node, NodeConfig};

/// Devices, of two streams each.
const DEVICES: u64 = 32;
/// Readings in a run; a debug build, whose figures nobody uses, makes do with fewer.
const READINGS: u64 = if cfg!(debug_assertions) {
    64_000
} else {
    3_000_000
};
/// Readings handed over at once.
const ITEM_READINGS: usize = 500;
/// Longest wait for finality after the last reading.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) async fn measure(data_dir: &Path) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let node = Node::start(NodeConfig::new(data_dir)).await?;
    let ingest = node.ingest().context("the node has stopped")?;
    let patients = Patient::admit(&node, &ingest, DEVICES).await?;
    let cpu_before = cpu_seconds()?;
    let since = Instant::now();
    feed(&ingest, patients).await?;
    ingest.flush().await?;
    until_final(&node, READINGS).await?;
    let seconds = since.elapsed().as_secs_f64();
    let cpu = cpu_seconds()? - cpu_before;
    let rss = peak_rss_bytes()?;
    drop(ingest);
    node.shutdown().await;
    drop(node);
    settle_files(data_dir)?;
    let readings = READINGS as f64;
    Ok(vec![
        ("readings_per_second", readings / seconds),
        ("rss_bytes", rss),
        (
            "bytes_per_reading",
            bytes_below(data_dir)? as f64 / readings,
        ),
        ("cpu_seconds_per_million", cpu / readings * 1e6),
    ])
}

async fn feed(ingest: &Ingest, mut patients: Vec<Patient>) -> anyhow::Result<()> {
    let mut left = READINGS;
    while left > 0 {
        for patient in &mut patients {
            let count = ITEM_READINGS.min(usize::try_from(left)?);
            if count > 0 {
                ingest.send(patient.readings(count)).await?;
                left -= count as u64;
            }
        }
    }
    Ok(())
}

/// Waits until the replica holds the anchors of so many readings.
pub(super) async fn until_final(node: &Arc<Node>, readings: u64) -> anyhow::Result<()> {
    let since = Instant::now();
    while node.replica.read()?.counts().readings < readings {
        if since.elapsed() > PATIENCE {
            bail!("not final within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
