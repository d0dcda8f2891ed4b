//! Devices of all nodes as the ledger knows them; devices that sign for themselves; which device may hear
//! which.
//!
//! What a device signed comes in by [`Node::push`] and goes the same way as the node's own transactions: form,
//! signature, sender and nonce are checked, and the answer is given once it is final. The node keeps nothing of
//! it before; who gets no answer sends the same bytes again, and they are executed once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fog_api::{
    AskInteraction as Ask, Interaction as Row, InteractionState as State, LedgerDevice, Pushed,
    RegisterSigner, Signer,
};
use ledger_consortium::SubmitError;
use ledger_core::device::{
    self, AskInteraction, DecideInteraction, DeviceError, DeviceStanding, Interaction,
    InteractionState,
};
use ledger_core::genesis::Member;
use ledger_core::governance;
use ledger_core::state::{Clock, Device, StateKey, read};
use ledger_core::transaction::RegisterDevice;
use ledger_core::{Digest, Payload, PublicKey, SignedTransaction};
use ledger_store::Snapshot;

use crate::device_life::parse_handle;
use crate::failure::Failure;
use crate::ingest::random_handle;
use crate::node::Node;
use crate::relay::serving;
use crate::tell::{block_clock, refused};

/// How long a pushed transaction may take to become final.
const PATIENCE: Duration = Duration::from_secs(20);

impl Node {
    /// The devices on the ledger, those of other nodes among them.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub fn ledger_devices(&self) -> Result<Vec<LedgerDevice>, Failure> {
        let snapshot = self.replica.read()?;
        let names = self.names_by_handle();
        let devices = snapshot.devices()?;
        let mut rows = Vec::with_capacity(devices.len());
        for device in devices {
            rows.push(ledger_device(&snapshot, &device, &names)?);
        }
        rows.sort_by_key(|row| row.registered_height);
        Ok(rows)
    }

    /// Registers a device that signs for itself; answers once that is final.
    ///
    /// # Errors
    /// [`Failure`] if its key cannot be one, or is in use.
    pub async fn register_signer(
        self: &Arc<Self>,
        asked: RegisterSigner,
    ) -> Result<LedgerDevice, Failure> {
        let handle = random_handle().map_err(Failure::internal)?;
        let registration = RegisterDevice {
            handle,
            key: Some(parse_key(&asked.key)?),
            simulated: asked.simulated,
        };
        let told = self.tell_ledger(Payload::RegisterDevice(registration), None);
        self.until_final(told.await?).await?;
        let snapshot = self.replica.read()?;
        let device = snapshot.device(&handle)?;
        // Two at a time with the same key: the other one has it.
        let device = device.ok_or_else(|| refused(DeviceError::KeyTaken))?;
        ledger_device(&snapshot, &device, &BTreeMap::new())
    }

    /// Takes a transaction that a device or program signed itself; answers once it is final.
    ///
    /// # Errors
    /// [`Failure`] that says why it is not taken, or that it is not final yet.
    pub async fn push(&self, bytes: &[u8]) -> Result<Pushed, Failure> {
        let transaction = SignedTransaction::decode(bytes).map_err(|error| not_taken(&error))?;
        let submitted = self
            .consortium
            .submit(transaction)
            .await
            .map_err(push_refused)?;
        let finality = tokio::time::timeout(PATIENCE, submitted).await;
        let Ok(finality) = finality else {
            return Err(Failure::new(
                503,
                "PUSH-02",
                "The transaction is not final yet.",
                format!(
                    "{} This node does not keep it.",
                    self.consortium.status().quorum
                ),
                "Send the same bytes again later; they are executed once, however often they are sent.",
            ));
        };
        let finality = finality.map_err(push_refused)?;
        Ok(Pushed {
            id: finality.id.to_string(),
            height: finality.height.0,
            index: finality.index,
        })
    }

    /// Which device may hear which, or wants to; what was changed last comes first.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub fn interactions(&self) -> Result<Vec<Row>, Failure> {
        let snapshot = self.replica.read()?;
        let clock = block_clock(&snapshot)?;
        let names = self.names_by_handle();
        let all = snapshot.interactions()?;
        let mut rows = Vec::with_capacity(all.len());
        for interaction in all {
            rows.push(self.interaction_row(&snapshot, &interaction, clock, &names)?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.changed_height));
        Ok(rows)
    }

    /// Asks that one device may hear another; answers once that is on the ledger.
    ///
    /// # Errors
    /// [`Failure`] if a device is not there, or it makes no sense.
    pub async fn ask_interaction(self: &Arc<Self>, asked: Ask) -> Result<Row, Failure> {
        let asked = AskInteraction {
            asker: self.handle_of(&asked.asker)?,
            source: self.handle_of(&asked.source)?,
            for_millis: asked.seconds.saturating_mul(1_000),
        };
        let told = self
            .tell_ledger(Payload::AskInteraction(asked), None)
            .await?;
        self.until_final(told).await?;
        self.look_again(&mut None)?;
        self.interaction(&asked.id())
    }

    /// Grants, refuses or ends an interaction; answers once that is final.
    ///
    /// # Errors
    /// [`Failure`] if there is none that is open, or this node has no say.
    pub async fn decide_interaction(
        self: &Arc<Self>,
        id: &str,
        allow: bool,
    ) -> Result<Row, Failure> {
        let interaction: Digest = id.parse().map_err(|_| no_interaction())?;
        let decided = DecideInteraction { interaction, allow };
        let told = self
            .tell_ledger(Payload::DecideInteraction(decided), None)
            .await?;
        self.until_final(told).await?;
        self.look_again(&mut None)?;
        self.interaction(&interaction)
    }

    fn interaction(&self, id: &Digest) -> Result<Row, Failure> {
        let snapshot = self.replica.read()?;
        let found = device::interaction(&snapshot, id).map_err(Failure::internal)?;
        let found = found.ok_or_else(no_interaction)?;
        let clock = block_clock(&snapshot)?;
        self.interaction_row(&snapshot, &found, clock, &self.names_by_handle())
    }

    fn interaction_row(
        &self,
        snapshot: &Snapshot<'_>,
        interaction: &Interaction,
        clock: Clock,
        names: &BTreeMap<String, String>,
    ) -> Result<Row, Failure> {
        let id = interaction.asked.id();
        let may = |allow| {
            let decided = DecideInteraction {
                interaction: id,
                allow,
            };
            let payload = Payload::DecideInteraction(decided);
            device::check(snapshot, clock, self.node_key, &payload).is_ok()
        };
        let [asker, source] =
            [interaction.asked.asker, interaction.asked.source].map(|handle| handle.to_string());
        let source_node = serving(snapshot, &interaction.asked.source)?;
        let is_open = interaction.is_open_at(clock.time_millis);
        Ok(Row {
            id: id.to_string(),
            asker_name: names.get(&asker).cloned(),
            source_name: names.get(&source).cloned(),
            asker,
            source,
            state: match interaction.state {
                InteractionState::Refused => State::Refused,
                InteractionState::Ended => State::Ended,
                _ if !is_open => State::Over,
                InteractionState::Asked => State::Asked,
                InteractionState::Granted => State::Granted,
            },
            until: interaction.until_millis,
            changed_height: interaction.changed.0,
            may_grant: may(true),
            may_end: may(false),
            relay: self.relays.shown(interaction, source_node),
        })
    }

    /// The handle of a device by its id here, or as it is.
    fn handle_of(&self, device: &str) -> Result<Digest, Failure> {
        match device.parse() {
            Ok(handle) => Ok(handle),
            Err(_) => parse_handle(&self.find_device(device)?.1.handle),
        }
    }

    fn names_by_handle(&self) -> BTreeMap<String, String> {
        let devices = self.devices().into_iter();
        devices.map(|device| (device.handle, device.name)).collect()
    }
}

fn ledger_device(
    snapshot: &Snapshot<'_>,
    device: &Device,
    names: &BTreeMap<String, String>,
) -> Result<LedgerDevice, Failure> {
    let handle = device.registration.handle;
    let life = device::life(snapshot, &handle).map_err(Failure::internal)?;
    let life = life.ok_or_else(|| Failure::internal("a device without a life"))?;
    let member = |key: &PublicKey| -> Result<Option<Member>, Failure> {
        read(snapshot, &StateKey::member(key)).map_err(Failure::internal)
    };
    let (node, organisation) = match member(&life.node)? {
        None => (life.node.short(), String::new()),
        Some(member) => {
            let of = governance::organisation(snapshot, &member.organisation);
            let of = of.map_err(Failure::internal)?;
            (member.name, of.map_or_else(String::new, |of| of.name))
        }
    };
    let handed_by = match &life.handed_by {
        None => None,
        Some(key) => Some(member(key)?.map_or_else(|| key.short(), |member| member.name)),
    };
    let handle = handle.to_string();
    Ok(LedgerDevice {
        name: names.get(&handle).cloned(),
        handle,
        node,
        organisation,
        standing: match life.standing {
            DeviceStanding::InService => fog_api::DeviceStanding::InService,
            DeviceStanding::Suspended => fog_api::DeviceStanding::Suspended,
            DeviceStanding::Retired => fog_api::DeviceStanding::Retired,
        },
        simulated: device.registration.simulated,
        assigned: life.assignment.is_some(),
        handovers: life.handovers,
        handed_by,
        registered_height: device.height.0,
        changed_height: (life.changed != device.height).then_some(life.changed.0),
        signer: match life.key {
            Some(key) => Some(signer(snapshot, &key)?),
            None => None,
        },
    })
}

fn signer(snapshot: &Snapshot<'_>, key: &PublicKey) -> Result<Signer, Failure> {
    let head = snapshot.anchor_head(key)?;
    Ok(Signer {
        key: key.to_string(),
        next_nonce: snapshot.account(key)?.next_nonce.0,
        next_batch: head.next_batch.0,
        readings: head.readings,
    })
}

fn parse_key(text: &str) -> Result<PublicKey, Failure> {
    text.trim().parse().map_err(|_| {
        Failure::new(
            400,
            "PUSH-03",
            "The device was not registered.",
            "A public key is 64 hexadecimal digits.",
            "Give the public half of the device's own Ed25519 key.",
        )
    })
}

fn no_interaction() -> Failure {
    Failure::not_found(
        "There is no such interaction.",
        "See the list of interactions; it is named by its id.",
    )
}

/// Why a pushed transaction is not taken.
fn push_refused(error: SubmitError) -> Failure {
    match error {
        SubmitError::Stopped => Failure::stopping(),
        SubmitError::Full | SubmitError::SenderLimit => Failure::new(
            429,
            "PUSH-04",
            "The transaction was not taken.",
            format!("There is no room: {error}."),
            "Wait a second and send the same bytes again.",
        ),
        other => not_taken(&other),
    }
}

fn not_taken(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        409,
        "PUSH-01",
        "The transaction was not taken.",
        format!("It does not stand: {error}."),
        "See the device's row for its next nonce and batch number, and whether it is in service.",
    )
}
