//! A glucose meter: it measures now and then, keeps all of it, and tells what it is asked for (Glucose Service 1.0.1,
//! *Record Access Control Point*). Its records are numbered, so each has an exact fate.

use bluez_fake::long;
use device_drivers::measurement::Metric;

use super::air::{Body, FIRST};
use super::standard::{TIME, Value, sfloat};

/// Glucose Measurement.
const MEASUREMENT: u16 = FIRST;
/// The control point, which a host subscribes to last.
pub(super) const CONTROL_POINT: u16 = FIRST + 1;
/// Op codes of the control point.
const REPORT: u8 = 1;
const COUNT: u8 = 4;

/// A meter, by what it has measured.
#[derive(Default)]
pub(super) struct Meter {
    /// The number of its newest record; they begin at 1.
    pub(super) newest: u16,
    /// The newest record when everything was told, undamaged, or nothing more was asked for.
    pub(super) told: Option<u16>,
}

/// What a meter sends.
pub(super) enum Said {
    /// A value of the characteristic with this number.
    Value(u16, Vec<u8>),
    /// A record, damaged.
    Damaged(Vec<u8>),
    /// Nothing: its link falls.
    Fall,
}

impl Meter {
    pub(super) fn body(address: String) -> Body {
        Body {
            address,
            service: long(0x1808),
            characteristics: vec![
                (long(0x2a18), vec!["notify"]),
                (long(0x2a52), vec!["write", "indicate"]),
            ],
        }
    }

    pub(super) fn measure(&mut self) {
        self.newest += 1;
    }

    /// Whether everything was told.
    pub(super) fn is_told(&self) -> bool {
        self.told == Some(self.newest)
    }

    /// The value of a record.
    pub(super) fn value(number: u16) -> Value {
        let milligrams = i64::from(milligrams(number));
        (Metric::GlucoseMass.loinc(), milligrams * 10_000)
    }

    /// Answers a request; `spoil` says which records are cut to how much, and where the link falls.
    pub(super) fn answer(
        &mut self,
        request: &[u8],
        mut spoil: impl FnMut() -> Option<Spoilt>,
    ) -> Vec<Said> {
        let from = match request {
            [_, 1] => 1,
            [_, 3, 1, low, high] => u16::from_le_bytes([*low, *high]).max(1),
            _ => panic!("a request that is none: {request:?}"),
        };
        let asked = from..=self.newest;
        if asked.is_empty() {
            self.told = Some(self.newest);
        }
        if request[0] == COUNT {
            let [low, high] = u16::try_from(asked.count()).unwrap().to_le_bytes();
            return vec![Said::Value(CONTROL_POINT, vec![5, 0, low, high])];
        }
        assert_eq!(request[0], REPORT, "a request that is never made");
        // "No records found", or "success" after them.
        let code = if asked.is_empty() { 6 } else { 1 };
        let mut said = Vec::new();
        let mut is_whole = true;
        for number in asked {
            match spoil() {
                None => {
                    said.push(Said::Value(MEASUREMENT, record(number)));
                    is_whole = true;
                }
                Some(Spoilt::Cut(length)) => {
                    let mut record = record(number);
                    record.truncate(length % record.len());
                    said.push(Said::Damaged(record));
                    is_whole = false;
                }
                Some(Spoilt::Fall) => {
                    said.push(Said::Fall);
                    return said;
                }
            }
        }
        if is_whole {
            self.told = Some(self.newest);
        }
        said.push(Said::Value(CONTROL_POINT, vec![6, 0, REPORT, code]));
        said
    }
}

/// What happens to a record on its way.
pub(super) enum Spoilt {
    Cut(usize),
    Fall,
}

fn milligrams(number: u16) -> u32 {
    40 + u32::from(number) % 2_000
}

/// Flags: a concentration in kg/L follows the time, of capillary whole blood from a finger.
fn record(number: u16) -> Vec<u8> {
    let [low, high] = number.to_le_bytes();
    let concentration = sfloat(milligrams(number), -5);
    [&[2, low, high][..], &TIME, &concentration, &[0x11]].concat()
}
