//! What a person has: an authenticator app (RFC 6238) and ten recovery codes.
//!
//! SHA-1, six digits, 30 seconds: what every app can, and safe here, since HMAC does not need a hash without
//! collisions. One step early or late is accepted, so that clocks may differ by half a minute. A step is
//! accepted once: its number is kept with the person, and none up to it counts again, also after a restart.
//!
//! A recovery code has 80 random bits, so a plain hash of it can be kept; each opens once in place of the
//! app's code.

use ledger_core::Digest;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::person::PersonId;
use crate::keystore::random;
use crate::vault::seal::SealError;

/// Recovery codes that are made at once.
pub const RECOVERY_CODES: usize = 10;
/// Crockford's base 32: digits and letters without I, L, O and U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_BYTES: usize = 10;
/// Longest code that is looked at, in characters.
const MAX_CODE: usize = 32;

/// What the app and this node know: 160 bits (RFC 4226, section 4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct AppSecret([u8; 20]);

impl AppSecret {
    /// A fresh one.
    ///
    /// # Errors
    /// [`SealError::Randomness`].
    pub fn generate() -> Result<Self, SealError> {
        random().map(Self).map_err(|_| SealError::Randomness)
    }

    fn totp(&self, issuer: &str, account: &str) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(30)
            .with_secret(self.0.to_vec())
            .with_account_name(account)
            .with_issuer(Some(issuer))
            .build_noncompliant()
    }

    /// The step whose code this is, at `now` in Unix seconds; none if it is not after `last_step`.
    #[must_use]
    pub fn step_of(&self, code: &str, now: u64, last_step: u64) -> Option<u64> {
        let step = self.totp("", "").check(code, now)?;
        (step > last_step).then_some(step)
    }

    /// The `otpauth://` address for an app; colons part its label, so names have none.
    ///
    /// # Errors
    /// If `account` is empty.
    pub fn address(&self, issuer: &str, account: &str) -> anyhow::Result<String> {
        let totp = self.totp(&issuer.replace(':', " "), &account.replace(':', " "));
        totp.to_url().map_err(|error| anyhow::anyhow!("{error}"))
    }
}

/// Recovery codes as they are shown, and what is kept of them.
pub type RecoveryCodes = (Vec<String>, Vec<Digest>);

/// Ten fresh recovery codes of a person.
///
/// # Errors
/// [`SealError::Randomness`].
pub fn recovery_codes(person: PersonId) -> Result<RecoveryCodes, SealError> {
    let make = |_| {
        let code = Zeroizing::new(random::<CODE_BYTES>().map_err(|_| SealError::Randomness)?);
        let shown = spelled(&code);
        let kept = recovery_digest(person, &shown).ok_or(SealError::Malformed)?;
        Ok((shown, kept))
    };
    let codes: Result<Vec<_>, SealError> = (0..RECOVERY_CODES).map(make).collect();
    Ok(codes?.into_iter().unzip())
}

/// Sixteen letters in groups of four.
fn spelled(code: &[u8; CODE_BYTES]) -> String {
    let number = code
        .iter()
        .fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    let letter = |at: u32| char::from(LETTERS[(number >> (75 - 5 * at)) as usize & 31]);
    let groups = (0..4).map(|group| (0..4).map(|at| letter(group * 4 + at)).collect());
    groups.collect::<Vec<String>>().join("-")
}

/// What is kept of a code, as a person may type it; `None` for what is none.
fn recovery_digest(person: PersonId, typed: &str) -> Option<Digest> {
    if typed.chars().count() > MAX_CODE {
        return None;
    }
    let letters = typed.chars().filter(|letter| !"- ".contains(*letter));
    let letters = letters.map(|letter| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        letter => letter,
    });
    let code = Zeroizing::new(letters.collect::<String>());
    let is_code = code.len() == 16 && code.bytes().all(|byte| LETTERS.contains(&byte));
    is_code.then(|| Digest::tagged("fogward recovery code", &[&person.0, code.as_bytes()]))
}

/// Which of the kept recovery codes this is.
#[must_use]
pub fn find_recovery(person: PersonId, typed: &str, kept: &[Digest]) -> Option<usize> {
    let digest = recovery_digest(person, typed)?;
    kept.iter()
        .position(|one| bool::from(one.0.ct_eq(&digest.0)))
}

#[cfg(test)]
mod tests {
    //! Goal: codes are those of RFC 6238, count once and only in their window; recovery codes are found as
    //! people type them. Method: the vectors of RFC 6238, appendix B (SHA-1, cut to six digits), and what
    //! fingers do.

    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc_and_count_once() {
        let secret = AppSecret(*b"12345678901234567890");
        let vectors = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (now, code) in vectors {
            let step = now / 30;
            assert_eq!(secret.step_of(code, now, 0), Some(step), "{now}");
            for (other, found) in [(now - 30, true), (now + 30, true), (now + 60, false)] {
                assert_eq!(secret.step_of(code, other, 0).is_some(), found, "{other}");
            }
            assert_eq!(secret.step_of(code, now, step), None, "used");
            assert!(secret.step_of(code, now, step - 1).is_some());
        }
        for nothing in ["", "28708", "2870822", "28708x", "٢٨٧٠٨٢", "287082\0"] {
            assert_eq!(secret.step_of(nothing, 59, 0), None, "{nothing:?}");
        }
    }

    #[test]
    fn the_address_is_one_apps_read() {
        let address = AppSecret([0; 20]).address("Fogward Ward:3", "anna");
        let address = address.unwrap();
        assert_eq!(
            address,
            "otpauth://totp/Fogward%20Ward%203:anna?secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
             &issuer=Fogward%20Ward%203"
        );
    }

    #[test]
    fn recovery_codes_are_found_as_typed() {
        let (me, other) = (PersonId([7; 16]), PersonId([8; 16]));
        let (shown, kept) = recovery_codes(me).unwrap();
        assert_eq!((shown.len(), kept.len()), (RECOVERY_CODES, RECOVERY_CODES));
        for (at, code) in shown.iter().enumerate() {
            assert_eq!(code.len(), 19);
            let typed = code.to_lowercase().replace('-', " ").replace('1', "l");
            for typed in [code.clone(), typed, code.replace('0', "o")] {
                assert_eq!(find_recovery(me, &typed, &kept), Some(at), "{typed}");
            }
            assert_eq!(find_recovery(other, code, &kept), None);
        }
        for nothing in [
            "",
            "0000-0000-0000-000",
            "UUUU-UUUU-UUUU-UUUU",
            &"0".repeat(4096),
        ] {
            assert_eq!(find_recovery(me, nothing, &kept), None);
        }
        assert_eq!(spelled(&[0xff; CODE_BYTES]), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        assert_eq!(spelled(&[0; CODE_BYTES]), "0000-0000-0000-0000");
    }
}
