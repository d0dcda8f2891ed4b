//! Goal: whatever moment the power fails at, a record is stored whole or not at all, and no epoch
//! is ever given out twice. Method: a memory that goes dead after a number of changed bytes, each
//! number in turn, and leaves the byte it was at in any state.

use fogward_level0::{Journal, NonVolatile, Slot, StoreError};
use proptest::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

const PAYLOAD: usize = 5;
const SLOT: usize = PAYLOAD + 8;

/// Two slots that outlive the device that holds them.
#[derive(Clone, Debug)]
struct Flash(Rc<RefCell<Cells>>);

#[derive(Clone, Debug)]
struct Cells {
    slots: [[u8; SLOT]; 2],
    /// Bytes that can still be changed before the power fails.
    power: usize,
    /// What the byte at which it fails is left with.
    torn: u8,
    erased: u8,
}

impl Flash {
    fn new(erased: u8) -> Flash {
        Flash(Rc::new(RefCell::new(Cells {
            slots: [[erased; SLOT]; 2],
            power: usize::MAX,
            torn: 0,
            erased,
        })))
    }

    fn cut_after(&self, power: usize, torn: u8) {
        let mut cells = self.0.borrow_mut();
        cells.power = power;
        cells.torn = torn;
    }

    fn open(&self) -> Journal<Flash, PAYLOAD> {
        self.cut_after(usize::MAX, 0);
        Journal::open(self.clone())
    }
}

impl Cells {
    fn set(&mut self, slot: Slot, at: usize, byte: u8) {
        let place = &mut self.slots[index(slot)][at];
        match self.power {
            0 => return,
            1 => *place = self.torn,
            _ => *place = byte,
        }
        if self.power != usize::MAX {
            self.power -= 1;
        }
    }
}

fn index(slot: Slot) -> usize {
    usize::from(slot == Slot::B)
}

impl NonVolatile for Flash {
    fn read(&self, slot: Slot, at: usize, bytes: &mut [u8]) {
        let cells = self.0.borrow();
        bytes.copy_from_slice(&cells.slots[index(slot)][at..at + bytes.len()]);
    }

    fn erase(&mut self, slot: Slot) {
        let mut cells = self.0.borrow_mut();
        let erased = cells.erased;
        (0..SLOT).for_each(|at| cells.set(slot, at, erased));
    }

    fn write(&mut self, slot: Slot, at: usize, bytes: &[u8]) {
        let mut cells = self.0.borrow_mut();
        let bytes = bytes.iter().enumerate();
        bytes.for_each(|(index, byte)| cells.set(slot, at + index, *byte));
    }
}

#[test]
fn a_new_memory_holds_nothing() {
    for erased in [0x00, 0xff] {
        let mut journal = Flash::new(erased).open();
        assert_eq!((journal.epoch(), journal.load()), (0, None));
        assert_eq!(journal.store(&[7; PAYLOAD]), Ok(1));
        assert_eq!((journal.epoch(), journal.load()), (1, Some([7; PAYLOAD])));
    }
}

#[test]
fn memory_that_does_not_hold_is_told() {
    let flash = Flash::new(0xff);
    let mut journal = flash.open();
    journal.store(&[1; PAYLOAD]).unwrap();
    flash.cut_after(SLOT + 3, 0);
    assert_eq!(journal.store(&[2; PAYLOAD]), Err(StoreError::Worn));
    assert_eq!(flash.open().load(), Some([1; PAYLOAD]));
}

#[test]
fn the_last_generation_is_not_followed_by_the_first() {
    let flash = Flash::new(0xff);
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_JAMCRC);
    let mut slot = [0xff; SLOT];
    let check = sum.checksum(&slot[..SLOT - 4]);
    slot[SLOT - 4..].copy_from_slice(&check.to_le_bytes());
    flash.0.borrow_mut().slots[0] = slot;
    let mut journal = flash.open();
    assert_eq!(journal.epoch(), u32::MAX);
    assert_eq!(journal.store(&[0; PAYLOAD]), Err(StoreError::Exhausted));
}

/// Starts a device again and again, the power failing in each start but the last.
fn check_starts(erased: u8, cuts: &[(usize, u8)]) -> Result<(), TestCaseError> {
    let flash = Flash::new(erased);
    let mut used = 0;
    let mut stored: Vec<[u8; PAYLOAD]> = Vec::new();
    for (number, &(power, torn)) in cuts.iter().enumerate() {
        let before = flash.open().load();
        prop_assert_eq!(before, stored.last().copied());
        let mut journal = flash.open();
        flash.cut_after(power, torn);
        let payload = [number as u8 ^ torn; PAYLOAD];
        let said = journal.store(&payload);
        let after = flash.open();
        // A torn byte may by chance be the right one, so what is stored may be more than was said.
        if let Ok(epoch) = said {
            prop_assert!(epoch > used, "epoch {} after {}", epoch, used);
            prop_assert_eq!(after.epoch(), epoch);
            prop_assert_eq!(after.load(), Some(payload));
            used = epoch;
        }
        if after.load() == Some(payload) && after.epoch() > used.max(journal.epoch()) {
            used = after.epoch();
        }
        let is_old = after.load() == before;
        let is_new = after.load() == Some(payload);
        prop_assert!(is_old || is_new, "neither the old record nor the new");
        if is_new {
            stored.push(payload);
        }
    }
    Ok(())
}

#[test]
fn every_single_cut_is_survived() {
    for erased in [0x00, 0xff] {
        for power in 0..=2 * SLOT + 1 {
            for torn in [0x00, 0x5a, 0xff] {
                let whole = (usize::MAX, 0);
                let cuts = [whole, (power, torn), whole, whole, (power, torn), whole];
                check_starts(erased, &cuts).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn any_row_of_cuts_is_survived(
        erased in any::<u8>(),
        cuts in proptest::collection::vec((0..3 * SLOT, any::<u8>()), 1..40),
    ) {
        check_starts(erased, &cuts)?;
    }
}
