//! When a reading was taken, by this host's clock: its device's time, put right by what both clocks showed.
//!
//! ```text
//! settings      ├─ first ─┤ until      ├─ second ─┤ until        of the device's clock, by this host's
//! count for  ───────────────┤──────────────────────┤────────…    each back to the one before, the last onwards
//! ```
//!
//! The rule is that of [`CoincidentTime`](device_drivers::event::CoincidentTime): host time = device time +
//! distance, by the first coincident time after the reading was taken. Which one that is follows from the result:
//! a setting counts for what it places between the last sight of the setting before it and its own, and not
//! after the receipt. Where two settings fit, a clock was set back, and the later time holds: a device sends what
//! it has when it is next connected, so what was taken long ago came long ago. Where none fits, the clock was set
//! while nobody looked, and the reading stays where its device put it.
//!
//! Nothing is stored: a reading is placed when it is read, and its sealed record never changes.

use crate::vault::clocks::Setting;

/// Device clocks show whole seconds, and two such times are compared.
const SLACK_MILLIS: i64 = 2_000;

/// The moment by this host's clock of a reading with `device_time` that was received at `received`; `None` if no
/// setting of the device's clock fits. `settings` in the order they came; all times in milliseconds
/// since 1970.
#[must_use]
pub fn place(device_time: i64, received: i64, settings: &[Setting]) -> Option<i64> {
    let earlier = std::iter::once(i64::MIN).chain(settings.iter().map(|setting| setting.until));
    let last = settings.last();
    let placed = settings
        .iter()
        .zip(earlier)
        .filter_map(|(setting, before)| {
            let taken = device_time.saturating_add(setting.distance());
            let is_after = taken > before.saturating_sub(SLACK_MILLIS);
            let is_before = taken <= setting.until.saturating_add(SLACK_MILLIS);
            let is_heard = taken <= received.saturating_add(SLACK_MILLIS);
            let fits = is_after && is_heard && (is_before || last == Some(setting));
            fits.then_some(taken.min(received))
        });
    placed.max()
}

#[cfg(test)]
mod tests {
    //! Goal: a reading is placed by the setting it was taken under, or not at all. Method: a table of histories
    //! of a clock, written down as a person would tell them; any numbers never break it.

    use super::*;
    use proptest::prelude::*;

    const fn setting(host_time: i64, device_time: i64, until: i64) -> Setting {
        Setting {
            host_time,
            device_time,
            until,
        }
    }

    /// Seconds, for the table.
    fn check(
        what: &str,
        settings: &[(i64, i64, i64)],
        (device, received): (i64, i64),
        taken: Option<i64>,
    ) {
        let millis = |seconds: i64| seconds * 1_000;
        let settings: Vec<Setting> = settings
            .iter()
            .map(|of| setting(millis(of.0), millis(of.1), millis(of.2)))
            .collect();
        let placed = place(millis(device), millis(received), &settings);
        assert_eq!(placed, taken.map(millis), "{what}");
    }

    #[test]
    fn a_reading_is_placed_by_the_setting_it_was_taken_under() {
        check("no clock seen yet", &[], (100, 500), None);

        // An hour slow, and never set.
        let slow = [(10_000, 6_400, 20_000)];
        check("stored before", &slow, (5_000, 10_002), Some(8_600));
        check("between two sights", &slow, (8_400, 20_002), Some(12_000));
        check("after the last", &slow, (26_400, 30_000), Some(30_000));
        check("in the future", &slow, (26_500, 30_000), None);
        check("a second late", &slow, (26_401, 30_000), Some(30_000));

        // Set forward by an hour at 10 000: the old setting is read first, then the new one.
        let forward = [(10_000, 6_400, 10_000), (10_001, 10_001, 20_000)];
        check("stored, old", &forward, (5_000, 10_003), Some(8_600));
        check("new", &forward, (15_000, 20_003), Some(15_000));
        check("new, live", &forward, (10_060, 10_060), Some(10_060));

        // Set back by an hour at 10 000.
        let back = [(10_000, 13_600, 10_000), (10_001, 10_001, 20_000)];
        check("stored, old", &back, (13_000, 10_003), Some(9_400));
        check("the same time again", &back, (13_000, 13_001), Some(13_000));
        check("stored, old, early", &back, (9_000, 10_003), Some(5_400));

        // Set several times, each seen before and after.
        let several = [
            (10_000, 0, 10_000),
            (10_001, 10_001, 30_000),
            (30_001, 90_001, 40_000),
        ];
        check("under the first", &several, (-500, 10_002), Some(9_500));
        check("the second", &several, (25_000, 30_005), Some(25_000));
        check("the third", &several, (95_000, 40_002), Some(35_000));
        check("the third, on", &several, (110_001, 50_001), Some(50_001));

        // Set while nobody looked: at 12 000, from right to an hour fast.
        let unseen = [(10_000, 10_000, 10_000), (20_000, 23_600, 20_000)];
        check("before it was set", &unseen, (11_000, 20_002), None);
        check("after", &unseen, (18_600, 20_002), Some(15_000));
    }

    proptest! {
        #[test]
        fn nothing_is_placed_after_its_receipt(
            device: i64,
            received: i64,
            times in proptest::collection::vec(any::<(i64, i64, i64)>(), 0..8),
        ) {
            let settings: Vec<Setting> = times.iter().map(|of| setting(of.0, of.1, of.2)).collect();
            let placed = place(device, received, &settings);
            prop_assert!(placed.is_none_or(|placed| placed <= received));
        }
    }
}
