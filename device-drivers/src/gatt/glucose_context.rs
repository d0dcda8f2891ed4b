//! Glucose Service 1.0.1: Glucose Measurement Context 2A34, what was going on around a measurement
//! (GATT Specification Supplement, "Glucose Measurement Context").
//!
//! ```text
//! 2A34   flags · sequence number u16 · [extended flags u8] · [carbohydrate id u8 · carbohydrate SFLOAT]
//!        · [meal u8] · [tester and health u8] · [exercise duration u16 · intensity u8]
//!        · [medication id u8 · medication SFLOAT] · [HbA1c SFLOAT]
//! flags  bit 0  carbohydrate   bit 1  meal   bit 2  tester and health   bit 3  exercise
//!        bit 4  medication     bit 5  medication in litres, not kilograms
//!        bit 6  HbA1c          bit 7  extended flags
//! ```
//!
//! All bits of the extended flags are reserved. A user types a context in; nothing of it is measured,
//! so no measurement is made of it.

use crate::gatt::Float;
use crate::gatt::reader::{DecodeError, Reader, optional, redacted};

const CARBOHYDRATE: u8 = 0x01;
const MEAL: u8 = 0x02;
const TESTER_HEALTH: u8 = 0x04;
const EXERCISE: u8 = 0x08;
const MEDICATION: u8 = 0x10;
const LITRES: u8 = 0x20;
const HBA1C: u8 = 0x40;
const EXTENDED: u8 = 0x80;

/// An enumeration of one byte or nibble, in which every other number is kept for later.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A value kept for later.
            Reserved(u8),
        }

        redacted!($name);

        impl $name {
            const fn of(number: u8) -> $name {
                match number {
                    $($number => $name::$variant,)+
                    reserved => $name::Reserved(reserved),
                }
            }
        }
    };
}

numbered! {
    /// What was eaten (Carbohydrate ID).
    Carbohydrate {
        /// Breakfast.
        Breakfast = 1,
        /// Lunch.
        Lunch = 2,
        /// Dinner.
        Dinner = 3,
        /// Snack.
        Snack = 4,
        /// Drink.
        Drink = 5,
        /// Supper.
        Supper = 6,
        /// Brunch.
        Brunch = 7,
    }
}

numbered! {
    /// How a measurement lies to a meal.
    Meal {
        /// Before a meal.
        Preprandial = 1,
        /// After a meal.
        Postprandial = 2,
        /// Fasting.
        Fasting = 3,
        /// Casual: snacks, drinks.
        Casual = 4,
        /// Bedtime.
        Bedtime = 5,
    }
}

numbered! {
    /// Who tested.
    Tester {
        /// The person.
        Oneself = 1,
        /// A health care professional.
        Professional = 2,
        /// A laboratory.
        Laboratory = 3,
        /// Not available.
        NotAvailable = 15,
    }
}

numbered! {
    /// The person's health.
    Health {
        /// Minor issues.
        MinorIssues = 1,
        /// Major issues.
        MajorIssues = 2,
        /// During menses.
        Menses = 3,
        /// Under stress.
        Stress = 4,
        /// No issues.
        NoIssues = 5,
        /// Not available.
        NotAvailable = 15,
    }
}

numbered! {
    /// What was taken.
    Medication {
        /// Rapid acting insulin.
        RapidInsulin = 1,
        /// Short acting insulin.
        ShortInsulin = 2,
        /// Intermediate acting insulin.
        IntermediateInsulin = 3,
        /// Long acting insulin.
        LongInsulin = 4,
        /// Pre-mixed insulin.
        PremixedInsulin = 5,
    }
}

/// A unit of medication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MedicationUnit {
    /// kg.
    Kilograms,
    /// L.
    Litres,
}

/// Glucose Measurement Context 2A34.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GlucoseContext {
    /// The number of the measurement it belongs to.
    pub sequence: u16,
    /// The reserved flags of the second byte of flags.
    pub extended_flags: Option<u8>,
    /// What was eaten, and its carbohydrates in kg.
    pub carbohydrate: Option<(Carbohydrate, Float)>,
    /// How it lies to a meal.
    pub meal: Option<Meal>,
    /// Who tested, and the person's health.
    pub tester_health: Option<(Tester, Health)>,
    /// Seconds of exercise (65,535: longer than can be said) and its intensity in percent.
    pub exercise: Option<(u16, u8)>,
    /// What was taken, how much, and in which unit.
    pub medication: Option<(Medication, Float, MedicationUnit)>,
    /// HbA1c, in percent.
    pub hba1c: Option<Float>,
}

redacted!(GlucoseContext);

impl GlucoseContext {
    /// Decodes 2A34.
    ///
    /// # Errors
    /// The value ends early, or bytes follow that no flag announces.
    pub fn decode(value: &[u8]) -> Result<GlucoseContext, DecodeError> {
        let mut reader = Reader::new(value);
        let flags = reader.u8("flags")?;
        let sequence = reader.u16("sequence number")?;
        let extended_flags = optional!(flags, EXTENDED, reader.u8("extended flags")?);
        let carbohydrate = optional!(flags, CARBOHYDRATE, {
            let what = Carbohydrate::of(reader.u8("carbohydrate id")?);
            (what, reader.sfloat("carbohydrate")?)
        });
        let meal = optional!(flags, MEAL, Meal::of(reader.u8("meal")?));
        let tester_health = optional!(flags, TESTER_HEALTH, {
            let nibbles = reader.u8("tester and health")?;
            (Tester::of(nibbles & 0x0f), Health::of(nibbles >> 4))
        });
        let exercise = optional!(flags, EXERCISE, {
            let seconds = reader.u16("exercise duration")?;
            (seconds, reader.u8("exercise intensity")?)
        });
        let medication = optional!(flags, MEDICATION, {
            let what = Medication::of(reader.u8("medication id")?);
            let unit = if flags & LITRES == 0 {
                MedicationUnit::Kilograms
            } else {
                MedicationUnit::Litres
            };
            (what, reader.sfloat("medication")?, unit)
        });
        let hba1c = optional!(flags, HBA1C, reader.sfloat("HbA1c")?);
        reader.end(u32::from(extended_flags.unwrap_or(0)))?;
        Ok(GlucoseContext {
            sequence,
            extended_flags,
            carbohydrate,
            meal,
            tester_health,
            exercise,
            medication,
            hba1c,
        })
    }
}
