//! Goal: the context of a glucose measurement is decoded in all its fields, and nothing of it is
//! measured or told. Method: each set of flags with fields whose bytes differ.

use crate::NOW;
use device_drivers::gatt::glucose_context::{
    Carbohydrate, Health, Meal, Medication, MedicationUnit, Tester,
};
use device_drivers::gatt::{DecodeError, Gatt, GlucoseContext, uuid};

/// A context with these flags, written from the specification, and where each field should be found.
fn context(flags: u8) -> Vec<u8> {
    let mut value = vec![flags, 0x07, 0x01];
    let fields: [(u8, &[u8]); 7] = [
        (0x80, &[0x00]),
        (0x01, &[0x02, 0x3c, 0xd0]),
        (0x02, &[0x03]),
        (0x04, &[0x52]),
        (0x08, &[0x08, 0x07, 0x41]),
        (0x10, &[0x04, 0x0f, 0xa0]),
        (0x40, &[0x41, 0xf0]),
    ];
    for (bit, field) in fields {
        if flags & bit != 0 {
            value.extend(field);
        }
    }
    value
}

#[test]
fn every_set_of_flags_finds_its_fields() {
    for flags in 0..=u8::MAX {
        let value = context(flags);
        let decoded = GlucoseContext::decode(&value).unwrap();
        let has = |bit: u8| flags & bit != 0;
        assert_eq!(decoded.sequence, 0x0107);
        assert_eq!(decoded.extended_flags, has(0x80).then_some(0));
        let carbohydrate = decoded
            .carbohydrate
            .map(|(what, mass)| (what, mass.number()));
        let lunch = (Carbohydrate::Lunch, Some((60, -3)));
        assert!(carbohydrate == has(0x01).then_some(lunch), "{flags:02x}");
        assert!(decoded.meal == has(0x02).then_some(Meal::Fasting));
        let tester_health = (Tester::Professional, Health::NoIssues);
        assert!(decoded.tester_health == has(0x04).then_some(tester_health));
        assert_eq!(decoded.exercise, has(0x08).then_some((1_800, 65)));
        let unit = if has(0x20) {
            MedicationUnit::Litres
        } else {
            MedicationUnit::Kilograms
        };
        let medication = decoded
            .medication
            .map(|(what, amount, unit)| (what, amount.number(), unit));
        let insulin = (Medication::LongInsulin, Some((15, -6)), unit);
        assert!(medication == has(0x10).then_some(insulin), "{flags:02x}");
        let hba1c = decoded.hba1c.and_then(|percent| percent.number());
        assert_eq!(hba1c, has(0x40).then_some((65, -1)));
        assert_eq!(format!("{decoded:?}"), "GlucoseContext(…)");
        for length in 0..value.len() {
            let cut = GlucoseContext::decode(&value[..length]);
            assert!(matches!(cut, Err(DecodeError::TooShort(_))), "{flags:02x}");
        }
        let mut long = value.clone();
        long.push(0);
        assert_eq!(
            GlucoseContext::decode(&long).err(),
            Some(DecodeError::TooLong(1))
        );
    }
}

#[test]
fn reserved_values_are_kept_apart() {
    for number in 0..=u8::MAX {
        let value = [0x13, 1, 0, number, 0, 0, number, number, 0, 0];
        let decoded = GlucoseContext::decode(&value).unwrap();
        let (carbohydrate, _) = decoded.carbohydrate.unwrap();
        let (medication, ..) = decoded.medication.unwrap();
        assert_eq!(
            carbohydrate == Carbohydrate::Reserved(number),
            !(1..=7).contains(&number)
        );
        assert_eq!(
            decoded.meal == Some(Meal::Reserved(number)),
            !(1..=5).contains(&number)
        );
        assert_eq!(
            medication == Medication::Reserved(number),
            !(1..=5).contains(&number)
        );
    }
    for nibble in 0..16u8 {
        let decoded = GlucoseContext::decode(&[0x04, 1, 0, nibble | nibble << 4]).unwrap();
        let (tester, health) = decoded.tester_health.unwrap();
        let is_tester = [1, 2, 3, 15].contains(&nibble);
        let is_health = [1, 2, 3, 4, 5, 15].contains(&nibble);
        assert_eq!(tester == Tester::Reserved(nibble), !is_tester);
        assert_eq!(health == Health::Reserved(nibble), !is_health);
    }
}

#[test]
fn a_context_measures_nothing() {
    let (mut gatt, mut events) = (Gatt::new(), Vec::new());
    gatt.push(
        uuid::GLUCOSE_MEASUREMENT_CONTEXT,
        &context(0x5f),
        NOW,
        &mut events,
    );
    assert!(events.is_empty());
    assert_eq!(gatt.frames(), 1);
}
