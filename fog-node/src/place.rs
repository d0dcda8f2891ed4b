//! Where devices are used: the bed that staff say a device is at.
//!
//! The vault alone holds it. The ledger hears nothing of it, and a device that is handed over takes no place
//! with it.

use fog_api::{Device, Place, PlaceDevice};

use crate::failure::Failure;
use crate::ingest::Item;
use crate::node::Node;

/// Longest name of a ward in characters.
const MAX_WARD: usize = 16;
/// Longest name of a bed in characters: too short for a patient's name and what it is read from afar.
const MAX_BED: usize = 8;

impl Node {
    /// Says where a device is used from now on; answers once that is durable.
    ///
    /// # Errors
    /// [`Failure`] if there is no such device, the place cannot be one, or the node is stopping.
    pub async fn place_device(&self, id: &str, asked: PlaceDevice) -> Result<Device, Failure> {
        let (index, _) = self.find_device(id)?;
        let place = asked.place.as_ref().map(checked).transpose()?;
        self.until_durable(|done| Item::Place(index, place, done))
            .await?;
        self.look_again(&mut None)?;
        self.device(id)
    }
}

/// The place without blanks around its names, if both can be read on a wall.
fn checked(place: &Place) -> Result<Place, Failure> {
    let name = |text: &str, most: usize| {
        let text = text.trim();
        let is_printed = |letter: char| letter.is_alphanumeric() || " -./".contains(letter);
        let is_name = (1..=most).contains(&text.chars().count()) && text.chars().all(is_printed);
        is_name.then(|| text.to_owned())
    };
    let named = name(&place.ward, MAX_WARD).zip(name(&place.bed, MAX_BED));
    let (ward, bed) = named.ok_or_else(|| {
        Failure::new(
            400,
            "DEV-09",
            "The bed was not noted.",
            format!(
                "A ward has 1 to {MAX_WARD} characters and a bed 1 to {MAX_BED}: letters, digits, \
                 blanks, hyphens, dots and slashes."
            ),
            "Give the ward and the bed as the doors say them, never the name of a patient.",
        )
    })?;
    Ok(Place { ward, bed })
}

#[cfg(test)]
mod tests {
    //! Goal: what is shown from afar is short and printable, and a refusal repeats nothing of it. Method:
    //! names at their bounds and beyond.

    use super::*;

    fn place(ward: &str, bed: &str) -> Place {
        Place {
            ward: ward.to_owned(),
            bed: bed.to_owned(),
        }
    }

    #[test]
    fn places_are_short_and_printable() {
        assert_eq!(checked(&place(" 3A ", "09")).unwrap(), place("3A", "09"));
        assert!(checked(&place("Ward 3/A Nord-1.", "12345678")).is_ok());
        assert!(checked(&place("Säuglinge", "ط ٣")).is_ok());
        for (ward, bed) in [
            ("", "09"),
            ("3A", "  "),
            ("12345678901234567", "1"),
            ("3A", "123456789"),
            ("3A", "0\n9"),
            ("3\u{202e}A", "9"),
            ("<b>", "9"),
        ] {
            let refusal = checked(&place(ward, bed)).unwrap_err();
            assert_eq!(refusal.error.code, "DEV-09", "{ward:?} {bed:?}");
        }
        let shown = format!("{:?}", place("3A", "09"));
        assert!(!shown.contains("3A") && !shown.contains("09"), "{shown}");
    }
}
