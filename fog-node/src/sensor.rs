//! A paired device at work: what its driver reports goes to the devices that may hear it, to ingest
//! and to the live view, and what is durable goes back to devices that listen.

use std::path::PathBuf;
use std::sync::Arc;

use device_drivers::device::{Device, Introduction, SerialConfig, SourceConfig};
use device_drivers::event::{Event, MissingCause};
use device_drivers::link::LinkState;
use device_drivers::measurement::{Measurement, Metric};
use device_drivers::profile::{Profile, Rate};
use device_drivers::simulated::{SimulatedConfig, SimulatedKind};
use fogward_level0::HostKey;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::bluetooth::{Bluetooth, is_bluetooth};
use crate::ingest::{Count, DeviceIndex, Heard, Ingest, IngestStopped, Item, MAX_ITEM_READINGS};
use crate::live::LiveView;
use crate::relay::RelayEnd;
use crate::vault::devices::DeviceRow;
use crate::vault::gaps::Kind;
use crate::vault::seal::MasterKey;

/// Profile name of simulated devices; their path says what they pretend to be.
pub const SIMULATED_PROFILE: &str = "simulated";

/// Since when nobody listens to a sensor, in Unix milliseconds, and why; what it sends meanwhile is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Away {
    since: i64,
    why: &'static str,
}

impl Away {
    /// The node was stopped.
    #[must_use]
    pub const fn node_stopped(since: i64) -> Self {
        let why = "node-stopped";
        Self { since, why }
    }

    /// A self-test had it opened anew.
    #[must_use]
    pub const fn self_test(since: i64) -> Self {
        let why = "self-test";
        Self { since, why }
    }

    /// The device was on its way from another node.
    #[must_use]
    pub const fn handed_over(since: i64) -> Self {
        let why = "handover";
        Self { since, why }
    }
}

/// A running device.
pub struct Sensor {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    view: SensorView,
}

/// What a running device's driver shows besides its events, since the device was opened.
#[derive(Clone)]
pub struct SensorView {
    /// How the link is.
    pub state: watch::Receiver<LinkState>,
    /// How a level-0 device introduced itself.
    pub introduction: watch::Receiver<Option<Introduction>>,
    /// The rate it promises, by its profile or its own word.
    pub rate: watch::Receiver<Option<Rate>>,
}

impl Sensor {
    /// Opens the device and starts forwarding. `away`: since its newest stored reading, if there is one.
    /// `relay`: where it hears others and is heard.
    ///
    /// # Errors
    /// If the row names no profile of this version, or its key does not open.
    pub fn start(
        index: DeviceIndex,
        config: SourceConfig,
        ingest: Ingest,
        live: Arc<LiveView>,
        (away, relay): (Option<Away>, RelayEnd),
    ) -> anyhow::Result<Self> {
        let unheard = Unheard::new(&config, away);
        let (rate_sender, rate) = watch::channel(config.expected_rate());
        let device = Device::open(config)?;
        let view = SensorView {
            state: device.state.clone(),
            introduction: device.handle.introduction(),
            rate,
        };
        relay.attach(&device.handle.relay());
        let ways = (ingest, unheard, relay, rate_sender);
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(forward(index, device, ways, live, stopped));
        Ok(Self { stop, task, view })
    }

    /// What its driver shows.
    #[must_use]
    pub fn view(&self) -> SensorView {
        self.view.clone()
    }

    /// Has the device stop, and does not wait.
    pub fn end(&self) {
        self.stop.send_replace(true);
    }

    /// Stops the device; what it reported before is handed on first.
    pub async fn stop(self) {
        self.end();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a device's task failed");
        }
    }
}

/// How to open the device of a row.
///
/// # Errors
/// If the row names no profile of this version, or its key does not open.
pub(crate) fn source_of(
    row: &DeviceRow,
    master: &MasterKey,
    bluetooth: &Bluetooth,
) -> anyhow::Result<SourceConfig> {
    if row.simulated {
        return Ok(SourceConfig::Simulated(parse_simulated(&row.path)?));
    }
    let key = match &row.sealed_key {
        None => None,
        Some(sealed) => {
            let opened = master.open(row.id.as_bytes(), sealed)?;
            Some(HostKey::from_bytes(opened.as_slice())?)
        }
    };
    if is_bluetooth(&row.path) {
        return Ok(SourceConfig::Ble(bluetooth.config(row, key)?));
    }
    Ok(SourceConfig::Serial(SerialConfig {
        path: PathBuf::from(&row.path),
        profile: row.profile.parse::<Profile>()?,
        key,
        replay_floor: row
            .durable_sequence
            .and_then(|sequence| u64::try_from(sequence).ok()),
    }))
}

/// The path of a simulated device: `simulated:KIND:SEED`.
#[must_use]
pub fn simulated_path(config: &SimulatedConfig) -> String {
    format!("simulated:{}:{}", config.kind.name(), config.seed)
}

fn parse_simulated(path: &str) -> anyhow::Result<SimulatedConfig> {
    let mut parts = path.splitn(3, ':').skip(1);
    let name = parts.next().unwrap_or_default();
    let kind = SimulatedKind::from_name(name)
        .ok_or_else(|| anyhow::anyhow!("there is no simulated device of the kind {name:?}"))?;
    let seed = parts.next().unwrap_or_default().parse()?;
    Ok(SimulatedConfig { seed, kind })
}

/// What a sensor sent while the node was stopped and could not hear it: counted by its rate, once it is
/// heard again, in the commit of that reading. Counted earlier, a sensor that stays away over several
/// starts would be charged for the same time at each of them.
struct Unheard(Option<(Rate, Away)>);

impl Unheard {
    /// Simulated devices stop with the node; devices that number their readings name the hole themselves.
    fn new(config: &SourceConfig, away: Option<Away>) -> Self {
        let rate = config.expected_rate().filter(|_| !config.is_simulated());
        Self(rate.zip(away))
    }

    fn named_with(&mut self, measurements: &[Measurement]) -> Option<Count> {
        let first = measurements.first()?;
        let (rate, away) = self.0.take()?;
        let span = u64::try_from(first.host_time_millis - away.since).unwrap_or(0);
        let missing = rate
            .expected_in(span)
            .saturating_sub(measurements.len() as u64);
        (missing > 0).then_some((Kind::Missing, away.why, missing))
    }
}

async fn forward(
    index: DeviceIndex,
    mut device: Device,
    (ingest, mut unheard, relay, rate): (Ingest, Unheard, RelayEnd, watch::Sender<Option<Rate>>),
    live: Arc<LiveView>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut durable = live.durable_sequence(index);
    let mut finals = live.final_sequence(index);
    let standing = live.standing(index);
    let refusal = || {
        standing
            .as_ref()
            .and_then(|standing| standing.borrow().refusal())
    };
    let mut events = Vec::new();
    let mut signal = device.handle.signal();
    live.link_changed(index, &device.state.borrow_and_update().clone());
    loop {
        tokio::select! {
            biased;
            _ = stopped.changed() => break,
            changed = device.state.changed() => {
                if changed.is_err() {
                    break;
                }
                let link = device.state.borrow_and_update().clone();
                live.link_changed(index, &link);
            }
            Ok(()) = signal.changed() => live.signal(index, *signal.borrow_and_update()),
            sequence = next_number(&mut durable) => device.handle.ack(sequence),
            sequence = next_number(&mut finals) => device.handle.finalized(sequence),
            count = device.events.recv_many(&mut events, MAX_ITEM_READINGS) => {
                note_about(index, &events, &live, &rate);
                let refusal = refusal();
                if refusal.is_none() {
                    relay.hear(&events);
                }
                let handed = hand_on(index, &mut events, (&ingest, refusal), &mut unheard);
                if count == 0 || handed.await.is_err() {
                    break;
                }
            }
        }
    }
    device.handle.stop().await;
    while let Ok(event) = device.events.try_recv() {
        events.push(event);
    }
    let handed = hand_on(index, &mut events, (&ingest, refusal()), &mut unheard);
    if handed.await.is_err() {
        tracing::warn!(device = index.0, "readings came after the node had stopped");
    }
}

/// Shows what a device says of itself.
fn note_about(
    index: DeviceIndex,
    events: &[Event],
    live: &LiveView,
    rate: &watch::Sender<Option<Rate>>,
) {
    for event in events {
        if let Event::Device(info) = event {
            live.about(index, info);
            if info.rate.is_some() {
                rate.send_replace(info.rate);
            }
        }
    }
}

/// The next sequence number that becomes durable, or final; never for devices that do not number.
async fn next_number(numbers: &mut Option<watch::Receiver<Option<u64>>>) -> u64 {
    if let Some(receiver) = numbers
        && receiver.changed().await.is_ok()
        && let Some(sequence) = *receiver.borrow_and_update()
    {
        return sequence;
    }
    std::future::pending().await
}

/// Hands events on, all in one commit, but for holes whose reading has not come out of the queue yet. While
/// there is a reason to refuse a device's data they are counted under it, and nothing else becomes of them.
async fn hand_on(
    index: DeviceIndex,
    events: &mut Vec<Event>,
    (ingest, refusal): (&Ingest, Option<&'static str>),
    unheard: &mut Unheard,
) -> Result<(), IngestStopped> {
    let mut heard = Heard::default();
    let settled = events
        .iter()
        .rposition(|event| !is_hole(event))
        .map_or(0, |last| last + 1);
    let mut count = |kind: Kind, reason: &'static str, readings: u32| {
        if readings > 0 {
            heard.counts.push((kind, reason, u64::from(readings)));
        }
    };
    for event in events.drain(..settled) {
        match event {
            Event::Measurement(measurement) => match refusal {
                None => heard.measurements.push(measurement),
                Some(reason) => {
                    count(Kind::RejectedFrames, reason, 1);
                    count(Kind::RejectedReadings, reason, 1);
                }
            },
            Event::Rejected(rejection) => {
                let reason = rejection.reason.code();
                count(Kind::RejectedFrames, reason, rejection.frames);
                count(Kind::RejectedReadings, reason, rejection.readings);
            }
            Event::Missing { readings, cause } => count(Kind::Missing, cause.code(), readings),
            Event::Recovered { readings } => count(Kind::Recovered, "retransmitted", readings),
            Event::Clock(seen) => heard.clocks.push(seen),
            Event::Device(_) => {}
        }
    }
    let unheard = unheard.named_with(&heard.measurements);
    heard.counts.extend(unheard);
    if heard.is_nothing() {
        return Ok(());
    }
    ingest.send(Item::Heard(index, heard)).await
}

/// Whether the event names a hole in the device's own numbers. The reading after the hole follows at
/// once and must be stored with it: after a crash between the two, the hole would be counted again.
fn is_hole(event: &Event) -> bool {
    matches!(
        event,
        Event::Missing {
            cause: MissingCause::SequenceGap,
            ..
        } | Event::Recovered { .. }
    )
}

/// The rate at which a simulated device sends, by its path.
pub(crate) fn simulated_rate(path: &str) -> Option<device_drivers::profile::Rate> {
    parse_simulated(path).ok().map(|config| config.kind.rate())
}

/// What a simulated device measures, by its path.
pub(crate) fn simulated_metrics(path: &str) -> &'static [Metric] {
    parse_simulated(path).map_or(&[], |config| config.kind.metrics())
}

#[cfg(test)]
mod tests {
    //! Goal: time without the node is charged once, when the sensor is heard again. Method: examples.

    use super::*;
    use device_drivers::measurement::{Quality, Value};

    #[test]
    fn what_was_sent_to_nobody_is_named_with_the_first_reading() {
        let serial = |profile| SourceConfig::Serial(SerialConfig::new("/dev/none", profile));
        let value = Some(Value::whole(97));
        let heard = [Measurement::new(Metric::SpO2, value, Quality::Good, 61_000)];
        let away = Away::node_stopped;
        let mut unheard = Unheard::new(&serial(Profile::NoninOem3), Some(away(1_000)));
        assert_eq!(unheard.named_with(&[]), None, "not heard yet");
        let named = Some((Kind::Missing, "node-stopped", 7 * 60 - 1));
        assert_eq!(unheard.named_with(&heard), named);
        assert_eq!(unheard.named_with(&heard), None, "named already");
        for (profile, last_heard) in [
            (Profile::NoninOem3, None),
            (Profile::NoninOem3, Some(61_000)),
            (Profile::NoninOem3, Some(90_000)),
            (Profile::FogwardLevel0, Some(1_000)),
        ] {
            let mut unheard = Unheard::new(&serial(profile), last_heard.map(away));
            assert_eq!(unheard.named_with(&heard), None, "{profile} {last_heard:?}");
        }
    }
}
