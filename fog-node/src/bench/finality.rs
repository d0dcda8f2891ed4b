//! Bench `finality`: one client submits anchors one after another, at one node after another, each once
//! the one before is final and on disk at every node.

use std::path::Path;
use std::time::Instant;

use super::town::{Order, Town};
use super::{history, percentile};

/// Transactions before the clock starts.
const WARM_UP: u64 = 20;
/// Transactions that are measured.
const TRANSACTIONS: u64 = 600;
/// Who sends.
const SENDER: u16 = 0;

pub(super) fn measure(
    folder: &Path,
    validators: u16,
    stored: u64,
) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut town = Town::found(folder, validators, validators, 1)?;
    history::write(&town, stored, SENDER)?;
    town.start_all()?;
    let mut millis = Vec::new();
    let (mut since, mut cpu) = (Instant::now(), 0.0);
    for number in 0..WARM_UP + TRANSACTIONS {
        if number == WARM_UP {
            cpu = cpu_seconds(&mut town)?;
            since = Instant::now();
        }
        let took = final_everywhere(&mut town, stored + number)?;
        if number >= WARM_UP {
            millis.push(took);
        }
    }
    let seconds = since.elapsed().as_secs_f64();
    let cpu = cpu_seconds(&mut town)? - cpu;
    town.stop()?;
    Ok(vec![
        ("p50_ms", percentile(millis.clone(), 50)),
        ("p99_ms", percentile(millis, 99)),
        ("tx_per_second_one_client", TRANSACTIONS as f64 / seconds),
        ("cpu_ms_per_tx", cpu * 1e3 / TRANSACTIONS as f64),
    ])
}

/// Submits an anchor, and waits until all nodes have it on disk. Returns how many milliseconds lie
/// between the two.
fn final_everywhere(town: &mut Town, nonce: u64) -> anyhow::Result<f64> {
    let at = (nonce % town.len() as u64) as usize;
    let sender = SENDER;
    town.order(at, &Order::Submit { sender, nonce })?;
    let all = (0..town.len()).collect();
    Ok(town.until_final(&all)?.1)
}

/// Processor time of all nodes.
fn cpu_seconds(town: &mut Town) -> anyhow::Result<f64> {
    (0..town.len())
        .map(|number| Ok(town.measure(number)?.cpu_seconds))
        .sum()
}
