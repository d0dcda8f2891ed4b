//! Bench `moves`: a hundred sensors that live a hard life at two nodes, and what became of every reading.
//!
//! The bench plays sensors of every profile on a wire, one reading or one second of a stream a second each. They
//! are pulled out and put in again, their bytes are damaged, cut and mixed with noise, and they are handed over
//! from one node to the other, again and again; now and then a node is killed. What a level-0 sensor sends is
//! numbered: at the end, the gap ledgers of both nodes together must name each number once. The other profiles
//! number nothing: what they sent while nobody listened is estimated by their rate, and how far that is off is
//! told apart. Chance comes from a fixed seed; what it meets does not. Left out: Bluetooth, whose radio no program
//! can play (`fog-node/tests/it/moving_ward` plays such sensors through BlueZ's interface).

mod fates;
mod sensor;
mod staff;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use device_drivers::profile::Profile;
use fog_api::DeviceState;

use super::town::PATIENCE;
use fates::{Account, Accounts, accounts, stored_twice};
use sensor::{Kind, Worn};
use staff::{Done, Errand, Staff};

/// The seed of all that is left to chance.
const SEED: u64 = 0x0f09;
/// How many sensors of each kind: 100 in all.
const KINDS: [(Kind, u32); 8] = [
    (Kind::Keeping, 20),
    (Kind::UltraLight, 16),
    (Kind::LowCost, 12),
    (Kind::Signing, 12),
    (Kind::Stream(Profile::NoninAscii), 10),
    (Kind::Stream(Profile::NoninOem3), 10),
    (Kind::Stream(Profile::ContecCms50dPlus), 10),
    (Kind::Stream(Profile::ContecCms50d115200), 10),
];
/// One second in so many a sensor is pulled out, for up to [`AWAY_AT_MOST`] seconds.
const PULLED_EVERY: u32 = 150;
const AWAY_AT_MOST: u32 = 8;
/// One second in so many it is moved.
const MOVED_EVERY: u32 = 300;
/// One frame in so many is damaged, cut, or comes after noise.
const DISTURBED_EVERY: u32 = 40;
/// A node is killed so often in a run.
const KILLS: u32 = 6;
/// Seconds without disturbance at the end: a hole is known by the number after it.
const CALM: u32 = 15;
/// The gap ledgers have settled when they stay as they are for so long.
const SETTLED: Duration = Duration::from_millis(700);
const LAST_WAIT: Duration = Duration::from_secs(20);

/// What was done to the sensors.
#[derive(Default)]
struct Disturbed {
    pulls: u32,
    frames: u32,
}

pub(super) fn measure(folder: &Path, seconds: u32) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut ward = ward(folder)?;
    let staff = Staff::start(folder, &ward)?;
    until_streaming(&mut ward, &staff)?;
    let (before, since) = (settled(&staff)?, Instant::now());
    let (staff, done, disturbed) = play(&mut ward, staff, seconds)?;
    let streamed = since.elapsed();
    let after = settled(&staff)?;
    let mut figures = judged(&ward, &staff, (&before, &after), streamed)?;
    figures.extend([
        ("moves", done.moves.into()),
        ("kills", done.kills.into()),
        ("pulled_out", disturbed.pulls.into()),
        ("frames_disturbed", disturbed.frames.into()),
        ("registered", staff.registered()? as f64),
    ]);
    let town = staff.stop()?;
    for node in 0..town.len() {
        check(&town.data(node))?;
    }
    Ok(figures)
}

fn ward(folder: &Path) -> anyhow::Result<Vec<Worn>> {
    let kinds = KINDS
        .iter()
        .flat_map(|(kind, count)| (0..*count).map(move |_| *kind));
    let sensors = (0..)
        .zip(kinds)
        .map(|(number, kind)| Worn::new(folder, number, kind));
    sensors.collect()
}

/// Plays undisturbed until every sensor is read.
fn until_streaming(ward: &mut [Worn], staff: &Staff) -> anyhow::Result<()> {
    let since = Instant::now();
    loop {
        second(ward, |sensor, frames| {
            frames.iter().for_each(|frame| sensor.send(frame));
        })?;
        let devices = staff.devices()?;
        let is_read = |device: &fog_api::Device| device.state == DeviceState::Streaming;
        let silent = devices.iter().filter(|device| !is_read(device)).count();
        if silent == 0 && since.elapsed() > Duration::from_secs(5) {
            return Ok(());
        }
        if since.elapsed() > PATIENCE {
            bail!("{silent} sensors are not read");
        }
    }
}

/// A second of all sensors, one after another and spread over it.
fn second(ward: &mut [Worn], mut send: impl FnMut(&mut Worn, Vec<Vec<u8>>)) -> anyhow::Result<()> {
    let start = Instant::now();
    let step = Duration::from_secs(1) / u32::try_from(ward.len().max(1))?;
    for (number, sensor) in (0..).zip(ward.iter_mut()) {
        std::thread::sleep((start + step * number).saturating_duration_since(Instant::now()));
        sensor.listen()?;
        let frames = sensor.measure()?;
        send(sensor, frames);
    }
    std::thread::sleep((start + Duration::from_secs(1)).saturating_duration_since(Instant::now()));
    Ok(())
}

/// Plays the hard life, and the calm after it.
fn play(ward: &mut [Worn], staff: Staff, seconds: u32) -> anyhow::Result<(Staff, Done, Disturbed)> {
    let mut chance = fastrand::Rng::with_seed(SEED);
    let mut away = vec![0; ward.len()];
    let mut disturbed = Disturbed::default();
    let (errands, working) = staff.work();
    let between_kills = (seconds / (KILLS + 1)).max(1);
    for now in 1..=seconds {
        if now % between_kills == 0 && now / between_kills <= KILLS {
            let node = (now / between_kills) as usize % 2;
            errands
                .send(Errand::Kill(node))
                .context("the staff have given up")?;
        }
        for (number, sensor) in ward.iter_mut().enumerate() {
            if away[number] > 0 {
                away[number] -= 1;
                if away[number] == 0 {
                    sensor.plug_in()?;
                }
            } else if chance.u32(..PULLED_EVERY) == 0 {
                sensor.pull_out()?;
                away[number] = chance.u32(1..=AWAY_AT_MOST);
                disturbed.pulls += 1;
            } else if chance.u32(..MOVED_EVERY) == 0 {
                // Staff that have enough to do are not asked.
                let _ = errands.try_send(Errand::Move(number));
            }
        }
        second(ward, |sensor, frames| {
            for frame in frames {
                if chance.u32(..DISTURBED_EVERY) == 0 && sensor.is_plugged() {
                    disturbed.frames += 1;
                    sensor.send(&spoilt(frame, &mut chance));
                } else {
                    sensor.send(&frame);
                }
            }
        })?;
    }
    drop(errands);
    let worked = working
        .join()
        .map_err(|_| anyhow::anyhow!("the staff have failed"))?;
    let (staff, done) = worked?;
    for sensor in ward.iter_mut().filter(|sensor| !sensor.is_plugged()) {
        sensor.plug_in()?;
    }
    for _ in 0..CALM {
        second(ward, |sensor, frames| {
            frames.iter().for_each(|frame| sensor.send(frame));
        })?;
    }
    Ok((staff, done, disturbed))
}

/// A frame as it comes out of a bad line: a byte changed, its end cut off, or noise before it.
fn spoilt(mut frame: Vec<u8>, chance: &mut fastrand::Rng) -> Vec<u8> {
    match chance.u8(..3) {
        0 => {
            let at = chance.usize(..frame.len().max(1));
            if let Some(byte) = frame.get_mut(at) {
                *byte ^= 1 << chance.u8(..8);
            }
        }
        1 => frame.truncate(chance.usize(..=frame.len())),
        _ => {
            let noise = std::iter::repeat_with(|| chance.u8(..));
            let noise: Vec<u8> = noise.take(8).collect();
            frame.splice(..0, noise);
        }
    }
    frame
}

/// The accounts once nothing is on its way any more.
fn settled(staff: &Staff) -> anyhow::Result<Accounts> {
    let since = Instant::now();
    let mut before = accounts(&staff.vaults())?;
    loop {
        std::thread::sleep(SETTLED);
        let now = accounts(&staff.vaults())?;
        if now == before || since.elapsed() > LAST_WAIT {
            return Ok(now);
        }
        before = now;
    }
}

/// What became of all readings, sensor by sensor, so that one's excess hides no other's loss.
fn judged(
    ward: &[Worn],
    staff: &Staff,
    (before, after): (&Accounts, &Accounts),
    streamed: Duration,
) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let (mut sent, mut received, mut recovered) = (0, 0, 0);
    let (mut lost_unnamed, mut counted_twice) = (0, 0);
    let (mut by_rate, mut estimated) = (0, 0);
    for (sensor, handle) in ward.iter().zip(staff.handles()) {
        let account = after
            .get(&handle)
            .context("a sensor without a gap ledger")?;
        if sensor.is_numbered() {
            sent += sensor.taken;
            received += account.received;
            recovered += account.recovered;
            lost_unnamed += sensor.taken.saturating_sub(account.expected);
            counted_twice += account.expected.saturating_sub(sensor.taken);
            counted_twice += stored_twice(account, staff.nodes())?;
        } else {
            let rate = sensor.profile().readings_per_second();
            let rate = rate.context("a stream without a rate")?;
            let millis = u64::try_from(streamed.as_millis())?;
            by_rate += rate.expected_in(millis);
            let earlier = before
                .get(&handle)
                .map_or(0, |account: &Account| account.expected);
            estimated += account.expected - earlier;
        }
    }
    Ok(vec![
        ("readings_sent", sent as f64),
        ("readings_received", received as f64),
        ("readings_recovered", recovered as f64),
        ("readings_named", (sent - received) as f64),
        ("lost_unnamed", lost_unnamed as f64),
        ("counted_twice", counted_twice as f64),
        ("stream_readings", by_rate as f64),
        ("stream_readings_told", estimated as f64),
    ])
}

/// Has a stopped node's folder checked by the program itself.
fn check(data: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe().context("where is this program?")?);
    let output = command.args(["fsck", "--data"]).arg(data).output()?;
    if !output.status.success() {
        bail!(
            "the check found faults:\n{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(())
}
