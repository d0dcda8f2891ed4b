//! The body behind simulated devices that measure now and then: cuff, glucose meter, scale. Integers and a seed.
//!
//! It looks right and means nothing, as the other body does: a blood pressure around its resting value, a blood
//! sugar that rises after meals and falls within hours, a weight that follows meals and water. The glucose meter
//! is out of range now and then, keeps what it measures, and shows its own clock whenever it is back; upon its
//! third return somebody has set that clock.
//!
//! It leaves out the numbers by which a meter's records are told apart: the story begins anew at each start.

use super::SimulatedKind;
use super::physiology::Dice;
use crate::event::{CoincidentTime, Event};
use crate::measurement::{Measurement, Metric, Quality, Value};

const MINUTE_MILLIS: i64 = 60_000;
/// How often the meter measures, in minutes.
const METER_MINUTES: i64 = 5;
/// The return upon which the meter's clock is set.
const SETTING_RETURN: i64 = 3;

/// A body, and what a device keeps of it.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    dice: Dice,
    systolic: i64,
    diastolic: i64,
    pulse: i64,
    height_mm: i64,
    weight_grams: i64,
    fat_permille: i64,
    fasting_tenths: i64,
    glucose_tenths: i64,
    /// What a meal still brings, in tenths of mg/dL.
    meal_tenths: i64,
    minutes_to_meal: i64,
    minute: i64,
    meter: Meter,
}

/// The glucose meter's own things.
#[derive(Clone, Debug)]
struct Meter {
    /// How far its clock is ahead of the host's.
    ahead_millis: i64,
    stored: Vec<Measurement>,
    /// Until when it is in range, or away, in minutes.
    until_minute: i64,
    is_away: bool,
    returns: i64,
}

impl Spot {
    pub(super) fn new(seed: u64) -> Spot {
        let mut dice = Dice::new(seed);
        let fasting_tenths = dice.between(820, 1_180);
        let height_mm = dice.between(1_520, 1_930);
        // A body mass index from 19 to 33.
        let weight_grams = dice.between(19, 33) * height_mm * height_mm / 1_000;
        Spot {
            systolic: dice.between(104, 148),
            diastolic: dice.between(62, 92),
            pulse: dice.between(56, 88),
            height_mm,
            weight_grams,
            fat_permille: dice.between(140, 360),
            fasting_tenths,
            glucose_tenths: fasting_tenths,
            meal_tenths: 0,
            minutes_to_meal: dice.between(20, 200),
            minute: 0,
            meter: Meter {
                ahead_millis: dice.between(-180, 180) * MINUTE_MILLIS + dice.between(0, 59_999),
                stored: Vec::new(),
                until_minute: dice.between(60, 180),
                is_away: false,
                returns: 0,
            },
            dice,
        }
    }

    /// The next interval of this kind, ending at `now_millis`.
    pub(super) fn tick(&mut self, kind: SimulatedKind, now_millis: i64, events: &mut Vec<Event>) {
        match kind {
            SimulatedKind::BloodPressureCuff => self.inflate(now_millis, events),
            SimulatedKind::Scale => self.step_on(now_millis, events),
            _ => self.live_a_minute(now_millis, events),
        }
    }

    fn inflate(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        let systolic = self.systolic + self.dice.between(-7, 7);
        let diastolic = (self.diastolic + self.dice.between(-5, 5)).min(systolic - 20);
        let pulse = self.pulse + self.dice.between(-4, 4);
        for (metric, number) in [
            (Metric::BloodPressureSystolic, systolic),
            (Metric::BloodPressureDiastolic, diastolic),
            // A third of the way up, as is usual for a cuff that shows a mean pressure.
            (
                Metric::BloodPressureMean,
                diastolic + (systolic - diastolic) / 3,
            ),
            (Metric::HeartRate, pulse),
        ] {
            events.push(measured(metric, number, 0, now_millis));
        }
    }

    fn step_on(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        // Food and water within the day; scales show steps of 50 g.
        let grams = (self.weight_grams + self.dice.between(-12, 12) * 50) / 50 * 50;
        let index_tenths = grams * 10_000 / (self.height_mm * self.height_mm);
        let fat_permille = self.fat_permille + self.dice.between(-6, 6);
        let lean_permille = 1_000 - fat_permille;
        for (metric, mantissa, exponent) in [
            (Metric::BodyWeight, grams / 10, -2),
            (Metric::BodyMassIndex, index_tenths, -1),
            (Metric::BodyFat, fat_permille, -1),
            // Of what is not fat, about half is muscle and 73 % is water.
            (Metric::MusclePercentage, lean_permille * 52 / 100, -1),
            (
                Metric::BodyWaterMass,
                grams * lean_permille * 73 / 10_000_000,
                -1,
            ),
        ] {
            events.push(measured(metric, mantissa, exponent, now_millis));
        }
    }

    fn live_a_minute(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        self.minutes_to_meal -= 1;
        if self.minutes_to_meal <= 0 {
            self.minutes_to_meal = self.dice.between(210, 330);
            self.meal_tenths = self.dice.between(500, 1_400);
        }
        // A meal is taken up within an hour, and what is above the fasting value goes within two.
        let taken_up = self.meal_tenths / 20;
        self.meal_tenths -= taken_up;
        let above = self.glucose_tenths - self.fasting_tenths;
        self.glucose_tenths += taken_up - above / 50 + self.dice.between(-4, 4);
        let is_due = self.minute % METER_MINUTES == 0;
        self.minute += 1;
        if is_due {
            self.prick(now_millis);
        }
        self.come_and_go();
        if !self.meter.is_away && !self.meter.stored.is_empty() {
            self.send_stored(now_millis, events);
        }
    }

    /// Measures a drop of blood, and keeps the result with the meter's time.
    fn prick(&mut self, now_millis: i64) {
        let number = (self.glucose_tenths + self.dice.between(-30, 30)) / 10;
        let mut measurement = measurement(Metric::GlucoseMass, number, 0, now_millis);
        measurement.device_time_millis = Some(self.meter.shows(now_millis));
        self.meter.stored.push(measurement);
    }

    fn come_and_go(&mut self) {
        if self.minute < self.meter.until_minute {
            return;
        }
        self.meter.is_away = !self.meter.is_away;
        let minutes = if self.meter.is_away {
            self.dice.between(12, 45)
        } else {
            self.meter.returns += 1;
            self.dice.between(60, 180)
        };
        self.meter.until_minute = self.minute + minutes;
    }

    /// The meter is in range: its clock first, as a host reads it, then what it keeps; then its clock is set.
    fn send_stored(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        events.push(self.meter.clock(now_millis));
        for mut stored in self.meter.stored.drain(..) {
            stored.host_time_millis = now_millis;
            events.push(Event::Measurement(stored));
        }
        if self.meter.returns == SETTING_RETURN && self.meter.ahead_millis != 0 {
            self.meter.ahead_millis = 0;
            events.push(self.meter.clock(now_millis));
        }
    }
}

impl Meter {
    /// What its clock shows, in whole seconds.
    fn shows(&self, now_millis: i64) -> i64 {
        (now_millis + self.ahead_millis).div_euclid(1_000) * 1_000
    }

    fn clock(&self, now_millis: i64) -> Event {
        Event::Clock(CoincidentTime {
            device_time_millis: self.shows(now_millis),
            host_time_millis: now_millis,
        })
    }
}

fn measurement(metric: Metric, mantissa: i64, exponent: i8, now_millis: i64) -> Measurement {
    let value = Value::Quantity { mantissa, exponent };
    let mut measurement = Measurement::new(metric, Some(value), Quality::Good, now_millis);
    measurement.simulated = true;
    measurement
}

fn measured(metric: Metric, mantissa: i64, exponent: i8, now_millis: i64) -> Event {
    Event::Measurement(measurement(metric, mantissa, exponent, now_millis))
}
