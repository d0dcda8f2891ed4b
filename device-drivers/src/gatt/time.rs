//! A device's calendar: Date Time 2A08 and Current Time 2A2B (GATT Specification Supplement 3.70 and
//! 3.62, Current Time Service 1.1).
//!
//! ```text
//! Date Time      year u16 · month · day · hours · minutes · seconds                      7 bytes
//! Current Time   Date Time · day of week (1 Monday) · fractions of 1/256 s · reason     10 bytes
//! ```
//!
//! Neither says a time zone: it is what the device's display shows. Here it becomes milliseconds since
//! 1970 *as if it were UTC*. Such a number compares with others of the same clock only; what it means
//! on this host's clock follows from [`crate::event::CoincidentTime`], in whose distance the time zone
//! is, too. A zero year, month or day says "not known", and then there is no such number.

use crate::gatt::reader::{DecodeError, Reader};

const DAY_MILLIS: i64 = 86_400_000;

/// Date Time 2A08: a calendar date and time of day, each field in its valid range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// 1582 to 9999; 0 when not known.
    pub year: u16,
    /// 1 (January) to 12; 0 when not known.
    pub month: u8,
    /// 1 to 31; 0 when not known.
    pub day: u8,
    /// 0 to 23.
    pub hours: u8,
    /// 0 to 59.
    pub minutes: u8,
    /// 0 to 59.
    pub seconds: u8,
}

impl DateTime {
    /// Bytes of an encoded Date Time.
    pub const BYTES: usize = 7;

    /// Decodes a Date Time.
    ///
    /// # Errors
    /// The value is not 7 bytes, or no such day or time of day exists.
    pub fn decode(value: &[u8]) -> Result<DateTime, DecodeError> {
        let mut reader = Reader::new(value);
        let time = DateTime::read(&mut reader)?;
        reader.end(0)?;
        Ok(time)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<DateTime, DecodeError> {
        let year = reader.u16("date and time")?;
        let [month, day, hours, minutes, seconds] = reader.array("date and time")?;
        let time = DateTime {
            year,
            month,
            day,
            hours,
            minutes,
            seconds,
        };
        let is_valid = (year == 0 || (1582..=9999).contains(&year))
            && month <= 12
            && day <= time.last_day()
            && hours < 24
            && minutes < 60
            && seconds < 60;
        is_valid
            .then_some(time)
            .ok_or(DecodeError::Invalid("date and time"))
    }

    /// The last day the month can have, taking what is not known for the longest.
    const fn last_day(self) -> u8 {
        match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if self.year == 0 || is_leap(self.year) => 29,
            2 => 28,
            _ => 31,
        }
    }

    /// The bytes to write.
    #[must_use]
    pub const fn encode(self) -> [u8; DateTime::BYTES] {
        let [low, high] = self.year.to_le_bytes();
        [
            low,
            high,
            self.month,
            self.day,
            self.hours,
            self.minutes,
            self.seconds,
        ]
    }

    /// Milliseconds since 1970 as if this were UTC; `None` when the date is not wholly known.
    #[must_use]
    pub fn millis(self) -> Option<i64> {
        if self.year == 0 || self.month == 0 || self.day == 0 {
            return None;
        }
        let seconds = (i64::from(self.hours) * 60 + i64::from(self.minutes)) * 60;
        let day_millis = (seconds + i64::from(self.seconds)) * 1_000;
        Some(days_since_1970(self.year, self.month, self.day) * DAY_MILLIS + day_millis)
    }

    /// The calendar of `millis` since 1970, rounded down to the second. What is outside of the years
    /// 1582 to 9999 becomes the nearest second inside.
    #[must_use]
    pub fn from_millis(millis: i64) -> DateTime {
        let first = days_since_1970(1582, 1, 1) * DAY_MILLIS;
        let last = (days_since_1970(9999, 12, 31) + 1) * DAY_MILLIS - 1;
        let millis = millis.clamp(first, last);
        let (year, month, day) = date_of(millis.div_euclid(DAY_MILLIS));
        let second = millis.rem_euclid(DAY_MILLIS) / 1_000;
        DateTime {
            year,
            month,
            day,
            hours: (second / 3_600) as u8,
            minutes: (second / 60 % 60) as u8,
            seconds: (second % 60) as u8,
        }
    }

    /// The day of the week as Current Time counts it: 1 is Monday, 7 Sunday, 0 not known.
    #[must_use]
    pub fn day_of_week(self) -> u8 {
        // 1970 began on a Thursday.
        self.millis().map_or(0, |millis| {
            (millis.div_euclid(DAY_MILLIS) + 3).rem_euclid(7) as u8 + 1
        })
    }
}

/// Why a device's clock was adjusted: the bits of Current Time's last byte (bits 4 to 7 reserved).
pub mod adjust_reason {
    /// By hand.
    pub const MANUAL: u8 = 0x01;
    /// By an external reference: what this host writes.
    pub const EXTERNAL_REFERENCE: u8 = 0x02;
    /// Change of the time zone.
    pub const TIME_ZONE: u8 = 0x04;
    /// Change of daylight saving time.
    pub const DAYLIGHT_SAVING: u8 = 0x08;
}

/// Current Time 2A2B: what the device's clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CurrentTime {
    /// Date and time of day.
    pub time: DateTime,
    /// 1 (Monday) to 7; 0 when not known.
    pub day_of_week: u8,
    /// Fractions of a second, in 1/256 s.
    pub fractions: u8,
    /// [`adjust_reason`].
    pub adjust_reason: u8,
}

impl CurrentTime {
    /// Bytes of an encoded Current Time.
    pub const BYTES: usize = DateTime::BYTES + 3;

    /// Decodes a Current Time. A day of the week that is reserved counts as not known.
    ///
    /// # Errors
    /// The value is not 10 bytes, or its date and time do not exist.
    pub fn decode(value: &[u8]) -> Result<CurrentTime, DecodeError> {
        let mut reader = Reader::new(value);
        let time = DateTime::read(&mut reader)?;
        let [day_of_week, fractions, adjust_reason] = reader.array("day of the week")?;
        reader.end(0)?;
        Ok(CurrentTime {
            time,
            day_of_week: if day_of_week <= 7 { day_of_week } else { 0 },
            fractions,
            adjust_reason,
        })
    }

    /// What to write to set a device's clock to `millis` since 1970. Give local time (UTC plus the
    /// zone's offset) to a device with a display.
    #[must_use]
    pub fn from_millis(millis: i64) -> CurrentTime {
        let time = DateTime::from_millis(millis);
        CurrentTime {
            time,
            day_of_week: time.day_of_week(),
            fractions: (millis.rem_euclid(1_000) * 256 / 1_000) as u8,
            adjust_reason: adjust_reason::EXTERNAL_REFERENCE,
        }
    }

    /// The bytes to write.
    #[must_use]
    pub fn encode(self) -> [u8; CurrentTime::BYTES] {
        let [a, b, c, d, e, f, g] = self.time.encode();
        let tail = [self.day_of_week, self.fractions, self.adjust_reason];
        [a, b, c, d, e, f, g, tail[0], tail[1], tail[2]]
    }

    /// Milliseconds since 1970 as if this were UTC; `None` when the date is not wholly known.
    #[must_use]
    pub fn millis(self) -> Option<i64> {
        let fraction_millis = i64::from(self.fractions) * 1_000 / 256;
        self.time.millis().map(|millis| millis + fraction_millis)
    }
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that
/// the leap day is the last.
fn days_since_1970(year: u16, month: u8, day: u8) -> i64 {
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let march_year = if month <= 2 { year - 1 } else { year };
    let march_month = (month + 9) % 12;
    // Months from March on last 31, 30, 31, 30, 31 days, again and again.
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let leap_days = march_year / 4 - march_year / 100 + march_year / 400;
    march_year * 365 + leap_days + day_of_year - DAYS_TO_1970
}

/// Days from the March of the year 0 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// The date so many days after 1970-01-01, from 1582 to 9999.
fn date_of(days: i64) -> (u16, u8, u8) {
    // A year that is not too late, and then the right one: at most seventeen steps.
    let longest = if days < 0 { 365 } else { 366 };
    let mut year = (1970 + days.div_euclid(longest)) as u16;
    while days_since_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days_since_1970(year, month + 1, 1) <= days {
        month += 1;
    }
    (
        year,
        month,
        (days - days_since_1970(year, month, 1) + 1) as u8,
    )
}
