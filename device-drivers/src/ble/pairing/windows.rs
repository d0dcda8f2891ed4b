//! Pairing through Windows, by WinRT's custom pairing as `bluest` offers it: the system asks what it asks, and
//! the person answers in Fogward's own dialog.
//!
//! Upon a pairing: find the device by a scan, pair, answer, and see that the bond was kept. Whoever is asked may
//! refuse; a question that nobody answers counts as refused. This host cannot show digits for the device to take:
//! `bluest` shows them and does not accept the pairing (0.6.9), so that Windows ends it.

use super::{Answer, BondState, Bonded, PairingCode, PairingError, Passkey, Prompt};
use crate::ble::BleConfig;
use async_trait::async_trait;
use bluest::error::ErrorKind;
use bluest::pairing::{IoCapability, PairingAgent, PairingRejected};
use bluest::{Adapter, Device};
use futures_util::StreamExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

const ANSWER_AT_MOST: Duration = Duration::from_secs(5);
const SEARCH_AT_MOST: Duration = Duration::from_secs(15);
/// A connection and then a pairing, of which no step may take longer than 30 s (Vol 3, Part H, 3.4).
const PAIR_AT_MOST: Duration = Duration::from_secs(75);

pub(super) async fn pair(
    config: &BleConfig,
    prompts: mpsc::Sender<Prompt>,
    mut cancelled: watch::Receiver<bool>,
) -> Result<Bonded, PairingError> {
    let cancel = async {
        // A sender that is gone cancels, too.
        let _ = cancelled.wait_for(|is_cancelled| *is_cancelled).await;
    };
    tokio::select! {
        biased;
        () = cancel => Err(PairingCode::Cancelled.of(config)),
        paired = timeout(PAIR_AT_MOST, find_and_pair(config, prompts)) => {
            paired.unwrap_or_else(|_| Err(PairingCode::TimedOut.of(config)))
        }
    }
}

pub(super) async fn bond_state(config: &BleConfig) -> Result<BondState, PairingError> {
    let device = find(config).await?;
    Ok(match device.is_paired().await {
        // What Windows is paired with it also trusts.
        Ok(true) => BondState::Bonded { trusted: true },
        Ok(false) => BondState::NotBonded,
        Err(_) => BondState::Unknown,
    })
}

pub(super) async fn unpair(config: &BleConfig) -> Result<(), PairingError> {
    let device = find(config).await?;
    match timeout(ANSWER_AT_MOST, device.unpair()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(failure(error.kind(), &Person::default()).of(config)),
        Err(_) => Err(PairingCode::TimedOut.of(config)),
    }
}

async fn find_and_pair(
    config: &BleConfig,
    prompts: mpsc::Sender<Prompt>,
) -> Result<Bonded, PairingError> {
    let device = find(config).await?;
    if device.is_paired().await.unwrap_or(false) {
        return Err(PairingCode::AlreadyBonded.of(config));
    }
    let person = Person {
        prompts: Some(prompts),
        ..Person::default()
    };
    let paired = device.pair_with_agent(&person).await;
    paired.map_err(|error| failure(error.kind(), &person).of(config))?;
    match device.is_paired().await {
        Ok(true) => Ok(Bonded::Here),
        Ok(false) | Err(_) => Err(PairingCode::NotKept.of(config)),
    }
}

/// The device, found by a scan: Windows names it by a text that ends in its address.
async fn find(config: &BleConfig) -> Result<Device, PairingError> {
    let adapter = Adapter::default().await;
    let adapter = adapter.ok_or_else(|| PairingCode::AdapterMissing.of(config))?;
    let ready = timeout(ANSWER_AT_MOST, adapter.wait_available()).await;
    if !matches!(ready, Ok(Ok(()))) {
        return Err(PairingCode::AdapterOff.of(config));
    }
    let address = config.address.as_str().to_lowercase();
    let search = async {
        let mut heard = adapter.scan(&[]).await.ok()?;
        while let Some(heard) = heard.next().await {
            if heard
                .device
                .id()
                .to_string()
                .to_lowercase()
                .ends_with(&address)
            {
                return Some(heard.device);
            }
        }
        None
    };
    let found = timeout(SEARCH_AT_MOST, search).await;
    let found = found.ok().flatten();
    found.ok_or_else(|| PairingCode::NotFound.of(config))
}

/// The person who pairs, and what they did.
#[derive(Default)]
struct Person {
    prompts: Option<mpsc::Sender<Prompt>>,
    has_refused: AtomicBool,
    has_entered: AtomicBool,
}

impl Person {
    /// Asks, and waits for the answer.
    async fn ask<T>(&self, prompt: impl FnOnce(Answer<T>) -> Prompt) -> Result<T, PairingRejected> {
        let (answer, given) = Answer::new();
        let asked = match &self.prompts {
            Some(prompts) => prompts.send(prompt(answer)).await.is_ok(),
            None => false,
        };
        let given = if asked { given.await.ok() } else { None };
        given.ok_or_else(|| self.refuse())
    }

    fn refuse(&self) -> PairingRejected {
        self.has_refused.store(true, Ordering::Relaxed);
        PairingRejected::default()
    }

    async fn agree(
        &self,
        prompt: impl FnOnce(Answer<bool>) -> Prompt,
    ) -> Result<(), PairingRejected> {
        match self.ask(prompt).await? {
            true => Ok(()),
            false => Err(self.refuse()),
        }
    }
}

#[async_trait]
impl PairingAgent for Person {
    fn io_capability(&self) -> IoCapability {
        IoCapability::KeyboardDisplay
    }

    async fn confirm(&self, _device: &Device) -> Result<(), PairingRejected> {
        self.agree(Prompt::JustWorks).await
    }

    async fn confirm_passkey(
        &self,
        _device: &Device,
        passkey: bluest::pairing::Passkey,
    ) -> Result<(), PairingRejected> {
        let passkey = Passkey::new(passkey.into()).map_err(|_| self.refuse())?;
        self.agree(|answer| Prompt::Compare { passkey, answer })
            .await
    }

    async fn request_passkey(
        &self,
        _device: &Device,
    ) -> Result<bluest::pairing::Passkey, PairingRejected> {
        let passkey = self.ask(Prompt::EnterPasskey).await?;
        self.has_entered.store(true, Ordering::Relaxed);
        passkey.number().try_into().map_err(|_| self.refuse())
    }

    fn display_passkey(&self, _device: &Device, passkey: bluest::pairing::Passkey) {
        let (Some(prompts), Ok(passkey)) = (&self.prompts, Passkey::new(passkey.into())) else {
            return;
        };
        // A full queue shows what it showed before.
        let _ = prompts.try_send(Prompt::ShowPasskey {
            passkey,
            entered: 0,
        });
    }
}

/// What an error means, given what the person did.
fn failure(kind: ErrorKind, person: &Person) -> PairingCode {
    if person.has_refused.load(Ordering::Relaxed) {
        return PairingCode::RefusedHere;
    }
    match kind {
        ErrorKind::AdapterUnavailable => PairingCode::AdapterMissing,
        ErrorKind::NotReady => PairingCode::AdapterOff,
        ErrorKind::NotFound => PairingCode::NotFound,
        ErrorKind::ConnectionFailed | ErrorKind::NotConnected => PairingCode::ConnectionFailed,
        ErrorKind::Timeout => PairingCode::TimedOut,
        ErrorKind::AlreadyScanning => PairingCode::Busy,
        ErrorKind::NotAuthorized if person.has_entered.load(Ordering::Relaxed) => {
            PairingCode::WrongPasskey
        }
        ErrorKind::NotAuthorized => PairingCode::RefusedByDevice,
        _ => PairingCode::Failed,
    }
}
