//! What somebody must look into, whatever page is open: glasses that were broken, and nodes that give and do not tell.

use fog_api::BrokenGlass;

use super::number::{capital, clock_minutes, date, spelled};

/// A notice that stays until what it is about was looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about, for tests.
    pub about: &'static str,
    /// What happened.
    pub what: String,
    /// What that means, and what to do.
    pub why: String,
}

/// The notices of now: `untold` are nodes that gave readings and never told; times are told by the clock that is so many
/// minutes ahead of Coordinated Universal Time at a moment.
#[must_use]
pub fn notices(
    untold: &[String],
    broken: &[BrokenGlass],
    offset_minutes: impl Fn(i64) -> i32,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let Some(first) = broken.first() {
        let who = first.person.name.clone().unwrap_or_else(|| {
            let handle = &first.person.handle;
            handle.get(..8).unwrap_or(handle).to_owned()
        });
        let at = i64::try_from(first.at).unwrap_or(i64::MAX);
        let offset = offset_minutes(at);
        let (day, at) = (date(at, offset), clock_minutes(at, offset));
        let of = &first.person.organisation;
        let what = match broken.len() {
            1 => format!("{who} of {of} broke the glass: {day}, {at}."),
            many => format!(
                "{} broken glasses wait for a review, the first since {day}, {at}.",
                capital(&spelled(many as u64))
            ),
        };
        notices.push(Notice {
            about: "broken-glass",
            what,
            why: "Data of your organisation were asked for in an emergency. Look at the request, and say whether there \
                  was reason."
                .to_owned(),
        });
    }
    if !untold.is_empty() {
        notices.push(Notice {
            about: "untold",
            what: format!(
                "{} gave readings, and never told the ledger.",
                untold.join(" and ")
            ),
            why: "A receipt was promised and did not come. The request says which read it was, and whom to call; under \
                  Audit, whoever audits settles it."
                .to_owned(),
        });
    }
    notices
}

#[cfg(test)]
mod tests {
    //! Goal: what must be looked into is named, the most pressing first, and nothing else. Method: examples.

    use fog_api::AccessPerson;

    use super::*;

    #[test]
    fn broken_glasses_come_first() {
        assert_eq!(notices(&[], &[], |_| 0), []);
        let broken = BrokenGlass {
            handle: "ab".repeat(32),
            person: AccessPerson {
                handle: "cd".repeat(32),
                name: None,
                organisation: "Clinic".to_owned(),
            },
            at: 60_000,
        };
        let one = notices(&[], std::slice::from_ref(&broken), |_| 0);
        assert_eq!(one.len(), 1);
        assert!(
            one[0]
                .what
                .starts_with("cdcdcdcd of Clinic broke the glass: ")
        );
        assert!(one[0].what.ends_with(", 00:01."), "{}", one[0].what);
        let untold = ["ward-2 (Harbour)".to_owned()];
        let both = notices(&untold, &[broken.clone(), broken], |_| 0);
        assert!(both[0].what.starts_with("Two broken glasses wait"));
        assert_eq!(
            both[1].what,
            "ward-2 (Harbour) gave readings, and never told the ledger."
        );
    }
}
