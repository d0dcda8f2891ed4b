//! How each metric is plotted on a device's page, and where in time a reading belongs.
//!
//! ```text
//! heart rate, pulse, SpO₂, temperature …   a line; a gap is a gap
//! blood pressure                           one bar a measurement, diastolic to systolic, the mean marked
//! glucose, weight, body composition        one dot a measurement, pale steps between
//! ```

use fog_api::ReadingRow;

use crate::oxygen;
use crate::plot::{Colour, Limit, Mark, Panel, Point, SeriesHandle, Simulated, Trace, YRange};
use crate::words::device::usual_range;

/// A line breaks where nothing came for so long, in milliseconds, of what comes each second.
const BREAK_MILLIS: i64 = 3_000;
/// The same of what Bluetooth thermometers and the like send once a minute.
const SLOW_BREAK_MILLIS: i64 = 180_000;
/// A device's clock is believed if it is at most so far ahead of this node's, in milliseconds.
const AHEAD_MILLIS: i64 = 60_000;
/// And at most so far behind: devices store the measurements of weeks, and a clock that was never set tells
/// years.
const STORED_MILLIS: i64 = 90 * 24 * 3_600_000;

const SYSTOLIC: &str = "8480-6";
const DIASTOLIC: &str = "8462-4";
const MEAN: &str = "8478-0";

/// One metric of a device.
#[derive(Clone, Debug)]
pub struct Line {
    /// LOINC code.
    pub code: String,
    /// Its name.
    pub title: String,
    /// Its unit, for people.
    pub unit: String,
    /// Its values.
    pub series: SeriesHandle,
}

/// Whether a metric is measured now and then and not all the time: single readings are plotted, by the time
/// they were measured.
#[must_use]
pub fn is_episodic(code: &str) -> bool {
    matches!(
        code,
        SYSTOLIC
            | DIASTOLIC
            | MEAN
            | "2339-0"
            | "15074-8"
            | "29463-7"
            | "8302-2"
            | "39156-5"
            | "41982-0"
            | "73965-6"
            | "73964-9"
            | "101683-1"
    )
}

/// When a line of this metric breaks, in milliseconds, on a plot of so many.
#[must_use]
pub fn break_after(code: &str, span_millis: i64, points: i64, readings_per_second: f64) -> i64 {
    let usual = match code {
        // A dot is told at the cursor while it is near.
        code if is_episodic(code) => span_millis / 60,
        "8310-5" | "9279-1" if readings_per_second <= 0.0 => SLOW_BREAK_MILLIS,
        _ if readings_per_second > 0.0 => (3_000.0 / readings_per_second) as i64,
        _ => BREAK_MILLIS,
    };
    usual.max(BREAK_MILLIS).max(span_millis / points.max(1) * 3)
}

/// When a reading was measured: by the device's clock, put right by the node where it knows how far that clock
/// was off, else where it is to be believed; else when it came.
#[must_use]
pub fn measured_at(reading: &ReadingRow) -> i64 {
    let is_believed = |time: &i64| {
        (reading.host_time - STORED_MILLIS..=reading.host_time + AHEAD_MILLIS).contains(time)
    };
    let believed = || reading.device_time.filter(is_believed);
    reading
        .corrected_time
        .or_else(believed)
        .unwrap_or(reading.host_time)
}

/// The points of single readings.
pub fn points(readings: &[ReadingRow]) -> impl Iterator<Item = Point> {
    readings.iter().map(|reading| {
        let time = measured_at(reading);
        reading
            .value
            .map_or_else(|| Point::absent(time), |value| Point::value(time, value))
    })
}

/// The panels of a device, in the order of its metrics; a pressure's three are one.
#[must_use]
pub fn panels(lines: &[Line], is_simulated: bool) -> Vec<Panel> {
    let pressure: Vec<_> = [SYSTOLIC, DIASTOLIC, MEAN]
        .iter()
        .filter_map(|code| lines.iter().find(|line| line.code == *code))
        .collect();
    // Without both ends there is no bar to draw.
    let is_pressure =
        pressure.len() >= 2 && pressure.first().is_some_and(|line| line.code == SYSTOLIC);
    let is_pressure = is_pressure && pressure.get(1).is_some_and(|line| line.code == DIASTOLIC);
    let mut panels = Vec::new();
    let mut is_drawn = false;
    for line in lines {
        let is_part = is_pressure && [SYSTOLIC, DIASTOLIC, MEAN].contains(&line.code.as_str());
        match (is_part, is_drawn) {
            (false, _) => panels.push(panel(line)),
            (true, false) => {
                panels.push(pressure_panel(&pressure));
                is_drawn = true;
            }
            (true, true) => {}
        }
    }
    if is_simulated {
        for panel in &mut panels {
            panel.simulated = Simulated::All;
        }
    }
    panels
}

fn panel(line: &Line) -> Panel {
    let colour = Colour::of_metric(&line.code);
    let mut panel = Panel::line(&line.title, &line.unit, colour, line.series.clone());
    panel.y = match usual_range(&line.code) {
        // What is weighed is its own scale.
        (0.0, 100.0) if is_episodic(&line.code) => YRange::Data,
        (low, high) => YRange::AtLeast(f64::from(low), f64::from(high)),
    };
    panel.decimals = decimals(&line.code);
    if is_episodic(&line.code) {
        panel.gaps = false;
        for trace in &mut panel.traces {
            trace.mark = Mark::Steps;
        }
    }
    if oxygen::CODES.contains(&line.code.as_str()) {
        panel.y = YRange::AtLeast(85.0, 100.0);
        panel.limits = vec![Limit {
            value: oxygen::LOW_BELOW,
            label: format!("critical below {}", oxygen::LOW_BELOW),
        }];
    }
    panel
}

fn pressure_panel(lines: &[&Line]) -> Panel {
    let marks = [Mark::Upper, Mark::Lower, Mark::Middle];
    let traces = lines.iter().zip(marks).map(|(line, mark)| Trace {
        name: line.title.clone(),
        colour: Colour::BLOOD_PRESSURE,
        mark,
        series: line.series.clone(),
    });
    let unit = lines.first().map_or("", |line| line.unit.as_str());
    Panel {
        is_titled: true,
        traces: traces.collect(),
        y: YRange::AtLeast(50.0, 160.0),
        gaps: false,
        ..Panel::line(
            "Blood pressure",
            unit,
            Colour::BLOOD_PRESSURE,
            SeriesHandle::new(1, 1),
        )
    }
}

/// Decimal places that are read of a metric.
fn decimals(code: &str) -> usize {
    match code {
        "8310-5" | "61006-3" | "15074-8" | "29463-7" | "39156-5" | "41982-0" | "73965-6"
        | "73964-9" | "101683-1" => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    //! Goal: each metric is drawn as it is measured, and a stored reading stands where it was measured unless
    //! its clock cannot be right. Method: the panels of several devices, and readings with good and bad clocks.

    use ledger_core::Quality;

    use super::*;

    fn line(code: &str) -> Line {
        Line {
            code: code.to_owned(),
            title: code.to_owned(),
            unit: "mmHg".to_owned(),
            series: SeriesHandle::new(10, 1_000),
        }
    }

    fn marks(codes: &[&str]) -> Vec<Vec<Mark>> {
        let lines: Vec<_> = codes.iter().map(|code| line(code)).collect();
        let panels = panels(&lines, false).into_iter();
        panels
            .map(|panel| panel.traces.iter().map(|trace| trace.mark).collect())
            .collect()
    }

    fn reading(device_time: Option<i64>, value: Option<f64>) -> ReadingRow {
        ReadingRow {
            id: "1.1".to_owned(),
            device: "d".to_owned(),
            code: SYSTOLIC.to_owned(),
            label: "Systolic".to_owned(),
            value,
            unit: "mm[Hg]".to_owned(),
            samples: None,
            quality: Quality::Good,
            simulated: false,
            device_time,
            corrected_time: None,
            host_time: 1_800_000_000_000,
            batch: None,
            tx: None,
            height: None,
            finalized: false,
        }
    }

    #[test]
    fn each_metric_is_drawn_as_it_is_measured() {
        assert_eq!(marks(&["59408-5", "8889-8"]), [[Mark::Line], [Mark::Line]]);
        let cuff = marks(&["8478-0", "8462-4", "8480-6", "8889-8"]);
        assert_eq!(cuff[0], [Mark::Upper, Mark::Lower, Mark::Middle]);
        assert_eq!(cuff[1..], [[Mark::Line]]);
        assert_eq!(marks(&["8480-6", "8462-4"]), [[Mark::Upper, Mark::Lower]]);
        assert_eq!(marks(&["8480-6"]), [[Mark::Steps]], "half a pressure");
        assert_eq!(
            marks(&["15074-8", "29463-7"]),
            [[Mark::Steps], [Mark::Steps]]
        );
    }

    #[test]
    fn the_limit_is_that_of_the_rule() {
        let saturation = &panels(&[line("59408-5")], true)[0];
        assert_eq!(saturation.limits[0].value, oxygen::LOW_BELOW);
        assert_eq!(saturation.limits[0].label, "critical below 90");
        assert_eq!(saturation.simulated, Simulated::All);
    }

    #[test]
    fn a_stored_reading_stands_where_it_was_measured() {
        let host = 1_800_000_000_000;
        for (device_time, expected) in [
            (None, host),
            (Some(host - 3_600_000), host - 3_600_000),
            (Some(host + 5_000), host + 5_000),
            (Some(host + 3_600_000), host),
            (Some(946_684_800_000), host),
        ] {
            assert_eq!(measured_at(&reading(device_time, None)), expected);
        }
        let corrected = ReadingRow {
            corrected_time: Some(host - 7_200_000),
            ..reading(Some(946_684_800_000), None)
        };
        assert_eq!(
            measured_at(&corrected),
            host - 7_200_000,
            "its node knows better"
        );
        let rows = [reading(None, Some(120.0)), reading(Some(host - 9), None)];
        let ranges: Vec<_> = points(&rows).map(|point| point.range).collect();
        assert_eq!(ranges, [Some((120.0, 120.0)), None]);
    }

    #[test]
    fn a_line_breaks_when_a_device_is_late_by_its_own_pace() {
        assert_eq!(break_after("59408-5", 300_000, 1_200, 3.0), 3_000);
        assert_eq!(break_after("8310-5", 300_000, 1_200, 0.1), 30_000);
        assert_eq!(break_after("8310-5", 300_000, 1_200, 0.0), 180_000);
        assert_eq!(break_after("59408-5", 24 * 3_600_000, 1_200, 3.0), 216_000);
    }
}
