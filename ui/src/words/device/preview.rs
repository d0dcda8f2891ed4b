//! What is said of the look at a sensor before it is paired.

use fog_api::{ApiError, DeviceState, Preview};

use crate::words::number::{count, thousands};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
