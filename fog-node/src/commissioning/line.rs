//! The figures of a device that is read on while it is judged: on a serial line, or simulated.
//!
//! Its driver tells when the port opens, the first frame comes and a level-0 device introduces itself; its
//! gap ledger, before and after a window, tells the rest. It was opened anew just before.

use std::time::{Duration, Instant};

use device_drivers::link::LinkState;
use device_drivers::profile::{Profile, Rate};
use device_drivers::self_test::{Check, Finding, Findings, Why};
use fog_api::{Device, Gap};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::failure::Failure;
use crate::ingest::Item;
use crate::node::Node;
use crate::sensor::SensorView;

/// How long is waited for the first frame.
const FIRST_FRAME_AT_MOST: Duration = Duration::from_secs(10);
/// How long is waited for a level-0 device to introduce itself before its rate is judged.
const INTRODUCTION_AT_MOST: Duration = Duration::from_secs(3);
/// Fewer readings than this say nothing about a rate.
const READINGS_AT_LEAST: u64 = 10;
/// What comes in one second may come all at once.
const SHORTEST_PERIOD_MILLIS: u64 = 1_000;
/// The longest window, however slow a device is.
const LONGEST: Duration = Duration::from_secs(120);
/// How often it is looked for a reading.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often the progress is told.
const TELL_EVERY: Duration = Duration::from_millis(500);

impl Node {
    /// Measures a device whose line was opened at `opened`, for this long or as its rate demands; percent done
    /// go to `progress`.
    pub(super) async fn measure_line(
        &self,
        device: &Device,
        opened: Instant,
        listen: Duration,
        progress: &watch::Sender<u8>,
    ) -> Result<Findings, Failure> {
        let (index, _) = self.find_device(&device.id)?;
        let mut view = self.sensor_view(index).ok_or_else(not_read)?;
        let mut findings = first_frame(&mut view, opened).await;
        progress.send_replace(10);
        if !matches!(findings.get(&Check::FirstFrame), Some(Finding::Measured(_))) {
            return Ok(findings);
        }
        let is_level0 = device.profile == Profile::FogwardLevel0.name();
        if is_level0 {
            let introduced = view.introduction.wait_for(Option::is_some);
            // One that has not is waited for in the window, too.
            if timeout(INTRODUCTION_AT_MOST, introduced).await.is_ok() {
                // What it promises is told a moment later; one may promise nothing.
                let _ = timeout(TELL_EVERY, view.rate.wait_for(Option::is_some)).await;
            }
        }
        let promised = *view.rate.borrow();
        let window = window(listen, promised);
        self.next_reading(&device.id, promised).await?;
        let (before, begun) = (self.gap_now(&device.id).await?, Instant::now());
        while begun.elapsed() < window {
            tokio::time::sleep(TELL_EVERY.min(window.saturating_sub(begun.elapsed()))).await;
            let share = begun.elapsed().as_millis() * 90 / window.as_millis().max(1);
            progress.send_replace(10 + u8::try_from(share.min(90)).unwrap_or(90));
        }
        let (elapsed, after) = (begun.elapsed(), self.gap_now(&device.id).await?);
        let refused = after.rejected.saturating_sub(before.rejected);
        findings.insert(Check::FramesRefused, Finding::Measured(refused));
        let received = after.received.saturating_sub(before.received);
        let rate = rate(received, promised, elapsed);
        let introduction = match (is_level0, *view.introduction.borrow()) {
            (false, _) => Finding::NotMeasured(Why::HasNone),
            (true, None) => Finding::NotMeasured(Why::NotIntroduced),
            (true, Some(introduction)) if introduction.is_listening => {
                Finding::Measured(millis(introduction.after))
            }
            // It cannot have heard the request.
            (true, Some(_)) => Finding::NotMeasured(Why::HasNone),
        };
        let is_silent = is_level0 && view.introduction.borrow().is_none();
        findings.insert(
            Check::Rate,
            match rate {
                Finding::NotMeasured(Why::PromisesNoRate) if is_silent => {
                    Finding::NotMeasured(Why::NotIntroduced)
                }
                rate => rate,
            },
        );
        findings.insert(Check::RoundTrip, introduction);
        Ok(findings)
    }
}

impl Node {
    /// Waits until a reading is there, so that the window begins right behind one: what the whole periods after
    /// it must bring is then known to the reading.
    async fn next_reading(&self, id: &str, promised: Option<Rate>) -> Result<(), Failure> {
        let Some(rate) = promised else { return Ok(()) };
        let before = self.gap_now(id).await?.received;
        let until = Instant::now() + Duration::from_millis(2 * period(rate).1).min(LONGEST);
        while self.device(id)?.gap.received == before && Instant::now() < until {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// A device's gap ledger with all that has arrived: what waits for a commit is counted only after it.
    async fn gap_now(&self, id: &str) -> Result<Gap, Failure> {
        self.until_durable(Item::Flush).await?;
        Ok(self.device(id)?.gap)
    }
}

/// Whether the port opened, and when the first frame came.
async fn first_frame(view: &mut SensorView, opened: Instant) -> Findings {
    let is_settled = |state: &LinkState| {
        matches!(
            state,
            LinkState::Streaming | LinkState::Disconnected(_) | LinkState::Stopped
        )
    };
    let settled = timeout(FIRST_FRAME_AT_MOST, view.state.wait_for(is_settled)).await;
    let (opens, frame) = match settled {
        Ok(Ok(state)) if *state == LinkState::Streaming => {
            (1, Finding::Measured(millis(opened.elapsed())))
        }
        Ok(_) => (0, Finding::NotMeasured(Why::NothingArrived)),
        Err(_elapsed) => (1, Finding::NotWithin(millis(FIRST_FRAME_AT_MOST))),
    };
    let mut findings = Findings::from([
        (Check::PortOpens, Finding::Measured(opens)),
        (Check::FirstFrame, frame),
    ]);
    for check in [Check::FramesRefused, Check::Rate, Check::RoundTrip] {
        findings.insert(check, Finding::NotMeasured(Why::NothingArrived));
    }
    findings
}

/// A rate as readings in the fewest milliseconds, but in a second at least: vitals come together, once a second.
fn period(rate: Rate) -> (u64, u64) {
    let (readings, millis) = (u64::from(rate.readings), u64::from(rate.per_millis.max(1)));
    let (mut divisor, mut rest) = (millis, readings);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    let (readings, millis) = (readings / divisor, millis / divisor);
    let times = SHORTEST_PERIOD_MILLIS.div_ceil(millis.max(1));
    (readings * times, millis * times)
}

/// How long to look: as asked, or until enough readings are due. It ends amid a period, so that what comes a
/// little late, or stood at the edge, does not count against the device.
fn window(asked: Duration, promised: Option<Rate>) -> Duration {
    let Some(rate) = promised else { return asked };
    let (readings, period) = period(rate);
    let periods = READINGS_AT_LEAST.div_ceil(readings.max(1));
    let periods = periods.max(millis(asked).div_ceil(period));
    Duration::from_millis(periods * period + period / 2).min(LONGEST)
}

/// What arrived in percent of what was promised in the whole periods that passed.
fn rate(received: u64, promised: Option<Rate>, elapsed: Duration) -> Finding {
    let Some(rate) = promised else {
        return Finding::NotMeasured(Why::PromisesNoRate);
    };
    let (readings, period) = period(rate);
    match readings * (millis(elapsed) / period) {
        ..READINGS_AT_LEAST => Finding::NotMeasured(Why::WindowTooShort),
        due => Finding::Measured(received.saturating_mul(100) / due),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn not_read() -> Failure {
    Failure::new(
        409,
        "TEST-24",
        "The device was not tested.",
        "It cannot be opened as it is stored here.",
        "Unpair it and pair it anew.",
    )
}

#[cfg(test)]
mod tests {
    //! Goal: a rate is judged only where enough readings are due. Method: rates, and what a person counts.
    use super::*;

    fn per(readings: u32, per_millis: u32) -> Option<Rate> {
        Some(Rate {
            readings,
            per_millis,
        })
    }

    #[test]
    fn slow_devices_are_looked_at_for_longer() {
        let asked = Duration::from_secs(10);
        for (promised, window_millis) in [
            (None, 10_000),
            (per(7, 1_000), 10_500),
            (per(1, 1_000), 10_500),
            (per(2_000, 1_000_000), 10_500),
            (per(1, 10_000), 105_000),
            (per(1, 60_000), 120_000),
            (per(0, 1_000), 10_500),
        ] {
            assert_eq!(
                millis(window(asked, promised)),
                window_millis,
                "{promised:?}"
            );
        }
    }

    #[test]
    fn a_rate_is_a_share_of_what_was_promised() {
        let of = |received, millis| rate(received, per(2, 1_000), Duration::from_millis(millis));
        assert_eq!(of(20, 10_500), Finding::Measured(100));
        assert_eq!(of(19, 10_500), Finding::Measured(95));
        assert_eq!(of(18, 10_500), Finding::Measured(90));
        assert_eq!(of(0, 10_500), Finding::Measured(0));
        assert_eq!(of(8, 4_900), Finding::NotMeasured(Why::WindowTooShort));
        let none = rate(9, None, Duration::from_secs(10));
        assert_eq!(none, Finding::NotMeasured(Why::PromisesNoRate));
    }
}
