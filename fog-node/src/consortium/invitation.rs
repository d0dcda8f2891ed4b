//! Invitations: what a hospital hands another so that its node finds the consortium and may knock.
//!
//! An invitation is text, `fogward-invitation-1:` and base32 digits (RFC 4648, no padding), so that it fits
//! a file, a mail and an alphanumeric QR code alike:
//!
//! ```text
//! postcard(Terms) ‖ signature of the inviting node over "fogward/invitation/1" ‖ 0x00 ‖ postcard(Terms)
//! ```
//!
//! It is a bearer's paper: who holds it may ask to be admitted, once, until it expires. It admits nobody;
//! the consortium's votes do. The genesis is not in it but its digest is, so the joiner knows the right
//! one when it gets it.

use std::fmt;
use std::str::FromStr;

use ledger_core::{ChainId, PublicKey, SecretKey, Signature, canonical};
use serde::{Deserialize, Serialize};

/// How an invitation begins.
const PREFIX: &str = "fogward-invitation-1:";
const SIGNING_TAG: &[u8] = b"fogward/invitation/1\0";
/// Most peers an invitation names; others are learned later.
pub const MAX_PEERS: usize = 4;
/// Longest invitation in bytes, before base32.
const MAX_BYTES: usize = 2048;
/// Longest name of a consortium, an organisation or a node in bytes.
const MAX_NAME_BYTES: usize = 256;
/// Longest network address in bytes.
const MAX_ADDRESS_BYTES: usize = 128;

/// A secret that is neither shown nor logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, zeroize::Zeroize)]
pub struct Token(pub [u8; 32]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A node of the consortium as the inviter knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KnownPeer {
    /// The key it votes with and is reached under.
    pub key: PublicKey,
    /// Where it listens, `host:port`.
    pub address: String,
}

/// What the inviter offers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// Number of the invitation, random; the door knows it by this.
    pub id: [u8; 16],
    /// The chain: the digest of the genesis.
    pub chain: ChainId,
    /// The consortium's name.
    pub consortium: String,
    /// The inviting organisation's name.
    pub inviter: String,
    /// Whether the joiner becomes a node of the inviting organisation instead of a new organisation.
    pub same_organisation: bool,
    /// Nodes of the consortium.
    pub peers: Vec<KnownPeer>,
    /// Where to knock, `host:port`.
    pub door: String,
    /// The door's X25519 key.
    pub door_key: [u8; 32],
    /// What the knocker proves to hold.
    pub token: Token,
    /// When it ends, in Unix milliseconds.
    pub expires: u64,
}

/// An invitation whose signature holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// What is offered.
    pub terms: Terms,
    /// The node that signed it.
    pub signer: PublicKey,
    signature: Signature,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    terms: Terms,
    signer: PublicKey,
    signature: Signature,
}

/// Why a text is no invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// Something else.
    #[error("this is no invitation; copy all of it, from “fogward-invitation-1:” on")]
    Malformed,
    /// Changed or cut on the way.
    #[error("the invitation was changed on its way; ask for it again")]
    Signature,
}

impl Invitation {
    /// Signs `terms`.
    #[must_use]
    pub fn sign(terms: Terms, key: &SecretKey) -> Self {
        let signature = key.sign(&signed_bytes(&terms));
        Self {
            terms,
            signer: key.public(),
            signature,
        }
    }

    /// Whether it has ended at `now`, in Unix milliseconds.
    #[must_use]
    pub const fn has_expired(&self, now: u64) -> bool {
        self.terms.expires <= now
    }
}

fn signed_bytes(terms: &Terms) -> Vec<u8> {
    [SIGNING_TAG, &canonical::encode(terms)].concat()
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = canonical::encode(&Signed {
            terms: self.terms.clone(),
            signer: self.signer,
            signature: self.signature,
        });
        write!(f, "{PREFIX}{}", base32(&bytes))
    }
}

impl FromStr for Invitation {
    type Err = InvitationError;

    /// Reads an invitation; case, spaces and line breaks do not matter.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > 8 * MAX_BYTES {
            return Err(InvitationError::Malformed);
        }
        let text: String = text.split_whitespace().collect();
        let lower = text.to_ascii_lowercase();
        let digits = lower
            .strip_prefix(PREFIX)
            .ok_or(InvitationError::Malformed)?;
        let bytes = unbase32(digits).ok_or(InvitationError::Malformed)?;
        let signed: Signed =
            canonical::decode(&bytes, MAX_BYTES).map_err(|_| InvitationError::Malformed)?;
        let terms = &signed.terms;
        let names = [&terms.consortium, &terms.inviter];
        let addresses = terms.peers.iter().map(|peer| &peer.address);
        let is_bounded = terms.peers.len() <= MAX_PEERS
            && names.iter().all(|name| name.len() <= MAX_NAME_BYTES)
            && addresses
                .chain([&terms.door])
                .all(|address| address.len() <= MAX_ADDRESS_BYTES);
        if !is_bounded {
            return Err(InvitationError::Malformed);
        }
        signed
            .signer
            .verify(&signed_bytes(terms), &signed.signature)
            .map_err(|_| InvitationError::Signature)?;
        Ok(Self {
            terms: signed.terms,
            signer: signed.signer,
            signature: signed.signature,
        })
    }
}

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// RFC 4648 base32 in lower case, without padding.
fn base32(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0u32, 0u32);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            digits.push(digit(held >> bits));
        }
    }
    if bits > 0 {
        digits.push(digit(held << (5 - bits)));
    }
    digits
}

fn digit(value: u32) -> char {
    char::from(ALPHABET[(value & 31) as usize])
}

/// The bytes of base32 digits in lower case, if they are the one way to write them.
fn unbase32(digits: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() * 5 / 8);
    let (mut held, mut bits) = (0u32, 0u32);
    for digit in digits.bytes() {
        let value = match digit {
            b'a'..=b'z' => digit - b'a',
            b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        held = held << 5 | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    (bits < 5 && held == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    //! Goal: an invitation survives paper and mail, and no other text passes for one. Method: round
    //! trips, the vectors of RFC 4648, every flipped character, arbitrary text.
    use super::*;
    use ledger_core::Digest;
    use proptest::prelude::*;

    fn invitation() -> Invitation {
        let terms = Terms {
            id: [7; 16],
            chain: ChainId(Digest([3; 32])),
            consortium: "Harbour consortium".into(),
            inviter: "Harbour General".into(),
            same_organisation: false,
            peers: vec![KnownPeer {
                key: SecretKey::from_seed(&[1; 32]).public(),
                address: "192.0.2.7:7401".into(),
            }],
            door: "192.0.2.7:7402".into(),
            door_key: [9; 32],
            token: Token([5; 32]),
            expires: 1_800_000_000_000,
        };
        Invitation::sign(terms, &SecretKey::from_seed(&[2; 32]))
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (bytes, digits) in [
            ("", ""),
            ("f", "my"),
            ("foo", "mzxw6"),
            ("foob", "mzxw6yq"),
            ("fooba", "mzxw6ytb"),
            ("foobar", "mzxw6ytboi"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), digits);
            assert_eq!(unbase32(digits).as_deref(), Some(bytes.as_bytes()));
        }
        // Digits that are left over, or bits that are not zero, write nothing.
        for wrong in ["a", "mz", "mzxw6y", "m0", "my======"] {
            assert_eq!(unbase32(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn paper_and_mail_do_not_harm_it() {
        let invitation = invitation();
        let text = invitation.to_string();
        assert_eq!(text.parse(), Ok(invitation.clone()));
        let mailed = format!("  {}\r\n{}\n", &text[..60], text[60..].to_uppercase());
        assert_eq!(mailed.parse(), Ok(invitation.clone()));
        assert!(invitation.has_expired(1_800_000_000_000));
        assert!(!invitation.has_expired(1_799_999_999_999));
        assert!(
            !format!("{invitation:?}").contains("5, 5"),
            "the token is shown"
        );
    }

    #[test]
    fn a_changed_character_is_noticed() {
        let text = invitation().to_string();
        for at in PREFIX.len()..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed.parse::<Invitation>().is_err(), "{at}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(text.parse::<Invitation>().is_err());
            let text = format!("{PREFIX}{}", base32(&bytes));
            prop_assert!(text.parse::<Invitation>().is_err());
        }
    }
}
