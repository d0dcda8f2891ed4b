//! What is said of the node as a whole: the overview's heading, the ledger, the vault.

use fog_api::{Gap, Status};

use super::device::are;
use super::number::{bytes, capital, count, spelled, thousands};
use super::state::State;

/// How the node is, in three words.
#[must_use]
pub fn state(status: &Status) -> (State, &'static str) {
    if status.trouble.is_some() {
        (State::Critical, "Not sealing")
    } else if status.height > 0 && status.present < status.validators {
        (State::Attention, "Sealing, a validator is away")
    } else {
        (State::Ok, "Sealing and in step")
    }
}

/// Who is here to sign: `6 of 7 validators here`. A block does not wait for all, so its signatures do not
/// tell.
#[must_use]
pub fn signing(status: &Status) -> String {
    let all = u64::from(status.validators);
    if status.height == 0 {
        return format!("{}, no block yet", count(all, "validator", "validators"));
    }
    format!(
        "{} of {} here",
        thousands(u64::from(status.present)),
        count(all, "validator", "validators")
    )
}

/// How many validators may fail before the ledger pauses.
#[must_use]
pub fn can_lose(status: &Status) -> String {
    let present = if status.height == 0 {
        status.validators
    } else {
        status.present
    };
    match present.saturating_sub(status.quorum) {
        0 if status.validators == 1 => "none, it is the only one".to_owned(),
        0 => "none before it pauses".to_owned(),
        spare => format!(
            "{} before it pauses",
            count(u64::from(spare), "more validator", "more validators")
        ),
    }
}

/// The heading of pages about devices while the node does not answer.
pub const NOT_KNOWN: &str = "How the devices are is not known now";

/// The overview's answer: who streams, who needs somebody.
#[must_use]
pub fn heading(devices: u64, streaming: u64, needy: u64, trouble: bool) -> String {
    let streams = match (devices, streaming) {
        (1, 1) => "The one device is streaming.".to_owned(),
        (1, 0) => "The one device is not streaming.".to_owned(),
        (all, some) if all == some => format!("All {} devices are streaming.", spelled(all)),
        (all, some) => capital(&format!(
            "{} of {} devices {} streaming.",
            spelled(some),
            spelled(all),
            are(some)
        )),
    };
    let needs = match (trouble, needy) {
        (true, _) => "The record needs you now.".to_owned(),
        (false, 0) => "Nobody needs you.".to_owned(),
        (false, 1) => "One needs a hand.".to_owned(),
        (false, needy) => capital(&format!("{} need a hand.", spelled(needy))),
    };
    format!("{streams} {needs}")
}

/// The sentence below: is the record whole?
#[must_use]
pub fn whole(gap: &Gap) -> String {
    match gap.expected.saturating_sub(gap.received) {
        0 => "Every expected reading has arrived.".to_owned(),
        1 => "Every reading is accounted for: 1 is missing and named as a gap.".to_owned(),
        missing => {
            format!(
                "Every reading is accounted for: {} are missing and named as gaps.",
                thousands(missing)
            )
        }
    }
}

/// The vault's size and how long the disk lasts at this rate.
#[must_use]
pub fn room(status: &Status, bytes_per_day: Option<f64>) -> String {
    let size = bytes(status.disk.vault_bytes);
    let free = status.disk.free_bytes;
    match bytes_per_day
        .filter(|rate| *rate > 0.0)
        .map(|rate| free as f64 / rate)
    {
        Some(days) if days < 2.0 => format!("{size}, room for {:.0} h", days * 24.0),
        Some(days) if days < 3_650.0 => format!("{size}, room for {} days", thousands(days as u64)),
        Some(_) => format!("{size}, room for more than ten years"),
        None => format!("{size}, {} free", bytes(free)),
    }
}

/// What is simulated, for the banner: bold part and the rest; `None` where nothing is.
#[must_use]
pub fn simulated(status: &Status) -> Option<(String, &'static str)> {
    let rest = "Readings of simulated devices are hatched everywhere, are marked in every proof, and come from nobody’s body.";
    match (status.simulated, status.devices) {
        (0, _) => None,
        (some, all) if some >= all => Some(("This ward is simulated.".to_owned(), rest)),
        (1, _) => Some(("One device is simulated.".to_owned(), rest)),
        (some, _) => Some((
            capital(&format!(
                "{} devices are simulated.",
                spelled(u64::from(some))
            )),
            rest,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fog_api::{Finality, Storage};

    fn status() -> Status {
        Status {
            version: String::new(),
            node_name: String::new(),
            node_id: String::new(),
            chain_id: String::new(),
            consortium: String::new(),
            height: 1,
            tip_hash: String::new(),
            tip_time: 0,
            validators: 7,
            // A block does not wait for all: that five signed says nothing.
            signed: 5,
            present: 6,
            quorum: 5,
            trouble: None,
            untold: Vec::new(),
            finality: Finality {
                p50_ms: None,
                p99_ms: None,
                limit_ms: 1_000,
            },
            devices: 13,
            simulated: 0,
            gap: Gap::default(),
            backlog: 0,
            readings_per_second: 0.0,
            disk: Storage {
                vault_bytes: 18_400_000_000,
                replica_bytes: 0,
                free_bytes: 1_000_000_000_000,
            },
            started: 0,
            now: 0,
        }
    }

    /// The heading says first who streams, then who needs somebody, and puts the record above devices.
    #[test]
    fn headings_answer_the_first_question() {
        assert_eq!(
            heading(6, 6, 0, false),
            "All six devices are streaming. Nobody needs you."
        );
        assert_eq!(
            heading(12, 11, 1, false),
            "Eleven of twelve devices are streaming. One needs a hand."
        );
        assert_eq!(
            heading(1, 0, 1, false),
            "The one device is not streaming. One needs a hand."
        );
        assert_eq!(
            heading(6, 6, 2, true),
            "All six devices are streaming. The record needs you now."
        );
    }

    /// Validators: how many sign, how many may go.
    #[test]
    fn the_ledger_says_what_it_can_lose() {
        let seven = status();
        assert_eq!(signing(&seven), "6 of 7 validators here");
        assert_eq!(can_lose(&seven), "1 more validator before it pauses");
        assert_eq!(state(&seven).0, State::Attention);
        let one = Status {
            validators: 1,
            signed: 1,
            present: 1,
            quorum: 1,
            ..status()
        };
        let fresh = Status {
            height: 0,
            signed: 0,
            present: 0,
            ..one.clone()
        };
        assert_eq!(state(&fresh).0, State::Ok);
        assert_eq!(signing(&fresh), "1 validator, no block yet");
        assert_eq!(can_lose(&one), "none, it is the only one");
        assert_eq!(state(&one), (State::Ok, "Sealing and in step"));
    }

    /// The vault says how long there is room, once a rate is known.
    #[test]
    fn the_vault_says_how_long_there_is_room() {
        assert_eq!(room(&status(), None), "18.4 GB, 1.0 TB free");
        assert_eq!(room(&status(), Some(4.75e9)), "18.4 GB, room for 210 days");
        assert_eq!(room(&status(), Some(1e12)), "18.4 GB, room for 24 h");
    }

    /// Simulated data is named wherever there is some.
    #[test]
    fn what_is_simulated_is_named() {
        assert_eq!(simulated(&status()), None);
        let some = Status {
            simulated: 2,
            ..status()
        };
        assert_eq!(
            simulated(&some).map(|words| words.0).as_deref(),
            Some("Two devices are simulated.")
        );
        let all = Status {
            simulated: 13,
            ..status()
        };
        assert_eq!(
            simulated(&all).map(|words| words.0).as_deref(),
            Some("This ward is simulated.")
        );
    }
}
