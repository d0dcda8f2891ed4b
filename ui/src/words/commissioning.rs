//! What is said of a self-test: its figures, their bars, and the whole.

use fog_api::{CommissioningFigure, FigureVerdict, TestOutcome};

use super::number::{count, duration, rate, thousands};
use super::state::State;

/// The whole, as a state with its word.
#[must_use]
pub const fn outcome(outcome: TestOutcome) -> (State, &'static str) {
    match outcome {
        TestOutcome::Passed => (State::Ok, "Passed"),
        TestOutcome::Failed => (State::Attention, "Misses a bar"),
        TestOutcome::Incomplete => (State::Unknown, "Not all measured"),
    }
}

/// One figure, as a state with its word.
#[must_use]
pub const fn verdict(verdict: FigureVerdict) -> (State, &'static str) {
    match verdict {
        FigureVerdict::Reached => (State::Ok, "Reached"),
        FigureVerdict::Missed => (State::Attention, "Missed"),
        FigureVerdict::NotMeasured => (State::Unknown, "Not measured"),
    }
}

/// What a figure is of, for a person. A figure of a later version is called by its name.
#[must_use]
pub fn title(check: &str) -> &str {
    match check {
        "advertisements" => "Heard",
        "silence" => "Longest silence",
        "connect-time" => "Connects in",
        "two-tries" => "Connected by the second try",
        "held-at-once" => "Devices at once",
        "discovery" => "Services known in",
        "bonded-reads" => "Answers over its bond",
        "battery" => "Battery",
        "port-opens" => "Port opens",
        "first-frame" => "First frame in",
        "frames-refused" => "Frames refused",
        "rate" => "Readings of those promised",
        "round-trip" => "Introduces itself in",
        other => other,
    }
}

/// What was found.
#[must_use]
pub fn found(figure: &CommissioningFigure) -> String {
    match (figure.value, figure.not_within) {
        (Some(value), _) => amount(figure, value),
        (None, Some(waited)) => format!("not in {}", amount(figure, waited)),
        (None, None) => "–".to_owned(),
    }
}

/// What it must reach.
#[must_use]
pub fn bar(figure: &CommissioningFigure) -> String {
    match (figure.at_least, figure.at_most) {
        (Some(least), _) => format!("at least {}", amount(figure, least)),
        (None, Some(0)) => "none".to_owned(),
        (None, Some(most)) => format!("at most {}", amount(figure, most)),
        (None, None) => String::new(),
    }
}

fn amount(figure: &CommissioningFigure, value: u64) -> String {
    match figure.unit.as_str() {
        "ms" => duration(value as f64),
        "%" => format!("{value} %"),
        "/(1000.s)" => format!("{} a second", rate(value as f64 / 1000.0)),
        _ => thousands(value),
    }
}

/// How far a test is.
#[must_use]
pub fn progress(percent: u8) -> String {
    format!("Measuring · {percent} %")
}

/// What the button says that shows and hides the older records.
#[must_use]
pub fn older(is_open: bool, records: usize) -> String {
    let verb = if is_open { "Hide" } else { "Show" };
    let records = count(records as u64, "older record", "older records");
    format!("{verb} {records}")
}

#[cfg(test)]
mod tests {
    //! Goal: every figure reads as a sentence would, and what was not measured is never drawn as well.
    //! Method: examples.

    use super::*;

    fn figure(unit: &str, bar: (Option<u64>, Option<u64>)) -> CommissioningFigure {
        CommissioningFigure {
            check: "silence".into(),
            unit: unit.into(),
            at_least: bar.0,
            at_most: bar.1,
            value: None,
            not_within: None,
            verdict: FigureVerdict::NotMeasured,
            reason: None,
        }
    }

    #[test]
    fn figures_and_bars_have_units() {
        for (unit, limits, value, says, must) in [
            ("ms", (None, Some(1_000)), 431, "431 ms", "at most 1.0 s"),
            ("ms", (None, Some(5_000)), 12_300, "12.3 s", "at most 5.0 s"),
            ("%", (Some(95), None), 100, "100 %", "at least 95 %"),
            (
                "/(1000.s)",
                (Some(1_000), None),
                3_900,
                "3.9 a second",
                "at least 1 a second",
            ),
            ("", (Some(5), None), 3, "3", "at least 5"),
            ("", (None, Some(0)), 0, "0", "none"),
        ] {
            let mut one = figure(unit, limits);
            assert_eq!((found(&one), bar(&one)), ("–".to_owned(), must.to_owned()));
            one.not_within = Some(value);
            assert_eq!(found(&one), format!("not in {says}"));
            one.value = Some(value);
            assert_eq!(found(&one), says);
        }
    }

    #[test]
    fn only_what_is_well_looks_well() {
        for (word, is_well) in [
            (outcome(TestOutcome::Passed), true),
            (outcome(TestOutcome::Failed), false),
            (outcome(TestOutcome::Incomplete), false),
            (verdict(FigureVerdict::Reached), true),
            (verdict(FigureVerdict::Missed), false),
            (verdict(FigureVerdict::NotMeasured), false),
        ] {
            assert_eq!(word.0 == State::Ok, is_well, "{}", word.1);
        }
    }

    #[test]
    fn an_unknown_figure_is_called_by_its_name() {
        assert_eq!(title("connect-time"), "Connects in");
        assert_eq!(title("of-a-later-version"), "of-a-later-version");
    }
}
