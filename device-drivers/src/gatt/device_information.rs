//! What a device says of itself: Device Information Service 1.2 (strings 2A24 to 2A29, System ID 2A23,
//! PnP ID 2A50) and Battery Level 2A19.
//!
//! Strings are UTF-8 by specification. What is not becomes U+FFFD; characters that control a terminal or
//! turn the direction of reading are dropped; 64 characters are enough. So a device can neither fill a
//! screen or a log, nor look like another. The regulatory certification list (2A2A) is left out.

use crate::gatt::reader::{DecodeError, Reader};

/// The longest text taken, in characters.
pub const MAX_TEXT: usize = 64;

/// A text of the Device Information Service, as it may be shown; `None` when nothing is left of it.
#[must_use]
pub fn text(value: &[u8]) -> Option<String> {
    let shown: String = String::from_utf8_lossy(value)
        .chars()
        .filter(|&letter| !letter.is_control() && !is_invisible(letter))
        .take(MAX_TEXT)
        .collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

/// Marks that have no width or change the direction of what follows.
const fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// System ID 2A23: an EUI-64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SystemId(pub [u8; 8]);

impl SystemId {
    /// Decodes 2A23; sent with the last octet first.
    ///
    /// # Errors
    /// The value is not eight bytes.
    pub fn decode(value: &[u8]) -> Result<SystemId, DecodeError> {
        let mut reader = Reader::new(value);
        let mut octets: [u8; 8] = reader.array("system id")?;
        reader.end(0)?;
        octets.reverse();
        Ok(SystemId(octets))
    }

    /// The id as 16 hex digits, the organisation's first.
    #[must_use]
    pub fn to_hex(self) -> String {
        format!("{:016x}", u64::from_be_bytes(self.0))
    }
}

/// Who gave out a vendor's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VendorIdSource {
    /// The Bluetooth SIG.
    Bluetooth,
    /// The USB Implementer's Forum.
    Usb,
    /// A value kept for later (0, and 3 to 255).
    Reserved(u8),
}

/// PnP ID 2A50: which product of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PnpId {
    /// Who gave out `vendor`.
    pub source: VendorIdSource,
    /// The vendor.
    pub vendor: u16,
    /// The vendor's number of the product.
    pub product: u16,
    /// The vendor's number of its version.
    pub version: u16,
}

impl PnpId {
    /// Decodes 2A50.
    ///
    /// # Errors
    /// The value is not seven bytes.
    pub fn decode(value: &[u8]) -> Result<PnpId, DecodeError> {
        let mut reader = Reader::new(value);
        let id = PnpId {
            source: match reader.u8("vendor id source")? {
                1 => VendorIdSource::Bluetooth,
                2 => VendorIdSource::Usb,
                reserved => VendorIdSource::Reserved(reserved),
            },
            vendor: reader.u16("vendor id")?,
            product: reader.u16("product id")?,
            version: reader.u16("product version")?,
        };
        reader.end(0)?;
        Ok(id)
    }
}

/// Battery Level 2A19, in percent, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatteryLevel(pub u8);

impl BatteryLevel {
    /// Decodes 2A19.
    ///
    /// # Errors
    /// The value is not one byte, or reserved (101 to 255).
    pub fn decode(value: &[u8]) -> Result<BatteryLevel, DecodeError> {
        let mut reader = Reader::new(value);
        let percent = reader.u8("battery level")?;
        reader.end(0)?;
        (percent <= 100)
            .then_some(BatteryLevel(percent))
            .ok_or(DecodeError::Invalid("battery level"))
    }
}
