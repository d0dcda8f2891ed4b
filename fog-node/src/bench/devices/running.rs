//! The node that is measured: `fogward run` in a process of its own, as a user starts it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use anyhow::{Context as _, bail};
use axum::http::Uri;
use fog_api::Device;
use rustix::process::{Pid, Signal, kill_process};

use super::super::process;
use super::super::town::PATIENCE;
use crate::cli::client::{Api, Question};

/// A node with its devices.
pub(in crate::bench) struct Running {
    process: Process,
    pub(in crate::bench) api: Api,
    port: u16,
}

/// Whatever ends a bench early ends its node.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, and one that was waited for is not ended again.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the system says of the node so far.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) struct Cost {
    pub(in crate::bench) cpu_seconds: f64,
    pub(in crate::bench) disk_bytes: f64,
}

impl Running {
    /// Starts a node with these arguments, and waits until it is ready.
    pub(in crate::bench) fn start(
        data: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("where is this program?")?);
        command.arg("run").arg("--data").arg(data).args(arguments);
        let command = command
            .env("FOGWARD_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = Process(command.spawn()?);
        let output = process.0.stdout.take().context("the node has no output")?;
        let output = BufReader::new(output);
        let (say, said) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        let ready = said.recv_timeout(PATIENCE);
        let ready: serde_json::Value = serde_json::from_str(&ready.context("the node is silent")?)?;
        let address = ready["api"].as_str().context("the node has no address")?;
        let uri: Uri = address.parse()?;
        let port = uri.port_u16().context("its address has no port")?;
        let address = address.parse().map_err(anyhow::Error::msg)?;
        Ok(Self {
            process,
            api: Api::at(&address),
            port,
        })
    }

    /// The port of its API.
    pub(in crate::bench) const fn port(&self) -> u16 {
        self.port
    }

    /// Its devices, as it shows them.
    pub(in crate::bench) fn devices(&self) -> anyhow::Result<Vec<Device>> {
        self.api.ask(&Question::path("/api/devices"))
    }

    /// What it has cost so far.
    pub(in crate::bench) fn cost(&self) -> anyhow::Result<Cost> {
        let process = self.process.0.id().to_string();
        Ok(Cost {
            cpu_seconds: process::cpu_seconds_of(&process)?,
            disk_bytes: process::disk_bytes_of(&process)?,
        })
    }

    /// Memory it holds, in bytes.
    pub(in crate::bench) fn rss_bytes(&self) -> anyhow::Result<f64> {
        process::rss_bytes_of(&self.process.0.id().to_string())
    }

    /// Kills it, as a power cut does to a process.
    pub(in crate::bench) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.0.kill()?;
        self.process.0.wait()?;
        Ok(())
    }

    /// Stops it in order.
    pub(in crate::bench) fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.process.0), Signal::TERM)?;
        let status = self.process.0.wait()?;
        if !status.success() {
            bail!("the node ended with {status}");
        }
        Ok(())
    }
}
