//! The epoch, and what else must survive a power loss at any moment: two slots, written in turn.
//!
//! ```text
//! slot    generation (4, little endian) · payload (N) · CRC-32/JAMCRC over both (4, little endian)
//! ```
//!
//! Upon a write the slot that does *not* hold the newest record is erased and written; upon a start
//! the whole record with the highest generation counts. A cut leaves the slot that was being
//! written broken and the other one as it was, so a record is either stored or as if never begun.
//!
//! The generation is the device's *epoch*: a device writes a record at each start before it sends
//! anything, so no counter is ever used twice (`docs/level0-protocol.md`, "Counters"). The check
//! finds every error within four bytes, thus every mixture of two generations; JAMCRC, because
//! erased memory, all ones or all zeros, must not check.
//!
//! It leaves out the memory itself. Two broken slots are a device that was never started: whoever
//! keeps a key elsewhere must not go on with it then, or counters would repeat.

use core::fmt;

/// Bytes of a slot around its payload.
pub const SLOT_OVERHEAD: usize = 8;

/// One of the two slots; in flash, a page of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    const fn other(self) -> Slot {
        match self {
            Slot::A => Slot::B,
            Slot::B => Slot::A,
        }
    }
}

/// Memory that survives power loss. It may be cut off at any moment, and then the slot that was
/// being erased or written may hold anything; the other slot must be untouched.
pub trait NonVolatile {
    /// Fills `bytes` from a slot, from its byte `at` on.
    fn read(&self, slot: Slot, at: usize, bytes: &mut [u8]);
    /// Makes a slot writable; nothing to do where bytes can be overwritten.
    fn erase(&mut self, slot: Slot);
    /// Writes `bytes` to an erased slot, from its byte `at` on.
    fn write(&mut self, slot: Slot, at: usize, bytes: &[u8]);
}

/// The record was not stored. The device must not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// What was read back is not what was written: the memory is worn out.
    Worn,
    /// There is no further generation.
    Exhausted,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreError::Worn => "the memory does not hold what was written",
            StoreError::Exhausted => "the device was started too often",
        })
    }
}

impl core::error::Error for StoreError {}

/// Two slots in a memory, for records of `N` bytes.
#[derive(Debug)]
pub struct Journal<M, const N: usize> {
    memory: M,
    newest: Slot,
    generation: u32,
}

impl<M: NonVolatile, const N: usize> Journal<M, N> {
    /// Looks for the newest whole record.
    #[must_use]
    pub fn open(memory: M) -> Journal<M, N> {
        let mut journal = Journal {
            memory,
            newest: Slot::A,
            generation: 0,
        };
        journal.generation = journal.read(Slot::A, &mut [0; N]);
        let other = journal.read(Slot::B, &mut [0; N]);
        if other >= journal.generation {
            journal.newest = Slot::B;
            journal.generation = other;
        }
        journal
    }

    /// The newest record's generation, which is the epoch; 0 if there is no record.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.generation
    }

    /// The newest record, if there is one.
    #[must_use]
    pub fn load(&self) -> Option<[u8; N]> {
        let mut payload = [0; N];
        let generation = self.read(self.newest, &mut payload);
        (generation > 0 && generation == self.generation).then_some(payload)
    }

    /// Stores a record under the next generation and returns it, after it was read back.
    ///
    /// # Errors
    /// [`StoreError`] if it is not stored; the record before it still is.
    pub fn store(&mut self, payload: &[u8; N]) -> Result<u32, StoreError> {
        let generation = self.generation.checked_add(1);
        let generation = generation.ok_or(StoreError::Exhausted)?;
        let slot = self.newest.other();
        self.memory.erase(slot);
        self.memory.write(slot, 0, &generation.to_le_bytes());
        self.memory.write(slot, 4, payload);
        let check = check(generation, payload).to_le_bytes();
        self.memory.write(slot, 4 + N, &check);
        // The check was over the payload, so what checks and has this generation is this record.
        if self.read(slot, &mut [0; N]) != generation {
            return Err(StoreError::Worn);
        }
        self.newest = slot;
        self.generation = generation;
        Ok(generation)
    }

    /// The generation of a slot's record; 0 if it is not whole.
    fn read(&self, slot: Slot, payload: &mut [u8; N]) -> u32 {
        let mut number = [0; 4];
        self.memory.read(slot, 0, &mut number);
        let generation = u32::from_le_bytes(number);
        self.memory.read(slot, 4, payload);
        self.memory.read(slot, 4 + N, &mut number);
        if u32::from_le_bytes(number) == check(generation, payload) {
            generation
        } else {
            0
        }
    }
}

/// CRC-32/JAMCRC, bit by bit: the table of the quick ways would be a quarter of the flash.
fn check(generation: u32, payload: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in generation.to_le_bytes().iter().chain(payload) {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ ((sum & 1) * 0xedb8_8320);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    //! Goal: the check is CRC-32/JAMCRC. Method: compare with the `crc` crate.
    extern crate std;
    use super::check;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_crc_crate(generation in any::<u32>(), payload in any::<[u8; 5]>()) {
            let crc = crc::Crc::<u32>::new(&crc::CRC_32_JAMCRC);
            let mut digest = crc.digest();
            digest.update(&generation.to_le_bytes());
            digest.update(&payload);
            prop_assert_eq!(check(generation, &payload), digest.finalize());
        }
    }
}
