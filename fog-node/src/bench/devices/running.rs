//! The node that is measured: `fogward run` in a process of its own, as a user starts it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use anyhow::{Context as _, bail};
use fog_api::Device;
use rustix::process::{Pid, Signal, kill_process};

use super::super::process;
use super::super::town::PATIENCE;
use super::sensor::Played;
use crate::cli::client::{Api, Question};

/// A node with its devices.
pub(super) struct Running {
    process: Process,
    pub(super) api: Api,
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
pub(super) struct Cost {
    pub(super) cpu_seconds: f64,
    pub(super) disk_bytes: f64,
}

impl Running {
    /// Starts a node in an empty folder with these sensors, and waits until it is ready.
    pub(super) fn start<'a>(
        folder: &Path,
        sensors: impl Iterator<Item = &'a Played>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("where is this program?")?);
        command.args(["run", "--api", "127.0.0.1:0", "--data"]);
        command.arg(folder.join("node"));
        for (number, sensor) in sensors.enumerate() {
            let path = sensor.line.path().display();
            command.arg("--serial");
            command.arg(format!("{path}={}", sensor.profile()));
            if let Some(key) = &sensor.key {
                let file = folder.join(format!("{number}.key"));
                fs::write(&file, key)?;
                command.arg("--serial-key");
                command.arg(format!("{path}={}", file.display()));
            }
        }
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
        let address = address.parse().map_err(anyhow::Error::msg)?;
        Ok(Self {
            process,
            api: Api::at(&address),
        })
    }

    /// Its devices, as it shows them.
    pub(super) fn devices(&self) -> anyhow::Result<Vec<Device>> {
        self.api.ask(&Question::path("/api/devices"))
    }

    /// What it has cost so far.
    pub(super) fn cost(&self) -> anyhow::Result<Cost> {
        let process = self.process.0.id().to_string();
        Ok(Cost {
            cpu_seconds: process::cpu_seconds_of(&process)?,
            disk_bytes: process::disk_bytes_of(&process)?,
        })
    }

    /// Memory it holds, in bytes.
    pub(super) fn rss_bytes(&self) -> anyhow::Result<f64> {
        process::rss_bytes_of(&self.process.0.id().to_string())
    }

    /// Stops it in order.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.process.0), Signal::TERM)?;
        let status = self.process.0.wait()?;
        if !status.success() {
            bail!("the node ended with {status}");
        }
        Ok(())
    }
}
