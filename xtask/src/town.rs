//! The chore `consortium N`: N headless nodes on this machine, joined, each with its own data folder and
//! console address.
//!
//! What a hospital's admins do by hand is done here through the same command line: found, invite, join,
//! vote. A later start finds the folders and only starts the nodes. Ctrl-C stops all of them cleanly.

use crate::bundle;
use crate::launch::data_folder;
use crate::process;
use crate::progress::Progress;
use crate::system::{self, Purpose};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Most nodes: what two cores carry.
const MAX_NODES: u16 = 13;
/// Port of the first node's peers; the door is one above, the next node ten above.
const FIRST_PORT: u16 = 7410;
/// How long a node may take to start, to follow, or to be voted in.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the nodes and waits for Ctrl-C.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let (count, folder) = parse(arguments)?;
    let workspace = Workspace::find()?;
    let mut progress = Progress::new(4);
    progress.step("Checking the system", || system::prepare(Purpose::Run))?;
    progress.step(
        "Building the console's wasm (about 4 min the first time)",
        || bundle::build(&workspace),
    )?;
    progress.step("Building the node (about 5 min the first time)", || {
        let build = [
            "build",
            "--locked",
            "--release",
            "--package",
            "fog-node",
            "--bins",
        ];
        process::run(&mut workspace.cargo(&build))
    })?;
    let (stop, asked) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Who asks again while the nodes stop is patient enough already.
        let _ = stop.send(());
    })
    .context("cannot wait for Ctrl-C")?;
    let program = workspace.target.join("release/fogward");
    let town = progress.step(
        &format!("Starting {count} nodes in {}", folder.display()),
        || Town::start(program, &folder, count),
    )?;
    town.print();
    asked.recv().context("cannot wait for Ctrl-C")?;
    town.stop()
}

fn parse(arguments: &[String]) -> Result<(u16, PathBuf)> {
    let hint = "expected: cargo xtask consortium N [--data DIR]";
    let count: u16 = match arguments.first() {
        Some(count) => count.parse().ok().context(hint)?,
        None => bail!("{hint}"),
    };
    ensure!(
        (1..=MAX_NODES).contains(&count),
        "between 1 and {MAX_NODES} nodes, please"
    );
    let folder = match &arguments[1..] {
        [] => data_folder()?.with_file_name("fogward-consortium"),
        [flag, folder] if flag == "--data" => PathBuf::from(folder),
        _ => bail!("{hint}"),
    };
    Ok((count, folder))
}

/// A running node.
struct Node {
    name: String,
    data: PathBuf,
    api: String,
    child: Child,
}

/// The running nodes.
struct Town {
    program: PathBuf,
    nodes: Vec<Node>,
}

impl Town {
    fn start(program: PathBuf, folder: &Path, count: u16) -> Result<Self> {
        let mut town = Self {
            program,
            nodes: Vec::new(),
        };
        for number in 1..=count {
            let name = format!("node-{number}");
            let data = folder.join(&name);
            let port = FIRST_PORT + 10 * (number - 1);
            let listen = format!("127.0.0.1:{port}");
            let is_new = !data.join("replica.db").exists();
            match (is_new, number) {
                (false, _) => {}
                (true, 1) => town.found(&data, &name, &listen)?,
                (true, _) => town.join(&data, &name, &listen)?,
            }
            let node = town.run(&data, &name)?;
            town.nodes.push(node);
            if is_new && number > 1 {
                town.seat(&name)?;
            }
            println!("      {name} takes part");
        }
        Ok(town)
    }

    fn found(&self, data: &Path, name: &str, listen: &str) -> Result<()> {
        let data = data.to_string_lossy();
        self.ask(&[
            "consortium",
            "create",
            "--data",
            &data,
            "--name",
            "A consortium on one machine",
            "--organisation",
            &organisation(name),
            "--node",
            name,
            "--listen",
            listen,
            "--json",
        ])
        .map(drop)
    }

    /// Invites a node, lets it join, and votes for it until it is admitted.
    fn join(&self, data: &Path, name: &str, listen: &str) -> Result<()> {
        let made = self.ask(&["consortium", "invite", "--api", self.first()?, "--json"])?;
        let invitation = made["text"].as_str().context("no invitation")?;
        let data = data.to_string_lossy();
        let joined = self.ask(&[
            "consortium",
            "join",
            invitation,
            "--data",
            &data,
            "--organisation",
            &organisation(name),
            "--node",
            name,
            "--listen",
            listen,
            "--json",
        ])?;
        if joined["admitted"] != json!(true) {
            self.vote(&joined["proposal"])?;
        }
        Ok(())
    }

    /// Makes a node that follows a validator.
    fn seat(&self, name: &str) -> Result<()> {
        let api = self.first()?;
        let key = self.until("the node to be heard", || {
            let view = self.view(api)?;
            let node = row(&view, name);
            let heard = node.filter(|node| node["heard"] == json!(true));
            Ok(heard.and_then(|node| node["key"].as_str().map(ToOwned::to_owned)))
        })?;
        let change = json!({"kind": "admit_validator", "node": key}).to_string();
        // The preflight refuses while the newest validator has not been heard to sign.
        let proposed = self.until("the proposal to be let through", || {
            self.try_ask(&["consortium", "propose", &change, "--api", api, "--json"])
        })?;
        if proposed["outcome"] != json!("approved") {
            self.vote(&proposed["number"])?;
        }
        self.until("the node to become a validator", || {
            let view = self.view(api)?;
            Ok(row(&view, name)
                .filter(|node| node["validator"] == json!(true))
                .map(drop))
        })
    }

    /// Lets every node vote for a proposal until it has passed.
    fn vote(&self, proposal: &Value) -> Result<()> {
        let number = proposal.to_string();
        for node in self.nodes.iter().skip(1) {
            self.until("the proposal to be known", || {
                let view = self.view(&node.api)?;
                let known = [&view["open"], &view["decided"]].into_iter().any(|list| {
                    let rows = list.as_array();
                    rows.is_some_and(|rows| rows.iter().any(|row| row["number"] == *proposal))
                });
                Ok(known.then_some(()))
            })?;
            let row = self.ask(&[
                "consortium",
                "vote",
                &number,
                "--approve",
                "--api",
                &node.api,
                "--json",
            ])?;
            if row["outcome"] == json!("approved") {
                return Ok(());
            }
        }
        bail!("proposal {number} did not pass")
    }

    fn view(&self, api: &str) -> Result<Value> {
        self.ask(&["consortium", "status", "--api", api, "--json"])
    }

    fn first(&self) -> Result<&str> {
        self.nodes
            .first()
            .map(|node| node.api.as_str())
            .context("no node runs")
    }

    fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let said = self.try_ask(arguments)?;
        said.with_context(|| format!("`fogward {}` was refused", arguments[..2].join(" ")))
    }

    /// The same; `None` if the node refuses, whose reason is shown.
    fn try_ask(&self, arguments: &[&str]) -> Result<Option<Value>> {
        let text = process::answer(Command::new(&self.program).args(arguments))?;
        let parsed = text.map(|text| serde_json::from_str(&text));
        parsed.transpose().context("the program printed no JSON")
    }

    fn run(&self, data: &Path, name: &str) -> Result<Node> {
        let mut command = Command::new(&self.program);
        command
            .args(["run", "--api", "127.0.0.1:0", "--data"])
            .arg(data);
        // Ctrl-C is for this program; it stops the nodes.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::line(&command)))?;
        let output = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line)
            .with_context(|| format!("{name} did not start; what it says stands above"))?;
        let api = ready["api"].as_str().context("no address")?.to_owned();
        Ok(Node {
            name: name.to_owned(),
            data: data.to_owned(),
            api,
            child,
        })
    }

    fn until<T>(&self, what: &str, look: impl Fn() -> Result<Option<T>>) -> Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = look()? {
                return Ok(found);
            }
            ensure!(began.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn print(&self) {
        println!();
        for node in &self.nodes {
            println!(
                "      {:8} {}  in {}",
                node.name,
                node.api,
                node.data.display()
            );
        }
        println!("\n      Each address is that node's console. Ctrl-C stops them all.");
    }

    /// Asks all nodes to stop, and waits.
    fn stop(mut self) -> Result<ExitCode> {
        for node in &self.nodes {
            terminate(&node.child);
        }
        let mut code = ExitCode::SUCCESS;
        for node in &mut self.nodes {
            let status = node.child.wait()?;
            if !status.success() {
                println!("      {} ended with {status}", node.name);
                code = ExitCode::FAILURE;
            }
        }
        Ok(code)
    }
}

/// Whatever ends the chore early ends the nodes.
impl Drop for Town {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Ok(None) = node.child.try_wait() {
                terminate(&node.child);
                // It stops by itself; a crash of this program must not wait for it.
                let _ = node.child.wait();
            }
        }
    }
}

fn organisation(name: &str) -> String {
    format!("Hospital of {name}")
}

fn row<'a>(view: &'a Value, name: &str) -> Option<&'a Value> {
    view["nodes"]
        .as_array()?
        .iter()
        .find(|node| node["name"] == name)
}

fn terminate(child: &Child) {
    let id = child.id().to_string();
    // A node that has ended needs no asking.
    process::succeeds(Command::new("kill").args(["-TERM", &id]));
}

#[cfg(test)]
mod tests {
    //! What may be asked for.
    use super::*;

    #[test]
    fn a_number_and_perhaps_a_folder() {
        let parse = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            parse(&arguments)
        };
        assert_eq!(parse(&["4", "--data", "here"]).unwrap(), (4, "here".into()));
        assert_eq!(parse(&["1"]).unwrap().0, 1);
        for wrong in [
            &[][..],
            &["0"],
            &["14"],
            &["four"],
            &["4", "here"],
            &["4", "--data"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
