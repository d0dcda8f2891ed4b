//! Hospitals that share one ledger: real nodes, each with its own folder and host, founded, joined and
//! voted in by the command line as their admins would.
//!
//! A host is an address of this machine's loopback, or a network of its own (see [`crate::hosts`]), in
//! which then everything runs that speaks to the node.

use crate::cli::{self, Node};
use anyhow::{Context, Result, bail, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that a machine under load does at last.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// When no block has come for so long, none is under way; shorter than a heartbeat.
const QUIET: Duration = Duration::from_secs(3);
/// How long an answer over HTTP may take.
const HTTP_PATIENCE: Duration = Duration::from_secs(20);

/// Where a hospital's node lives.
#[derive(Debug, Clone)]
pub struct Place {
    /// The node's name.
    pub name: String,
    /// Its folder.
    pub data: PathBuf,
    /// Its address among its peers.
    pub listen: String,
    /// The network it lives in, if not in that of the test: a file as `ip netns add` makes it.
    pub network: Option<PathBuf>,
}

impl Place {
    /// A place in `folder` on a loopback host of its own.
    #[must_use]
    pub fn on_loopback(folder: &Path, number: u8) -> Self {
        let process = std::process::id();
        let (high, low) = (process >> 8 & 0xff, process & 0xff);
        let name = format!("node-{number}");
        Self {
            data: folder.join(&name),
            listen: format!("127.{high}.{low}.{}:7401", 200 + number),
            network: None,
            name,
        }
    }

    fn command(&self) -> Result<Command> {
        let program = cli::program("fogward")?;
        let mut command = match &self.network {
            None => Command::new(program),
            Some(network) => {
                let mut enter = Command::new("nsenter");
                enter.arg(format!("--net={}", network.display()));
                enter.arg(program);
                enter
            }
        };
        command.env("FOGWARD_LOG", "off");
        Ok(command)
    }

    /// Runs `fogward` on this host and parses what it prints; an error unless it says yes.
    pub fn fogward(&self, arguments: &[&str]) -> Result<Value> {
        let said = self.try_fogward(arguments)?;
        said.with_context(|| format!("{}: {arguments:?} was refused", self.name))
    }

    /// The same; `None` if it is refused.
    fn try_fogward(&self, arguments: &[&str]) -> Result<Option<Value>> {
        let output = self.command()?.args(arguments).arg("--json").output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => serde_json::from_slice(&output.stdout)
                .map(Some)
                .context("fogward printed no JSON"),
            Some(1) => {
                eprintln!("{}: {said}", self.name);
                Ok(None)
            }
            _ => bail!(
                "{}: {arguments:?} ended with {}: {said}",
                self.name,
                output.status
            ),
        }
    }

    /// Starts the node and waits until it is ready.
    pub fn start(&self, arguments: &[&str]) -> Result<Node> {
        let data = self.data.to_string_lossy();
        let mut command = self.command()?;
        command
            .args(["run", "--api", "127.0.0.1:0", "--data", &data])
            .args(arguments);
        Node::from_command(&mut command).with_context(|| format!("{} did not start", self.name))
    }

    /// What `fogward status` says of the running node.
    pub fn status(&self, node: &Node) -> Result<Value> {
        self.http(node, "GET", "/api/status")
    }

    /// One request to the node's API; what is not JSON is null.
    pub fn http(&self, node: &Node, method: &str, path: &str) -> Result<Value> {
        let (address, token) = node.address.split_once("/?token=").context("no token")?;
        let address = address.strip_prefix("http://").context("no address")?;
        let mut stream = self.connect(address)?;
        stream.set_read_timeout(Some(HTTP_PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
        let line = head.lines().next().unwrap_or_default();
        let is_well = line
            .split(' ')
            .nth(1)
            .is_some_and(|code| code.starts_with('2'));
        ensure!(is_well, "{} answered {line}: {body}", self.name);
        Ok(serde_json::from_str(body).unwrap_or_default())
    }

    /// A connection from this host to an address. A thread that entered another network ends there.
    pub fn connect(&self, address: &str) -> Result<TcpStream> {
        let Some(network) = &self.network else {
            return Ok(TcpStream::connect(address)?);
        };
        let network = File::open(network)?;
        let connect = || -> Result<TcpStream> {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(TcpStream::connect(address)?)
        };
        let connected = thread::scope(|scope| scope.spawn(connect).join());
        connected.map_err(|_| anyhow::anyhow!("the thread that connects failed"))?
    }

    /// What `fogward fsck` finds in the stopped node's folder; an error unless all is well.
    pub fn fsck(&self) -> Result<Value> {
        let report = self.fogward(&["fsck", "--data", &self.data.to_string_lossy()])?;
        ensure!(report["clean"] == true, "{}: {report}", self.name);
        Ok(report)
    }

    fn view(&self, node: &Node) -> Result<Value> {
        self.http(node, "GET", "/api/consortium")
    }
}

/// Nodes that run, each with its place.
pub type Running = Vec<(Place, Node)>;

/// Founds a consortium at the first place and lets the others join, each as a hospital with one voice and
/// one validator. All nodes run when this returns, with `arguments`.
pub fn found(places: &[Place], arguments: &[&str]) -> Result<Running> {
    let mut running = Running::new();
    for place in places {
        if running.is_empty() {
            create(place)?;
        } else {
            join(&running, place, &[])?;
        }
        running.push((place.clone(), place.start(arguments)?));
        if running.len() > 1 {
            seat(&running, place)?;
        }
    }
    all_validate(&running)?;
    Ok(running)
}

/// Lets the founder's organisation have one more node, which validates, too. It runs when this returns.
pub fn add_node(running: &mut Running, place: &Place, arguments: &[&str]) -> Result<()> {
    join(running, place, &["--same-organisation"])?;
    running.push((place.clone(), place.start(arguments)?));
    seat(running, place)?;
    all_validate(running)
}

/// Waits until each node sees that all of them validate.
fn all_validate(running: &Running) -> Result<()> {
    let count = running.len() as u64;
    until("all nodes to see all validators", || {
        let views = running.iter().map(|(place, node)| place.status(node));
        let views = views.collect::<Result<Vec<_>>>()?;
        let all = views.iter().all(|status| status["validators"] == count);
        Ok(all.then_some(()))
    })
}

fn create(place: &Place) -> Result<()> {
    let data = place.data.to_string_lossy();
    let name = ["--name", "A town's hospitals"];
    let organisation = format!("Hospital of {}", place.name);
    let mut arguments = vec!["consortium", "create", "--data", &data];
    arguments.extend(name);
    arguments.extend(["--organisation", &organisation, "--node", &place.name]);
    arguments.extend(["--listen", &place.listen]);
    place.fogward(&arguments).map(drop)
}

fn join(running: &Running, place: &Place, how: &[&str]) -> Result<()> {
    let (first, node) = running.first().context("nobody to invite")?;
    let invite = ["consortium", "invite", "--api", &node.address];
    let made = first.fogward(&[&invite[..], how].concat())?;
    let invitation = made["text"].as_str().context("no invitation")?;
    let data = place.data.to_string_lossy();
    let organisation = format!("Hospital of {}", place.name);
    let mut arguments = vec!["consortium", "join", invitation, "--data", &data];
    arguments.extend(["--organisation", &organisation, "--node", &place.name]);
    arguments.extend(["--listen", &place.listen]);
    let joined = place.fogward(&arguments)?;
    if joined["admitted"] != true {
        approve(running, &joined["proposal"])?;
    }
    Ok(())
}

/// Makes the newest node a validator.
fn seat(running: &Running, place: &Place) -> Result<()> {
    let (first, node) = running.first().context("nobody to propose it")?;
    let key = until("the new node to be heard", || {
        let view = first.view(node)?;
        let row = row(&view, &place.name).filter(|row| row["heard"] == true);
        Ok(row.and_then(|row| row["key"].as_str().map(ToOwned::to_owned)))
    })?;
    let change = json!({"kind": "admit_validator", "node": key}).to_string();
    let propose = ["consortium", "propose", &change, "--api", &node.address];
    // The preflight refuses while the newest validator has not been heard to sign.
    let proposed = until("the proposal to be let through", || {
        first.try_fogward(&propose)
    })?;
    if proposed["outcome"] != "approved" {
        approve(running, &proposed["number"])?;
    }
    until("the new node's seat", || {
        let seats = running.iter().map(|(at, node)| {
            let view = at.view(node)?;
            Ok(row(&view, &place.name).is_some_and(|row| row["validator"] == true))
        });
        let seats = seats.collect::<Result<Vec<_>>>()?;
        Ok(seats.into_iter().all(|seated| seated).then_some(()))
    })
}

/// Lets every organisation vote until a proposal has passed.
fn approve(running: &Running, proposal: &Value) -> Result<()> {
    let number = proposal.to_string();
    for (place, node) in running.iter().skip(1) {
        until("the proposal at this node", || {
            let view = place.view(node)?;
            let lists = [&view["open"], &view["decided"]].into_iter();
            let mut rows = lists.filter_map(Value::as_array).flatten();
            Ok(rows.any(|row| row["number"] == *proposal).then_some(()))
        })?;
        let vote = [
            "consortium",
            "vote",
            &number,
            "--approve",
            "--api",
            &node.address,
        ];
        if place.fogward(&vote)?["outcome"] == "approved" {
            return Ok(());
        }
    }
    bail!("proposal {number} did not pass")
}

fn row<'a>(view: &'a Value, name: &str) -> Option<&'a Value> {
    let nodes = view["nodes"].as_array()?;
    nodes.iter().find(|node| node["name"] == name)
}

/// Lets the simulated sensors fall silent and waits until all that was sent is final everywhere: all nodes
/// have the same newest block, and no newer one has come for a while. Returns its height.
pub fn settle(running: &Running) -> Result<u64> {
    for (place, node) in running {
        place.http(node, "DELETE", "/api/demo")?;
    }
    let mut seen = (Value::Null, Instant::now());
    until("the same newest block, and quiet", || {
        let all = running.iter().map(|(place, node)| place.status(node));
        let all = all.collect::<Result<Vec<_>>>()?;
        let tip = &all.first().context("no node")?["tip_hash"];
        // What waits is repeated to the others ever more rarely: a quiet chain alone says nothing.
        let is_settled = |status: &Value| status["tip_hash"] == *tip && status["backlog"] == 0;
        if *tip != seen.0 || !all.iter().all(is_settled) {
            seen = (tip.clone(), Instant::now());
        }
        let height = all.first().and_then(|status| status["height"].as_u64());
        Ok(height.filter(|_| seen.1.elapsed() > QUIET))
    })
}

/// Asks again and again until the answer is there.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        ensure!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Stops all nodes as a service supervisor does, one at a time, and has each folder checked.
pub fn stop(running: Running) -> Result<Vec<Value>> {
    let mut places = Vec::new();
    for (place, node) in running {
        node.stop()?;
        places.push(place);
    }
    places.iter().map(Place::fsck).collect()
}
