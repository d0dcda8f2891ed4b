//! What is disclosed, in plain: readings as they were stored, or what is told of many of them. Pure.
//!
//! ```text
//! commitment = tagged("fogward/disclosed/1", request's handle ‖ read ‖ salt[32] ‖ postcard(content))
//! ```
//!
//! The commitment stands in the receipt. Whoever has the content and the salt can tell that this is what the receipt
//! is for; to everybody else it says nothing.

use std::collections::BTreeMap;

use ledger_core::{Digest, Quality, StreamId, Value, canonical};
use serde::{Deserialize, Serialize};

use crate::vault::seal::Record;

/// What an aggregate spans: an hour, of a period of at most [`LONG`]; a day of a longer one. Both in Coordinated
/// Universal Time.
pub(crate) const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// The longest period that is told by the hour.
const LONG: i64 = 2 * DAY;
/// Fewest values that are told of together: of fewer, an aggregate would tell each.
pub const MIN_TOGETHER: u64 = 10;

/// What is disclosed.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Content {
    /// Readings, by stream; none where only aggregates are disclosed.
    pub streams: Vec<StreamPart>,
    /// What is told of many readings together, by metric and time.
    pub spans: Vec<Span>,
}

/// Readings of one stream.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StreamPart {
    /// The stream.
    pub stream: StreamId,
    /// LOINC code of what was measured.
    pub code: String,
    /// UCUM unit.
    pub unit: String,
    /// Them, by their sequences.
    pub readings: Vec<Shown>,
}

/// One reading.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Shown {
    /// Its place in the stream.
    pub sequence: u64,
    /// When it was taken, in Unix milliseconds: as the node knows it now.
    #[serde(skip)]
    pub taken: i64,
    /// It.
    pub record: Record,
}

/// What is told of the readings of one metric in an hour or a day.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Span {
    /// LOINC code.
    pub code: String,
    /// UCUM unit.
    pub unit: String,
    /// Its begin in Unix milliseconds.
    pub from: i64,
    /// Its end, itself not in it.
    pub until: i64,
    /// Values that the sensor vouched for.
    pub count: u64,
    /// Of them; none if there are fewer than [`MIN_TOGETHER`].
    pub values: Option<Values>,
    /// Whether one of the readings is simulated.
    pub is_simulated: bool,
}

/// Of several values.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Values {
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// Their arithmetic mean.
    pub mean: f64,
}

impl Content {
    /// How many readings it is made of.
    #[must_use]
    pub fn readings(parts: &[StreamPart]) -> u64 {
        parts.iter().map(|part| part.readings.len() as u64).sum()
    }

    /// Tells of readings in this period as aggregates only.
    #[must_use]
    pub fn aggregate(parts: &[StreamPart], from: i64, until: i64) -> Self {
        let length = match until.saturating_sub(from) <= LONG {
            true => HOUR,
            false => DAY,
        };
        let mut sums: BTreeMap<(&str, &str, i64), Sum> = BTreeMap::new();
        for part in parts {
            for shown in &part.readings {
                let begin = shown.taken.div_euclid(length).saturating_mul(length);
                let sum = sums.entry((&part.code, &part.unit, begin)).or_default();
                sum.add(&shown.record);
            }
        }
        let span = |((code, unit, begin), sum): ((&str, &str, i64), Sum)| Span {
            code: code.to_owned(),
            unit: unit.to_owned(),
            from: begin,
            until: begin.saturating_add(length),
            count: sum.count,
            values: sum.values(),
            is_simulated: sum.is_simulated,
        };
        Self {
            streams: Vec::new(),
            spans: sums.into_iter().map(span).collect(),
        }
    }

    /// The commitment to it, for the receipt of a read under a request.
    #[must_use]
    pub fn commitment(&self, access: &Digest, read: &Digest, salt: &[u8; 32]) -> Digest {
        let content = canonical::encode(self);
        Digest::tagged("fogward/disclosed/1", &[&access.0, &read.0, salt, &content])
    }
}

/// What adds up to a [`Span`].
#[derive(Default)]
struct Sum {
    count: u64,
    total: f64,
    range: Option<(f64, f64)>,
    is_simulated: bool,
}

impl Sum {
    fn add(&mut self, record: &Record) {
        self.is_simulated |= record.origin == ledger_core::Origin::Simulated;
        let Value::Quantity(value) = &record.value else {
            return;
        };
        if record.quality != Quality::Good {
            return;
        }
        let value = value.to_f64();
        let (min, max) = self.range.unwrap_or((value, value));
        self.range = Some((min.min(value), max.max(value)));
        self.total += value;
        self.count += 1;
    }

    fn values(&self) -> Option<Values> {
        let (min, max) = self.range.filter(|_| self.count >= MIN_TOGETHER)?;
        Some(Values {
            min,
            max,
            mean: self.total / self.count as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    //! Goal: an aggregate tells of many readings what they have in common, and of few nothing; a commitment is to
    //! one content alone. Method: a table of hours; each part of the content changed.

    use ledger_core::{Decimal, Origin};

    use super::*;

    fn shown(sequence: u64, taken: i64, value: i64, quality: Quality) -> Shown {
        Shown {
            sequence,
            taken,
            record: Record {
                host_time_millis: taken,
                device_time_millis: None,
                value: Value::Quantity(Decimal {
                    mantissa: value,
                    exponent: 0,
                }),
                quality,
                origin: Origin::Sensor,
            },
        }
    }

    fn part(readings: Vec<Shown>) -> StreamPart {
        StreamPart {
            stream: StreamId([1; 16]),
            code: "8867-4".into(),
            unit: "/min".into(),
            readings,
        }
    }

    #[test]
    fn hours_are_told_of_together_and_few_readings_not_at_all() {
        let minutes = |minutes: i64| minutes * 60_000;
        let mut readings: Vec<_> = (0..20)
            .map(|at| shown(at as u64, minutes(at), 60 + at, Quality::Good))
            .collect();
        // What the sensor does not vouch for is not told of.
        readings.push(shown(20, minutes(30), 999, Quality::Questionable));
        // The next hour has nine values, the one before 1970 has one.
        readings
            .extend((0..9).map(|at| shown(21 + at as u64, minutes(60 + at), 70, Quality::Good)));
        readings.push(shown(40, -1, 50, Quality::Good));
        let content = Content::aggregate(&[part(readings.clone())], -1, 2 * DAY - 1);
        assert!(content.streams.is_empty());
        let told: Vec<_> = content
            .spans
            .iter()
            .map(|span| (span.from, span.until, span.count, span.values))
            .collect();
        let values = Values {
            min: 60.0,
            max: 79.0,
            mean: 69.5,
        };
        assert_eq!(
            told,
            [
                (-HOUR, 0, 1, None),
                (0, HOUR, 20, Some(values)),
                (HOUR, 2 * HOUR, 9, None),
            ]
        );
        let by_day = Content::aggregate(&[part(readings)], 0, 2 * DAY + 1);
        let days: Vec<_> = by_day
            .spans
            .iter()
            .map(|span| (span.from, span.count))
            .collect();
        assert_eq!(days, [(-DAY, 1), (0, 29)]);
    }

    #[test]
    fn a_commitment_is_to_one_content() {
        let of = |content: &Content, access: u8, read: u8, salt: u8| {
            let [access, read] = [access, read].map(|byte| Digest([byte; 32]));
            content.commitment(&access, &read, &[salt; 32])
        };
        let raw = |value| Content {
            streams: vec![part(vec![shown(1, 2, value, Quality::Good)])],
            spans: Vec::new(),
        };
        let one = of(&raw(60), 1, 2, 3);
        assert_eq!(one, of(&raw(60), 1, 2, 3));
        for other in [
            of(&raw(61), 1, 2, 3),
            of(&raw(60), 9, 2, 3),
            of(&raw(60), 1, 9, 3),
            of(&raw(60), 1, 2, 9),
            of(&Content::default(), 1, 2, 3),
        ] {
            assert_ne!(one, other);
        }
    }
}
