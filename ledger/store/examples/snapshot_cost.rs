//! Measures what becomes of 1,000,000 transactions: export and import of a snapshot of their state, an
//! archive of them, pruning, and `fsck` of both replicas. All register a device, so that the state has as
//! many entries as the chain has transactions: the worst there is. Another number may be given as argument.
//! Run with `cargo run --release -p ledger-store --example snapshot_cost`. Prints one JSON value.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use ledger_core::certificate::{Certificate, CommitSignature, VoteContent, VoteKind};
use ledger_core::governance::Node;
use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    Digest, Genesis, Nonce, OrganisationId, Payload, SecretKey, SignedTransaction, TransactionBody,
    VerifiedTransaction,
};
use ledger_store::{
    Policy, Replica, SNAPSHOT_MANIFEST_FILE, SnapshotError, SnapshotImport, TRUST_FILE,
};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

const TRANSACTIONS: u64 = 1_000_000;
const PER_BLOCK: u64 = 1_500;

type Done<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Done<()> {
    let count = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => TRANSACTIONS,
    };
    let folder = tempfile::tempdir()?;
    let key = SecretKey::from_seed(&[1; 32]);
    let node = Node::with_one_key(key.public(), "one".into());
    let genesis = Genesis::of_one(
        "one".into(),
        1,
        OrganisationId::default(),
        node,
        Digest::ZERO,
    )?;
    let path = folder.path().join("chain.sqlite");
    let replica = Replica::open(&path)?;
    replica.found(&genesis, &key)?;
    let (building, ()) = timed(|| build(&replica, &genesis, &key, count))?;
    let (archive, snapshot) = (
        folder.path().join("archive"),
        folder.path().join("snapshot"),
    );
    let (archiving, archived) =
        timed(|| Ok(replica.read()?.export_archive(&archive, None, None)?))?;
    let (exporting, manifest) = timed(|| Ok(replica.read()?.export_snapshot(&snapshot)?))?;
    let joined = folder.path().join("joined.sqlite");
    let (importing, ()) = timed(|| Ok(import(&snapshot, &genesis, &joined)?))?;
    let policy = Policy {
        keep_bytes: Some(0),
        keep_blocks: 1,
        ..Policy::default()
    };
    let (pruning, pruned) = timed(|| Ok(replica.prune(&policy, 0)?))?;
    let (checking, problems) = timed(|| Ok(ledger_store::fsck(&joined)?.problems.len()))?;
    let (restoring, restored) = timed(|| Ok(replica.restore_archive(&archive)?))?;
    let bytes = |chunks: &[ledger_store::SnapshotChunk]| -> u64 {
        chunks.iter().map(|chunk| chunk.bytes).sum()
    };
    println!(
        "{{\"transactions\":{count},\"blocks\":{},\"build_seconds\":{building:.1},\
         \"archive_seconds\":{archiving:.2},\"archive_bytes\":{},\
         \"snapshot_export_seconds\":{exporting:.2},\"snapshot_bytes\":{},\
         \"snapshot_import_seconds\":{importing:.2},\"joiner_fsck_seconds\":{checking:.2},\
         \"joiner_problems\":{problems},\"prune_seconds\":{pruning:.2},\"bytes_before\":{},\
         \"bytes_after\":{},\"restore_seconds\":{restoring:.2},\"restored\":{}}}",
        manifest.height,
        archived.files.iter().map(|file| file.bytes).sum::<u64>(),
        bytes(&manifest.headers) + bytes(&manifest.state) + manifest.trust.bytes,
        pruned.bytes_before,
        pruned.bytes_after,
        restored.transactions,
    );
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> Done<T>) -> Done<(f64, T)> {
    let before = Instant::now();
    let value = work()?;
    Ok((before.elapsed().as_secs_f64(), value))
}

fn build(replica: &Replica, genesis: &Genesis, key: &SecretKey, count: u64) -> Done<()> {
    let chain = genesis.chain_id();
    let mut next = 0;
    while next < count {
        let last = count.min(next + PER_BLOCK);
        let signed = (next..last).into_par_iter().map(|number| {
            let device = RegisterDevice {
                handle: Digest::of(&number.to_be_bytes()),
                key: None,
                simulated: true,
            };
            let body = TransactionBody {
                chain,
                nonce: Nonce(number),
                payload: Payload::RegisterDevice(device),
            };
            SignedTransaction::sign(&body, key).verify(chain)
        });
        let transactions: Vec<VerifiedTransaction> = signed.collect::<Result<_, _>>()?;
        let prepared = replica.prepare(&transactions, 0, key.public())?;
        if let Some(refused) = prepared.refused.first() {
            return Err(refused.error.to_string().into());
        }
        let block = prepared.block;
        next += block.ids().len() as u64;
        let certificate = block.certify(certificate(&block, key))?;
        replica.append(&block, &certificate)?;
    }
    Ok(())
}

fn certificate(block: &ledger_store::CheckedBlock, key: &SecretKey) -> Certificate {
    let header = block.header();
    let vote = VoteContent {
        kind: VoteKind::Precommit,
        chain: header.chain,
        height: header.height,
        round: 0,
        block: Some(block.hash()),
        validator: key.public(),
    };
    Certificate {
        height: header.height,
        round: 0,
        block: block.hash(),
        signatures: vec![CommitSignature {
            validator: 0,
            signature: key.sign(&vote.sign_bytes()),
        }],
    }
}

fn import(folder: &Path, genesis: &Genesis, replica: &Path) -> Result<(), SnapshotError> {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap_or_default();
    let half = replica.with_extension("import");
    let (manifest, trust) = (read(SNAPSHOT_MANIFEST_FILE), read(TRUST_FILE));
    let mut import = SnapshotImport::open(&half, genesis, &manifest, &trust)?;
    while let Some(chunk) = import.wanted() {
        let bytes = read(&chunk.name);
        import.offer(&bytes)?;
    }
    import.finish(replica)
}
