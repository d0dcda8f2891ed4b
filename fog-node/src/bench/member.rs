//! A node of a bench's consortium: the whole node, without devices and without a screen, that does what
//! it is ordered on its standard input and reports each final block on its standard output.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use ledger_consortium::{FinalizedBlock, Submission, SubmitError};
use ledger_core::{Nonce, SignedTransaction};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::broadcast::error::RecvError;

use super::cut_off::feed;
use super::load;
use super::process;
use super::town::{Measured, Order, Report, sender_key};
use crate::host::Host;
use crate::node::{Node, NodeConfig};

/// Transactions handed over together.
const TOGETHER: usize = 64;
/// Most ids in a report.
const MAX_IDS: usize = 16;
/// Wait before what was refused for want of room is handed over again.
const ROOM_WAIT: Duration = Duration::from_millis(20);

/// How often it is looked whether a node runs, and takes part.
const LOOK: Duration = Duration::from_millis(10);

/// Runs the node of a folder until it is told to stop; an `archive` catches up by blocks alone.
pub(super) async fn run(data_dir: &Path, archive: bool) -> anyhow::Result<()> {
    let mut config = NodeConfig::new(data_dir);
    if archive {
        config.snapshot_behind = None;
    }
    let host = Arc::new(Host::default());
    host.start(config).await?;
    report(&Report::Open)?;
    let reporting = tokio::spawn(report_blocks(Arc::clone(&host)));
    let watching = tokio::spawn(report_ready(Arc::clone(&host)));
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = orders.next_line().await? {
        let node = running(&host).await;
        match serde_json::from_str(&line).context("no order")? {
            Order::Submit { sender, nonce } => submit(&node, sender, nonce).await?,
            Order::Load { senders, window } => {
                for sender in senders {
                    let file = load::file(data_dir, sender);
                    let node = Arc::clone(&node);
                    tokio::spawn(async move {
                        if let Err(error) = load(&node, &file, window).await {
                            tracing::error!(%error, "the load has ended early");
                        }
                    });
                }
            }
            Order::Feed {
                devices,
                since,
                batch,
                until,
            } => {
                let node = Arc::clone(&node);
                tokio::spawn(async move {
                    if let Err(error) = feed(&node, (devices, since), batch, until).await {
                        tracing::error!(%error, "the ward has ended early");
                    }
                });
            }
            Order::Measure => report(&Report::Figures(measured(&node)?))?,
            Order::Stop => break,
        }
    }
    watching.abort();
    host.stop().await;
    reporting.abort();
    Ok(())
}

/// The node, between two lives the next.
async fn running(host: &Host) -> Arc<Node> {
    loop {
        if let Some(node) = host.node() {
            return node;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// One line of one report.
pub(super) fn report(report: &Report) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(report)?;
    line.push('\n');
    std::io::stdout().lock().write_all(line.as_bytes())?;
    Ok(())
}

fn now_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0))
}

async fn report_ready(host: Arc<Host>) -> anyhow::Result<()> {
    let is_ready = |node: Arc<Node>| node.consortium.status().quorum.is_reached();
    while !host.node().is_some_and(is_ready) {
        tokio::time::sleep(LOOK).await;
    }
    report(&Report::Ready)
}

/// Reports the blocks of one life after another. Those that a catching up node is too busy for are in
/// its figures.
async fn report_blocks(host: Arc<Host>) -> anyhow::Result<()> {
    loop {
        let mut blocks = running(&host).await.consortium.subscribe();
        loop {
            match blocks.recv().await {
                Ok(block) => report(&told(&block))?,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn told(block: &FinalizedBlock) -> Report {
    let transactions = &block.transactions;
    Report::Final {
        height: block.header.height.0,
        at_nanos: now_nanos(),
        transactions: block.header.tx_count,
        ids: if transactions.len() <= MAX_IDS {
            transactions.clone()
        } else {
            Vec::new()
        },
    }
}

async fn submit(node: &Node, sender: u16, nonce: u64) -> anyhow::Result<()> {
    let transaction = load::anchor(node.chain, nonce, &sender_key(sender))?;
    let at_nanos = now_nanos();
    let submission = node.consortium.submit(transaction).await?;
    report(&Report::Submitted {
        id: submission.id(),
        at_nanos,
    })
}

/// Submits what lies in a file, in order, with at most `window` transactions on their way.
async fn load(node: &Node, file: &Path, window: usize) -> anyhow::Result<()> {
    let mut signed = load::read(file)?;
    let mut waiting: VecDeque<Submission> = VecDeque::new();
    let mut left: VecDeque<SignedTransaction> = VecDeque::new();
    loop {
        while waiting.len() + TOGETHER > window {
            let Some(first) = waiting.pop_front() else {
                break;
            };
            first.await?;
        }
        while left.len() < TOGETHER {
            let Some(transaction) = signed.next().transpose()? else {
                break;
            };
            left.push_back(transaction);
        }
        if left.is_empty() {
            break;
        }
        let outcomes = node
            .consortium
            .submit_all(left.iter().cloned().collect())
            .await;
        for outcome in outcomes {
            match outcome {
                Ok(submission) => {
                    waiting.push_back(submission);
                    left.pop_front();
                }
                // What follows is refused too, and comes again with it.
                Err(SubmitError::Full | SubmitError::SenderLimit) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if !left.is_empty() {
            tokio::time::sleep(ROOM_WAIT).await;
        }
    }
    for submission in waiting {
        submission.await?;
    }
    Ok(())
}

fn measured(node: &Node) -> anyhow::Result<Measured> {
    let snapshot = node.replica.read()?;
    let tip = snapshot.tip().context("a chain has a block")?;
    let (height, state_root) = (tip.height().0, tip.header.state_root);
    let transactions = snapshot.counts().transactions;
    let mut senders = Vec::new();
    for sender in 0.. {
        let key = sender_key(sender).public();
        if !ledger_core::state::may_send(&snapshot, &key)? {
            break;
        }
        let Nonce(next) = snapshot.account(&key)?.next_nonce;
        senders.push(next);
    }
    Ok(Measured {
        rss_bytes: process::rss_bytes()?,
        peak_rss_bytes: process::peak_rss_bytes()?,
        cpu_seconds: process::cpu_seconds()?,
        height,
        state_root,
        transactions,
        own_nonce: snapshot.account(&node.node_key)?.next_nonce.0,
        senders,
    })
}
