//! One-time codes as they are typed: in groups of four. Whether one is right is not known here.

use fog_api::ProvisioningStage;

/// Letters of a code.
pub const LETTERS: usize = 28;

/// How many letters and digits there are.
#[must_use]
pub fn letters(text: &str) -> usize {
    text.chars().filter(|sign| sign.is_alphanumeric()).count()
}

/// The letters and digits, large, in groups of four with hyphens.
#[must_use]
pub fn grouped(text: &str) -> String {
    let signs = text.chars().filter(|sign| sign.is_alphanumeric());
    let mut groups = String::new();
    for (at, sign) in signs.enumerate() {
        if at > 0 && at % 4 == 0 {
            groups.push('-');
        }
        groups.push(sign.to_ascii_uppercase());
    }
    groups
}

/// How far a pairing by a code is, while it goes on.
#[must_use]
pub const fn progress(stage: Option<ProvisioningStage>) -> &'static str {
    match stage {
        None | Some(ProvisioningStage::Listening) => {
            "1 of 3: listening for the device. Leave it switched on."
        }
        Some(ProvisioningStage::Answered) => "2 of 3: the device was heard and is sent its key.",
        Some(ProvisioningStage::Proven) => "3 of 3: the device has proven its key.",
    }
}

#[cfg(test)]
mod tests {
    //! Goal: groups appear while one types, pastes and deletes. Method: examples.

    use super::*;

    #[test]
    fn letters_are_grouped_by_four() {
        for (typed, shown) in [
            ("", ""),
            ("000g", "000G"),
            ("000g4", "000G-4"),
            ("000G-", "000G"),
            (" 000g 40r4-0m30 ", "000G-40R4-0M30"),
            ("ä-b", "äB"),
        ] {
            assert_eq!(grouped(typed), shown, "{typed}");
        }
        assert_eq!(letters("000G-40R4-0M30-E209-185G-R38E-1W0H"), LETTERS);
    }
}
