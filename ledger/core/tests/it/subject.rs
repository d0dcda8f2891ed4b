//! Goal: a subject's handle is the same to whoever has the secret and unlike any other; months begin when the
//! calendar says. Method: vectors made by Python's `hmac` and `datetime`, a calendar counted day by day as the
//! oracle, and properties.

use ledger_core::access::{Period, Purpose, erasure_handle, subject_handle};
use proptest::prelude::*;

const DAY_MILLIS: u64 = 86_400_000;

fn secret() -> [u8; 32] {
    std::array::from_fn(|at| at as u8)
}

#[test]
fn handles_are_those_of_the_formula() {
    let vectors = [
        (
            Purpose::Treatment,
            0,
            "e910e89817bf7a083b081d8722e5d99831d3bcd2b94336432a23fe2f537b906d",
        ),
        (
            Purpose::Treatment,
            1_793_491_200_000,
            "3c5a516e0d0837678fbb995f50ceb3552470ce0db2fdfb10c9b9cee2caea59c6",
        ),
        (
            Purpose::Treatment,
            1_796_083_200_000,
            "6903c3d20c71891f55daffcc20f4b0c4a1879e5d37cc858939c94c99bfb08e8e",
        ),
        (
            Purpose::Research,
            1_793_491_200_000,
            "8fe92f43d0a8a5b2fc2a8d59cd4abaeedb54cbcc46370a746696b4fdffad3c3d",
        ),
        (
            Purpose::PatientRequest,
            4_107_542_399_999,
            "a36fbdd43156a8217890d302fdb0a00df558552ff4cc1eea755eae0f027786f0",
        ),
    ];
    for (purpose, millis, expected) in vectors {
        let handle = subject_handle(&secret(), purpose, Period::at(millis));
        assert_eq!(handle.to_string(), expected, "{purpose:?} {millis}");
    }
}

#[test]
fn an_erasure_has_a_name_of_its_own() {
    let expected = "6d492dcd46472c29c60065c065d6eb6f965b592a29cbd6694ab273b5bef2abf5";
    assert_eq!(erasure_handle(&secret()).to_string(), expected);
}

#[test]
fn months_begin_when_the_calendar_says() {
    let (mut day, mut period) = (0_u64, Period::at(0));
    for year in 1970..2_420_u64 {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if is_leap { 29 } else { 28 };
        for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            let begin = day * DAY_MILLIS;
            assert_eq!(period.begin_millis(), begin, "{year}");
            assert_eq!(Period::at(begin), period, "{year}");
            day += days;
            assert_eq!(Period::at(day * DAY_MILLIS - 1), period, "{year}");
            period = period.next();
        }
    }
    let (late, last) = (Period::at(u64::MAX / 2), Period::at(u64::MAX));
    assert!(late < last && last.begin_millis() > late.begin_millis());
}

proptest! {
    #[test]
    fn no_two_handles_are_alike(one: ([u8; 32], u64), other: ([u8; 32], u64), moment in 0..4_107_542_400_000_u64) {
        let at = |(secret, millis): ([u8; 32], u64), purpose| subject_handle(&secret, purpose, Period::at(millis));
        let mut seen = std::collections::BTreeSet::new();
        for purpose in Purpose::ALL {
            // The same patient in two months, and another one.
            let period = Period::at(moment);
            prop_assert!(seen.insert(subject_handle(&one.0, *purpose, period)));
            prop_assert!(seen.insert(subject_handle(&one.0, *purpose, period.next())));
            if one.0 != other.0 {
                prop_assert!(seen.insert(subject_handle(&other.0, *purpose, period)));
            }
            let (own, others) = (at(one, *purpose), at(other, *purpose));
            let is_one = one.0 == other.0 && Period::at(one.1) == Period::at(other.1);
            prop_assert_eq!(own == others, is_one);
        }
    }
}
