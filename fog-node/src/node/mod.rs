//! The node: opens what is on disk, starts consensus, ingest and the devices, and stops them in order.
//!
//! ```text
//! start: lock ▶ keys ▶ replica (founded if empty) ▶ vault follows it ▶ consensus ▶ outbox again ▶ devices
//! stop:  devices ▶ last batch durable ▶ last batch final (bounded wait) ▶ consensus ▶ lock
//! ```

mod config;
mod opening;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use fog_api::{DeviceStanding, Event, Wave};
use ledger_consortium::{Consortium, ConsortiumConfig};
use ledger_core::{ChainId, Genesis, PublicKey};
use ledger_store::Replica;
use rusqlite::Connection;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::backup::Turn;
use crate::bluetooth::Bluetooth;
use crate::clock::now_millis;
use crate::commissioning::SelfTests;
use crate::consents::{self, Consents};
use crate::consortium::{
    Announce, LoadLog, Membership, keep_door, keep_nearby, keep_peers, keep_up, known_peers,
};
use crate::erasure::{self, Tombstones};
use crate::finality_log::{BlockStat, FinalityLog};
use crate::ingest::{DeviceIndex, Ingest, Writer, WriterParts};
use crate::keystore::{Keystore, create_private_dir};
use crate::live::{LiveDevice, LiveView};
use crate::outgoing::{Outgoing, Stored, outgoing};
use crate::patients::Patients;
use crate::people::{self, People};
use crate::previews::Previews;
use crate::provisioning::Provisionings;
use crate::relay::{self, Relays};
use crate::requests::{self, Requests};
use crate::restored::watch_others;
use crate::retention;
use crate::roaming::{self, Roaming};
use crate::sensor::{Away, Sensor, SensorView, source_of};
use crate::submitter;
use crate::ticker::{self, Rate};
use crate::vault::seal::MasterKey;
use crate::vault::{self, VAULT_FILE, devices, gaps, outbox};
pub use config::{NodeConfig, SNAPSHOT_BEHIND, SerialDevice};
pub use opening::lock_data_dir;
pub(crate) use opening::open_replica;
use opening::{finish_last_life, follow_ledger, network_settings};

/// Name of the replica's file in the data folder.
pub const REPLICA_FILE: &str = "replica.db";
/// Name of the file that keeps two processes out of one data folder.
pub const LOCK_FILE: &str = "node.lock";
/// Longest wait for the last batches to become final while stopping.
const FINALITY_WAIT: Duration = Duration::from_secs(5);
/// Blocks read back at the start, for the plots.
const REMEMBERED_BLOCKS: u32 = 1000;

/// A running node.
pub struct Node {
    pub(crate) data_dir: PathBuf,
    pub(crate) chain: ChainId,
    pub(crate) genesis: Genesis,
    pub(crate) node_key: PublicKey,
    pub(crate) vote_key: PublicKey,
    pub(crate) name: String,
    pub(crate) started: i64,
    pub(crate) master: Arc<MasterKey>,
    pub(crate) replica: Arc<Replica>,
    pub(crate) consortium: Arc<Consortium>,
    pub(crate) live: Arc<LiveView>,
    pub(crate) log: Arc<Mutex<FinalityLog>>,
    pub(crate) load: Mutex<LoadLog>,
    pub(crate) backup_turn: Turn,
    pub(crate) previews: Arc<Previews>,
    pub(crate) relays: Arc<Relays>,
    pub(crate) provisionings: Provisionings,
    pub(crate) bluetooth: Bluetooth,
    pub(crate) roaming: Roaming,
    pub(crate) self_tests: SelfTests,
    pub(crate) membership: Membership,
    pub(crate) people: Arc<People>,
    pub(crate) requests: Requests,
    pub(crate) patients: Patients,
    pub(crate) consents: Consents,
    pub(crate) tombstones: Tombstones,
    pub(crate) rate: Rate,
    vault_reader: Mutex<Connection>,
    running: Mutex<Running>,
    pub(crate) snapshot_behind: Option<u64>,
    pub(crate) announce: Announce,
    /// Whether it asks to be started again.
    restart: watch::Sender<bool>,
    _lock: File,
}

/// What is taken apart when the node stops.
#[derive(Default)]
struct Running {
    ingest: Option<Ingest>,
    sensors: BTreeMap<DeviceIndex, Sensor>,
    writer: Option<std::thread::JoinHandle<()>>,
    submitter: Option<JoinHandle<()>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    /// Starts a node. What an earlier run left unfinished is finished first.
    ///
    /// Must be called within a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// In words for a person: the folder cannot be used, another node runs in it, or its content is
    /// damaged.
    pub async fn start(mut config: NodeConfig) -> anyhow::Result<Arc<Self>> {
        create_private_dir(&config.data_dir)?;
        let lock = lock_data_dir(&config.data_dir)?;
        finish_last_life(&mut config)?;
        let keys = Keystore::open(&config.data_dir)?;
        let (node_key, vote_key) = (keys.node.public(), keys.validator.public());
        let settings = network_settings(&config)?;
        let name = config.name.clone().or_else(|| settings.node.clone());
        let name = name.unwrap_or_else(|| format!("fog-{}", node_key.short()));
        let listen = settings.listen;
        let peers = known_peers(&settings).await;
        let (replica, genesis) = open_replica(&config.data_dir, &keys, &name, &settings)?;
        let vote = keys.validator.clone();
        let membership = Membership::open(&config.data_dir, keys.admin, vote, settings)?;
        let chain = genesis.chain_id();
        let consensus = ConsortiumConfig {
            home: config.data_dir.join("consensus"),
            replica: Arc::clone(&replica),
            validator_key: keys.validator,
            listen,
            peers,
        };
        let master = Arc::new(keys.vault);
        let mark = watch_others(&config.data_dir, &consensus).await?;
        let own = (&*master, &keys.node);
        follow_ledger(&config.data_dir, &replica, own, mark.as_ref())?;
        let live = Arc::new(LiveView::default());
        let final_nonce = Arc::new(AtomicU64::new(
            replica.read()?.account(&node_key)?.next_nonce.0,
        ));
        let path = config.data_dir.join(VAULT_FILE);
        let stored = Stored {
            path: path.clone(),
            live: Arc::clone(&live),
        };
        let (submit, outgoing) = outgoing(stored);
        let attesting = keys.node.clone();
        let writer = Writer::open(WriterParts {
            path,
            master: Arc::clone(&master),
            signer: keys.node,
            chain,
            policy: config.batch,
            live: Arc::clone(&live),
            submit,
            final_nonce: Arc::clone(&final_nonce),
        })
        .context("cannot open the vault")?;
        let vault = vault::open_read_only(&config.data_dir.join(VAULT_FILE))?;
        let people = People::open(&vault, &master, config.sessions);
        let people = Arc::new(people.context("cannot read who is registered")?);
        let patients = Patients::open(&vault, &master).context("cannot read the patients")?;
        let consents = Consents::open(&vault, &master).context("cannot read the consents")?;
        let consortium = Consortium::start(consensus)
            .await
            .context("cannot start consensus")?;
        let node = Arc::new(Self {
            vault_reader: Mutex::new(vault),
            data_dir: config.data_dir.clone(),
            chain,
            genesis,
            node_key,
            vote_key,
            name,
            started: now_millis(),
            master,
            replica,
            consortium: Arc::new(consortium),
            live,
            log: Arc::default(),
            load: Mutex::default(),
            backup_turn: Turn::default(),
            previews: Arc::default(),
            relays: Arc::default(),
            provisionings: Provisionings::default(),
            bluetooth: Bluetooth::through(config.bluetooth.clone()),
            roaming: Roaming::with_places(config.roam),
            self_tests: SelfTests::default(),
            membership,
            people,
            requests: Requests::new(attesting),
            patients,
            consents,
            tombstones: Tombstones::default(),
            rate: Rate::default(),
            running: Mutex::default(),
            snapshot_behind: config.snapshot_behind,
            announce: config.announce,
            restart: watch::Sender::new(false),
            _lock: lock,
        });
        node.run(writer, outgoing, final_nonce).await?;
        // A backup of before may have brought something back; nobody has seen it yet.
        node.follow_tombstones().await?;
        node.pair_configured(&config).await?;
        Ok(node)
    }

    /// Starts the node's tasks and the devices that are paired already.
    async fn run(
        self: &Arc<Self>,
        writer: Writer,
        outgoing: Outgoing,
        final_nonce: Arc<AtomicU64>,
    ) -> anyhow::Result<()> {
        let (ingest, queue) = Ingest::queue();
        let first_waiting = final_nonce.load(Ordering::Relaxed);
        let mut in_flight = outbox::readings_from(&self.vault(), first_waiting)?;
        let indices: Vec<_> = writer
            .device_ids()
            .map(|(index, id)| (index, id.to_owned()))
            .collect();
        let rows = devices::active(&self.vault())?;
        for (index, id) in indices {
            if let Some(row) = rows.iter().find(|row| row.id == id) {
                let last_heard = self.last_heard(&row.id)?;
                let in_flight = in_flight.remove(&row.id).unwrap_or_default();
                self.show_device(index, row, last_heard, in_flight)?;
                let away = last_heard.map(Away::node_stopped);
                self.start_sensor(index, row, &ingest, away);
            }
        }
        // Those of removed devices are left.
        self.live.left(in_flight.into_values().sum());
        self.remember_blocks()?;
        let submitter = tokio::spawn(submitter::run(
            Arc::clone(&self.consortium),
            Arc::clone(&self.live),
            final_nonce,
            outgoing,
        ));
        let mut tasks = vec![
            tokio::spawn(note_blocks(Arc::clone(self))),
            tokio::spawn(ticker::run(Arc::downgrade(self))),
            tokio::spawn(retention::keep(Arc::downgrade(self))),
        ];
        self.resubmit_governance().await?;
        let consortium = Arc::clone(&self.consortium);
        tasks.extend([
            tokio::spawn(keep_peers(Arc::downgrade(self), consortium)),
            tokio::spawn(keep_door(Arc::downgrade(self))),
            tokio::spawn(keep_nearby(Arc::downgrade(self))),
            tokio::spawn(keep_up(Arc::downgrade(self))),
            tokio::spawn(roaming::keep(Arc::downgrade(self))),
            tokio::spawn(relay::keep(Arc::downgrade(self))),
            tokio::spawn(people::keep(Arc::downgrade(self))),
            tokio::spawn(people::follow(Arc::downgrade(self))),
            tokio::spawn(consents::keep(Arc::downgrade(self))),
            tokio::spawn(erasure::follow(Arc::downgrade(self))),
            tokio::spawn(requests::follow(Arc::downgrade(self))),
        ]);
        let runtime = tokio::runtime::Handle::current();
        let writer = std::thread::Builder::new()
            .name("vault-writer".into())
            .spawn(move || writer.run(queue, &runtime))?;
        let mut running = self.running();
        running.ingest = Some(ingest);
        running.writer = Some(writer);
        running.submitter = Some(submitter);
        running.tasks = tasks;
        Ok(())
    }

    /// Stops the node: all that was received is durable, and final unless consensus takes too long; it
    /// is submitted again at the next start then. Further calls do nothing.
    pub async fn shutdown(&self) {
        let Running {
            ingest,
            sensors,
            writer,
            submitter,
            tasks,
        } = std::mem::take(&mut *self.running());
        self.previews.end_all().await;
        self.provisionings.end();
        self.bluetooth.end();
        self.self_tests.end();
        for (_, sensor) in sensors {
            sensor.stop().await;
        }
        drop(ingest);
        if let Some(writer) = writer {
            let joined = tokio::task::spawn_blocking(move || writer.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the vault's writer failed while stopping");
            }
        }
        if let Some(submitter) = submitter {
            let abort = submitter.abort_handle();
            if tokio::time::timeout(FINALITY_WAIT, submitter)
                .await
                .is_err()
            {
                abort.abort();
            }
        }
        self.consortium.shutdown().await;
        for task in tasks {
            task.abort();
            // Aborted, or it has ended before.
            let _ = task.await;
        }
    }

    /// Resolves when what is on disk is to take the place of what the node works with: it must be stopped
    /// and started again then.
    pub async fn restart_wanted(&self) {
        let mut restart = self.restart.subscribe();
        // The sender lives as long as this node.
        let _ = restart.wait_for(|is_wanted| *is_wanted).await;
    }

    /// Asks to be started again; whether anybody hears it.
    pub(crate) fn ask_restart(&self) -> bool {
        self.restart.send_replace(true);
        self.restart.receiver_count() > 0
    }

    /// Events from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.live.events()
    }

    /// Seconds of waves of all devices and previews from now on.
    #[must_use]
    pub fn waves(&self) -> broadcast::Receiver<Arc<Wave>> {
        self.live.waves()
    }

    /// The queue into ingest, or `None` while the node stops.
    #[must_use]
    pub fn ingest(&self) -> Option<Ingest> {
        self.running().ingest.clone()
    }

    /// Resolves when consensus has stopped by itself; the node must be started anew then.
    pub async fn failed(&self) -> ledger_consortium::EngineState {
        self.consortium.stopped().await
    }

    pub(crate) fn vault(&self) -> MutexGuard<'_, Connection> {
        self.vault_reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, FinalityLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts forwarding from a device that this node serves. One that cannot be opened as stored is shown
    /// as such.
    pub(crate) fn start_sensor(
        &self,
        index: DeviceIndex,
        row: &devices::DeviceRow,
        ingest: &Ingest,
        away: Option<Away>,
    ) {
        let standing = self.live.standing(index);
        if standing.is_some_and(|standing| *standing.borrow() == DeviceStanding::HandedOver) {
            return;
        }
        let live = Arc::clone(&self.live);
        let relay = self.relays.end_of(row.handle);
        let started = source_of(row, &self.master, &self.bluetooth)
            .and_then(|source| Sensor::start(index, source, ingest.clone(), live, (away, relay)));
        match started {
            Ok(sensor) => {
                self.running().sensors.insert(index, sensor);
            }
            Err(error) => tracing::error!(%error, "a paired device cannot be opened"),
        }
    }

    /// Has a device's sensor stop, without waiting; it can still be taken to wait for.
    pub(crate) fn end_sensor(&self, index: DeviceIndex) {
        if let Some(sensor) = self.running().sensors.get(&index) {
            sensor.end();
        }
    }

    pub(crate) fn take_sensor(&self, index: DeviceIndex) -> Option<Sensor> {
        self.running().sensors.remove(&index)
    }

    /// What the driver of a device that is read shows.
    pub(crate) fn sensor_view(&self, index: DeviceIndex) -> Option<SensorView> {
        self.running().sensors.get(&index).map(Sensor::view)
    }

    /// Shows a device with its gap ledger as the vault holds it, and so many readings anchored and not final.
    pub(crate) fn show_device(
        &self,
        index: DeviceIndex,
        row: &devices::DeviceRow,
        last_heard: Option<i64>,
        in_flight: u64,
    ) -> anyhow::Result<()> {
        let counters = gaps::of_device(&self.vault(), &row.id)?;
        let snapshot = self.replica.read()?;
        let registered = snapshot.device(&row.handle)?;
        let registered = registered.map(|device| device.height.0);
        let look = self.look(&snapshot, row)?;
        let device = crate::pairing::described(row, registered, look, last_heard);
        self.live
            .open(index, LiveDevice::new(device, counters, in_flight));
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember_blocks(&self) -> anyhow::Result<()> {
        let snapshot = self.replica.read()?;
        let Some(tip) = snapshot.tip() else {
            return Ok(());
        };
        let blocks = crate::chain::up_to(&snapshot, tip.height(), REMEMBERED_BLOCKS)?;
        let mut log = self.log();
        for block in blocks {
            log.push(BlockStat {
                height: block.header.height.0,
                time: i64::try_from(block.header.time_millis).unwrap_or(i64::MAX),
                own_ms: Vec::new(),
                transactions: block.header.tx_count,
                readings: block.readings,
            });
        }
        Ok(())
    }
}

/// Looks what became of the devices. While that cannot be read, no device hears another.
fn look_at_devices(node: &Node, looked: &mut Option<u64>) {
    if let Err(failure) = node.look_again(looked) {
        tracing::error!(%failure, "what became of the devices could not be read");
        node.relays.close_all();
        *looked = None;
    }
}

/// Notes every final block for the plots and the listeners.
async fn note_blocks(node: Arc<Node>) {
    let mut blocks = node.consortium.subscribe();
    let mut looked = None;
    // An idle ledger makes no block for long, and devices that may hear each other do so at once.
    look_at_devices(&node, &mut looked);
    loop {
        let next = blocks.recv().await;
        look_at_devices(&node, &mut looked);
        match next {
            Ok(block) => {
                let own_ms: Vec<_> = block
                    .own
                    .iter()
                    .map(ledger_consortium::Finality::millis)
                    .collect();
                match node.block_row(block.header.height, &own_ms) {
                    Ok(Some(row)) => {
                        node.log().push(BlockStat {
                            height: row.height,
                            time: i64::try_from(block.committed_at_millis).unwrap_or(i64::MAX),
                            own_ms,
                            transactions: row.transactions,
                            readings: row.readings,
                        });
                        node.live.block(row);
                    }
                    Ok(None) => {}
                    Err(failure) => tracing::error!(%failure, "a final block could not be read"),
                }
            }
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "blocks became final faster than they were noted");
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
