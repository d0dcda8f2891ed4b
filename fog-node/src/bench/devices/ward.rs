//! The ward: which sensors there are, and when each sends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fog_api::Device;
use fogward_level0::Authentication;
use ledger_core::Digest;

use super::asker::Asker;
use super::listener::{Listener, Shown};
use super::sensor::{Played, VITALS, damage};

/// How many sensors of each kind: 100 in all.
const ULTRA_LIGHT: u32 = 40;
const LOW_COST: u32 = 20;
const SIGNING: u32 = 20;
const NONIN: u32 = 20;
/// The first so many send a wave, too.
const WAVES: usize = 8;
/// The sensor whose wave is looked at.
const WATCHED: usize = 0;
/// The first so many are heard by another device, too.
const SOURCES: usize = 20;
/// One in so many frames of vitals is damaged on the line.
const DAMAGED_EVERY: usize = 40;

/// What one device sent.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Sent {
    pub(super) readings: u64,
    pub(super) damaged_frames: u64,
}

/// Who is told, and hears it.
pub(super) type Ears<'a> = (&'a Listener, &'a Asker);

/// All sensors.
pub(super) struct Ward {
    sensors: Vec<Played>,
    /// The node's ids of them, in the same order.
    ids: Vec<String>,
    /// How each is called on the line of a device that hears it.
    sources: Vec<[u8; 4]>,
    /// What is sent in a second, and when in it.
    plan: Vec<Turn>,
}

#[derive(Clone, Copy)]
struct Turn {
    at: Duration,
    sensor: usize,
    shown: Shown,
}

impl Turn {
    /// Whether a listener is told of it: of every pulse, and of the wave that is looked at.
    fn is_watched(self) -> bool {
        self.shown == Shown::Pulse || self.sensor == WATCHED
    }
}

impl Ward {
    /// Sensors with fresh keys, each at a line of its own.
    pub(super) fn plug_in() -> anyhow::Result<Self> {
        let classes = [
            (Authentication::AsconTag, ULTRA_LIGHT),
            (Authentication::HmacTag, LOW_COST),
            (Authentication::Signature, SIGNING),
        ];
        let mut sensors = Vec::new();
        for (class, count) in classes {
            for _ in 0..count {
                sensors.push(Played::level0(sensors.len() as u32, class)?);
            }
        }
        for _ in 0..NONIN {
            sensors.push(Played::nonin()?);
        }
        let plan = plan(sensors.len());
        Ok(Self {
            sensors,
            ids: Vec::new(),
            sources: Vec::new(),
            plan,
        })
    }

    pub(super) fn sensors(&self) -> impl Iterator<Item = &Played> {
        self.sensors.iter()
    }

    /// Learns which of the node's devices is which sensor.
    pub(super) fn learn_ids(&mut self, devices: &[Device]) -> anyhow::Result<()> {
        let learn = |sensor: &Played| {
            let path = sensor.line.path().to_str()?;
            let device = devices.iter().find(|device| device.path == path)?;
            let handle: Digest = device.handle.parse().ok()?;
            Some((device.id.clone(), *handle.0.first_chunk()?))
        };
        let learned: Option<Vec<_>> = self.sensors.iter().map(learn).collect();
        let learned = learned.context("the node has not paired all sensors")?;
        (self.ids, self.sources) = learned.into_iter().unzip();
        Ok(())
    }

    /// The devices that another one is to hear.
    pub(super) fn heard(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().take(SOURCES).map(String::as_str)
    }

    /// The device whose wave is looked at.
    pub(super) fn wave_device(&self) -> &str {
        self.ids.get(WATCHED).map_or("", String::as_str)
    }

    /// A second that nobody watches, of whole frames only.
    pub(super) fn play_unwatched(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        for turn in self.plan.clone() {
            until(start + turn.at);
            self.send(turn, None, false)?;
        }
        until(start + Duration::from_secs(1));
        Ok(())
    }

    /// So many seconds that a listener watches; what each device sent in them, by its id.
    ///
    /// In the last second no frame is damaged: a hole is known by the number after it.
    pub(super) fn play(
        &mut self,
        seconds: u32,
        ears: Ears<'_>,
    ) -> anyhow::Result<BTreeMap<String, Sent>> {
        let mut sent = vec![Sent::default(); self.sensors.len()];
        let start = Instant::now();
        for second in 0..seconds {
            for turn in self.plan.clone() {
                until(start + Duration::from_secs(second.into()) + turn.at);
                let is_chosen = (turn.sensor + second as usize).is_multiple_of(DAMAGED_EVERY);
                let is_damaged = is_chosen && second + 1 < seconds;
                let of_frame = self.send(turn, Some(ears), is_damaged)?;
                let sum = &mut sent[turn.sensor];
                sum.readings += of_frame.readings;
                sum.damaged_frames += of_frame.damaged_frames;
            }
        }
        until(start + Duration::from_secs(seconds.into()));
        Ok(self.ids.iter().cloned().zip(sent).collect())
    }

    /// Sends what is due; damages it if that is asked for and leaves a hole in numbers.
    fn send(
        &mut self,
        turn: Turn,
        ears: Option<Ears<'_>>,
        is_damaged: bool,
    ) -> anyhow::Result<Sent> {
        let sensor = &mut self.sensors[turn.sensor];
        sensor.listen()?;
        let ((mut frame, value), readings) = match turn.shown {
            Shown::Pulse => (sensor.vitals()?, VITALS),
            Shown::Wave => (sensor.wave()?, 1),
        };
        let is_damaged = is_damaged && sensor.is_numbered() && turn.shown == Shown::Pulse;
        if is_damaged {
            damage(&mut frame)?;
        } else if let Some((listener, asker)) = ears {
            if turn.is_watched() {
                listener.expect(&self.ids[turn.sensor], turn.shown, value);
            }
            if turn.shown == Shown::Pulse && turn.sensor < SOURCES {
                asker.expect(self.sources[turn.sensor], value);
            }
        }
        let sent = sensor.line.send(&frame);
        sent.context("the node does not read a sensor's line")?;
        Ok(Sent {
            readings,
            damaged_frames: is_damaged.into(),
        })
    }
}

/// Every sensor's time in the second: spread evenly and in no order, as sensors that know nothing of each
/// other are. The steps are those of the golden ratio, which never come near an earlier one.
fn plan(sensors: usize) -> Vec<Turn> {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let vitals = (0..sensors).map(|sensor| (sensor, Shown::Pulse));
    let waves = (0..WAVES).map(|sensor| (sensor, Shown::Wave));
    let turn = |(number, (sensor, shown))| Turn {
        at: Duration::from_secs_f64((f64::from(number) * GOLDEN).fract()),
        sensor,
        shown,
    };
    let mut plan: Vec<_> = (0u32..).zip(vitals.chain(waves)).map(turn).collect();
    plan.sort_by_key(|turn| turn.at);
    plan
}

fn until(time: Instant) {
    std::thread::sleep(time.saturating_duration_since(Instant::now()));
}
