//! HMAC-SHA256 (RFC 2104, FIPS 180-4) with a key of 32 bytes.
//!
//! Why own code: with the `hmac` and `sha2` crates, made for every hash and every length, a device
//! that also listens took 4,680 bytes of flash and may have 4,096. The tests compare it with them.
//! The message is taken byte by byte and the schedule is made in place, so there is one block in
//! memory. It leaves out other keys, and messages of 512 MB and more, which no frame is.

use zeroize::Zeroize;

/// The fractional parts of the square roots of the first 8 primes.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The fractional parts of the cube roots of the first 64 primes.
#[rustfmt::skip]
static ROUNDS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// A key, as the hash's two states after the blocks that are made of it (RFC 2104, 4): each
/// message then costs half as much. As secret as the key; wiped when dropped.
#[derive(Clone)]
pub(crate) struct Hmac {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl Hmac {
    pub(crate) fn new(key: &[u8; 32]) -> Hmac {
        Hmac {
            inner: keyed_state(key, 0x36),
            outer: keyed_state(key, 0x5c),
        }
    }

    pub(crate) fn of(&self, message: &[u8]) -> [u8; 32] {
        hash_after(&self.outer, &hash_after(&self.inner, message))
    }
}

impl Drop for Hmac {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

#[inline(never)]
/// The state after one block: the key, filled up with zeros and added to `pad`.
fn keyed_state(key: &[u8; 32], pad: u8) -> [u32; 8] {
    let mut hash = Sha256 {
        state: START,
        block: [0; 16],
        length_bytes: 0,
    };
    (0..64).for_each(|at| hash.push(key.get(at).unwrap_or(&0) ^ pad));
    hash.state
}

/// The hash of a block that led to `state`, and of `message`.
#[inline(never)]
fn hash_after(state: &[u32; 8], message: &[u8]) -> [u8; 32] {
    let mut hash = Sha256 {
        state: *state,
        block: [0; 16],
        length_bytes: 64,
    };
    message.iter().for_each(|byte| hash.push(*byte));
    hash.finish()
}

struct Sha256 {
    state: [u32; 8],
    block: [u32; 16],
    length_bytes: u32,
}

impl Sha256 {
    #[inline(never)]
    fn push(&mut self, byte: u8) {
        let word = &mut self.block[self.length_bytes as usize / 4 % 16];
        *word = *word << 8 | u32::from(byte);
        self.length_bytes += 1;
        if self.length_bytes.is_multiple_of(64) {
            self.compress();
        }
    }

    fn finish(&mut self) -> [u8; 32] {
        let length_bits = self.length_bytes * 8;
        self.push(0x80);
        while self.length_bytes % 64 != 56 {
            self.push(0);
        }
        // The length has 64 bits; the upper half of it is never used.
        for _ in 0..4 {
            self.push(0);
        }
        for byte in &length_bits.to_be_bytes() {
            self.push(*byte);
        }
        let mut digest = [0; 32];
        for (place, word) in digest.chunks_exact_mut(4).zip(&self.state) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }

    /// FIPS 180-4, 6.2.2.
    fn compress(&mut self) {
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = self.state;
        for (round, constant) in ROUNDS.iter().enumerate() {
            let first = turned(e, [6, 11, 25])
                .wrapping_add(h)
                .wrapping_add((e & f) ^ (!e & g))
                .wrapping_add(*constant)
                .wrapping_add(self.scheduled(round));
            let majority = (a & b) ^ (a & c) ^ (b & c);
            let second = turned(a, [2, 13, 22]).wrapping_add(majority);
            (h, g, f, e) = (g, f, e, d.wrapping_add(first));
            (d, c, b, a) = (c, b, a, first.wrapping_add(second));
        }
        for (state, new) in self.state.iter_mut().zip(&[a, b, c, d, e, f, g, h]) {
            *state = state.wrapping_add(*new);
        }
    }

    /// The schedule's word of a round, made in the place of the one 16 rounds before.
    fn scheduled(&mut self, round: usize) -> u32 {
        let word = |back: usize| self.block[(round + 16 - back) % 16];
        let mut new = word(16);
        if round >= 16 {
            let (near, far) = (word(2), word(15));
            new = new
                .wrapping_add(far.rotate_right(7) ^ far.rotate_right(18) ^ far >> 3)
                .wrapping_add(word(7))
                .wrapping_add(near.rotate_right(17) ^ near.rotate_right(19) ^ near >> 10);
            self.block[round % 16] = new;
        }
        new
    }
}

fn turned(word: u32, turns: [u32; 3]) -> u32 {
    let [a, b, c] = turns;
    word.rotate_right(a) ^ word.rotate_right(b) ^ word.rotate_right(c)
}

#[cfg(test)]
mod tests {
    //! Goal: this is HMAC-SHA256. Method: compare with an independent implementation over any keys
    //! and messages around the block size.
    extern crate std;
    use super::Hmac;
    use hmac::{KeyInit, Mac};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_hmac_crate(key in any::<[u8; 32]>(), message in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut theirs = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
            theirs.update(&message);
            prop_assert_eq!(&Hmac::new(&key).of(&message)[..], &theirs.finalize().into_bytes()[..]);
        }
    }
}
