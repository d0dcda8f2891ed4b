//! Which peripheral is meant.
//!
//! Linux and Windows name a peripheral by its Bluetooth device address (Core Specification, Vol 6,
//! Part B, 1.3), macOS by an identifier of its own that holds on one computer only. It leaves out
//! private addresses that change: once bonded, the system resolves them to the identity address.

use btleplug::api::{BDAddr, Peripheral as _};
use btleplug::platform::Peripheral;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// A peripheral's address, as `C4:F2:17:1A:1D:BB`, or what the system calls it instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeripheralAddress(String);

/// The text is neither a Bluetooth address nor a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Bluetooth address is six pairs of hexadecimal digits, such as C4:F2:17:1A:1D:BB")]
pub struct NotAnAddress;

impl PeripheralAddress {
    /// The address of what the system found.
    pub(super) fn of(peripheral: &Peripheral) -> PeripheralAddress {
        let address = peripheral.address();
        if address == BDAddr::default() {
            PeripheralAddress(peripheral.id().to_string().to_uppercase())
        } else {
            PeripheralAddress(address.to_string())
        }
    }

    /// As text, in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PeripheralAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<PeripheralAddress, NotAnAddress> {
        let has_form = |separator, lengths: &[usize]| {
            let parts: Vec<&str> = text.split(separator).collect();
            parts.len() == lengths.len()
                && parts.iter().zip(lengths).all(|(part, length)| {
                    part.len() == *length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
                })
        };
        if has_form(':', &[2; 6]) || has_form('-', &[8, 4, 4, 4, 12]) {
            Ok(PeripheralAddress(text.to_uppercase()))
        } else {
            Err(NotAnAddress)
        }
    }
}

impl TryFrom<String> for PeripheralAddress {
    type Error = NotAnAddress;

    fn try_from(text: String) -> Result<PeripheralAddress, NotAnAddress> {
        text.parse()
    }
}

impl From<PeripheralAddress> for String {
    fn from(address: PeripheralAddress) -> String {
        address.0
    }
}

impl fmt::Display for PeripheralAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    //! Goal: only addresses are addresses. Method: texts of both forms and near misses.
    use super::PeripheralAddress;

    #[test]
    fn both_forms_are_read_and_nothing_else() {
        for (text, read) in [
            ("c4:f2:17:1a:1d:bb", Some("C4:F2:17:1A:1D:BB")),
            (
                "6f1a3c9e-0000-4000-8000-00805f9b34fb",
                Some("6F1A3C9E-0000-4000-8000-00805F9B34FB"),
            ),
            ("", None),
            ("c4:f2:17:1a:1d", None),
            ("c4:f2:17:1a:1d:b", None),
            ("c4:f2:17:1a:1d:+b", None),
            ("c4:f2:17:1a:1d:é", None),
            ("6f1a3c9e-0000-4000-8000", None),
        ] {
            let address = text.parse::<PeripheralAddress>().ok();
            assert_eq!(
                address.as_ref().map(PeripheralAddress::as_str),
                read,
                "{text}"
            );
        }
    }
}
