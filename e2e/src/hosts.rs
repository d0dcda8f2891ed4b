//! Hosts on this machine: network namespaces with a line each to a router in the middle, and lines that
//! are slow, lossy, narrow, or cut.
//!
//! ```text
//!  host 1            the test's own namespace, the router               host 2
//!  10.77.1.2 ─veth─ 10.77.1.1 ─▶ tun `slow`: every packet waits ─▶ nft: lost, cut ─▶ tc tbf ─veth─ 10.77.2.2
//! ```
//!
//! The kernel needs no `netem`: packets wait in this process, nftables throws dice, `tbf` narrows. All
//! of it is real: TCP below the nodes sees the delays, losses and silences of a poor line.
//!
//! The test runs itself again in a user and network namespace of its own ([`alone`]), so nobody has to be
//! root, nothing of the machine's own network is touched, and all is gone with the last process. Where the
//! machine does not allow that, the test fails and says what to allow.

use crate::process::Program;
use crate::town::Place;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tun::Tun;

/// Set in the test that runs in its own namespace.
const INSIDE: &str = "FOGWARD_TEST_OWN_NETWORK";
/// Packets under way at most; what comes then is lost, as at any router.
const UNDER_WAY: usize = 4096;
/// Longest packet.
const MTU: usize = 1500;
/// Table of the routes by which packets from the hosts reach the slow line.
const SLOW_TABLE: &str = "100";

/// Runs the test of this name again, alone in a network. Returns whether this is that run.
pub fn alone(test: &str) -> Result<bool> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(true);
    }
    for (tool, package) in [
        ("ip", "iproute2"),
        ("tc", "iproute2"),
        ("nft", "nftables"),
        ("unshare", "util-linux"),
        ("nsenter", "util-linux"),
    ] {
        let found = Command::new(tool).arg("-V").output().is_ok();
        ensure!(found, "`{tool}` is missing; install the package {package}");
    }
    ensure!(
        Path::new("/dev/net/tun").exists(),
        "/dev/net/tun is missing; load the kernel's module `tun`"
    );
    let own = ["--user", "--map-root-user", "--net", "--"];
    let tried = Command::new("unshare").args(own).arg("true").output()?;
    ensure!(
        tried.status.success(),
        "this machine lets nobody make a network namespace ({}); allow it with `sysctl \
         kernel.unprivileged_userns_clone=1`, on Ubuntu `sysctl \
         kernel.apparmor_restrict_unprivileged_userns=0`, in a container with `--privileged`",
        String::from_utf8_lossy(&tried.stderr).trim()
    );
    let status = Command::new("unshare")
        .args(own)
        .arg(std::env::current_exe()?)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .status()?;
    ensure!(status.success(), "{test} failed in its own network");
    Ok(false)
}

/// Hosts and the router between them.
#[derive(Debug)]
pub struct Hosts {
    hosts: Vec<Host>,
    delay_millis: Arc<AtomicU64>,
}

/// A host: a process that does nothing but keep its network.
#[derive(Debug)]
struct Host {
    number: u8,
    network: PathBuf,
    _keeper: Program,
}

impl Hosts {
    /// Makes `count` hosts with good lines. Packets are carried by a task of the runtime.
    pub fn make(count: u8) -> Result<Self> {
        run("ip link set lo up")?;
        fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
        let delay_millis = Arc::new(AtomicU64::new(0));
        let tun = Tun::builder().name("slow").up().build()?;
        let tun = Arc::new(tun.into_iter().next().context("no slow line")?);
        run(&format!("ip route add default dev slow table {SLOW_TABLE}"))?;
        carry(tun, Arc::clone(&delay_millis));
        let hosts = (1..=count).map(Host::make).collect::<Result<_>>()?;
        Ok(Self {
            hosts,
            delay_millis,
        })
    }

    /// Places for nodes, one on each host.
    pub fn places(&self, folder: &Path) -> Vec<Place> {
        let place = |host: &Host| {
            let name = format!("node-{}", host.number);
            Place {
                data: folder.join(&name),
                listen: format!("10.77.{}.2:7401", host.number),
                network: Some(host.network.clone()),
                name,
            }
        };
        self.hosts.iter().map(place).collect()
    }

    /// How long every packet takes from host to host.
    pub fn delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.delay_millis.store(millis, Ordering::Relaxed);
    }

    /// Loses so many of hundred packets, and all between the first `side` hosts and the others, if there
    /// are any. Replaces what was set before.
    pub fn lose(&self, percent: u8, side: usize) -> Result<()> {
        let mut rules = String::from("flush ruleset\n");
        rules += "table inet lines {\n chain pass {\n  type filter hook forward priority 0\n";
        if percent > 0 {
            rules += &format!("  iifname slow numgen random mod 100 < {percent} counter drop\n");
        }
        let (here, there) = self.hosts.split_at(side);
        for (here, there) in here
            .iter()
            .flat_map(|one| there.iter().map(move |other| (one, other)))
        {
            for (from, to) in [(here.number, there.number), (there.number, here.number)] {
                rules += &format!("  ip saddr 10.77.{from}.2 ip daddr 10.77.{to}.2 drop\n");
            }
        }
        rules += " }\n}\n";
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("rules");
        fs::write(&file, rules)?;
        run(&format!("nft -f {}", file.display())).map(drop)
    }

    /// How many packets the dice have taken since they were set.
    pub fn lost(&self) -> Result<u64> {
        let rules = run("nft list ruleset")?;
        let count = rules.split_once("counter packets ").map(|(_, rest)| rest);
        let count = count.and_then(|rest| rest.split(' ').next()?.parse().ok());
        count.context("nothing is lost by chance")
    }

    /// How often a line had to make packets wait since it was narrowed.
    pub fn held_up(&self) -> Result<u64> {
        let lines = run("tc -s qdisc show")?;
        let counts = lines.split("overlimits ").skip(1);
        let counts = counts.filter_map(|rest| rest.split(' ').next()?.parse::<u64>().ok());
        Ok(counts.sum())
    }

    /// Lets every line carry so many kilobits a second towards its host, or as many as it can.
    pub fn narrow(&self, kilobits: Option<u32>) -> Result<()> {
        for host in &self.hosts {
            let line = format!("to-{}", host.number);
            match kilobits {
                Some(rate) => run(&format!(
                    "tc qdisc add dev {line} root tbf rate {rate}kbit burst 4kb latency 200ms"
                ))?,
                None => run(&format!("tc qdisc del dev {line} root"))?,
            };
        }
        Ok(())
    }
}

impl Host {
    fn make(number: u8) -> Result<Self> {
        let mut keeper = Command::new("unshare");
        keeper.args(["--net", "--", "sh", "-c", "echo there; exec sleep 3600"]);
        let (keeper, _) = Program::start_and_read(&mut keeper, Duration::from_secs(10))?;
        let id = keeper.id();
        let network = PathBuf::from(format!("/proc/{id}/ns/net"));
        let (line, router) = (format!("to-{number}"), format!("10.77.{number}.1"));
        run(&format!(
            "ip link add {line} type veth peer name wire netns {id}"
        ))?;
        run(&format!("ip address add {router}/24 dev {line}"))?;
        run(&format!("ip link set {line} up"))?;
        run(&format!("ip rule add dev {line} lookup {SLOW_TABLE}"))?;
        for inside in [
            "ip link set lo up",
            &format!("ip address add 10.77.{number}.2/24 dev wire"),
            "ip link set wire up",
            &format!("ip route add default via {router}"),
        ] {
            run(&format!("nsenter --net={} {inside}", network.display()))?;
        }
        Ok(Self {
            number,
            network,
            _keeper: keeper,
        })
    }
}

/// Lets every packet wait its time between being read from the line and being put back.
fn carry(tun: Arc<Tun>, delay_millis: Arc<AtomicU64>) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let reads = Arc::clone(&tun);
    tokio::spawn(async move {
        let mut buffer = [0; MTU];
        while let Ok(length) = reads.recv(&mut buffer).await {
            let delay = Duration::from_millis(delay_millis.load(Ordering::Relaxed));
            let packet = buffer[..length].to_vec();
            // A full line loses what comes.
            let _ = sender.try_send((Instant::now() + delay, packet));
        }
    });
    tokio::spawn(async move {
        while let Some((due, packet)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            // What the kernel does not take is lost.
            let _ = tun.send(&packet).await;
        }
    });
}

fn run(line: &str) -> Result<String> {
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap_or_default())
        .args(words)
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!(
            "`{line}`: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
