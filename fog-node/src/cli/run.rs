//! `fogward run`: the node without a screen.
//!
//! Order of a start: listen, then open the node, then print the address, so that who reads the line can
//! ask at once. Upon SIGTERM or Ctrl-C: answer what is on its way, flush, stop; upon a second one, give
//! up waiting. Whatever way it ends, what was acknowledged is durable.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::IsTerminal as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use device_drivers::Profile;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tracing_subscriber::EnvFilter;

use super::Outcome;
use super::output::print_json;
use crate::http::tls::identity::Identity;
use crate::http::{Access, Token, host_router, serve, tls};
use crate::ingest::BatchPolicy;
use crate::keystore::create_private_dir;
use crate::people::sessions::SessionRules;
use crate::{Announce, Host, NodeConfig, SNAPSHOT_BEHIND, SerialDevice};

/// `fogward run`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "When ready, prints one JSON line: {\"api\":\"http://127.0.0.1:PORT/?token=…\",\
                        \"chain_id\":\"…\",\"node_id\":\"…\"}. The address shows the console in a browser \
                        and is what --api of the other commands takes. It stays valid over restarts on \
                        the same port; the token is in DIR/api.token."
)]
pub(super) struct Run {
    /// Folder that holds everything the node keeps; made if missing.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address of the API and the console, on this machine only; port 0 takes any free port.
    /// Without it: 127.0.0.1:7400, or a free port where that is taken.
    #[arg(long, value_name = "127.0.0.1:PORT")]
    api: Option<SocketAddr>,
    /// Serve the API and the console to other machines, too, over TLS; whoever asks must be signed in.
    #[arg(long, value_name = "IP:PORT")]
    tls: Option<SocketAddr>,
    /// A name or address under which others reach it, for the certificate that the node makes itself; several times
    /// for more. Without it: the address of --tls.
    #[arg(long, value_name = "NAME", requires = "tls")]
    tls_name: Vec<String>,
    /// File of the certificate to show instead, with those that lead to its authority, in PEM.
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        requires = "tls",
        conflicts_with = "tls_name"
    )]
    tls_cert: Option<PathBuf>,
    /// File of its private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Pair the serial sensor at PATH, which speaks PROFILE (nonin-oem3, nonin-ascii, contec-cms50dplus,
    /// contec-cms50d-115200, fogward-level0); nothing is done where it is paired already.
    #[arg(long, value_name = "PATH=PROFILE", value_parser = parse_serial)]
    serial: Vec<(PathBuf, Profile)>,
    /// File with the pairing key, 64 hexadecimal digits, of the fogward-level0 sensor at PATH.
    #[arg(long, value_name = "PATH=KEYFILE", value_parser = parse_key_file)]
    serial_key: Vec<(PathBuf, PathBuf)>,
    /// Use this Bluetooth adapter, by its name (hci0) or address; the first that is switched on without one.
    #[arg(long, value_name = "ADAPTER", num_args = 0..=1, require_equals = true)]
    #[expect(
        clippy::option_option,
        reason = "clap's form of an option whose value may be left out"
    )]
    ble: Option<Option<String>>,
    /// Let the nodes of this organisation choose which of them serves each wireless device, by its signal, their
    /// load and their power. This node has places for so many (20 without a number).
    #[arg(long, value_name = "PLACES", num_args = 0..=1, require_equals = true, default_missing_value = "20",
          value_parser = clap::value_parser!(u16).range(1..=500))]
    roam: Option<u16>,
    /// Add N simulated devices (6 without a number, at most 200) unless there are any: oximeters and
    /// thermometers, or with :all devices of all profiles in turn.
    #[arg(long, value_name = "N[:all]", num_args = 0..=1, require_equals = true, default_missing_value = "6",
          value_parser = parse_demo)]
    demo: Option<Demo>,
    /// Close a batch when it has so many readings.
    #[arg(long, value_name = "N", default_value_t = BatchPolicy::default().readings,
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_readings: u32,
    /// Close a batch when its oldest reading has waited so many milliseconds.
    #[arg(long, value_name = "MILLIS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    batch_age_ms: u64,
    /// Where the node listens for the other nodes of its consortium; kept for later starts. Who is
    /// invited knocks one port above.
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Where others reach the node, if that is another address; kept for later starts.
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// Get every block from the peers, never a snapshot of their state: all transactions are here then.
    #[arg(long, conflicts_with = "snapshot_behind")]
    archive: bool,
    /// Whether the node announces itself by mDNS and shows who does: always or never. Without it, where it
    /// listens for others than this machine. It tells a port and eight digits, no name.
    #[arg(long, value_name = "always|never", value_parser = parse_announce)]
    announce: Option<Announce>,
    /// Take over a snapshot from the peers when so many blocks behind them.
    #[arg(long, value_name = "BLOCKS", default_value_t = SNAPSHOT_BEHIND, value_parser = clap::value_parser!(u64).range(1..))]
    snapshot_behind: u64,
    /// Lock the session of a person who does nothing for so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    lock_after: u64,
    /// The node's name, for people; kept from its first start.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// What `--demo` asks for.
#[derive(Clone, Copy, Debug)]
struct Demo {
    devices: u16,
    every_profile: bool,
}

/// What is printed when the node is ready.
#[derive(serde::Serialize)]
struct Ready {
    api: String,
    chain_id: String,
    node_id: String,
    /// What other machines are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<ReadyAfar>,
}

/// How other machines reach the node.
#[derive(serde::Serialize)]
struct ReadyAfar {
    /// Addresses of the console and the API.
    api: Vec<String>,
    /// SHA-256 of the certificate.
    fingerprint: String,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        start_log();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start the program's threads")?;
        runtime.block_on(self.serve())?;
        Ok(Outcome::Yes)
    }

    async fn serve(self) -> anyhow::Result<()> {
        let signals = Signals::listen()?;
        create_private_dir(&self.data)?;
        let listener = serve::bind(self.api).await?;
        let address = listener.local_addr()?;
        let token = Token::load_or_make(&self.data)?;
        let host = Arc::new(Host::default());
        let afar = self.listen_afar().await?;
        let status = host.start(self.config()?).await?.status()?;
        print_json(&Ready {
            api: format!("http://{address}/?token={}", token.digits()),
            chain_id: status.chain_id,
            node_id: status.node_id,
            tls: afar.as_ref().map(Afar::ready),
        })?;
        let access = Access::Loopback {
            token,
            port: address.port(),
        };
        let (asked, failing) = (signals.nth(1), Arc::clone(&host));
        let (say, failed) = oneshot::channel();
        let stop = async move {
            tokio::select! {
                () = asked => {}
                // Nobody waits for the answer when serving has failed meanwhile.
                why = failing.trouble() => drop(say.send(why)),
            }
        };
        let (end, ends) = watch::channel(false);
        let serving_afar = afar.map(|afar| tokio::spawn(afar.serve(Arc::clone(&host), ends)));
        serve::serve(listener, host_router(Arc::clone(&host), access), stop).await;
        end.send_replace(true);
        if let Some(serving) = serving_afar {
            serving
                .await
                .context("serving other machines was broken off")??;
        }
        tracing::info!("stopping");
        tokio::select! {
            () = host.stop() => {}
            () = signals.nth(2) => bail!("stopped before the last batch was final; it is durable and goes on at the next start"),
        }
        match failed.await {
            Ok(why) => bail!(why),
            Err(_) => Ok(()),
        }
    }

    /// Listens for other machines, if that was asked for.
    async fn listen_afar(&self) -> anyhow::Result<Option<Afar>> {
        let Some(asked) = self.tls else {
            return Ok(None);
        };
        let identity = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Identity::given(certificate, key)?,
            _ if self.tls_name.is_empty() && !asked.ip().is_unspecified() => {
                Identity::own(&self.data, &[asked.ip().to_string()])?
            }
            _ => Identity::own(&self.data, &self.tls_name)?,
        };
        let listener = tls::bind(asked).await?;
        Ok(Some(Afar {
            port: listener.local_addr()?.port(),
            listener,
            identity,
        }))
    }

    fn config(self) -> anyhow::Result<NodeConfig> {
        let mut keys = BTreeMap::new();
        for (path, file) in self.serial_key {
            let key = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            keys.insert(path, key.trim().to_owned());
        }
        let serial = self.serial.into_iter().map(|(path, profile)| {
            let key = keys.remove(&path);
            SerialDevice { path, profile, key }
        });
        let serial = serial.collect();
        if let Some(path) = keys.keys().next() {
            bail!(
                "--serial-key names {}, which no --serial names",
                path.display()
            );
        }
        Ok(NodeConfig {
            name: self.name,
            serial,
            demo: self.demo.map(|demo| demo.devices),
            demo_every_profile: self.demo.is_some_and(|demo| demo.every_profile),
            batch: BatchPolicy {
                readings: self.batch_readings,
                age: Duration::from_millis(self.batch_age_ms),
            },
            listen: self.listen,
            address: self.address,
            announce: self.announce.unwrap_or_default(),
            bluetooth: self.ble.flatten(),
            roam: self.roam,
            sessions: SessionRules {
                lock_after: Duration::from_secs(self.lock_after),
                ..SessionRules::default()
            },
            snapshot_behind: (!self.archive).then_some(self.snapshot_behind),
            ..NodeConfig::new(self.data)
        })
    }
}

/// What other machines are served with.
struct Afar {
    listener: TcpListener,
    port: u16,
    identity: Identity,
}

impl Afar {
    fn ready(&self) -> ReadyAfar {
        let address = |name: &String| match name.parse() {
            Ok(IpAddr::V6(address)) => format!("https://[{address}]:{}/", self.port),
            _ => format!("https://{name}:{}/", self.port),
        };
        ReadyAfar {
            api: self.identity.names().iter().map(address).collect(),
            fingerprint: self.identity.fingerprint().to_string(),
        }
    }

    async fn serve(self, host: Arc<Host>, ends: watch::Receiver<bool>) -> anyhow::Result<()> {
        let access = Access::Afar {
            names: self.identity.names().to_vec(),
            port: self.port,
        };
        tls::serve(
            self.listener,
            &self.identity,
            host_router(host, access),
            ends,
        )
        .await
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_env("FOGWARD_LOG").unwrap_or_else(|_| {
        EnvFilter::new(
            "warn,fog_node=info,device_drivers=info,arc_malachitebft_engine=error,\
             arc_malachitebft_network=off,arc_malachitebft_discovery=off",
        )
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

fn parse_announce(text: &str) -> Result<Announce, &'static str> {
    match text {
        "always" => Ok(Announce::Always),
        "never" => Ok(Announce::Never),
        _ => Err("expected always or never"),
    }
}

fn parse_demo(text: &str) -> Result<Demo, &'static str> {
    let (count, every_profile) = match text.strip_suffix(":all") {
        Some(count) => (count, true),
        None => (text, false),
    };
    let devices = count
        .parse()
        .ok()
        .filter(|count| (1..=200).contains(count))
        .ok_or("expected a number from 1 to 200, or one and :all")?;
    Ok(Demo {
        devices,
        every_profile,
    })
}

fn parse_serial(text: &str) -> anyhow::Result<(PathBuf, Profile)> {
    let (path, profile) = split(text, "PATH=PROFILE")?;
    Ok((path, profile.parse()?))
}

fn parse_key_file(text: &str) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (path, file) = split(text, "PATH=KEYFILE")?;
    Ok((path, file.into()))
}

/// Splits at the last `=`, since a path may have one and a profile has none.
fn split<'a>(text: &'a str, form: &str) -> anyhow::Result<(PathBuf, &'a str)> {
    let parts = text.rsplit_once('=');
    let (path, value) = parts
        .filter(|(path, _)| !path.is_empty())
        .ok_or_else(|| anyhow!("expected {form}"))?;
    Ok((path.into(), value))
}

/// The system's requests to end, counted.
struct Signals(watch::Receiver<u32>);

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let (count, counted) = watch::channel(0);
        let mut requests = EndRequests::new().context("cannot wait for signals")?;
        tokio::spawn(async move {
            loop {
                requests.next().await;
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(counted))
    }

    /// Resolves at the request number `n`, counted from 1.
    fn nth(&self, n: u32) -> impl Future<Output = ()> + Send + 'static {
        let mut counted = self.0.clone();
        async move {
            // The counting task runs as long as the program.
            let _ = counted.wait_for(|count| *count >= n).await;
        }
    }
}

#[cfg(unix)]
struct EndRequests {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl EndRequests {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct EndRequests;

#[cfg(not(unix))]
impl EndRequests {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
