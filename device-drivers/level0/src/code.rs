//! The one-time code of a device that was not paired yet: printed as a QR code, or typed.
//!
//! ```text
//! 128 random bits · CRC-12/DECT of them ─▶ 28 letters of 5 bits, in groups of 4
//! ```
//!
//! 128 bits, because whoever recorded the pairing can try codes for as long as he likes. The check
//! finds every wrong letter and every two neighbours swapped: both are errors within 10 bits, and a
//! CRC of 12 finds all within 12. The letters are Crockford's: no I, L, O and U; I and L are read as
//! 1 and O as 0, large or small. It leaves out drawing the QR code.

use crate::ascon;
use crate::key::PairingKey;
use core::fmt;
#[cfg(feature = "host")]
use core::str::FromStr;
#[cfg(feature = "host")]
use crc::{CRC_12_DECT, Crc, NoTable};
use zeroize::Zeroize;

#[cfg(feature = "host")]
const CRC: Crc<u16, NoTable> = Crc::<u16, NoTable>::new(&CRC_12_DECT);
#[cfg(feature = "host")]
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a code, without the hyphens.
#[cfg(feature = "host")]
const LENGTH: usize = 28;
#[cfg(feature = "host")]
const CHECK_BITS: u32 = 12;

/// The secret that a device was made with, to hand it its real key. Good for one pairing.
#[derive(Clone)]
pub struct PairingCode([u8; 16]);

impl PairingCode {
    /// A code from 16 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> PairingCode {
        PairingCode(bytes)
    }

    /// The keys of the pairing's frames: for each direction the Ascon tag of nothing under the code,
    /// with the direction's letter as the nonce.
    pub(crate) fn keys(&self) -> PairingKey {
        let mut keys = [0; 32];
        for (key, letter) in keys.as_chunks_mut().0.iter_mut().zip(b"DH") {
            ascon::write_tag(&self.0, &[*letter; 16], &[], key);
        }
        let pairing = PairingKey::from_bytes(keys);
        keys.zeroize();
        pairing
    }

    /// The text to print and to type; as secret as the code.
    #[cfg(feature = "host")]
    #[must_use]
    pub fn to_text(&self) -> heapless::String<34> {
        let check = u128::from(CRC.checksum(&self.0));
        let code = u128::from_be_bytes(self.0);
        let mut text = heapless::String::new();
        for index in 0..LENGTH {
            // 140 bits are too many for one number: the last letters hold the end of the code too.
            let bits = match 5 * (LENGTH - 1 - index) as u32 {
                below @ 0..CHECK_BITS => (code << CHECK_BITS | check) >> below,
                above => code >> (above - CHECK_BITS),
            };
            let letter = char::from(LETTERS[(bits % 32) as usize]);
            let hyphen = (index > 0 && index % 4 == 0).then_some('-');
            for letter in hyphen.into_iter().chain([letter]) {
                let _ = text.push(letter);
            }
        }
        text
    }
}

impl Drop for PairingCode {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingCode(secret)")
    }
}

/// The text is no code. Says nothing of the text itself.
#[cfg(feature = "host")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeError {
    /// A sign that is in no code, as the so-manieth letter, from 1 on.
    Sign(usize),
    /// So many letters.
    Length(usize),
    /// A letter is wrong, or two were swapped.
    Check,
}

#[cfg(feature = "host")]
impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodeError::Sign(place) => write!(f, "letter {place} is in no pairing code"),
            CodeError::Length(letters) => {
                write!(f, "a pairing code has {LENGTH} letters, this one {letters}")
            }
            CodeError::Check => f.write_str("the pairing code is mistyped"),
        }
    }
}

#[cfg(feature = "host")]
impl core::error::Error for CodeError {}

#[cfg(feature = "host")]
impl FromStr for PairingCode {
    type Err = CodeError;

    /// Reads what [`PairingCode::to_text`] writes; blanks and hyphens may stand anywhere.
    fn from_str(text: &str) -> Result<PairingCode, CodeError> {
        let mut code: u128 = 0;
        let mut check: u128 = 0;
        let mut letters = 0;
        for sign in text.chars() {
            if sign.is_whitespace() || sign == '-' {
                continue;
            }
            letters += 1;
            let letter = match sign.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                other => other,
            };
            let value = LETTERS
                .iter()
                .position(|known| char::from(*known) == letter);
            let value = value.ok_or(CodeError::Sign(letters))? as u128;
            // The first 128 bits are the code: 25 letters and 3 bits of the next.
            match letters {
                ..=25 => code = code << 5 | value,
                26 => {
                    code = code << 3 | value >> 2;
                    check = value & 3;
                }
                _ => check = (check << 5 | value) & 0xfff,
            }
        }
        let code = PairingCode(code.to_be_bytes());
        if letters != LENGTH {
            Err(CodeError::Length(letters))
        } else if u128::from(CRC.checksum(&code.0)) == check {
            Ok(code)
        } else {
            Err(CodeError::Check)
        }
    }
}
