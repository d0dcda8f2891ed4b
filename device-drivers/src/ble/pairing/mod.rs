//! Pairing and bonds.
//!
//! ```text
//! Pairing::start ─▶ Prompt … Prompt ─▶ Ended(Bonded | PairingError)
//!                     │ ShowPasskey    digits to type on the device; no answer
//!                     │ EnterPasskey   digits the device shows
//!                     │ Compare        whether both show the same digits
//!                     └ JustWorks      whether to pair at all
//! ```
//!
//! The association models of the Security Manager (Core Specification, Vol 3, Part H, 2.3.5), with this
//! host as one that has a keyboard and a display. On Linux an agent of our own answers BlueZ for the
//! time of one pairing, on Windows WinRT's custom pairing. macOS pairs by itself when a device is first
//! used: there [`Pairing`] ends at once with [`Bonded::BySystem`].
//!
//! Stop a running device before it is paired: two that connect at once are in each other's way. It
//! leaves out out-of-band pairing and PIN codes of Bluetooth Classic.

mod error;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(any(target_os = "linux", windows)))]
mod system;
#[cfg(windows)]
mod windows;

pub use error::{PairingCode, PairingError};

use crate::ble::BleConfig;
use core::fmt;
use core::str::FromStr;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(not(any(target_os = "linux", windows)))]
use system as platform;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
#[cfg(windows)]
use windows as platform;

/// A pairing asks a few questions at most; this many wait for the person.
const PROMPTS: usize = 8;

/// Six decimal digits, the same on both sides of a pairing. Secret while it goes on, so `Debug` shows
/// none of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Passkey(u32);

/// The text is not six decimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a passkey is six digits")]
pub struct NotAPasskey;

impl Passkey {
    /// From a number of at most six digits.
    ///
    /// # Errors
    /// [`NotAPasskey`] if it has more.
    pub const fn new(number: u32) -> Result<Passkey, NotAPasskey> {
        if number <= 999_999 {
            Ok(Passkey(number))
        } else {
            Err(NotAPasskey)
        }
    }

    /// As a number, 0 to 999,999.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl FromStr for Passkey {
    type Err = NotAPasskey;

    fn from_str(text: &str) -> Result<Passkey, NotAPasskey> {
        if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAPasskey);
        }
        text.parse().map(Passkey).map_err(|_| NotAPasskey)
    }
}

impl fmt::Display for Passkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for Passkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passkey(…)")
    }
}

/// The place for a person's answer. Dropping it refuses.
#[derive(Debug)]
pub struct Answer<T>(oneshot::Sender<T>);

impl<T> Answer<T> {
    #[cfg_attr(not(any(target_os = "linux", windows)), allow(dead_code))]
    fn new() -> (Answer<T>, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Answer(sender), receiver)
    }

    /// Gives the answer. Too late for a pairing that has ended; then its end says so.
    pub fn give(self, answer: T) {
        let _ = self.0.send(answer);
    }
}

/// A question to the person who pairs.
#[derive(Debug)]
pub enum Prompt {
    /// Type these digits on the device. Comes again as digits are typed.
    ShowPasskey {
        /// The digits.
        passkey: Passkey,
        /// How many were typed so far.
        entered: u16,
    },
    /// Enter the digits that the device shows.
    EnterPasskey(Answer<Passkey>),
    /// Does the device show the same digits?
    Compare {
        /// The digits.
        passkey: Passkey,
        /// Whether they are the same.
        answer: Answer<bool>,
    },
    /// The device can neither show nor take digits: pair with it? Nobody in between would be noticed.
    JustWorks(Answer<bool>),
}

/// How a pairing ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bonded {
    /// Both sides keep the keys, and the system trusts the device.
    Here,
    /// The system pairs by itself, and asks the person itself, when the device is first used.
    BySystem,
}

/// What the system keeps of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BondState {
    /// It does not know the device, or has no keys of it.
    NotBonded,
    /// It has keys. Whether the device still has them is seen at the next connection.
    Bonded {
        /// Whether the device may connect without a question.
        trusted: bool,
    },
    /// The system keeps this to itself.
    Unknown,
}

/// What comes next in a pairing.
#[derive(Debug)]
pub enum Step {
    /// A question.
    Prompt(Prompt),
    /// The end.
    Ended(Result<Bonded, PairingError>),
}

/// A pairing under way. Dropping it cancels it.
#[derive(Debug)]
pub struct Pairing {
    prompts: mpsc::Receiver<Prompt>,
    task: JoinHandle<Result<Bonded, PairingError>>,
    cancel: watch::Sender<bool>,
    config: BleConfig,
}

impl Pairing {
    /// Finds, connects and pairs the device.
    ///
    /// Must be called within a tokio runtime with I/O and time enabled.
    #[must_use]
    pub fn start(config: BleConfig) -> Pairing {
        Pairing::spawn(config, false)
    }

    /// Removes the bond there is and pairs anew: for a device that has forgotten this host.
    ///
    /// Must be called within a tokio runtime with I/O and time enabled.
    #[must_use]
    pub fn repair(config: BleConfig) -> Pairing {
        Pairing::spawn(config, true)
    }

    fn spawn(config: BleConfig, removes_first: bool) -> Pairing {
        let (sender, prompts) = mpsc::channel(PROMPTS);
        let (cancel, cancelled) = watch::channel(false);
        let paired = config.clone();
        let task = tokio::spawn(async move {
            if removes_first {
                platform::unpair(&paired).await?;
            }
            platform::pair(&paired, sender, cancelled).await
        });
        Pairing {
            prompts,
            task,
            cancel,
            config,
        }
    }

    /// The next question, or the end. Answer a question before the next call, or hand its answer on.
    /// Not to be called after the end.
    pub async fn next(&mut self) -> Step {
        if let Some(prompt) = self.prompts.recv().await {
            return Step::Prompt(prompt);
        }
        let ended = (&mut self.task).await;
        Step::Ended(ended.unwrap_or_else(|_panic| Err(PairingCode::Failed.of(&self.config))))
    }

    /// Asks for the end; it comes as [`PairingCode::Cancelled`].
    pub fn cancel(&self) {
        self.cancel.send_replace(true);
    }
}

/// What the system keeps of the device.
///
/// # Errors
/// A [`PairingError`] if the system's Bluetooth or the adapter is missing.
pub async fn bond_state(config: &BleConfig) -> Result<BondState, PairingError> {
    platform::bond_state(config).await
}

/// Removes the bond and all the system knows of the device. Done already is no error.
///
/// # Errors
/// A [`PairingError`] if the system's Bluetooth or the adapter is missing, or the system does not
/// let programs remove bonds.
pub async fn unpair(config: &BleConfig) -> Result<(), PairingError> {
    platform::unpair(config).await
}

#[cfg(test)]
mod tests {
    //! Goal: a passkey is six digits and in no log. Method: texts, numbers, `Debug`.
    use super::{NotAPasskey, Passkey};

    #[test]
    fn passkeys_have_six_digits() {
        for (text, number) in [
            ("000042", Ok(42)),
            ("999999", Ok(999_999)),
            ("42", Err(NotAPasskey)),
            ("1234567", Err(NotAPasskey)),
            ("+12345", Err(NotAPasskey)),
            ("12345é", Err(NotAPasskey)),
        ] {
            assert_eq!(text.parse().map(Passkey::number), number, "{text}");
        }
        assert!(Passkey::new(1_000_000).is_err());
        let passkey = Passkey::new(42).unwrap();
        assert_eq!(passkey.to_string(), "000042");
        assert!(!format!("{passkey:?}").contains("42"));
    }
}
