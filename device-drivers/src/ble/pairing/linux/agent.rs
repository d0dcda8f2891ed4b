//! Our `org.bluez.Agent1`: what BlueZ asks while it pairs one device, handed on to a person.
//!
//! It serves the one device it was made for and refuses all others. It leaves out the PIN codes of
//! Bluetooth Classic, which are refused.

use super::super::{Answer, Passkey, Prompt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, mpsc, oneshot};
use zbus::zvariant::{ObjectPath, OwnedObjectPath};

/// What happened in a pairing, as far as this side saw it: BlueZ reports most failures by one name.
#[derive(Debug, Default)]
pub(super) struct Witness {
    entered_passkey: AtomicBool,
    refused: AtomicBool,
}

impl Witness {
    /// Whether a person entered digits.
    pub(super) fn entered_passkey(&self) -> bool {
        self.entered_passkey.load(Ordering::Relaxed)
    }

    /// Whether a person said no.
    pub(super) fn refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

/// The answers that are not one; BlueZ knows them by these names.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.bluez.Error")]
pub(super) enum Refusal {
    /// The bus failed.
    #[zbus(error)]
    ZBus(zbus::Error),
    /// Nobody wants this.
    Rejected(String),
    /// BlueZ withdrew the question.
    Canceled(String),
}

#[derive(Debug)]
pub(super) struct Agent {
    pub(super) device: OwnedObjectPath,
    pub(super) prompts: mpsc::Sender<Prompt>,
    pub(super) witness: Arc<Witness>,
    pub(super) withdrawn: Notify,
}

impl Agent {
    fn check(&self, device: &ObjectPath<'_>) -> Result<(), Refusal> {
        if self.device.as_str() == device.as_str() {
            Ok(())
        } else {
            Err(Refusal::Rejected(
                "another device is being paired".to_owned(),
            ))
        }
    }

    /// Asks the person and waits, until the question is withdrawn.
    async fn ask<T>(&self, prompt: Prompt, answer: oneshot::Receiver<T>) -> Result<T, Refusal> {
        let refused = || {
            self.witness.refused.store(true, Ordering::Relaxed);
            Refusal::Rejected("not wanted".to_owned())
        };
        self.prompts.send(prompt).await.map_err(|_| refused())?;
        tokio::select! {
            answer = answer => answer.map_err(|_| refused()),
            () = self.withdrawn.notified() => Err(Refusal::Canceled("withdrawn".to_owned())),
        }
    }

    async fn confirm(&self, prompt: impl FnOnce(Answer<bool>) -> Prompt) -> Result<(), Refusal> {
        let (answer, answered) = Answer::new();
        if self.ask(prompt(answer), answered).await? {
            return Ok(());
        }
        self.witness.refused.store(true, Ordering::Relaxed);
        Err(Refusal::Rejected("not confirmed".to_owned()))
    }
}

#[zbus::interface(name = "org.bluez.Agent1")]
impl Agent {
    fn release(&self) {}

    fn request_pin_code(&self, _device: ObjectPath<'_>) -> Result<String, Refusal> {
        Err(Refusal::Rejected("no PIN codes".to_owned()))
    }

    fn display_pin_code(&self, _device: ObjectPath<'_>, _pin: &str) -> Result<(), Refusal> {
        Err(Refusal::Rejected("no PIN codes".to_owned()))
    }

    async fn request_passkey(&self, device: ObjectPath<'_>) -> Result<u32, Refusal> {
        self.check(&device)?;
        let (answer, answered) = Answer::new();
        let passkey = self.ask(Prompt::EnterPasskey(answer), answered).await?;
        self.witness.entered_passkey.store(true, Ordering::Relaxed);
        Ok(passkey.number())
    }

    async fn display_passkey(
        &self,
        device: ObjectPath<'_>,
        passkey: u32,
        entered: u16,
    ) -> Result<(), Refusal> {
        self.check(&device)?;
        let passkey = digits(passkey)?;
        self.witness.entered_passkey.store(true, Ordering::Relaxed);
        // Progress that nobody takes is not worth waiting for.
        let _ = self
            .prompts
            .try_send(Prompt::ShowPasskey { passkey, entered });
        Ok(())
    }

    async fn request_confirmation(
        &self,
        device: ObjectPath<'_>,
        passkey: u32,
    ) -> Result<(), Refusal> {
        self.check(&device)?;
        let passkey = digits(passkey)?;
        self.confirm(|answer| Prompt::Compare { passkey, answer })
            .await
    }

    async fn request_authorization(&self, device: ObjectPath<'_>) -> Result<(), Refusal> {
        self.check(&device)?;
        self.confirm(Prompt::JustWorks).await
    }

    /// A service of the device that is being paired may be used.
    fn authorize_service(&self, device: ObjectPath<'_>, _uuid: &str) -> Result<(), Refusal> {
        self.check(&device)
    }

    fn cancel(&self) {
        self.withdrawn.notify_waiters();
    }
}

fn digits(number: u32) -> Result<Passkey, Refusal> {
    Passkey::new(number).map_err(|error| Refusal::Rejected(error.to_string()))
}
