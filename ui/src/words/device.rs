//! What is said of devices: their state, their values, and what they need of a person.

use fog_api::{
    ApiError, Device, DeviceAuthentication, DeviceClass, DeviceStanding, DeviceState, Gap, Preview,
    RejectedCount, Vital,
};
use ledger_core::Quality;

use super::number::{age, count, spelled, thousands, unit};
use super::state::State;

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

/// A quality, its state and word.
#[must_use]
pub const fn quality(quality: Quality) -> (State, &'static str) {
    match quality {
        Quality::Good => (State::Ok, "Good"),
        Quality::Questionable => (State::Attention, "Questionable"),
        Quality::LowPerfusion => (State::Attention, "Low perfusion"),
        Quality::SensorOff => (State::Unknown, "Sensor off"),
        Quality::Searching => (State::Unknown, "Searching"),
        Quality::Missing => (State::Unknown, "No value"),
        Quality::SensorFault => (State::Attention, "Sensor fault"),
    }
}

/// The name of a quality in `data-quality` and in the API.
#[must_use]
pub const fn quality_key(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Questionable => "questionable",
        Quality::LowPerfusion => "low_perfusion",
        Quality::SensorOff => "sensor_off",
        Quality::Searching => "searching",
        Quality::Missing => "missing",
        Quality::SensorFault => "sensor_fault",
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

/// The range that a small line of this metric usually covers.
#[must_use]
pub fn usual_range(code: &str) -> (f32, f32) {
    match code {
        "59408-5" | "2708-6" => (90.0, 100.0),
        "8889-8" | "8867-4" => (50.0, 110.0),
        "8310-5" => (35.0, 40.0),
        "8480-6" => (90.0, 160.0),
        "8462-4" => (50.0, 100.0),
        "8478-0" => (60.0, 120.0),
        "2339-0" => (60.0, 200.0),
        "15074-8" => (3.0, 11.0),
        "8637-1" => (400.0, 1_400.0),
        "61006-3" => (0.0, 8.0),
        _ => (0.0, 100.0),
    }
}

/// A value with its unit, or a dash.
#[must_use]
pub fn value(vital: &Vital) -> String {
    vital.value.as_ref().map_or_else(
        || "–".to_owned(),
        |value| {
            let unit = unit(&vital.unit);
            if unit.is_empty() {
                value.clone()
            } else {
                format!("{value} {unit}")
            }
        },
    )
}

/// The newest values of a device on one line: `97 % · 72 /min`.
#[must_use]
pub fn newest(vitals: &[Vital]) -> String {
    if vitals.iter().all(|vital| vital.value.is_none()) {
        return vitals.first().map_or_else(
            || "none yet".to_owned(),
            |vital| quality(vital.quality).1.to_lowercase(),
        );
    }
    vitals.iter().map(value).collect::<Vec<_>>().join(" · ")
}

/// What stands below a big number: its quality where that is not good, else its range.
#[must_use]
pub fn below(quality_now: Option<Quality>, extent: Option<(f64, f64)>, period: &str) -> String {
    match (quality_now, extent) {
        (Some(Quality::Good), Some((low, high))) if low < high => {
            format!("{} to {} in the {period}", figure(low), figure(high))
        }
        (Some(Quality::Good), Some((only, _))) => format!("{} in the {period}", figure(only)),
        (Some(quality_now), _) => quality(quality_now).1.to_lowercase(),
        (None, _) => String::new(),
    }
}

/// What stands below a dash: the last value, which is no longer shown as if it were one of now.
#[must_use]
pub fn last(vital: &Vital, clock: &str) -> String {
    vital
        .value
        .as_ref()
        .map_or_else(String::new, |_| format!("last {} at {clock}", value(vital)))
}

/// A plotted value for a sentence: at most two decimals, none where they say nothing.
#[must_use]
pub fn figure(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Whether what a preview shows is likely this profile's: heard, and not mostly refused. A wrong
/// profile now and then finds a frame that fits by chance.
#[must_use]
pub const fn preview_fits(preview: &Preview) -> bool {
    preview.received > 0 && preview.rejected <= preview.received
}

/// What is wrong with a preview, in words, where something is.
#[must_use]
pub fn preview_trouble(preview: &Preview) -> Option<ApiError> {
    let live = preview.state.is_live();
    if live && preview.received > 0 && !preview_fits(preview) {
        return Some(ApiError {
            code: "UI-04".to_owned(),
            what: "Most of what arrives does not fit this profile".to_owned(),
            why: format!(
                "{} frames were refused beside {}; the values above are likely chance",
                thousands(preview.rejected),
                count(preview.received, "good reading", "good readings"),
            ),
            next: "choose another profile, and compare with the device’s own display.".to_owned(),
        });
    }
    let what = match preview.state {
        DeviceState::Streaming => return None,
        DeviceState::Connecting => "The port is being opened",
        DeviceState::NoContact => "The sensor speaks and has no value",
        DeviceState::Silent => "Nothing is heard on this port",
        DeviceState::Garbled => "What arrives is not this profile’s",
        DeviceState::Disconnected => "The port cannot be opened",
    };
    Some(ApiError {
        code: preview.reason_code.clone().unwrap_or_default(),
        what: what.to_owned(),
        why: preview.reason.clone()?,
        next: preview.next_step.clone().unwrap_or_default(),
    })
}

/// What the gap ledger adds up to, with the difference of every two figures named.
#[must_use]
pub fn account(gap: &Gap) -> (State, String) {
    let missing = gap.expected.saturating_sub(gap.received);
    let says = match (missing, gap.expected) {
        (_, 0) => return (State::Unknown, "Nothing was expected yet".to_owned()),
        (0, _) => "Every expected reading arrived".to_owned(),
        (1, _) => "1 is missing and named as a gap".to_owned(),
        (missing, _) => format!("{} are missing and named as gaps", thousands(missing)),
    };
    (State::Ok, says)
}

/// Length of a bar in percent of what was expected, and whether something is missing from it. A loss
/// is widened so that it is seen; the number carries the truth.
#[must_use]
pub fn bar(value: u64, expected: u64, refused: bool) -> (f64, bool) {
    if expected == 0 {
        return (0.0, false);
    }
    let share = (value as f64 / expected as f64 * 100.0).min(100.0);
    (share, !refused && value < expected)
}

/// Why received is less than expected.
#[must_use]
pub fn missing(gap: &Gap) -> String {
    match gap.expected.saturating_sub(gap.received) {
        0 => "none missing".to_owned(),
        missing => format!(
            "{} missing, named as {}",
            thousands(missing),
            if missing == 1 { "a gap" } else { "gaps" }
        ),
    }
}

/// Why frames were refused: `2 damaged, 1 replayed`.
#[must_use]
pub fn rejected(reasons: &[RejectedCount]) -> String {
    reasons
        .iter()
        .filter(|reason| reason.count > 0)
        .map(|reason| {
            format!(
                "{} {}",
                thousands(reason.count),
                reject_word(&reason.reason)
            )
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn reject_word(reason: &str) -> String {
    match reason {
        "checksum" | "crc" => "damaged".to_owned(),
        "replay" | "replayed" => "replayed".to_owned(),
        "forged" | "authentication" | "tag" => "not authentic".to_owned(),
        "length" | "oversized" => "of a wrong length".to_owned(),
        "suspended" | "retired" => format!("refused while {reason}"),
        "handed-over" => "refused after it was handed over".to_owned(),
        other => other.replace('_', " "),
    }
}

/// What waits between two stages.
#[must_use]
pub fn waiting(before: u64, after: u64, for_what: &str) -> String {
    match before.saturating_sub(after) {
        0 => "none waiting".to_owned(),
        waiting => format!("{} wait for {for_what}", thousands(waiting)),
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

    fn vital(value: Option<&str>, unit: &str, quality: Quality) -> Vital {
        Vital {
            code: "59408-5".to_owned(),
            label: "SpO₂".to_owned(),
            unit: unit.to_owned(),
            value: value.map(str::to_owned),
            quality,
            time: 0,
        }
    }

    /// A missing value is a quality, never a number.
    #[test]
    fn values_are_said_with_their_unit_or_their_absence() {
        let good = vital(Some("97"), "%", Quality::Good);
        let pulse = vital(Some("72"), "/min", Quality::Good);
        let out = vital(None, "%", Quality::SensorOff);
        assert_eq!(newest(&[good.clone(), pulse]), "97 % · 72 /min");
        assert_eq!(newest(&[good, out.clone()]), "97 % · –");
        assert_eq!(newest(&[out]), "sensor off");
        assert_eq!(newest(&[]), "none yet");
        assert_eq!(
            last(&vital(Some("97"), "%", Quality::Good), "14:02:10"),
            "last 97 % at 14:02:10"
        );
        assert_eq!(last(&vital(None, "%", Quality::Missing), "14:02:10"), "");
    }

    /// A doubtful value says so before it says its range.
    #[test]
    fn below_a_number() {
        assert_eq!(figure(4.600_000_000_000_000_5), "4.6");
        assert_eq!(figure(100.0), "100");
        let extent = Some((94.0, 97.5));
        assert_eq!(
            below(Some(Quality::Good), extent, "last hour"),
            "94 to 97.5 in the last hour"
        );
        assert_eq!(
            below(Some(Quality::LowPerfusion), extent, "last hour"),
            "low perfusion"
        );
        assert_eq!(below(None, None, "last hour"), "");
    }

    /// A wrong profile that finds a frame by chance is not taken for the right one.
    #[test]
    fn chance_is_not_a_profile() {
        let mut preview = Preview {
            id: String::new(),
            path: String::new(),
            profile: String::new(),
            state: DeviceState::Streaming,
            reason: None,
            next_step: None,
            reason_code: None,
            vitals: Vec::new(),
            received: 591,
            rejected: 3_351,
            wave: None,
        };
        assert!(!preview_fits(&preview));
        assert_eq!(
            preview_trouble(&preview).map(|words| words.code).as_deref(),
            Some("UI-04")
        );
        preview.rejected = 2;
        assert!(preview_fits(&preview) && preview_trouble(&preview).is_none());
        preview.received = 0;
        preview.state = DeviceState::Silent;
        preview.reason = Some("nobody speaks".to_owned());
        assert!(!preview_fits(&preview));
        assert_eq!(
            preview_trouble(&preview).map(|words| words.why).as_deref(),
            Some("nobody speaks")
        );
    }

    /// Every difference between two figures of the ledger has a name.
    #[test]
    fn differences_have_names() {
        let gap = Gap {
            expected: 1_200,
            received: 1_040,
            rejected: 4,
            sealed: 1_040,
            anchored: 1_000,
            finalized: 1_000,
        };
        assert_eq!(missing(&gap), "160 missing, named as gaps");
        assert_eq!(account(&gap).1, "160 are missing and named as gaps");
        assert_eq!(
            waiting(gap.sealed, gap.anchored, "the next batch"),
            "40 wait for the next batch"
        );
        assert_eq!(waiting(5, 5, "x"), "none waiting");
        assert_eq!(account(&Gap::default()).0, State::Unknown);
        let reasons = [
            RejectedCount {
                reason: "checksum".to_owned(),
                count: 2,
            },
            RejectedCount {
                reason: "replay".to_owned(),
                count: 0,
            },
            RejectedCount {
                reason: "bad_sync".to_owned(),
                count: 1,
            },
        ];
        assert_eq!(rejected(&reasons), "2 damaged, 1 bad sync");
    }

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
