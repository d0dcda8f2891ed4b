//! `fogward device provision`: pair a level-0 device by the one-time code that is printed on it.
//!
//! The code comes from a file or the terminal and never from an argument, where every user of the machine
//! and the shell's history would see it.

use std::path::PathBuf;

use anyhow::Context as _;
use fog_api::{AddDevice, Device, StartBluetoothPairing};

use super::Outcome;
use super::client::{Api, Question};
use super::device::print_one;
use super::device_bluetooth::{self, Answers, ask, is_address, tell};

/// `fogward device provision`
#[derive(Debug, clap::Args)]
pub(super) struct Provision {
    #[command(flatten)]
    api: Api,
    /// Path of the port, such as /dev/ttyUSB0, or a Bluetooth address, such as C4:F2:17:1A:1D:BB.
    #[arg(value_name = "PATH|ADDRESS")]
    at: String,
    /// Name of the device, for people; one is made without it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// File with the device's one-time code; it is asked for on a terminal without it.
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
    #[command(flatten)]
    answers: Answers,
}

impl Provision {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let code = match &self.code_file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?,
            None => ask("Which code is printed on the device?", "--code-file")?,
        };
        let code = Some(code.trim().to_owned());
        tell("Pairing with the device. Leave it switched on.");
        let device = match is_address(&self.at) {
            true => self.by_bluetooth(code)?,
            false => self.at_port(code)?,
        };
        print_one(&device, self.api.json)
    }

    fn by_bluetooth(&self, code: Option<String>) -> anyhow::Result<Device> {
        let asked = StartBluetoothPairing {
            code,
            ..self.answers.asking(&self.at, self.name.as_ref())
        };
        device_bluetooth::pair(&self.api, &asked, &self.answers)
    }

    fn at_port(&self, code: Option<String>) -> anyhow::Result<Device> {
        let asked = AddDevice {
            name: self.name.clone(),
            profile: "fogward-level0".into(),
            path: std::path::absolute(&self.at)?.display().to_string(),
            key: None,
            code,
        };
        self.api.tell(&Question::path("/api/devices"), &asked)
    }
}
