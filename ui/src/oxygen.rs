//! When an oxygen saturation is a danger to its patient: the console's one rule, for every page.
//!
//! Upon values below [`LOW_BELOW`] for [`SUSTAINED_MILLIS`] without one at or above it, the saturation is low
//! since the first of them. A value that the sensor does not give, or a silence of more than
//! [`BREAK_MILLIS`], ends it: what is not measured is said by the device's own state. Left out: alarms. This
//! is what a screen says to those who look at it, and no substitute for the alarm of a monitor.

use super::words::number::age;
use super::words::state::State;

/// In percent. The look's own bound for *critical*.
pub const LOW_BELOW: f64 = 90.0;
/// A single low value is often a moved finger; bedside oximeters wait about as long.
pub const SUSTAINED_MILLIS: i64 = 10_000;
/// A silence that two low values do not bridge.
pub const BREAK_MILLIS: i64 = 30_000;
/// LOINC codes of oxygen saturation in arterial blood.
pub const CODES: &[&str] = &["59408-5", "2708-6"];

/// The unbroken run of low values up to now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LowOxygen {
    since: Option<i64>,
    newest: i64,
}

impl LowOxygen {
    /// Takes the newest value in, in percent; none where the sensor gives none. One that is not newer than
    /// the last one says nothing.
    pub fn push(&mut self, time_millis: i64, value: Option<f64>) {
        if time_millis <= self.newest {
            return;
        }
        let is_joined = time_millis - self.newest <= BREAK_MILLIS;
        self.newest = time_millis;
        let is_low = value.is_some_and(|value| value < LOW_BELOW);
        self.since = is_low.then(|| self.since.filter(|_| is_joined).unwrap_or(time_millis));
    }

    /// Lets a run that is on reach back over what the node kept: times and the highest value since each, from
    /// old to new.
    pub fn reach_back(&mut self, kept: impl DoubleEndedIterator<Item = (i64, Option<f64>)>) {
        let Some(since) = &mut self.since else { return };
        for (time_millis, highest) in kept.rev() {
            if time_millis >= *since {
                continue;
            }
            let is_low = highest.is_some_and(|highest| highest < LOW_BELOW);
            // What is kept is told in stretches of up to a minute.
            if !is_low || *since - time_millis > BREAK_MILLIS + 60_000 {
                return;
            }
            *since = time_millis;
        }
    }

    /// Since when it is low, once that is sustained.
    #[must_use]
    pub fn sustained(&self) -> Option<i64> {
        self.since
            .filter(|since| self.newest - since >= SUSTAINED_MILLIS)
    }
}

/// The state and word of a device, with its link's mark and since when its saturation is low. Only a device
/// that streams from a person can be critical: another one's values are not of a patient, or not of now.
#[must_use]
pub fn condition(mark: (State, &'static str), low_since: Option<i64>, now: i64) -> (State, String) {
    match (mark, low_since) {
        ((State::Ok, _), Some(since)) => {
            (State::Critical, format!("SpO₂ low, {}", age(now, since)))
        }
        ((state, word), _) => (state, word.to_owned()),
    }
}

/// What happened to a device's patient, for a list of what needs somebody.
#[must_use]
pub fn trouble(name: &str, since: i64, now: i64) -> String {
    format!("{name}: SpO₂ below {LOW_BELOW} % for {}", age(now, since))
}

#[cfg(test)]
mod tests {
    //! Goal: neither a moved finger nor a silence is called low, and what is low is called so since it is.
    //! Method: series of one value a second.

    use super::*;

    /// One value a second from `from` seconds on; 0 stands for none.
    fn run(low: &mut LowOxygen, from: i64, values: &[u8]) {
        for (second, value) in values.iter().enumerate() {
            let value = (*value > 0).then(|| f64::from(*value));
            low.push((from + second as i64) * 1000, value);
        }
    }

    #[test]
    fn ten_seconds_below_ninety_are_low() {
        let mut low = LowOxygen::default();
        run(&mut low, 100, &[97, 89, 88, 87, 86, 85, 84, 83, 82, 81, 80]);
        assert_eq!(low.sustained(), None, "nine seconds");
        run(&mut low, 111, &[89]);
        assert_eq!(low.sustained(), Some(101_000));
        run(&mut low, 112, &[90]);
        assert_eq!(low.sustained(), None, "90 is not below 90");
    }

    #[test]
    fn what_is_not_measured_is_not_low() {
        let mut low = LowOxygen::default();
        run(&mut low, 100, &[80; 20]);
        run(&mut low, 120, &[0]);
        assert_eq!(low.sustained(), None, "no value");
        run(&mut low, 121, &[80; 20]);
        assert_eq!(low.sustained(), Some(121_000));
        run(&mut low, 140 + 31, &[80]);
        assert_eq!(low.sustained(), None, "a silence");
        // The same value told again is not a newer one.
        low.push(171_000, Some(80.0));
        assert_eq!(low.sustained(), None);
    }

    #[test]
    fn the_past_that_the_node_kept_counts() {
        let mut low = LowOxygen::default();
        low.reach_back([(0, Some(80.0))].into_iter());
        assert_eq!(low.sustained(), None, "nothing is low now");
        run(&mut low, 600, &[85]);
        let kept = [
            (400, 84.0),
            (480, 95.0),
            (540, 89.0),
            (599, 88.0),
            (600, 85.0),
        ];
        let kept = kept.map(|(second, highest)| (second * 1000, Some(highest)));
        low.reach_back(kept.into_iter());
        assert_eq!(low.sustained(), Some(540_000));
    }

    #[test]
    fn only_a_person_is_in_danger() {
        let since = Some(0);
        let streaming = (State::Ok, "Streaming");
        let low = (State::Critical, "SpO₂ low, 2 min".to_owned());
        assert_eq!(condition(streaming, since, 120_000), low);
        assert_eq!(condition(streaming, None, 120_000).0, State::Ok);
        let simulated = (State::Simulated, "Simulated");
        assert_eq!(condition(simulated, since, 120_000).1, "Simulated");
    }
}
