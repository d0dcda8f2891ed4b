//! `fogward device provision`: pair a level-0 device by the one-time code that is printed on it.
//!
//! The code comes from a file or the terminal and never from an argument, where every user of the machine
//! and the shell's history would see it.

use std::path::PathBuf;

use anyhow::Context as _;
use fog_api::AddDevice;

use super::Outcome;
use super::client::{Api, Question};
use super::device::print_one;
use super::device_bluetooth::{ask, tell};

/// `fogward device provision`
#[derive(Debug, clap::Args)]
pub(super) struct Provision {
    #[command(flatten)]
    api: Api,
    /// Path of the port, such as /dev/ttyUSB0.
    #[arg(value_name = "PATH")]
    at: PathBuf,
    /// Name of the device, for people; one is made without it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// File with the device's one-time code; it is asked for on a terminal without it.
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
}

impl Provision {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let code = match &self.code_file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?,
            None => ask("Which code is printed on the device?", "--code-file")?,
        };
        let asked = AddDevice {
            name: self.name.clone(),
            profile: "fogward-level0".into(),
            path: std::path::absolute(&self.at)?.display().to_string(),
            key: None,
            code: Some(code.trim().to_owned()),
        };
        tell("Pairing with the device. Leave it switched on.");
        let device = self.api.tell(&Question::path("/api/devices"), &asked)?;
        print_one(&device, self.api.json)
    }
}
