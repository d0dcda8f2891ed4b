//! Self-tests: of the Bluetooth adapter and of paired devices, and the signed record of each.
//!
//! ```text
//! start ─▶ devices step aside ─▶ measure ─▶ devices are read again ─▶ record signed, durable ─▶ done
//!                     └──────── cancelled, or the adapter fails ─▶ devices are read again, no record
//! ```
//!
//! One test at a time. A Bluetooth device that takes part is not read while it is measured. A device on a
//! line is opened anew and read on: its gap ledger before and after is what is judged, and nothing else is
//! lost. Upon a kill nothing is half: the record is one row, and devices are read at every start. What a
//! device with a promised rate has sent meanwhile is named `self-test` in its gap ledger. It leaves out the
//! figures of a radio ([`device_drivers::ble::self_test`]) and their judgement
//! ([`device_drivers::self_test`]).

mod line;
mod record;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use device_drivers::ble::PeripheralAddress;
use device_drivers::ble::self_test::{
    DEVICES_AT_MOST, SelfTest as RadioTest, adapter_in_use, test_adapter, test_device,
};
use device_drivers::self_test::{Findings, Kind, judge, outcome};
use fog_api::{
    ApiError, CommissioningQuery, CommissioningRecord, Device, DeviceSource, DeviceStanding,
    SelfTest, SelfTestStage, StartSelfTest,
};
use ledger_core::Digest;
use tokio::sync::watch;

pub use record::{Commissioning, MAX_FILE_BYTES, SignedCommissioning, adapter_digest};
pub(crate) use view::view_of;

use crate::bluetooth::{address_of, parse_address, words_of};
use crate::clock::unix_millis;
use crate::device_life::parse_handle;
use crate::failure::Failure;
use crate::ingest::Item;
use crate::node::Node;
use crate::pairing::new_id;
use crate::sensor::Away;
use crate::vault::commissionings;

/// How long is listened unless told otherwise.
const LISTEN_SECONDS: u16 = 10;
/// Shortest and longest time that may be asked for.
const SECONDS: std::ops::RangeInclusive<u16> = 5..=120;

/// The test under way, or the last one.
#[derive(Default)]
pub(crate) struct SelfTests(Mutex<Option<Arc<Ongoing>>>);

struct Ongoing {
    id: String,
    device: Option<String>,
    progress: watch::Sender<u8>,
    cancel: watch::Sender<bool>,
    ended: Mutex<Option<SelfTestStage>>,
}

impl Ongoing {
    fn ended(&self) -> MutexGuard<'_, Option<SelfTestStage>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> SelfTest {
        let percent = *self.progress.borrow();
        let stage = self.ended().clone();
        SelfTest {
            id: self.id.clone(),
            device: self.device.clone(),
            stage: stage.unwrap_or(SelfTestStage::Running { percent }),
        }
    }
}

impl SelfTests {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Ongoing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cancels the test under way, if there is one.
    pub(crate) fn end(&self) {
        if let Some(ongoing) = &*self.lock() {
            ongoing.cancel.send_replace(true);
        }
    }

    fn begin(&self, device: Option<String>) -> Result<Arc<Ongoing>, Failure> {
        let mut last = self.lock();
        if last.as_ref().is_some_and(|last| last.ended().is_none()) {
            return Err(not_begun(
                409,
                "TEST-20",
                "Another self-test is under way.",
                "Wait until it has ended, or cancel it.",
            ));
        }
        let ongoing = Arc::new(Ongoing {
            id: new_id()?,
            device,
            progress: watch::Sender::new(0),
            cancel: watch::Sender::new(false),
            ended: Mutex::new(None),
        });
        *last = Some(Arc::clone(&ongoing));
        Ok(ongoing)
    }

    fn find(&self, id: &str) -> Result<Arc<Ongoing>, Failure> {
        let found = self.lock().clone().filter(|last| last.id == id);
        let next =
            "Begin again; only the last test is remembered. Its record, if it has one, is kept.";
        found.ok_or_else(|| Failure::not_found("There is no such self-test.", next))
    }
}

/// What to measure, and for how long.
#[derive(Clone)]
struct Plan {
    target: Target,
    listen: Duration,
}

#[derive(Clone)]
enum Target {
    /// The adapter, tried with these devices; those of them that are paired, by their ids.
    Adapter {
        radio: RadioTest,
        paired: Vec<String>,
    },
    /// A paired Bluetooth device.
    Bluetooth { radio: RadioTest, device: Device },
    /// A device that is read on while it is judged.
    Line { device: Device },
}

impl Plan {
    /// The devices that are not read while the radio is measured.
    fn resting(&self) -> Vec<String> {
        match &self.target {
            Target::Adapter { paired, .. } => paired.clone(),
            Target::Bluetooth { device, .. } => vec![device.id.clone()],
            Target::Line { .. } => Vec::new(),
        }
    }
}

/// What a measurement was of, and what it found.
struct Measured {
    subject: Digest,
    kind: Kind,
    findings: Findings,
}

impl Node {
    /// Begins a self-test; answers at once.
    ///
    /// # Errors
    /// [`Failure`] if one is under way, there is no such device, or its data do not count now.
    pub fn start_self_test(self: &Arc<Self>, asked: &StartSelfTest) -> Result<SelfTest, Failure> {
        let plan = self.plan(asked)?;
        let ongoing = self.self_tests.begin(asked.device.clone())?;
        let (node, view) = (Arc::clone(self), ongoing.view());
        tokio::spawn(async move {
            let stage = node.run_self_test(&ongoing, plan).await;
            *ongoing.ended() = Some(stage);
        });
        Ok(view)
    }

    /// Where a self-test stands.
    ///
    /// # Errors
    /// [`Failure`] if it is not the last one.
    pub fn self_test(&self, id: &str) -> Result<SelfTest, Failure> {
        Ok(self.self_tests.find(id)?.view())
    }

    /// Cancels a self-test.
    ///
    /// # Errors
    /// [`Failure`] if it is not the last one.
    pub fn cancel_self_test(&self, id: &str) -> Result<(), Failure> {
        self.self_tests.find(id)?.cancel.send_replace(true);
        Ok(())
    }

    /// The newest records, newest first.
    ///
    /// # Errors
    /// [`Failure`] if there is no such device, both a device and an adapter are named, or the vault cannot be
    /// read.
    pub fn commissionings(
        &self,
        query: &CommissioningQuery,
    ) -> Result<Vec<CommissioningRecord>, Failure> {
        let subject = match (&query.device, &query.adapter) {
            (None, None) => None,
            (Some(id), None) => Some(parse_handle(&self.device(id)?.handle)?),
            (None, Some(adapter)) => Some(adapter_digest(adapter)),
            (Some(_), Some(_)) => {
                return Err(Failure::new(
                    400,
                    "TEST-22",
                    "The records were not listed.",
                    "A device and an adapter have records of their own.",
                    "Ask for those of the device, or for those of the adapter.",
                ));
            }
        };
        let rows = commissionings::newest(&self.vault(), subject.as_ref())?;
        let rows = rows.iter().map(|signed| {
            let record = signed.verify().map_err(Failure::internal)?;
            Ok(view_of(&record, signed))
        });
        rows.collect()
    }

    fn plan(&self, asked: &StartSelfTest) -> Result<Plan, Failure> {
        let seconds = asked.seconds.unwrap_or(LISTEN_SECONDS);
        if !SECONDS.contains(&seconds) {
            return Err(not_begun(
                400,
                "TEST-21",
                "It listens for 5 to 120 seconds.",
                "Ask for a time in this range.",
            ));
        }
        let listen = Duration::from_secs(u64::from(seconds));
        let target = match &asked.device {
            None => self.adapter_target(asked, listen)?,
            Some(_) if asked.adapter.is_some() || !asked.with.is_empty() => {
                return Err(not_begun(
                    400,
                    "TEST-22",
                    "A device and an adapter are tested one by one.",
                    "Ask for the device alone, or for the adapter and devices to try it with.",
                ));
            }
            Some(id) => self.device_target(id, listen)?,
        };
        Ok(Plan { target, listen })
    }

    fn adapter_target(&self, asked: &StartSelfTest, listen: Duration) -> Result<Target, Failure> {
        let named = asked.with.iter().map(|address| parse_address(address));
        let mut devices = named.collect::<Result<Vec<_>, _>>()?;
        let here: Vec<(String, PeripheralAddress)> = self
            .devices()
            .into_iter()
            .filter(|device| device.standing == DeviceStanding::InService)
            .filter_map(|device| Some((device.id, address_of(&device.path)?)))
            .collect();
        for (_, address) in &here {
            if !devices.contains(address) {
                devices.push(address.clone());
            }
        }
        devices.truncate(DEVICES_AT_MOST);
        let takes_part = |(_, address): &&(String, PeripheralAddress)| devices.contains(address);
        let paired = here.iter().filter(takes_part);
        let paired = paired.map(|(id, _)| id.clone()).collect();
        let adapter = asked.adapter.clone().or(self.bluetooth.adapter.clone());
        let radio = RadioTest {
            listen,
            ..RadioTest::new(adapter, devices)
        };
        Ok(Target::Adapter { radio, paired })
    }

    fn device_target(&self, id: &str, listen: Duration) -> Result<Target, Failure> {
        let device = self.device(id)?;
        if device.standing != DeviceStanding::InService {
            return Err(not_begun(
                409,
                "TEST-23",
                "The device is not in service.",
                "Resume it first, or test it at the node that serves it.",
            ));
        }
        let Some(address) = address_of(&device.path) else {
            return Ok(Target::Line { device });
        };
        let radio = RadioTest {
            listen,
            ..RadioTest::new(self.bluetooth.adapter.clone(), vec![address])
        };
        Ok(Target::Bluetooth { radio, device })
    }

    async fn run_self_test(self: &Arc<Self>, ongoing: &Ongoing, plan: Plan) -> SelfTestStage {
        let mut cancelled = ongoing.cancel.subscribe();
        let (begun_millis, begun) = (unix_millis(), Instant::now());
        let resting = plan.resting();
        for id in &resting {
            // One that was unpaired meanwhile is not to be read again, either.
            let _ = self.rest_device(id).await;
        }
        let mut aside = Duration::ZERO;
        let mut opened = begun;
        if let Target::Line { device } = &plan.target {
            // Never cancelled in between: it would not be read any more.
            let _ = self.rest_device(&device.id).await;
            opened = Instant::now();
            let _ = self.wake_device_from(&device.id, Away::self_test);
            aside = begun.elapsed();
        }
        let (node, progress) = (Arc::clone(self), ongoing.progress.clone());
        let mut task = tokio::spawn(async move { node.measure(plan, opened, &progress).await });
        let measured = tokio::select! {
            biased;
            () = async { drop(cancelled.wait_for(|is_cancelled| *is_cancelled).await) } => None,
            measured = &mut task => Some(measured),
        };
        if measured.is_none() {
            task.abort();
            // It lets go of its links only when it is gone.
            let _ = task.await;
        }
        if !resting.is_empty() {
            aside = begun.elapsed();
        }
        for id in &resting {
            let _ = self.wake_device_from(id, Away::self_test);
        }
        match measured {
            None => SelfTestStage::Cancelled,
            Some(Ok(Ok(measured))) => {
                let kept = self.keep_record(measured, begun_millis, (begun, aside));
                match kept.await {
                    Ok(record) => SelfTestStage::Done {
                        record: Box::new(record),
                    },
                    Err(failure) => failed(failure.error),
                }
            }
            Some(Ok(Err(error))) => failed(error),
            Some(Err(error)) => failed(Failure::internal(error).error),
        }
    }

    async fn measure(
        &self,
        plan: Plan,
        opened: Instant,
        progress: &watch::Sender<u8>,
    ) -> Result<Measured, ApiError> {
        let words = |reason| words_of(&reason);
        let handle =
            |device: &Device| parse_handle(&device.handle).map_err(|failure| failure.error);
        match plan.target {
            Target::Adapter { radio, .. } => {
                let adapter = adapter_in_use(radio.adapter.as_deref());
                let adapter = adapter.await.map_err(words)?;
                let name = adapter.address.unwrap_or(adapter.name);
                Ok(Measured {
                    subject: adapter_digest(&name),
                    kind: Kind::Adapter,
                    findings: test_adapter(&radio, progress).await.map_err(words)?,
                })
            }
            Target::Bluetooth { radio, device } => Ok(Measured {
                subject: handle(&device)?,
                kind: Kind::Bluetooth,
                findings: test_device(&radio, progress).await.map_err(words)?,
            }),
            Target::Line { device } => Ok(Measured {
                subject: handle(&device)?,
                kind: match device.source {
                    DeviceSource::Simulated => Kind::Simulated,
                    DeviceSource::Serial | DeviceSource::Bluetooth => Kind::Serial,
                },
                findings: self
                    .measure_line(&device, opened, plan.listen, progress)
                    .await
                    .map_err(|failure| failure.error)?,
            }),
        }
    }

    /// Has the record signed; answers once it is durable.
    async fn keep_record(
        &self,
        measured: Measured,
        begun_millis: u64,
        (begun, aside): (Instant, Duration),
    ) -> Result<CommissioningRecord, Failure> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let judged = judge(measured.kind, &measured.findings);
        let record = Commissioning {
            chain: self.chain,
            node: self.node_key,
            subject: measured.subject,
            kind: measured.kind,
            program: env!("CARGO_PKG_VERSION").into(),
            begun_millis,
            // The clock may be set during a test; its length is another clock's.
            ended_millis: begun_millis.saturating_add(millis(begun.elapsed())),
            aside_millis: millis(aside),
            outcome: outcome(&judged),
            judged,
        };
        let kept = Box::new(record.clone());
        let signed = self.until_durable(|done| Item::Commission(kept, done));
        let signed = signed.await?.map_err(Failure::internal)?;
        Ok(view_of(&record, &signed))
    }
}

const fn failed(error: ApiError) -> SelfTestStage {
    SelfTestStage::Failed { error }
}

fn not_begun(status: u16, code: &str, why: &str, next: &str) -> Failure {
    Failure::new(status, code, "The self-test was not begun.", why, next)
}
