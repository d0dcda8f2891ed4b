//! Bench `throughput`: senders at every node submit anchors as fast as they become final, for a minute.
//!
//! Counted is what is final at the slowest node. What a sender sends is signed before the clock starts;
//! everything else is done by the validators: each checks every signature, executes every block, and
//! syncs it to disk before it says so.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use rayon::prelude::*;

use super::load;
use super::town::{Measured, Order, Report, Town};

/// Senders at each node.
const SENDERS_EACH: u16 = 2;
/// Transactions of a sender on their way at a time.
const WINDOW: usize = 1500;
/// Before the clock starts: until caches and pools are full, so that memory that grows shows.
const WARM_UP: Duration = Duration::from_secs(20);
/// Transactions that are signed for each second: more than two cores can make final.
const SIGNED_PER_SECOND: u64 = 20_000;

pub(super) fn measure(
    folder: &Path,
    validators: u16,
    seconds: u32,
) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let senders = validators * SENDERS_EACH;
    let mut town = Town::found(folder, validators, validators, senders)?;
    let whole = u64::from(seconds) + WARM_UP.as_secs() + 2;
    let each = SIGNED_PER_SECOND * whole / u64::from(senders);
    let bytes = sign(&town, senders, each)?;
    town.start_all()?;
    for number in 0..town.len() {
        let first = number as u16 * SENDERS_EACH;
        let own = (first..first + SENDERS_EACH).collect();
        let load = Order::Load {
            senders: own,
            window: WINDOW,
        };
        town.order(number, &load)?;
    }
    let mut counts = vec![0u64; town.len()];
    count(&town, WARM_UP, &mut counts)?;
    let before = all(&mut town, &mut counts)?;
    let (from, since) = (counts.clone(), Instant::now());
    let mut halves = Vec::new();
    for _ in 0..2 {
        let begun = (slowest(&counts), Instant::now());
        count(&town, Duration::from_secs(seconds.into()) / 2, &mut counts)?;
        let made = slowest(&counts).saturating_sub(begun.0);
        halves.push(made as f64 / begun.1.elapsed().as_secs_f64());
    }
    let elapsed = since.elapsed().as_secs_f64();
    let made = counts.iter().zip(&from).map(|(now, then)| now - then);
    let made = made.min().unwrap_or(0);
    let after = all(&mut town, &mut counts)?;
    ensure!(
        after
            .iter()
            .all(|one| one.senders.iter().all(|next| *next < each)),
        "the load ended before the time; this machine is faster than this bench expects"
    );
    finish(town)?;
    let fairness = fairness(&before[0], &after[0]);
    let of_all =
        |figure: fn(&Measured) -> f64, all: &[Measured]| all.iter().map(figure).fold(0.0, f64::max);
    let cpu: f64 = after
        .iter()
        .zip(&before)
        .map(|(now, then)| now.cpu_seconds - then.cpu_seconds)
        .sum();
    Ok(vec![
        ("tx_per_second", made as f64 / elapsed),
        ("tx_per_second_first_half", halves[0]),
        ("tx_per_second_second_half", halves[1]),
        ("tx_bytes", bytes as f64),
        ("rss_bytes_max", of_all(|one| one.peak_rss_bytes, &after)),
        ("rss_bytes_before", of_all(|one| one.rss_bytes, &before)),
        ("rss_bytes_after", of_all(|one| one.rss_bytes, &after)),
        ("least_sender_of_most", fairness),
        ("cpu_cores", cpu / elapsed),
    ])
}

/// Signs what all senders are to send. Returns the bytes of one transaction.
fn sign(town: &Town, senders: u16, each: u64) -> anyhow::Result<usize> {
    let files = (0..senders).map(|sender| {
        let data = town.data(usize::from(sender / SENDERS_EACH));
        (sender, load::file(&data, sender))
    });
    let (files, chain): (Vec<_>, _) = (files.collect(), town.chain);
    let bytes = files.into_par_iter();
    let bytes = bytes.map(|(sender, file)| load::write(&file, chain, sender, each));
    let bytes = bytes.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(bytes.into_iter().max().unwrap_or(0))
}

/// Counts what becomes final at each node for some time.
fn count(town: &Town, time: Duration, counts: &mut [u64]) -> anyhow::Result<()> {
    let end = Instant::now() + time;
    let nothing: Option<()> = town.until(end, |number, report| {
        add(counts, number, &report);
        None
    })?;
    debug_assert!(nothing.is_none());
    Ok(())
}

fn add(counts: &mut [u64], number: usize, report: &Report) {
    if let Report::Final { transactions, .. } = report {
        counts[number] += u64::from(*transactions);
    }
}

fn slowest(counts: &[u64]) -> u64 {
    counts.iter().copied().min().unwrap_or(0)
}

/// The figures of all nodes; what becomes final meanwhile is counted.
fn all(town: &mut Town, counts: &mut [u64]) -> anyhow::Result<Vec<Measured>> {
    for number in 0..town.len() {
        town.order(number, &Order::Measure)?;
    }
    let mut figures: Vec<Option<Measured>> = vec![None; town.len()];
    town.wait("the nodes' figures", |number, report| {
        add(counts, number, &report);
        if let Report::Figures(measured) = report {
            figures[number] = Some(measured);
        }
        figures.iter().all(Option::is_some).then_some(())
    })?;
    Ok(figures.into_iter().flatten().collect())
}

/// What the least successful sender got in of what the most successful did.
fn fairness(before: &Measured, after: &Measured) -> f64 {
    let made = after.senders.iter().zip(&before.senders);
    let made: Vec<_> = made.map(|(now, then)| (now - then) as f64).collect();
    let least = made.iter().copied().fold(f64::INFINITY, f64::min);
    least / made.iter().copied().fold(f64::NAN, f64::max)
}

/// Stops the nodes: their chains must be the same as far as they go.
fn finish(mut town: Town) -> anyhow::Result<()> {
    town.stop()?;
    let replicas = (0..town.len()).map(|number| town.replica(number));
    let replicas = replicas.collect::<anyhow::Result<Vec<_>>>()?;
    let mut heights = Vec::new();
    for replica in &replicas {
        heights.push(replica.read()?.next_height().0.saturating_sub(1));
    }
    let common = ledger_core::Height(heights.into_iter().min().unwrap_or(0));
    let mut headers = Vec::new();
    for replica in &replicas {
        headers.push(replica.read()?.header(common)?);
    }
    ensure!(
        headers
            .windows(2)
            .all(|pair| pair[0].is_some() && pair[0] == pair[1]),
        "two replicas differ at height {common}"
    );
    Ok(())
}
