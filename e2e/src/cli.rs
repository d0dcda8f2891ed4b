//! The command line `fogward`, run as a shell runs it.

use crate::process::Program;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// The folder in which cargo put the programs of this build: two above the test's own.
pub fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe().context("a test knows its own program")?;
    let folder = own.parent().and_then(Path::parent);
    let folder = folder.context("a test's program lies in target/PROFILE/deps")?;
    Ok(folder.to_owned())
}

/// Where a picture of this name goes.
pub fn picture(name: &str) -> Result<PathBuf> {
    Ok(programs()?
        .join("../screenshots")
        .join(format!("{name}.png")))
}

/// The path of a program of this build.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = programs()?.join(name);
    if !path.exists() {
        bail!("{name} is not built; `cargo xtask test --only e2e` builds it");
    }
    Ok(path)
}

/// Runs `fogward` to its end.
pub fn fogward<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Output> {
    Command::new(program("fogward")?)
        .args(arguments)
        .output()
        .context("cannot start fogward")
}

/// Runs `fogward`, expects success, and parses what it prints.
pub fn fogward_json<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Value> {
    let output = fogward(arguments)?;
    if !output.status.success() {
        bail!(
            "fogward ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("fogward printed no JSON")
}

/// A headless node, and the address it printed.
#[derive(Debug)]
pub struct Node {
    /// Address with token, as printed.
    pub address: String,
    /// Address for other machines, if it listens for them.
    pub afar: Option<String>,
    program: Program,
}

impl Node {
    /// Starts `fogward run` on `data` with further arguments, on a free port.
    pub fn start(data: &Path, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(program("fogward")?);
        command
            .args(["run", "--api", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(arguments);
        Self::from_command(&mut command)
    }

    /// Starts the node that a command runs, and waits until it is ready.
    pub fn from_command(command: &mut Command) -> Result<Self> {
        let (program, line) = Program::start_and_read(command, Duration::from_secs(60))?;
        let ready: Value =
            serde_json::from_str(&line).with_context(|| format!("no JSON line: {line}"))?;
        let address = ready["api"].as_str().context("no address in the line")?;
        let afar = ready["tls"]["api"][0].as_str();
        Ok(Self {
            address: address.to_owned(),
            afar: afar.map(str::to_owned),
            program,
        })
    }

    /// Ends it at once, as a power cut does (`kill -9`).
    pub fn kill(self) -> Result<()> {
        self.program.kill()
    }

    /// Stops it as a service supervisor does; an unclean end is an error.
    pub fn stop(self) -> Result<()> {
        let status = self.program.terminate()?;
        if !status.success() {
            bail!("the node ended with {status}");
        }
        Ok(())
    }
}
