//! Two nodes of a consortium, and who moves sensors between them: a thread that hands devices over and takes
//! them by the API, as staff do, and kills a node now and then.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use fog_api::{AddDevice, Device, HandOver, LedgerDevice, TakeDevice};

use super::super::devices::running::Running;
use super::super::town::{PATIENCE, Town, name};
use super::sensor::Worn;
use crate::cli::client::Question;
use crate::vault::VAULT_FILE;

/// Errands that wait at most; more are not asked for.
const WAITING: usize = 16;
/// How often it is looked whether a hand-over is seen by the other node.
const LOOK: Duration = Duration::from_millis(50);

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Errand {
    /// Move the sensor with this number to the other node.
    Move(usize),
    /// Kill a node, and start it again.
    Kill(usize),
}

/// What was done.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Done {
    pub(super) moves: u32,
    pub(super) kills: u32,
}

/// The nodes, and where each sensor is.
pub(super) struct Staff {
    town: Town,
    nodes: [Running; 2],
    /// The address of each node's API, so that it is the same after a start.
    ports: [u16; 2],
    sensors: Vec<Charge>,
    done: Done,
}

/// What the staff know of a sensor.
struct Charge {
    handle: String,
    path: String,
    node: usize,
}

impl Staff {
    /// Founds the consortium, starts both nodes, and pairs all sensors with the first.
    pub(super) fn start(folder: &Path, sensors: &[Worn]) -> anyhow::Result<Self> {
        let town = Town::found(folder, 2, 1, 0)?;
        let nodes = [run(&town, 0, 0)?, run(&town, 1, 0)?];
        let ports = [nodes[0].port(), nodes[1].port()];
        let mut charges = Vec::new();
        for (number, sensor) in sensors.iter().enumerate() {
            let path = sensor.path.display().to_string();
            let asked = AddDevice {
                name: Some(format!("sensor {number}")),
                profile: sensor.profile().name().into(),
                path: path.clone(),
                key: sensor.key.clone(),
                code: None,
            };
            let device: Device = nodes[0].api.tell(&Question::path("/api/devices"), &asked)?;
            charges.push(Charge {
                handle: device.handle,
                path,
                node: 0,
            });
        }
        Ok(Self {
            town,
            nodes,
            ports,
            sensors: charges,
            done: Done::default(),
        })
    }

    /// The devices that the nodes serve.
    pub(super) fn devices(&self) -> anyhow::Result<Vec<Device>> {
        let mut devices = self.nodes[0].devices()?;
        devices.extend(self.nodes[1].devices()?);
        Ok(devices)
    }

    /// The vaults' files.
    pub(super) fn vaults(&self) -> [PathBuf; 2] {
        [0, 1].map(|node| self.town.data(node).join(VAULT_FILE))
    }

    /// The handle of each sensor.
    pub(super) fn handles(&self) -> Vec<String> {
        self.sensors
            .iter()
            .map(|sensor| sensor.handle.clone())
            .collect()
    }

    /// How many devices the ledger knows.
    pub(super) fn registered(&self) -> anyhow::Result<usize> {
        let question = Question::path("/api/ledger/devices");
        Ok(self.nodes[1].api.ask::<Vec<LedgerDevice>>(&question)?.len())
    }

    pub(super) const fn nodes(&self) -> &[Running; 2] {
        &self.nodes
    }

    /// Works in a thread of its own until the errands end.
    pub(super) fn work(mut self) -> (SyncSender<Errand>, JoinHandle<anyhow::Result<(Self, Done)>>) {
        let (give, errands): (_, Receiver<Errand>) = sync_channel(WAITING);
        let working = std::thread::spawn(move || {
            for errand in errands {
                match errand {
                    Errand::Move(sensor) => self.hand_on(sensor)?,
                    Errand::Kill(node) => self.kill(node)?,
                }
            }
            let done = self.done;
            Ok((self, done))
        });
        (give, working)
    }

    /// Stops both nodes in order.
    pub(super) fn stop(self) -> anyhow::Result<Town> {
        for node in self.nodes {
            node.stop()?;
        }
        Ok(self.town)
    }

    fn hand_on(&mut self, sensor: usize) -> anyhow::Result<()> {
        let charge = &self.sensors[sensor];
        let (from, to) = (charge.node, 1 - charge.node);
        let devices = self.nodes[from].devices()?;
        let device = devices.iter().find(|device| device.handle == charge.handle);
        let device = device.context("a device that its node does not know")?;
        let question = Question::named("/api/devices", &device.id).then("handover");
        let asked = HandOver { to: name(to) };
        let _: Device = self.nodes[from].api.tell(&question, &asked)?;
        let since = Instant::now();
        let incoming = Question::path("/api/handovers");
        while !self.nodes[to]
            .api
            .ask::<Vec<LedgerDevice>>(&incoming)?
            .iter()
            .any(|device| device.handle == charge.handle)
        {
            if since.elapsed() > PATIENCE {
                bail!("a node was not told of a device that was handed to it");
            }
            std::thread::sleep(LOOK);
        }
        let path = Some(charge.path.clone());
        let question = Question::named("/api/handovers", &charge.handle);
        let _: Device = self.nodes[to].api.tell(&question, &TakeDevice { path })?;
        self.sensors[sensor].node = to;
        self.done.moves += 1;
        Ok(())
    }

    fn kill(&mut self, node: usize) -> anyhow::Result<()> {
        self.nodes[node].kill()?;
        self.nodes[node] = run(&self.town, node, self.ports[node])?;
        self.done.kills += 1;
        Ok(())
    }
}

/// Starts a node of the town; port 0 takes any free one.
fn run(town: &Town, node: usize, port: u16) -> anyhow::Result<Running> {
    Running::start(&town.data(node), [format!("--api=127.0.0.1:{port}")])
}
