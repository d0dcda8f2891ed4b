//! What is said of devices: their state, and what they need of a person; of their values, their gap ledger, and
//! the look at a sensor before it is paired, in the files below.

mod gap;
mod preview;
mod vital;

use fog_api::{Device, DeviceAuthentication, DeviceClass, DeviceStanding, DeviceState};

use super::number::{age, count, spelled, thousands};
use super::state::State;
pub use gap::{account, bar, missing, rejected, waiting};
pub use preview::{preview_fits, preview_trouble};
pub use vital::{below, figure, last, newest, quality, quality_key, usual_range, value};

/// The state of a link and its word.
#[must_use]
pub const fn link(state: DeviceState) -> (State, &'static str) {
    match state {
        DeviceState::Connecting => (State::Unknown, "Connecting"),
        DeviceState::Streaming => (State::Ok, "Streaming"),
        DeviceState::NoContact => (State::Attention, "No contact"),
        DeviceState::Silent => (State::Offline, "Silent"),
        DeviceState::Garbled => (State::Attention, "Not understood"),
        DeviceState::Disconnected => (State::Offline, "Disconnected"),
    }
}

/// The mark of a device in a table: one whose data do not count says so, a simulated one that streams says
/// that it is simulated.
#[must_use]
pub const fn mark(
    state: DeviceState,
    standing: DeviceStanding,
    simulated: bool,
) -> (State, &'static str) {
    match (standing, state, simulated) {
        (DeviceStanding::InService, DeviceState::Streaming, true) => {
            (State::Simulated, "Simulated")
        }
        (DeviceStanding::InService, state, _) => link(state),
        (DeviceStanding::Suspended, ..) => (State::Attention, "Suspended"),
        (DeviceStanding::HandedOver, ..) => (State::Unknown, "Handed over"),
        (DeviceStanding::Retired, ..) => (State::Unknown, "Retired"),
    }
}

/// What a standing means, in one sentence.
#[must_use]
pub const fn standing(standing: DeviceStanding) -> &'static str {
    match standing {
        DeviceStanding::InService => "In service: its readings count on every node.",
        DeviceStanding::Suspended => {
            "Suspended: what it sends is refused and counted until somebody resumes it."
        }
        DeviceStanding::HandedOver => "Handed over: another node of the consortium serves it now.",
        DeviceStanding::Retired => "Retired: its readings do not count any more.",
    }
}

/// A bed, in words.
#[must_use]
pub fn place(place: &fog_api::Place) -> String {
    format!("ward {}, bed {}", place.ward, place.bed)
}

/// What is said of anything while the node does not answer.
pub const NOT_KNOWN: (State, &str) = (State::Unknown, "Not known now");

/// The name of a link's state in `data-state` and in the API.
#[must_use]
pub const fn link_key(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Connecting => "connecting",
        DeviceState::Streaming => "streaming",
        DeviceState::NoContact => "no_contact",
        DeviceState::Silent => "silent",
        DeviceState::Garbled => "garbled",
        DeviceState::Disconnected => "disconnected",
    }
}

/// Does a person have to do something about this device?
#[must_use]
pub const fn needs_somebody(state: DeviceState) -> bool {
    matches!(
        state,
        DeviceState::NoContact
            | DeviceState::Silent
            | DeviceState::Garbled
            | DeviceState::Disconnected
    )
}

/// What happened to a device that needs somebody, for a list.
#[must_use]
pub fn trouble(name: &str, state: DeviceState, heard: Option<i64>, now: i64) -> String {
    let since = heard.map(|heard| age(now, heard));
    match (state, since) {
        (DeviceState::NoContact, _) => format!("{name}: the sensor has no contact"),
        (DeviceState::Silent, Some(since)) => format!("{name}: nothing heard for {since}"),
        (DeviceState::Silent, None) => format!("{name}: never heard"),
        (DeviceState::Garbled, _) => format!("{name}: bytes arrive that its profile does not know"),
        (DeviceState::Disconnected, Some(since)) => {
            format!("{name}: disconnected, last heard {since} ago")
        }
        (DeviceState::Disconnected, None) => format!("{name}: its port cannot be opened"),
        (state, _) => format!("{name}: {}", link(state).1.to_lowercase()),
    }
}

/// What the list of devices says in its heading.
#[must_use]
pub fn list_heading(devices: u64, streaming: u64, needy: u64) -> String {
    use super::number::capital;
    match (devices, needy) {
        (0, _) => "No device is paired yet".to_owned(),
        (1, 0) if streaming == 1 => "The one device is streaming".to_owned(),
        (all, 0) if streaming == all => format!("All {} devices are streaming", spelled(all)),
        (all, 0) => capital(&format!(
            "{} of {} devices {} streaming",
            spelled(streaming),
            spelled(all),
            are(streaming)
        )),
        (_, 1) => "One device needs a hand".to_owned(),
        (_, needy) => capital(&format!("{} devices need a hand", spelled(needy))),
    }
}

/// What the list of devices explains below its heading.
#[must_use]
pub fn list_sub(devices: u64, streaming: u64, simulated: u64) -> String {
    if devices == 0 {
        return "Switch a Bluetooth sensor on or plug a serial one in; it appears here by itself."
            .to_owned();
    }
    let paired = format!(
        "{} {} paired",
        count(devices, "device", "devices"),
        if devices == 1 { "is" } else { "are" }
    );
    let simulated = match simulated {
        0 => String::new(),
        all if all == devices => ", all simulated".to_owned(),
        some => format!(", {} simulated", thousands(some)),
    };
    format!("{paired}{simulated}. {} streaming.", thousands(streaming))
}

/// The verb that fits a number.
#[must_use]
pub const fn are(number: u64) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

/// Does a device match what a person typed?
#[must_use]
pub fn matches(device: &Device, words: &str) -> bool {
    let words = words.trim().to_lowercase();
    words.is_empty()
        || [&device.name, &device.profile, &device.path]
            .iter()
            .any(|text| text.to_lowercase().contains(&words))
}

/// What a device can compute.
#[must_use]
pub const fn class_words(class: DeviceClass) -> &'static str {
    match class {
        DeviceClass::UltraLight => "Ultra-light: 4 kB of program, 256 B of RAM",
        DeviceClass::LowCost => "Low-cost: 4 kB of program, 8 kB of RAM",
        DeviceClass::Lightweight => "Lightweight: 32 kB of program, 8 kB of RAM",
    }
}

/// How a device proves its frames.
#[must_use]
pub const fn proof_words(proof: DeviceAuthentication) -> &'static str {
    match proof {
        DeviceAuthentication::AsconTag => "Ascon tag",
        DeviceAuthentication::HmacTag => "HMAC-SHA256 tag",
        DeviceAuthentication::Signature => "Ed25519 signature",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The heading names who needs a hand before it counts who is well.
    #[test]
    fn headings_answer() {
        assert_eq!(list_heading(0, 0, 0), "No device is paired yet");
        assert_eq!(list_heading(1, 1, 0), "The one device is streaming");
        assert_eq!(list_heading(6, 6, 0), "All six devices are streaming");
        assert_eq!(list_heading(6, 5, 0), "Five of six devices are streaming");
        assert_eq!(list_heading(6, 5, 1), "One device needs a hand");
        assert_eq!(list_heading(100, 80, 20), "20 devices need a hand");
        assert_eq!(
            list_sub(6, 5, 6),
            "6 devices are paired, all simulated. 5 streaming."
        );
    }

    /// What happened says since when, where that is known.
    #[test]
    fn trouble_says_since_when() {
        assert_eq!(
            trouble("A", DeviceState::Silent, Some(0), 360_000),
            "A: nothing heard for 6 min"
        );
        assert_eq!(
            trouble("A", DeviceState::Disconnected, None, 0),
            "A: its port cannot be opened"
        );
    }

    /// Only a simulated device that streams is marked by that alone.
    #[test]
    fn marks_of_simulated_devices() {
        let in_service = DeviceStanding::InService;
        assert_eq!(
            mark(DeviceState::Streaming, in_service, true).1,
            "Simulated"
        );
        let suspended = mark(DeviceState::Streaming, DeviceStanding::Suspended, true);
        assert_eq!(suspended, (State::Attention, "Suspended"));
        assert_eq!(mark(DeviceState::Silent, in_service, true).1, "Silent");
        assert_eq!(mark(DeviceState::Streaming, in_service, false).0, State::Ok);
    }
}
