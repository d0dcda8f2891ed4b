//! What should arrive, and when silence becomes a fact.
//!
//! While a device that has streamed is silent or gone, the readings it would have sent are
//! counted by its rate, less those already accounted for in another way since its last reading.
//! Level-0 devices number their readings, so theirs are counted by the numbers alone.

use crate::event::{Event, MissingCause};
use crate::profile::{Profile, Rate};
use std::time::Duration;
use tokio::time::Instant;

/// Silence shorter than this is normal for any device.
const SHORTEST_SILENCE: Duration = Duration::from_secs(2);
/// Silence of a device whose rate is not known yet.
const UNKNOWN_SILENCE: Duration = Duration::from_secs(10);
/// Even the slowest device says something once a minute.
const LONGEST_SILENCE: Duration = Duration::from_secs(65);

/// Keeps the expectation.
#[derive(Debug)]
pub(crate) struct Outlook {
    rate: Option<Rate>,
    counts_by_rate: bool,
    last_reading: Option<Instant>,
    accounted: u64,
}

impl Outlook {
    pub(crate) fn new(profile: Profile) -> Outlook {
        Outlook {
            rate: profile.readings_per_second(),
            counts_by_rate: profile != Profile::FogwardLevel0,
            last_reading: None,
            accounted: 0,
        }
    }

    /// Notes what was received.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Measurement(_) => {
                self.last_reading = Some(Instant::now());
                self.accounted = 0;
            }
            Event::Rejected(rejection) => self.accounted += u64::from(rejection.readings),
            Event::Device(info) => self.rate = info.rate.or(self.rate),
            Event::Missing { .. } | Event::Recovered { .. } | Event::Clock(_) => {}
        }
    }

    /// How long without a frame is silence.
    pub(crate) fn silence(&self) -> Duration {
        let Some(rate) = self.rate else {
            return UNKNOWN_SILENCE;
        };
        let three_periods = u64::from(rate.per_millis) * 3 / u64::from(rate.readings.max(1));
        Duration::from_millis(three_periods).clamp(SHORTEST_SILENCE, LONGEST_SILENCE)
    }

    /// The readings that became overdue since the last call.
    pub(crate) fn overdue(&mut self, cause: MissingCause) -> Option<Event> {
        let elapsed = self.last_reading?.elapsed();
        if !self.counts_by_rate || elapsed < self.silence() {
            return None;
        }
        let due = self
            .rate?
            .expected_in(u64::try_from(elapsed.as_millis()).ok()?);
        let new = due.saturating_sub(self.accounted);
        self.accounted += new;
        let readings = u32::try_from(new).unwrap_or(u32::MAX);
        (readings > 0).then_some(Event::Missing { readings, cause })
    }
}
