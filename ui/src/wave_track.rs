//! Joins one-second segments of a wave into one line.
//!
//! A segment's time is when it arrived, give or take; taken literally, neighbours would overlap or
//! leave slits of some milliseconds. A segment that begins near where the last one ended is joined to
//! it, and moves a tenth of the difference towards its own time, so that the line keeps up with the
//! clock without steps. A real gap stays a gap.

use fog_api::Wave;

use crate::plot::{Point, SeriesHandle};

/// A segment that begins so near to the last one's end, in milliseconds, continues it.
const JOIN_MILLIS: f64 = 300.0;

/// A line being joined.
#[derive(Debug)]
pub struct WaveTrack {
    series: SeriesHandle,
    /// Time that the last segment gave itself: the same one may be told twice.
    last: Option<i64>,
    /// Where the next segment should begin.
    next: Option<f64>,
}

impl WaveTrack {
    /// A track that fills this series.
    #[must_use]
    pub const fn new(series: SeriesHandle) -> Self {
        Self {
            series,
            last: None,
            next: None,
        }
    }

    /// Joins a segment; answers the time of its end in Unix milliseconds, `None` where it is old.
    pub fn join(&mut self, wave: &Wave) -> Option<i64> {
        if self.last.is_some_and(|last| wave.time <= last) {
            return None;
        }
        self.last = Some(wave.time);
        let told = wave.time as f64;
        let start = match self.next {
            Some(next) if (told - next).abs() < JOIN_MILLIS => next + (told - next) * 0.1,
            _ => told,
        };
        let period = f64::from(wave.period_micros) / 1_000.0;
        let mut series = self.series.write();
        for (place, sample) in wave.samples.iter().enumerate() {
            let time = (start + period * place as f64).round() as i64;
            series.push(sample.map_or_else(
                || Point::absent(time),
                |sample| Point::value(time, f64::from(sample)),
            ));
        }
        let end = start + period * wave.samples.len() as f64;
        self.next = Some(end);
        Some(end.round() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(time: i64) -> Wave {
        Wave {
            device: String::new(),
            code: String::new(),
            time,
            period_micros: 20_000,
            samples: vec![Some(1); 50],
        }
    }

    /// Jitter of arrival neither overlaps nor parts neighbours; the line follows a clock that drifts.
    #[test]
    fn jitter_does_not_show() {
        let series = SeriesHandle::new(10_000, 500);
        let mut track = WaveTrack::new(series.clone());
        let jitter = [0, 40, -30, 60, -50, 20, 10, -20];
        let mut end = 0;
        for (second, jitter) in jitter.into_iter().enumerate() {
            end = track
                .join(&segment(1_000_000 + second as i64 * 1_000 + jitter))
                .unwrap_or(0);
        }
        assert_eq!(series.read().len(), 400);
        assert!((end - 1_008_000).abs() < 30, "{end}");
    }

    /// A lost second stays a gap, and a segment told twice is taken once.
    #[test]
    fn gaps_stay_and_doubles_go() {
        let series = SeriesHandle::new(10_000, 500);
        let mut track = WaveTrack::new(series.clone());
        assert!(track.join(&segment(1_000)).is_some());
        assert!(track.join(&segment(1_000)).is_none());
        assert_eq!(track.join(&segment(4_000)), Some(5_000));
        assert_eq!(series.read().len(), 100);
    }
}
