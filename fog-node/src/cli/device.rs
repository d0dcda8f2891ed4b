//! `fogward device`: pair, list, change and unpair the devices of a running node.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use fog_api::{AddDevice, ChangeDevice, Device as Row, StartBluetoothPairing};

use super::Outcome;
use super::client::{Api, Question};
use super::device_bluetooth::{self, Answers, Scan, is_address};
use super::device_ledger::{Ask, Decide, Enrol, Incoming, Interactions, Registry};
use super::device_provision::Provision;
use super::device_roaming::Roaming;
use super::output::{print, print_json};
use super::patient;
use super::selftest::{IdentifyOne, Selftest};
use super::table::{cell, name_of, numbers, pairs, table, words};

/// `fogward device`
#[derive(Debug, clap::Args)]
pub(super) struct Device {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the devices and their gap ledgers.
    List(List),
    /// Show one device.
    Show(One),
    /// Show what is nearby by Bluetooth.
    Scan(Scan),
    /// Pair the serial sensor at a port, or a Bluetooth device.
    Pair(Pair),
    /// Give a fogward-level0 device that has only its one-time code a key, and pair it.
    Provision(Provision),
    /// Let a device blink or beep, to see which one it is.
    Identify(IdentifyOne),
    /// Measure a device or the Bluetooth adapter, and sign what was found.
    Selftest(Selftest),
    /// Say whose a device is from now on; the ledger gets a salted commitment.
    Assign(Assign),
    /// Say that a device is nobody's.
    Unassign(One),
    /// Say at which bed a device is used, for the ward's wall; it stays on this node.
    Place(Place),
    /// Refuse a device's data until it is resumed, on every node.
    Suspend(One),
    /// Let a suspended device's data count again.
    Resume(One),
    /// Let a device's data count no more, and unpair it. Cannot be undone.
    Retire(One),
    /// Stop reading a device; its readings stay, its pairing key is destroyed.
    Unpair(One),
    /// Hand a device over to another node of the consortium.
    Handover(HandOver),
    /// List the devices that were handed to this node and wait to be taken.
    Incoming(Incoming),
    /// Take a device that was handed to this node, and read it.
    Take(Take),
    /// Show which node of the organisation would serve each wireless device, and how well.
    Roaming(Roaming),
    /// List the devices on the ledger, those of other nodes too.
    Registry(Registry),
    /// Register a device that signs its own transactions, by its public key.
    Enrol(Enrol),
    /// List which device may hear which, or wants to.
    Interactions(Interactions),
    /// Ask that one device may hear another; within an organisation it is granted at once.
    Ask(Ask),
    /// Grant an interaction that another organisation's device asked for.
    Allow(Decide),
    /// Refuse an interaction, or end it at once.
    Deny(Decide),
}

impl Device {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            Command::List(list) => list.run(),
            Command::Show(one) => one.show(),
            Command::Scan(scan) => scan.run(),
            Command::Pair(pair) => pair.run(),
            Command::Provision(provision) => provision.run(),
            Command::Identify(one) => one.run(),
            Command::Selftest(test) => test.run(),
            Command::Assign(assign) => assign.run(),
            Command::Unassign(one) => one.change(&ChangeDevice::Unassign),
            Command::Place(place) => place.run(),
            Command::Suspend(one) => one.change(&ChangeDevice::Suspend),
            Command::Resume(one) => one.change(&ChangeDevice::Resume),
            Command::Retire(one) => one.change(&ChangeDevice::Retire),
            Command::Unpair(one) => one.unpair(),
            Command::Handover(handover) => handover.run(),
            Command::Incoming(incoming) => incoming.run(),
            Command::Take(take) => take.run(),
            Command::Roaming(roaming) => roaming.run(),
            Command::Registry(registry) => registry.run(),
            Command::Enrol(enrol) => enrol.run(),
            Command::Interactions(interactions) => interactions.run(),
            Command::Ask(ask) => ask.run(),
            Command::Allow(decide) => decide.run(true),
            Command::Deny(decide) => decide.run(false),
        }
    }
}

/// `fogward device list` and `fogward devices`
#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    api: Api,
}

impl List {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let devices: Vec<Row> = self.api.ask(&Question::path("/api/devices"))?;
        if self.api.json {
            print_json(&devices)?;
            return Ok(Outcome::Yes);
        }
        let rows: Vec<_> = devices.iter().map(cells).collect();
        print(&table(
            [
                words("id"),
                words("name"),
                words("profile"),
                words("path"),
                words("state"),
                words("standing"),
                numbers("expected"),
                numbers("received"),
                numbers("rejected"),
                numbers("sealed"),
                numbers("anchored"),
                numbers("final"),
                words("reason"),
            ],
            &rows,
        ))?;
        Ok(Outcome::Yes)
    }
}

fn cells(device: &Row) -> [String; 13] {
    let gap = &device.gap;
    [
        device.id.clone(),
        device.name.clone(),
        device.profile.clone(),
        device.path.clone(),
        name_of(device.state),
        name_of(device.standing),
        gap.expected.to_string(),
        gap.received.to_string(),
        gap.rejected.to_string(),
        gap.sealed.to_string(),
        gap.anchored.to_string(),
        gap.finalized.to_string(),
        cell(device.reason.as_ref()),
    ]
}

/// Prints a device as one value, or as what a person asks first.
pub(super) fn print_one(device: &Row, json: bool) -> anyhow::Result<Outcome> {
    if json {
        print_json(device)?;
        return Ok(Outcome::Yes);
    }
    let gap = &device.gap;
    print(&pairs(&[
        ("device", format!("{} ({})", device.name, device.id)),
        ("profile", device.profile.clone()),
        ("path", device.path.clone()),
        ("handle", device.handle.clone()),
        ("state", name_of(device.state)),
        ("standing", name_of(device.standing)),
        ("registered at", cell(device.registered_height)),
        ("changed at", cell(device.changed_height)),
        ("assigned to", cell(device.assigned_to.as_ref())),
        ("place", cell(device.place.as_ref().map(place_words))),
        (
            "readings",
            format!(
                "{} expected, {} received, {} anchored, {} final; {} frames rejected",
                gap.expected, gap.received, gap.anchored, gap.finalized, gap.rejected
            ),
        ),
        ("reason", cell(device.reason.as_ref())),
    ]))?;
    Ok(Outcome::Yes)
}

/// A command about one device.
#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    api: Api,
    /// The device's id, as `fogward device list` shows it.
    #[arg(value_name = "DEVICE")]
    device: String,
}

impl One {
    fn question(&self) -> Question {
        Question::named("/api/devices", &self.device)
    }

    fn show(&self) -> anyhow::Result<Outcome> {
        print_one(&self.api.ask(&self.question())?, self.api.json)
    }

    fn change(&self, change: &ChangeDevice) -> anyhow::Result<Outcome> {
        let question = self.question().then("changes");
        print_one(&self.api.tell(&question, change)?, self.api.json)
    }

    fn unpair(&self) -> anyhow::Result<Outcome> {
        self.api.delete(&self.question())?;
        if self.api.json {
            print_json(&serde_json::json!({ "unpaired": self.device }))?;
        } else {
            print("Unpaired. Its readings stay.\n")?;
        }
        Ok(Outcome::Yes)
    }
}

/// `fogward device assign`
#[derive(Debug, clap::Args)]
struct Assign {
    #[command(flatten)]
    one: One,
    /// The patient's id, number or whole name, as `fogward patient list` shows them.
    #[arg(long, value_name = "PATIENT")]
    to: String,
}

impl Assign {
    fn run(&self) -> anyhow::Result<Outcome> {
        let patient = patient::find(&self.one.api, &self.to)?.id;
        self.one.change(&ChangeDevice::Assign { patient })
    }
}

/// `fogward device place`
#[derive(Debug, clap::Args)]
struct Place {
    #[command(flatten)]
    one: One,
    /// The ward, such as 3A.
    #[arg(
        long,
        value_name = "WARD",
        requires = "bed",
        required_unless_present = "nowhere"
    )]
    ward: Option<String>,
    /// The bed in it, such as 09; never the name of a patient.
    #[arg(long, value_name = "BED", requires = "ward")]
    bed: Option<String>,
    /// It is at no bed.
    #[arg(long, conflicts_with_all = ["ward", "bed"])]
    nowhere: bool,
}

impl Place {
    fn run(&self) -> anyhow::Result<Outcome> {
        let (question, api) = (self.one.question().then("place"), &self.one.api);
        let place = self.ward.clone().zip(self.bed.clone());
        let place = place.map(|(ward, bed)| fog_api::Place { ward, bed });
        print_one(
            &api.tell(&question, &fog_api::PlaceDevice { place })?,
            api.json,
        )
    }
}

fn place_words(place: &fog_api::Place) -> String {
    format!("ward {}, bed {}", place.ward, place.bed)
}

/// `fogward device handover`
#[derive(Debug, clap::Args)]
struct HandOver {
    #[command(flatten)]
    one: One,
    /// The node that is to serve it, by its name or key.
    #[arg(long, value_name = "NODE")]
    to: String,
}

impl HandOver {
    fn run(&self) -> anyhow::Result<Outcome> {
        let (question, api) = (self.one.question().then("handover"), &self.one.api);
        let to = self.to.clone();
        print_one(&api.tell(&question, &fog_api::HandOver { to })?, api.json)
    }
}

/// `fogward device take`
#[derive(Debug, clap::Args)]
struct Take {
    #[command(flatten)]
    api: Api,
    /// The device's handle, as `fogward device incoming` lists it.
    #[arg(value_name = "HANDLE")]
    handle: String,
    /// The port it is on here, or its Bluetooth address; as at the other node without it.
    #[arg(long, value_name = "PATH|ADDRESS")]
    path: Option<String>,
}

impl Take {
    fn run(&self) -> anyhow::Result<Outcome> {
        let place = |at: &String| match is_address(at) {
            true => Ok(format!("ble:{at}")),
            false => std::path::absolute(at).map(|path| path.display().to_string()),
        };
        let path = self.path.as_ref().map(place).transpose()?;
        let asked = fog_api::TakeDevice { path };
        let question = Question::named("/api/handovers", &self.handle);
        print_one(&self.api.tell(&question, &asked)?, self.api.json)
    }
}

/// `fogward device pair`
#[derive(Debug, clap::Args)]
struct Pair {
    #[command(flatten)]
    api: Api,
    /// Path of the port, such as /dev/ttyUSB0, or a Bluetooth address, such as C4:F2:17:1A:1D:BB.
    #[arg(value_name = "PATH|ADDRESS")]
    at: String,
    /// What the serial sensor speaks: nonin-oem3, nonin-ascii, contec-cms50dplus, contec-cms50d-115200 or
    /// fogward-level0. Of a Bluetooth device: fogward-level0, or none for the standard profiles.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Name of the device, for people; one is made without it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// File with the pairing key of a fogward-level0 sensor.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    answers: Answers,
}

impl Pair {
    fn run(&self) -> anyhow::Result<Outcome> {
        let device = if is_address(&self.at) {
            self.pair_bluetooth()?
        } else {
            self.pair_serial()?
        };
        print_one(&device, self.api.json)
    }

    fn key(&self) -> anyhow::Result<Option<String>> {
        let Some(file) = &self.key_file else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(file);
        let text = text.with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Some(text.trim().to_owned()))
    }

    fn pair_bluetooth(&self) -> anyhow::Result<Row> {
        let key = self.key()?;
        let profile = key.as_ref().map(|_| "fogward-level0");
        ensure!(
            self.profile.as_deref() == profile,
            "with a Bluetooth address, give both --profile fogward-level0 and --key-file, or neither"
        );
        let asked = StartBluetoothPairing {
            key,
            ..self.answers.asking(&self.at, self.name.as_ref())
        };
        device_bluetooth::pair(&self.api, &asked, &self.answers)
    }

    fn pair_serial(&self) -> anyhow::Result<Row> {
        let profile = self.profile.clone();
        let profile = profile.context("say with --profile what the sensor at this port speaks")?;
        let path = std::path::absolute(&self.at)?;
        let asked = AddDevice {
            name: self.name.clone(),
            profile,
            path: path.display().to_string(),
            key: self.key()?,
            code: None,
        };
        self.api.tell(&Question::path("/api/devices"), &asked)
    }
}
