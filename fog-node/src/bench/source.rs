//! Synthetic patients: vital signs that wander as real ones do, at no cost worth measuring.

use device_drivers::measurement::{Measurement, Metric, Quality, Value};
use ledger_core::Digest;
use tokio::sync::oneshot;

use crate::Node;
use crate::clock::now_millis;
use crate::ingest::{DeviceIndex, Heard, Ingest, Item};
use crate::keystore::random;
use crate::sensor::SIMULATED_PROFILE;
use crate::vault::devices::DeviceRow;

/// How far in the past a patient's first reading lies.
const DAY_MILLIS: i64 = 86_400_000;

/// Three pairs a second.
const PAIR_MILLIS: i64 = 333;

/// A device of the bench: SpO₂ and pulse, alternating.
pub(super) struct Patient {
    pub(super) index: DeviceIndex,
    pub(super) id: String,
    spo2: i64,
    pulse: i64,
    /// When its next readings are received: times spread as a real sensor's do, or they would compress
    /// to nothing.
    time: i64,
    /// From one pair of readings to the next.
    pub(super) pair_millis: i64,
    random: u64,
}

impl Patient {
    /// Has the node store, register and show `count` devices.
    pub(super) async fn admit(
        node: &Node,
        ingest: &Ingest,
        count: u64,
    ) -> anyhow::Result<Vec<Self>> {
        let mut patients = Vec::new();
        for number in 0..count {
            let id = hex::encode(random::<8>()?);
            let row = DeviceRow {
                id: id.clone(),
                name: format!("Bench {number}"),
                profile: SIMULATED_PROFILE.into(),
                path: format!("bench:{number}"),
                simulated: true,
                sealed_key: None,
                handle: Digest(random()?),
                added: now_millis(),
                durable_sequence: None,
                handovers: 0,
            };
            let (done, added) = oneshot::channel();
            ingest.send(Item::Add(row.clone(), None, done)).await?;
            let index = added.await?.map_err(anyhow::Error::msg)?;
            node.show_device(index, &row, None, 0)?;
            let time = now_millis() - DAY_MILLIS;
            patients.push(Self {
                random: number * 2 + 1,
                ..Self::again(index, id, time)
            });
        }
        Ok(patients)
    }

    /// A device that the node knows already, whose next reading is received at this time.
    pub(super) fn again(index: DeviceIndex, id: String, time: i64) -> Self {
        Self {
            index,
            id,
            spo2: 97,
            pulse: 72,
            time,
            pair_millis: PAIR_MILLIS,
            random: u64::from(index.0) * 2 + 1,
        }
    }

    /// The next `count` readings, three pairs a second without another pace, with the jitter of a serial line.
    pub(super) fn readings(&mut self, count: usize) -> Item {
        let mut measurements = Vec::with_capacity(count);
        for place in 0..count {
            let step = self.step();
            let (metric, value) = if place.is_multiple_of(2) {
                self.time += self.pair_millis + 2 * self.step() + self.step();
                self.spo2 = (self.spo2 + step).clamp(88, 100);
                (Metric::SpO2, self.spo2)
            } else {
                self.pulse = (self.pulse + step).clamp(45, 140);
                (Metric::PulseRate, self.pulse)
            };
            measurements.push(simulated(metric, Value::whole(value), self.time));
        }
        Item::Heard(self.index, Heard::measured(measurements))
    }

    /// One second of a wave.
    pub(super) fn wave(&mut self) -> Item {
        let samples = (0..75)
            .map(|_| i16::try_from(self.step() * 40).ok())
            .collect();
        let value = Value::Samples {
            period_micros: 13_333,
            samples,
        };
        let measurements = vec![simulated(Metric::PlethWave, value, now_millis())];
        Item::Heard(self.index, Heard::measured(measurements))
    }

    /// −1, 0 or 1 (xorshift64).
    fn step(&mut self) -> i64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % 3) as i64 - 1
    }
}

fn simulated(metric: Metric, value: Value, now: i64) -> Measurement {
    Measurement {
        simulated: true,
        ..Measurement::new(metric, Some(value), Quality::Good, now)
    }
}
