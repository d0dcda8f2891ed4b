//! Measures what one block costs the replica as the chain grows: CPU and wall time of prepare and append,
//! and bytes on disk. Run with `cargo run --release -p ledger-store --example append_cost`.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use ledger_core::certificate::{Certificate, CommitSignature, VoteContent, VoteKind};
use ledger_core::governance::{GovernanceError, Node};
use ledger_core::{
    AnchorBatch, BatchNumber, Digest, Genesis, Nonce, OrganisationId, Payload, SecretKey,
    SignedTransaction, TransactionBody,
};
use ledger_store::Replica;

const BLOCKS: u64 = 20_000;
const STEP: u64 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let key = SecretKey::from_seed(&[1; 32]);
    let genesis = genesis(&key)?;
    let path = folder.path().join("chain.sqlite");
    let replica = Replica::open(&path)?;
    replica.found(&genesis, &key)?;
    println!("blocks  wall_us/block  cpu_us/block  prepare_us  bytes");
    let (mut wall, mut cpu, mut preparing) = (Instant::now(), cpu_micros(), 0);
    for number in 0..BLOCKS {
        let body = TransactionBody {
            chain: genesis.chain_id(),
            nonce: Nonce(number),
            payload: Payload::AnchorBatch(AnchorBatch {
                batch: BatchNumber(number),
                root: Digest::of(&number.to_be_bytes()),
                streams: 6,
                readings: 4096,
            }),
        };
        let transaction = SignedTransaction::sign(&body, &key).verify(body.chain)?;
        let before = Instant::now();
        let block = replica.prepare([transaction], 0, key.public())?.block;
        preparing += before.elapsed().as_micros();
        let certificate = block.certify(certify(&block, &key))?;
        replica.append(&block, &certificate)?;
        if (number + 1) % STEP == 0 {
            let micros = wall.elapsed().as_micros() / u128::from(STEP);
            let used = (cpu_micros() - cpu) / STEP;
            let prepare = preparing / u128::from(STEP);
            println!(
                "{:6}  {micros:13}  {used:12}  {prepare:10}  {}",
                number + 1,
                std::fs::metadata(&path)?.len()
            );
            (wall, cpu, preparing) = (Instant::now(), cpu_micros(), 0);
        }
    }
    let before = Instant::now();
    let report = ledger_store::fsck(&path)?;
    println!(
        "fsck: {} problems in {} ms",
        report.problems.len(),
        before.elapsed().as_millis()
    );
    Ok(())
}

fn genesis(key: &SecretKey) -> Result<Genesis, GovernanceError> {
    let node = Node::with_one_key(key.public(), "one".into());
    Genesis::of_one(
        "one".into(),
        1,
        OrganisationId::default(),
        node,
        Digest::ZERO,
    )
}

fn certify(block: &ledger_store::CheckedBlock, key: &SecretKey) -> Certificate {
    let vote = VoteContent {
        kind: VoteKind::Precommit,
        chain: block.header().chain,
        height: block.header().height,
        round: 0,
        block: Some(block.hash()),
        validator: key.public(),
    };
    Certificate {
        height: block.header().height,
        round: 0,
        block: block.hash(),
        signatures: vec![CommitSignature {
            validator: 0,
            signature: key.sign(&vote.sign_bytes()),
        }],
    }
}

/// User and system time of this process so far, in microseconds (Linux: 100 ticks a second).
fn cpu_micros() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    (ticks(11) + ticks(12)) * 10_000
}
