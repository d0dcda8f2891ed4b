//! Bench `faults`: validators are killed while one client submits, and come back.
//!
//! One is killed as a power cut would: the client goes on at the others. Then as many more that no
//! quorum is left: nothing becomes final until they are back. At the end each accepted anchor must be in
//! every replica, once.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use ledger_core::Digest;

use super::percentile;
use super::town::{Order, PATIENCE, Report, Town};

/// Anchors before, and after, a node is killed.
const ANCHORS: u64 = 200;
/// Between an anchor and the next.
const PAUSE: Duration = Duration::from_millis(20);
/// How long there is no quorum.
const HALT: Duration = Duration::from_secs(5);
/// Who sends.
const SENDER: u16 = 0;

pub(super) fn measure(folder: &Path, validators: u16) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let tolerated = usize::from(validators.saturating_sub(1) / 3);
    ensure!(
        tolerated > 0,
        "with fewer than four validators none may fail; give --validators 4"
    );
    let mut client = Client {
        town: Town::found(folder, validators, validators, 1)?,
        next: 0,
        accepted: Vec::new(),
        alive: (0..usize::from(validators)).collect(),
    };
    client.town.start_all()?;
    let before = client.submit_many(None)?;
    let last = usize::from(validators) - 1;
    let during = client.submit_many(Some(last))?;
    let restart = client.start(last)?;
    let progress = client.halt_and_resume(tolerated + 1)?;
    let (accepted, lost) = client.finish()?;
    Ok(vec![
        ("p99_ms_all_alive", percentile(before, 99)),
        ("p99_ms_one_killed", percentile(during.clone(), 99)),
        ("max_ms_one_killed", percentile(during, 100)),
        ("restart_ms", restart),
        ("progress_ms_after_quorum", progress),
        ("accepted", accepted as f64),
        ("lost", lost as f64),
    ])
}

/// One client, and who is alive.
struct Client {
    town: Town,
    next: u64,
    accepted: Vec<Digest>,
    alive: BTreeSet<usize>,
}

impl Client {
    /// Submits anchors one after another, each when the one before is final at all that are alive;
    /// after a tenth of them kills `victim`. Returns the milliseconds each took.
    fn submit_many(&mut self, victim: Option<usize>) -> anyhow::Result<Vec<f64>> {
        let mut millis = Vec::new();
        for number in 0..ANCHORS {
            let mut kill = None;
            if number == ANCHORS / 10
                && let Some(victim) = victim
            {
                self.alive.remove(&victim);
                kill = Some(victim);
            }
            self.submit()?;
            // Killed while the anchor is on its way.
            if let Some(victim) = kill {
                self.town.kill(victim)?;
            }
            millis.push(self.until_final()?);
            std::thread::sleep(PAUSE);
        }
        Ok(millis)
    }

    /// Submits the next anchor at the first node.
    fn submit(&mut self) -> anyhow::Result<()> {
        let (sender, nonce) = (SENDER, self.next);
        self.next += 1;
        self.town.order(0, &Order::Submit { sender, nonce })
    }

    /// Waits until what was submitted last is final at all that are alive. Returns how many
    /// milliseconds that took.
    fn until_final(&mut self) -> anyhow::Result<f64> {
        let (id, millis) = self.town.until_final(&self.alive)?;
        self.accepted.push(id);
        Ok(millis)
    }

    /// Starts a node again. Returns the milliseconds until it takes part.
    fn start(&mut self, number: usize) -> anyhow::Result<f64> {
        let since = Instant::now();
        self.town.start(number)?;
        self.town.wait_ready(number)?;
        let took = since.elapsed();
        self.alive.insert(number);
        Ok(took.as_secs_f64() * 1e3)
    }

    /// Kills so many that no quorum is left, submits, and starts them again. Returns the milliseconds
    /// from when enough processes were started until the anchor is final at those that never stopped.
    fn halt_and_resume(&mut self, killed: usize) -> anyhow::Result<f64> {
        let victims: Vec<_> = (self.town.len() - killed..self.town.len()).collect();
        for victim in &victims {
            self.town.kill(*victim)?;
            self.alive.remove(victim);
        }
        self.submit()?;
        // A node that came back before tells older blocks still.
        let mut told = BTreeSet::new();
        let mut id = None;
        self.town.until(Instant::now() + HALT, |_, report| {
            match report {
                Report::Submitted { id: accepted, .. } => id = Some(accepted),
                Report::Final { ids, .. } => told.extend(ids),
                _ => {}
            }
            None::<()>
        })?;
        let id = id.context("nothing was accepted without a quorum")?;
        ensure!(
            !told.contains(&id),
            "an anchor became final without a quorum"
        );
        self.accepted.push(id);
        for victim in &victims {
            self.town.start(*victim)?;
        }
        let since = Instant::now();
        let alive = self.alive.clone();
        let mut seen = BTreeSet::new();
        let found = self.town.until(since + PATIENCE, |number, report| {
            if let Report::Final { ids, .. } = report
                && ids.contains(&id)
            {
                seen.insert(number);
            }
            alive.is_subset(&seen).then(|| since.elapsed())
        })?;
        self.alive.extend(victims);
        let took = found.context("no progress after the validators were back")?;
        Ok(took.as_secs_f64() * 1e3)
    }

    /// Waits until all nodes have the last anchor, stops them, and counts what was accepted and what of
    /// it is missing in some replica.
    fn finish(mut self) -> anyhow::Result<(usize, usize)> {
        let expected = self.next + 1;
        let end = Instant::now() + PATIENCE;
        for number in 0..self.town.len() {
            while self.town.measure(number)?.transactions < expected {
                ensure!(Instant::now() < end, "a node does not catch up");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        self.town.stop()?;
        let mut missing = BTreeSet::new();
        for number in 0..self.town.len() {
            let replica = self.town.replica(number)?;
            let snapshot = replica.read()?;
            ensure!(
                snapshot.counts().transactions == expected,
                "an anchor is on the chain twice"
            );
            for id in &self.accepted {
                if snapshot.transaction(id)?.is_none() {
                    missing.insert(*id);
                }
            }
        }
        Ok((self.accepted.len(), missing.len()))
    }
}
