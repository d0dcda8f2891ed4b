//! Pairing a level-0 device that has only its one-time code: the node makes the key, keeps it sealed,
//! hands it over the line, and pairs the device once it has proven it (`docs/level0-protocol.md`,
//! *Pairing over the line*).
//!
//! ```text
//! device ── Offer ──▶ node: make the key ──▶ keep it, durable ── Key ──▶ device stores it
//!   │                                                                        │
//!   └──── any frame under the key ──▶ one commit: device row, registration, kept key forgotten
//! ```
//!
//! Killed or reset at any moment, the same code typed again goes on:
//!
//! | the node ends | the device has | the next try with the code |
//! |---|---|---|
//! | before an offer is heard | no key | makes a key |
//! | before the kept key is durable | no key, for it was not answered | makes another key |
//! | after that, the answer lost or not sent | no key, and offers itself | answers with the kept key |
//! | after the device stored the key | the kept key, and no code any more | hears it prove the kept key |
//! | after the proof, before the commit | the kept key | the same |
//! | after the commit | the paired key | is refused: the port has its device, which is read |
//!
//! A device that is reset in between is in the third or the fourth line. Whoever asked may go: a try
//! that is under way ends with the request, and what is proven is paired all the same. One device at a
//! time, so that a code never has two keys. The line is a serial port or, by Bluetooth, two characteristics;
//! the same holds on both, and for a link that falls as for a plug that is pulled. It leaves out the exchange
//! itself, which is the driver's ([`serial::provision`], [`ble::provision`]), and removing kept keys of codes that
//! never come back: the device of such a code may hold the key.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use device_drivers::profile::Profile;
use device_drivers::{LinkReason, ProvisionError, Provisioned, ReasonCode, ble, serial};
use fog_api::{CheckCode, Device, Event, Provisioning as Shown, ProvisioningStage};
use fogward_level0::{CodeError, HostKey, PairingCode, PairingKey, Provisioning};
use ledger_core::Digest;
use tokio::sync::{Mutex, watch};
use zeroize::Zeroizing;

use crate::bluetooth::{is_bluetooth, words_of};
use crate::clock::now_millis;
use crate::failure::Failure;
use crate::ingest::{Ingest, Item, random_handle};
use crate::keystore::random;
use crate::node::Node;
use crate::pairing::new_id;
use crate::vault::devices::DeviceRow;
use crate::vault::provisionings::{self, KeptKey};

/// How long a device may take to offer itself, take its key and prove it: an offer comes each second,
/// and a person must have time to switch the device on.
const PATIENCE: Duration = Duration::from_secs(20);

/// The turn to pair with a code, and the end of it when the node stops.
#[derive(Default)]
pub(crate) struct Provisionings {
    turn: Arc<Mutex<()>>,
    is_over: watch::Sender<bool>,
}

impl Provisionings {
    /// Ends the pairing that is under way, if there is one.
    pub(crate) fn end(&self) {
        self.is_over.send_replace(true);
    }
}

impl Node {
    /// A one-time code as it is printed, if it is typed right. Nothing is done with it.
    ///
    /// # Errors
    /// [`Failure`] says what is wrong with it.
    pub fn check_code(&self, asked: &CheckCode) -> Result<CheckCode, Failure> {
        let code = read_code(&asked.code)?.to_text().as_str().to_owned();
        Ok(CheckCode { code })
    }

    /// Hands a fresh key, or the one that an earlier try kept, to the device of this code and pairs it.
    pub(crate) async fn provision_device(
        self: &Arc<Self>,
        code: &PairingCode,
        name: String,
        path: String,
    ) -> Result<Device, Failure> {
        let turn = Arc::clone(&self.provisionings.turn).try_lock_owned();
        let turn = turn.map_err(|_| busy())?;
        self.check_free(&path)?;
        self.check_room()?;
        let ingest = self.ingest().ok_or_else(Failure::stopping)?;
        self.end_previews_of(&path).await;
        let digest = digest_of(code);
        let pairing = self.pairing_of(code, &digest)?;
        let mut is_over = self.provisionings.is_over.subscribe();
        let proven = tokio::select! {
            // The sender lives as long as this node.
            _ = is_over.wait_for(|is_over| *is_over) => return Err(Failure::stopping()),
            proven = self.exchange(&path, pairing, digest, ingest) => proven?,
        };
        self.show_stage(&path, ProvisioningStage::Proven);
        let row = self.provisioned_row(&proven, name, path)?;
        let node = Arc::clone(self);
        let paired = tokio::spawn(async move {
            let _turn = turn;
            node.pair_with(row, Some(digest)).await
        });
        paired.await.map_err(Failure::internal)?
    }

    /// A pairing that goes on with the kept key, or begins with a fresh one.
    fn pairing_of(&self, code: &PairingCode, digest: &Digest) -> Result<Provisioning, Failure> {
        let Some(kept) = provisionings::find(&self.vault(), digest)? else {
            let secret = random::<32>().map_err(Failure::internal)?;
            return Ok(Provisioning::new(code, PairingKey::from_bytes(secret)));
        };
        let key = kept.open(&self.master).map_err(Failure::internal)?;
        let key = HostKey::from_bytes(&key).map_err(Failure::internal)?;
        Ok(Provisioning::resume(code, key))
    }

    /// Talks with the device until it has proven its key. The key is durable before it is sent.
    async fn exchange(
        &self,
        path: &str,
        pairing: Provisioning,
        code: Digest,
        ingest: Ingest,
    ) -> Result<Provisioned, Failure> {
        self.show_stage(path, ProvisioningStage::Listening);
        let mut is_kept = false;
        let store = |_, key: HostKey| {
            let is_first = !std::mem::replace(&mut is_kept, true);
            let ingest = ingest.clone();
            async move {
                if is_first {
                    if !self.keep(code, &key, &ingest).await {
                        return false;
                    }
                    self.show_stage(path, ProvisioningStage::Answered);
                }
                true
            }
        };
        let proven = match self.bluetooth.config_at(path) {
            Some(config) => ble::provision(&config, pairing, store, PATIENCE).await,
            None => serial::provision(Path::new(path), pairing, store, PATIENCE).await,
        };
        proven.map_err(|error| explain(error, is_bluetooth(path)))
    }

    /// Whether the key is on disk.
    async fn keep(&self, code: Digest, key: &HostKey, ingest: &Ingest) -> bool {
        let kept = match KeptKey::seal(&self.master, code, &key.expose(), now_millis()) {
            Ok(kept) => kept,
            Err(error) => {
                tracing::error!(%error, "a device's key was not kept");
                return false;
            }
        };
        let kept = ingest.until_durable(|done| Item::Keep(kept, done)).await;
        kept.is_ok()
    }

    fn provisioned_row(
        &self,
        proven: &Provisioned,
        name: String,
        path: String,
    ) -> Result<DeviceRow, Failure> {
        let id = new_id()?;
        let sealed = self.master.seal(id.as_bytes(), &proven.key.expose());
        Ok(DeviceRow {
            id,
            name,
            profile: Profile::FogwardLevel0.name().into(),
            path,
            simulated: false,
            sealed_key: Some(sealed.map_err(Failure::internal)?),
            handle: random_handle().map_err(Failure::internal)?,
            added: now_millis(),
            // What the device counts from here on and nobody hears is missing, and named.
            durable_sequence: proven
                .counter
                .checked_sub(1)
                .and_then(|before| i64::try_from(before).ok()),
            handovers: 0,
        })
    }

    fn show_stage(&self, path: &str, stage: ProvisioningStage) {
        let path = path.to_owned();
        self.live.tell(Event::Provisioning(Shown { path, stage }));
    }
}

/// Under what a code's key is kept. The code itself is stored nowhere.
fn digest_of(code: &PairingCode) -> Digest {
    let text = Zeroizing::new(format!("fogward one-time code\n{}", code.to_text()));
    Digest::of(text.as_bytes())
}

/// The one-time code, where the profile takes one and there is no key beside it.
pub(crate) fn parse_code(
    profile: Profile,
    code: &str,
    has_key: bool,
) -> Result<PairingCode, Failure> {
    if profile == Profile::FogwardLevel0 && !has_key {
        return read_code(code);
    }
    Err(Failure::new(
        400,
        "DEV-21",
        NOT_PAIRED,
        "A one-time code is for a fogward-level0 device that has no key yet, and stands in a key's place.",
        "Give the code or the key, not both; other profiles need neither.",
    ))
}

fn read_code(code: &str) -> Result<PairingCode, Failure> {
    code.parse().map_err(|error: CodeError| {
        Failure::new(
            400,
            "DEV-20",
            "The code is not right.",
            format!("As it was read, {error}."),
            "Compare it letter by letter with the device; it has seven groups of four.",
        )
    })
}

const NOT_PAIRED: &str = "The device was not paired.";

fn busy() -> Failure {
    Failure::new(
        409,
        "DEV-27",
        NOT_PAIRED,
        "Another device is being paired with a code now.",
        "Wait until that has ended, at most a minute, and try again.",
    )
}

fn explain(error: ProvisionError, by_radio: bool) -> Failure {
    let (code, why, next) = match error {
        ProvisionError::Link(reason) => return explain_link(&reason),
        ProvisionError::NotStored => return Failure::stopping(),
        ProvisionError::NotThisCode => (
            "DEV-22",
            "The device that was heard has another code than the one that was typed.",
            "Type the code that is printed on this very device, or choose the device it is printed on.",
        ),
        ProvisionError::Spent => (
            "DEV-23",
            "The device has a key already; a code is good for one pairing.",
            "If a pairing was begun at another node, finish it there; else have the device erased and given a new code.",
        ),
        ProvisionError::Silent if by_radio => (
            "DEV-24",
            "The device was connected, and said nothing that a level-0 device says.",
            "Check that this is the device the code is printed on, switch it off and on, and try again with the same code.",
        ),
        ProvisionError::Silent => (
            "DEV-24",
            "No level-0 device was heard on this port.",
            "Check the cable and the port, switch the device off and on, and try again with the same code.",
        ),
        ProvisionError::NotTaken => (
            "DEV-25",
            "The device offered itself, but has not proven the key it was sent.",
            "Leave it switched on and try again with the same code; it gets the same key.",
        ),
        ProvisionError::WrongClass => (
            "DEV-26",
            "The device proves its readings in another way than when its pairing was begun.",
            "Give it the firmware it had then, or have it erased and given a new code.",
        ),
    };
    Failure::new(409, code, NOT_PAIRED, why, next)
}

/// The link's own words, but that it is not tried again by itself: nothing is paired yet.
fn explain_link(reason: &LinkReason) -> Failure {
    let mut error = words_of(reason);
    match reason.code {
        ReasonCode::DeviceNotFound
        | ReasonCode::ConnectFailed
        | ReasonCode::DiscoveryFailed
        | ReasonCode::ConnectionLost => {
            "Bring it near, leave it switched on, and try again with the same code."
                .clone_into(&mut error.next);
        }
        ReasonCode::PairingNeeded => {
            "Try again with the same code and let the device be bonded with first."
                .clone_into(&mut error.next);
        }
        _ => {}
    }
    Failure { status: 409, error }
}

#[cfg(test)]
mod tests {
    //! Goal: what is typed wrong is told at once, and no words repeat the code. Method: examples.

    use super::*;

    const CODE: &str = "000G-40R4-0M30-E209-185G-R38E-1W0H";

    #[test]
    fn a_mistyped_code_is_told_and_not_repeated() {
        for (typed, says) in [
            ("000G-40R4-0M30-E209-185G-R38E-1W0J", "mistyped"),
            ("000G-40R4-0M30-E209-185G-R38E", "24"),
            ("000G-40R4-0M30-E209-185G-R38E-1WUH", "letter 27"),
        ] {
            let failure = parse_code(Profile::FogwardLevel0, typed, false).unwrap_err();
            assert_eq!(
                (failure.status, failure.error.code.as_str()),
                (400, "DEV-20")
            );
            assert!(failure.error.why.contains(says), "{failure}");
            assert!(!failure.to_string().contains("R38E"), "{failure}");
        }
        assert!(parse_code(Profile::FogwardLevel0, &CODE.to_lowercase(), false).is_ok());
    }

    #[test]
    fn a_code_is_for_level_0_and_stands_alone() {
        for (profile, has_key) in [(Profile::NoninOem3, false), (Profile::FogwardLevel0, true)] {
            let failure = parse_code(profile, CODE, has_key).unwrap_err();
            assert_eq!(failure.error.code, "DEV-21");
        }
    }

    #[test]
    fn each_failure_has_a_code_of_its_own() {
        use ProvisionError::{NotTaken, NotThisCode, Silent, Spent, WrongClass};
        let failures = [NotThisCode, Spent, Silent, NotTaken, WrongClass];
        let failures = failures.map(|error| explain(error, true));
        let codes = failures.map(|failure| failure.error.code);
        assert_eq!(codes, ["DEV-22", "DEV-23", "DEV-24", "DEV-25", "DEV-26"]);
    }

    #[test]
    fn a_code_is_found_again_however_it_is_typed() {
        let digest = |text: &str| digest_of(&text.parse().unwrap());
        assert_eq!(digest(CODE), digest("ooog 40r4om30e209185gr38elwoh"));
        assert_ne!(digest(CODE), digest_of(&PairingCode::from_bytes([1; 16])));
    }
}
