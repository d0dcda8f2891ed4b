//! The ward's wall: which beds there are, what is said of each, and which one needs somebody.
//!
//! Read from across a room, so words are few. Beds only: no device's name and no pseudonym comes in here.

use fog_api::{Place, Status, Vital};

use super::number::{natural, spelled, thousands, unit};
use super::state::State;

/// Most figures of a bed: two big ones, and the others in a line below.
const MOST_FIGURES: usize = 5;
/// LOINC codes of what a wall shows, first what is looked at first; one of a row is shown. Blood pressure is
/// read as two figures in one.
const SHOWN: [(&str, &[&str]); 7] = [
    ("SpO₂", crate::oxygen::CODES),
    ("Pulse", &["8889-8", "8867-4"]),
    ("Pressure", &[SYSTOLIC]),
    ("Temperature", &["8310-5"]),
    ("Respiration", &["9279-1"]),
    ("Glucose", &["15074-8", "2339-0"]),
    ("Weight", &["29463-7"]),
];
const SYSTOLIC: &str = "8480-6";
const DIASTOLIC: &str = "8462-4";

/// A bed and the devices at it, by their ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bed {
    /// Where it is.
    pub place: Place,
    /// Which devices are there, in order.
    pub devices: Vec<String>,
}

/// The beds of a ward, or of all, each in a place that stays: in the order of their names, 2 before 10.
#[must_use]
pub fn beds(devices: impl IntoIterator<Item = (Place, String)>, ward: Option<&str>) -> Vec<Bed> {
    let mut beds = Vec::<Bed>::new();
    for (place, id) in devices {
        if ward.is_some_and(|ward| ward != place.ward) {
            continue;
        }
        match beds.iter_mut().find(|bed| bed.place == place) {
            Some(bed) => bed.devices.push(id),
            None => beds.push(Bed {
                place,
                devices: vec![id],
            }),
        }
    }
    beds.sort_by_cached_key(|bed| (natural(&bed.place.ward), natural(&bed.place.bed)));
    beds
}

/// The wards of some beds, in order, each once.
#[must_use]
pub fn wards(beds: &[Bed]) -> Vec<String> {
    let mut wards: Vec<String> = beds.iter().map(|bed| bed.place.ward.clone()).collect();
    wards.dedup();
    wards
}

/// Least width of a tile in CSS pixels.
const LEAST_WIDTH: f64 = 288.0;
/// How much wider than high a tile is best: two figures of two signs fill it.
const BEST_RATIO: f64 = 1.42;

/// In how many columns so many tiles show their figures largest, in a window of these CSS pixels.
#[must_use]
pub fn columns(beds: usize, width: f64, height: f64) -> usize {
    // The head and the foot take about a seventh.
    let height = height * 0.86;
    let figure = |columns: usize| {
        let rows = beds.div_ceil(columns);
        (width / columns as f64 / BEST_RATIO).min(height / rows as f64)
    };
    let fit = (1..=beds).filter(|columns| *columns == 1 || width / *columns as f64 >= LEAST_WIDTH);
    // Of the best ones the one with the widest tiles.
    fit.rev()
        .max_by(|one, other| figure(*one).total_cmp(&figure(*other)))
        .unwrap_or(1)
}

/// What the wall is of.
#[must_use]
pub fn heading(ward: Option<&str>, wards: &[String]) -> String {
    match (ward, wards) {
        (Some(ward), _) => format!("Ward {ward}"),
        (None, [only]) => format!("Ward {only}"),
        (None, []) => "Ward wall".to_owned(),
        (None, _) => "All wards".to_owned(),
    }
}

/// A figure of a bed.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// LOINC code.
    pub code: String,
    /// What it is, with its unit where one says it.
    pub label: String,
    /// The value, or a dash where there is none of now.
    pub text: String,
}

/// The figures of a bed from the newest values of its devices, each with whether it is of now.
#[must_use]
pub fn figures(vitals: &[(Vital, bool)]) -> Vec<Figure> {
    let newest = |code: &str| {
        let of_code = vitals.iter().filter(|(vital, _)| vital.code == code);
        of_code.max_by_key(|(vital, is_now)| (*is_now, vital.time))
    };
    let value = |code: &str| {
        let (vital, _) = newest(code).filter(|(_, is_now)| *is_now)?;
        vital.value.clone()
    };
    let mut figures = Vec::new();
    for (label, codes) in SHOWN {
        let present = codes.iter().filter_map(|code| newest(code));
        let Some((vital, _)) = present.max_by_key(|(vital, is_now)| (*is_now, vital.time)) else {
            continue;
        };
        let mut text = value(&vital.code);
        if vital.code == SYSTOLIC {
            // Half a pressure is none.
            let both = text.zip(value(DIASTOLIC));
            text = both.map(|(systolic, diastolic)| format!("{systolic}/{diastolic}"));
        }
        figures.push(figure(label, vital, text));
    }
    if figures.is_empty() {
        let others = vitals.iter().map(|(vital, is_now)| {
            figure(&vital.label, vital, vital.value.clone().filter(|_| *is_now))
        });
        figures.extend(others);
    }
    figures.truncate(MOST_FIGURES);
    figures
}

fn figure(label: &str, vital: &Vital, text: Option<String>) -> Figure {
    // Beats and breaths are known by their names; from afar a unit more is a word too many.
    let unit = Some(unit(&vital.unit)).filter(|unit| !unit.is_empty() && *unit != "/min");
    Figure {
        code: vital.code.clone(),
        label: unit.map_or_else(|| label.to_owned(), |unit| format!("{label} {unit}")),
        text: text.unwrap_or_else(|| "–".to_owned()),
    }
}

/// The state of a bed: that of the device there that needs somebody most.
#[must_use]
pub fn worst(devices: impl IntoIterator<Item = (State, String)>) -> (State, String) {
    let worst = devices.into_iter().min_by_key(|(state, _)| state.urgency());
    match worst {
        Some((State::Ok, _)) => (State::Ok, "Steady".to_owned()),
        Some(other) => other,
        None => (State::Unknown, "No device".to_owned()),
    }
}

/// Which bed needs somebody, worst first; nothing while none does.
#[must_use]
pub fn say(beds: &[(String, (State, String))]) -> Option<(State, String)> {
    let needy = |state: State| matches!(state, State::Critical | State::Offline | State::Attention);
    let worst = beds.iter().map(|(_, (state, _))| *state);
    let worst = worst
        .filter(|state| needy(*state))
        .min_by_key(|state| state.urgency())?;
    let mut such = beds.iter().filter(|(_, (state, _))| *state == worst);
    let (first, (_, word)) = such.next()?;
    let others = such.count() as u64;
    let rest = match others {
        0 => String::new(),
        1 => ", and one more bed".to_owned(),
        others => format!(", and {} more beds", spelled(others)),
    };
    let words = match worst {
        State::Critical if others == 0 => format!("Bed {first} needs somebody now"),
        State::Critical => format!("Bed {first}{rest}: somebody is needed now"),
        _ => format!("Bed {first}: {}{rest}", lower(word)),
    };
    Some((worst, words))
}

fn lower(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Whether readings are kept, and whether the ledger goes on, for the foot of the wall.
#[must_use]
pub fn foot(status: &Status) -> [(State, String); 2] {
    let sealed = match status.trouble {
        Some(_) => (State::Critical, "Not sealing".to_owned()),
        None => (State::Ok, "Readings sealed".to_owned()),
    };
    let block = thousands(status.height);
    let ledger = if status.present < status.quorum {
        (
            State::Attention,
            format!("Ledger waits for validators, block {block}"),
        )
    } else {
        (State::Ok, format!("Ledger in step, block {block}"))
    };
    [sealed, ledger]
}

#[cfg(test)]
mod tests {
    //! Goal: a bed is one tile in a place that stays, its worst device speaks for it, and no value of the past
    //! looks like one of now. Method: lists of devices and values, and what is said of them.

    use ledger_core::Quality;

    use super::*;

    fn at(ward: &str, bed: &str, id: &str) -> (Place, String) {
        let place = Place {
            ward: ward.to_owned(),
            bed: bed.to_owned(),
        };
        (place, id.to_owned())
    }

    fn vital(
        code: &str,
        unit: &str,
        value: Option<&str>,
        time: i64,
        is_now: bool,
    ) -> (Vital, bool) {
        let vital = Vital {
            code: code.to_owned(),
            label: "Perfusion".to_owned(),
            unit: unit.to_owned(),
            value: value.map(str::to_owned),
            quality: Quality::Good,
            time,
        };
        (vital, is_now)
    }

    fn said(vitals: &[(Vital, bool)]) -> Vec<(String, String)> {
        let figures = figures(vitals).into_iter();
        figures.map(|figure| (figure.label, figure.text)).collect()
    }

    #[test]
    fn a_bed_is_one_tile_in_its_place() {
        let devices = [
            at("3A", "10", "a"),
            at("3A", "2", "b"),
            at("1B", "7", "c"),
            at("3A", "10", "d"),
        ];
        let all = beds(devices.clone(), None);
        let order: Vec<_> = all.iter().map(|bed| bed.devices.join(" ")).collect();
        assert_eq!(order, ["c", "b", "a d"]);
        assert_eq!(wards(&all), ["1B", "3A"]);
        assert_eq!(heading(None, &wards(&all)), "All wards");
        let ward = beds(devices, Some("3A"));
        assert_eq!(ward.len(), 2);
        assert_eq!(heading(None, &wards(&ward)), "Ward 3A");
        assert_eq!(heading(Some("3A"), &[]), "Ward 3A");
        assert_eq!(beds([], None), []);
    }

    #[test]
    fn tiles_are_as_large_as_the_window_lets_them() {
        for (beds, width, height, expected) in [
            (12, 1440.0, 900.0, 4),
            (4, 1280.0, 720.0, 2),
            (1, 2560.0, 1440.0, 1),
            (30, 2560.0, 1440.0, 6),
            (4, 390.0, 844.0, 1),
            (60, 844.0, 390.0, 2),
            (0, 1440.0, 900.0, 1),
        ] {
            let columns = columns(beds, width, height);
            assert_eq!(columns, expected, "{beds} beds on {width} × {height}");
        }
    }

    #[test]
    fn saturation_and_pulse_come_first() {
        let vitals = [
            vital("8310-5", "Cel", Some("37.2"), 1, true),
            vital("8889-8", "/min", Some("72"), 1, true),
            vital("61006-3", "%", Some("1.2"), 1, true),
            vital("59408-5", "%", Some("97"), 1, true),
        ];
        let expected = [
            ("SpO₂ %", "97"),
            ("Pulse", "72"),
            ("Temperature °C", "37.2"),
        ];
        let expected = expected.map(|(label, text)| (label.to_owned(), text.to_owned()));
        assert_eq!(said(&vitals), expected);
        // What the wall has no place for is better than nothing.
        assert_eq!(said(&vitals[2..3])[0].0, "Perfusion %");
    }

    #[test]
    fn a_pressure_is_two_figures_or_none() {
        let both = [
            vital("8462-4", "mm[Hg]", Some("80"), 1, true),
            vital("8480-6", "mm[Hg]", Some("120"), 1, true),
        ];
        assert_eq!(
            said(&both),
            [("Pressure mmHg".to_owned(), "120/80".to_owned())]
        );
        assert_eq!(said(&both[1..])[0].1, "–");
    }

    #[test]
    fn the_past_does_not_look_alive() {
        let old = vital("59408-5", "%", Some("97"), 9, false);
        assert_eq!(said(std::slice::from_ref(&old))[0].1, "–");
        let new = vital("59408-5", "%", Some("93"), 3, true);
        assert_eq!(said(&[old.clone(), new])[0].1, "93", "the one of now");
        let other = vital("2708-6", "%", Some("91"), 5, true);
        assert_eq!(said(&[old, other])[0].1, "91", "by another code");
    }

    #[test]
    fn the_worst_device_speaks_for_its_bed() {
        let say_of = |states: &[State]| {
            let all = states.iter().map(|state| (*state, state.word().to_owned()));
            worst(all)
        };
        assert_eq!(say_of(&[State::Ok]).1, "Steady");
        assert_eq!(say_of(&[State::Ok, State::Simulated]).0, State::Simulated);
        assert_eq!(
            say_of(&[State::Offline, State::Critical]).0,
            State::Critical
        );
        assert_eq!(say_of(&[]).0, State::Unknown);
    }

    #[test]
    fn the_head_names_the_bed_that_needs_somebody() {
        let bed = |name: &str, state, word: &str| (name.to_owned(), (state, word.to_owned()));
        let steady = bed("01", State::Ok, "Steady");
        let simulated = bed("04", State::Simulated, "Simulated");
        assert_eq!(say(&[steady.clone(), simulated]), None);
        let silent = bed("11", State::Offline, "Silent");
        let loose = bed("07", State::Attention, "No contact");
        let low = bed("09", State::Critical, "SpO₂ low, 2 min");
        let words = |beds: &[_]| say(beds).unwrap().1;
        assert_eq!(words(&[steady, loose.clone()]), "Bed 07: no contact");
        assert_eq!(
            words(&[loose.clone(), silent.clone(), silent.clone()]),
            "Bed 11: silent, and one more bed"
        );
        assert_eq!(
            words(&[silent, low.clone(), loose]),
            "Bed 09 needs somebody now"
        );
        assert_eq!(
            words(&[low.clone(), low.clone(), low]),
            "Bed 09, and two more beds: somebody is needed now"
        );
    }
}
