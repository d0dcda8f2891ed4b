//! Decimals of the bedside: conversion of units without binary fractions.
//!
//! A pound, an inch and 1/1,024 s are exact decimals of kilograms, centimetres and milliseconds, so
//! those conversions lose nothing. A degree Fahrenheit and a kilopascal are not: they are rounded to the
//! nearest at one decimal more than the device sent, which is fine enough to compute back the very
//! number it showed. Glucose is left in the unit it was measured in (see
//! [`Metric::GlucoseMolar`](crate::Metric::GlucoseMolar)): there is no agreed molar mass to convert by.

use crate::measurement::Value;
use core::cmp::Ordering;

/// Powers of ten that are taken for a measurement; a medical float can say 10^127.
const EXPONENTS: core::ops::RangeInclusive<i8> = -12..=12;

/// `mantissa × 10^exponent`, with an exponent of −12 to 12.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    mantissa: i64,
    exponent: i8,
}

impl Decimal {
    /// The decimal, if its exponent is one that is taken.
    pub(crate) fn new(mantissa: i64, exponent: i8) -> Option<Decimal> {
        EXPONENTS
            .contains(&exponent)
            .then_some(Decimal { mantissa, exponent })
    }

    pub(crate) const fn whole(number: i64) -> Decimal {
        Decimal {
            mantissa: number,
            exponent: 0,
        }
    }

    pub(crate) const fn value(self) -> Value {
        Value::Quantity {
            mantissa: self.mantissa,
            exponent: self.exponent,
        }
    }

    pub(crate) const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Compares with a whole number.
    pub(crate) fn cmp_whole(self, number: i64) -> Ordering {
        let (own, other) = (i128::from(self.mantissa), i128::from(number));
        let power = 10i128.pow(u32::from(self.exponent.unsigned_abs()));
        if self.exponent < 0 {
            own.cmp(&(other * power))
        } else {
            (own * power).cmp(&other)
        }
    }

    /// Kilograms of a weight in steps of 0.01 lb; a pound is 0.45359237 kg exactly.
    pub(crate) fn kilograms_of_centipounds(steps: u16) -> Decimal {
        Decimal {
            mantissa: i64::from(steps) * 45_359_237,
            exponent: -10,
        }
        .shortest()
    }

    /// Centimetres of a length in steps of 0.1 in; an inch is 2.54 cm exactly.
    pub(crate) fn centimetres_of_tenth_inches(steps: u16) -> Decimal {
        Decimal {
            mantissa: i64::from(steps) * 254,
            exponent: -3,
        }
        .shortest()
    }

    /// Milliseconds of a time in steps of 1/1,024 s: a step is 0.9765625 ms exactly.
    pub(crate) fn millis_of_ticks(steps: u16) -> Decimal {
        Decimal {
            mantissa: i64::from(steps) * 9_765_625,
            exponent: -7,
        }
        .shortest()
    }

    /// Degrees Celsius of degrees Fahrenheit: (F − 32) × 5/9, rounded.
    pub(crate) fn celsius_of_fahrenheit(self) -> Option<Decimal> {
        let (mantissa, exponent) = self.without_power();
        let freezing = 32 * 10i128.pow(u32::from(exponent.unsigned_abs()));
        rounded((mantissa - freezing) * 5, 9, exponent)
    }

    /// Millimetres of mercury of kilopascals: 1 mm\[Hg\] is 133.322 Pa in UCUM. Rounded.
    pub(crate) fn mmhg_of_kilopascals(self) -> Option<Decimal> {
        let (mantissa, exponent) = self.without_power();
        rounded(mantissa * 1_000_000, 133_322, exponent)
    }

    /// The same number with an exponent of at most 0.
    fn without_power(self) -> (i128, i8) {
        let power = 10i128.pow(u32::from(self.exponent.max(0).unsigned_abs()));
        (i128::from(self.mantissa) * power, self.exponent.min(0))
    }

    /// The same number without zeros behind the last decimal.
    fn shortest(mut self) -> Decimal {
        while self.exponent < 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self
    }
}

/// `numerator / denominator × 10^exponent` at one decimal more, to the nearest; `None` if it is too
/// long. There are no ties: the tenfold numerator is even, and no odd multiple of half a denominator is.
fn rounded(numerator: i128, denominator: i128, exponent: i8) -> Option<Decimal> {
    let tenfold = numerator.checked_mul(10)?;
    let rest = tenfold.rem_euclid(denominator);
    let up = i128::from(2 * rest > denominator);
    let nearest = tenfold.div_euclid(denominator) + up;
    Decimal::new(i64::try_from(nearest).ok()?, exponent - 1)
}
