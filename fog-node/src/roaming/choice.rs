//! Which fog node of an organisation serves a device best. Pure: what is known in, a choice out.
//!
//! All is weighed in decibels, the unit in which the signal comes. A node's *merit* for a device is
//!
//! ```text
//! its signal (dBm; the same for all where there is no radio)
//!   − 20 dB × the share of its places that are taken      (twice that for a device that signs: its frames
//!                                                          cost some ten times the work of a tag's)
//!   − 10 dB while it runs on its battery, and 1 dB for each 5 % that are used of it
//! ```
//!
//! A device is moved only for [`MARGIN_DB`] more: indoors a signal swings by 4 to 8 dB while nobody moves
//! (ITU-R P.1238, shadowing), and each move costs the readings of some seconds. For a device whose own battery is
//! low half of that is enough, since a weak signal makes it send everything several times.
//!
//! Left out: who is asked, and how often in a row a choice must come out the same.

use serde::{Deserialize, Serialize};

/// By how much another node must be better, in dB.
pub(super) const MARGIN_DB: i32 = 8;
/// What a node is worth to a device without a radio, before its load, in dB.
const NO_RADIO_DB: i32 = -60;
/// What a node costs all of whose places are taken, in dB.
const FULL_DB: i32 = 20;
/// What a node costs that runs on its battery, in dB.
const ON_BATTERY_DB: i32 = 10;
/// A node whose battery holds no more than this takes no device, in percent.
const LAST_OF_NODE: u8 = 15;
/// A device's battery is low from here on, in percent.
const LOW_OF_DEVICE: u8 = 20;

/// How a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Host {
    /// Devices that it serves.
    pub(crate) served: u16,
    /// Devices that it has places for.
    pub(crate) places: u16,
    /// Charge of the battery that it runs on, in percent; none on mains.
    pub(crate) on_battery: Option<u8>,
}

/// How a node hears a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// At so many dBm.
    Signal(i16),
    /// It needs no radio: every node reaches it alike.
    NoRadio,
    /// Not at all.
    None,
}

/// What matters of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Needs {
    /// Whether its frames are signed.
    pub(crate) signs: bool,
    /// Charge of its battery in percent, where it says it.
    pub(crate) battery: Option<u8>,
}

impl Host {
    /// How well this node serves a device, in dB; `None` if it does not reach it. Places and battery are looked
    /// at by [`Host::takes_more`].
    pub(crate) fn merit(self, reach: Reach, needs: Needs) -> Option<i32> {
        let signal = match reach {
            Reach::Signal(dbm) => i32::from(dbm),
            Reach::NoRadio => NO_RADIO_DB,
            Reach::None => return None,
        };
        let work = if needs.signs { 2 } else { 1 };
        let places = i32::from(self.places.max(1));
        let load = work * FULL_DB * i32::from(self.served) / places;
        let battery = self.on_battery.map_or(0, |percent| {
            ON_BATTERY_DB + (100 - i32::from(percent.min(100))) / 5
        });
        Some(signal - load - battery)
    }

    /// Whether it may be given one device more.
    pub(crate) fn takes_more(self) -> bool {
        self.served < self.places && self.on_battery.is_none_or(|percent| percent > LAST_OF_NODE)
    }
}

/// Which of the other nodes is to serve the device that this one serves; `None` if it stays here.
pub(crate) fn choose(
    here: (Host, Reach),
    others: impl IntoIterator<Item = (Host, Reach)>,
    needs: Needs,
) -> Option<usize> {
    let margin = match needs.battery {
        Some(percent) if percent <= LOW_OF_DEVICE => MARGIN_DB / 2,
        _ => MARGIN_DB,
    };
    let own = here.0.merit(here.1, needs);
    let merits = others
        .into_iter()
        .enumerate()
        .filter_map(|(at, (host, reach))| {
            // As it will be once it has taken it.
            let served = host.served.saturating_add(1);
            let merit = Host { served, ..host }.merit(reach, needs)?;
            host.takes_more().then_some((at, merit))
        });
    // Of several alike the first, so that all that look choose the same.
    let best = merits.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    own.is_none_or(|own| best.1 >= own + margin)
        .then_some(best.0)
}

#[cfg(test)]
mod tests {
    //! Goal: a device goes where it is heard, not where there is no place or power, and never back and forth.
    //! Method: a table of wards, and arbitrary ones.

    use proptest::prelude::*;

    use super::*;

    const MAINS: Host = Host {
        served: 2,
        places: 20,
        on_battery: None,
    };
    const FULL: Host = Host {
        served: 20,
        ..MAINS
    };
    const ANY: Needs = Needs {
        signs: false,
        battery: None,
    };

    fn on_battery(percent: u8) -> Host {
        Host {
            on_battery: Some(percent),
            ..MAINS
        }
    }

    #[test]
    fn a_table_of_wards() {
        use Reach::{NoRadio, None as Nothing, Signal};
        let signs = Needs { signs: true, ..ANY };
        let low = Needs {
            battery: Some(20),
            ..ANY
        };
        let busy = |served| Host { served, ..MAINS };
        type Row<'a> = (
            &'a str,
            (Host, Reach),
            &'a [(Host, Reach)],
            Needs,
            Option<usize>,
        );
        let rows: [Row<'_>; 14] = [
            ("alone", (MAINS, Signal(-90)), &[], ANY, None),
            (
                "a little better",
                (MAINS, Signal(-70)),
                &[(MAINS, Signal(-63))],
                ANY,
                None,
            ),
            (
                "much better",
                (MAINS, Signal(-70)),
                &[(MAINS, Signal(-60))],
                ANY,
                Some(0),
            ),
            (
                "low battery",
                (MAINS, Signal(-70)),
                &[(MAINS, Signal(-64))],
                low,
                Some(0),
            ),
            (
                "out of range",
                (MAINS, Nothing),
                &[(MAINS, Signal(-95))],
                ANY,
                Some(0),
            ),
            (
                "nobody hears it",
                (MAINS, Nothing),
                &[(MAINS, Nothing)],
                ANY,
                None,
            ),
            (
                "the best of two",
                (MAINS, Nothing),
                &[(MAINS, Signal(-80)), (MAINS, Signal(-70))],
                ANY,
                Some(1),
            ),
            (
                "the first of equals",
                (MAINS, Nothing),
                &[(MAINS, Signal(-80)), (MAINS, Signal(-80))],
                ANY,
                Some(0),
            ),
            (
                "no place",
                (MAINS, Nothing),
                &[(FULL, Signal(-50)), (MAINS, Signal(-90))],
                ANY,
                Some(1),
            ),
            (
                "no power",
                (MAINS, Nothing),
                &[(on_battery(15), Signal(-50))],
                ANY,
                None,
            ),
            (
                "mains before battery",
                (on_battery(50), Signal(-70)),
                &[(MAINS, Signal(-75))],
                ANY,
                Some(0),
            ),
            (
                "load without radio",
                (busy(12), NoRadio),
                &[(busy(1), NoRadio)],
                ANY,
                Some(0),
            ),
            (
                "load is alike",
                (busy(6), NoRadio),
                &[(busy(1), NoRadio)],
                ANY,
                None,
            ),
            (
                "signing weighs twice",
                (busy(6), NoRadio),
                &[(busy(1), NoRadio)],
                signs,
                Some(0),
            ),
        ];
        for (what, here, others, needs, chosen) in rows {
            assert_eq!(
                choose(here, others.iter().copied(), needs),
                chosen,
                "{what}"
            );
        }
    }

    fn hosts() -> impl Strategy<Value = (Host, Reach)> {
        let reach = prop_oneof![
            any::<i16>().prop_map(Reach::Signal),
            Just(Reach::NoRadio),
            Just(Reach::None)
        ];
        let host = (
            any::<u16>(),
            any::<u16>(),
            proptest::option::of(any::<u8>()),
        );
        let host = host.prop_map(|(served, places, on_battery)| Host {
            served,
            places,
            on_battery,
        });
        (host, reach)
    }

    proptest! {
        /// Whatever the others say, a choice is one that reaches the device and has room, and the node that
        /// was chosen does not give it back while nothing else changes.
        #[test]
        fn a_choice_stands(
            here in hosts(),
            others in proptest::collection::vec(hosts(), 0..6),
            signs in any::<bool>(),
            battery in proptest::option::of(0..=100_u8),
        ) {
            let needs = Needs { signs, battery };
            if let Some(at) = choose(here, others.iter().copied(), needs) {
                let (mut chosen, reach) = others[at];
                prop_assert!(chosen.takes_more() && reach != Reach::None);
                chosen.served += 1;
                let before = Host { served: here.0.served.saturating_sub(1), ..here.0 };
                prop_assert_eq!(choose((chosen, reach), [(before, here.1)], needs), None);
            }
        }
    }
}
