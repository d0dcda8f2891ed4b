//! Goal: each way a log can come back from a crash is mended, and no vote is forgotten that others may
//! know. Method: logs written with the engine's own writer, then damaged.

use std::io::Write as _;
use std::path::Path;

use arc_malachitebft_app_channel::app::consensus::Input;
use arc_malachitebft_app_channel::app::engine::wal::encode_entry;
use arc_malachitebft_app_channel::app::types::core::{
    Context as _, NilOrVal, Round, SignedMessage, Timeout,
};
use arc_malachitebft_app_channel::app::wal::Log;
use ledger_core::{Height, PublicKey, Signature};

use super::mend;
use crate::adapter::{Address, BlockHeight, Chain, PostcardCodec};
use crate::error::StartError;

fn vote(height: u64) -> Vec<u8> {
    let voter = Address(PublicKey([7; 32]));
    let height = BlockHeight(Height(height));
    let vote = Chain.new_precommit(height, Round::ZERO, NilOrVal::Nil, voter);
    entry(Input::Vote(SignedMessage::new(vote, Signature([1; 64]))))
}

fn entry(input: Input<Chain>) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_entry(input, &PostcardCodec, &mut bytes).unwrap();
    bytes
}

fn write(path: &Path, height: u64, entries: &[Vec<u8>]) {
    let mut log = Log::open(path).unwrap();
    log.reset(height).unwrap();
    for entry in entries {
        log.append(entry).unwrap();
    }
    log.flush().unwrap();
}

/// Entries left after mending, or `None` if the validator must not start.
fn mended(alone: bool, height: u64, entries: &[Vec<u8>]) -> Option<usize> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    write(&path, height, entries);
    match mend(&path, alone) {
        Ok(()) => Some(Log::open(&path).unwrap().len()),
        Err(StartError::Log(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn entries() {
    let timeout = entry(Input::TimeoutElapsed(Timeout::propose(Round::ZERO)));
    let (empty, garbage) = (Vec::new(), vec![0xff; 9]);
    let check = |what, height, entries: &[Vec<u8>], alone, of_several| {
        assert_eq!(mended(true, height, entries), alone, "{what}, alone");
        assert_eq!(
            mended(false, height, entries),
            of_several,
            "{what}, of several"
        );
    };
    check(
        "whole",
        5,
        &[vote(5), timeout.clone(), vote(5)],
        Some(3),
        Some(3),
    );
    check("no entries", 5, &[], Some(0), Some(0));
    check(
        "zeros",
        5,
        &[vote(5), empty.clone(), empty],
        Some(1),
        Some(1),
    );
    check(
        "of the height before",
        6,
        &[vote(5), timeout],
        Some(0),
        Some(0),
    );
    check(
        "garbage at the end",
        5,
        &[vote(5), garbage.clone()],
        Some(1),
        None,
    );
    check(
        "garbage before a vote",
        5,
        &[garbage, vote(5)],
        Some(0),
        None,
    );
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    mend(&path, false).unwrap();
    assert!(!path.exists(), "no log is a good log");

    std::fs::write(&path, [0; 11]).unwrap();
    mend(&path, false).unwrap();
    assert!(
        !path.exists(),
        "cut within its header, it never held anything"
    );

    std::fs::write(&path, [0xff; 64]).unwrap();
    assert!(
        mend(&path, false).is_err(),
        "no log at all, and others may know what it was"
    );
    mend(&path, true).unwrap();
    assert!(!path.exists());

    // A changed byte within a synced entry.
    write(&path, 5, &[vote(5), vote(5)]);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(mend(&path, false), Err(StartError::Log(_))));
    mend(&path, true).unwrap();
    assert_eq!(Log::open(&path).unwrap().len(), 1);

    // A tail of zeros, as some file systems leave it.
    write(&path, 5, &[vote(5)]);
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    file.write_all(&[0; 100]).unwrap();
    mend(&path, false).unwrap();
    assert_eq!(Log::open(&path).unwrap().len(), 1);
}
