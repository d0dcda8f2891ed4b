//! When a reading was taken, and so whose it was: the patient's who wore the device at that moment.
//!
//! | The device's time | Taken |
//! |---|---|
//! | there is none | when it came |
//! | there is one, and the node sets the device's clock | then |
//! | there is one, and the node has seen that clock beside its own | then, put right ([`place`]) |
//! | there is one, and nobody knows how right it is | at one of both times |
//!
//! Nothing is taken after it came. Of two times both must be in the time in which a patient wore the device; else the
//! reading is nobody's, and stands with its device only. So what a meter has stored from an earlier patient never
//! becomes a later one's. Where a sensor goes from one patient to another at a moment, what was taken at that moment is
//! the other one's. Pure: knows no vault and no clock.

use crate::time_taken::place;
use crate::vault::assignments::Worn;
use crate::vault::clocks::Setting;
use crate::vault::devices::KnownDevice;
use crate::vault::seal::Record;

/// The profile of devices that are told the time by their node.
const TOLD_THE_TIME: &str = "fogward-level0";

/// How a device knows the time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Clock {
    /// It has none.
    None,
    /// From its node, each minute.
    Told,
    /// From a clock of its own, which was set so.
    Own(Vec<Setting>),
}

impl Clock {
    /// That of a device with this profile at this path, whose clock the node has seen set so.
    #[must_use]
    pub fn of(device: &KnownDevice, settings: Vec<Setting>) -> Self {
        let may_have_one = !settings.is_empty() || crate::bluetooth::is_bluetooth(&device.path);
        match device.profile == TOLD_THE_TIME {
            true => Self::Told,
            false if may_have_one => Self::Own(settings),
            false => Self::None,
        }
    }

    /// What was seen of the device's own clock.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        match self {
            Self::Own(settings) => settings,
            Self::None | Self::Told => &[],
        }
    }
}

/// When a reading was taken, in Unix milliseconds by this host's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Then; never after it came.
    pub at: i64,
    /// Or then, where it is not known.
    pub or: Option<i64>,
}

impl Taken {
    /// When this reading was taken, by a device with this clock.
    #[must_use]
    pub fn of(record: &Record, clock: &Clock) -> Self {
        let came = record.host_time_millis;
        let known = |at| Self { at, or: None };
        match (record.device_time_millis, clock) {
            (None, _) => known(came),
            (Some(device), Clock::Told) => known(device.min(came)),
            (Some(device), clock) => match place(device, came, clock.settings()) {
                Some(at) => known(at),
                None => Self {
                    at: came,
                    or: Some(device),
                },
            },
        }
    }

    /// Whether it was surely taken in this time.
    #[must_use]
    pub fn is_in(&self, worn: &Worn) -> bool {
        worn.covers(self.at) && self.or.is_none_or(|at| worn.covers(at))
    }

    /// Whether it may have been taken in this time.
    #[must_use]
    pub fn may_be_in(&self, worn: &Worn) -> bool {
        worn.covers(self.at) || self.or.is_some_and(|at| worn.covers(at))
    }
}

#[cfg(test)]
mod tests {
    //! Goal: each reading is one patient's at most, and never somebody's who did not wear the device. Method: a table
    //! of a ward's cases; for any numbers, that no reading is two patients' or taken after it came.

    use ledger_core::{Decimal, Origin, Quality, Value};
    use proptest::prelude::*;

    use super::*;
    use crate::patients::patient::PatientId;

    const A: u8 = 1;
    const B: u8 = 2;

    fn worn(patient: u8, since: i64, until: Option<i64>) -> Worn {
        Worn {
            patient: PatientId([patient; 16]),
            device: "d".into(),
            since,
            until,
        }
    }

    fn record(device: Option<i64>, came: i64) -> Record {
        Record {
            host_time_millis: came,
            device_time_millis: device,
            value: Value::Quantity(Decimal {
                mantissa: 97,
                exponent: 0,
            }),
            quality: Quality::Good,
            origin: Origin::Sensor,
        }
    }

    fn whose(spans: &[Worn], taken: Taken) -> Vec<u8> {
        let hers = spans.iter().filter(|worn| taken.is_in(worn));
        hers.map(|worn| worn.patient.0[0]).collect()
    }

    #[test]
    fn a_reading_is_hers_who_wore_the_device_then() {
        // A until 20 000, B from then on until 30 000, nobody until 40 000, then A again.
        let spans = [
            worn(A, 10_000, Some(20_000)),
            worn(B, 20_000, Some(30_000)),
            worn(A, 40_000, None),
        ];
        let check = |what: &str, clock: &Clock, device, came, expected: &[u8]| {
            let taken = Taken::of(&record(device, came), clock);
            assert_eq!(whose(&spans, taken), expected, "{what}");
        };
        let none = Clock::None;
        check("before anybody", &none, None, 9_999, &[]);
        check("the first moment", &none, None, 10_000, &[A]);
        check("the last before the swap", &none, None, 19_999, &[A]);
        check("the swap's own moment", &none, None, 20_000, &[B]);
        check("nobody's", &none, None, 30_000, &[]);
        check("again", &none, None, 50_000, &[A]);

        let told = Clock::Told;
        check("kept, sent late", &told, Some(15_000), 25_000, &[A]);
        check("kept since before anybody", &told, Some(5_000), 15_000, &[]);
        check("ahead of its node", &told, Some(20_500), 19_000, &[A]);

        // Its clock is five seconds slow, as was seen from 12 000 to 45 000.
        let slow = Clock::Own(vec![Setting {
            host_time: 12_000,
            device_time: 7_000,
            until: 45_000,
        }]);
        check("stored by A, read by B", &slow, Some(14_000), 25_000, &[A]);
        check("stored before A", &slow, Some(4_000), 12_500, &[]);
        check("B's own", &slow, Some(21_000), 26_100, &[B]);
        check("in the gap", &slow, Some(26_000), 45_000, &[]);

        let unseen = Clock::Own(Vec::new());
        check(
            "no clock seen, both in A's",
            &unseen,
            Some(15_000),
            16_000,
            &[A],
        );
        check("it may be A's or B's", &unseen, Some(15_000), 21_000, &[]);
        check("its clock was never set", &unseen, Some(0), 21_000, &[]);
        check("no time in it", &unseen, None, 21_000, &[B]);
    }

    proptest! {
        #[test]
        fn no_reading_is_two_patients(
            ends in proptest::collection::vec(0..1_000_i64, 1..8),
            device: Option<i16>, came in 0..1_000_i64, told: bool,
            settings in proptest::collection::vec(any::<(i16, i16, i16)>(), 0..4),
        ) {
            let mut ends = ends;
            ends.sort_unstable();
            let spans: Vec<_> = ends
                .windows(2)
                .zip(1..)
                .map(|(pair, patient)| worn(patient, pair[0], Some(pair[1])))
                .collect();
            let setting = |of: &(i16, i16, i16)| Setting {
                host_time: of.0.into(),
                device_time: of.1.into(),
                until: of.2.into(),
            };
            let clock = match told {
                true => Clock::Told,
                false => Clock::Own(settings.iter().map(setting).collect()),
            };
            let taken = Taken::of(&record(device.map(i64::from), came), &clock);
            prop_assert!(taken.at <= came);
            prop_assert!(whose(&spans, taken).len() <= 1);
            // Who it is erased with is its owner, or it has none.
            prop_assert!(spans.iter().all(|worn| !taken.is_in(worn) || taken.may_be_in(worn)));
            let sure = spans.iter().find(|worn| taken.is_in(worn));
            prop_assert!(sure.is_none_or(|sure| spans.iter().all(|worn| worn == sure || !taken.may_be_in(worn))));
        }
    }
}
