//! Bench `finality`: one client submits anchors one after another to a consortium of one, each once the
//! one before is final and on disk.

use std::path::Path;
use std::time::Instant;

use ledger_consortium::{Consortium, ConsortiumConfig};
use ledger_core::{
    AnchorBatch, BatchNumber, ChainId, Digest, Nonce, Payload, SecretKey, SignedTransaction,
    TransactionBody,
};

use super::percentile;
use crate::consortium::settings::NetworkSettings;
use crate::keystore::{Keystore, random};
use crate::node::open_replica;

/// Transactions before the clock starts.
const WARM_UP: u64 = 20;
/// Transactions that are measured.
const TRANSACTIONS: u64 = 600;

pub(super) async fn measure(data_dir: &Path) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let keys = Keystore::open(data_dir)?;
    let (replica, genesis) = open_replica(data_dir, &keys, "bench", &NetworkSettings::default())?;
    let chain = genesis.chain_id();
    let first = replica.read()?.account(&keys.node.public())?.next_nonce.0;
    let consortium = Consortium::start(ConsortiumConfig {
        home: data_dir.join("consensus"),
        replica,
        validator_key: keys.validator,
        listen: None,
        peers: Vec::new(),
    })
    .await?;
    let mut millis = Vec::new();
    let mut since = Instant::now();
    for number in 0..WARM_UP + TRANSACTIONS {
        if number == WARM_UP {
            since = Instant::now();
        }
        let transaction = anchor(chain, first + number, number, &keys.node)?;
        let submitted = Instant::now();
        consortium.submit(transaction).await?.await?;
        if number >= WARM_UP {
            millis.push(submitted.elapsed().as_secs_f64() * 1e3);
        }
    }
    let seconds = since.elapsed().as_secs_f64();
    consortium.shutdown().await;
    Ok(vec![
        ("p50_ms", percentile(millis.clone(), 50)),
        ("p99_ms", percentile(millis, 99)),
        ("tx_per_second_one_client", TRANSACTIONS as f64 / seconds),
    ])
}

/// An anchor as a node makes it; nobody can tell what its root stands for, so here it is random.
fn anchor(
    chain: ChainId,
    nonce: u64,
    batch: u64,
    key: &SecretKey,
) -> anyhow::Result<SignedTransaction> {
    let body = TransactionBody {
        chain,
        nonce: Nonce(nonce),
        payload: Payload::AnchorBatch(AnchorBatch {
            batch: BatchNumber(batch),
            root: Digest(random()?),
            streams: 64,
            readings: 4096,
        }),
    };
    Ok(SignedTransaction::sign(&body, key))
}
