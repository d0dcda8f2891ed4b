//! Bench `devices`: a ward of 100 sensors at one node, from the frame on the wire to the event that a
//! console is told.
//!
//! The bench plays the sensors at pseudo terminals, the node is `fogward run` in a process of its own, and
//! one listener reads `GET /api/events` with the waves of one device; one more device hears twenty of the others. Each sensor sends SpO₂ and pulse once a
//! second, at a time of its own; eight of them a second of a wave at 100 Hz, too. One in forty level-0 frames
//! is damaged on the line: what it held must be named in the gap ledger. Left out: Bluetooth, whose radio no
//! program can play, and the painting of the plot.

mod asker;
pub(super) mod line;
mod listener;
pub(super) mod running;
mod sensor;
mod ward;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use fog_api::{Device, DeviceState};

use super::percentile;
use asker::Asker;
use listener::{Delays, Listener};
use running::Running;
use sensor::Played;
use ward::{Sent, Ward};

/// Number of the device that hears others, beyond those of the ward.
const ASKER: usize = 100;
/// For what follows pairing to end: registrations, first batches.
const WARM_UP: Duration = Duration::from_secs(5);
/// Longest wait for all sensors to be read.
const PATIENCE: Duration = Duration::from_secs(60);
/// The gap ledger has settled when it stays as it is for so long; short of the silence after which a Nonin's
/// readings are missing by its rate.
const SETTLED: Duration = Duration::from_millis(300);
/// Longest wait for what was sent last; what is not there then is lost.
const LAST_WAIT: Duration = Duration::from_secs(5);

pub(super) fn measure(folder: &Path, seconds: u32) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut ward = Ward::plug_in()?;
    let mut arguments = vec!["--api=127.0.0.1:0".to_owned()];
    for (number, sensor) in ward.sensors().enumerate() {
        pair(folder, number, sensor, &mut arguments)?;
    }
    let asker = Asker::listen(|asker| pair(folder, ASKER, asker, &mut arguments))?;
    let node = Running::start(&folder.join("node"), arguments)?;
    ward.learn_ids(&node.devices()?)?;
    until_streaming(&mut ward, &node)?;
    asker.ask(&node, ward.heard())?;
    // Nobody sent meanwhile, and a Nonin's silence is named once it is over.
    ward.play_unwatched()?;
    let listener = Listener::open(&node.api, ward.wave_device())?;
    let ledger_before = settled(&node)?;
    let (cost_before, since) = (node.cost()?, Instant::now());
    let sent = ward.play(seconds, (&listener, &asker))?;
    let (cost, elapsed) = (node.cost()?, since.elapsed().as_secs_f64());
    let rss_bytes = node.rss_bytes()?;
    let fates = Fates::of(&sent, &ledger_before, &settled(&node)?)?;
    let delays = listener.delays();
    node.stop()?;
    listener.end()?;
    let cpu_seconds = cost.cpu_seconds - cost_before.cpu_seconds;
    let disk_bytes = cost.disk_bytes - cost_before.disk_bytes;
    let mut figures = vec![
        ("cpu_core_fraction", cpu_seconds / elapsed),
        ("disk_bytes_per_second", disk_bytes / elapsed),
        ("rss_bytes", rss_bytes),
    ];
    figures.extend(fates.figures());
    figures.extend(shown(delays)?);
    figures.extend(relayed(asker)?);
    Ok(figures)
}

/// How a node is told to pair a sensor; its key is put into a file.
fn pair(
    folder: &Path,
    number: usize,
    sensor: &Played,
    arguments: &mut Vec<String>,
) -> anyhow::Result<()> {
    let path = sensor.line.path().display();
    arguments.push(format!("--serial={path}={}", sensor.profile()));
    if let Some(key) = &sensor.key {
        let file = folder.join(format!("{number}.key"));
        fs::write(&file, key)?;
        arguments.push(format!("--serial-key={path}={}", file.display()));
    }
    Ok(())
}

/// Plays until the node reads every sensor, and a little longer.
fn until_streaming(ward: &mut Ward, node: &Running) -> anyhow::Result<()> {
    let since = Instant::now();
    loop {
        ward.play_unwatched()?;
        let devices = node.devices()?;
        let is_read = |device: &Device| device.state == DeviceState::Streaming;
        if devices.iter().all(is_read) && since.elapsed() >= WARM_UP {
            return Ok(());
        }
        if since.elapsed() > PATIENCE {
            let silent = devices.iter().filter(|device| !is_read(device)).count();
            bail!("the node does not read {silent} of its sensors");
        }
    }
}

/// The gap ledgers once nothing is on its way any more.
fn settled(node: &Running) -> anyhow::Result<BTreeMap<String, Entry>> {
    let since = Instant::now();
    let mut before = ledger(node.devices()?);
    loop {
        std::thread::sleep(SETTLED);
        let now = ledger(node.devices()?);
        if now == before || since.elapsed() > LAST_WAIT {
            return Ok(now);
        }
        before = now;
    }
}

/// What the gap ledger of a device says: readings received, and all that it knows of.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    received: u64,
    expected: u64,
}

fn ledger(devices: Vec<Device>) -> BTreeMap<String, Entry> {
    let entry = |device: Device| {
        let (received, expected) = (device.gap.received, device.gap.expected);
        (device.id, Entry { received, expected })
    };
    devices.into_iter().map(entry).collect()
}

/// What became of all readings, in readings but for `damaged_frames`.
#[derive(Default, Debug, PartialEq, Eq)]
struct Fates {
    sent: u64,
    damaged_frames: u64,
    received: u64,
    named: u64,
    lost_unnamed: u64,
    counted_twice: u64,
}

impl Fates {
    /// Compares, device by device, so that one's excess hides no other's loss.
    fn of(
        sent: &BTreeMap<String, Sent>,
        before: &BTreeMap<String, Entry>,
        after: &BTreeMap<String, Entry>,
    ) -> anyhow::Result<Self> {
        let mut fates = Self::default();
        for (device, sent) in sent {
            let entry = |of: &BTreeMap<String, Entry>| of.get(device).copied();
            let (before, after) = entry(before)
                .zip(entry(after))
                .context("a device without a gap ledger")?;
            let received = after.received - before.received;
            let known = after.expected - before.expected;
            fates.sent += sent.readings;
            fates.damaged_frames += sent.damaged_frames;
            fates.received += received;
            fates.named += known - received;
            fates.lost_unnamed += sent.readings.saturating_sub(known);
            fates.counted_twice += known.saturating_sub(sent.readings);
        }
        Ok(fates)
    }

    fn figures(&self) -> [(&'static str, f64); 6] {
        [
            ("readings_sent", self.sent as f64),
            ("readings_received", self.received as f64),
            ("readings_named", self.named as f64),
            ("frames_damaged", self.damaged_frames as f64),
            ("lost_unnamed", self.lost_unnamed as f64),
            ("counted_twice", self.counted_twice as f64),
        ]
    }
}

fn shown(delays: Delays) -> anyhow::Result<[(&'static str, f64); 6]> {
    if delays.missed > 0 {
        bail!("the listener was too slow and missed events");
    }
    let count = delays.pulses.len() + delays.waves.len();
    Ok([
        ("frames_shown", count as f64),
        ("frames_never_shown", delays.never as f64),
        (
            "frame_to_event_p50_ms",
            percentile(delays.pulses.clone(), 50),
        ),
        ("frame_to_event_p99_ms", percentile(delays.pulses, 99)),
        ("wave_to_event_p50_ms", percentile(delays.waves.clone(), 50)),
        ("wave_to_event_p99_ms", percentile(delays.waves, 99)),
    ])
}

fn relayed(asker: Asker) -> anyhow::Result<[(&'static str, f64); 4]> {
    let (delays, never) = asker.end()?;
    Ok([
        ("relayed", delays.len() as f64),
        ("never_relayed", never as f64),
        ("relay_p50_ms", percentile(delays.clone(), 50)),
        ("relay_p99_ms", percentile(delays, 99)),
    ])
}

#[cfg(test)]
mod tests {
    //! Goal: a reading that is lost without a name, or counted twice, is found also where another device's
    //! account is wrong the other way. Method: three devices with known fates.

    use super::*;

    #[test]
    fn each_device_is_accounted_for_by_itself() {
        let sent = |readings| Sent {
            readings,
            damaged_frames: 1,
        };
        let sent = ["a", "b", "c"].map(|name| (name.to_owned(), sent(10)));
        let entry = |received, expected| Entry { received, expected };
        let before = ["a", "b", "c"].map(|name| (name.to_owned(), entry(5, 6)));
        let after = [("a", 13, 16), ("b", 12, 13), ("c", 18, 19)]
            .map(|(name, received, expected)| (name.to_owned(), entry(received, expected)));
        let fates = Fates::of(&sent.into(), &before.into(), &after.into()).unwrap();
        let right = Fates {
            sent: 30,
            damaged_frames: 3,
            received: 8 + 7 + 13,
            named: 2,
            lost_unnamed: 3,
            counted_twice: 3,
        };
        assert_eq!(fates, right);
    }
}
