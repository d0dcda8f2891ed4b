//! Handles of subjects: the names under which the ledger knows whose data are asked for. They change with the
//! purpose and the month.
//!
//! ```text
//! handle = HMAC-SHA256(subject secret, "fogward/subject-handle/1" ‖ 00 ‖ purpose ‖ 00 ‖ u32be(months since 1970-01))
//! ```
//!
//! The secret is 32 random bytes of one patient, which never leave her organisation’s vaults (RFC 2104, FIPS 180-4;
//! the purpose is its word in a policy, without a zero byte). Who has the secret finds all her handles; to everybody
//! else two of them are as unlike as those of two patients. Months are those of Coordinated Universal Time, so that
//! all patients' handles change at one moment, and none is told by when it did.
//!
//! A consent is about one handle. Who holds the data puts it under the handle of each purpose it covers, and before a
//! month ends under those of [`Period::next`]. What was granted under a handle rests on the consent under that same
//! handle, which stays until it is withdrawn there, too.

use hmac::{Hmac, KeyInit as _, Mac as _};
use ledger_policy::Purpose;
use sha2::Sha256;

use crate::digest::Digest;

const TAG: &[u8] = b"fogward/subject-handle/1";
const DAY_MILLIS: u64 = 24 * 3_600_000;
/// Days from the first of March of the year 0 to 1970, in the Gregorian calendar (ISO 8601).
const DAYS_BEFORE_1970: u64 = 719_468;
/// Days of 400 years.
const ERA_DAYS: u64 = 146_097;

/// For how long a handle is used: a calendar month in Coordinated Universal Time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Period {
    /// Months since January 1970.
    months: u32,
}

impl Period {
    /// The one that a moment is in, given in Unix milliseconds.
    #[must_use]
    pub const fn at(millis: u64) -> Self {
        // Years that begin in March, so that the day that is there in leap years only is the last.
        let days = millis / DAY_MILLIS + DAYS_BEFORE_1970;
        let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let months = (era * 400 + year) * 12 + month + 2;
        let since_1970 = months - 1970 * 12;
        Self {
            // Milliseconds of 64 bits end in the year 584 million.
            months: if since_1970 > u32::MAX as u64 {
                u32::MAX
            } else {
                since_1970 as u32
            },
        }
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self {
            months: self.months.saturating_add(1),
        }
    }

    /// The one before it; none before the first.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        match self.months.checked_sub(1) {
            Some(months) => Some(Self { months }),
            None => None,
        }
    }

    /// Its begin in Unix milliseconds: midnight of the month's first day.
    #[must_use]
    pub const fn begin_millis(self) -> u64 {
        let months = self.months as u64 + 1970 * 12 - 2;
        let (year, month) = (months / 12, months % 12);
        let leaps = year / 4 - year / 100 + year / 400;
        let days = 365 * year + leaps + (153 * month + 2) / 5;
        (days - DAYS_BEFORE_1970).saturating_mul(DAY_MILLIS)
    }
}

/// The handle of the subject with this secret, for one purpose in one period.
#[must_use]
pub fn subject_handle(secret: &[u8; 32], purpose: Purpose, period: Period) -> Digest {
    // HMAC takes keys of every length.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default()));
    for part in [
        TAG,
        &[0],
        purpose.word().as_bytes(),
        &[0],
        &period.months.to_be_bytes(),
    ] {
        mac.update(part);
    }
    Digest(mac.finalize().into_bytes().into())
}
