//! Hand-over of a device between fog nodes of one consortium: registered once, its stream goes on.
//!
//! ```text
//! A                                          ledger                          B
//! stops reading, all durable ──hand over──▶ B serves it
//!                                                        ◀── the pairing? ── sees it is to serve it
//! the pairing: key, newest durable number, whose ───────────────────────▶ on disk; reads it
//! removes it, destroys its key              ◀─────────────────────────────── taken
//! ```
//!
//! Whose it is goes with it within an organisation only: patient, begin and salt, so that the same assignment goes on
//! and what the device kept since then is the patient's there, too. Another organisation assigns it to its own patient.
//!
//! Both talk over the door's port and prove their keys; A gives the pairing to the node that the ledger names
//! and to nobody else. B refuses numbers up to the newest durable one, so nothing counts twice; what the device
//! sent in between is named as missing, or comes after all from a device that keeps what was not acknowledged.
//! Killed at any step, either side goes on: A lets go of what the ledger says it does not serve, B asks again.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use fog_api::{Device, DeviceStanding, HandOver, LedgerDevice, TakeDevice};
use ledger_core::canonical;
use ledger_core::device::{self, ChangeDevice, DeviceChange, DeviceLife};
use ledger_core::genesis::Member;
use ledger_core::state::{StateKey, read};
use ledger_core::{Digest, Payload, PublicKey};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::bluetooth::is_bluetooth;
use crate::clock::now_millis;
use crate::device_life::parse_handle;
use crate::failure::Failure;
use crate::ingest::Item;
use crate::node::Node;
use crate::pairing::{checked_place, new_id};
use crate::patients::patient::Patient;
use crate::sensor::{Away, source_of};
use crate::vault::assignments::{self, Assigned, Assignment};
use crate::vault::clocks::{self, Setting};
use crate::vault::devices::{self, DeviceRow};

/// How long the other node's door may take to open: it opens seconds after that node has heard of others.
const DOOR: Duration = Duration::from_secs(10);
/// How often it is tried meanwhile.
const LOOK: Duration = Duration::from_millis(250);
/// Longest pairing in bytes.
const MAX_BYTES: usize = 16 << 10;

/// What a node must know to serve a device that another node has served.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pairing {
    name: String,
    profile: String,
    path: String,
    simulated: bool,
    /// The key it shares with its node.
    key: Option<PairingKey>,
    /// The newest of its own numbers that is durable.
    durable_sequence: Option<i64>,
    /// When its newest reading was received.
    last_heard: Option<i64>,
    /// Whose it is, for a node of the same organisation.
    whose: Option<Whose>,
    /// How its clock is set.
    clock: Option<Setting>,
}

/// Whose a device is.
#[derive(Serialize, Deserialize)]
struct Whose {
    assigned: Assigned,
    /// Since when, in Unix milliseconds.
    since: i64,
    patient: Patient,
}

#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct PairingKey(Vec<u8>);

impl Node {
    /// Hands a device over to another node; answers once that is final.
    ///
    /// # Errors
    /// [`Failure`] if there is no such device or node, or it is not final in time; it goes on by itself then.
    pub async fn hand_over(self: &Arc<Self>, id: &str, asked: HandOver) -> Result<Device, Failure> {
        let (_, device) = self.find_device(id)?;
        let handle = parse_handle(&device.handle)?;
        let to = self.member_named(&asked.to)?;
        let change = DeviceChange::HandOver(to.key);
        let payload = Payload::ChangeDevice(ChangeDevice { handle, change });
        let told = self.tell_ledger(payload, None).await?;
        self.until_final(told).await?;
        self.look_again(&mut None)?;
        self.device(id)
    }

    /// The devices that were handed to this node and wait to be taken.
    ///
    /// # Errors
    /// [`Failure`] if the replica or the vault cannot be read.
    pub fn incoming(&self) -> Result<Vec<LedgerDevice>, Failure> {
        let handed = self.incoming_handles()?;
        let is_incoming = |row: &LedgerDevice| {
            let mut handles = handed.iter().map(|(handle, _)| handle.to_string());
            handles.any(|handle| handle == row.handle)
        };
        let rows = self.ledger_devices()?.into_iter();
        Ok(rows.filter(is_incoming).collect())
    }

    /// Their handles, and the nodes that handed them over.
    pub(crate) fn incoming_handles(&self) -> Result<Vec<(Digest, PublicKey)>, Failure> {
        let served: BTreeSet<_> = self
            .devices()
            .into_iter()
            .filter(serves)
            .map(|here| here.handle)
            .collect();
        let snapshot = self.replica.read()?;
        let mut incoming = Vec::new();
        for device in snapshot.devices()? {
            let handle = device.registration.handle;
            let life = device::life(&snapshot, &handle).map_err(Failure::internal)?;
            let life = life.filter(|life| life.node == self.node_key);
            let by = life.and_then(|life| life.handed_by);
            if !served.contains(&handle.to_string()) {
                incoming.extend(by.map(|by| (handle, by)));
            }
        }
        Ok(incoming)
    }

    /// Takes a device that was handed to this node, and reads it.
    ///
    /// # Errors
    /// [`Failure`] if it was not handed to this node, or the other node does not give its pairing.
    pub async fn take_device(
        self: &Arc<Self>,
        handle: &str,
        asked: TakeDevice,
    ) -> Result<Device, Failure> {
        let handle: Digest = handle.parse().map_err(|_| not_handed())?;
        let held = self.held(&handle);
        if let Some(device) = held.as_ref().filter(|held| serves(held)) {
            return Ok(device.clone());
        }
        let (handed, from) = self.handed(&handle)?;
        let path = asked.path.as_deref().map(checked_place).transpose()?;
        if let Some(path) = &path
            && held.is_none_or(|held| held.path != *path)
        {
            self.check_free(path)?;
        }
        let pairing = self.ask_pairing(&from, handle).await?;
        let taken = self.take(handle, (handed, &from), pairing, path);
        taken.await
    }

    /// Takes a device that was handed to this node, unless it is on a wire: false then.
    pub(crate) async fn take_wireless(self: &Arc<Self>, handle: Digest) -> Result<bool, Failure> {
        let (handed, from) = self.handed(&handle)?;
        let pairing = self.ask_pairing(&from, handle).await?;
        let is_wireless = pairing.simulated || is_bluetooth(&pairing.path);
        if is_wireless {
            self.take(handle, (handed, &from), pairing, None).await?;
        }
        Ok(is_wireless)
    }

    /// The hand-over of a device to this node, by its number, and the node that made it.
    fn handed(&self, handle: &Digest) -> Result<(u32, Member), Failure> {
        let life = self.life(handle)?.filter(|life| life.node == self.node_key);
        let life = life.ok_or_else(not_handed)?;
        let from = life.handed_by.ok_or_else(not_handed)?;
        let from = self.member(&from)?.ok_or_else(not_handed)?;
        Ok((life.handovers, from))
    }

    async fn take(
        self: &Arc<Self>,
        handle: Digest,
        (handed, from): (u32, &Member),
        pairing: Pairing,
        path: Option<String>,
    ) -> Result<Device, Failure> {
        let away = pairing.last_heard.map(Away::handed_over);
        let clock = pairing.clock;
        let is_colleague = self.is_colleague(from)?;
        let mut pairing = pairing;
        pairing.whose.take_if(|whose| {
            let is_hers = whose.patient.id == whose.assigned.patient;
            !is_colleague || !is_hers || self.tombstones.has(&whose.patient)
        });
        let patient = pairing.whose.as_ref().map(|whose| whose.patient.clone());
        let (mut row, assignment) = self.row_of_pairing(handle, pairing, path)?;
        row.handovers = handed;
        source_of(&row, &self.master, &self.bluetooth).map_err(Failure::internal)?;
        // She is durable before anything refers to her.
        if let Some(patient) = patient {
            self.take_patient(patient).await?;
        }
        let ingest = self.ingest().ok_or_else(Failure::stopping)?;
        let taken = self.until_durable(|done| Item::Take(row.clone(), assignment, clock, done));
        let index = taken.await?.map_err(Failure::internal)?;
        self.show_device(index, &row, None, 0)
            .map_err(Failure::internal)?;
        self.start_sensor(index, &row, &ingest, away);
        self.say_taken(from, handle).await;
        self.device(&row.id)
    }

    /// Stops reading a device that another node serves. It does not wait for that; who gives the pairing does.
    pub(crate) fn let_go(&self, id: &str) {
        if let Ok((index, _)) = self.find_device(id) {
            self.end_sensor(index);
        }
    }

    /// The pairing of a device, for the node that serves it now, proven by the key it votes with. It is read
    /// no more before it is given, and all that was received is durable.
    pub(crate) async fn pairing_for(
        &self,
        handle: &Digest,
        asker: &PublicKey,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        if !self.is_handed_to(handle, asker)? {
            return Ok(None);
        }
        let Some(device) = self.held(handle) else {
            return Ok(None);
        };
        let (index, _) = self.find_device(&device.id)?;
        if let Some(sensor) = self.take_sensor(index) {
            sensor.stop().await;
        }
        self.until_durable(Item::Flush).await?;
        let last_heard = self.last_heard(&device.id)?;
        let vault = self.vault();
        let rows = devices::active(&vault)?;
        let Some(row) = rows.into_iter().find(|row| row.handle == *handle) else {
            return Ok(None);
        };
        let key = match &row.sealed_key {
            None => None,
            Some(sealed) => {
                let opened = self.master.open(row.id.as_bytes(), sealed);
                let opened = opened.map_err(Failure::internal)?;
                Some(PairingKey(opened.to_vec()))
            }
        };
        let serving = self.life(handle)?.map(|life| self.member(&life.node));
        let serving = serving.transpose()?.flatten();
        let whose = match serving.map(|node| self.is_colleague(&node)).transpose()? {
            Some(true) => self.whose(&vault, &row.id)?,
            _ => None,
        };
        let pairing = Pairing {
            whose,
            clock: clocks::newest(&vault, &row.id)?,
            name: row.name,
            profile: row.profile,
            path: row.path,
            simulated: row.simulated,
            key,
            durable_sequence: row.durable_sequence,
            last_heard,
        };
        Ok(Some(Zeroizing::new(canonical::encode(&pairing))))
    }

    /// Unpairs a device that the node that serves it now has on disk.
    pub(crate) async fn handed_over(
        &self,
        handle: &Digest,
        asker: &PublicKey,
    ) -> Result<(), Failure> {
        if !self.is_handed_to(handle, asker)? {
            return Err(not_handed());
        }
        match self.held(handle) {
            Some(device) => self.remove_device(&device.id).await,
            None => Ok(()),
        }
    }

    /// The device with this handle, if it is in this node's list.
    fn held(&self, handle: &Digest) -> Option<Device> {
        let handle = handle.to_string();
        self.devices()
            .into_iter()
            .find(|held| held.handle == handle)
    }

    /// Whose a device is, if somebody's who is known here.
    fn whose(&self, vault: &Connection, id: &str) -> Result<Option<Whose>, Failure> {
        let current = assignments::current(vault, &self.master, id)?;
        Ok(current.and_then(|(assigned, since)| {
            let patient = self.patients.find(&assigned.patient)?;
            let patient = Patient::clone(&patient).linked(None);
            Some(Whose {
                assigned,
                since,
                patient,
            })
        }))
    }

    /// Whether a node is of this node's organisation.
    fn is_colleague(&self, node: &Member) -> Result<bool, Failure> {
        let own = self.member(&self.node_key)?;
        Ok(own.is_some_and(|own| own.organisation == node.organisation))
    }

    /// The row of a device that another node has served, and whose it is.
    fn row_of_pairing(
        &self,
        handle: Digest,
        pairing: Pairing,
        path: Option<String>,
    ) -> Result<(DeviceRow, Option<Assignment>), Failure> {
        let before = devices::id_of(&self.vault(), &handle)?;
        let id = before.map_or_else(new_id, Ok)?;
        let key = pairing.key.as_ref();
        let sealed_key = key.map(|key| self.master.seal(id.as_bytes(), &key.0));
        let whose = pairing.whose.as_ref();
        let assignment =
            whose.map(|whose| whose.assigned.seal(&self.master, &id, Some(whose.since)));
        let row = DeviceRow {
            sealed_key: sealed_key.transpose().map_err(Failure::internal)?,
            id,
            name: pairing.name,
            profile: pairing.profile,
            path: path.unwrap_or(pairing.path),
            simulated: pairing.simulated,
            handle,
            added: now_millis(),
            durable_sequence: pairing.durable_sequence,
            handovers: 0,
        };
        Ok((row, assignment.transpose().map_err(Failure::internal)?))
    }

    async fn ask_pairing(&self, from: &Member, handle: Digest) -> Result<Pairing, Failure> {
        let asked = async {
            loop {
                match self
                    .ask_node(from, async |node| node.pairing(handle).await)
                    .await
                {
                    Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                        tokio::time::sleep(LOOK).await;
                    }
                    answer => return answer,
                }
            }
        };
        let answer = tokio::time::timeout(DOOR, asked).await;
        let answer = answer.unwrap_or_else(|_| Err(ErrorKind::ConnectionRefused.into()));
        let bytes = answer.map_err(|error| silent(from, &error))?;
        let bytes = bytes.ok_or_else(|| {
            Failure::new(
                409,
                "HAND-02",
                "The device was not taken.",
                format!("{} has no pairing of it any more.", from.name),
                "Pair the sensor anew at this node.",
            )
        })?;
        canonical::decode(&bytes, MAX_BYTES).map_err(|error| {
            tracing::warn!(%error, "a node gave a pairing that cannot be read");
            Failure::new(
                409,
                "HAND-03",
                "The device was not taken.",
                format!("What {} says of it has an unknown form.", from.name),
                "Run the same version of the program on both nodes.",
            )
        })
    }

    /// Tells the node that served the device that it is on this disk. If that is not heard, the device stays
    /// in that node's list as handed over, and can be unpaired there.
    async fn say_taken(&self, from: &Member, handle: Digest) {
        let told = self.ask_node(from, async |node| node.taken(handle).await);
        if let Err(error) = told.await {
            tracing::warn!(%error, "a node could not be told that its device was taken");
        }
    }

    /// Whether the ledger says that the node with this voting key serves the device, and not this node.
    fn is_handed_to(&self, handle: &Digest, asker: &PublicKey) -> Result<bool, Failure> {
        let Some(life) = self.life(handle)? else {
            return Ok(false);
        };
        let serving = self.member(&life.node)?;
        Ok(life.node != self.node_key && serving.is_some_and(|member| member.vote_key == *asker))
    }

    fn life(&self, handle: &Digest) -> Result<Option<DeviceLife>, Failure> {
        device::life(&self.replica.read()?, handle).map_err(Failure::internal)
    }

    pub(crate) fn member(&self, key: &PublicKey) -> Result<Option<Member>, Failure> {
        let snapshot = self.replica.read()?;
        read(&snapshot, &StateKey::member(key)).map_err(Failure::internal)
    }
}

/// Whether this node reads the device under the pairing that counts.
fn serves(device: &Device) -> bool {
    device.standing != DeviceStanding::HandedOver
}

fn not_handed() -> Failure {
    Failure::new(
        409,
        "HAND-01",
        "The device was not taken.",
        "On the ledger, it was not handed over to this node.",
        "Hand it over at the node that serves it; it shows here once that is final.",
    )
}

fn silent(from: &Member, error: &std::io::Error) -> Failure {
    Failure::new(
        503,
        "HAND-04",
        "The device was not taken.",
        format!("{} does not give its pairing: {error}.", from.name),
        "See that its node runs and can be reached from here, then take it again.",
    )
}
