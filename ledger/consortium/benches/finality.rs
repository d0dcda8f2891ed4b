//! How long a consortium of one takes from submission to disk, what it costs, and what it costs idle.
//!
//! `cargo bench -p ledger-consortium` prints one line per figure. Method: real engine, real replica in
//! a temporary folder, anchor transactions of one member. CPU and memory are those of the process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger_consortium::{Consortium, ConsortiumConfig};
use ledger_core::governance::Node;
use ledger_core::{
    AnchorBatch, BatchNumber, ChainId, Digest, Genesis, Nonce, OrganisationId, Payload, SecretKey,
    SignedTransaction, TransactionBody,
};
use ledger_store::Replica;

const WARM_UP: u64 = 50;
const SEQUENTIAL: u64 = 1000;
const RATE_PER_SECOND: u64 = 50;
const RATE_SECONDS: u64 = 10;
const BURST: u64 = 4000;
const IDLE: Duration = Duration::from_secs(20);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
}

async fn run() {
    let home = tempfile::tempdir().unwrap();
    report("fsync_micros_median", fsync_micros(home.path()));
    let key = SecretKey::from_seed(&[1; 32]);
    let genesis = genesis(&key);
    let replica = Replica::open(home.path().join("ledger.db")).unwrap();
    replica.found(&genesis, &key).unwrap();
    let consortium = Consortium::start(ConsortiumConfig {
        home: home.path().join("consensus"),
        replica: Arc::new(replica),
        validator_key: key.clone(),
        listen: None,
        peers: Vec::new(),
    });
    let mut client = Client {
        consortium: consortium.await.unwrap(),
        chain: genesis.chain_id(),
        key,
        nonce: 0,
    };
    idle("idle_before").await;
    client.sequential(WARM_UP).await;
    client.one_by_one().await;
    client.steady().await;
    client.burst().await;
    idle("idle_after").await;
    client.consortium.shutdown().await;
}

struct Client {
    consortium: Consortium,
    chain: ChainId,
    key: SecretKey,
    nonce: u64,
}

impl Client {
    fn next(&mut self) -> SignedTransaction {
        let body = TransactionBody {
            chain: self.chain,
            nonce: Nonce(self.nonce),
            payload: Payload::AnchorBatch(AnchorBatch {
                batch: BatchNumber(self.nonce),
                root: Digest::of(&self.nonce.to_be_bytes()),
                streams: 100,
                readings: 4096,
            }),
        };
        self.nonce += 1;
        SignedTransaction::sign(&body, &self.key)
    }

    async fn sequential(&mut self, count: u64) -> Vec<u64> {
        let mut micros = Vec::new();
        for _ in 0..count {
            let transaction = self.next();
            let started = Instant::now();
            let submission = self.consortium.submit(transaction).await.unwrap();
            submission.await.unwrap();
            micros.push(started.elapsed().as_micros() as u64);
        }
        micros
    }

    /// One client, one transaction at a time.
    async fn one_by_one(&mut self) {
        let (started, cpu) = (Instant::now(), cpu_micros());
        let micros = self.sequential(SEQUENTIAL).await;
        let seconds = started.elapsed().as_secs_f64();
        report("one_client_p50_ms", quantile(&micros, 0.50));
        report("one_client_p99_ms", quantile(&micros, 0.99));
        report("one_client_max_ms", quantile(&micros, 1.0));
        report("one_client_tx_per_second", SEQUENTIAL as f64 / seconds);
        let spent = (cpu_micros() - cpu) as f64 / 1000.0;
        report("one_client_cpu_ms_per_block", spent / SEQUENTIAL as f64);
    }

    /// A steady stream, as ingest sends it.
    async fn steady(&mut self) {
        let (cpu, height) = (cpu_micros(), self.consortium.status().height.0);
        let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / RATE_PER_SECOND));
        let mut waiting = Vec::new();
        for _ in 0..RATE_PER_SECOND * RATE_SECONDS {
            tick.tick().await;
            let transaction = self.next();
            waiting.push(self.consortium.submit(transaction).await.unwrap());
        }
        let mut micros = Vec::new();
        for submission in waiting {
            micros.push(submission.await.unwrap().elapsed_micros);
        }
        let cpu = (cpu_micros() - cpu) as f64 / (RATE_SECONDS as f64 * 10_000.0);
        report("steady_50_per_second_p50_ms", quantile(&micros, 0.50));
        report("steady_50_per_second_p99_ms", quantile(&micros, 0.99));
        report("steady_50_per_second_cpu_percent", cpu);
        let blocks = self.consortium.status().height.0 - height;
        report("steady_50_per_second_blocks", blocks as f64);
    }

    /// As much as the mempool takes, at once.
    async fn burst(&mut self) {
        let transactions: Vec<_> = (0..BURST).map(|_| self.next()).collect();
        let (started, height) = (Instant::now(), self.consortium.status().height.0);
        let mut waiting = Vec::new();
        for transaction in transactions {
            waiting.push(self.consortium.submit(transaction).await.unwrap());
        }
        for submission in waiting {
            submission.await.unwrap();
        }
        report(
            "burst_tx_per_second",
            BURST as f64 / started.elapsed().as_secs_f64(),
        );
        let blocks = self.consortium.status().height.0 - height;
        report("burst_tx_per_block", BURST as f64 / blocks as f64);
    }
}

async fn idle(name: &str) {
    let cpu = cpu_micros();
    tokio::time::sleep(IDLE).await;
    let percent = (cpu_micros() - cpu) as f64 / IDLE.as_micros() as f64 * 100.0;
    report(&format!("{name}_cpu_percent"), percent);
    report(&format!("{name}_rss_mb"), rss_mb());
}

fn genesis(key: &SecretKey) -> Genesis {
    let node = Node::with_one_key(key.public(), "bench".into());
    Genesis::of_one(
        "bench".into(),
        0,
        OrganisationId::default(),
        node,
        Digest::ZERO,
    )
    .unwrap()
}

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn report(name: &str, value: f64) {
    println!("{name} {value:.3}");
}

/// In milliseconds.
fn quantile(micros: &[u64], quantile: f64) -> f64 {
    let mut sorted = micros.to_vec();
    sorted.sort_unstable();
    let place = (quantile * (sorted.len() - 1) as f64).round() as usize;
    sorted[place] as f64 / 1000.0
}

/// What this disk takes to make a small write durable.
fn fsync_micros(folder: &Path) -> f64 {
    use std::io::Write as _;
    let mut file = std::fs::File::create(folder.join("fsync")).unwrap();
    let mut micros = Vec::new();
    for _ in 0..200 {
        file.write_all(&[0; 512]).unwrap();
        let started = Instant::now();
        file.sync_all().unwrap();
        micros.push(started.elapsed().as_micros() as u64);
    }
    quantile(&micros, 0.5) * 1000.0
}

/// CPU time of this process so far, in steps of 10 ms, from Linux' `/proc`; 0 elsewhere.
fn cpu_micros() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // utime and stime are the 12th and 13th field after the name, in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum::<u64>()
        * 10_000
}

/// Memory of this process, from Linux' `/proc`; 0 elsewhere.
fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
