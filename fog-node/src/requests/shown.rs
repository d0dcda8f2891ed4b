//! What was disclosed, as a console is shown it.

use device_drivers::measurement::Metric;
use fog_api::{DisclosedReading, DisclosedSpan, DisclosedStream, SampleSegment};
use ledger_core::{Origin, Value};

use crate::disclosure::content::{Shown, Span, StreamPart};

fn label(code: &str) -> String {
    Metric::from_loinc(code)
        .map_or("", Metric::label)
        .to_owned()
}

pub(super) fn stream(part: StreamPart) -> DisclosedStream {
    DisclosedStream {
        stream: part.stream.to_string(),
        label: label(&part.code),
        code: part.code,
        unit: part.unit,
        readings: part.readings.into_iter().map(reading).collect(),
    }
}

fn reading(shown: Shown) -> DisclosedReading {
    let (value, samples) = match shown.record.value {
        Value::Quantity(value) => (Some(value.to_f64()), None),
        Value::Samples(data) => (
            None,
            Some(SampleSegment {
                period_micros: data.period_micros,
                samples: data.samples,
            }),
        ),
        Value::Absent => (None, None),
    };
    DisclosedReading {
        sequence: shown.sequence,
        taken: shown.taken,
        value,
        samples,
        quality: shown.record.quality,
        simulated: shown.record.origin == Origin::Simulated,
    }
}

pub(super) fn span(span: Span) -> DisclosedSpan {
    DisclosedSpan {
        label: label(&span.code),
        code: span.code,
        unit: span.unit,
        from: span.from,
        until: span.until,
        count: span.count,
        min: span.values.map(|values| values.min),
        max: span.values.map(|values| values.max),
        mean: span.values.map(|values| values.mean),
        simulated: span.is_simulated,
    }
}
