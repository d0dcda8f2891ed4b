//! The state of a device for a person: one rule for the tables, the overview and the wall.

use leptos::prelude::*;

use crate::live::{DeviceEntry, Live, set_if_new};
use crate::oxygen::{self, LowOxygen};
use crate::words::device;
use crate::words::state::State;

impl DeviceEntry {
    /// Its state and word; tracks all they are made of, the clock only while its saturation is low.
    #[must_use]
    pub fn condition(self, live: Live) -> (State, String) {
        if !live.is_current() {
            let (state, word) = device::NOT_KNOWN;
            return (state, word.to_owned());
        }
        let low_since = self.low_since.get();
        let now = low_since.map_or(0, |_| live.now.get());
        oxygen::condition(self.mark(), low_since, now)
    }

    /// Its state, where a person has to do something about it; tracks the state, not the values.
    #[must_use]
    pub fn needs_somebody(self) -> Option<State> {
        let (state, _) = oxygen::condition(self.mark(), self.low_since.get(), 0);
        let link = self.link.with(|link| link.state);
        match device::needs_somebody(link) {
            true => Some(device::link(link).0),
            false => Some(state).filter(|state| *state == State::Critical),
        }
    }

    /// Takes the newest saturation in.
    pub(crate) fn push_oxygen(self) {
        let newest = self.vitals.with_untracked(|vitals| {
            let mut of_oxygen = vitals
                .iter()
                .filter(|vital| oxygen::CODES.contains(&vital.code.as_str()));
            of_oxygen.next().map(|vital| {
                let value = vital.value.as_ref().and_then(|value| value.parse().ok());
                (vital.time, value)
            })
        });
        if let Some((time, value)) = newest {
            self.low.update_value(|low| low.push(time, value));
            self.say_low();
        }
    }

    /// Tells since when its saturation is low, where that changed.
    pub fn say_low(self) {
        set_if_new(self.low_since, self.low.with_value(LowOxygen::sustained));
    }

    fn mark(self) -> (State, &'static str) {
        let link = self.link.with(|link| link.state);
        self.facts
            .with(|facts| device::mark(link, facts.standing, facts.simulated))
    }
}
