//! `fogward device scan`, and `fogward device pair` with a Bluetooth address: questions and answers on the
//! terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use fog_api::{
    AnswerPairing, BluetoothPairing, BluetoothView, Device, FoundDevice, PairingStage,
    StartBluetoothPairing,
};

use super::Outcome;
use super::client::{Api, Question, refuse};
use super::output::{print, print_json};
use super::table::{cell, numbers, table, words};

/// How often it is asked what there is.
const LOOK: Duration = Duration::from_millis(500);

/// `fogward device scan`
#[derive(Debug, clap::Args)]
pub(super) struct Scan {
    #[command(flatten)]
    api: Api,
    /// For how long, in seconds.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
}

impl Scan {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let until = Instant::now() + Duration::from_secs(self.seconds);
        let view = loop {
            let view: BluetoothView = self.api.ask(&Question::path("/api/bluetooth"))?;
            if Instant::now() >= until {
                break view;
            }
            std::thread::sleep(LOOK);
        };
        if self.api.json {
            print_json(&view)?;
        } else {
            let rows: Vec<_> = view.found.iter().map(cells).collect();
            print(&table(
                [
                    words("address"),
                    words("name"),
                    numbers("signal dBm"),
                    words("services"),
                    words("paired as"),
                ],
                &rows,
            ))?;
        }
        match view.trouble {
            Some(error) => Err(refuse(error)),
            None => Ok(Outcome::Yes),
        }
    }
}

fn cells(device: &FoundDevice) -> [String; 5] {
    [
        device.address.clone(),
        cell(device.name.as_ref()),
        cell(device.signal_dbm),
        device.services.join(", "),
        cell(device.paired_as.as_ref()),
    ]
}

/// How to answer a device's questions.
#[derive(Debug, clap::Args)]
pub(super) struct Answers {
    /// The six digits that the Bluetooth device shows, where it asks for them; asked for on a terminal
    /// without it.
    #[arg(long, value_name = "DIGITS")]
    passkey: Option<String>,
    /// Say yes to a Bluetooth device that can neither show nor take digits, or whose digits are the same.
    #[arg(long)]
    yes: bool,
    /// Do not bond with the Bluetooth device: only what it shows to everybody is read.
    #[arg(long)]
    no_bond: bool,
    /// Remove the bond there is first, for a Bluetooth device that has forgotten this machine.
    #[arg(long)]
    repair: bool,
}

/// Whether this is a Bluetooth address and no path.
pub(super) fn is_address(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    parts.len() == 6 && parts.iter().all(|part| part.len() == 2)
}

impl Answers {
    /// Asks to pair with the device at this address, as one of the standard profiles.
    pub(super) fn asking(&self, address: &str, name: Option<&String>) -> StartBluetoothPairing {
        StartBluetoothPairing {
            address: address.to_owned(),
            name: name.cloned(),
            bond: !self.no_bond,
            repair: self.repair,
            key: None,
            code: None,
        }
    }
}

/// Pairs with a device; gives it once it is paired.
pub(super) fn pair(
    api: &Api,
    asked: &StartBluetoothPairing,
    answers: &Answers,
) -> anyhow::Result<Device> {
    let all = "/api/bluetooth/pairings";
    let mut pairing: BluetoothPairing = api.tell(&Question::path(all), asked)?;
    let mut shown = None;
    loop {
        let question = Question::named(all, &pairing.id);
        match &pairing.stage {
            PairingStage::Paired { device } => {
                return api.ask(&Question::named("/api/devices", device));
            }
            PairingStage::Failed { error } => return Err(refuse(error.clone())),
            PairingStage::ShowPasskey { passkey, .. } if shown.as_ref() != Some(passkey) => {
                tell(&format!("Type {passkey} on the device."));
                shown = Some(passkey.clone());
            }
            stage if stage.is_question() => {
                let answer = match answers.to(stage) {
                    Ok(answer) => answer,
                    Err(error) => {
                        api.delete(&question)?;
                        return Err(error);
                    }
                };
                pairing = api.tell(&question.then("answer"), &answer)?;
                continue;
            }
            _ => {}
        }
        std::thread::sleep(LOOK);
        pairing = api.ask(&question)?;
    }
}

impl Answers {
    fn to(&self, stage: &PairingStage) -> anyhow::Result<AnswerPairing> {
        match stage {
            PairingStage::EnterPasskey => {
                let passkey = match &self.passkey {
                    Some(passkey) => passkey.clone(),
                    None => ask("Which six digits does the device show?", "--passkey")?,
                };
                Ok(AnswerPairing::Passkey { passkey })
            }
            PairingStage::Compare { passkey } => {
                self.consent(&format!("Does the device show {passkey}? (yes or no)"))
            }
            _ => self
                .consent("The device can neither show nor take digits. Pair with it? (yes or no)"),
        }
    }

    fn consent(&self, question: &str) -> anyhow::Result<AnswerPairing> {
        let is_yes = self.yes || ask(question, "--yes")?.eq_ignore_ascii_case("yes");
        Ok(if is_yes {
            AnswerPairing::Yes
        } else {
            AnswerPairing::No
        })
    }
}

pub(super) fn tell(words: &str) {
    // Nobody may be reading it.
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// Asks on the terminal.
pub(super) fn ask(question: &str, option: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        bail!("the device asks: {question} There is no terminal to answer on; give {option}");
    }
    tell(question);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.context("the answer could not be read")?;
    Ok(answer.trim().to_owned())
}
