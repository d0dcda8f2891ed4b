//! What goes wrong in a ward: by chance from a fixed seed, though what it meets is not fixed.

use super::meter::Spoilt;
use super::standard::Damage;

const SEED: u64 = 0x180d;
/// One second in so many a sensor goes to the other ward; in a large ward, one of all sensors every three seconds.
const WALKS_EVERY: u32 = 80;
const WALK_OF_ALL_EVERY: u32 = 3;
/// One second in so many it goes out of reach and back, or loses its link.
const WANDERS_EVERY: u32 = 90;
const FALLS_EVERY: u32 = 25;
/// One value or frame in so many is damaged.
const DAMAGED_EVERY: u32 = 15;
/// One of a meter's records in so many is the last before its link falls.
const FALLS_AT_RECORD: u32 = 20;

/// What was done.
#[derive(Default, Debug)]
pub(super) struct Done {
    pub(super) walks: u64,
    pub(super) drops: u64,
    pub(super) pulled: u64,
    pub(super) disturbed: u64,
    pub(super) kills: u64,
}

/// Where a sensor's second leads it.
pub(super) enum Turn {
    Walk,
    Wander,
    Fall,
}

/// Chance, as long as it is on.
pub(super) struct Spoil {
    chance: fastrand::Rng,
    walks_every: u32,
    pub(super) is_on: bool,
}

impl Spoil {
    pub(super) fn new(sensors: u32) -> Self {
        let chance = fastrand::Rng::with_seed(SEED);
        Self {
            chance,
            walks_every: WALKS_EVERY.max(WALK_OF_ALL_EVERY * sensors),
            is_on: false,
        }
    }

    fn hits(&mut self, every: u32) -> bool {
        self.is_on && self.chance.u32(..every) == 0
    }

    pub(super) fn turn(&mut self) -> Option<Turn> {
        if self.hits(self.walks_every) {
            Some(Turn::Walk)
        } else if self.hits(WANDERS_EVERY) {
            Some(Turn::Wander)
        } else {
            self.hits(FALLS_EVERY).then_some(Turn::Fall)
        }
    }

    /// For how long a sensor is out of reach.
    pub(super) fn seconds(&mut self) -> u32 {
        self.chance.u32(1..=5)
    }

    /// What becomes of a value of a standard profile.
    pub(super) fn damage(&mut self) -> Option<Damage> {
        let is_hit = self.hits(DAMAGED_EVERY);
        is_hit.then(|| match self.chance.u8(..4) {
            0 => Damage::Reserved,
            1 => Damage::Cut(self.chance.usize(..64)),
            2 => Damage::TooLong,
            _ => Damage::Impossible,
        })
    }

    /// What becomes of a meter's record.
    pub(super) fn record(&mut self) -> Option<Spoilt> {
        if self.hits(FALLS_AT_RECORD) {
            return Some(Spoilt::Fall);
        }
        let is_hit = self.hits(DAMAGED_EVERY);
        is_hit.then(|| Spoilt::Cut(self.chance.usize(..64)))
    }

    /// A level-0 frame after its way: as it was, a bit changed (mostly in what proves it), its end cut off, or
    /// after noise.
    pub(super) fn frame(&mut self, mut frame: Vec<u8>, done: &mut Done) -> Vec<u8> {
        if !self.hits(DAMAGED_EVERY) {
            return frame;
        }
        done.disturbed += 1;
        match self.chance.u8(..3) {
            0 => {
                let at = self.chance.usize(..frame.len());
                frame[at] ^= 1 << self.chance.u8(..8);
            }
            1 => frame.truncate(self.chance.usize(..frame.len())),
            _ => {
                let noise: Vec<u8> = (0..8).map(|_| self.chance.u8(..)).collect();
                frame.splice(..0, noise);
            }
        }
        frame
    }
}
