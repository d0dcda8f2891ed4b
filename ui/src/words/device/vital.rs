//! What is said of values: with their unit and quality, or that there is none.

use fog_api::Vital;
use ledger_core::Quality;

use crate::words::number::unit;
use crate::words::state::State;

/// A quality, its state and word.
#[must_use]
pub const fn quality(quality: Quality) -> (State, &'static str) {
    match quality {
        Quality::Good => (State::Ok, "Good"),
        Quality::Questionable => (State::Attention, "Questionable"),
        Quality::LowPerfusion => (State::Attention, "Low perfusion"),
        Quality::SensorOff => (State::Unknown, "Sensor off"),
        Quality::Searching => (State::Unknown, "Searching"),
        Quality::Missing => (State::Unknown, "No value"),
        Quality::SensorFault => (State::Attention, "Sensor fault"),
    }
}

/// The name of a quality in `data-quality` and in the API.
#[must_use]
pub const fn quality_key(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Questionable => "questionable",
        Quality::LowPerfusion => "low_perfusion",
        Quality::SensorOff => "sensor_off",
        Quality::Searching => "searching",
        Quality::Missing => "missing",
        Quality::SensorFault => "sensor_fault",
    }
}

/// The range that a small line of this metric usually covers.
#[must_use]
pub fn usual_range(code: &str) -> (f32, f32) {
    match code {
        "59408-5" | "2708-6" => (90.0, 100.0),
        "8889-8" | "8867-4" => (50.0, 110.0),
        "8310-5" => (35.0, 40.0),
        "8480-6" => (90.0, 160.0),
        "8462-4" => (50.0, 100.0),
        "8478-0" => (60.0, 120.0),
        "2339-0" => (60.0, 200.0),
        "15074-8" => (3.0, 11.0),
        "8637-1" => (400.0, 1_400.0),
        "61006-3" => (0.0, 8.0),
        _ => (0.0, 100.0),
    }
}

/// A value with its unit, or a dash.
#[must_use]
pub fn value(vital: &Vital) -> String {
    vital.value.as_ref().map_or_else(
        || "–".to_owned(),
        |value| {
            let unit = unit(&vital.unit);
            if unit.is_empty() {
                value.clone()
            } else {
                format!("{value} {unit}")
            }
        },
    )
}

/// The newest values of a device on one line: `97 % · 72 /min`.
#[must_use]
pub fn newest(vitals: &[Vital]) -> String {
    if vitals.iter().all(|vital| vital.value.is_none()) {
        return vitals.first().map_or_else(
            || "none yet".to_owned(),
            |vital| quality(vital.quality).1.to_lowercase(),
        );
    }
    vitals.iter().map(value).collect::<Vec<_>>().join(" · ")
}

/// What stands below a big number: its quality where that is not good, else its range.
#[must_use]
pub fn below(quality_now: Option<Quality>, extent: Option<(f64, f64)>, period: &str) -> String {
    match (quality_now, extent) {
        (Some(Quality::Good), Some((low, high))) if low < high => {
            format!("{} to {} in the {period}", figure(low), figure(high))
        }
        (Some(Quality::Good), Some((only, _))) => format!("{} in the {period}", figure(only)),
        (Some(quality_now), _) => quality(quality_now).1.to_lowercase(),
        (None, _) => String::new(),
    }
}

/// What stands below a dash: the last value, which is no longer shown as if it were one of now.
#[must_use]
pub fn last(vital: &Vital, clock: &str) -> String {
    vital
        .value
        .as_ref()
        .map_or_else(String::new, |_| format!("last {} at {clock}", value(vital)))
}

/// A plotted value for a sentence: at most two decimals, none where they say nothing.
#[must_use]
pub fn figure(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vital(value: Option<&str>, unit: &str, quality: Quality) -> Vital {
        Vital {
            code: "59408-5".to_owned(),
            label: "SpO₂".to_owned(),
            unit: unit.to_owned(),
            value: value.map(str::to_owned),
            quality,
            time: 0,
        }
    }

    /// A missing value is a quality, never a number.
    #[test]
    fn values_are_said_with_their_unit_or_their_absence() {
        let good = vital(Some("97"), "%", Quality::Good);
        let pulse = vital(Some("72"), "/min", Quality::Good);
        let out = vital(None, "%", Quality::SensorOff);
        assert_eq!(newest(&[good.clone(), pulse]), "97 % · 72 /min");
        assert_eq!(newest(&[good, out.clone()]), "97 % · –");
        assert_eq!(newest(&[out]), "sensor off");
        assert_eq!(newest(&[]), "none yet");
        assert_eq!(
            last(&vital(Some("97"), "%", Quality::Good), "14:02:10"),
            "last 97 % at 14:02:10"
        );
        assert_eq!(last(&vital(None, "%", Quality::Missing), "14:02:10"), "");
    }

    /// A doubtful value says so before it says its range.
    #[test]
    fn below_a_number() {
        assert_eq!(figure(4.600_000_000_000_000_5), "4.6");
        assert_eq!(figure(100.0), "100");
        let extent = Some((94.0, 97.5));
        assert_eq!(
            below(Some(Quality::Good), extent, "last hour"),
            "94 to 97.5 in the last hour"
        );
        assert_eq!(
            below(Some(Quality::LowPerfusion), extent, "last hour"),
            "low perfusion"
        );
        assert_eq!(below(None, None, "last hour"), "");
    }
}
