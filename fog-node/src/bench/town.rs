//! Validators on this machine, each a whole node in a process of its own, on loopback: what the benches
//! of a consortium measure.
//!
//! This side founds the consortium, starts the processes, gives them orders and reads their reports;
//! the other side is in `member.rs`. Both stamp with the machine's one clock.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use ledger_core::access::POLICY_ENGINE;
use ledger_core::genesis::{Member, Parameters};
use ledger_core::governance::{Organisation, Thresholds};
use ledger_core::{
    Block, ChainId, Digest, Genesis, Height, OrganisationId, SecretKey, Validator, ValidatorSet,
};
use ledger_store::Replica;
use serde::{Deserialize, Serialize};

use super::process;
use crate::clock::now_millis;
use crate::consortium::settings::NetworkSettings;
use crate::keystore::{Keystore, random};
use crate::node::REPLICA_FILE;

/// Longest wait for anything a member should report.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What a member is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Submit an anchor of a sender.
    Submit { sender: u16, nonce: u64 },
    /// Submit what lies signed in a file for each of these senders, at most so many at a time.
    Load { senders: Vec<u16>, window: usize },
    /// Feed a ward's readings from so many devices on, the first taken then, in batches of so many, until so
    /// many were received.
    Feed {
        devices: u64,
        since: i64,
        batch: u64,
        until: u64,
    },
    /// Report [`Report::Figures`].
    Measure,
    /// Stop.
    Stop,
}

/// What a member tells.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// It runs, and receives readings.
    Open,
    /// It runs, and hears enough others to take part.
    Ready,
    /// An anchor was handed over and accepted.
    Submitted { id: Digest, at_nanos: u64 },
    /// A block is on its disk. `ids` is empty for a block of more than 16 transactions.
    Final {
        height: u64,
        at_nanos: u64,
        transactions: u32,
        ids: Vec<Digest>,
    },
    /// So many readings of its ward are durable.
    Fed { readings: u64 },
    /// How it is.
    Figures(Measured),
}

/// What the system, and the replica, say of a member.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) rss_bytes: f64,
    pub(super) peak_rss_bytes: f64,
    pub(super) cpu_seconds: f64,
    pub(super) height: u64,
    pub(super) state_root: Digest,
    pub(super) transactions: u64,
    /// Next nonce of the member itself: its own transactions below are final.
    pub(super) own_nonce: u64,
    /// Next nonce of each sender.
    pub(super) senders: Vec<u64>,
}

/// The key of a sender that is no node of its own; made up, as there is nothing to protect.
pub(super) fn sender_key(sender: u16) -> SecretKey {
    SecretKey::from_seed(&Digest::tagged("fogward/bench-sender/1", &[&sender.to_le_bytes()]).0)
}

/// Nodes of one consortium and their folders.
pub(super) struct Town {
    folder: PathBuf,
    pub(super) chain: ChainId,
    pub(super) genesis: Genesis,
    members: Vec<Option<Running>>,
    reporter: Sender<(usize, Report)>,
    reports: Receiver<(usize, Report)>,
}

struct Running {
    child: Child,
    orders: ChildStdin,
}

impl Town {
    /// Founds a consortium of `nodes` nodes, `validators` of them validators, with `senders` senders.
    pub(super) fn found(
        folder: &Path,
        nodes: u16,
        validators: u16,
        senders: u16,
    ) -> anyhow::Result<Self> {
        let ports = free_ports(nodes)?;
        let mut homes = Vec::new();
        for (number, address) in (0..).zip(ports) {
            let data = data_of(folder, number);
            let keys = Keystore::open(&data)?;
            let settings = NetworkSettings {
                node: Some(name(number)),
                listen: Some(address),
                ..NetworkSettings::default()
            };
            settings.save(&data)?;
            homes.push((keys, address));
        }
        let genesis = genesis(&homes, validators, senders)?;
        let chain = genesis.chain_id();
        let mut first_block: Option<Block> = None;
        for (number, (keys, _)) in (0..).zip(&homes) {
            let replica = Replica::open(data_of(folder, number).join(REPLICA_FILE))?;
            match &first_block {
                Some(block) => {
                    replica.join(&genesis, block)?;
                }
                None => {
                    replica.found(&genesis, &keys.node)?;
                    first_block = replica.read()?.block(Height(0))?;
                }
            }
        }
        let (reporter, reports) = channel();
        Ok(Self {
            folder: folder.to_owned(),
            chain,
            genesis,
            members: homes.iter().map(|_| None).collect(),
            reporter,
            reports,
        })
    }

    /// Starts a node; it reports [`Report::Ready`] later.
    pub(super) fn start(&mut self, number: usize) -> anyhow::Result<()> {
        self.start_with(number, &[])
    }

    /// Starts a node that catches up by blocks alone.
    pub(super) fn start_archive(&mut self, number: usize) -> anyhow::Result<()> {
        self.start_with(number, &["--archive"])
    }

    fn start_with(&mut self, number: usize, more: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(std::env::current_exe().context("where is this program?")?);
        command.args(["bench", "member", "--one-run", "--allow-debug", "--data"]);
        let mut child = command
            .arg(data_of(&self.folder, number))
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take().context("no way to give orders")?;
        let output = child.stdout.take().context("no reports")?;
        let reports = self.reporter.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(report) = serde_json::from_str(&line) else {
                    return;
                };
                if reports.send((number, report)).is_err() {
                    return;
                }
            }
        });
        self.members[number] = Some(Running { child, orders });
        Ok(())
    }

    /// Starts all nodes, and waits until they are ready.
    pub(super) fn start_all(&mut self) -> anyhow::Result<()> {
        for number in 0..self.members.len() {
            self.start(number)?;
        }
        let mut ready = vec![false; self.members.len()];
        self.wait("the nodes to be ready", |number, report| {
            ready[number] |= report == Report::Ready;
            ready.iter().all(|one| *one).then_some(())
        })
    }

    /// Waits until a node that was started is ready.
    pub(super) fn wait_ready(&self, number: usize) -> anyhow::Result<()> {
        self.wait("a node to be ready", |from, report| {
            (from == number && report == Report::Ready).then_some(())
        })
    }

    /// Gives a running node an order.
    pub(super) fn order(&mut self, number: usize, order: &Order) -> anyhow::Result<()> {
        let running = self.members[number].as_mut().context("it does not run")?;
        let mut line = serde_json::to_string(order)?;
        line.push('\n');
        running.orders.write_all(line.as_bytes())?;
        Ok(())
    }

    /// Reads reports until `look` finds what is waited for.
    pub(super) fn wait<T>(
        &self,
        what: &str,
        look: impl FnMut(usize, Report) -> Option<T>,
    ) -> anyhow::Result<T> {
        let found = self.until(Instant::now() + PATIENCE, look)?;
        found.with_context(|| format!("waited in vain for {what}"))
    }

    /// Reads reports until `look` finds what is waited for, or the time has come.
    pub(super) fn until<T>(
        &self,
        end: Instant,
        mut look: impl FnMut(usize, Report) -> Option<T>,
    ) -> anyhow::Result<Option<T>> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.reports.recv_timeout(left) {
                Ok((number, report)) => {
                    if let Some(found) = look(number, report) {
                        return Ok(Some(found));
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => bail!("no node runs"),
            }
        }
    }

    /// Waits until the anchor that was ordered last is on disk at all these nodes. Returns its id, and how
    /// many milliseconds lie between its acceptance and the last of them.
    pub(super) fn until_final(&self, nodes: &BTreeSet<usize>) -> anyhow::Result<(Digest, f64)> {
        let mut submitted = None;
        let mut final_at: BTreeMap<Digest, BTreeMap<usize, u64>> = BTreeMap::new();
        let (id, nanos) = self.wait("an anchor to be final", |number, report| {
            match report {
                Report::Submitted { id, at_nanos } => submitted = Some((id, at_nanos)),
                Report::Final { at_nanos, ids, .. } => {
                    for id in ids {
                        final_at.entry(id).or_default().insert(number, at_nanos);
                    }
                }
                _ => {}
            }
            let (id, since) = submitted.as_ref()?;
            let seen = final_at.get(id)?;
            let times = nodes.iter().map(|node| seen.get(node).copied());
            let last = times.collect::<Option<Vec<_>>>()?.into_iter().max()?;
            Some((*id, last.saturating_sub(*since)))
        })?;
        Ok((id, nanos as f64 / 1e6))
    }

    /// What the system says of a running node, now.
    pub(super) fn measure(&mut self, number: usize) -> anyhow::Result<Measured> {
        self.order(number, &Order::Measure)?;
        self.wait("a node's figures", |from, report| match report {
            Report::Figures(measured) if from == number => Some(measured),
            _ => None,
        })
    }

    /// Most memory the process of a running node ever held, in bytes.
    pub(super) fn peak_rss_bytes(&self, number: usize) -> anyhow::Result<f64> {
        let running = self.members[number].as_ref().context("it does not run")?;
        process::peak_rss_bytes_of(&running.child.id().to_string())
    }

    /// Kills a node, as a power cut does to a process.
    pub(super) fn kill(&mut self, number: usize) -> anyhow::Result<()> {
        let mut running = self.members[number].take().context("it does not run")?;
        running.child.kill()?;
        running.child.wait()?;
        Ok(())
    }

    /// Stops all nodes that run.
    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        for number in 0..self.members.len() {
            if self.members[number].is_some() {
                self.order(number, &Order::Stop)?;
            }
        }
        for (number, member) in self.members.iter_mut().enumerate() {
            let Some(mut running) = member.take() else {
                continue;
            };
            let status = running.child.wait()?;
            if !status.success() {
                bail!("{} ended with {status}", name(number));
            }
        }
        Ok(())
    }

    /// The replica of a node that does not run.
    pub(super) fn replica(&self, number: usize) -> anyhow::Result<Replica> {
        Ok(Replica::open(
            data_of(&self.folder, number).join(REPLICA_FILE),
        )?)
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// A node's data folder.
    pub(super) fn data(&self, number: usize) -> PathBuf {
        data_of(&self.folder, number)
    }
}

/// Whatever ends a bench early ends its nodes.
impl Drop for Town {
    fn drop(&mut self) {
        for mut running in self.members.iter_mut().filter_map(Option::take) {
            // It may have ended by itself.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

fn genesis(
    homes: &[(Keystore, SocketAddr)],
    validators: u16,
    senders: u16,
) -> anyhow::Result<Genesis> {
    let id = |number: usize| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(number as u64).to_le_bytes());
        OrganisationId(id)
    };
    let (mut organisations, mut members, mut seats) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (keys, address)) in homes.iter().enumerate() {
        let admins = vec![keys.admin.public()];
        organisations.push(Organisation::new(id(number), name(number), admins));
        let mut member = Member::with_one_key(keys.node.public(), name(number), id(number));
        member.vote_key = keys.validator.public();
        member.address = address.to_string();
        members.push(member);
        if number < usize::from(validators) {
            seats.push(Validator {
                key: keys.validator.public(),
                power: 1,
                name: name(number),
            });
        }
    }
    members.extend((0..senders).map(|sender| {
        let owner = id(usize::from(sender) % homes.len());
        Member::with_one_key(
            sender_key(sender).public(),
            format!("sender {sender}"),
            owner,
        )
    }));
    let genesis = Genesis {
        name: "A consortium to be measured".into(),
        time_millis: now_millis().unsigned_abs(),
        validators: ValidatorSet::new(seats)?,
        organisations,
        members,
        thresholds: Thresholds::default(),
        parameters: Parameters::default(),
        nonce: Digest(random()?),
        policy_engine: POLICY_ENGINE.into(),
    };
    genesis.check()?;
    Ok(genesis)
}

/// What a node is called.
pub(super) fn name(number: usize) -> String {
    format!("node {number}")
}

fn data_of(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("node-{number}"))
}

/// Addresses nobody listens at, nor at the door one above.
fn free_ports(count: u16) -> anyhow::Result<Vec<SocketAddr>> {
    let mut held = Vec::new();
    while held.len() < usize::from(count) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let Some(above) = address.port().checked_add(1) else {
            continue;
        };
        // Held together, so that all differ.
        if let Ok(door) = TcpListener::bind((Ipv4Addr::LOCALHOST, above)) {
            held.push((address, listener, door));
        }
    }
    Ok(held.into_iter().map(|(address, ..)| address).collect())
}
