//! What a console hears: `GET /api/events`, read as it comes, with the time from a frame's writing to the
//! reading of the event that shows its value.
//!
//! A value that was overtaken by a newer one of the same device counts as shown with the newer one: that
//! makes its time longer, never shorter. What was never shown is told apart.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::Context as _;
use device_drivers::measurement::Metric;
use fog_api::Event;

use crate::cli::client::{Api, Question};

/// What a frame shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Shown {
    /// A pulse, in the table and the plots.
    Pulse,
    /// A second of a wave, in the plot of the device that is looked at.
    Wave,
}

/// Milliseconds from frame to event, and what went wrong.
#[derive(Default, Debug)]
pub(super) struct Delays {
    pub(super) pulses: Vec<f64>,
    pub(super) waves: Vec<f64>,
    /// Frames of which nothing was shown.
    pub(super) never: usize,
    /// How often the node said that this listener was too slow.
    pub(super) missed: u32,
}

/// A listener in a thread of its own.
pub(super) struct Listener {
    watch: Arc<Mutex<Watch>>,
    reading: JoinHandle<()>,
}

impl Listener {
    /// Opens the stream, with the waves of one device, and waits for its first event.
    pub(super) fn open(api: &Api, wave_device: &str) -> anyhow::Result<Self> {
        let question = Question::path("/api/events").with("waves", Some(wave_device));
        let mut lines = BufReader::new(api.stream(&question)?);
        let mut first = String::new();
        lines
            .read_line(&mut first)
            .context("the node told nothing")?;
        let watch = Arc::<Mutex<Watch>>::default();
        let noted = Arc::clone(&watch);
        let reading = std::thread::spawn(move || read(lines, &noted));
        Ok(Self { watch, reading })
    }

    /// Notes that a frame of a device with this value is written now.
    pub(super) fn expect(&self, device: &str, shown: Shown, value: u16) {
        let mut watch = lock(&self.watch);
        let written = watch.written.entry((device.to_owned(), shown));
        written.or_default().push_back((value, Instant::now()));
    }

    /// What was measured.
    pub(super) fn delays(&self) -> Delays {
        let mut watch = lock(&self.watch);
        let never = watch.written.values().map(VecDeque::len).sum();
        watch.written.clear();
        Delays {
            never,
            ..std::mem::take(&mut watch.delays)
        }
    }

    /// Ends with the node, which must have stopped.
    pub(super) fn end(self) -> anyhow::Result<()> {
        let ended = self.reading.join();
        ended.map_err(|_| anyhow::anyhow!("the listener failed"))
    }
}

#[derive(Default)]
struct Watch {
    /// Values written and not shown yet, oldest first.
    written: BTreeMap<(String, Shown), VecDeque<(u16, Instant)>>,
    delays: Delays,
}

impl Watch {
    /// A value was shown: it, and what was written before it, is over.
    fn see(&mut self, device: &str, shown: Shown, value: u16, at: Instant) {
        let Some(written) = self.written.get_mut(&(device.to_owned(), shown)) else {
            return;
        };
        // What is told again, because something else of the device is new, was found before.
        let Some(place) = written.iter().position(|(of, _)| *of == value) else {
            return;
        };
        let delays = match shown {
            Shown::Pulse => &mut self.delays.pulses,
            Shown::Wave => &mut self.delays.waves,
        };
        let over = written.drain(..=place);
        delays.extend(over.map(|(_, since)| at.duration_since(since).as_secs_f64() * 1e3));
    }

    fn hear(&mut self, event: &Event, at: Instant) {
        match event {
            Event::Live(devices) => {
                for device in devices {
                    let pulse = device
                        .vitals
                        .iter()
                        .find(|vital| vital.code == Metric::PulseRate.loinc());
                    let value = pulse.and_then(|vital| vital.value.as_deref()?.parse().ok());
                    if let Some(value) = value {
                        self.see(&device.id, Shown::Pulse, value, at);
                    }
                }
            }
            Event::Wave(wave) => {
                let first = wave.samples.first().copied().flatten();
                if let Some(value) = first.and_then(|sample| u16::try_from(sample).ok()) {
                    self.see(&wave.device, Shown::Wave, value, at);
                }
            }
            Event::Missed => self.delays.missed += 1,
            _ => {}
        }
    }
}

/// Reads until the node ends the stream. What is no event is a newer node's, and shows nothing.
fn read(lines: BufReader<impl Read>, watch: &Mutex<Watch>) {
    for line in lines.lines().map_while(Result::ok) {
        let at = Instant::now();
        let event = line.strip_prefix("data: ");
        if let Some(event) = event.and_then(|event| serde_json::from_str(event).ok()) {
            lock(watch).hear(&event, at);
        }
    }
}

fn lock(watch: &Mutex<Watch>) -> MutexGuard<'_, Watch> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    //! Goal: no value's time is too short, none is counted twice, none forgotten. Method: play events.

    use std::time::Duration;

    use super::*;

    #[test]
    fn a_value_is_over_when_it_or_a_newer_one_is_shown() {
        let mut watch = Watch::default();
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let written = (0..4).map(|number| (number, after(u64::from(number))));
        let key = ("a".to_owned(), Shown::Pulse);
        watch.written.insert(key.clone(), written.collect());
        watch.see("b", Shown::Pulse, 1, after(10));
        watch.see("a", Shown::Wave, 1, after(10));
        watch.see("a", Shown::Pulse, 9, after(10));
        assert!(watch.delays.pulses.is_empty(), "none of these was written");
        watch.see("a", Shown::Pulse, 1, after(10));
        watch.see("a", Shown::Pulse, 1, after(20));
        watch.see("a", Shown::Pulse, 0, after(20));
        assert_eq!(watch.delays.pulses, [10.0, 9.0]);
        assert_eq!(watch.written[&key].len(), 2, "two were never shown");
    }
}
