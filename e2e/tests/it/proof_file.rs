//! What a stranger finds in a saved proof: valid as it is, invalid with any byte changed.

use anyhow::{Result, ensure};
use e2e::cli;
use ledger_core::{Genesis, Proof};
use serde_json::Value;
use std::path::Path;

/// How many changed files go through the command line; every byte goes through the library.
const SAMPLES: usize = 12;

/// Checks the proof of `reading` with `fogward verify`, then every file that differs in one byte.
pub fn check(file: &Path, genesis: &Path, reading: &str, spo2: f64) -> Result<()> {
    let answer = cli::fogward_json([
        "verify".as_ref(),
        file.as_os_str(),
        "--genesis".as_ref(),
        genesis.as_os_str(),
        "--json".as_ref(),
    ])?;
    ensure!(answer["valid"] == Value::Bool(true), "{answer}");
    ensure!(answer["reading"]["id"] == reading, "{answer}");
    let value = &answer["reading"]["value"];
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    ensure!(number == Some(spo2), "{answer}");

    let bytes = std::fs::read(file)?;
    let trusted = Genesis::from_file(&std::fs::read(genesis)?)?;
    for place in 0..bytes.len() {
        let changed = with_changed_byte(&bytes, place);
        let valid = Proof::from_file(&changed).is_ok_and(|proof| proof.verify(&trusted).valid);
        ensure!(!valid, "byte {place} of {} does not matter", bytes.len());
    }
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("changed");
    for sample in 0..SAMPLES {
        let place = sample * (bytes.len() - 1) / (SAMPLES - 1);
        std::fs::write(&copy, with_changed_byte(&bytes, place))?;
        let output = cli::fogward([
            "verify".as_ref(),
            copy.as_os_str(),
            "--genesis".as_ref(),
            genesis.as_os_str(),
        ])?;
        ensure!(
            output.status.code() == Some(1),
            "byte {place} changed, and verify ended with {}",
            output.status
        );
    }
    Ok(())
}

fn with_changed_byte(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[place] ^= 1 << (place % 8);
    changed
}
