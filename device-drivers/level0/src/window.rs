//! Which counters were seen: refuses replays, counts holes, takes late retransmissions.
//!
//! A sliding window as in IPsec and WireGuard: everything above the highest counter is new,
//! within the window each counter has a bit, everything below is refused. A counter's upper 32
//! bits are the device's start number (its *epoch*), the lower 32 count readings since that
//! start, so a hole is counted exactly within an epoch; of a new epoch the part before the first
//! frame heard is the hole.

use crate::frame::Refusal;

/// How many counters back a retransmission is still taken.
pub const WINDOW: u64 = 2_048;
const WORDS: usize = (WINDOW / 64) as usize;

/// The counters seen so far.
#[derive(Clone, Debug)]
pub struct ReplayWindow {
    /// The highest counter seen.
    highest: Option<u64>,
    /// Below this, nothing was counted as missing.
    counted_from: u64,
    /// One bit for each counter of the window, at `counter % WINDOW`.
    seen: [u64; WORDS],
}

/// What a new frame told about the ones before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Counters skipped just before it.
    pub missing: u32,
    /// Counters it brings that were reported as missing earlier.
    pub recovered: u32,
}

impl ReplayWindow {
    /// A window that refuses every counter up to and including `floor`.
    #[must_use]
    pub fn new(floor: Option<u64>) -> ReplayWindow {
        ReplayWindow {
            highest: floor,
            counted_from: floor.map_or(u64::MAX, |floor| floor.saturating_add(1)),
            seen: [u64::MAX; WORDS],
        }
    }

    /// The highest counter seen.
    #[must_use]
    pub const fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Takes a frame with `span` counters from `first` on.
    ///
    /// # Errors
    /// [`Refusal::Replayed`] if one of them was seen, is below the window, or is beyond the last
    /// counter there is.
    pub fn accept(&mut self, first: u64, span: u32) -> Result<Step, Refusal> {
        let span = span.clamp(1, WINDOW as u32 / 2);
        let last = first
            .checked_add(u64::from(span) - 1)
            .ok_or(Refusal::Replayed)?;
        let Some(highest) = self.highest else {
            self.seen = [0; WORDS];
            self.counted_from = first;
            self.mark(first, last);
            self.highest = Some(last);
            return Ok(Step::default());
        };
        if first > highest {
            let missing = if first >> 32 == highest >> 32 {
                first - highest - 1
            } else {
                first & 0xffff_ffff
            };
            self.advance(highest, last);
            self.mark(first, last);
            self.highest = Some(last);
            return Ok(Step {
                missing: u32::try_from(missing).unwrap_or(u32::MAX),
                recovered: 0,
            });
        }
        if last > highest
            || highest - first >= WINDOW
            || (first..=last).any(|counter| self.is_seen(counter))
        {
            return Err(Refusal::Replayed);
        }
        self.mark(first, last);
        let recovered = if first >= self.counted_from { span } else { 0 };
        Ok(Step {
            missing: 0,
            recovered,
        })
    }

    /// Clears the bits of the counters that enter the window. A new epoch's unheard beginning
    /// stays open to retransmission; the jump between epochs does not.
    fn advance(&mut self, highest: u64, last: u64) {
        if last - highest >= WINDOW {
            self.seen = [0; WORDS];
            let epoch_start = last & !0xffff_ffff;
            let window_start = last - (WINDOW - 1);
            for counter in window_start..epoch_start.max(window_start) {
                self.set(counter);
            }
            return;
        }
        for counter in highest + 1..=last {
            let (word, bit) = place(counter);
            self.seen[word] &= !bit;
        }
    }

    fn mark(&mut self, first: u64, last: u64) {
        for counter in first..=last {
            self.set(counter);
        }
    }

    fn set(&mut self, counter: u64) {
        let (word, bit) = place(counter);
        self.seen[word] |= bit;
    }

    fn is_seen(&self, counter: u64) -> bool {
        let (word, bit) = place(counter);
        self.seen[word] & bit != 0
    }
}

fn place(counter: u64) -> (usize, u64) {
    let index = counter % WINDOW;
    ((index / 64) as usize, 1 << (index % 64))
}
