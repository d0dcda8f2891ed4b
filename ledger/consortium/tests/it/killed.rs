//! A validator killed at any moment goes on where it was: nothing acknowledged is lost, nothing is
//! executed twice, no two blocks share a height.
//!
//! The validator is this very test binary in a process of its own, asked by an environment variable to
//! submit without end and to print a line for each transaction once it is final.

#![expect(
    clippy::print_stdout,
    reason = "the killed validator talks to the test through stdout"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ledger_core::genesis::Parameters;
use ledger_core::{Digest, Height};

use crate::fixture::{PATIENCE, anchor, assert_clean, genesis, key, replica, soon, start_alone};

const HOME: &str = "CONSORTIUM_TEST_HOME";
const KILLS: u32 = 25;

/// The validator that is killed: submits without end, four transactions at a time. Alone, with nobody
/// to kill it, it stops after ten times four, in a folder of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validator() {
    let own = tempfile::tempdir().unwrap();
    let home = std::env::var_os(HOME).map(PathBuf::from);
    let end = home.is_none().then_some(40);
    let home = home.unwrap_or_else(|| own.path().to_owned());
    let genesis = genesis(1, Parameters::default());
    let chain = genesis.chain_id();
    let replica = replica(&home, &genesis);
    let first = replica.read().unwrap().account(&key(0).public()).unwrap();
    let consortium = start_alone(&home, &replica).await;
    println!("\nready");
    let mut nonce = first.next_nonce.0;
    while end.is_none_or(|end| nonce < end) {
        let mut submissions = Vec::new();
        for _ in 0..4 {
            let transaction = anchor(chain, &key(0), nonce);
            submissions.push((nonce, consortium.submit(transaction).await.unwrap()));
            nonce += 1;
        }
        for (nonce, submission) in submissions {
            let finality = soon(submission).await.unwrap();
            println!("final {nonce} {} {}", finality.height, finality.index);
        }
    }
    consortium.shutdown().await;
    drop(replica);
    assert_clean(&home);
}

/// What the killed validators acknowledged: height and index by nonce.
type Acknowledged = BTreeMap<u64, (u64, u32)>;

fn spawn(home: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::validator", "--nocapture"])
        .env(HOME, home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Whether the process holds a socket that listens, or is connected, to anything but another end in
/// this machine's memory.
#[cfg(target_os = "linux")]
fn has_network(process: u32) -> bool {
    let fds = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let inodes: Vec<String> = fds
        .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok())
        .filter_map(|link| {
            let link = link.to_str()?.strip_prefix("socket:[")?.to_owned();
            link.strip_suffix(']').map(str::to_owned)
        })
        .collect();
    let tables = ["tcp", "tcp6", "udp", "udp6"];
    tables.iter().any(|table| {
        let rows = std::fs::read_to_string(format!("/proc/{process}/net/{table}"));
        let rows = rows.unwrap_or_default();
        rows.lines()
            .skip(1)
            .filter_map(|row| row.split_whitespace().nth(9))
            .any(|inode| inodes.iter().any(|own| own == inode))
    })
}

/// Goal: the check for ports finds one; method: open one.
#[cfg(target_os = "linux")]
#[test]
fn an_open_port_is_found() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(has_network(std::process::id()));
    drop(listener);
}

/// Runs one validator until it has acknowledged something and `delay` has passed; kills it.
fn run_and_kill(home: &Path, delay: Duration, acknowledged: &mut Acknowledged) {
    let mut child = spawn(home);
    let output = BufReader::new(child.stdout.take().unwrap());
    let process = child.id();
    let (lines, received) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
    let (started, mut kill_at, mut heard) = (Instant::now(), None, false);
    loop {
        let now = Instant::now();
        if kill_at.is_some_and(|at| now >= at) {
            break;
        }
        assert!(now - started < PATIENCE, "the validator has stalled");
        let wait = kill_at.map_or(Duration::from_millis(50), |at| at - now);
        let Ok(line) = received.recv_timeout(wait) else {
            continue;
        };
        // Half the time the clock starts with the process' first word, else with the first final one.
        let delay_starts = if delay.subsec_millis().is_multiple_of(2) {
            "ready"
        } else {
            "final"
        };
        if line.starts_with(delay_starts) {
            kill_at.get_or_insert(Instant::now() + delay);
        }
        heard |= note(&line, acknowledged);
    }
    #[cfg(target_os = "linux")]
    assert!(
        !heard || !has_network(process),
        "a validator alone must open no port"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    for line in received.try_iter() {
        note(&line, acknowledged);
    }
}

/// Notes an acknowledgement. Two different ones for a nonce would be a fork.
fn note(line: &str, acknowledged: &mut Acknowledged) -> bool {
    let mut words = line.split(' ');
    if words.next() != Some("final") {
        return false;
    }
    let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
    let [nonce, height, index] = numbers[..] else {
        return false; // Cut off by the kill.
    };
    let place = (height, index as u32);
    let before = *acknowledged.entry(nonce).or_insert(place);
    assert_eq!(before, place, "nonce {nonce} was final at two places");
    true
}

/// The proposal of round 0 that a kill has left undecided.
fn left_unfinished(home: &Path) -> Option<(Height, Digest)> {
    let replica = replica(home, &genesis(1, Parameters::default()));
    let snapshot = replica.read().unwrap();
    let kept = snapshot.undecided(snapshot.next_height(), 0).unwrap();
    kept.first().map(|kept| (kept.height, kept.hash))
}

/// Goal: kill -9 at any moment loses nothing that was acknowledged, forks nothing, stalls nothing.
/// Method: kill a submitting validator after 0 to 40 ms, 25 times over on the same data; each one has
/// to go on. Then check the whole replica, and every acknowledgement against it.
#[test]
fn nothing_acknowledged_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut unfinished) = (Acknowledged::new(), BTreeMap::new());
    for kill in 0..KILLS {
        let delay = Duration::from_millis(u64::from(kill * 13 % 41));
        run_and_kill(home.path(), delay, &mut acknowledged);
        unfinished.extend(left_unfinished(home.path()));
    }
    // One more, which has to make something final after the last kill.
    let before = acknowledged.len();
    run_and_kill(home.path(), Duration::from_millis(101), &mut acknowledged);
    assert!(acknowledged.len() > before, "it stalls after a kill");

    assert_clean(home.path());
    let genesis = genesis(1, Parameters::default());
    let chain = genesis.chain_id();
    let replica = replica(home.path(), &genesis);
    let snapshot = replica.read().unwrap();
    for (nonce, place) in &acknowledged {
        let id = anchor(chain, &key(0), *nonce).id();
        let stored = snapshot
            .transaction(&id)
            .unwrap()
            .expect("an acknowledged one is lost");
        assert_eq!((stored.height.0, stored.index), *place);
    }
    // What was proposed before a kill is what was decided after it.
    assert!(!unfinished.is_empty(), "no kill hit a height in the making");
    for (height, hash) in &unfinished {
        let certificate = snapshot.certificate(*height).unwrap().unwrap();
        assert!(certificate.round > 0 || certificate.block == *hash);
    }
    // Nothing was executed twice: the account counts each transaction on the chain once.
    let executed = snapshot.account(&key(0).public()).unwrap().next_nonce.0;
    let counts = snapshot.counts();
    assert_eq!(
        counts.transactions,
        executed + 1,
        "the genesis, and each nonce once"
    );
    let tip = snapshot.tip().unwrap().height();
    for height in (1..=tip.0).map(Height) {
        let certificate = snapshot.certificate(height).unwrap().unwrap();
        certificate.verify(chain, &genesis.validators).unwrap();
    }
    println!(
        "{KILLS} kills, {} in the middle of a height, {} acknowledged, height {tip}",
        unfinished.len(),
        acknowledged.len()
    );
}
