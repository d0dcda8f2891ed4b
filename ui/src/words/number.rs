//! Numbers, sizes, ages and times, for people.

/// Narrow no-break space: parts thousands, and a number from its unit.
pub const NARROW: char = '\u{202f}';

/// A whole number, its thousands parted.
#[must_use]
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(NARROW);
        }
        out.push(digit);
    }
    out
}

/// A number with its noun: `1 device`, `3 devices`.
#[must_use]
pub fn count(value: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        thousands(value),
        if value == 1 { one } else { many }
    )
}

/// A small number as a word, for a sentence; digits above twelve.
#[must_use]
pub fn spelled(value: u64) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    usize::try_from(value)
        .ok()
        .and_then(|place| WORDS.get(place))
        .map_or_else(|| thousands(value), |word| (*word).to_owned())
}

/// The sentence with a capital first letter.
#[must_use]
pub fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// A size in bytes, decimal: `912 B`, `18.4 GB`.
#[must_use]
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut size = value as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or("TB");
    if unit == 0 || size >= 99.95 {
        format!("{size:.0} {name}")
    } else {
        format!("{size:.1} {name}")
    }
}

/// How long ago, in whole steps: `1 s`, `6 min`, `3 h`, `12 d`.
#[must_use]
pub fn age(now_millis: i64, then_millis: i64) -> String {
    let seconds = now_millis.saturating_sub(then_millis).max(0) / 1000;
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=5_399 => format!("{} min", (seconds + 30) / 60),
        5_400..=172_799 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} d", (seconds + 43_200) / 86_400),
    }
}

/// A span as `m:ss`, or `h:mm:ss` from an hour on.
#[must_use]
pub fn span(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("{minutes}:{rest:02}")
    }
}

/// Time of day with seconds, `offset_minutes` east of UTC.
#[must_use]
pub fn clock(millis: i64, offset_minutes: i32) -> String {
    let seconds = millis.div_euclid(1000) + i64::from(offset_minutes) * 60;
    let of_day = seconds.rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Time of day in minutes, `offset_minutes` east of UTC.
#[must_use]
pub fn clock_minutes(millis: i64, offset_minutes: i32) -> String {
    clock(millis, offset_minutes).chars().take(5).collect()
}

/// Weekday, day and month, `offset_minutes` east of UTC: `Tuesday 14 April`.
#[must_use]
pub fn date(millis: i64, offset_minutes: i32) -> String {
    const DAYS: [&str; 7] = [
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
    ];
    let days = days(millis, offset_minutes);
    let (_, month, day) = civil(days);
    let weekday = DAYS
        .get(usize::try_from(days.rem_euclid(7)).unwrap_or(0))
        .copied()
        .unwrap_or_default();
    let month = MONTHS.get(month).copied().unwrap_or_default();
    format!("{weekday} {day} {month}")
}

/// Day, month and year, `offset_minutes` east of UTC, of what may be years away: `14 April 2027`.
#[must_use]
pub fn day_of_year(millis: i64, offset_minutes: i32) -> String {
    let (year, month, day) = civil(days(millis, offset_minutes));
    let month = MONTHS.get(month).copied().unwrap_or_default();
    format!("{day} {month} {year}")
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Days since 1970, `offset_minutes` east of UTC.
fn days(millis: i64, offset_minutes: i32) -> i64 {
    (millis.div_euclid(1000) + i64::from(offset_minutes) * 60).div_euclid(86_400)
}

/// Year, month (0 = January) and day of a day since 1970, after H. Hinnant's "civil from days".
fn civil(days: i64) -> (i64, usize, i64) {
    let era = (days + 719_468).div_euclid(146_097);
    let day_of_era = (days + 719_468).rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12;
    // The year of this calculation begins in March.
    let year = era * 400 + year_of_era + i64::from(month < 2);
    (year, usize::try_from(month).unwrap_or(0), day)
}

/// Milliseconds with three figures or so: `0.8 ms`, `12 ms`, `1.9 s`.
#[must_use]
pub fn duration(millis: f64) -> String {
    if millis < 9.95 {
        format!("{millis:.1} ms")
    } else if millis < 999.5 {
        format!("{millis:.0} ms")
    } else {
        format!("{:.1} s", millis / 1000.0)
    }
}

/// A rate a second: at most one decimal below ten.
#[must_use]
pub fn rate(value: f64) -> String {
    if value <= 0.0 {
        "0".to_owned()
    } else if value < 9.95 {
        let text = format!("{value:.1}");
        text.strip_suffix(".0")
            .map_or_else(|| text.clone(), str::to_owned)
    } else {
        thousands(value.round() as u64)
    }
}

/// A rate with its span: a second, or an hour of what comes now and then.
#[must_use]
pub fn paced(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 0.05 {
        format!("{} an hour", rate(per_second * 3600.0))
    } else {
        format!("{} a second", rate(per_second))
    }
}

/// A hash or key, cut in the middle: `7f2c91d0…0c7741ab`.
#[must_use]
pub fn short_hash(hash: &str) -> String {
    let chars: Vec<char> = hash.chars().collect();
    match (
        chars.get(..8),
        chars
            .len()
            .checked_sub(8)
            .and_then(|from| chars.get(from..)),
    ) {
        (Some(head), Some(tail)) if chars.len() > 18 => {
            head.iter().chain(&['…']).chain(tail).collect()
        }
        _ => hash.to_owned(),
    }
}

/// A UCUM unit as it is written at the bedside.
#[must_use]
pub fn unit(ucum: &str) -> &str {
    match ucum {
        "/min" | "{beats}/min" => "/min",
        "Cel" => "°C",
        "mm[Hg]" => "mmHg",
        "kg/m2" => "kg/m²",
        "1" => "",
        other => other,
    }
}

/// Splits a name so that those with numbers sort by them: `Bed 2` comes before `Bed 10`.
#[must_use]
pub fn natural(name: &str) -> (String, u64, String) {
    let digits = name
        .find(|letter: char| letter.is_ascii_digit())
        .unwrap_or(name.len());
    let (head, rest) = name.split_at(digits);
    let end = rest
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(rest.len());
    let (number, tail) = rest.split_at(end);
    (
        head.to_lowercase(),
        number.parse().unwrap_or(0),
        tail.to_lowercase(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thousands are parted by U+202F, from the right.
    #[test]
    fn thousands_are_parted() {
        for (value, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (48_213_007, "48\u{202f}213\u{202f}007"),
        ] {
            assert_eq!(thousands(value), expected);
        }
        assert_eq!(count(1, "device", "devices"), "1 device");
        assert_eq!(count(2_000, "device", "devices"), "2\u{202f}000 devices");
    }

    /// Ages change their step where the next one says enough; the future is now.
    #[test]
    fn ages_take_the_step_that_says_enough() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (1, "1 s"),
            (89, "89 s"),
            (90, "2 min"),
            (360, "6 min"),
            (5_400, "2 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(age(seconds * 1000, 0), expected);
        }
    }

    /// Sizes never show a four-digit number.
    #[test]
    fn sizes_have_three_figures() {
        for (value, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_600, "1.0 MB"),
            (18_400_000_000, "18.4 GB"),
            (123_456, "123 kB"),
        ] {
            assert_eq!(bytes(value), expected);
        }
    }

    /// Time of day and date, also west of UTC and before 1970.
    #[test]
    fn times_follow_the_offset() {
        assert_eq!(clock(0, 0), "00:00:00");
        assert_eq!(clock(-1_000, 60), "00:59:59");
        assert_eq!(clock_minutes(1_776_175_343_000, 0), "14:02");
        assert_eq!(date(1_776_175_343_000, 0), "Tuesday 14 April");
        assert_eq!(date(0, -60), "Wednesday 31 December");
        assert_eq!(date(951_782_400_000, 0), "Tuesday 29 February");
        assert_eq!(day_of_year(1_776_175_343_000, 0), "14 April 2026");
        assert_eq!(day_of_year(0, -60), "31 December 1969");
        assert_eq!(day_of_year(951_782_400_000, 0), "29 February 2000");
    }

    /// Durations and rates keep about three figures.
    #[test]
    fn durations_and_rates() {
        for (millis, expected) in [
            (0.84, "0.8 ms"),
            (12.4, "12 ms"),
            (999.4, "999 ms"),
            (1_940.0, "1.9 s"),
        ] {
            assert_eq!(duration(millis), expected);
        }
        for (value, expected) in [
            (0.0, "0"),
            (7.0, "7"),
            (2.25, "2.2"),
            (54.4, "54"),
            (200_000.0, "200\u{202f}000"),
        ] {
            assert_eq!(rate(value), expected);
        }
        for (value, expected) in [
            (0.0, "0 a second"),
            (13.0, "13 a second"),
            (0.1, "0.1 a second"),
            (4.0 / 300.0, "48 an hour"),
        ] {
            assert_eq!(paced(value), expected);
        }
        assert_eq!(span(160_000), "2:40");
        assert_eq!(span(3_661_000), "1:01:01");
    }

    /// Hashes are cut only where something is saved.
    #[test]
    fn hashes_are_cut_in_the_middle() {
        assert_eq!(
            short_hash("7f2c91d0aaaaaaaaaaaaaaaa0c7741ab"),
            "7f2c91d0…0c7741ab"
        );
        assert_eq!(short_hash("s-91d0"), "s-91d0");
    }

    /// Sentences begin with a capital; numbers up to twelve are words.
    #[test]
    fn numbers_in_sentences() {
        assert_eq!(
            capital(&format!("{} of {} devices", spelled(6), spelled(13))),
            "Six of 13 devices"
        );
        assert_eq!(capital("élan"), "Élan");
    }
}
