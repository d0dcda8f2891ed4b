//! Pairings under way: each asks its questions here until a person has answered them, and adds the device at
//! its end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use device_drivers::HostKey;
use device_drivers::ble::pairing::{
    Answer, Pairing, PairingCode, PairingError, Passkey, Prompt, Step,
};
use device_drivers::ble::{BleConfig, PeripheralAddress};
use device_drivers::profile::Profile;
use fog_api::{
    AnswerPairing, ApiError, BluetoothPairing, Device, PairingStage, StartBluetoothPairing,
};
use fogward_level0::PairingCode as OneTimeCode;
use tokio::sync::watch;

use super::{BLUETOOTH_PROFILE, path_of};
use crate::clock::now_millis;
use crate::failure::Failure;
use crate::ingest::random_handle;
use crate::node::Node;
use crate::pairing::{checked_name, new_id, parse_key};
use crate::provisioning::parse_code;
use crate::vault::devices::DeviceRow;

/// Most pairings at once.
const MAX_PAIRINGS: usize = 4;
/// How long the end of a pairing can be asked for.
const REMEMBERED: Duration = Duration::from_secs(300);

/// The pairings under way, and how the last ones ended.
#[derive(Default)]
pub(crate) struct Pairings(Mutex<BTreeMap<String, Arc<Ongoing>>>);

/// One of them.
struct Ongoing {
    id: String,
    address: String,
    shown: Mutex<Shown>,
    cancel: watch::Sender<bool>,
}

/// What a device that speaks level-0 has.
enum Secret {
    Key(HostKey),
    /// No key yet.
    Code(OneTimeCode),
}

struct Shown {
    stage: PairingStage,
    answer: Option<Wanted>,
    ended: Option<Instant>,
}

/// What a question wants.
enum Wanted {
    Passkey(Answer<Passkey>),
    Consent(Answer<bool>),
}

impl Ongoing {
    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, stage: PairingStage, answer: Option<Wanted>) {
        let mut shown = self.shown();
        shown.ended = stage.is_end().then(Instant::now);
        (shown.stage, shown.answer) = (stage, answer);
    }

    fn view(&self) -> BluetoothPairing {
        BluetoothPairing {
            id: self.id.clone(),
            address: self.address.clone(),
            stage: self.shown().stage.clone(),
        }
    }
}

impl Pairings {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Ongoing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cancels those under way.
    pub(super) fn cancel_all(&self) {
        for ongoing in self.lock().values() {
            ongoing.cancel.send_replace(true);
        }
    }

    /// Begins one, unless there are too many, or one with this device.
    fn begin(&self, address: &PeripheralAddress) -> Result<Arc<Ongoing>, Failure> {
        let mut all = self.lock();
        all.retain(|_, ongoing| {
            let ended = ongoing.shown().ended;
            ended.is_none_or(|ended| ended.elapsed() < REMEMBERED)
        });
        let under_way = || {
            all.values()
                .filter(|ongoing| ongoing.shown().ended.is_none())
        };
        if under_way().count() >= MAX_PAIRINGS
            || under_way().any(|ongoing| ongoing.address == address.as_str())
        {
            return Err(Failure::new(
                409,
                "PAIR-12",
                "The device was not paired.",
                format!("It is being paired already, or {MAX_PAIRINGS} others are."),
                "Finish or cancel one of them first.",
            ));
        }
        let ongoing = Arc::new(Ongoing {
            id: new_id()?,
            address: address.as_str().to_owned(),
            shown: Mutex::new(Shown {
                stage: PairingStage::Connecting,
                answer: None,
                ended: None,
            }),
            cancel: watch::Sender::new(false),
        });
        all.insert(ongoing.id.clone(), Arc::clone(&ongoing));
        Ok(ongoing)
    }

    fn find(&self, id: &str) -> Result<Arc<Ongoing>, Failure> {
        let next = "Begin again; how a pairing ended is remembered for five minutes.";
        let found = self.lock().get(id).cloned();
        found.ok_or_else(|| Failure::not_found("There is no such pairing.", next))
    }
}

impl Node {
    /// Begins to pair with a Bluetooth device; answers at once.
    ///
    /// # Errors
    /// [`Failure`] if the address or the name cannot be one, or the device is paired already.
    pub fn start_bluetooth_pairing(
        self: &Arc<Self>,
        asked: StartBluetoothPairing,
    ) -> Result<BluetoothPairing, Failure> {
        let address = parse_address(&asked.address)?;
        let name = asked.name.as_deref().map(checked_name).transpose()?;
        let secret = secret_in(&asked)?;
        // A key is never given to a device that has one.
        if !asked.repair || secret.is_some() {
            self.check_free(&path_of(&address))?;
        }
        let ongoing = self.bluetooth.pairings.begin(&address)?;
        let (node, view) = (Arc::clone(self), ongoing.view());
        tokio::spawn(async move {
            let stage = match node
                .pair_bluetooth(&ongoing, address, (name, secret), &asked)
                .await
            {
                Ok(device) => PairingStage::Paired { device: device.id },
                Err(error) => PairingStage::Failed { error },
            };
            ongoing.show(stage, None);
        });
        Ok(view)
    }

    /// Where a pairing stands.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub fn bluetooth_pairing(&self, id: &str) -> Result<BluetoothPairing, Failure> {
        Ok(self.bluetooth.pairings.find(id)?.view())
    }

    /// Answers a pairing's question.
    ///
    /// # Errors
    /// [`Failure`] if it asks for nothing, or for something else.
    pub fn answer_bluetooth_pairing(
        &self,
        id: &str,
        answer: AnswerPairing,
    ) -> Result<BluetoothPairing, Failure> {
        let ongoing = self.bluetooth.pairings.find(id)?;
        let mut shown = ongoing.shown();
        match (shown.answer.take(), answer) {
            (Some(Wanted::Consent(wanted)), AnswerPairing::Yes) => wanted.give(true),
            (Some(Wanted::Consent(wanted)), AnswerPairing::No) => wanted.give(false),
            // Dropping the question refuses.
            (Some(Wanted::Passkey(_)), AnswerPairing::No) => {}
            (Some(Wanted::Passkey(wanted)), AnswerPairing::Passkey { passkey }) => {
                match passkey.trim().parse() {
                    Ok(passkey) => wanted.give(passkey),
                    Err(_) => {
                        shown.answer = Some(Wanted::Passkey(wanted));
                        return Err(not_six_digits());
                    }
                }
            }
            (wanted, _) => {
                shown.answer = wanted;
                return Err(not_asked());
            }
        }
        shown.stage = PairingStage::Connecting;
        drop(shown);
        Ok(ongoing.view())
    }

    /// Cancels a pairing.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub fn cancel_bluetooth_pairing(&self, id: &str) -> Result<(), Failure> {
        self.bluetooth.pairings.find(id)?.cancel.send_replace(true);
        Ok(())
    }

    /// Pairs, and adds the device or goes on with it.
    async fn pair_bluetooth(
        self: &Arc<Self>,
        ongoing: &Ongoing,
        address: PeripheralAddress,
        (name, secret): (Option<String>, Option<Secret>),
        asked: &StartBluetoothPairing,
    ) -> Result<Device, ApiError> {
        let path = path_of(&address);
        let mut devices = self.devices().into_iter();
        let here = devices.find(|device| device.path == path);
        let name = name
            .or_else(|| here.as_ref().map(|here| here.name.clone()))
            .or_else(|| self.bluetooth.name_of(&address))
            .unwrap_or_else(|| address.as_str().to_owned());
        let config = BleConfig {
            name: Some(name.clone()),
            adapter: self.bluetooth.adapter.clone(),
            ..BleConfig::new(address)
        };
        if let Some(here) = &here {
            // Two that connect to one device at once are in each other's way.
            self.rest_device(&here.id)
                .await
                .map_err(|failure| failure.error)?;
        }
        let bonded = match asked.bond {
            true => bond(ongoing, config, asked.repair).await,
            false => Ok(()),
        };
        let done = match here {
            Some(here) => self.wake_device(&here.id),
            None if bonded.is_err() => Err(Failure::stopping()),
            None => self.add_bluetooth(ongoing, name, path, secret).await,
        };
        bonded?;
        done.map_err(|failure| failure.error)
    }

    /// Adds a device that is bonded with, if it was to be.
    async fn add_bluetooth(
        self: &Arc<Self>,
        ongoing: &Ongoing,
        name: String,
        path: String,
        secret: Option<Secret>,
    ) -> Result<Device, Failure> {
        let key = match secret {
            Some(Secret::Code(code)) => {
                let mut cancelled = ongoing.cancel.subscribe();
                return tokio::select! {
                    // It lives as long as the pairing.
                    _ = cancelled.wait_for(|is_cancelled| *is_cancelled) => Err(taken_back()),
                    device = self.provision_device(&code, name, path) => device,
                };
            }
            Some(Secret::Key(key)) => Some(key),
            None => None,
        };
        self.pair(self.new_row(name, path, key.as_ref())?).await
    }

    /// The row of a new device: of one that speaks level-0, if there is a key.
    fn new_row(
        &self,
        name: String,
        path: String,
        key: Option<&HostKey>,
    ) -> Result<DeviceRow, Failure> {
        let id = new_id()?;
        let profile = match key {
            None => BLUETOOTH_PROFILE,
            Some(_) => Profile::FogwardLevel0.name(),
        };
        let sealed_key = key.map(|key| self.master.seal(id.as_bytes(), &key.expose()));
        Ok(DeviceRow {
            id,
            name,
            profile: profile.into(),
            path,
            simulated: false,
            sealed_key: sealed_key.transpose().map_err(Failure::internal)?,
            handle: random_handle().map_err(Failure::internal)?,
            added: now_millis(),
            durable_sequence: None,
            handovers: 0,
        })
    }
}

/// What a level-0 device has, if it is to be one.
fn secret_in(asked: &StartBluetoothPairing) -> Result<Option<Secret>, Failure> {
    let key = asked.key.as_deref();
    if let Some(code) = &asked.code {
        let code = parse_code(Profile::FogwardLevel0, code, key.is_some())?;
        return Ok(Some(Secret::Code(code)));
    }
    let key = key.map(|key| parse_key(Profile::FogwardLevel0, Some(key)));
    Ok(key.transpose()?.flatten().map(Secret::Key))
}

/// Bonds with a device, asking the person what the device asks.
async fn bond(ongoing: &Ongoing, config: BleConfig, repair: bool) -> Result<(), ApiError> {
    let mut cancelled = ongoing.cancel.subscribe();
    let mut pairing = match repair {
        true => Pairing::repair(config),
        false => Pairing::start(config),
    };
    let mut is_cancelled = false;
    loop {
        let step = tokio::select! {
            step = pairing.next() => step,
            () = async { drop(cancelled.wait_for(|is| *is).await) }, if !is_cancelled => {
                is_cancelled = true;
                pairing.cancel();
                continue;
            }
        };
        match step {
            Step::Prompt(prompt) => ask(ongoing, prompt),
            Step::Ended(Ok(_)) => return Ok(()),
            // What the system has kept from before is a bond, too.
            Step::Ended(Err(error)) if error.code == PairingCode::AlreadyBonded => return Ok(()),
            Step::Ended(Err(error)) => return Err(words_of(error)),
        }
    }
}

fn ask(ongoing: &Ongoing, prompt: Prompt) {
    let (stage, answer) = match prompt {
        Prompt::ShowPasskey { passkey, entered } => {
            let passkey = passkey.to_string();
            (PairingStage::ShowPasskey { passkey, entered }, None)
        }
        Prompt::EnterPasskey(answer) => (PairingStage::EnterPasskey, Some(Wanted::Passkey(answer))),
        Prompt::Compare { passkey, answer } => {
            let passkey = passkey.to_string();
            (
                PairingStage::Compare { passkey },
                Some(Wanted::Consent(answer)),
            )
        }
        Prompt::JustWorks(answer) => (PairingStage::Confirm, Some(Wanted::Consent(answer))),
    };
    ongoing.show(stage, answer);
}

fn words_of(error: PairingError) -> ApiError {
    ApiError {
        code: error.code.to_string(),
        what: error.what,
        why: error.why.to_owned(),
        next: error.next.to_owned(),
    }
}

pub(crate) fn parse_address(text: &str) -> Result<PeripheralAddress, Failure> {
    text.trim().parse().map_err(|error| {
        Failure::new(
            400,
            "DEV-11",
            "The device was not paired.",
            format!("{error}."),
            "Choose a device from the list of those nearby.",
        )
    })
}

fn taken_back() -> Failure {
    Failure::new(
        409,
        PairingCode::Cancelled.as_str(),
        "The device was not paired.",
        "The pairing was cancelled here.",
        "Begin again when you are ready; the same code goes on.",
    )
}

fn not_six_digits() -> Failure {
    Failure::new(
        400,
        "DEV-12",
        "The passkey was not taken.",
        "A passkey is six digits.",
        "Type the digits that the device shows.",
    )
}

fn not_asked() -> Failure {
    Failure::new(
        409,
        "DEV-13",
        "The answer was not taken.",
        "The pairing does not ask for it now.",
        "See where the pairing stands, and answer what it asks.",
    )
}
