//! What is said of devices on the ledger: who serves them, and which may hear which.

use fog_api::{DeviceStanding, Interaction, InteractionState, LedgerDevice, Relay, RelayState};

use super::number::{age, capital, count, short_hash, spelled, thousands};
use super::state::State;

/// How a device of the ledger is named: as here, or by its handle and the node that serves it.
#[must_use]
pub fn name(device: &LedgerDevice) -> String {
    device
        .name
        .clone()
        .unwrap_or_else(|| format!("device {} of {}", short_hash(&device.handle), device.node))
}

/// The same for a device of which only the handle may be known.
#[must_use]
pub fn name_in(registry: &[LedgerDevice], handle: &str, name_here: Option<&String>) -> String {
    let known = registry.iter().find(|device| device.handle == handle);
    match (name_here, known) {
        (Some(name), _) => name.clone(),
        (None, Some(device)) => name(device),
        (None, None) => format!("device {}", short_hash(handle)),
    }
}

/// A standing, its state and word.
#[must_use]
pub const fn standing(standing: DeviceStanding) -> (State, &'static str) {
    match standing {
        DeviceStanding::InService => (State::Ok, "In service"),
        DeviceStanding::Suspended => (State::Attention, "Suspended"),
        DeviceStanding::Retired => (State::Unknown, "Retired"),
        DeviceStanding::HandedOver => (State::Unknown, "Handed over"),
    }
}

/// What the registry says in its heading.
#[must_use]
pub fn registry_heading(devices: &[LedgerDevice]) -> String {
    let suspended = devices
        .iter()
        .filter(|device| device.standing == DeviceStanding::Suspended)
        .count() as u64;
    match (devices.len() as u64, suspended) {
        (0, _) => "No device is on the ledger yet".to_owned(),
        (all, 0) => format!("{} on the ledger", count(all, "device is", "devices are")),
        (all, some) => format!(
            "{} on the ledger, {} suspended",
            count(all, "device is", "devices are"),
            spelled(some)
        ),
    }
}

/// How many devices wait to be taken here, for a status line.
#[must_use]
pub fn incoming(devices: usize) -> String {
    match devices {
        0 => "Nothing waits to be taken".to_owned(),
        1 => "One device waits to be taken here".to_owned(),
        some => format!("{} devices wait to be taken here", spelled(some as u64)),
    }
}

/// Where a device that waits to be taken comes from.
#[must_use]
pub fn from(device: &LedgerDevice) -> String {
    let block = thousands(device.registered_height);
    match &device.handed_by {
        Some(node) => format!("From {node}; registered in block {block}"),
        None => format!("Registered in block {block}"),
    }
}

/// What may be done about an interaction here, and what is looked at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Somebody here is asked.
    AskedHere,
    /// It holds.
    Holds,
    /// Somebody else is asked.
    AskedElsewhere,
    /// It is over, one way or another.
    Past,
}

impl Turn {
    /// Of an interaction.
    #[must_use]
    pub const fn of(interaction: &Interaction) -> Self {
        match interaction.state {
            InteractionState::Asked if interaction.may_grant => Self::AskedHere,
            InteractionState::Asked => Self::AskedElsewhere,
            InteractionState::Granted => Self::Holds,
            InteractionState::Refused | InteractionState::Ended | InteractionState::Over => {
                Self::Past
            }
        }
    }
}

/// The interactions of one device: those that somebody has to decide first, then what holds, the newest
/// first; at most `past` of those that are over.
#[must_use]
pub fn of_device(all: &[Interaction], handle: &str, past: usize) -> Vec<Interaction> {
    let mut own: Vec<_> = all
        .iter()
        .filter(|interaction| interaction.asker == handle || interaction.source == handle)
        .cloned()
        .collect();
    own.sort_by_key(|interaction| {
        (
            Turn::of(interaction),
            std::cmp::Reverse(interaction.changed_height),
        )
    });
    let open = own
        .iter()
        .filter(|interaction| Turn::of(interaction) != Turn::Past)
        .count();
    own.truncate(open + past);
    own
}

/// The mark of an interaction.
#[must_use]
pub const fn mark(state: InteractionState) -> (State, &'static str) {
    match state {
        InteractionState::Asked => (State::Attention, "Asked"),
        InteractionState::Granted => (State::Ok, "Granted"),
        InteractionState::Refused => (State::Unknown, "Denied"),
        InteractionState::Ended => (State::Unknown, "Ended"),
        InteractionState::Over => (State::Unknown, "Over"),
    }
}

/// Who hears whom, in one sentence. `other` is the other device's name; this one is the source where
/// `is_heard`.
#[must_use]
pub fn sentence(state: InteractionState, is_heard: bool, other: &str) -> String {
    use InteractionState::{Asked, Ended, Granted, Over, Refused};
    let words = match (state, is_heard) {
        (Asked, true) => format!("{other} asks to hear this device"),
        (Asked, false) => format!("this device asks to hear {other}"),
        (Granted, true) => format!("{other} hears this device"),
        (Granted, false) => format!("this device hears {other}"),
        (Refused, true) => format!("{other} may not hear this device"),
        (Refused, false) => format!("this device may not hear {other}"),
        (Ended | Over, true) => format!("{other} does not hear this device any more"),
        (Ended | Over, false) => format!("this device does not hear {other} any more"),
    };
    capital(&words)
}

/// The time an interaction has left; nothing where it has none.
#[must_use]
pub fn left(interaction: &Interaction, now: i64) -> Option<String> {
    let is_open = Turn::of(interaction) != Turn::Past;
    let until = i64::try_from(interaction.until).unwrap_or(i64::MAX);
    is_open.then(|| age(until, now))
}

/// What came of a granted interaction on this node: `1 203 relayed, 2 dropped`, or why nothing does.
#[must_use]
pub fn relayed(relay: &Relay) -> String {
    let mut parts = vec![format!("{} relayed", thousands(relay.relayed))];
    if relay.dropped > 0 {
        parts.push(format!(
            "{} dropped: its line was slower, or down",
            thousands(relay.dropped)
        ));
    }
    if relay.unsuited > 0 {
        let word = count(relay.unsuited, "reading has", "readings have");
        parts.push(format!("{word} no form in its protocol"));
    }
    let counts = parts.join(", ");
    match relay.state {
        RelayState::Open => counts,
        RelayState::Closed => format!("Nothing is relayed now. So far {counts}"),
        RelayState::CannotHear => {
            format!(
                "The device that asked cannot hear: its protocol has no message for it. So far {counts}"
            )
        }
        RelayState::Elsewhere => {
            "This node does not read both devices, so it relays nothing".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    //! Goal: what somebody has to decide stands first, and each sentence says who hears whom. Method: lists of
    //! interactions and what is said of them.

    use super::*;

    fn interaction(id: &str, state: InteractionState, may_grant: bool, height: u64) -> Interaction {
        Interaction {
            id: id.to_owned(),
            asker: "aa".to_owned(),
            asker_name: None,
            source: "bb".to_owned(),
            source_name: Some("Oximeter".to_owned()),
            state,
            until: 3_600_000,
            changed_height: height,
            may_grant,
            may_end: true,
            relay: relay(RelayState::Open, 1_203, 2),
        }
    }

    fn relay(state: RelayState, relayed: u64, dropped: u64) -> Relay {
        Relay {
            state,
            relayed,
            dropped,
            unsuited: 0,
        }
    }

    fn device(handle: &str, standing: DeviceStanding) -> LedgerDevice {
        LedgerDevice {
            handle: handle.to_owned(),
            name: None,
            node: "Clinic 1".to_owned(),
            organisation: "Clinic".to_owned(),
            standing,
            simulated: false,
            assigned: false,
            handovers: 0,
            handed_by: None,
            registered_height: 1,
            changed_height: None,
            signer: None,
        }
    }

    #[test]
    fn what_is_to_be_decided_stands_first() {
        let all = [
            interaction("over", InteractionState::Over, false, 9),
            interaction("ended", InteractionState::Ended, false, 8),
            interaction("holds", InteractionState::Granted, false, 2),
            interaction("newer", InteractionState::Granted, false, 3),
            interaction("theirs", InteractionState::Asked, false, 4),
            interaction("ours", InteractionState::Asked, true, 1),
        ];
        let order = |handle: &str| {
            let own = of_device(&all, handle, 1).into_iter();
            own.map(|one| one.id).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order("aa"), "ours newer holds theirs over");
        assert_eq!(order("bb"), order("aa"), "by either side");
        assert_eq!(order("cc"), "");
    }

    #[test]
    fn sentences_say_who_hears_whom() {
        let granted = sentence(InteractionState::Granted, true, "device 7f2c of Clinic 1");
        assert_eq!(granted, "Device 7f2c of Clinic 1 hears this device");
        let asked = sentence(InteractionState::Asked, false, "the oximeter");
        assert_eq!(asked, "This device asks to hear the oximeter");
    }

    #[test]
    fn time_is_left_while_it_is_open() {
        let holds = interaction("a", InteractionState::Granted, false, 1);
        assert_eq!(left(&holds, 3_600_000 - 600_000).as_deref(), Some("10 min"));
        assert_eq!(left(&holds, 4_000_000).as_deref(), Some("0 s"));
        let over = interaction("a", InteractionState::Ended, false, 1);
        assert_eq!(left(&over, 0), None);
    }

    #[test]
    fn what_is_not_relayed_says_why() {
        let open = relayed(&relay(RelayState::Open, 1_203, 0));
        assert_eq!(open, "1\u{202f}203 relayed");
        assert!(relayed(&relay(RelayState::Open, 5, 2)).starts_with("5 relayed, 2 dropped"));
        assert!(relayed(&relay(RelayState::CannotHear, 0, 0)).contains("cannot hear"));
        assert!(relayed(&relay(RelayState::Elsewhere, 0, 0)).contains("does not read both"));
    }

    #[test]
    fn devices_are_named_as_well_as_they_are_known() {
        let handle = "7f2c91d0aaaaaaaaaaaaaaaa0c7741ab";
        let registry = [device(handle, DeviceStanding::Suspended)];
        let here = "Oximeter".to_owned();
        assert_eq!(name_in(&registry, handle, Some(&here)), "Oximeter");
        let away = name_in(&registry, handle, None);
        assert_eq!(away, "device 7f2c91d0…0c7741ab of Clinic 1");
        assert_eq!(name_in(&[], "aa", None), "device aa");
        assert_eq!(
            registry_heading(&registry),
            "1 device is on the ledger, one suspended"
        );
        assert_eq!(registry_heading(&[]), "No device is on the ledger yet");
    }
}
