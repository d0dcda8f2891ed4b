//! Turns decoded records into measurements: the rules that all profiles share.
//!
//! A special float or a zero rate is no value ([`Quality::Missing`]); what no body can have is refused
//! and counted; a number and its quality never contradict each other ([`Measurement::new`]).

use crate::event::{Event, RejectReason, Rejection};
use crate::gatt::Float;
use crate::gatt::convert::Decimal;
use crate::measurement::{Measurement, Metric, Quality};
use core::cmp::Ordering;

/// Where the measurements of one characteristic value go, with what they have in common.
pub(crate) struct Report<'a> {
    pub(crate) now_millis: i64,
    pub(crate) device_time_millis: Option<i64>,
    pub(crate) sequence: Option<u64>,
    pub(crate) events: &'a mut Vec<Event>,
}

impl Report<'_> {
    /// A measurement; `value` is in the metric's unit.
    pub(crate) fn quantity(&mut self, metric: Metric, value: Option<Decimal>, quality: Quality) {
        let value = value.filter(|value| !(is_rate(metric) && value.is_zero()));
        if value.is_some_and(|value| quality.has_value() && !is_plausible(metric, value)) {
            self.refuse(RejectReason::Implausible, 1);
            return;
        }
        let value = value.map(Decimal::value);
        self.events.push(Event::Measurement(Measurement {
            device_time_millis: self.device_time_millis,
            sequence: self.sequence,
            ..Measurement::new(metric, value, quality, self.now_millis)
        }));
    }

    /// A measurement of a medical float that is in the metric's unit already.
    pub(crate) fn float(&mut self, metric: Metric, float: Float, quality: Quality) {
        self.converted(metric, float, quality, Some);
    }

    /// A measurement of a medical float in another unit. A number too large to convert is no body's.
    pub(crate) fn converted(
        &mut self,
        metric: Metric,
        float: Float,
        quality: Quality,
        convert: impl Fn(Decimal) -> Option<Decimal>,
    ) {
        let Some((mantissa, exponent)) = float.number() else {
            self.quantity(metric, None, quality);
            return;
        };
        match Decimal::new(i64::from(mantissa), exponent).and_then(convert) {
            Some(value) => self.quantity(metric, Some(value), quality),
            None => self.refuse(RejectReason::Implausible, 1),
        }
    }

    /// One refused frame, and how many readings that cost.
    pub(crate) fn refuse(&mut self, reason: RejectReason, readings: u32) {
        self.events.push(Event::Rejected(Rejection {
            reason,
            frames: 1,
            readings,
        }));
    }
}

/// Of these, zero means that nothing was measured.
const fn is_rate(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::SpO2
            | Metric::PulseRate
            | Metric::HeartRate
            | Metric::RespirationRate
            | Metric::RrInterval
    )
}

/// Whether a body, or a device that holds on to what it claims, can have this value. The limits are
/// wide: they catch damage and nonsense, not disease.
fn is_plausible(metric: Metric, value: Decimal) -> bool {
    let max = match metric {
        Metric::SpO2
        | Metric::PerfusionIndex
        | Metric::BodyFat
        | Metric::MusclePercentage
        | Metric::BodyTemperature => 100,
        Metric::PulseRate | Metric::HeartRate | Metric::RespirationRate => 500,
        Metric::BloodPressureSystolic
        | Metric::BloodPressureDiastolic
        | Metric::BloodPressureMean
        | Metric::BodyMassIndex => 500,
        Metric::GlucoseMass => 5_000,
        Metric::GlucoseMolar | Metric::BodyHeight => 300,
        Metric::BodyWeight | Metric::MuscleMass | Metric::BodyWaterMass => 1_000,
        Metric::RrInterval | Metric::EnergyExpended | Metric::PlethWave => 65_535,
    };
    value.cmp_whole(0) != Ordering::Less && value.cmp_whole(max) != Ordering::Greater
}
