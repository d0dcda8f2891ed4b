//! `fogward device incoming|registry|enrol|interactions|ask|allow|deny`: devices as the ledger knows them.

use std::path::PathBuf;

use anyhow::Context as _;
use fog_api::{AskInteraction, DecideInteraction, Interaction, LedgerDevice, RegisterSigner};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{print, print_json, time_words};
use super::table::{cell, name_of, numbers, table, words};

/// `fogward device registry`
#[derive(Debug, clap::Args)]
pub(super) struct Registry {
    #[command(flatten)]
    api: Api,
}

impl Registry {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let devices: Vec<LedgerDevice> = self.api.ask(&Question::path("/api/ledger/devices"))?;
        print_devices(&devices, &self.api)
    }
}

/// `fogward device incoming`
#[derive(Debug, clap::Args)]
pub(super) struct Incoming {
    #[command(flatten)]
    api: Api,
}

impl Incoming {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let devices: Vec<LedgerDevice> = self.api.ask(&Question::path("/api/handovers"))?;
        print_devices(&devices, &self.api)
    }
}

fn print_devices(devices: &[LedgerDevice], api: &Api) -> anyhow::Result<Outcome> {
    if api.json {
        print_json(&devices)?;
        return Ok(Outcome::Yes);
    }
    let rows: Vec<_> = devices.iter().map(device_cells).collect();
    print(&table(
        [
            words("handle"),
            words("name here"),
            words("node"),
            words("organisation"),
            words("standing"),
            words("simulated"),
            words("assigned"),
            numbers("handovers"),
            numbers("registered"),
            numbers("changed"),
            numbers("own readings"),
        ],
        &rows,
    ))?;
    Ok(Outcome::Yes)
}

fn device_cells(device: &LedgerDevice) -> [String; 11] {
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    [
        device.handle.clone(),
        cell(device.name.as_ref()),
        device.node.clone(),
        device.organisation.clone(),
        name_of(device.standing),
        yes(device.simulated),
        yes(device.assigned),
        device.handovers.to_string(),
        device.registered_height.to_string(),
        cell(device.changed_height),
        cell(device.signer.as_ref().map(|signer| signer.readings)),
    ]
}

/// `fogward device enrol`
#[derive(Debug, clap::Args)]
pub(super) struct Enrol {
    #[command(flatten)]
    api: Api,
    /// File with the device's Ed25519 public key, 64 hexadecimal digits.
    #[arg(value_name = "FILE")]
    key_file: PathBuf,
    /// Its data are simulated.
    #[arg(long)]
    simulated: bool,
}

impl Enrol {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let key = std::fs::read_to_string(&self.key_file);
        let key = key.with_context(|| format!("cannot read {}", self.key_file.display()))?;
        let asked = RegisterSigner {
            key: key.trim().to_owned(),
            simulated: self.simulated,
        };
        let question = Question::path("/api/ledger/devices");
        let device: LedgerDevice = self.api.tell(&question, &asked)?;
        print_devices(&[device], &self.api)
    }
}

/// `fogward device interactions`
#[derive(Debug, clap::Args)]
pub(super) struct Interactions {
    #[command(flatten)]
    api: Api,
}

impl Interactions {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let all: Vec<Interaction> = self.api.ask(&Question::path("/api/interactions"))?;
        print_interactions(&all, &self.api)
    }
}

fn print_interactions(all: &[Interaction], api: &Api) -> anyhow::Result<Outcome> {
    if api.json {
        print_json(&all)?;
        return Ok(Outcome::Yes);
    }
    let rows: Vec<_> = all.iter().map(interaction_cells).collect();
    print(&table(
        [
            words("id"),
            words("hears"),
            words("is heard"),
            words("state"),
            words("until"),
            numbers("changed"),
            words("here"),
            numbers("relayed"),
            numbers("dropped"),
            numbers("unsuited"),
        ],
        &rows,
    ))?;
    Ok(Outcome::Yes)
}

fn interaction_cells(interaction: &Interaction) -> [String; 10] {
    let named = |name: &Option<String>, handle: &String| name.as_ref().unwrap_or(handle).clone();
    [
        interaction.id.clone(),
        named(&interaction.asker_name, &interaction.asker),
        named(&interaction.source_name, &interaction.source),
        name_of(interaction.state),
        time_words(i64::try_from(interaction.until).unwrap_or(i64::MAX)),
        interaction.changed_height.to_string(),
        name_of(interaction.relay.state),
        interaction.relay.relayed.to_string(),
        interaction.relay.dropped.to_string(),
        interaction.relay.unsuited.to_string(),
    ]
}

/// `fogward device ask`
#[derive(Debug, clap::Args)]
pub(super) struct Ask {
    #[command(flatten)]
    api: Api,
    /// The device that wants to hear, by its id here or its handle.
    #[arg(value_name = "ASKER")]
    asker: String,
    /// The device that is to be heard, by its id here or its handle.
    #[arg(value_name = "SOURCE")]
    source: String,
    /// For how long, in seconds.
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 3_600)]
    seconds: u64,
}

impl Ask {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let asked = AskInteraction {
            asker: self.asker.clone(),
            source: self.source.clone(),
            seconds: self.seconds,
        };
        let question = Question::path("/api/interactions");
        print_interaction(self.api.tell(&question, &asked)?, &self.api)
    }
}

/// `fogward device allow` and `fogward device deny`
#[derive(Debug, clap::Args)]
pub(super) struct Decide {
    #[command(flatten)]
    api: Api,
    /// The interaction's id, as `fogward device interactions` lists it.
    #[arg(value_name = "INTERACTION")]
    interaction: String,
}

impl Decide {
    pub(super) fn run(&self, allow: bool) -> anyhow::Result<Outcome> {
        let question = Question::named("/api/interactions", &self.interaction).then("decision");
        let decided = DecideInteraction { allow };
        print_interaction(self.api.tell(&question, &decided)?, &self.api)
    }
}

fn print_interaction(interaction: Interaction, api: &Api) -> anyhow::Result<Outcome> {
    match api.json {
        true => print_json(&interaction).map(|()| Outcome::Yes),
        false => print_interactions(&[interaction], api),
    }
}
