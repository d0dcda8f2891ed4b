//! Goal: `kill -9` of any node of a consortium at any moment loses nothing that was acknowledged, puts
//! nothing into the chain twice, and leaves all replicas the same.
//!
//! Method: four real nodes with simulated sensors; one at random is killed and started again, twelve
//! times, or as often as `FOGWARD_TEST_KILLS` says. What a node acknowledged before each kill is noted.
//! Afterwards all must be final, `fsck` clean, and chain and vaults must account for each other.

use anyhow::{Context, Result, ensure};
use e2e::cli::Node;
use e2e::town::{self, Place, Running};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Kills of a test run.
const KILLS: u32 = 12;
/// Nodes; one of them may be down.
const NODES: u8 = 4;
/// Simulated sensors at each node, and how often it anchors what they send.
const LOAD: [&str; 2] = ["--demo=20", "--batch-age-ms=100"];

#[test]
fn kills_of_random_nodes_lose_nothing_and_leave_equal_replicas() -> Result<()> {
    let kills = match std::env::var("FOGWARD_TEST_KILLS") {
        Ok(asked) => asked.parse().context("FOGWARD_TEST_KILLS is a number")?,
        Err(_) => KILLS,
    };
    let folder = tempfile::tempdir()?;
    let places: Vec<_> = (1..=NODES)
        .map(|number| Place::on_loopback(folder.path(), number))
        .collect();
    let mut running = town::found(&places, &LOAD)?;
    let seed = SystemTime::UNIX_EPOCH.elapsed()?.as_nanos() as u64 | 1;
    eprintln!("{kills} kills, seed {seed}");
    let mut random = Random(seed);
    let mut starts = Vec::new();
    let mut acknowledged = BTreeMap::new();
    for _ in 0..kills {
        thread::sleep(Duration::from_millis(random.below(1_500)));
        let at = random.below(NODES.into()) as usize;
        let (place, node) = running.remove(at);
        acknowledged.insert(place.name.clone(), received(&place, &node)?);
        node.kill()?;
        let since = Instant::now();
        let node = place.start(&LOAD)?;
        starts.push(since.elapsed());
        running.insert(at, (place, node));
    }
    starts.sort_unstable();
    let (median, longest) = (starts[starts.len() / 2], starts[starts.len() - 1]);
    eprintln!("ready again after {median:?} in the middle, {longest:?} at most");

    // A little longer with all of them, so that who was killed last has something to send, too.
    thread::sleep(Duration::from_secs(1));
    for (place, node) in &running {
        let before = acknowledged.entry(place.name.clone()).or_default();
        let now = received(place, node)?;
        ensure!(
            now >= *before,
            "{} forgot readings: {now} of {before}",
            place.name
        );
        *before = now;
    }
    let height = town::settle(&running)?;
    let sent = anchors(&running, height)?;
    let reports = town::stop(running)?;
    account(&places, &reports, &sent, &acknowledged)
}

/// How many readings a node has said it received; it says so when they are on its disk.
fn received(place: &Place, node: &Node) -> Result<u64> {
    let status = place.status(node)?;
    status["gap"]["received"].as_u64().context("no count")
}

/// By node, how many batches the chain anchors; no transaction may be in it twice, and all nodes must say
/// the same of every block.
fn anchors(running: &Running, height: u64) -> Result<BTreeMap<String, u64>> {
    let (mut ids, mut sent) = (BTreeSet::new(), BTreeMap::new());
    let (first, others) = running.split_first().context("no node")?;
    for height in 0..=height {
        let path = format!("/api/blocks/{height}");
        let block = first.0.http(&first.1, "GET", &path)?;
        for (place, node) in others {
            let other = place.http(node, "GET", &path)?;
            for part in ["state_root", "tx_root", "parent", "transactions"] {
                ensure!(block[part] == other[part], "block {height}: {part} differs");
            }
        }
        for row in block["transactions"].as_array().context("no list")? {
            ensure!(ids.insert(row["id"].to_string()), "twice: {row}");
            if row["kind"] == "anchor_batch" {
                let sender = row["sender"].as_str().context("no sender")?;
                *sent.entry(sender.to_owned()).or_default() += 1;
            }
        }
    }
    Ok(sent)
}

/// Chain and vaults against each other, and against what was acknowledged.
fn account(
    places: &[Place],
    reports: &[Value],
    sent: &BTreeMap<String, u64>,
    acknowledged: &BTreeMap<String, u64>,
) -> Result<()> {
    let mut readings = 0;
    for (place, report) in places.iter().zip(reports) {
        let (replica, vault) = (&report["replica"], &report["vault"]);
        ensure!(
            replica["tip"] == reports[0]["replica"]["tip"],
            "tips differ"
        );
        ensure!(vault["pending_transactions"] == 0, "{vault}");
        ensure!(vault["waiting_readings"] == 0, "{vault}");
        ensure!(vault["final_batches"] == vault["batches"], "{vault}");
        let (batches, sent) = (&vault["batches"], sent.get(&place.name));
        ensure!(
            batches.as_u64() == sent.copied(),
            "{batches} made, {sent:?} in the chain"
        );
        let sealed = vault["batched_readings"].as_u64().context("no count")?;
        let told = acknowledged.get(&place.name).copied().unwrap_or_default();
        ensure!(
            sealed >= told,
            "{}: {told} acknowledged, {sealed} there",
            place.name
        );
        readings += sealed;
    }
    let chain = &reports[0]["replica"]["readings"];
    ensure!(
        *chain == readings,
        "{readings} in the vaults, {chain} in the chain"
    );
    eprintln!(
        "{} blocks, {} transactions, {readings} readings; all replicas equal",
        reports[0]["replica"]["blocks"], reports[0]["replica"]["transactions"]
    );
    Ok(())
}

/// xorshift64: moments need no better randomness.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
