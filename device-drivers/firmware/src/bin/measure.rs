//! Counts what the proof of one reading costs: it prints cycles of SysTick and ends.
//!
//! Built with the feature of a class. Under QEMU's `-icount shift=0` an instruction takes one
//! nanosecond of virtual time and SysTick ticks each 80 ns, so the difference of the two lines
//! `none` and `proof`, each over [`ROUNDS`] rounds, counts instructions to within 80. What is timed
//! is [`DeviceKey::prove`] over header and body of a frame with one reading: no encoding, no
//! checksum.
#![no_std]
#![no_main]

use core::hint::black_box;
use fogward_firmware::board::Board;
use fogward_firmware::factory;
use fogward_level0::DeviceKey;

/// How often each is done, a power of two so that the division is exact.
const ROUNDS: u32 = 4;
/// Header, and the body of a reading with a time stamp.
const SIGNED_BYTES: usize = 18 + 14;

#[cortex_m_rt::entry]
fn main() -> ! {
    #[cfg(feature = "low-cost")]
    measure(&factory::hmac_key());
    #[cfg(feature = "signing")]
    measure(&factory::signing_key());
    #[cfg(feature = "ultra-light")]
    measure(&factory::PAIRING_KEY);
}

fn measure<K: DeviceKey>(key: &K) -> ! {
    let mut board = Board::start();
    let signed = [0x5a; SIGNED_BYTES];
    let mut proof = [0; 64];
    let proof = proof
        .get_mut(..K::AUTHENTICATION.device_proof_bytes())
        .unwrap_or_default();
    let start = board.cycles();
    for _ in 0..ROUNDS {
        black_box((&signed, &mut *proof));
    }
    let without = board.cycles();
    for _ in 0..ROUNDS {
        key.prove(black_box(&signed), black_box(proof));
    }
    let with = board.cycles();
    report(&mut board, b"none ", (without - start) / u64::from(ROUNDS));
    report(&mut board, b"proof ", (with - without) / u64::from(ROUNDS));
    board.send(b"end\n");
    loop {
        board.sleep();
    }
}

fn report(board: &mut Board, name: &[u8], cycles: u64) {
    board.send(name);
    let mut digits = [b'0'; 20];
    let mut rest = cycles;
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    board.send(&digits);
    board.send(b"\n");
}
