//! Ascon-AEAD128 (NIST SP 800-232) used as a message authentication code.
//!
//! The frame is the associated data and the plaintext is empty. Why Ascon: of the codes measured
//! on a Cortex-M3 it needs the least ROM and a quarter of the stack of HMAC-SHA256, which alone
//! would break the 256 byte RAM budget. Why own code: the size; the tests compare it with the
//! `ascon-aead` crate. It leaves out encryption.
//!
//! The state is five 64-bit words, all loads and stores are little endian:
//!
//! ```text
//! S = IV K0 K1 N0 N1 ─p12─▶ ⊕K ─▶ absorb 16 bytes, p8, … padded last block, p8
//!   ─▶ ⊕ domain bit ─▶ ⊕ pad of the empty plaintext ─▶ ⊕K ─p12─▶ ⊕K ─▶ tag = S3 S4
//! ```

const IV: u64 = 0x0000_1000_808c_0001;
const DOMAIN: u64 = 1 << 63;
const ROUND_CONSTANTS: [u64; 12] = [
    0xf0, 0xe1, 0xd2, 0xc3, 0xb4, 0xa5, 0x96, 0x87, 0x78, 0x69, 0x5a, 0x4b,
];

/// Bytes of a tag.
pub(crate) const TAG_BYTES: usize = 16;

/// The tag of `data` under `key` with `nonce`.
///
/// A nonce is used once per key, see [`crate::frame`].
pub(crate) fn tag(key: &[u8; 16], nonce: &[u8; 16], data: &[u8]) -> [u8; TAG_BYTES] {
    let (key_low, key_high) = words(key);
    let (nonce_low, nonce_high) = words(nonce);
    let mut state = [IV, key_low, key_high, nonce_low, nonce_high];
    permute(&mut state, 12);
    state[3] ^= key_low;
    state[4] ^= key_high;
    absorb(&mut state, data);
    state[4] ^= DOMAIN;
    state[0] ^= 1;
    state[2] ^= key_low;
    state[3] ^= key_high;
    permute(&mut state, 12);
    let mut tag = [0; TAG_BYTES];
    tag[..8].copy_from_slice(&(state[3] ^ key_low).to_le_bytes());
    tag[8..].copy_from_slice(&(state[4] ^ key_high).to_le_bytes());
    tag
}

/// Absorbs associated data; as the standard says, no data at all skips the padding, too.
fn absorb(state: &mut [u64; 5], data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let mut blocks = data.chunks_exact(16);
    for chunk in blocks.by_ref() {
        let mut block = [0; 16];
        block.copy_from_slice(chunk);
        absorb_block(state, &block);
    }
    let rest = blocks.remainder();
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 1;
    absorb_block(state, &last);
}

fn absorb_block(state: &mut [u64; 5], block: &[u8; 16]) {
    let (low, high) = words(block);
    state[0] ^= low;
    state[1] ^= high;
    permute(state, 8);
}

fn words(bytes: &[u8; 16]) -> (u64, u64) {
    let number = u128::from_le_bytes(*bytes);
    (number as u64, (number >> 64) as u64)
}

/// The permutation: the last `rounds` of twelve.
fn permute(s: &mut [u64; 5], rounds: usize) {
    for constant in &ROUND_CONSTANTS[12 - rounds..] {
        s[2] ^= constant;
        s[0] ^= s[4];
        s[4] ^= s[3];
        s[2] ^= s[1];
        let t = [
            s[0] ^ (!s[1] & s[2]),
            s[1] ^ (!s[2] & s[3]),
            s[2] ^ (!s[3] & s[4]),
            s[3] ^ (!s[4] & s[0]),
            s[4] ^ (!s[0] & s[1]),
        ];
        *s = t;
        s[1] ^= s[0];
        s[0] ^= s[4];
        s[3] ^= s[2];
        s[2] = !s[2];
        s[0] ^= s[0].rotate_right(19) ^ s[0].rotate_right(28);
        s[1] ^= s[1].rotate_right(61) ^ s[1].rotate_right(39);
        s[2] ^= s[2].rotate_right(1) ^ s[2].rotate_right(6);
        s[3] ^= s[3].rotate_right(10) ^ s[3].rotate_right(17);
        s[4] ^= s[4].rotate_right(7) ^ s[4].rotate_right(41);
    }
}

#[cfg(test)]
mod tests {
    //! Goal: the tag is the one of the standard. Method: compare with an independent
    //! implementation over arbitrary keys, nonces and lengths around the block size.
    extern crate std;
    use super::tag;
    use ascon_aead::AsconAead128;
    use ascon_aead::aead::{Aead, KeyInit, Payload};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_ascon_aead_crate(
            key in any::<[u8; 16]>(),
            nonce in any::<[u8; 16]>(),
            data in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let cipher = AsconAead128::new(&key.into());
            let expected = cipher.encrypt(&nonce.into(), Payload { msg: b"", aad: &data }).unwrap();
            prop_assert_eq!(&tag(&key, &nonce, &data)[..], &expected[..]);
        }
    }
}
