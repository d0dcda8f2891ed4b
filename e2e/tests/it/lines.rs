//! Goal: four hospitals on hosts of their own stay one ledger over poor lines: slow ones, lossy ones,
//! narrow ones, and none at all; cut in halves they stop, cut one off three go on, and afterwards all have
//! the same chain.
//!
//! Method: four real nodes with simulated sensors in network namespaces of their own; see `e2e::hosts`.

use anyhow::{Context, Result, ensure};
use e2e::hosts::{Hosts, alone};
use e2e::town::{self, Running};
use std::thread;
use std::time::{Duration, Instant};

const NAME: &str = "lines::four_hosts_stay_one_ledger_over_poor_lines";
/// Simulated sensors at each node, and how often it anchors what they send.
const LOAD: [&str; 2] = ["--demo=5", "--batch-age-ms=200"];
/// How many blocks all nodes are to see over each kind of line.
const BLOCKS: u64 = 5;

#[test]
fn four_hosts_stay_one_ledger_over_poor_lines() -> Result<()> {
    if !alone(NAME)? {
        return Ok(());
    }
    // The runtime carries packets, while this thread waits for what comes of them.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let entered = runtime.enter();
    let hosts = Hosts::make(4)?;
    drop(entered);
    let folder = tempfile::tempdir()?;
    let running = town::found(&hosts.places(folder.path()), &LOAD)?;
    poor_lines(&hosts, &running)?;
    halves(&hosts, &running)?;
    one_and_three(&hosts, &running)?;

    let height = town::settle(&running)?;
    let path = format!("/api/blocks/{height}");
    let tips = running
        .iter()
        .map(|(place, node)| place.http(node, "GET", &path));
    let roots: Vec<_> = tips
        .map(|tip| Ok(tip?["state_root"].clone()))
        .collect::<Result<_>>()?;
    ensure!(roots.iter().all(|root| *root == roots[0]), "{roots:?}");
    let reports = town::stop(running)?;
    let first = &reports[0]["replica"];
    for report in &reports {
        for what in ["tip", "transactions", "readings"] {
            ensure!(
                report["replica"][what] == first[what],
                "{what} differ: {report}"
            );
        }
        let vault = &report["vault"];
        ensure!(vault["pending_transactions"] == 0, "{vault}");
        ensure!(vault["final_batches"] == vault["batches"], "{vault}");
    }
    eprintln!(
        "the same {} blocks, {} transactions",
        first["blocks"], first["transactions"]
    );
    Ok(())
}

/// Slow, lossy and narrow lines cost time, and nothing else. That they are such is measured.
fn poor_lines(hosts: &Hosts, running: &Running) -> Result<()> {
    for millis in [10, 50] {
        let delay = Duration::from_millis(millis);
        hosts.delay(delay);
        let (here, _) = &running[0];
        let (there, _) = &running[1];
        let since = Instant::now();
        here.connect(&there.listen)?;
        ensure!(since.elapsed() >= delay * 2, "the line is not slow");
        goes_on(running, &format!("{millis} ms of delay"))?;
    }
    hosts.lose(5, 0)?;
    goes_on(running, "5 % of loss, 50 ms of delay")?;
    ensure!(hosts.lost()? > 0, "nothing was lost");
    hosts.delay(Duration::from_millis(10));
    hosts.lose(0, 0)?;
    hosts.narrow(Some(256))?;
    goes_on(running, "lines of 32 kB a second")?;
    ensure!(hosts.held_up()? > 0, "the lines were not narrow");
    hosts.narrow(None)
}

/// Two and two: no half may go on by itself. Healed, they go on together.
fn halves(hosts: &Hosts, running: &Running) -> Result<()> {
    hosts.lose(0, 2)?;
    // What was on its way may still become final.
    thread::sleep(Duration::from_secs(2));
    let before = heights(running)?;
    thread::sleep(Duration::from_secs(3));
    let after = heights(running)?;
    ensure!(before == after, "a half went on: {before:?}, {after:?}");
    hosts.lose(0, 0)?;
    goes_on(running, "two halves that met again")
}

/// One and three: three go on, one cannot. Healed, it follows.
fn one_and_three(hosts: &Hosts, running: &Running) -> Result<()> {
    hosts.lose(0, 1)?;
    thread::sleep(Duration::from_secs(2));
    let before = heights(running)?;
    let after = town::until("three of four to go on", || {
        let now = heights(running)?;
        let others = now.iter().zip(&before).skip(1);
        let went_on = others
            .into_iter()
            .all(|(now, before)| *now >= before + BLOCKS);
        Ok(went_on.then_some(now))
    })?;
    ensure!(
        before[0] == after[0],
        "one went on alone: {before:?}, {after:?}"
    );
    hosts.lose(0, 0)?;
    goes_on(running, "one that came back")
}

/// Waits until every node has some blocks more than any had.
fn goes_on(running: &Running, lines: &str) -> Result<()> {
    let since = Instant::now();
    let before = heights(running)?.into_iter().max().context("no node")?;
    town::until(&format!("blocks everywhere with {lines}"), || {
        let now = heights(running)?;
        Ok(now.iter().all(|now| *now >= before + BLOCKS).then_some(()))
    })?;
    eprintln!(
        "{BLOCKS} blocks everywhere with {lines}: {:?}",
        since.elapsed()
    );
    Ok(())
}

fn heights(running: &Running) -> Result<Vec<u64>> {
    let heights = running.iter().map(|(place, node)| {
        let height = place.status(node)?["height"].as_u64();
        height.context("no height")
    });
    heights.collect()
}
