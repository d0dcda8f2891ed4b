//! What is said of devices nearby.

use fog_api::FoundDevice;

use super::state::State;

/// What it is, for a heading: its own name, or what it measures.
#[must_use]
pub fn title(device: &FoundDevice) -> String {
    let named = device.name.clone();
    let measures = device.services.first().filter(|_| device.measures);
    named
        .or_else(|| measures.cloned())
        .unwrap_or_else(|| "Nameless device".to_owned())
}

/// Whether an adapter is switched on, as a state with its word.
#[must_use]
pub const fn adapter_state(is_on: bool) -> (State, &'static str) {
    match is_on {
        true => (State::Ok, "On"),
        false => (State::Offline, "Switched off"),
    }
}

/// Whether it is known how to read it.
#[must_use]
pub fn known(device: Option<&FoundDevice>) -> (State, &'static str) {
    match device {
        Some(device) if device.measures => (State::Ok, "Known profile"),
        _ => (State::Unknown, "Needs its key or code"),
    }
}

/// How strong its signal is and what that means.
#[must_use]
pub fn signal(dbm: Option<i16>) -> String {
    dbm.map_or_else(
        || "Bluetooth · signal not told".to_owned(),
        |dbm| format!("Bluetooth · {}", strength(dbm)),
    )
}

/// A signal with its word. The distance that belongs to it depends on walls and bodies, so none is said.
#[must_use]
pub fn strength(dbm: i16) -> String {
    let word = match dbm {
        -60.. => "very near",
        -75..=-61 => "near",
        -88..=-76 => "far",
        _ => "very far",
    };
    format!("−{} dBm, {word}", dbm.unsigned_abs())
}

/// What it says it does, in one line.
#[must_use]
pub fn services(device: &FoundDevice) -> String {
    match device.services.is_empty() {
        true => "Says nothing of what it measures".to_owned(),
        false => device.services.join(", "),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: each device has a title and a signal in words. Method: examples.

    use super::*;

    fn found(name: Option<&str>, services: &[&str]) -> FoundDevice {
        FoundDevice {
            address: "C4:F2:17:1A:1D:01".into(),
            name: name.map(str::to_owned),
            services: services.iter().map(|&service| service.to_owned()).collect(),
            measures: !services.is_empty(),
            has_line: false,
            can_show_itself: false,
            signal_dbm: None,
            first_seen: 0,
            last_seen: 0,
            paired_as: None,
        }
    }

    #[test]
    fn devices_have_a_title_and_a_signal() {
        let cuff = found(None, &["Blood pressure", "Battery"]);
        assert_eq!(title(&cuff), "Blood pressure");
        assert_eq!(services(&cuff), "Blood pressure, Battery");
        assert_eq!(title(&found(Some("Cuff 7"), &[])), "Cuff 7");
        assert_eq!(title(&found(None, &[])), "Nameless device");
        for (dbm, words) in [
            (-40, "−40 dBm, very near"),
            (-61, "−61 dBm, near"),
            (-76, "−76 dBm, far"),
            (-89, "−89 dBm, very far"),
        ] {
            assert_eq!(strength(dbm), words);
        }
        let mut pod = found(None, &[]);
        pod.has_line = true;
        assert_eq!(known(Some(&pod)).0, State::Unknown);
        assert_eq!(known(Some(&cuff)).0, State::Ok);
        assert_eq!(signal(None), "Bluetooth · signal not told");
    }
}
