//! Ascon-AEAD128 (NIST SP 800-232), used as a message authentication code, and at pairing to encrypt.
//!
//! As a code, the frame is the associated data and the plaintext is empty. Why Ascon: of the codes
//! measured on a Cortex-M3 it needs the least ROM and a quarter of the stack of HMAC-SHA256, which
//! alone would break the 256 byte RAM budget. Why own code: the size; the tests compare it with the
//! `ascon-aead` crate. Words are kept as halves, and each layer of the permutation is a function of
//! its own, because that is what a 32-bit processor does with the fewest bytes of stack.
//!
//! The state is five 64-bit words, all loads and stores are little endian:
//!
//! ```text
//! S = IV K0 K1 N0 N1 ─p12─▶ ⊕K ─▶ absorb 16 bytes, p8, … padded last block, p8
//!   ─▶ ⊕ domain bit ─▶ ⊕ pad of the empty plaintext ─▶ ⊕K ─p12─▶ ⊕K ─▶ tag = S3 S4
//! ```

use crate::authentication::TAG_BYTES;

const IV: [u32; 2] = [0x808c_0001, 0x0000_1000];
const DOMAIN: u32 = 1 << 31;

/// The five words, each as its lower and upper half: what a 32-bit processor can hold.
type State = [[u32; 2]; 5];

const EMPTY: State = [IV, [0; 2], [0; 2], [0; 2], [0; 2]];

/// Writes the tag of `data` under `key` with `nonce` into `tag`.
///
/// A nonce is used once per key, see [`crate::frame`].
pub(crate) fn write_tag(key: &[u8; 16], nonce: &[u8; 16], data: &[u8], tag: &mut [u8; TAG_BYTES]) {
    let mut state = EMPTY;
    start(&mut state, key, nonce, data);
    finish(&mut state, key, 0, tag);
}

/// Encrypts `text` in place and writes the tag of it and of `data`.
#[cfg(feature = "host")]
pub(crate) fn encrypt(
    key: &[u8; 16],
    nonce: &[u8; 16],
    data: &[u8],
    text: &mut [u8],
    tag: &mut [u8; TAG_BYTES],
) {
    let mut state = EMPTY;
    start(&mut state, key, nonce, data);
    let rest = crypt(&mut state, text, |plain, stream| plain ^ stream);
    finish(&mut state, key, rest, tag);
}

/// Decrypts `text` in place and writes the tag that it must have had. Until that was compared, what
/// stands in `text` is nobody's.
pub(crate) fn decrypt(
    key: &[u8; 16],
    nonce: &[u8; 16],
    data: &[u8],
    text: &mut [u8],
    tag: &mut [u8; TAG_BYTES],
) {
    let mut state = EMPTY;
    start(&mut state, key, nonce, data);
    let rest = crypt(&mut state, text, |cipher, _| cipher);
    finish(&mut state, key, rest, tag);
}

fn start(state: &mut State, key: &[u8; 16], nonce: &[u8; 16], data: &[u8]) {
    add(&mut state[1..], key);
    add(&mut state[3..], nonce);
    permute(state, 12);
    add(&mut state[3..], key);
    absorb(state, data);
    state[4][1] ^= DOMAIN;
}

/// Pads the text, of which `rest` bytes are in the last block, and writes the tag.
fn finish(state: &mut State, key: &[u8; 16], rest: usize, tag: &mut [u8; TAG_BYTES]) {
    state[rest / 8][rest / 4 % 2] ^= 1 << (rest % 4 * 8);
    add(&mut state[2..], key);
    permute(state, 12);
    add(&mut state[3..], key);
    let halves = state[3..].as_flattened();
    for (place, half) in tag.chunks_exact_mut(4).zip(halves) {
        place.copy_from_slice(&half.to_le_bytes());
    }
}

/// Adds the key stream to `text` and takes the ciphertext, which `cipher` tells from a byte of the
/// text and one of the stream, into the state. Returns the bytes in the last, unfinished block.
fn crypt(state: &mut State, text: &mut [u8], cipher: impl Fn(u8, u8) -> u8) -> usize {
    let mut at = 0;
    for byte in text {
        let shift = at % 4 * 8;
        let half = &mut state[at / 8][at / 4 % 2];
        let stream = (*half >> shift) as u8;
        *half ^= u32::from(stream ^ cipher(*byte, stream)) << shift;
        *byte ^= stream;
        at += 1;
        if at == 16 {
            permute(state, 8);
            at = 0;
        }
    }
    at
}

/// Absorbs associated data; as the standard says, no data at all skips the padding, too.
fn absorb(state: &mut State, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let mut blocks = data.chunks_exact(16);
    for block in blocks.by_ref() {
        add(state, block);
        permute(state, 8);
    }
    let rest = blocks.remainder();
    add(state, rest);
    let end = rest.len();
    state[end / 8][end / 4 % 2] ^= 1 << (end % 4 * 8);
    permute(state, 8);
}

/// Adds up to 16 bytes to the words from the first on.
fn add(words: &mut [[u32; 2]], bytes: &[u8]) {
    for (half, bytes) in words.as_flattened_mut().iter_mut().zip(bytes.chunks(4)) {
        for (at, byte) in bytes.iter().enumerate() {
            *half ^= u32::from(*byte) << (at * 8);
        }
    }
}

/// The permutation: the last `rounds` of twelve.
fn permute(state: &mut State, rounds: u32) {
    for round in 12 - rounds..12 {
        state[2][0] ^= 0xf0 - 0x0f * round;
        for half in 0..2 {
            substitute(state, half);
        }
        diffuse::<0, 19, 28>(state);
        diffuse::<1, 61, 39>(state);
        diffuse::<2, 1, 6>(state);
        diffuse::<3, 10, 17>(state);
        diffuse::<4, 7, 41>(state);
    }
}

/// The substitution layer on one half of each word. Seven registers are enough for a half, which
/// keeps the stack small as long as the two are not done at once.
#[inline(never)]
fn substitute(state: &mut State, half: usize) {
    let [s0, s1, s2, s3, s4] = state;
    let (mut a, mut b, mut c) = (s0[half], s1[half], s2[half]);
    let (mut d, mut e) = (s3[half], s4[half]);
    a ^= e;
    e ^= d;
    c ^= b;
    let (first, second) = (a, b);
    a ^= !b & c;
    b ^= !c & d;
    c ^= !d & e;
    d ^= !e & first;
    e ^= !first & second;
    b ^= a;
    a ^= e;
    d ^= c;
    s0[half] = a;
    s1[half] = b;
    s2[half] = !c;
    s3[half] = d;
    s4[half] = e;
}

/// The diffusion layer on one word: itself, and itself turned right by two amounts.
#[inline(never)]
fn diffuse<const WORD: usize, const FIRST: u32, const SECOND: u32>(state: &mut State) {
    let [low, high] = state[WORD];
    let whole = u64::from(low) | u64::from(high) << 32;
    let sum = whole ^ whole.rotate_right(FIRST) ^ whole.rotate_right(SECOND);
    state[WORD] = [sum as u32, (sum >> 32) as u32];
}

#[cfg(test)]
mod tests {
    //! Goal: the tag is the one of the standard. Method: compare with an independent
    //! implementation over arbitrary keys, nonces and lengths around the block size.
    extern crate std;
    use super::{decrypt, encrypt, write_tag};
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
            let mut tag = [0; 16];
            write_tag(&key, &nonce, &data, &mut tag);
            prop_assert_eq!(&tag[..], &expected[..]);
        }

        #[test]
        fn encrypts_as_the_ascon_aead_crate(
            key in any::<[u8; 16]>(),
            nonce in any::<[u8; 16]>(),
            data in proptest::collection::vec(any::<u8>(), 0..40),
            text in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let cipher = AsconAead128::new(&key.into());
            let theirs = cipher.encrypt(&nonce.into(), Payload { msg: &text, aad: &data }).unwrap();
            let (mut ours, mut tag) = (text.clone(), [0; 16]);
            encrypt(&key, &nonce, &data, &mut ours, &mut tag);
            prop_assert_eq!(&[&ours[..], &tag].concat(), &theirs);
            let mut again = [0; 16];
            decrypt(&key, &nonce, &data, &mut ours, &mut again);
            prop_assert_eq!((ours, again), (text, tag));
        }
    }
}
