//! The figures of a device that is read on while it is judged: on a serial line, or simulated.
//!
//! Its driver tells when the port opens, the first frame comes and a level-0 device introduces itself; its
//! gap ledger, before and after a window, tells the rest. It was opened anew just before.

use std::time::{Duration, Instant};

use device_drivers::link::LinkState;
use device_drivers::profile::{Profile, Rate};
use device_drivers::self_test::{Check, Finding, Findings, Why};
use fog_api::Device;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::failure::Failure;
use crate::node::Node;
use crate::sensor::SensorView;

/// How long is waited for the first frame.
const FIRST_FRAME_AT_MOST: Duration = Duration::from_secs(10);
/// How long is waited for a level-0 device to introduce itself before its rate is judged.
const INTRODUCTION_AT_MOST: Duration = Duration::from_secs(3);
/// Fewer readings than this say nothing about a rate.
const READINGS_AT_LEAST: u64 = 10;
/// The longest window, however slow a device is.
const LONGEST: Duration = Duration::from_secs(120);
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
            let _ = timeout(INTRODUCTION_AT_MOST, introduced).await;
        }
        let promised = *view.rate.borrow();
        let window = window(listen, promised);
        let (before, begun) = (self.device(&device.id)?.gap, Instant::now());
        while begun.elapsed() < window {
            tokio::time::sleep(TELL_EVERY.min(window.saturating_sub(begun.elapsed()))).await;
            let share = begun.elapsed().as_millis() * 90 / window.as_millis().max(1);
            progress.send_replace(10 + u8::try_from(share.min(90)).unwrap_or(90));
        }
        let (after, elapsed) = (self.device(&device.id)?.gap, begun.elapsed());
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

/// How long to look: as asked, or until enough readings are due.
fn window(asked: Duration, promised: Option<Rate>) -> Duration {
    let Some(rate) = promised else { return asked };
    let due = READINGS_AT_LEAST * u64::from(rate.per_millis) / u64::from(rate.readings.max(1));
    asked.max(Duration::from_millis(due + 1)).min(LONGEST)
}

/// What arrived in percent of what was promised.
fn rate(received: u64, promised: Option<Rate>, elapsed: Duration) -> Finding {
    let Some(rate) = promised else {
        return Finding::NotMeasured(Why::PromisesNoRate);
    };
    match rate.expected_in(millis(elapsed)) {
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

    #[test]
    fn slow_devices_are_looked_at_for_longer() {
        let per = |readings, per_millis| {
            Some(Rate {
                readings,
                per_millis,
            })
        };
        let asked = Duration::from_secs(10);
        for (promised, seconds) in [
            (None, 10),
            (per(7, 1_000), 10),
            (per(1, 1_000), 10),
            (per(1, 10_000), 100),
            (per(1, 60_000), 120),
        ] {
            assert_eq!(window(asked, promised).as_secs(), seconds, "{promised:?}");
        }
    }

    #[test]
    fn a_rate_is_a_share_of_what_was_promised() {
        let promised = Some(Rate {
            readings: 2,
            per_millis: 1_000,
        });
        let of = |received, seconds| rate(received, promised, Duration::from_secs(seconds));
        assert_eq!(of(20, 10), Finding::Measured(100));
        assert_eq!(of(19, 10), Finding::Measured(95));
        assert_eq!(of(0, 10), Finding::Measured(0));
        assert_eq!(of(8, 4), Finding::NotMeasured(Why::WindowTooShort));
        let none = rate(9, None, Duration::from_secs(10));
        assert_eq!(none, Finding::NotMeasured(Why::PromisesNoRate));
    }
}
