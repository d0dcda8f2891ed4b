//! Sensors of the Bluetooth SIG's profiles that number nothing, and the values they notify: written from the GATT
//! Specification Supplement, sharing nothing with the decoders.
//!
//! Each measurement has a value of its own as far as the profile's range goes, so that one stored twice shows. A
//! damaged one is cut short, too long, or impossible; one with a reserved flag and a byte that belongs to it is not
//! damaged: hosts have to pass over what is added to a profile later.

use bluez_fake::long;
use device_drivers::measurement::Metric;

use super::air::Body;

/// A stored or sent value: its metric and, in ten-thousandths of the metric's unit, its number.
pub(super) type Value = (&'static str, i64);

/// What a sensor measures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Profile {
    HeartRate,
    Thermometer,
    Oximeter,
    SpotCheck,
    BloodPressure,
    Weight,
    Composition,
}

/// One measurement as it goes over the air.
pub(super) struct Measured {
    /// The values that are notified, one after another.
    pub(super) parts: Vec<Vec<u8>>,
    /// The readings in it.
    pub(super) readings: Vec<Value>,
    /// Frames that have to be refused, and the readings that are known to be lost with them.
    pub(super) refused: (u64, u64),
}

/// What becomes of a measurement on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Damage {
    Reserved,
    Cut(usize),
    TooLong,
    Impossible,
}

impl Profile {
    /// Service, characteristic and how it is pushed.
    const fn characteristic(self) -> (u16, u16, &'static str) {
        match self {
            Self::HeartRate => (0x180d, 0x2a37, "notify"),
            Self::Thermometer => (0x1809, 0x2a1c, "indicate"),
            Self::Oximeter => (0x1822, 0x2a5f, "notify"),
            Self::SpotCheck => (0x1822, 0x2a5e, "indicate"),
            Self::BloodPressure => (0x1810, 0x2a35, "indicate"),
            Self::Weight => (0x181d, 0x2a9d, "indicate"),
            Self::Composition => (0x181b, 0x2a9c, "indicate"),
        }
    }

    pub(super) fn body(self, address: String) -> Body {
        let (service, measured, push) = self.characteristic();
        Body {
            address,
            service: long(service),
            characteristics: vec![(long(measured), vec![push])],
        }
    }

    /// Readings that a value of it has at least: so many are known to be lost when it cannot be decoded.
    const fn always(self) -> u64 {
        match self {
            Self::BloodPressure => 3,
            Self::Oximeter | Self::SpotCheck => 2,
            Self::HeartRate | Self::Thermometer | Self::Weight | Self::Composition => 1,
        }
    }

    /// The measurement with this number.
    pub(super) fn measure(self, number: u32, damage: Option<Damage>) -> Measured {
        let (mut parts, mut readings) = self.intact(number);
        let mut refused = (0, 0);
        match damage {
            None => {}
            Some(Damage::Reserved) => {
                // Bit 7 of the last byte of the flags, which are one byte or, of a body composition, two.
                let flags = usize::from(self == Self::Composition);
                for part in &mut parts {
                    part[flags] |= 0x80;
                    part.push(0x5a);
                }
            }
            Some(Damage::Cut(length)) => {
                let length = length % parts[0].len();
                parts = vec![parts[0][..length].to_vec()];
                readings.clear();
                refused = (1, self.always());
            }
            Some(Damage::TooLong) => {
                parts = vec![[&parts[0][..], &[0x5a]].concat()];
                readings.clear();
                refused = (1, self.always());
            }
            Some(Damage::Impossible) => {
                (parts, readings) = self.impossible(number);
                refused = (1, 1);
            }
        }
        Measured {
            parts,
            readings,
            refused,
        }
    }

    fn intact(self, number: u32) -> (Vec<Vec<u8>>, Vec<Value>) {
        let bpm = 60 + number % 60;
        let tenths = |from: u32| from + number % 1_500;
        match self {
            Self::HeartRate => (
                vec![heart_rate(bpm, number % 65_000)],
                vec![
                    whole(Metric::HeartRate, bpm),
                    whole(Metric::EnergyExpended, number % 65_000),
                ],
            ),
            Self::Thermometer => {
                let degrees = 300_000 + number % 150_000;
                let value = (Metric::BodyTemperature.loinc(), i64::from(degrees));
                (vec![temperature(degrees, -4)], vec![value])
            }
            Self::Oximeter | Self::SpotCheck => {
                let (spo2, pulse) = (700 + number % 300, 200 + number % 1_800);
                let value = [&[0][..], &sfloat(spo2, -1), &sfloat(pulse, -1)].concat();
                let readings = vec![tenth(Metric::SpO2, spo2), tenth(Metric::PulseRate, pulse)];
                (vec![value], readings)
            }
            Self::BloodPressure => {
                let all = [tenths(500), tenths(300), tenths(400)];
                let [systolic, diastolic, mean] = all.map(|tenths| sfloat(tenths, -1));
                let value = [&[0][..], &systolic, &diastolic, &mean].concat();
                let metrics = [
                    Metric::BloodPressureSystolic,
                    Metric::BloodPressureDiastolic,
                    Metric::BloodPressureMean,
                ];
                let readings = metrics.into_iter().zip(all);
                let readings = readings.map(|(metric, tenths)| tenth(metric, tenths));
                (vec![value], readings.collect())
            }
            Self::Weight => {
                let steps = 1_000 + number % 60_000;
                let value = [&[0][..], &short(steps)].concat();
                (vec![value], vec![kilograms(Metric::BodyWeight, steps)])
            }
            Self::Composition => {
                // In two packets: body fat, then body fat again and the weight.
                let (fat, steps) = (number % 1_000, 1_000 + number % 60_000);
                let first = [&short(0x1000 | 0x0002)[..], &short(fat), &TIME].concat();
                let second = [&short(0x1000 | 0x0400)[..], &short(fat), &short(steps)].concat();
                let readings = vec![
                    tenth(Metric::BodyFat, fat),
                    kilograms(Metric::BodyWeight, steps),
                ];
                (vec![first, second], readings)
            }
        }
    }

    /// A measurement of which one value is one that no body has.
    fn impossible(self, number: u32) -> (Vec<Vec<u8>>, Vec<Value>) {
        match self {
            Self::HeartRate => {
                let energy = number % 65_000;
                let readings = vec![whole(Metric::EnergyExpended, energy)];
                (vec![heart_rate(600, energy)], readings)
            }
            Self::Thermometer => (vec![temperature(1_500, -1)], Vec::new()),
            Self::Oximeter | Self::SpotCheck => {
                let pulse = 200 + number % 1_800;
                let value = [&[0][..], &sfloat(101, 0), &sfloat(pulse, -1)].concat();
                (vec![value], vec![tenth(Metric::PulseRate, pulse)])
            }
            Self::BloodPressure => {
                let tenths = 300 + number % 1_500;
                let low = sfloat(tenths, -1);
                let value = [&[0][..], &sfloat(900, 0), &low, &low].concat();
                let readings = [Metric::BloodPressureDiastolic, Metric::BloodPressureMean]
                    .map(|metric| tenth(metric, tenths));
                (vec![value], readings.to_vec())
            }
            // In steps of 5 g, two bytes hold no impossible weight; a height of 6.5 m is one.
            Self::Weight => {
                let steps = 1_000 + number % 60_000;
                let value = [&[8][..], &short(steps), &short(220), &short(6_500)].concat();
                let readings = vec![
                    kilograms(Metric::BodyWeight, steps),
                    tenth(Metric::BodyMassIndex, 220),
                ];
                (vec![value], readings)
            }
            Self::Composition => {
                let steps = 1_000 + number % 60_000;
                let value = [&short(0x0400)[..], &short(2_000), &short(steps)].concat();
                (vec![value], vec![kilograms(Metric::BodyWeight, steps)])
            }
        }
    }
}

/// 20 January 2020, 8:43:00.
pub(super) const TIME: [u8; 7] = [0xe4, 0x07, 1, 20, 8, 43, 0];

fn whole(metric: Metric, number: u32) -> Value {
    (metric.loinc(), i64::from(number) * 10_000)
}

fn tenth(metric: Metric, tenths: u32) -> Value {
    (metric.loinc(), i64::from(tenths) * 1_000)
}

/// Weights are sent in steps of 5 g.
fn kilograms(metric: Metric, steps: u32) -> Value {
    (metric.loinc(), i64::from(steps) * 50)
}

fn short(number: u32) -> [u8; 2] {
    u16::try_from(number).unwrap().to_le_bytes()
}

/// An IEEE 11073 SFLOAT: a mantissa of 12 bits, an exponent of 4.
pub(super) fn sfloat(mantissa: u32, exponent: i8) -> [u8; 2] {
    assert!(mantissa < 2_046, "the higher ones are no numbers");
    short(mantissa | u32::from(exponent.rem_euclid(16).unsigned_abs()) << 12)
}

/// Flags: an IEEE 11073 FLOAT in degrees Celsius follows, and nothing else.
fn temperature(mantissa: u32, exponent: i8) -> Vec<u8> {
    let [low, middle, high, _] = mantissa.to_le_bytes();
    vec![0, low, middle, high, exponent.to_le_bytes()[0]]
}

/// Flags: two bytes of rate, and energy expended.
fn heart_rate(bpm: u32, energy_kilojoules: u32) -> Vec<u8> {
    [&[0x09][..], &short(bpm), &short(energy_kilojoules)].concat()
}
