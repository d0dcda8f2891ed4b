//! Goal: what a device sends is decoded field by field; what is cut short, too long or reserved is told
//! apart; nothing of it reaches a log. Method: any record is encoded by an encoder of these tests and
//! decoded, whole, at every shorter length, and longer.

use crate::NOW;
use crate::gatt_records::{Record, date_time, record};
use device_drivers::gatt::{CurrentTime, DateTime, DecodeError, Gatt, uuid};
use device_drivers::{Event, Value};
use proptest::prelude::*;

/// Whether a record has a list at its end, so that some shorter values are whole, too.
fn is_open_ended(record: &Record) -> bool {
    matches!(record, Record::HeartRate(measurement) if !measurement.rr_ticks.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_record_is_decoded_as_it_was_sent(record in record(), reserved in any::<u16>()) {
        let decoded = record.decode_same(&record.encode(reserved));
        prop_assert!(decoded == Ok(record));
    }

    #[test]
    fn a_value_cut_anywhere_is_too_short(record in record(), reserved in any::<u16>()) {
        let value = record.encode(reserved);
        for length in 0..value.len() {
            match record.decode_same(&value[..length]) {
                Err(DecodeError::TooShort(_)) => {}
                Ok(_) if is_open_ended(&record) => {}
                other => prop_assert!(false, "{length} of {}: {other:?}", value.len()),
            }
        }
    }

    #[test]
    fn bytes_too_many_are_refused_unless_a_reserved_flag_announces_them(
        record in record(),
        more in proptest::collection::vec(any::<u8>(), 1..4),
    ) {
        prop_assume!(!is_open_ended(&record));
        let plain = record.encode(0);
        let refused = Err(DecodeError::TooLong(more.len()));
        prop_assert_eq!(record.decode_same(&[&plain[..], &more].concat()), refused.clone());
        let mut reserved_flags = 0;
        for bit in 0..16 {
            let value = record.encode(1 << bit);
            let decoded = record.decode_same(&[&value[..], &more].concat());
            if value == plain {
                prop_assert_eq!(decoded, refused.clone());
            } else {
                prop_assert!(decoded.as_ref() == Ok(&record));
                reserved_flags += 1;
            }
        }
        prop_assert!((3..=5).contains(&reserved_flags));
    }

    #[test]
    fn a_log_tells_no_content(record in record()) {
        let told = record.debug();
        let (_, content) = told.split_once('(').unwrap();
        prop_assert_eq!(content, "…)");
        let mut events = Vec::new();
        Gatt::new().push(record.characteristic(), &record.encode(0), NOW, &mut events);
        for event in &events {
            if let Event::Measurement(measured) = event {
                let told = format!("{:?}", measured.value);
                prop_assert!(["Quantity(…)", "Absent"].contains(&told.as_str()));
                prop_assert_eq!(measured.value.is_absent(), !measured.quality.has_value());
            }
        }
    }

    #[test]
    fn a_date_comes_back(time in date_time()) {
        prop_assert_eq!(DateTime::decode(&time.encode()), Ok(time));
        if let Some(millis) = time.millis() {
            prop_assert_eq!(DateTime::from_millis(millis), time);
        }
    }

    #[test]
    fn a_clock_that_is_set_shows_the_moment(millis in -12_000_000_000_000i64..250_000_000_000_000) {
        let set = CurrentTime::from_millis(millis);
        let shown = CurrentTime::decode(&set.encode()).unwrap();
        prop_assert_eq!(shown, set);
        let late = millis - shown.millis().unwrap();
        // A clock of 1/256 s is at most that much behind, rounded to milliseconds.
        prop_assert!((0..=4).contains(&late), "{late} ms");
    }
}

/// The only number measured.
fn number(characteristic: u16, value: &[u8]) -> Option<(i128, i32)> {
    let mut events = Vec::new();
    Gatt::new().push(characteristic, value, NOW, &mut events);
    match events.first() {
        Some(Event::Measurement(measured)) => match measured.value {
            Value::Quantity { mantissa, exponent } => {
                Some((i128::from(mantissa), i32::from(exponent)))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether `numerator / denominator` is less than half a step of 10^`exponent` away from
/// `mantissa` × 10^`exponent`, all scaled by 10^`scale`.
fn rounds_to(
    (numerator, denominator): (i128, i128),
    mantissa: i128,
    exponent: i32,
    scale: i32,
) -> bool {
    let step = 10i128.pow(u32::try_from(exponent + scale).unwrap());
    2 * (numerator - mantissa * step * denominator).abs() < step * denominator
}

proptest! {
    /// From the rounded °C, (°C × 9/5) + 32 rounds to the very °F that was sent.
    #[test]
    fn fahrenheit_can_be_computed_back(tenths in 320i32..=2_120, exponent in -4i8..=1) {
        let mantissa = if exponent == 1 {
            tenths / 100
        } else {
            tenths * 10i32.pow(u32::try_from(-exponent).unwrap()) / 10
        };
        prop_assume!(i128::from(mantissa) * 10i128.pow(u32::try_from(exponent + 4).unwrap()) >= 320_000);
        let mut value = vec![0x01];
        value.extend(&mantissa.to_le_bytes()[..3]);
        value.push(exponent.cast_unsigned());
        let (celsius, power) = number(uuid::TEMPERATURE_MEASUREMENT, &value).unwrap();
        prop_assert_eq!(power, i32::from(exponent.min(0)) - 1);
        let fahrenheit = celsius * 9 + 160 * 10i128.pow(u32::try_from(-power).unwrap());
        prop_assert!(rounds_to((fahrenheit, 5), i128::from(mantissa), i32::from(exponent), -power));
    }

    /// From the rounded mmHg, mmHg × 133.322 Pa rounds to the very kPa that was sent.
    #[test]
    fn kilopascals_can_be_computed_back(mantissa in 0u16..=600, exponent in -3i8..=0) {
        prop_assume!(exponent < 0 || mantissa <= 66);
        let sfloat = mantissa | u16::from(exponent.cast_unsigned() & 0x0f) << 12;
        let mut value = vec![0x01];
        value.extend(sfloat.to_le_bytes().repeat(3));
        let (mmhg, power) = number(uuid::BLOOD_PRESSURE_MEASUREMENT, &value).unwrap();
        prop_assert_eq!(power, i32::from(exponent) - 1);
        let kilopascals = (mmhg * 133_322, 1_000_000);
        prop_assert!(rounds_to(kilopascals, i128::from(mantissa), i32::from(exponent), -power));
    }
}

/// Every day from 1582 to 9999, counted one by one: no formula shared with the code.
#[test]
fn the_calendar_is_gregorian() {
    let is_leap = |year: u16| {
        (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
    };
    // 1582-01-01 was a Friday and lies 141,714 days before 1970 (Gregorian throughout).
    let (mut day, mut weekday) = (-141_714i64, 5u8);
    for year in 1582..=9999u16 {
        for month in 1..=12u8 {
            let last = match month {
                2 => 28 + u8::from(is_leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            for date in 1..=last {
                let time = DateTime {
                    year,
                    month,
                    day: date,
                    hours: 0,
                    minutes: 0,
                    seconds: 0,
                };
                assert_eq!(
                    time.millis(),
                    Some(day * 86_400_000),
                    "{year}-{month}-{date}"
                );
                assert_eq!(time.day_of_week(), weekday, "{year}-{month}-{date}");
                day += 1;
                weekday = weekday % 7 + 1;
            }
            let beyond = [year as u8, (year >> 8) as u8, month, last + 1, 0, 0, 0];
            assert!(
                DateTime::decode(&beyond).is_err(),
                "{year}-{month}-{}",
                last + 1
            );
        }
    }
    assert_eq!(DateTime::from_millis(0).year, 1970);
    assert_eq!(day, 2_932_897, "days from 1970 to the end of 9999");
}

#[test]
fn times_that_do_not_exist_are_refused() {
    let good = [0xe4, 0x07, 2, 29, 23, 59, 59];
    assert!(DateTime::decode(&good).is_ok(), "2020-02-29");
    let table: [(usize, u8); 6] = [(2, 13), (3, 30), (4, 24), (5, 60), (6, 60), (1, 0x01)];
    for (place, byte) in table {
        let mut value = good;
        value[place] = byte;
        assert_eq!(
            DateTime::decode(&value),
            Err(DecodeError::Invalid("date and time")),
            "{value:02x?}"
        );
    }
    for unknown in [
        [0, 0, 2, 29, 1, 2, 3],
        [0xe4, 0x07, 0, 31, 1, 2, 3],
        [0xe4, 0x07, 2, 0, 1, 2, 3],
    ] {
        assert_eq!(DateTime::decode(&unknown).unwrap().millis(), None);
    }
}
