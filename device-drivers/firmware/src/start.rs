//! What a device does first: a new epoch, and with the feature `pairing`, a key.
//!
//! ```text
//! record in the two pages:   with pairing   00 or 01 (a key was given) · key (32)
//!                            without        nothing but the epoch
//! ```
//!
//! Without the feature the key is the factory's. If nothing can be stored the device is silent for
//! ever: a counter would be used twice.

use crate::board::{Board, Pages};
use fogward_level0::Journal;

#[cfg(feature = "pairing")]
pub use paired::paired;

/// Stores a new epoch.
#[cfg(not(feature = "pairing"))]
pub fn epoch(board: &mut Board) -> u32 {
    match Journal::<_, 0>::open(Pages).store(&[]) {
        Ok(epoch) => epoch,
        Err(_) => be_silent(board),
    }
}

fn be_silent(board: &mut Board) -> ! {
    loop {
        board.sleep();
    }
}

#[cfg(feature = "pairing")]
mod paired {
    use super::{Board, Journal, Pages, be_silent};
    use crate::board::MILLIS_PER_TICK;
    use crate::factory;
    use fogward_level0::{Chunk, FrameCutter, Offer, Unpaired};

    const KEY_BYTES: usize = 32;
    const RECORD: usize = 1 + KEY_BYTES;
    /// The longest offer as it goes on the wire, that with a public key.
    const OFFER_BYTES: usize = 73;
    /// The longest answer, with a pairing key, between its zero bytes.
    const ANSWER_BYTES: usize = 70;
    const TICKS_PER_OFFER: u32 = 1_000 / MILLIS_PER_TICK;

    /// A new epoch and the key. A device without one offers itself until a host gives it one.
    #[inline(never)]
    pub fn paired(board: &mut Board, offer: &Offer) -> (u32, [u8; KEY_BYTES]) {
        let mut journal = Journal::<_, RECORD>::open(Pages);
        let mut record = journal.load().unwrap_or([0; RECORD]);
        let Ok(mut epoch) = journal.store(&record) else {
            be_silent(board)
        };
        if record[0] == 0 {
            let [is_given, key @ ..] = &mut record;
            *is_given = 1;
            ask(board, offer, epoch, key);
            epoch = match journal.store(&record) {
                Ok(epoch) => epoch,
                Err(_) => be_silent(board),
            };
        }
        let [_, key @ ..] = record;
        (epoch, key)
    }

    /// Offers once a second until a key comes.
    fn ask(board: &mut Board, offer: &Offer, epoch: u32, key: &mut [u8; KEY_BYTES]) {
        let mut device = Unpaired::new(factory::DEVICE, &factory::CODE, epoch);
        let mut ears = FrameCutter::<ANSWER_BYTES>::default();
        let mut next = 0;
        loop {
            if board.ticks() >= next {
                next = board.ticks() + TICKS_PER_OFFER;
                let mut wire = [0; OFFER_BYTES];
                let length = device.offer(offer, &mut wire).unwrap_or_default();
                board.send(wire.get(..length).unwrap_or_default());
            }
            while let Some(byte) = board.receive() {
                let Some(Chunk::Frame(frame)) = ears.push(byte) else {
                    continue;
                };
                let Ok(given) = device.open(frame) else {
                    continue;
                };
                if let Some(place) = key.get_mut(..given.len()) {
                    place.copy_from_slice(given);
                    return;
                }
            }
            board.sleep();
        }
    }
}
