//! `kill -9` in the middle of appending.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use ledger_store::Replica;

use crate::support::{Chain, assert_clean};

const CHILD: &str = "FOGWARD_STORE_CRASH_TEST";
const KILLS: u64 = 15;

/// Goal: a killed node has every block it acknowledged, whole, and nothing half. Method: this test starts
/// itself as a child that appends and reports each height, kills it at a moment that differs each time,
/// reopens the file, checks it, and goes on with it.
#[test]
fn killed_appends_leave_a_whole_chain() {
    if let Some(path) = std::env::var_os(CHILD) {
        return append_for_ever(path.as_ref());
    }
    let chain = Chain::new(1);
    let mut heights = Vec::new();
    for kill in 0..KILLS {
        let acknowledged = run_and_kill(&chain, Duration::from_millis(60 + kill * 23 % 190));
        let report = assert_clean(&chain.path());
        drop(Replica::open(chain.path()).expect("reopen"));
        let height = report.height.expect("a height");
        assert!(
            height >= acknowledged,
            "{acknowledged} was acknowledged, {height} is there"
        );
        assert!(
            height <= acknowledged + 1,
            "{height} is there, {acknowledged} was acknowledged"
        );
        heights.push(height);
    }
    assert!(
        heights.last() > heights.first(),
        "the children appended nothing: {heights:?}"
    );
}

fn run_and_kill(chain: &Chain, after: Duration) -> u64 {
    let before = chain.tip().height().0;
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "crash::killed_appends_leave_a_whole_chain",
            "--exact",
            "--nocapture",
        ])
        .env(CHILD, chain.beside(""))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child");
    let mut lines = BufReader::new(child.stderr.take().expect("its stderr")).lines();
    let first = lines.next().expect("a first height").expect("text");
    std::thread::sleep(after);
    child.kill().expect("kill");
    child.wait().expect("wait");
    let last = lines
        .map_while(Result::ok)
        .filter_map(|line| line.parse().ok())
        .last();
    last.or(first.parse().ok()).unwrap_or(before)
}

fn append_for_ever(folder: &std::path::Path) {
    let chain = Chain::reopen(folder);
    let mut out = std::io::stderr();
    loop {
        let tip = chain.append(&[chain.anchor(1)]);
        if writeln!(out, "{}", tip.height()).is_err() {
            return;
        }
    }
}
